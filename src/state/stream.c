/* Blocks with checksums to and from memory, files and functions. */
#include "state/stream.h"

#include <string.h>

#include "base/host.h"
#include "base/size.h"

enum {
    BUFFER = 64 << 10, /* small blocks are gathered in it */
    PIECE = 256 << 10 /* of a large one: still in the second cache when it has been hashed */
};

/* ---- out ---- */

hlm_status hlmi_outlet_open(hlmi_outlet *o, const hlmi_mem *mem)
{
    if (o->memory) return HLM_OK;
    o->buffer = hlmi_alloc(mem, BUFFER);
    return o->buffer ? HLM_OK : hlmi_nomem(BUFFER, o->name);
}

void hlmi_outlet_close(hlmi_outlet *o, const hlmi_mem *mem)
{
    hlmi_free(mem, o->buffer);
    o->buffer = NULL;
}

/* To the other side, which is not memory. */
static hlm_status put(hlmi_outlet *o, const void *data, size_t n)
{
    if (n == 0) return HLM_OK;
    if (o->writer) {
        int32_t rc;
        HLMI_HOST(rc = o->writer->write(o->writer->user, data, n));
        return rc == 0 ? HLM_OK : hlmi_fail(HLM_E_IO, "%s: the writer returned %d", o->name, (int)rc);
    }
    const int rc = hlmi_os_save_write(o->file, data, n);
    if (rc == 0) return HLM_OK;
    return hlmi_fail(HLM_E_IO, "%s: writing %zu bytes failed: %s", o->name, n, hlmi_os_reason(rc).s);
}

hlm_status hlmi_outlet_flush(hlmi_outlet *o)
{
    const size_t n = o->used;
    o->used = 0;
    return put(o, o->buffer, n);
}

static hlm_status gather(hlmi_outlet *o, const void *data, size_t n)
{
    HLMI_DO(n > BUFFER - o->used ? hlmi_outlet_flush(o) : HLM_OK);
    if (n) memcpy(o->buffer + o->used, data, n);
    o->used += n;
    return HLM_OK;
}

static hlm_status send(hlmi_outlet *o, const char *data, size_t n)
{
    hlm_status st = HLM_OK;
    if (n <= BUFFER) {
        o->sum = o->kernels->hash(data, n, o->sum);
        return gather(o, data, n);
    }
    st = hlmi_outlet_flush(o);
    while (n && st == HLM_OK) {
        const size_t m = hlmi_min_size(n, PIECE);
        o->sum = o->kernels->hash(data, m, o->sum);
        st = put(o, data, m);
        data += m;
        n -= m;
    }
    return st;
}

hlm_status hlmi_outlet_block(hlmi_outlet *o, const void *data, size_t n)
{
    if (o->memory) {
        if (o->past_cache) {
            o->sum = o->kernels->hash_copy(o->memory, data, n, o->sum);
        } else {
            o->sum = o->kernels->hash(data, n, o->sum);
            if (n) memcpy(o->memory, data, n);
        }
        memcpy(o->memory + n, &o->sum, sizeof o->sum);
        o->memory += n + sizeof o->sum;
        return HLM_OK;
    }
    const hlm_status st = send(o, data, n);
    return st == HLM_OK ? gather(o, &o->sum, sizeof o->sum) : st;
}

/* ---- in ---- */

hlm_status hlmi_inlet_open(hlmi_inlet *in, const hlmi_mem *mem)
{
    if (in->memory) return HLM_OK;
    in->buffer = hlmi_alloc(mem, BUFFER);
    return in->buffer ? HLM_OK : hlmi_nomem(BUFFER, in->name);
}

void hlmi_inlet_close(hlmi_inlet *in, const hlmi_mem *mem)
{
    hlmi_free(mem, in->buffer);
    in->buffer = NULL;
}

/* Up to `cap` bytes from the other side, at least one; *n: how many. Not from memory. */
static hlm_status get(hlmi_inlet *in, void *out, size_t cap, size_t *n)
{
    if (in->file) {
        *n = cap;
        const int rc = hlmi_os_read_at(in->file, in->at, out, cap);
        if (rc != 0)
            return hlmi_fail(HLM_E_IO, "%s: reading %zu bytes at %llu failed: %s", in->name, cap,
                             (unsigned long long)in->at, hlmi_os_reason(rc).s);
    } else {
        *n = 0;
        int32_t rc;
        HLMI_HOST(rc = in->reader->read(in->reader->user, out, cap, n));
        if (rc != 0) return hlmi_fail(HLM_E_IO, "%s: the reader returned %d", in->name, (int)rc);
        if (*n > cap) return hlmi_fail(HLM_E_IO, "%s: the reader gave %zu bytes, asked for %zu", in->name, *n, cap);
        if (*n == 0) return hlmi_fail(HLM_E_FORMAT, "%s: cut off at byte %llu", in->name, (unsigned long long)in->at);
    }
    in->at += *n;
    return HLM_OK;
}

