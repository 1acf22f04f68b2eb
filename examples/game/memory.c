/* The game's memory: counted. */
#include "game.h"

#include <stdatomic.h>
#include <stdlib.h>

static atomic_size_t blocks;

static void *alloc(void *user, size_t size, size_t align)
{
    (void)user;
    void *p = aligned_alloc(align, (size + align - 1) / align * align);
    if (p) atomic_fetch_add(&blocks, 1);
    return p;
}

static void give_back(void *user, void *p)
{
    (void)user;
    if (p) atomic_fetch_sub(&blocks, 1);
    free(p);
}

hlm_allocator memory_allocator(void)
{
    return (hlm_allocator){.struct_size = sizeof(hlm_allocator), .alloc = alloc, .free = give_back};
}

size_t memory_blocks(void)
{
    return atomic_load(&blocks);
}
