/* Memory that nobody has written yet. The system puts pages behind it as they are written, which takes time: on a
 * virtual machine we have measured 9 ms for a large page of 2 MB, and 17 us for a small one. Who must stop in time
 * writes it first, a few small pages at once. */
#ifndef HLMI_BASE_FRESH_H
#define HLMI_BASE_FRESH_H

#include "base/mem.h"

#include <stdbool.h>
#include <stdint.h>

/** What a block lacks. All 0: nothing, or nobody knows. */
typedef struct hlmi_fresh {
    size_t size; /* of the block */
    size_t at; /* has pages up to here */
} hlmi_fresh;

/** A block from hlmi_alloc. */
static inline hlmi_fresh hlmi_fresh_block(size_t size)
{
    return (hlmi_fresh){.size = size};
}

/** Gives a block pages until `until` (hlmi_os_now), a few at least. True: it has them all. What was written in it
 *  stays, and nobody else uses it meanwhile. */
bool hlmi_fresh_touch(hlmi_fresh *f, void *block, const hlmi_mem *mem, uint64_t until);

#endif
