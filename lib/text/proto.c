/* Protocol Buffers' wire format. Every field begins with a varint (seven bits a byte, the lowest first) that holds its
 * number << 3 and its wire type. */
#include "text/proto.h"

#include <string.h>

static hlm_status cut_short(uint32_t number)
{
    return hlmi_fail(HLM_E_FORMAT, "field %u does not end within its message", number);
}

/* false when the bytes end first, or the number has more than 64 bits. */
static bool read_varint(hlmi_proto *m, uint64_t *out)
{
    uint64_t v = 0;
    for (unsigned shift = 0; m->p < m->end && shift < 64; shift += 7) {
        const uint8_t byte = (uint8_t)*m->p++;
        if (shift == 63 && byte > 1) return false;
        v |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) {
            *out = v;
            return true;
        }
    }
    return false;
}

/* n bytes, little-endian. */
static bool read_fixed(hlmi_proto *m, size_t n, uint64_t *out)
{
    if ((size_t)(m->end - m->p) < n) return false;
    *out = 0;
    for (size_t i = 0; i < n; i++) *out |= (uint64_t)(uint8_t)m->p[i] << (8 * i);
    m->p += n;
    return true;
}

static bool read_bytes(hlmi_proto *m, hlmi_str *out)
{
    uint64_t n;
    if (!read_varint(m, &n) || n > (uint64_t)(m->end - m->p)) return false;
    *out = (hlmi_str){m->p, (size_t)n};
    m->p += n;
    return true;
}

hlm_status hlmi_proto_next(hlmi_proto *m, hlmi_proto_field *f, bool *more)
{
    uint64_t tag;
    bool whole = false;
    *more = m->p < m->end;
    if (!*more) return HLM_OK;
    if (!read_varint(m, &tag)) return hlmi_fail(HLM_E_FORMAT, "a message ends within a field number");
    if (tag >> 3 == 0 || tag > UINT32_MAX)
        return hlmi_fail(HLM_E_FORMAT, "a field has the number %llu", (unsigned long long)(tag >> 3));
    f->number = (uint32_t)(tag >> 3);
    f->wire = (hlmi_wire)(tag & 7);
    switch (f->wire) {
    case HLMI_WIRE_VARINT: whole = read_varint(m, &f->value); break;
    case HLMI_WIRE_64: whole = read_fixed(m, 8, &f->value); break;
    case HLMI_WIRE_32: whole = read_fixed(m, 4, &f->value); break;
    case HLMI_WIRE_BYTES: whole = read_bytes(m, &f->bytes); break;
    default: return hlmi_fail(HLM_E_FORMAT, "field %u has the wire type %u", f->number, (unsigned)(tag & 7));
    }
    return whole ? HLM_OK : cut_short(f->number);
}

hlm_status hlmi_proto_put(const hlmi_proto_field *f, const hlmi_proto_want *want, void *out)
{
    static const hlmi_wire wires[] = {HLMI_WIRE_BYTES, HLMI_WIRE_VARINT, HLMI_WIRE_VARINT, HLMI_WIRE_32};
    void *to = (char *)out + want->at;
    const uint32_t bits = (uint32_t)f->value;
    const int64_t v = (int64_t)f->value; /* negative numbers are written with 64 bits */
    if (f->wire != wires[want->type])
        return hlmi_fail(HLM_E_FORMAT, "%s has the wire type %u, not %u", want->name, (unsigned)f->wire,
                         (unsigned)wires[want->type]);
    switch (want->type) {
    case HLMI_PROTO_BYTES: *(hlmi_str *)to = f->bytes; break;
    case HLMI_PROTO_BOOL: *(bool *)to = f->value != 0; break;
    case HLMI_PROTO_F32: memcpy(to, &bits, sizeof bits); break;
    case HLMI_PROTO_I32:
        if (v < INT32_MIN || v > INT32_MAX)
            return hlmi_fail(HLM_E_FORMAT, "%s is %lld, no 32-bit number", want->name, (long long)v);
        *(int32_t *)to = (int32_t)v;
        break;
    }
    return HLM_OK;
}

hlm_status hlmi_proto_read(hlmi_str message, const hlmi_proto_want *wants, void *out)
{
    hlmi_proto m = {message.s, message.s + message.len};
    hlmi_proto_field f;
    bool more;
    for (;;) {
        HLMI_DO(hlmi_proto_next(&m, &f, &more));
        if (!more) return HLM_OK;
        for (const hlmi_proto_want *w = wants; w->number; w++)
            if (w->number == f.number) HLMI_DO(hlmi_proto_put(&f, w, out));
    }
}
