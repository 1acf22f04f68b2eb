/* What tells one model from another in a snapshot: a number made of its weights and one made of the settings that shape its
 * numbers. Weights are hashed while they are tiled, as they pass through the cache anyway; tables that stay in the file's form
 * (embeddings) are hashed when somebody first asks. The order in which tensors, or their parts, are read does not matter. */
#ifndef HLMI_ARCH_FINGERPRINT_H
#define HLMI_ARCH_FINGERPRINT_H

#include "base/lock.h"
#include "kernel/kernel.h"
#include "weights/store.h"

enum { HLMI_LATE_TABLES = 4 };

/** Rows of a tensor that stay where they are. */
typedef struct hlmi_late_table {
    uint64_t key;
    const uint8_t *data;
    size_t rows, row_bytes;
} hlmi_late_table;

typedef struct hlmi_fingerprint {
    uint64_t (*hash)(const void *x, size_t n, uint64_t seed);
    hlmi_lock lock; /* guards what follows once the model is loaded */
    uint64_t weights, settings;
    hlmi_late_table late[HLMI_LATE_TABLES];
    size_t n_late;
} hlmi_fingerprint;

void hlmi_fingerprint_init(hlmi_fingerprint *f, const hlmi_kernels *kernels);

/** A number for a tensor's name, type and shape. */
uint64_t hlmi_fingerprint_key(const hlmi_fingerprint *f, const hlmi_tensor *t);
/** A row of the tensor's file has been read. */
void hlmi_fingerprint_row(hlmi_fingerprint *f, uint64_t key, uint64_t row, const void *data, size_t bytes);
/** The rows of a tensor that stay readable as long as the model lives. */
void hlmi_fingerprint_table(hlmi_fingerprint *f, const hlmi_late_table *table);
/** The store's config.json, or of a GGUF file the settings of the architecture. */
hlm_status hlmi_fingerprint_settings(hlmi_fingerprint *f, const hlmi_store *store, const hlmi_mem *mem,
                                     const char *arch);

/** Any thread. */
void hlmi_fingerprint_get(hlmi_fingerprint *f, uint64_t out[2]);

#endif
