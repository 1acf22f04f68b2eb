/* What tells one model from another in a snapshot: a number made of its weights and one made of the settings that shape its
 * numbers. Loading only notes where the weights are; they are hashed as they lie in memory when somebody first asks, and so a
 * program that saves nothing pays nothing. The order in which they were loaded does not matter. */
#ifndef HLMI_WEIGHTS_FINGERPRINT_H
#define HLMI_WEIGHTS_FINGERPRINT_H

#include <stddef.h>
#include <stdint.h>

#include "base/lock.h"
#include "base/mem.h"

struct hlmi_store;
struct hlmi_tensor;

/** Weights that stay where they are as long as the model lives. */
typedef struct hlmi_weights {
    uint64_t key;
    const void *data;
    size_t bytes;
} hlmi_weights;

typedef uint64_t hlmi_hash_fn(const void *x, size_t n, uint64_t seed);

typedef struct hlmi_fingerprint {
    hlmi_hash_fn *hash;
    hlmi_mem mem;
    hlmi_lock lock; /* guards what follows once the model is loaded */
    uint64_t weights, settings;
    hlmi_weights *noted;
    size_t n_noted, cap_noted;
} hlmi_fingerprint;

void hlmi_fingerprint_init(hlmi_fingerprint *f, hlmi_hash_fn *hash, const hlmi_mem *mem);
/** Of a zeroed one, too. */
void hlmi_fingerprint_free(hlmi_fingerprint *f);

/** Weights made of a tensor, from its row `row` on. */
hlm_status hlmi_fingerprint_note(hlmi_fingerprint *f, const struct hlmi_tensor *t, uint64_t row, const void *data,
                                 size_t bytes);
/** Numbers of a tensor that are not kept as they are. */
void hlmi_fingerprint_add(hlmi_fingerprint *f, const struct hlmi_tensor *t, const void *data, size_t bytes);
/** The store's config.json, or of a GGUF file the settings of the architecture. */
hlm_status hlmi_fingerprint_settings(hlmi_fingerprint *f, const struct hlmi_store *store, const char *arch);

/** The first call reads all weights. Any thread. */
void hlmi_fingerprint_get(hlmi_fingerprint *f, uint64_t out[2]);

#endif
