/* Template: carriers and F8 on f32 activations: weights become f32 with the bits that dequantising gives.
 * The including file has defined TOKENS and ROWS, the tokens and row vectors of a micro-tile; one token has all rows at
 * once. */
#ifndef HLMI_KERNEL_TMPL_GEMM_CARRIER_H
#define HLMI_KERNEL_TMPL_GEMM_CARRIER_H

#include "kernel/tmpl/gemm.h"
#include "quant/unit.h"

enum { ALL = 32 / VF /* row vectors of a group */ };

/* Forms of weights; F8_PLAIN are those of F8 without NaN and large scales. */
typedef enum form { S8, S8M, F8, F8_PLAIN } form;

/* Codes of E4M3 as f32, less 120 in the exponent: their bits stand as those of an f32. */
HLMI_INLINE vi e4m3(vi upper)
{
    return V_AND(V(srai_epi32)(upper, 4), V(set1_epi32)((int)0x87F00000));
}

/* The same as numbers, and NaN. */
HLMI_INLINE vf e4m3_number(vi small)
{
    const vi most = V(set1_epi32)(0x07F00000), nan = V_OR(small, V(set1_epi32)(0x7FC00000));
    const vf number = vf_mul(V_FLOATS(small), vf_set1(0x1p120f));
    return V_PICK(V_COMPARE(V_FLOATS(V_AND(small, most)), V_FLOATS(most), _CMP_GE_OQ), V_FLOATS(nan), number);
}

/* Column j of four: codes of the rows in dwords, a scale (and a minimum) for each row. */
HLMI_INLINE vf weights(form f, const void *codes, int j, const float *d, const float *m)
{
    const vi upper = V(slli_epi32)(V_BITS(V(load_ps)((const float *)codes)), V_COUNT(24 - 8 * j));
    const vf scale = V(load_ps)(d);
    if (f == F8) return vf_mul(scale, e4m3_number(e4m3(upper)));
    if (f == F8_PLAIN) return vf_mul(vf_mul(scale, vf_set1(0x1p120f)), V_FLOATS(e4m3(upper)));
    const vf w = vf_mul(scale, V(cvtepi32_ps)(V(srai_epi32)(upper, 24)));
    return f == S8M ? vf_add(w, V(load_ps)(m)) : w;
}

/* Would a scale overflow, if it were multiplied by 2^120? */
HLMI_INLINE bool large(const float *d)
{
    bool any = false;
    HLMI_UNROLL
    for (int r = 0; r < ALL; r++) {
        const vf size = V_FLOATS(V_AND(V_BITS(V(load_ps)(d + r * VF)), V(set1_epi32)(0x7FFFFFFF)));
        any |= V_ANY(V_COMPARE(size, vf_set1(0x1p7f), _CMP_NLT_UQ));
    }
    return any;
}

HLMI_INLINE bool has_nan(const uint8_t *codes)
{
    bool any = false;
    HLMI_UNROLL
    for (int r = 0; r < ALL; r++) {
        const vi code = V_BITS(V(load_ps)((const float *)(const void *)(codes + r * VF * 4)));
        any |= V_ANY_BYTE(V_AND(code, V(set1_epi8)(127)), 127);
    }
    return any;
}

HLMI_INLINE size_t unit_bytes(form f)
{
    return f == F8 ? sizeof(hlmi_unit_f8) : f == S8M ? sizeof(hlmi_unit_s8m) : sizeof(hlmi_unit_s8);
}

/* A unit's scales, codes and minimums of chunk c from row r on. */
typedef struct four {
    const uint8_t *codes;
    const float *d, *m;
} four;

HLMI_INLINE four four_of(form f, const char *unit, size_t c, size_t r)
{
    const hlmi_unit_s8m *u = (const hlmi_unit_s8m *)(const void *)unit; /* scales are where s8 and f8 have them */
    const size_t half = f == F8 ? 0 : c / 4;
    const uint8_t *codes = (const uint8_t *)unit + unit_bytes(f) - sizeof u->q; /* at the end of all */
    return (four){codes + (c * 32 + r) * 4, u->d[half] + r, u->m[half] + r};
}

/* ---- one token: weights are met as they are loaded ---- */

