/* A walk through the whole public API on one model, with everything that a caller can supply, as a thread with given
 * floating-point words. What it computes is kept, so that two walks can be compared. */
#ifndef HOST_WALK_H
#define HOST_WALK_H

#include <hybridlm/hybridlm.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "fp/words.h"

enum { WALK_CALLS = 128, WALK_BYTES = 1 << 21 };

typedef struct walk {
    const char *model, *base, *adapter_path, *folder; /* the adapter's base; a folder to write in */
    fp_words words; /* of the calling thread */
    const char *called[WALK_CALLS]; /* every function so far */
    size_t n_called, n_callbacks, n_wrong;
    const char *wrong; /* the first call or callback that was not as it should be, and why */
    const char *why;
    unsigned char *kept; /* [WALK_BYTES] */
    size_t n_kept;
    char *bytes; /* written to, and read from */
    size_t n_bytes, at;
    bool inside, other; /* in a call; in one that returns no status */

    hlm_model *m;
    hlm_pool *pool;
    hlm_context *ctx;
    hlm_cache *cache, *fork;
    int32_t vocab, layers, hidden;
} walk;

/** From load to release. False: a call failed, w->wrong. */
bool walk_all(walk *w);

#endif
