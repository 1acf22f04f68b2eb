/* Random weights and their values. */
#include "weights.h"

#include <math.h>

#include "base/half.h"
#include "quant/unit.h"

const layout_form layout_forms[HLMI_LAYOUT_COUNT] = {
    {"f32", HLMI_LAYOUT_F32, 32, 1, 128},
    {"f16", HLMI_LAYOUT_F16, 32, 1, 64},
    {"bf16", HLMI_LAYOUT_BF16, 32, 2, 128},
    {"q4", HLMI_LAYOUT_Q4, 32, 32, sizeof(hlmi_unit_q4)},
    {"q4m", HLMI_LAYOUT_Q4M, 32, 32, sizeof(hlmi_unit_q4m)},
    {"q5m", HLMI_LAYOUT_Q5M, 32, 32, sizeof(hlmi_unit_q5m)},
    {"q8", HLMI_LAYOUT_Q8, 32, 32, sizeof(hlmi_unit_q8)},
    {"k4", HLMI_LAYOUT_K4, 16, 256, sizeof(hlmi_unit_k4)},
    {"k5", HLMI_LAYOUT_K5, 16, 256, sizeof(hlmi_unit_k5)},
    {"k4t", HLMI_LAYOUT_K4T, 16, 256, sizeof(hlmi_unit_k4t)},
    {"k6", HLMI_LAYOUT_K6, 16, 256, sizeof(hlmi_unit_k6)},
    {"s8", HLMI_LAYOUT_S8, 32, 32, sizeof(hlmi_unit_s8)},
    {"s8m", HLMI_LAYOUT_S8M, 32, 32, sizeof(hlmi_unit_s8m)},
    {"f8", HLMI_LAYOUT_F8, 32, 32, sizeof(hlmi_unit_f8)},
};

size_t weights_group_bytes(const layout_form *f, size_t cols)
{
    return (cols + f->unit_k - 1) / f->unit_k * f->unit_bytes;
}

static uint16_t scale(ck_run *t, weights_kind kind)
{
    static const float odd[] = {0.0f, -0.0f, 0x1p-24f, 0x1.8p-15f, -0x1p-14f, -3.5f, 65504.0f, -1e-3f};
    const float f = ck_uniform(t) * 0.02f;
    if (kind == WEIGHTS_FAULTY && ck_below(t, 64) == 0) return ck_below(t, 2) ? 0x7C00 : 0x7E01;
    if (kind >= WEIGHTS_SCALES && ck_below(t, 2) == 0) return hlmi_f32_to_f16(odd[ck_below(t, 8)]);
    return hlmi_f32_to_f16(f);
}

static void scales(ck_run *t, uint16_t *d, size_t n, weights_kind kind)
{
    for (size_t i = 0; i < n; i++) d[i] = scale(t, kind);
}

/* Integers of `bits` bits, all random or only the outermost. */
static uint8_t integer(ck_run *t, weights_kind kind, unsigned bits)
{
    const unsigned most = (1u << bits) - 1;
    if (kind != WEIGHTS_LARGEST) return (uint8_t)(ck_random(t) >> 40 & most);
    return (uint8_t)(ck_below(t, 8) ? most : 0);
}

static void nibbles(ck_run *t, uint8_t *q, size_t n, weights_kind kind)
{
    for (size_t i = 0; i < n; i++) q[i] = (uint8_t)(integer(t, kind, 4) | integer(t, kind, 4) << 4);
}

static uint32_t fifth_bits(ck_run *t, weights_kind kind)
{
    return kind == WEIGHTS_LARGEST ? ~0u : (uint32_t)ck_random(t);
}

static void signed_bytes(ck_run *t, int8_t *q, size_t n, weights_kind kind, unsigned bits)
{
    for (size_t i = 0; i < n; i++) q[i] = (int8_t)(integer(t, kind, bits) - (1 << (bits - 1)));
}

static void words(ck_run *t, const layout_form *f, void *unit, weights_kind kind)
{
    static const float odd[] = {0.0f, -0.0f, 0x1p-24f, 0x1.8p-15f, 65504.0f, -1.0f, 0x1p-130f, 1e30f};
    for (size_t i = 0; i < f->rows * (f->layout == HLMI_LAYOUT_BF16 ? 2 : 1); i++) {
        float v = ck_uniform(t);
        if (kind >= WEIGHTS_SCALES && ck_below(t, 4) == 0) v = odd[ck_below(t, 8)];
        if (kind == WEIGHTS_FAULTY && ck_below(t, 64) == 0) v = hlmi_f32_from_bits(0x7F800000u);
        if (f->layout == HLMI_LAYOUT_F32) ((float *)unit)[i] = v;
        else ((uint16_t *)unit)[i] = f->layout == HLMI_LAYOUT_F16 ? hlmi_f32_to_f16(v) : hlmi_f32_to_bf16(v);
    }
}

