/* Template: what matrix products share, over the vectors of an ISA's simd.h, which the including file has included
 * before, as it has defined MOST_TOKENS and MOST_ROWS: the sizes of a micro-tile's arrays, of which one uses a part. */
#ifndef HLMI_KERNEL_TMPL_GEMM_H
#define HLMI_KERNEL_TMPL_GEMM_H

#include "kernel/walk.h"

/* A micro-tile: of each token some vectors of rows, as floats, and as the exact sums of a unit. */
typedef vf tile[MOST_TOKENS][MOST_ROWS];
typedef vi sums[MOST_TOKENS][MOST_ROWS];

/* Sums of T tokens x R row vectors, from zero or from y. */
HLMI_INLINE void tile_begin(int T, int R, tile acc, const hlmi_slab *b, const float *y)
{
    HLMI_UNROLL
    for (int t = 0; t < T; t++) {
        HLMI_UNROLL
        for (int r = 0; r < R; r++)
            acc[t][r] = b->first ? V(setzero_ps)() : V(load_ps)(y + (size_t)t * b->ldy + (size_t)r * VF);
    }
}

HLMI_INLINE void tile_end(int T, int R, tile acc, const hlmi_slab *b, float *y)
{
    HLMI_UNROLL
    for (int t = 0; t < T; t++) {
        HLMI_UNROLL
        for (int r = 0; r < R; r++) V(store_ps)(y + (size_t)t * b->ldy + (size_t)r * VF, acc[t][r]);
    }
}

/* acc = fma(sum, dw * da, acc), or with -(dw * da); da is each token's, ldx bytes apart. */
HLMI_INLINE void tile_add(int T, int R, tile acc, sums sum, const uint16_t *dw, bool minus, const float *da, size_t ldx)
{
    HLMI_UNROLL
    for (int r = 0; r < R; r++) {
        const vf d = vf_load_f16(dw + (size_t)r * VF);
        HLMI_UNROLL
        for (int t = 0; t < T; t++) {
            const vf s = V(cvtepi32_ps)(sum[t][r]);
            const vf scale = vf_mul(d, vf_set1(*(const float *)((const char *)da + (size_t)t * ldx)));
            acc[t][r] = minus ? V(fnmadd_ps)(s, scale, acc[t][r]) : vf_fma(s, scale, acc[t][r]);
        }
    }
}

/* Adds bit 4, from words of fifth bits (layout.h), to the weights of chunk c's first and last 4 columns. */
HLMI_INLINE void add_fifth(vi *first, vi *last, const uint32_t *words, size_t c)
{
    const vi bits = V(srli_epi32)(V_BITS(V(load_ps)((const float *)(const void *)words)), V_COUNT(2 * (int)c));
    const vi bit = V(set1_epi8)(16);
    *first = V_OR(*first, V_AND(V(slli_epi32)(bits, 4), bit));
    *last = V_OR(*last, V_AND(V(slli_epi32)(bits, 3), bit));
}

/* The 4 bytes at p to all lanes. */
HLMI_INLINE vi four_bytes(const void *p)
{
    int32_t v;
    __builtin_memcpy(&v, p, sizeof v);
    return V(set1_epi32)(v);
}

#endif
