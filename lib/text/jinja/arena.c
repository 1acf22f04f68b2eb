/* Chunks that double in size, so that a small template stays small. */
#include "text/jinja/arena.h"

#include "base/size.h"

enum { ARENA_ALIGN = 8, CHUNK_MIN = 8 << 10, CHUNK_MAX = 1 << 20 };

struct hlmi_arena_chunk {
    hlmi_arena_chunk *next;
    size_t size;
};

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

static bool add_chunk(hlmi_arena *a, size_t n)
{
    const size_t head = hlmi_round_up(sizeof(hlmi_arena_chunk), ARENA_ALIGN);
    const size_t last = a->head ? a->head->size : CHUNK_MIN / 2;
    size_t size = hlmi_max_size(hlmi_min_size(last * 2, CHUNK_MAX), n + head);
    if (size > a->max - a->used) size = n + head;
    if (size > a->max - a->used) {
        a->past_max = true;
        return false;
    }
    hlmi_arena_chunk *c = hlmi_alloc(&a->mem, size);
    if (!c) {
        a->past_max = false;
        return false;
    }
    *c = (hlmi_arena_chunk){.next = a->head, .size = size};
    a->head = c;
    a->used += size;
    a->at = (char *)c + head;
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
