/* The bytes of a snapshot on their way out or in. They go in blocks: a number of bytes that both sides know beforehand,
 * and a checksum behind them that also covers the checksum of the block before, so that a block can be neither changed
 * nor moved. Large blocks go straight between their place and the other side; small ones are gathered. */
#ifndef HLMI_STATE_STREAM_H
#define HLMI_STATE_STREAM_H

#include <stdbool.h>

#include "base/looks.h"
#include "base/mem.h"
#include "base/os.h"
#include "kernel/kernel.h"

/** Bytes that a block takes besides its own. */
enum { HLMI_BLOCK_SUM = sizeof(uint64_t) };

/** To or from memory, the caller's function, or else the file of a path, whose place a new one takes when it is
 *  whole. */
typedef struct hlmi_stream {
    const hlmi_kernels *kernels;
    const hlmi_mem *mem;
    const char *name; /* for sentences; a file's path */
    bool out;
    char *memory; /* or NULL */
    const hlm_writer *writer; /* or NULL */
    const hlm_reader *reader; /* or NULL */
    hlmi_os_saving *saving; /* or NULL */
    hlmi_os_file *file; /* or NULL */
    bool missing; /* there is no such file */
    bool done; /* the new file has taken its place, even if that is not on the disk (HLM_E_IO) */
    bool past_cache; /* what is copied to or from memory is larger than a cache */
    uint64_t at, end; /* of memory, and of what is read: bytes so far; all of them, as far as is known */
    uint64_t sum;
    char *buffer; /* bytes that were gathered; or that were read and not yet taken */
    size_t used, have;
} hlmi_stream;

/** hlmi_stream_close is for the caller, also when it fails. */
hlm_status hlmi_stream_open(hlmi_stream *s);
/** The next block, `data` [n], goes out, or is read; NULL: nobody needs what is read, but its checksum counts.
 *  HLM_E_FORMAT: it ends too early, or the checksum is wrong; `data` may have been written then. */
hlm_status hlmi_stream_block(hlmi_stream *s, void *data, size_t n);
/** What memory or a file looks like by its beginning. */
hlmi_looks hlmi_stream_looks(const hlmi_stream *s);
/** What was gathered goes on its way, and a new file takes its place, if all went well so far: `st` is HLM_OK. Returns
 *  st, or why that failed. */
hlm_status hlmi_stream_close(hlmi_stream *s, hlm_status st);

#endif