/* Exactly n bytes, which lie before in->end. */
static hlm_status take(hlmi_inlet *in, char *out, size_t n)
{
    while (n) {
        hlm_status st;
        size_t m = hlmi_min_size(n, in->have - in->used);
        memcpy(out, in->buffer + in->used, m);
        in->used += m;
        out += m;
        n -= m;
        if (n == 0) return HLM_OK;
        if (n >= BUFFER) {
            st = get(in, out, n, &m);
            out += m;
            n -= m;
        } else {
            in->used = in->have = 0;
            const uint64_t left = in->end - in->at;
            st = get(in, in->buffer, left < BUFFER ? (size_t)left : BUFFER, &in->have);
        }
        if (st != HLM_OK) return st;
    }
    return HLM_OK;
}

/* Are the next n bytes inside the snapshot? */
static bool inside(const hlmi_inlet *in, size_t n)
{
    return n <= in->end - in->at + (in->have - in->used);
}

static hlm_status check_sum(hlmi_inlet *in, uint64_t found)
{
    if (found == in->sum) return HLM_OK;
    return hlmi_fail(HLM_E_FORMAT, "%s: damaged before byte %llu (a checksum is wrong)", in->name,
                     (unsigned long long)(in->at - (in->have - in->used)));
}

static hlm_status block_from_memory(hlmi_inlet *in, void *out, size_t n)
{
    const char *data = in->memory + in->at;
    uint64_t found;
    if (out && in->past_cache) {
        in->sum = in->kernels->hash_copy(out, data, n, in->sum);
    } else {
        in->sum = in->kernels->hash(data, n, in->sum);
        if (out) memcpy(out, data, n);
    }
    memcpy(&found, data + n, sizeof found);
    in->at += n + sizeof found;
    return check_sum(in, found);
}

static hlm_status read_block(hlmi_inlet *in, char *out, size_t n)
{
    size_t m;
    hlm_status st = HLM_OK;
    for (; n && st == HLM_OK; out += m, n -= m) {
        m = hlmi_min_size(n, PIECE);
        st = take(in, out, m);
        if (st == HLM_OK) in->sum = in->kernels->hash(out, m, in->sum);
    }
    uint64_t found = 0;
    if (st == HLM_OK) st = take(in, (char *)&found, sizeof found);
    return st == HLM_OK ? check_sum(in, found) : st;
}

/* A block that goes nowhere, through the stack in whole pieces of the checksum. */
static hlm_status pass_block(hlmi_inlet *in, size_t n)
{
    char piece[HLMI_HASH_PIECE];
    hlm_status st = HLM_OK;
    for (size_t m; n && st == HLM_OK; n -= m) {
        m = hlmi_min_size(n, sizeof piece);
        st = take(in, piece, m);
        if (st == HLM_OK) in->sum = in->kernels->hash(piece, m, in->sum);
    }
    uint64_t found = 0;
    if (st == HLM_OK) st = take(in, (char *)&found, sizeof found);
    return st == HLM_OK ? check_sum(in, found) : st;
}

static hlm_status check_room(const hlmi_inlet *in, size_t n)
{
    size_t all;
    if (hlmi_add_size(n, HLMI_BLOCK_SUM, &all) && inside(in, all)) return HLM_OK;
    return hlmi_fail(HLM_E_FORMAT, "%s: cut off at byte %llu", in->name, (unsigned long long)in->end);
}

hlm_status hlmi_inlet_block(hlmi_inlet *in, void *out, size_t n)
{
    HLMI_DO(check_room(in, n));
    return in->memory ? block_from_memory(in, out, n) : read_block(in, out, n);
}

hlm_status hlmi_inlet_skip(hlmi_inlet *in, size_t n)
{
    HLMI_DO(check_room(in, n));
    return in->memory ? block_from_memory(in, NULL, n) : pass_block(in, n);
}

hlmi_looks hlmi_inlet_looks(const hlmi_inlet *in)
{
    char buf[HLMI_LOOKS_HEAD];
    const size_t n = in->end < sizeof buf ? (size_t)in->end : sizeof buf;
    if (in->memory) return hlmi_looks_like(in->memory, n, in->end);
    if (!in->file || hlmi_os_read_at(in->file, 0, buf, n) != 0) return (hlmi_looks){HLMI_LOOK_UNKNOWN, ""};
    return hlmi_looks_like(buf, n, in->end);
}
