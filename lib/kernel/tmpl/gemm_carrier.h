/* Template: carriers on f32 activations: weights become f32 as they are loaded, with the bits that dequantising gives.
 * The including file has defined TOKENS and ROWS, the tokens and row vectors of a micro-tile; one token has all rows at
 * once. */
#ifndef HLMI_KERNEL_TMPL_GEMM_CARRIER_H
#define HLMI_KERNEL_TMPL_GEMM_CARRIER_H

#include "kernel/tmpl/gemm.h"
#include "quant/unit.h"

/* Column j of four: codes of the rows in dwords, a scale (and a minimum) for each row. */
HLMI_INLINE vf weights(bool minimum, const int8_t *codes, int j, const float *d, const float *m)
{
    const vi code =
        V(srai_epi32)(V(slli_epi32)(V_BITS(V(load_ps)((const float *)(const void *)codes)), V_COUNT(24 - 8 * j)), 24);
    const vf w = vf_mul(V(load_ps)(d), V(cvtepi32_ps)(code));
    return minimum ? vf_add(w, V(load_ps)(m)) : w;
}

HLMI_INLINE void add_four(bool minimum, int T, int R, tile acc, const int8_t *codes, const float *d, const float *m,
                          const char *x, size_t ldx)
{
    HLMI_UNROLL
    for (int j = 0; j < 4; j++) {
        vf v[MOST_ROWS];
        HLMI_UNROLL
        for (int r = 0; r < R; r++) v[r] = weights(minimum, codes + r * VF * 4, j, d + r * VF, m + r * VF);
        HLMI_UNROLL
        for (int t = 0; t < T; t++) {
            const vf a = vf_set1(((const float *)(const void *)(x + (size_t)t * ldx))[j]);
            HLMI_UNROLL
            for (int r = 0; r < R; r++) acc[t][r] = vf_fma(v[r], a, acc[t][r]);
        }
    }
}

/* b->units units of R row vectors from row r0, T tokens. */
HLMI_INLINE void micro(bool minimum, int T, int R, const hlmi_slab *b, size_t r0, const char *x, float *y)
{
    const size_t bytes = minimum ? sizeof(hlmi_unit_s8m) : sizeof(hlmi_unit_s8);
    const char *w = b->w;
    tile acc;
    tile_begin(T, R, acc, b, y + r0);
    for (size_t u = 0; u < b->units; u++, w += bytes, x += 32 * sizeof(float)) {
        const hlmi_unit_s8m *unit = (const hlmi_unit_s8m *)(const void *)w; /* scales are where s8 has them */
        const int8_t *q = minimum ? unit->q[0][0] : ((const hlmi_unit_s8 *)unit)->q[0][0];
        if (T == 1) {
            HLMI_UNROLL
            for (size_t i = 0; i < bytes; i += 64) _mm_prefetch(w + 4096 + i, _MM_HINT_T0);
        }
        HLMI_ROLLED
        for (size_t c = 0; c < 8; c++)
            add_four(minimum, T, R, acc, q + c * 128 + r0 * 4, unit->d[c / 4] + r0, unit->m[c / 4] + r0,
                     x + c * 4 * sizeof(float), b->ldx);
    }
    tile_end(T, R, acc, b, y + r0);
}

#define MICRO(T, x, y) micro(minimum, T, ROWS, b, r0, x, y)

HLMI_INLINE void many(bool minimum, const hlmi_slab *b)
{
    for (size_t r0 = 0; r0 < 32; r0 += ROWS * VF) HLMI_MANY(TOKENS, MICRO);
}

#define CARRIER_PRODUCT(constant, name, rows, unit_k, unit_bytes, minimum)                                             \
  HLMI_PRODUCT(name, micro(minimum, 1, rows / VF, b, 0, b->x, b->y), many(minimum, b), HLMI_LAYOUT_##constant, unit_k, \
               unit_bytes, (unit_k) * sizeof(float), 8, TOKENS)
HLMI_CARRIER_LAYOUTS(CARRIER_PRODUCT)

#define CARRIER_ENTRY(constant, name, ...) \
  k->gemm[HLMI_LAYOUT_##constant] = k->gemm_f32[HLMI_LAYOUT_##constant] = gemm_##name;

static inline void fill_gemm_carrier(hlmi_kernels *k)
{
    HLMI_CARRIER_LAYOUTS(CARRIER_ENTRY)
}

#endif
