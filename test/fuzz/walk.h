/* What a fuzz target does with a store that opened: reads everything it offers and traps on a broken promise of
 * store.h. */
#ifndef TEST_FUZZ_WALK_H
#define TEST_FUZZ_WALK_H

#include "unit/memfs.h"
#include "weights/store.h"
#include "fuzz/promised.h"

/* Reads n bytes, so that a sanitizer sees those that are not there. */
static inline void walk_bytes(const void *p, size_t n)
{
    volatile uint8_t sum = 0;
    for (size_t i = 0; i < n; i++) sum = (uint8_t)(sum ^ ((const uint8_t *)p)[i]);
}

/* All bytes of t through the store, and the first row as floats. */
static inline void walk_tensor(const hlmi_store *s, const hlmi_tensor *t)
{
    const hlmi_type_info *info = hlmi_type_get(t->type);
    uint64_t row = 0, elements = 1;
    for (uint32_t i = 0; i < t->n_dims; i++) elements *= t->dims[i];
    PROMISED(t->n_dims >= 1 && t->n_dims <= HLMI_MAX_DIMS);
    PROMISED(hlmi_type_row_bytes(t->type, t->dims[t->n_dims - 1], &row));
    PROMISED(elements / info->block * info->bytes == t->bytes);
    PROMISED(hlmi_store_find(s, t->name) == t);
    uint8_t *buf = malloc((size_t)t->bytes + 1);
    const uint8_t *p = NULL;
    PROMISED(hlmi_store_read(s, t, 0, (size_t)t->bytes, buf, &p) == HLM_OK);
    walk_bytes(p, (size_t)t->bytes);
    if (info->dequantise && t->bytes) {
        const size_t cols = (size_t)t->dims[t->n_dims - 1];
        float *y = malloc(cols * sizeof *y);
        info->dequantise(y, p, cols);
        free(y);
    }
    PROMISED(hlmi_store_read(s, t, t->bytes, 1, buf, &p) == HLM_E_ARG);
    hlmi_store_drop(s, t, 0, t->bytes);
    free(buf);
}

/* Opens path in both modes, which agree on the status, and walks the tensors; `more` may look at the rest. */
static inline void walk(memfs *fs, const char *path, void (*more)(const hlmi_store *s))
{
    const hlmi_mem mem = hlmi_mem_default();
    hlm_status first = HLM_OK;
    for (int map = 0; map < 2; map++) {
        const hlmi_vfs vfs = memfs_vfs(fs, map);
        hlmi_store *s;
        const hlm_status st = hlmi_store_open(&s, &mem, &vfs, path, HLMI_STORE_MODEL);
        if (map == 0) first = st;
        PROMISED(st == first && (st == HLM_OK) == (s != NULL));
        PROMISED(st == HLM_OK || *hlmi_error());
        for (size_t i = 0; s && i < hlmi_store_count(s); i++) walk_tensor(s, hlmi_store_at(s, i));
        if (s) more(s);
        hlmi_store_close(s);
        PROMISED(fs->open == 0);
    }
    memfs_clear(fs);
}

#endif
