/* Products and packing in AVX2, FMA and F16C. A vector is 8 rows. */
#ifndef HLMI_KERNEL_AVX2_H
#define HLMI_KERNEL_AVX2_H

#include <immintrin.h>

#include "kernel/walk.h"

/* most tokens and row vectors of a micro-tile: sizes of arrays of which one uses a part */
enum { HLMI_AVX2_T = 6, HLMI_AVX2_R = 4 };

/* weights as they are, of units on packed activations; and those expanded to f32 */
#define GEMM(constant, name, ...) void hlmi_avx2_gemm_##name(const hlmi_gemm *g);
#define GEMM_F32(constant, name, ...) void hlmi_avx2_gemm_f32_##name(const hlmi_gemm *g);
HLMI_LAYOUTS(GEMM)
HLMI_UNIT_LAYOUTS(GEMM_F32)
#undef GEMM
#undef GEMM_F32

/** b->units columns of f32 weights [column][lanes]; lanes is 16 or 32. */
void hlmi_avx2_slab_f32(const hlmi_slab *b, size_t lanes);

void hlmi_avx2_pack_q8(void *dst, size_t stride, const float *x, size_t ldx, size_t n, size_t cols);
void hlmi_avx2_pack_q8k(void *dst, size_t stride, const float *x, size_t ldx, size_t n, size_t cols);
void hlmi_avx2_pack_q8_wide(void *dst, size_t stride, const float *x, size_t ldx, size_t n, size_t cols);
void hlmi_avx2_pack_q8k_wide(void *dst, size_t stride, const float *x, size_t ldx, size_t n, size_t cols);
void hlmi_avx2_pack_q16(void *dst, size_t stride, const float *x, size_t ldx, size_t n, size_t cols);

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
