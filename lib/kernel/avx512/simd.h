/* Sixteen floats in AVX-512 (F, DQ) under the names that the templates of kernel/tmpl/ use. "Part" loads give 0 in
 * lanes from n on and read nothing there. */
#ifndef HLMI_KERNEL_AVX512_SIMD_H
#define HLMI_KERNEL_AVX512_SIMD_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

enum { VF = 16 }; /* lanes of a vector */

/* Vectors of an attention micro-tile of 1 .. 6 rows: of 32 registers at most 24 accumulate. */
#define MICRO_WIDE_1 4
#define MICRO_WIDE_2 4
#define MICRO_WIDE_3 4
#define MICRO_WIDE_4 4
#define MICRO_WIDE_5 4
#define MICRO_WIDE_6 4

typedef __m512 vf;
typedef __m512i vi;
#define V(name) _mm512_##name
#define V_BITS(x) _mm512_castps_si512(x)
#define V_FLOATS(x) _mm512_castsi512_ps(x)
#define V_AND(a, b) _mm512_and_si512(a, b)
#include "kernel/tmpl/simd.h"

static inline __mmask16 vf_part_mask(size_t n)
{
    return (__mmask16)((1u << n) - 1);
}

static inline vf vf_load_part(const float *p, size_t n)
{
    return _mm512_maskz_loadu_ps(vf_part_mask(n), p);
}

static inline void vf_store_part(float *p, vf x, size_t n)
{
    _mm512_mask_storeu_ps(p, vf_part_mask(n), x);
}

/* x in lanes below n, `other` from there on */
static inline vf vf_pick_part(vf x, vf other, size_t n)
{
    return _mm512_mask_mov_ps(other, vf_part_mask(n), x);
}

static inline vf vf_load_f16(const uint16_t *p)
{
    return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p));
}

static inline vf vf_load_bf16(const uint16_t *p)
{
    const __m512i wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)p));
    return _mm512_castsi512_ps(_mm512_slli_epi32(wide, 16));
}

static inline void vf_store_f16(uint16_t *p, vf x)
{
    _mm256_storeu_si256((__m256i *)p, _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT));
}

static inline void vf_store_bf16(uint16_t *p, vf x)
{
    const __m512i u = _mm512_castps_si512(x), high = _mm512_srli_epi32(u, 16);
    const __m512i odd = _mm512_and_si512(high, _mm512_set1_epi32(1));
    const __m512i up = _mm512_add_epi32(_mm512_add_epi32(u, _mm512_set1_epi32(0x7FFF)), odd);
    const __m512i quiet = _mm512_or_si512(high, _mm512_set1_epi32(0x40));
    const __mmask16 nan = _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q);
    const __m512i r = _mm512_mask_mov_epi32(_mm512_srli_epi32(up, 16), nan, quiet);
    _mm256_storeu_si256((__m256i *)p, _mm512_cvtepi32_epi16(r));
}

static inline vf vf_load_int8(const int8_t *p)
{
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)p)));
}

/* x to the nearest integer, of which there are -128..127 */
static inline void vf_store_int8(int8_t *p, vf x)
{
    _mm_storeu_si128((__m128i *)p, _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(x)));
}

static inline vf vf_round_bf16(vf x)
{
    const __m512i u = _mm512_castps_si512(x), high = _mm512_set1_epi32(-0x10000);
    const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(u, 16), _mm512_set1_epi32(1));
    const __m512i up = _mm512_add_epi32(_mm512_add_epi32(u, _mm512_set1_epi32(0x7FFF)), odd);
    const __m512i quiet = _mm512_or_si512(u, _mm512_set1_epi32(0x400000));
    const __mmask16 nan = _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q);
    return _mm512_castsi512_ps(_mm512_and_si512(_mm512_mask_mov_epi32(up, nan, quiet), high));
}

/* x >= limit ? a : 0 */
static inline vf vf_if_ge(vf x, float limit, vf a)
{
    return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(x, _mm512_set1_ps(limit), _CMP_GE_OQ), a);
}

/* x <= limit ? a : b */
static inline vf vf_if_le(vf x, float limit, vf a, vf b)
{
    return _mm512_mask_mov_ps(b, _mm512_cmp_ps_mask(x, _mm512_set1_ps(limit), _CMP_LE_OQ), a);
}

/* The tree over 16 lanes. */
static inline float vf_lanes_sum(const vf *l)
{
    const __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(*l), _mm512_extractf32x8_ps(*l, 1));
    __m128 x = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    x = _mm_add_ps(x, _mm_movehl_ps(x, x));
    return _mm_cvtss_f32(_mm_add_ss(x, _mm_movehdup_ps(x)));
}

static inline float vf_lanes_max(const vf *l)
{
    const __m256 eight = _mm256_max_ps(_mm512_extractf32x8_ps(*l, 1), _mm512_castps512_ps256(*l));
    __m128 x = _mm_max_ps(_mm256_extractf128_ps(eight, 1), _mm256_castps256_ps128(eight));
    x = _mm_max_ps(_mm_movehl_ps(x, x), x);
    return _mm_cvtss_f32(_mm_max_ss(_mm_movehdup_ps(x), x));
}

#endif
