/* What this folder fills of the table, and products in AVX2, FMA and F16C: a vector is 8 rows. */
#ifndef HLMI_KERNEL_AVX2_H
#define HLMI_KERNEL_AVX2_H

#include <immintrin.h>

#include "kernel/walk.h"

/* most tokens and row vectors of a micro-tile: sizes of arrays of which one uses a part */
enum { HLMI_AVX2_T = 6, HLMI_AVX2_R = 4 };

/** gemm and gemm_f32 of layouts of floats. */
void hlmi_avx2_gemm_float(hlmi_kernels *k);
/** gemm_f32 of layouts of units. */
void hlmi_avx2_gemm_expand(hlmi_kernels *k);
/** gemm of Q4, Q4M and Q5M; of Q8 on int16 activations; of K4 and K6. */
void hlmi_avx2_gemm_q4(hlmi_kernels *k);
void hlmi_avx2_gemm_q8(hlmi_kernels *k);
void hlmi_avx2_gemm_k(hlmi_kernels *k);
/** pack and pack_wide, but to bf16. */
void hlmi_avx2_pack(hlmi_kernels *k);
/** qk, pv and kv_write. */
void hlmi_avx2_attn(hlmi_kernels *k);
/** rms_norm .. exp_sum and widen .. scan1. */
void hlmi_avx2_vec(hlmi_kernels *k);
/** hash and hash_copy. */
void hlmi_avx2_hash(hlmi_kernels *k);

/** b->units columns of f32 weights [column][lanes]; lanes is 16 or 32. */
void hlmi_avx2_slab_f32(const hlmi_slab *b, size_t lanes);

/** The value exists here, in a register: compilers that would compute for all tokens first and then spill work token by
 *  token. */
HLMI_INLINE void hlmi_avx2_keep(__m256i *v)
{
    __asm__ volatile("" : "+x"(*v));
}

/** Sums of T tokens x R row vectors, from zero or from y. */
HLMI_INLINE void hlmi_avx2_begin(int T, int R, __m256 acc[HLMI_AVX2_T][HLMI_AVX2_R], const hlmi_slab *b, const float *y)
{
    HLMI_UNROLL
    for (int t = 0; t < T; t++) {
        HLMI_UNROLL
        for (int r = 0; r < R; r++)
            acc[t][r] = b->first ? _mm256_setzero_ps() : _mm256_load_ps(y + (size_t)t * b->ldy + (size_t)r * 8);
    }
}

HLMI_INLINE void hlmi_avx2_end(int T, int R, __m256 acc[HLMI_AVX2_T][HLMI_AVX2_R], const hlmi_slab *b, float *y)
{
    HLMI_UNROLL
    for (int t = 0; t < T; t++) {
        HLMI_UNROLL
        for (int r = 0; r < R; r++) _mm256_store_ps(y + (size_t)t * b->ldy + (size_t)r * 8, acc[t][r]);
    }
}

/** 8 f16 to f32. */
HLMI_INLINE __m256 hlmi_avx2_half(const uint16_t *h)
{
    return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)h));
}

/** 4 bytes to all lanes. */
HLMI_INLINE __m256i hlmi_avx2_bytes(const int8_t *p)
{
    int32_t v;
    __builtin_memcpy(&v, p, sizeof v);
    return _mm256_set1_epi32(v);
}

#endif
