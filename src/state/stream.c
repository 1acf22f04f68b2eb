/* Blocks with checksums to and from memory, files and functions. */
#include "state/stream.h"

#include <string.h>

#include "base/host.h"
#include "base/size.h"
#include "base/vfs.h"

enum {
    BUFFER = 64 << 10, /* small blocks are gathered in it */
    PIECE = 256 << 10 /* of a large one: still in the second cache when it has been hashed */
};

/* ---- opening ---- */

static hlm_status open_new(hlmi_stream *s)
{
    const int rc = hlmi_os_save_begin(s->name, &s->saving);
    if (rc == 0) return HLM_OK;
    return hlmi_fail(HLM_E_IO, "%s: can not be written: %s%s%s", s->name,
                     hlmi_os_kind(rc) == HLMI_OS_MISSING ? "no such folder (" : "", hlmi_os_reason(rc).s,
                     hlmi_os_kind(rc) == HLMI_OS_MISSING ? ")" : "");
}

static hlm_status open_old(hlmi_stream *s)
{
    const int rc = hlmi_os_open(s->name, &s->file);
    s->missing = hlmi_os_kind(rc) == HLMI_OS_MISSING || hlmi_os_kind(rc) == HLMI_OS_DANGLING;
    if (rc != 0) return hlmi_fail_open(s->name, rc);
    s->end = hlmi_os_size(s->file);
    return HLM_OK;
}

hlm_status hlmi_stream_open(hlmi_stream *s)
{
    if (s->memory) return HLM_OK;
    if (!s->writer && !s->reader) HLMI_DO(s->out ? open_new(s) : open_old(s));
    s->buffer = hlmi_alloc(s->mem, BUFFER);
    return s->buffer ? HLM_OK : hlmi_nomem(BUFFER, s->name);
}

/* ---- out ---- */

/* To the other side, which is not memory. */
static hlm_status put(hlmi_stream *s, const void *data, size_t n)
{
    if (n == 0) return HLM_OK;
    if (s->writer) {
        int32_t rc;
        HLMI_HOST(rc = s->writer->write(s->writer->user, data, n));
        return rc == 0 ? HLM_OK : hlmi_fail(HLM_E_IO, "%s: the writer returned %d", s->name, (int)rc);
    }
    const int rc = hlmi_os_save_write(s->saving, data, n);
    if (rc == 0) return HLM_OK;
    return hlmi_fail(HLM_E_IO, "%s: writing %zu bytes failed: %s", s->name, n, hlmi_os_reason(rc).s);
}

/* What was gathered goes on its way. */
static hlm_status flush(hlmi_stream *s)
{
    const size_t n = s->used;
    s->used = 0;
    return put(s, s->buffer, n);
}

static hlm_status gather(hlmi_stream *s, const void *data, size_t n)
{
    HLMI_DO(n > BUFFER - s->used ? flush(s) : HLM_OK);
    if (n) memcpy(s->buffer + s->used, data, n);
    s->used += n;
    return HLM_OK;
}

static hlm_status write_block(hlmi_stream *s, const char *data, size_t n)
{
    const bool small = n <= BUFFER;
    if (!small) HLMI_DO(flush(s));
    for (size_t m; n; data += m, n -= m) {
        m = hlmi_min_size(n, PIECE);
        s->sum = s->kernels->hash(data, m, s->sum);
        HLMI_DO(small ? gather(s, data, m) : put(s, data, m));
    }
    return gather(s, &s->sum, sizeof s->sum);
}

/* ---- in ---- */

/* Up to `cap` bytes from the other side, at least one; *n: how many. Not from memory. */
static hlm_status get(hlmi_stream *s, void *out, size_t cap, size_t *n)
{
    if (s->file) {
        *n = cap;
        const int rc = hlmi_os_read_at(s->file, s->at, out, cap);
        if (rc != 0)
            return hlmi_fail(HLM_E_IO, "%s: reading %zu bytes at %llu failed: %s", s->name, cap,
                             (unsigned long long)s->at, hlmi_os_reason(rc).s);
    } else {
        *n = 0;
        int32_t rc;
        HLMI_HOST(rc = s->reader->read(s->reader->user, out, cap, n));
        if (rc != 0) return hlmi_fail(HLM_E_IO, "%s: the reader returned %d", s->name, (int)rc);
        if (*n > cap) return hlmi_fail(HLM_E_IO, "%s: the reader gave %zu bytes, asked for %zu", s->name, *n, cap);
        if (*n == 0) return hlmi_fail(HLM_E_FORMAT, "%s: cut off at byte %llu", s->name, (unsigned long long)s->at);
    }
    s->at += *n;
    return HLM_OK;
}

