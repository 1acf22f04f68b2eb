/* Eight floats in AVX2, FMA and F16C under the names that the templates of kernel/tmpl/ use. "Part" loads give 0 in
 * lanes from n on and read nothing there. */
#ifndef HLMI_KERNEL_AVX2_SIMD_H
#define HLMI_KERNEL_AVX2_SIMD_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

enum { VF = 8 }; /* lanes of a vector */

/* Vectors of an attention micro-tile of 1 .. 6 rows: accumulators, the B vectors of one step and a broadcast fit 16
 * registers. */
#define MICRO_WIDE_1 8
#define MICRO_WIDE_2 4
#define MICRO_WIDE_3 4
#define MICRO_WIDE_4 2
#define MICRO_WIDE_5 2
#define MICRO_WIDE_6 2

typedef __m256 vf;
typedef __m256i vi;
#define V(name) _mm256_##name
#define V_BITS(x) _mm256_castps_si256(x)
#define V_FLOATS(x) _mm256_castsi256_ps(x)
#define V_AND(a, b) _mm256_and_si256(a, b)
#include "kernel/tmpl/simd.h"

static inline __m256i vf_part_mask(size_t n)
{
    static const int32_t mask[2 * VF] = {-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0};
    return _mm256_loadu_si256((const __m256i *)(mask + VF - n));
}

static inline vf vf_load_part(const float *p, size_t n)
{
    return _mm256_maskload_ps(p, vf_part_mask(n));
}

static inline void vf_store_part(float *p, vf x, size_t n)
{
    _mm256_maskstore_ps(p, vf_part_mask(n), x);
}

/* x in lanes below n, `other` from there on */
static inline vf vf_pick_part(vf x, vf other, size_t n)
{
    return _mm256_blendv_ps(other, x, _mm256_castsi256_ps(vf_part_mask(n)));
}

static inline vf vf_load_f16(const uint16_t *p)
{
    return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p));
}

static inline vf vf_load_bf16(const uint16_t *p)
{
    const __m256i wide = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)p));
    return _mm256_castsi256_ps(_mm256_slli_epi32(wide, 16));
}

static inline void vf_store_f16(uint16_t *p, vf x)
{
    _mm_storeu_si128((__m128i *)p, _mm256_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT));
}

static inline void vf_store_bf16(uint16_t *p, vf x)
{
    const __m256i u = _mm256_castps_si256(x), high = _mm256_srli_epi32(u, 16);
    const __m256i odd = _mm256_and_si256(high, _mm256_set1_epi32(1));
    const __m256i up = _mm256_add_epi32(_mm256_add_epi32(u, _mm256_set1_epi32(0x7FFF)), odd);
    const __m256i quiet = _mm256_or_si256(high, _mm256_set1_epi32(0x40));
    const __m256i nan = _mm256_castps_si256(_mm256_cmp_ps(x, x, _CMP_UNORD_Q));
    const __m256i r = _mm256_blendv_epi8(_mm256_srli_epi32(up, 16), quiet, nan);
    const __m256i packed = _mm256_permute4x64_epi64(_mm256_packus_epi32(r, r), 0x08);
    _mm_storeu_si128((__m128i *)p, _mm256_castsi256_si128(packed));
}

static inline vf vf_load_int8(const int8_t *p)
{
    return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)p)));
}

/* x to the nearest integer, within -128..127 */
static inline void vf_store_int8(int8_t *p, vf x)
{
    const __m256i i = _mm256_cvtps_epi32(x), two = _mm256_packs_epi32(i, i);
    const __m128i eight = _mm_unpacklo_epi64(_mm256_castsi256_si128(two), _mm256_extracti128_si256(two, 1));
    _mm_storel_epi64((__m128i *)p, _mm_packs_epi16(eight, eight));
}

static inline vf vf_round_bf16(vf x)
{
    const __m256i u = _mm256_castps_si256(x), high = _mm256_set1_epi32(-0x10000);
    const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(u, 16), _mm256_set1_epi32(1));
    const __m256i up = _mm256_add_epi32(_mm256_add_epi32(u, _mm256_set1_epi32(0x7FFF)), odd);
    const __m256i quiet = _mm256_or_si256(u, _mm256_set1_epi32(0x400000));
    const __m256i nan = _mm256_castps_si256(_mm256_cmp_ps(x, x, _CMP_UNORD_Q));
    return _mm256_castsi256_ps(_mm256_and_si256(_mm256_blendv_epi8(up, quiet, nan), high));
}

/* x >= limit ? a : 0 */
static inline vf vf_if_ge(vf x, float limit, vf a)
{
    return _mm256_and_ps(a, _mm256_cmp_ps(x, _mm256_set1_ps(limit), _CMP_GE_OQ));
}

/* x <= limit ? a : b */
static inline vf vf_if_le(vf x, float limit, vf a, vf b)
{
    return _mm256_blendv_ps(b, a, _mm256_cmp_ps(x, _mm256_set1_ps(limit), _CMP_LE_OQ));
}

/* The tree over 16 lanes held in two vectors. */
static inline float vf_lanes_sum(const vf *l)
{
    const __m256 eight = _mm256_add_ps(l[0], l[1]);
    __m128 x = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    x = _mm_add_ps(x, _mm_movehl_ps(x, x));
    return _mm_cvtss_f32(_mm_add_ss(x, _mm_movehdup_ps(x)));
}

static inline float vf_lanes_max(const vf *l)
{
    const __m256 eight = _mm256_max_ps(l[1], l[0]);
    __m128 x = _mm_max_ps(_mm256_extractf128_ps(eight, 1), _mm256_castps256_ps128(eight));
    x = _mm_max_ps(_mm_movehl_ps(x, x), x);
    return _mm_cvtss_f32(_mm_max_ss(_mm_movehdup_ps(x), x));
}

#endif
