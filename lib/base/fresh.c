/* Pages for memory that nobody has written. */
#include "base/fresh.h"

#include "base/os.h"
#include "base/size.h"

enum {
    SMALL_PAGE = 4096, /* or larger, on some machines: they are then written several times */
    BATCH = 8 * SMALL_PAGE /* between two looks at the clock */
};

static void touch(char *p, size_t from, size_t to)
{
    for (size_t i = from; i < to; i += SMALL_PAGE) {
        volatile char *c = p + i;
        *c = *c;
    }
}

bool hlmi_fresh_touch(hlmi_fresh *f, void *block, const hlmi_mem *mem, uint64_t until)
{
    const bool system = mem->alloc == hlmi_os_alloc;
    if (system && f->size && f->at == 0) hlmi_os_large_pages(block, f->size, false);
    while (f->at < f->size) {
        const size_t to = f->at + hlmi_min_size(BATCH, f->size - f->at);
        touch(block, f->at, to);
        f->at = to;
        if (to < f->size && hlmi_os_now() >= until) return false;
    }
    if (system && f->size) hlmi_os_large_pages(block, f->size, true);
    *f = (hlmi_fresh){0};
    return true;
}
