/* Stands in for AVX-512 on CPUs without it: put in front of the kernel sources, which are then compiled for AVX2 and
 * run on SIMDe's versions of the intrinsics. Those that SIMDe lacks, or rounds otherwise than the CPU, follow. */
#ifndef CHECKKERN_EMULATE_H
#define CHECKKERN_EMULATE_H

#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/x86/avx512.h>

#include "base/fma.h"
#include "base/half.h"

/* inlined into unrolled tiles, emulated intrinsics take a compiler minutes */
#define HLMI_INLINE static inline
#define HLMI_UNROLL
#define HLMI_ROLLED

static inline float emulate_flush(float f)
{
    const uint32_t u = hlmi_f32_bits(f);
    return u & 0x7F800000u ? f : hlmi_f32_from_bits(u & 0x80000000u);
}

/* Intel's description of VDPBF16PS: odd elements first, each product added with one rounding, subnormals as zero. */
static inline __m512 emulate_dpbf16(__m512 acc, __m512i a, __m512i b)
{
    float sum[16];
    uint16_t p[32], q[32];
    memcpy(sum, &acc, sizeof sum);
    memcpy(p, &a, sizeof p);
    memcpy(q, &b, sizeof q);
    for (int i = 0; i < 32; i++) {
        const float x = emulate_flush(hlmi_bf16_to_f32(p[i ^ 1])), y = emulate_flush(hlmi_bf16_to_f32(q[i ^ 1]));
        sum[i / 2] = emulate_flush(hlmi_fmaf(x, y, emulate_flush(sum[i / 2])));
    }
    return simde_mm512_loadu_ps(sum);
}

/* Lane by lane: 16 of FROM become 16 of TO. */
#define EMULATE_CONVERT(name, to_vector, TO, from_vector, FROM, expression) \
  static inline to_vector name(from_vector v)                               \
  {                                                                         \
    FROM from[16];                                                          \
    TO to[16];                                                              \
    to_vector r;                                                            \
    memcpy(from, &v, sizeof from);                                          \
    for (int i = 0; i < 16; i++) to[i] = (TO)(expression);                  \
    memcpy(&r, to, sizeof r);                                               \
    return r;                                                               \
  }

EMULATE_CONVERT(emulate_cvtepu8_epi32, __m512i, int32_t, __m128i, uint8_t, from[i])
EMULATE_CONVERT(emulate_cvtepi8_epi32, __m512i, int32_t, __m128i, int8_t, from[i])
EMULATE_CONVERT(emulate_cvtepi32_epi16, __m256i, uint16_t, __m512i, uint32_t, from[i] & 0xFFFF)
EMULATE_CONVERT(emulate_cvtepi32_epi8, __m128i, int8_t, __m512i, int32_t, from[i])
/* to the nearest, even between two; of what is small enough to have a fraction */
EMULATE_CONVERT(emulate_cvtps_epi32, __m512i, int32_t, __m512, float, (from[i] + 0x1.8p23f) - 0x1.8p23f)
EMULATE_CONVERT(emulate_cvtepi32_ps, __m512, float, __m512i, int32_t, from[i])
EMULATE_CONVERT(emulate_cvtph_ps, __m512, float, __m256i, uint16_t, hlmi_f16_to_f32(from[i]))

EMULATE_CONVERT(emulate_cvtepu16_epi32, __m512i, int32_t, __m256i, uint16_t, from[i])
EMULATE_CONVERT(emulate_cvtps_ph, __m256i, uint16_t, __m512, float, hlmi_f32_to_f16(from[i]))

static inline __m512i emulate_srai(__m512i v, unsigned n)
{
    int32_t x[16];
    memcpy(x, &v, sizeof x);
    for (int i = 0; i < 16; i++) x[i] >>= n;
    return simde_mm512_loadu_si512(x);
}

/* Lanes that the mask leaves out are neither read nor written. */
static inline __m512 emulate_maskz_loadu(__mmask16 mask, const float *p)
{
    float v[16];
    for (int i = 0; i < 16; i++) v[i] = mask >> i & 1 ? p[i] : 0.0f;
    return simde_mm512_loadu_ps(v);
}

static inline void emulate_mask_storeu(float *p, __mmask16 mask, __m512 x)
{
    float v[16];
    memcpy(v, &x, sizeof v);
    for (int i = 0; i < 16; i++) {
        if (mask >> i & 1) p[i] = v[i];
    }
}

/* half 0 or 1 */
static inline __m256 emulate_extract8(__m512 x, int half)
{
    __m256 r;
    memcpy(&r, (const char *)&x + half * 32, sizeof r);
    return r;
}

#undef _mm512_extractf32x8_ps /* macros of clang's immintrin.h, which SIMDe reads */
#undef _mm512_cvtps_ph
#define _mm512_extractf32x8_ps(x, half) emulate_extract8(x, half)
#define _mm512_maskz_loadu_ps(mask, p) emulate_maskz_loadu(mask, p)
#define _mm512_mask_storeu_ps(p, mask, x) emulate_mask_storeu(p, mask, x)
#define _mm512_cvtps_ph(v, rounding) emulate_cvtps_ph(v) /* to nearest is all that the kernels use */
#define _mm512_cvtepu16_epi32(v) emulate_cvtepu16_epi32(v)
#define _mm512_cvtepu8_epi32(v) emulate_cvtepu8_epi32(v)
#define _mm512_cvtepi8_epi32(v) emulate_cvtepi8_epi32(v)
#define _mm512_cvtepi32_epi16(v) emulate_cvtepi32_epi16(v)
#define _mm512_cvtepi32_epi8(v) emulate_cvtepi32_epi8(v)
#undef _mm512_cvtps_epi32
#define _mm512_cvtps_epi32(v) emulate_cvtps_epi32(v)
#undef _mm512_cvtepi32_ps
#define _mm512_cvtepi32_ps(v) emulate_cvtepi32_ps(v)
#define _mm512_cvtph_ps(v) emulate_cvtph_ps(v)
#undef _mm512_srai_epi32
#define _mm512_srai_epi32(v, n) emulate_srai(v, n)
#undef _mm512_madd_epi16 /* SIMDe 0.7.4 gives this name the arguments of the masked form */
#define _mm512_madd_epi16(a, b) simde_mm512_madd_epi16(a, b)
#define __m512bh __m512i
#undef _mm512_dpbf16_ps
#define _mm512_dpbf16_ps(acc, a, b) emulate_dpbf16(acc, a, b)

#endif