HLMI_INLINE void add_four(form f, tile acc, four w, const float *x)
{
    HLMI_UNROLL
    for (int j = 0; j < 4; j++) {
        const vf a = vf_set1(x[j]);
        HLMI_UNROLL
        for (int r = 0; r < ALL; r++) {
            const vf v = weights(f, w.codes + r * VF * 4, j, w.d + r * VF, w.m + r * VF);
            acc[0][r] = vf_fma(v, a, acc[0][r]);
        }
    }
}

HLMI_INLINE void one(form f, const hlmi_slab *b)
{
    const char *unit = b->w;
    const float *x = (const float *)(const void *)b->x;
    tile acc;
    tile_begin(1, ALL, acc, b, b->y);
    for (size_t u = 0; u < b->units; u++, unit += unit_bytes(f)) {
        const bool strange = f == F8 && large(four_of(f, unit, 0, 0).d);
        HLMI_UNROLL
        for (size_t i = 0; i < unit_bytes(f); i += 64) _mm_prefetch(unit + 4096 + i, _MM_HINT_T0);
        HLMI_ROLLED
        for (size_t c = 0; c < 8; c++, x += 4) {
            const four w = four_of(f, unit, c, 0);
            if (f == F8 && !strange && !has_nan(w.codes)) add_four(F8_PLAIN, acc, w, x);
            else add_four(f, acc, w, x);
        }
    }
    tile_end(1, ALL, acc, b, b->y);
}

/* ---- more: weights of a slab become f32 once ---- */

enum { SLAB = 2 /* units */ };

typedef float numbers[SLAB * 32][ROWS * VF]; /* [column][row] */

HLMI_INLINE void expand(form f, numbers w, const hlmi_slab *b, size_t r0)
{
    for (size_t c = 0; c < b->units * 8; c++) {
        const four in = four_of(f, b->w + c / 8 * unit_bytes(f), c % 8, r0);
        HLMI_UNROLL
        for (int j = 0; j < 4; j++) {
            HLMI_UNROLL
            for (int r = 0; r < ROWS; r++) V(store_ps)
            (w[c * 4 + (size_t)j] + r * VF, weights(f, in.codes + r * VF * 4, j, in.d + r * VF, in.m + r * VF));
        }
    }
}

/* T tokens x ROWS row vectors. */
HLMI_INLINE void micro(int T, numbers w, const hlmi_slab *b, const char *x, float *y)
{
    tile acc;
    tile_begin(T, ROWS, acc, b, y);
    HLMI_ROLLED
    for (size_t k = 0; k < b->units * 32; k++) {
        HLMI_UNROLL
        for (int t = 0; t < T; t++) {
            const vf a = vf_set1(((const float *)(const void *)(x + (size_t)t * b->ldx))[k]);
            HLMI_UNROLL
            for (int r = 0; r < ROWS; r++) acc[t][r] = vf_fma(V(load_ps)(w[k] + r * VF), a, acc[t][r]);
        }
    }
    tile_end(T, ROWS, acc, b, y);
}

#define MICRO(T, x, y) micro(T, w, b, x, (y) + r0)

HLMI_INLINE void many(form f, const hlmi_slab *b)
{
    _Alignas(64) numbers w;
    for (size_t r0 = 0; r0 < 32; r0 += ROWS * VF) {
        expand(f, w, b, r0);
        HLMI_MANY(TOKENS, MICRO);
    }
}

#define CARRIER_PRODUCT(constant, name, rows, unit_k, unit_bytes, minimum)                            \
  HLMI_PRODUCT(name, one(constant, b), many(constant, b), HLMI_LAYOUT_##constant, unit_k, unit_bytes, \
               (unit_k) * sizeof(float), SLAB, TOKENS)
HLMI_CARRIER_LAYOUTS(CARRIER_PRODUCT)
HLMI_CODE_LAYOUTS(CARRIER_PRODUCT)

#define CARRIER_ENTRY(constant, name, ...) \
  k->gemm[HLMI_LAYOUT_##constant] = k->gemm_f32[HLMI_LAYOUT_##constant] = gemm_##name;

static inline void fill_gemm_carrier(hlmi_kernels *k)
{
    HLMI_CARRIER_LAYOUTS(CARRIER_ENTRY)
    HLMI_CODE_LAYOUTS(CARRIER_ENTRY)
}

#endif
