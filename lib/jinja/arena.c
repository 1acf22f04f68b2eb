/* Chunks that double in size, so that a small template stays small. */
#include "jinja/arena.h"

#include <stdint.h>

#include "base/size.h"

enum { ARENA_ALIGN = 8, CHUNK_MIN = 8 << 10, CHUNK_MAX = 1 << 20 };

struct hlmi_arena_chunk {
    hlmi_arena_chunk *next;
    size_t size; /* without the shadow, which lies behind */
};

#define HEAD hlmi_round_up(sizeof(hlmi_arena_chunk), ARENA_ALIGN)

void hlmi_arena_init(hlmi_arena *a, const hlmi_mem *mem, size_t max)
{
    *a = (hlmi_arena){.mem = *mem, .max = max};
}

void hlmi_arena_free(hlmi_arena *a)
{
    for (hlmi_arena_chunk *c = a->head; c;) {
        hlmi_arena_chunk *next = c->next;
        hlmi_free(&a->mem, c);
        c = next;
    }
    hlmi_arena_init(a, &a->mem, a->max);
}

/* Bytes of the next chunk, which must hold n; 0 when the bound does not allow it. The chunks of a shadowed arena double
 * without end and the last one takes what is left, so that there are few to search. */
static size_t chunk_size(const hlmi_arena *a, size_t n)
{
    const size_t left = a->max - a->used, last = a->head ? a->head->size : CHUNK_MIN / 2;
    const size_t wish = hlmi_max_size(a->shadowed ? last * 2 : hlmi_min_size(last * 2, CHUNK_MAX), n);
    if (wish <= left) return wish;
    if (n > left) return 0;
    return a->shadowed ? left : n;
}

static bool add_chunk(hlmi_arena *a, size_t n)
{
    const size_t size = chunk_size(a, n + HEAD);
    a->past_max = size == 0;
    if (size == 0) return false;
    hlmi_arena_chunk *c = a->shadowed ? hlmi_calloc(&a->mem, 2, size) : hlmi_alloc(&a->mem, size);
    if (!c) return false;
    *c = (hlmi_arena_chunk){.next = a->head, .size = size};
    a->head = c;
    a->used += size;
    a->at = (char *)c + HEAD;
    a->end = (char *)c + size;
    return true;
}

void *hlmi_arena_alloc(hlmi_arena *a, size_t n)
{
    if (n > SIZE_MAX / 2) {
        a->past_max = true;
        return NULL;
    }
    n = hlmi_round_up(hlmi_max_size(n, 1), ARENA_ALIGN);
    if (n > (size_t)(a->end - a->at) && !add_chunk(a, n)) return NULL;
    void *p = a->at;
    a->at += n;
    return p;
}

bool hlmi_arena_extend(hlmi_arena *a, const void *p, size_t old, size_t n)
{
    if (!p || n > SIZE_MAX / 2) return false;
    const size_t had = hlmi_round_up(hlmi_max_size(old, 1), ARENA_ALIGN);
    const size_t need = hlmi_round_up(hlmi_max_size(n, 1), ARENA_ALIGN);
    if ((const char *)p + had != a->at || need < had) return false;
    if (need - had > (size_t)(a->end - a->at)) return false;
    a->at += need - had;
    return true;
}

static const hlmi_arena_chunk *chunk_of(const hlmi_arena *a, const char *p)
{
    const uintptr_t at = (uintptr_t)p;
    for (const hlmi_arena_chunk *c = a->head; c; c = c->next)
        if (at - (uintptr_t)c < c->size) return c;
    return NULL;
}

bool hlmi_arena_has(const hlmi_arena *a, const char *p)
{
    return chunk_of(a, p) != NULL;
}

char *hlmi_arena_shadow(const hlmi_arena *a, const char *p)
{
    const hlmi_arena_chunk *c = chunk_of(a, p);
    return c ? (char *)c + c->size + (p - (const char *)c) : NULL;
}
