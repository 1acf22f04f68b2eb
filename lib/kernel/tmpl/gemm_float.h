/* Template: F32, F16 and BF16 on f32 activations: weights become f32 as they are loaded. The including file has defined
 * TOKENS and ROWS, the tokens and row vectors of a micro-tile; one token has all rows at once. */
#ifndef HLMI_KERNEL_TMPL_GEMM_FLOAT_H
#define HLMI_KERNEL_TMPL_GEMM_FLOAT_H

#include "kernel/tmpl/gemm.h"

/* Column k of a vector of rows of a group of `lanes` rows; w points at column 0 (BF16: k counts from an even
 * column). */
HLMI_INLINE vf weights(hlmi_layout f, const char *w, size_t lanes, size_t k, size_t row)
{
    if (f == HLMI_LAYOUT_F32) return V(load_ps)((const float *)w + k * lanes + row);
    if (f == HLMI_LAYOUT_F16) return vf_load_f16((const uint16_t *)w + k * lanes + row);
    const vi pair = V_BITS(V(load_ps)((const float *)w + k / 2 * lanes + row));
    if (k % 2 == 0) return V_FLOATS(V(slli_epi32)(pair, 16));
    /* where registers are few two shifts rather than a mask, whose register the sums need */
    const vi odd = V(srli_epi32)(pair, 16);
    return V_FLOATS(VF == 8 ? V(slli_epi32)(odd, 16) : V_AND(pair, V(set1_epi32)(-0x10000)));
}

/* Bytes of a column, all rows. */
HLMI_INLINE size_t column(hlmi_layout f, size_t lanes)
{
    return lanes * (f == HLMI_LAYOUT_F32 ? 4 : 2);
}

HLMI_INLINE void add_column(hlmi_layout f, int T, int R, tile acc, const char *w, size_t lanes, size_t k, size_t r0,
                            const char *x, size_t ldx)
{
    vf v[MOST_ROWS];
    HLMI_UNROLL
    for (int r = 0; r < R; r++) v[r] = weights(f, w, lanes, k, r0 + (size_t)r * VF);
    HLMI_UNROLL
    for (int t = 0; t < T; t++) {
        const vf a = vf_set1(((const float *)(x + (size_t)t * ldx))[k]);
        HLMI_UNROLL
        for (int r = 0; r < R; r++) acc[t][r] = vf_fma(v[r], a, acc[t][r]);
    }
    /* the second column of a BF16 pair is loaded again: kept, the pair would push sums out of few registers */
    if (f == HLMI_LAYOUT_BF16 && VF == 8) __asm__ volatile("" : : : "memory");
}

/* b->units columns of R row vectors from row r0, T tokens. */
HLMI_INLINE void micro(hlmi_layout f, int T, int R, size_t lanes, const hlmi_slab *b, size_t r0, const char *x,
                       float *y)
{
    tile acc;
    tile_begin(T, R, acc, b, y + r0);
    const size_t n = b->units, ldx = b->ldx; /* here, because the barrier in add_column is one for what b points to */
    const char *w = b->w;
    size_t k = 0;
    for (; k + 2 <= n; k += 2, w += 2 * column(f, lanes), x += 2 * sizeof(float)) {
        if (T == 1) {
            HLMI_UNROLL
            for (size_t i = 0; i < 2 * column(f, lanes); i += 64) _mm_prefetch(w + 4096 + i, _MM_HINT_T0);
        }
        add_column(f, T, R, acc, w, lanes, 0, r0, x, ldx);
        add_column(f, T, R, acc, w, lanes, 1, r0, x, ldx);
    }
    if (k < n) add_column(f, T, R, acc, w, lanes, 0, r0, x, ldx);
    tile_end(T, R, acc, b, y + r0);
}

#define MICRO(T, x, y) micro(f, T, ROWS, lanes, b, r0, x, y)

HLMI_INLINE void many(hlmi_layout f, size_t lanes, const hlmi_slab *b)
{
    for (size_t r0 = 0; r0 < lanes; r0 += ROWS * VF) HLMI_MANY(TOKENS, MICRO);
}

/* Units are columns: an odd one at the end of BF16, where w has pairs, has no partner in x. A slab has an even number
 * of them. */
#define FLOAT_PRODUCT(constant, name, rows, ...)                                          \
  HLMI_PRODUCT(name, micro(HLMI_LAYOUT_##constant, 1, rows / VF, rows, b, 0, b->x, b->y), \
               many(HLMI_LAYOUT_##constant, rows, b), HLMI_LAYOUT_##constant, 1,          \
               sizeof(float) * rows / (HLMI_LAYOUT_##constant == HLMI_LAYOUT_F32 ? 1 : 2), sizeof(float), 256, TOKENS)
HLMI_FLOAT_LAYOUTS(FLOAT_PRODUCT)

#define FLOAT_ENTRY(constant, name, ...) k->gemm_f32[HLMI_LAYOUT_##constant] = gemm_##name;

static inline void fill_gemm_float(hlmi_kernels *k)
{
    HLMI_FLOAT_LAYOUTS(FLOAT_ENTRY)
    k->gemm[HLMI_LAYOUT_F32] = gemm_f32;
    k->gemm[HLMI_LAYOUT_F16] = gemm_f16;
    if (k->act[HLMI_LAYOUT_BF16] == HLMI_ACT_F32) k->gemm[HLMI_LAYOUT_BF16] = gemm_bf16;
}

#endif
