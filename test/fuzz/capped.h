/* An allocator for fuzz targets: counts blocks and bytes, and refuses what goes over a cap. For one thread. */
#ifndef TEST_FUZZ_CAPPED_H
#define TEST_FUZZ_CAPPED_H

#include <hybridlm/hybridlm.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

typedef struct capped {
    size_t live, bytes, cap; /* blocks, and their bytes */
    bool refused; /* since it was last set to false */
} capped;

typedef struct capped_block {
    void *base;
    size_t size;
} capped_block;

static inline void *capped_alloc(void *user, size_t size, size_t align)
{
    capped *c = user;
    const size_t room =
        align < sizeof(capped_block) ? sizeof(capped_block) : align; /* in front, and keeps it aligned */
    void *base = NULL;
    if (c->bytes > c->cap || size > c->cap - c->bytes || posix_memalign(&base, room, room + size) != 0) {
        c->refused = true;
        return NULL;
    }
    c->live++;
    c->bytes += size;
    char *p = (char *)base + room;
    const capped_block b = {base, size};
    memcpy(p - sizeof b, &b, sizeof b);
    return p;
}

static inline void capped_free(void *user, void *p)
{
    capped *c = user;
    capped_block b;
    memcpy(&b, (char *)p - sizeof b, sizeof b);
    c->live--;
    c->bytes -= b.size;
    free(b.base);
}

static inline hlm_allocator capped_allocator(capped *c)
{
    return (hlm_allocator){.struct_size = sizeof(hlm_allocator), .user = c, .alloc = capped_alloc, .free = capped_free};
}

#endif
