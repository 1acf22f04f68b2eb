/* What tells one model from another in a snapshot: a number made of its weights and one made of the settings that shape
 * its numbers. Of weights every row of the file is hashed by itself, under its tensor's name, type, shape and its
 * number, and the sum is taken: so it is the file's, however rows are cut into matrices, packed and placed, in whatever
 * order they are read. They are hashed as they pass on their way into memory; rows that stay mapped when somebody first
 * asks. */
#ifndef HLMI_WEIGHTS_FINGERPRINT_H
#define HLMI_WEIGHTS_FINGERPRINT_H

#include <stddef.h>
#include <stdint.h>

#include "base/lock.h"
#include "base/mem.h"

struct hlmi_store;
struct hlmi_tensor;

/** Consecutive rows of a tensor, as in the file. */
typedef struct hlmi_hashed_rows {
    uint64_t key; /* the tensor's */
    uint64_t first; /* counted through the whole tensor */
    const void *data;
    size_t n, bytes; /* bytes of a row */
} hlmi_hashed_rows;

typedef uint64_t hlmi_hash_fn(const void *x, size_t n, uint64_t seed);

typedef struct hlmi_fingerprint {
    hlmi_hash_fn *hash;
    hlmi_mem mem;
    hlmi_lock lock; /* guards what follows once the model is loaded */
    uint64_t weights, settings;
    hlmi_hashed_rows *noted;
    size_t n_noted, cap_noted;
} hlmi_fingerprint;

void hlmi_fingerprint_init(hlmi_fingerprint *f, hlmi_hash_fn *hash, const hlmi_mem *mem);
/** Of a zeroed one, too. */
void hlmi_fingerprint_free(hlmi_fingerprint *f);

/** A number for a tensor's name, type and shape, and the type that its rows are quantised to at load (NULL: none). */
uint64_t hlmi_fingerprint_key(const hlmi_fingerprint *f, const struct hlmi_tensor *t, const char *quantised);
void hlmi_fingerprint_add(hlmi_fingerprint *f, const hlmi_hashed_rows *rows);
/** The same later, of rows that stay where they are as long as the model lives. */
hlm_status hlmi_fingerprint_note(hlmi_fingerprint *f, const hlmi_hashed_rows *rows);
/** The store's config.json, or of a GGUF file the settings of the architecture. */
hlm_status hlmi_fingerprint_settings(hlmi_fingerprint *f, const struct hlmi_store *store, const char *arch);

/** The first call reads what was noted. Any thread. */
void hlmi_fingerprint_get(hlmi_fingerprint *f, uint64_t out[2]);

#endif
