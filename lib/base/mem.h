/* Memory through the caller's allocator. Every object keeps a copy of the hlmi_mem it was made with and frees itself
 * through it. Blocks are aligned to HLMI_ALIGN bytes. */
#ifndef HLMI_BASE_MEM_H
#define HLMI_BASE_MEM_H

#include "base/status.h"

enum { HLMI_ALIGN = 64 };

typedef struct hlmi_mem {
    void *user;
    void *(*alloc)(void *user, size_t size, size_t align);
    void (*free)(void *user, void *ptr);
} hlmi_mem;

/** Bytes that somebody else owns; not ended by 0. */
typedef struct hlmi_str {
    const char *s;
    size_t len;
} hlmi_str;

/** The C library's memory. */
hlmi_mem hlmi_mem_default(void);

/** The caller's allocator, or the C library's for NULL.
 *  HLM_E_ARG when a function is missing or the struct is too small. */
hlm_status hlmi_mem_from(hlmi_mem *mem, const hlm_allocator *a);

/** `size` bytes, or NULL (also for size 0, and without an error sentence). */
void *hlmi_alloc(const hlmi_mem *mem, size_t size);

/** n * size zeroed bytes, or NULL; the product is checked. */
void *hlmi_calloc(const hlmi_mem *mem, size_t n, size_t size);

/** A block of new_size with the first min(old_size, new_size) bytes of p, which is freed; NULL leaves p alone. p may be
 *  NULL when old_size is 0. */
void *hlmi_realloc(const hlmi_mem *mem, void *p, size_t old_size, size_t new_size);

/** p may be NULL. */
void hlmi_free(const hlmi_mem *mem, void *p);

/** Copy of n bytes with a 0 behind them, or NULL. */
char *hlmi_strndup(const hlmi_mem *mem, const char *s, size_t n);

/** Grow an array, a pointer to items of which there is room for `cap`, to at least `need` items, by half at a time.
 *  HLM_E_NOMEM leaves both as they were. */
#define HLMI_GROW(mem, array, cap, need, what) hlmi_grow(mem, &(array), &(cap), need, sizeof *(array), what)
/** array: where the pointer is. */
hlm_status hlmi_grow(const hlmi_mem *mem, void *array, size_t *cap, size_t need, size_t item_size, const char *what);

#endif