/* Scales of carriers: what types have, which is f16 times an integer. */
static void carried(ck_run *t, float *d, size_t n, weights_kind kind)
{
    for (size_t i = 0; i < n; i++) d[i] = hlmi_f16_to_f32(scale(t, kind)) * (float)(1 + ck_below(t, 63));
}

/* Codes of E4M3; of NaN only where there shall be faults. Subnormals, which a CPU may be slow to multiply, are as rare
 * among random ones as among weights that their largest scales. */
static void codes(ck_run *t, uint8_t *q, size_t n, weights_kind kind)
{
    for (size_t i = 0; i < n; i++) {
        q[i] = kind == WEIGHTS_LARGEST ? (uint8_t)(ck_below(t, 2) ? 0xFE : 0x7E) : (uint8_t)ck_below(t, 256);
        if (kind == WEIGHTS_RANDOM && (q[i] & 0x78) == 0 && ck_below(t, 256)) q[i] |= 0x40;
        if ((q[i] & 127) == 127 && (kind != WEIGHTS_FAULTY || ck_below(t, 8))) q[i] ^= 1;
    }
}

static void fill_unit(ck_run *t, const layout_form *f, void *unit, weights_kind kind)
{
    hlmi_unit_q5m *q = unit; /* q4 and q4m are beginnings of it */
    hlmi_unit_k4 *k4 = unit; /* a beginning of k5 */
    hlmi_unit_k5 *k5 = unit;
    hlmi_unit_k4t *k4t = unit;
    hlmi_unit_k6 *k6 = unit;
    hlmi_unit_s8m *s8m = unit; /* scales are where s8 has them */
    switch (f->layout) {
    case HLMI_LAYOUT_Q5M:
        for (size_t r = 0; r < 32; r++) q->high[r] = fifth_bits(t, kind);
        /* fall through */
    case HLMI_LAYOUT_Q4M:
        scales(t, q->m, 32, kind), scales(t, q->d, 32, kind), nibbles(t, (uint8_t *)q->q, 512, kind);
        break;
    case HLMI_LAYOUT_Q4: scales(t, q->d, 32, kind), nibbles(t, (uint8_t *)((hlmi_unit_q4 *)unit)->q, 512, kind); break;
    case HLMI_LAYOUT_Q8:
        scales(t, q->d, 32, kind);
        signed_bytes(t, (int8_t *)((hlmi_unit_q8 *)unit)->q, 1024, kind, 8);
        break;
    case HLMI_LAYOUT_K5:
        for (size_t i = 0; i < 128; i++) k5->high[i / 16][i % 16] = fifth_bits(t, kind);
        /* fall through */
    case HLMI_LAYOUT_K4:
        scales(t, k4->d, 16, kind), scales(t, k4->dmin, 16, kind);
        for (size_t i = 0; i < 128; i++) {
            k4->sc[i / 16][i % 16] = integer(t, kind, 6);
            k4->mn[i / 16][i % 16] = integer(t, kind, 6);
        }
        nibbles(t, (uint8_t *)k4->q, 2048, kind);
        break;
    case HLMI_LAYOUT_K4T:
        scales(t, k4t->d, 16, kind);
        signed_bytes(t, (int8_t *)k4t->sc, 128, kind, 6);
        nibbles(t, (uint8_t *)k4t->q, 2048, kind);
        break;
    case HLMI_LAYOUT_K6:
        scales(t, k6->d, 16, kind);
        signed_bytes(t, (int8_t *)k6->sc, 256, kind, 8);
        signed_bytes(t, (int8_t *)k6->q, 4096, kind, 6);
        break;
    case HLMI_LAYOUT_S8:
        carried(t, s8m->d[0], 64, kind);
        signed_bytes(t, (int8_t *)((hlmi_unit_s8 *)unit)->q, 1024, kind, 8);
        break;
    case HLMI_LAYOUT_S8M:
        carried(t, s8m->d[0], 128, kind);
        signed_bytes(t, (int8_t *)s8m->q, 1024, kind, 8);
        break;
    case HLMI_LAYOUT_F8:
        carried(t, s8m->d[0], 32, kind);
        codes(t, (uint8_t *)((hlmi_unit_f8 *)unit)->q, 1024, kind);
        break;
    default: words(t, f, unit, kind);
    }
}