/* Exactly n bytes, which lie before s->end. */
static hlm_status take(hlmi_stream *s, char *out, size_t n)
{
    while (n) {
        size_t m = hlmi_min_size(n, s->have - s->used);
        memcpy(out, s->buffer + s->used, m);
        s->used += m;
        out += m;
        n -= m;
        if (n >= BUFFER) {
            HLMI_DO(get(s, out, n, &m));
            out += m;
            n -= m;
        } else if (n) {
            s->used = s->have = 0;
            const uint64_t left = s->end - s->at;
            HLMI_DO(get(s, s->buffer, left < BUFFER ? (size_t)left : BUFFER, &s->have));
        }
    }
    return HLM_OK;
}

static hlm_status check_sum(const hlmi_stream *s, uint64_t found)
{
    if (found == s->sum) return HLM_OK;
    return hlmi_fail(HLM_E_FORMAT, "%s: damaged before byte %llu (a checksum is wrong)", s->name,
                     (unsigned long long)(s->at - (s->have - s->used)));
}

/* What nobody needs goes through the stack, in whole pieces of the checksum. */
static hlm_status read_block(hlmi_stream *s, char *data, size_t n)
{
    char piece[HLMI_HASH_PIECE];
    uint64_t found = 0;
    for (size_t m; n; n -= m) {
        char *to = data ? data : piece;
        m = hlmi_min_size(n, data ? PIECE : sizeof piece);
        HLMI_DO(take(s, to, m));
        s->sum = s->kernels->hash(to, m, s->sum);
        if (data) data += m;
    }
    HLMI_DO(take(s, (char *)&found, sizeof found));
    return check_sum(s, found);
}

/* ---- blocks ---- */

/* A block in memory, which has room for it. */
static hlm_status memory_block(hlmi_stream *s, void *data, size_t n)
{
    char *there = s->memory + s->at;
    void *to = s->out ? there : data;
    const void *from = s->out ? data : there;
    uint64_t found;
    if (to && s->past_cache) {
        s->sum = s->kernels->hash_copy(to, from, n, s->sum);
    } else {
        s->sum = s->kernels->hash(from, n, s->sum);
        if (to && n) memcpy(to, from, n);
    }
    if (s->out) memcpy(there + n, &s->sum, sizeof s->sum);
    memcpy(&found, there + n, sizeof found);
    s->at += n + sizeof found;
    return check_sum(s, found);
}

/* Is the next block of n bytes inside the snapshot? */
static bool inside(const hlmi_stream *s, size_t n)
{
    const uint64_t left = s->end - s->at + (s->have - s->used);
    return left >= HLMI_BLOCK_SUM && n <= left - HLMI_BLOCK_SUM;
}

hlm_status hlmi_stream_block(hlmi_stream *s, void *data, size_t n)
{
    if (!s->out && !inside(s, n))
        return hlmi_fail(HLM_E_FORMAT, "%s: cut off at byte %llu", s->name, (unsigned long long)s->end);
    if (s->memory) return memory_block(s, data, n);
    return s->out ? write_block(s, data, n) : read_block(s, data, n);
}

hlmi_looks hlmi_stream_looks(const hlmi_stream *s)
{
    char buf[HLMI_LOOKS_HEAD];
    const size_t n = s->end < sizeof buf ? (size_t)s->end : sizeof buf;
    if (s->memory) return hlmi_looks_like(s->memory, n, s->end);
    if (!s->file || hlmi_os_read_at(s->file, 0, buf, n) != 0) return (hlmi_looks){HLMI_LOOK_UNKNOWN, ""};
    return hlmi_looks_like(buf, n, s->end);
}

/* ---- closing ---- */

static hlm_status commit(hlmi_stream *s)
{
    const int rc = hlmi_os_save_commit(s->saving, &s->done);
    if (rc == 0) return HLM_OK;
    return hlmi_fail(HLM_E_IO, "%s:%s can not be brought to the disk: %s", s->name,
                     s->done ? " written, but its folder" : "", hlmi_os_reason(rc).s);
}

hlm_status hlmi_stream_close(hlmi_stream *s, hlm_status st)
{
    if (st == HLM_OK && s->out && s->buffer) st = flush(s);
    hlmi_free(s->mem, s->buffer);
    if (s->file) hlmi_os_close(s->file);
    if (!s->saving) return st;
    if (st == HLM_OK) return commit(s);
    hlmi_os_save_abort(s->saving);
    return st;
}
