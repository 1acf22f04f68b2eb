/* Lookup by name in an array of structs whose first member is `const char *name`. The order is kept beside the array: a
 * sorted list, because its worst case does not depend on who chose the names. */
#ifndef HLMI_WEIGHTS_INDEX_H
#define HLMI_WEIGHTS_INDEX_H

#include <stdbool.h>

#include "base/mem.h"

typedef struct hlmi_index {
    const void *items; /* [n] of `stride` bytes, as long as it is used */
    size_t stride;
    uint32_t *order; /* [n] indices of items, by name */
    size_t n;
} hlmi_index;

/** a comes before b (indices of items). */
typedef bool hlmi_before_fn(const void *user, uint32_t a, uint32_t b);

/** 0 .. n-1 in ascending order; equal ones keep theirs. *order is the caller's to free (NULL for n = 0). */
hlm_status hlmi_sorted(uint32_t **order, const hlmi_mem *mem, size_t n, hlmi_before_fn *before, const void *user);

/** HLM_E_FORMAT names one that is there twice; `what` it is. */
hlm_status hlmi_index_build(hlmi_index *x, const hlmi_mem *mem, const void *items, size_t stride, size_t n,
                            const char *what);
/** The item of that name, or NULL. */
const void *hlmi_index_find(const hlmi_index *x, const char *name);
void hlmi_index_free(hlmi_index *x, const hlmi_mem *mem);

#endif
