/* Memory of one template or one rendering: allocations are never freed singly, the whole arena goes at once. `max`
 * bounds what hostile input can take. */
#ifndef HLMI_JINJA_ARENA_H
#define HLMI_JINJA_ARENA_H

#include <stdbool.h>

#include "base/mem.h"

typedef struct hlmi_arena_chunk hlmi_arena_chunk;

typedef struct hlmi_arena {
    hlmi_mem mem;
    hlmi_arena_chunk *head;
    char *at, *end; /* free part of the newest chunk */
    size_t used, max; /* bytes taken from mem, and their bound */
    bool past_max; /* the latest failure was the bound, not the allocator */
    bool shadowed; /* every byte has a shadow byte (see trust.h), at first 0; set before the first allocation */
} hlmi_arena;

void hlmi_arena_init(hlmi_arena *a, const hlmi_mem *mem, size_t max);
void hlmi_arena_free(hlmi_arena *a);
/** n bytes aligned to 8 (n may be 0), or NULL. */
void *hlmi_arena_alloc(hlmi_arena *a, size_t n);
/** Grow the newest allocation p from `old` to n bytes in place; false when something lies behind it. */
bool hlmi_arena_extend(hlmi_arena *a, const void *p, size_t old, size_t n);
/** Does p point into the arena? */
bool hlmi_arena_has(const hlmi_arena *a, const char *p);
/** The shadow of the byte at p, NULL when p lies elsewhere. Only of shadowed arenas. */
char *hlmi_arena_shadow(const hlmi_arena *a, const char *p);

#endif
