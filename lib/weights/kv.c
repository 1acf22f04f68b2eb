/* Reading GGUF settings. The container has checked that every value lies inside the file. */
#include <string.h>

#include "weights/store_impl.h"

size_t hlmi_kv_size(uint64_t type)
{
    static const uint8_t sizes[] = {
        [HLMI_KV_U8] = 1,  [HLMI_KV_I8] = 1,  [HLMI_KV_BOOL] = 1, [HLMI_KV_U16] = 2,
        [HLMI_KV_I16] = 2, [HLMI_KV_U32] = 4, [HLMI_KV_I32] = 4,  [HLMI_KV_F32] = 4,
        [HLMI_KV_U64] = 8, [HLMI_KV_I64] = 8, [HLMI_KV_F64] = 8,
    };
    return type < sizeof sizes ? sizes[type] : 0;
}

uint64_t hlmi_load_le(const uint8_t *p, size_t n)
{
    uint64_t v = 0;
    while (n--) v = v << 8 | p[n];
    return v;
}

/* The bits of item i and their type; false when there is no such number. */
static bool number_at(const hlmi_kv *kv, uint64_t i, hlmi_kv_type *type, uint64_t *bits)
{
    *type = kv->type == HLMI_KV_ARRAY ? kv->item : kv->type;
    const size_t size = hlmi_kv_size(*type);
    if (size == 0 || i >= kv->count) return false;
    *bits = hlmi_load_le(kv->data + i * size, size);
    return true;
}

uint64_t hlmi_kv_bits(const hlmi_kv *kv, uint64_t i)
{
    hlmi_kv_type type;
    uint64_t bits;
    return number_at(kv, i, &type, &bits) ? bits : 0;
}

static double float_value(hlmi_kv_type type, uint64_t bits)
{
    if (type == HLMI_KV_F32) {
        const uint32_t low = (uint32_t)bits;
        float f;
        memcpy(&f, &low, sizeof f);
        return (double)f;
    }
    double d;
    memcpy(&d, &bits, sizeof d);
    return d;
}

bool hlmi_kv_i64(const hlmi_kv *kv, uint64_t i, int64_t *out)
{
    hlmi_kv_type type;
    uint64_t bits;
    if (!kv || !number_at(kv, i, &type, &bits)) return false;
    switch (type) {
    case HLMI_KV_I8: *out = (int8_t)bits; return true;
    case HLMI_KV_I16: *out = (int16_t)bits; return true;
    case HLMI_KV_I32: *out = (int32_t)bits; return true;
    case HLMI_KV_I64: *out = (int64_t)bits; return true;
    case HLMI_KV_BOOL: *out = bits != 0; return true;
    case HLMI_KV_U8:
    case HLMI_KV_U16:
    case HLMI_KV_U32:
    case HLMI_KV_U64:
        if (bits > INT64_MAX) return false;
        *out = (int64_t)bits;
        return true;
    default: {
        const double d = float_value(type, bits);
        if (!(d >= -0x1p63 && d < 0x1p63) || (double)(int64_t)d != d) return false;
        *out = (int64_t)d;
        return true;
    }
    }
}

bool hlmi_kv_f64(const hlmi_kv *kv, uint64_t i, double *out)
{
    hlmi_kv_type type;
    uint64_t bits;
    int64_t whole;
    if (!kv || !number_at(kv, i, &type, &bits)) return false;
    if (type == HLMI_KV_F32 || type == HLMI_KV_F64) *out = float_value(type, bits);
    else if (hlmi_kv_i64(kv, i, &whole)) *out = (double)whole;
    else *out = (double)bits; /* u64 past int64 */
    return true;
}

bool hlmi_kv_next_string(const hlmi_kv *kv, size_t *cursor, const char **s, size_t *len)
{
    if (!kv || (kv->type == HLMI_KV_ARRAY ? kv->item : kv->type) != HLMI_KV_STRING) return false;
    if (*cursor > kv->bytes || kv->bytes - *cursor < 8) return false;
    const uint64_t n = hlmi_load_le(kv->data + *cursor, 8);
    if (n > kv->bytes - *cursor - 8) return false;
    *s = (const char *)kv->data + *cursor + 8;
    *len = (size_t)n;
    *cursor += 8 + (size_t)n;
    return true;
}

hlmi_str hlmi_kv_str(const hlmi_kv *kv)
{
    hlmi_str s = {NULL, 0};
    size_t cursor = 0;
    if (kv && kv->type == HLMI_KV_STRING) hlmi_kv_next_string(kv, &cursor, &s.s, &s.len);
    return s;
}

hlm_status hlmi_store_kv_text(const hlmi_store *s, const char *key, hlmi_str *out)
{
    const hlmi_kv *kv = hlmi_store_kv(s, key);
    *out = kv ? hlmi_kv_str(kv) : (hlmi_str){"", 0};
    return out->s ? HLM_OK : hlmi_fail(HLM_E_FORMAT, "%s: is no string", key);
}
