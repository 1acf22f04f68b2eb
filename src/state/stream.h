/* The bytes of a snapshot on their way out and in. They go in blocks: a number of bytes that both sides know
 * beforehand, and a checksum behind them that also covers the checksum of the block before, so that a block can be
 * neither changed nor moved. Large blocks go straight between their place and the other side; small ones are
 * gathered. */
#ifndef HLMI_STATE_STREAM_H
#define HLMI_STATE_STREAM_H

#include <stdbool.h>

#include "base/looks.h"
#include "base/mem.h"
#include "base/os.h"
#include "kernel/kernel.h"

/** Bytes that a block takes besides its own. */
enum { HLMI_BLOCK_SUM = sizeof(uint64_t) };

/** Where a snapshot goes to: memory, a file, or the caller's function. */
typedef struct hlmi_outlet {
    const hlmi_kernels *kernels;
    const char *name; /* for sentences */
    char *memory; /* or NULL */
    hlmi_os_saving *file; /* or NULL */
    const hlm_writer *writer; /* or NULL */
    bool past_cache; /* what is copied to memory is larger than a cache */
    uint64_t sum;
    char *buffer; /* of a file or function */
    size_t used;
} hlmi_outlet;

/** Where it comes from. */
typedef struct hlmi_inlet {
    const hlmi_kernels *kernels;
    const char *name;
    const char *memory; /* or NULL */
    hlmi_os_file *file; /* or NULL */
    const hlm_reader *reader; /* or NULL */
    bool past_cache;
    uint64_t at, end; /* bytes read; of the snapshot, as far as is known */
    uint64_t sum;
    char *buffer; /* bytes that were read and not yet taken */
    size_t used, have;
} hlmi_inlet;

/** Takes memory for the buffer, where one is needed. */
hlm_status hlmi_outlet_open(hlmi_outlet *o, const hlmi_mem *mem);
hlm_status hlmi_outlet_block(hlmi_outlet *o, const void *data, size_t n);
/** What was gathered goes on its way. */
hlm_status hlmi_outlet_flush(hlmi_outlet *o);
void hlmi_outlet_close(hlmi_outlet *o, const hlmi_mem *mem);

hlm_status hlmi_inlet_open(hlmi_inlet *in, const hlmi_mem *mem);
/** The next block into out [n]. HLM_E_FORMAT: it ends too early, or the checksum is wrong; out may have been written
 *  then. */
hlm_status hlmi_inlet_block(hlmi_inlet *in, void *out, size_t n);
/** The next block, which nobody needs; its checksum counts nevertheless. */
hlm_status hlmi_inlet_skip(hlmi_inlet *in, size_t n);
/** What memory or a file looks like by its beginning. */
hlmi_looks hlmi_inlet_looks(const hlmi_inlet *in);
void hlmi_inlet_close(hlmi_inlet *in, const hlmi_mem *mem);

#endif
