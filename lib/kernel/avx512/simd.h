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
#define V_OR(a, b) _mm512_or_si512(a, b)
#define V_COUNT(n) (unsigned)(n)
#define V_SHORTS(p) _mm256_loadu_si256((const __m256i *)(p))
#define V_STORE_SHORTS(p, x) _mm256_storeu_si256((__m256i *)(p), x)
#define V_BYTES(p) _mm_loadu_si128((const __m128i *)(p))
#define V_COMPARE(a, b, how) _mm512_cmp_ps_mask(a, b, how)
#define V_PICK(mask, a, b) _mm512_mask_mov_ps(b, mask, a)
#define V_KEEP(mask, a) _mm512_maskz_mov_ps(mask, a)
#define V_ANY(mask) ((mask) != 0)
#define V_ANY_BYTE(x, b) (_mm512_cmpeq_epi8_mask(x, _mm512_set1_epi8(b)) != 0)
#define V_EIGHT(l, i) ((i) ? _mm512_extractf32x8_ps(*(l), 1) : _mm512_castps512_ps256(*(l)))

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
    return V_PICK(vf_part_mask(n), x, other);
}

/* The upper halves of 32 bits. */
static inline void vf_store_upper(uint16_t *p, vi x)
{
    V_STORE_SHORTS(p, _mm512_cvtepi32_epi16(_mm512_srli_epi32(x, 16)));
}

/* x to the nearest integer, of which there are -128..127 */
static inline void vf_store_int8(int8_t *p, vf x)
{
    _mm_storeu_si128((__m128i *)p, _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(x)));
}

#include "kernel/tmpl/simd.h"

#endif
