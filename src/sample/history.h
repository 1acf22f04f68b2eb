/* The accepted tokens that the penalties look back on: a window of the latest ones, and how often each token is in
 * it. */
#ifndef HLMI_SAMPLE_HISTORY_H
#define HLMI_SAMPLE_HISTORY_H

#include "base/mem.h"

typedef struct hlmi_history {
    uint32_t *count; /* [vocab] times in the window */
    int32_t *seen; /* [n_seen] the tokens with a count, in no order */
    int32_t *place; /* [vocab] index in seen, where count is not 0 */
    int32_t *ring; /* [len] the window; unused when it has no end */
    size_t vocab, n_seen;
    size_t window; /* 0: no end */
    size_t len, cap, oldest;
} hlmi_history;

/** `window` latest tokens, 0: all. */
hlm_status hlmi_history_init(hlmi_history *h, size_t vocab, size_t window, const hlmi_mem *mem);
/** Makes `to` equal to a history of the same vocabulary and window. Failing leaves it as it was. */
hlm_status hlmi_history_assign(hlmi_history *to, const hlmi_history *from, const hlmi_mem *mem);
/** token is in 0..vocab-1. Failing leaves the history as it was. */
hlm_status hlmi_history_add(hlmi_history *h, int32_t token, const hlmi_mem *mem);
void hlmi_history_free(hlmi_history *h, const hlmi_mem *mem);

#endif
