/* What this folder fills of the table, and products in AVX-512 F, BW, VL, DQ, hlmi_vnni_* with VNNI: a vector is 16
 * rows. test/checkkern/emulate.h stands in for these intrinsics where the CPU has none. */
#ifndef HLMI_KERNEL_AVX512_H
#define HLMI_KERNEL_AVX512_H

#include <immintrin.h>

#include "kernel/walk.h"

/* most tokens and row vectors of a micro-tile: sizes of arrays of which one uses a part */
enum { HLMI_AVX512_T = 8, HLMI_AVX512_R = 2 };

/** gemm and gemm_f32 of layouts of floats. */
void hlmi_avx512_gemm_float(hlmi_kernels *k);
/** gemm of bf16 weights on bf16 activations; needs AVX512_BF16. */
void hlmi_avx512_gemm_bf16(hlmi_kernels *k);
/** gemm of layouts of units on int8 activations, without VNNI and with it. */
void hlmi_avx512_gemm_bw(hlmi_kernels *k);
void hlmi_avx512_gemm_vnni(hlmi_kernels *k);
/** pack to bf16. */
void hlmi_avx512_pack(hlmi_kernels *k);
/** qk, pv and kv_write. */
void hlmi_avx512_attn(hlmi_kernels *k);
/** rms_norm .. exp_sum and widen .. scan1. */
void hlmi_avx512_vec(hlmi_kernels *k);

/** 16 f16 to f32. */
HLMI_INLINE __m512 hlmi_avx512_half(const uint16_t *h)
{
    return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(const void *)h));
}

/** The 4 bytes at p to all lanes. */
HLMI_INLINE __m512i hlmi_avx512_dword(const void *p)
{
    int32_t v;
    __builtin_memcpy(&v, p, sizeof v);
    return _mm512_set1_epi32(v);
}

/** Sums of T tokens x R row vectors, from zero or from y. */
HLMI_INLINE void hlmi_avx512_begin(int T, int R, __m512 acc[HLMI_AVX512_T][HLMI_AVX512_R], const hlmi_slab *b,
                                   const float *y)
{
    HLMI_UNROLL
    for (int t = 0; t < T; t++) {
        HLMI_UNROLL
        for (int r = 0; r < R; r++)
            acc[t][r] = b->first ? _mm512_setzero_ps() : _mm512_load_ps(y + (size_t)t * b->ldy + (size_t)r * 16);
    }
}

HLMI_INLINE void hlmi_avx512_end(int T, int R, __m512 acc[HLMI_AVX512_T][HLMI_AVX512_R], const hlmi_slab *b, float *y)
{
    HLMI_UNROLL
    for (int t = 0; t < T; t++) {
        HLMI_UNROLL
        for (int r = 0; r < R; r++) _mm512_store_ps(y + (size_t)t * b->ldy + (size_t)r * 16, acc[t][r]);
    }
}

#endif