void *weights_random(ck_run *t, const layout_form *f, size_t cols, size_t groups, weights_kind kind)
{
    const size_t bytes = weights_group_bytes(f, cols);
    char *w = ck_bytes(t, bytes * groups);
    for (size_t at = 0; at < bytes * groups; at += f->unit_bytes) fill_unit(t, f, w + at, kind);
    if (f->layout == HLMI_LAYOUT_BF16 && cols % 2) { /* an odd end is 0 */
        for (size_t g = 1; g <= groups; g++) {
            uint16_t *pair = (uint16_t *)(w + g * bytes - f->unit_bytes);
            for (size_t r = 0; r < 32; r++) pair[2 * r + 1] = 0;
        }
    }
    return w;
}

static double half(uint16_t h)
{
    return (double)hlmi_f16_to_f32(h);
}

static int nibble(const void *q, size_t rows, size_t k, size_t r)
{
    const uint8_t byte = ((const uint8_t *)q)[k / 8 * rows * 4 + r * 4 + k % 4];
    return k % 8 < 4 ? byte & 15 : byte >> 4;
}

static int fifth(uint32_t word, size_t k)
{
    return word >> (k % 4 * 8 + k % 32 / 4) & 1 ? 16 : 0;
}

/* What a weight is made of: value = scaled + offset. */
typedef struct parts {
    double scaled, offset;
} parts;

static parts quantised_parts(hlmi_layout layout, const void *unit, size_t r, size_t k)
{
    const hlmi_unit_q5m *q = unit; /* q4 and q4m are beginnings of it */
    const hlmi_unit_k4 *k4 = unit; /* a beginning of k5 */
    const hlmi_unit_k5 *k5 = unit;
    const hlmi_unit_k4t *k4t = unit;
    const hlmi_unit_k6 *k6 = unit;
    const hlmi_unit_s8m *s8m = unit; /* scales are where s8 has them */
    const double d = half(q->d[r]), s = (double)s8m->d[k % 32 / 16][r];
    int high = 0;
    switch (layout) {
    case HLMI_LAYOUT_Q4: return (parts){d * (nibble(((const hlmi_unit_q4 *)unit)->q, 32, k, r) - 8), 0};
    case HLMI_LAYOUT_Q4M: return (parts){d * nibble(q->q, 32, k, r), half(q->m[r])};
    case HLMI_LAYOUT_Q5M: return (parts){d * (nibble(q->q, 32, k, r) + fifth(q->high[r], k)), half(q->m[r])};
    case HLMI_LAYOUT_Q8: return (parts){d * ((const hlmi_unit_q8 *)unit)->q[k / 4][r][k % 4], 0};
    case HLMI_LAYOUT_K4:
    case HLMI_LAYOUT_K5:
        if (layout == HLMI_LAYOUT_K5) high = fifth(k5->high[k / 32][r], k);
        return (parts){half(k4->d[r]) * k4->sc[k / 32][r] * (nibble(k4->q, 16, k, r) + high),
                       -half(k4->dmin[r]) * k4->mn[k / 32][r]};
    case HLMI_LAYOUT_K4T:
        return (parts){half(k4t->d[r]) * k4t->sc[k / 32][r] * hlmi_k4t_values[nibble(k4t->q, 16, k, r)], 0};
    case HLMI_LAYOUT_K6: return (parts){half(k6->d[r]) * k6->sc[k / 16][r] * k6->q[k / 16][k % 16 / 4][r][k % 4], 0};
    case HLMI_LAYOUT_S8: return (parts){s * ((const hlmi_unit_s8 *)unit)->q[k / 4][r][k % 4], 0};
    case HLMI_LAYOUT_S8M: return (parts){s * s8m->q[k / 4][r][k % 4], (double)s8m->m[k / 16][r]};
    case HLMI_LAYOUT_F8:
        return (parts){
            (double)s8m->d[0][r] * (double)hlmi_e4m3_to_f32(((const hlmi_unit_f8 *)unit)->q[k / 4][r][k % 4]), 0};
    default: return (parts){0, 0};
    }
}

double weights_value(const layout_form *f, const void *w, size_t cols, size_t r, size_t k, double *size)
{
    const char *group = (const char *)w + r / f->rows * weights_group_bytes(f, cols);
    const void *unit = group + k / f->unit_k * f->unit_bytes;
    r %= f->rows, k %= f->unit_k;
    parts p = {0, 0};
    if (f->layout == HLMI_LAYOUT_F32) p.scaled = (double)((const float *)unit)[r];
    else if (f->layout == HLMI_LAYOUT_F16) p.scaled = half(((const uint16_t *)unit)[r]);
    else if (f->layout == HLMI_LAYOUT_BF16) p.scaled = (double)hlmi_bf16_to_f32(((const uint16_t *)unit)[2 * r + k]);
    else p = quantised_parts(f->layout, unit, r, k);
    *size = fabs(p.scaled) + fabs(p.offset);
    return p.scaled + p.offset;
}
