/* Products and packing in AVX-512 F, BW, VL, DQ; hlmi_vnni_*: with VNNI. A vector is 16 rows. test/checkkern/emulate.h
 * stands in for these intrinsics where the CPU has none. */
#ifndef HLMI_KERNEL_AVX512_H
#define HLMI_KERNEL_AVX512_H

#include <immintrin.h>

#include "kernel/walk.h"

/* most tokens and row vectors of a micro-tile: sizes of arrays of which one uses a part */
enum { HLMI_AVX512_T = 8, HLMI_AVX512_R = 2 };

void hlmi_avx512_gemm_f32(const hlmi_gemm *g);
void hlmi_avx512_gemm_f16(const hlmi_gemm *g);
void hlmi_avx512_gemm_bf16(const hlmi_gemm *g);
/** On bf16 activations; needs AVX512_BF16. */
void hlmi_avx512_gemm_bf16_dot(const hlmi_gemm *g);
void hlmi_avx512_pack_bf16(void *dst, size_t stride, const float *x, size_t ldx, size_t n, size_t cols);

void hlmi_avx512_gemm_q4(const hlmi_gemm *g);
void hlmi_avx512_gemm_q4m(const hlmi_gemm *g);
void hlmi_avx512_gemm_q5m(const hlmi_gemm *g);
void hlmi_avx512_gemm_k4(const hlmi_gemm *g);
void hlmi_avx512_gemm_k6(const hlmi_gemm *g);

void hlmi_vnni_gemm_q4(const hlmi_gemm *g);
void hlmi_vnni_gemm_q4m(const hlmi_gemm *g);
void hlmi_vnni_gemm_q5m(const hlmi_gemm *g);
void hlmi_vnni_gemm_q8(const hlmi_gemm *g);
void hlmi_vnni_gemm_k4(const hlmi_gemm *g);
void hlmi_vnni_gemm_k6(const hlmi_gemm *g);

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
