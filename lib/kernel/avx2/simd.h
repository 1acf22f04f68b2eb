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
#define V_OR(a, b) _mm256_or_si256(a, b)
#define V_COUNT(n) (n)
#define V_SHORTS(p) _mm_loadu_si128((const __m128i *)(p))
#define V_STORE_SHORTS(p, x) _mm_storeu_si128((__m128i *)(p), x)
#define V_BYTES(p) _mm_loadl_epi64((const __m128i *)(p))
#define V_COMPARE(a, b, how) _mm256_cmp_ps(a, b, how)
#define V_PICK(mask, a, b) _mm256_blendv_ps(b, a, mask)
#define V_KEEP(mask, a) _mm256_and_ps(a, mask)
#define V_ANY(mask) (_mm256_movemask_ps(mask) != 0)
#define V_ANY_BYTE(x, b) (_mm256_movemask_epi8(_mm256_cmpeq_epi8(x, _mm256_set1_epi8(b))) != 0)
#define V_EIGHT(l, i) (l)[i]

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
    return V_PICK(V_FLOATS(vf_part_mask(n)), x, other);
}

/* The upper halves of 32 bits. */
static inline void vf_store_upper(uint16_t *p, vi x)
{
    const vi high = _mm256_srli_epi32(x, 16);
    const vi packed = _mm256_permute4x64_epi64(_mm256_packus_epi32(high, high), 0x08);
    V_STORE_SHORTS(p, _mm256_castsi256_si128(packed));
}

/* x to the nearest integer, within -128..127 */
static inline void vf_store_int8(int8_t *p, vf x)
{
    const __m256i i = _mm256_cvtps_epi32(x), two = _mm256_packs_epi32(i, i);
    const __m128i eight = _mm_unpacklo_epi64(_mm256_castsi256_si128(two), _mm256_extracti128_si256(two, 1));
    _mm_storel_epi64((__m128i *)p, _mm_packs_epi16(eight, eight));
}

#include "kernel/tmpl/simd.h"

#endif
