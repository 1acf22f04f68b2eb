/* e^x in f32: the constants and the sequence of operations that hlmi_expf and every vector form of it follow step by
 * step, so that all give the same bits. */
#ifndef HLMI_BASE_EXPF_H
#define HLMI_BASE_EXPF_H

#include <stddef.h>
#include <stdint.h>

#include "base/fma.h"
#include "base/half.h"

/* In these bounds the exponent of the result can be added as an integer: no subnormal below, no overflow above. Outside
 * the answer is 0 or infinity. */
#define HLMI_EXPF_MIN (-87.3f)
#define HLMI_EXPF_MAX 88.7f
#define HLMI_EXPF_LOG2E 0x1.715476p+0f
/* Adding it leaves the nearest integer (ties to even) in the low bits; its own low 9 bits are 0. */
#define HLMI_EXPF_ROUND 0x1.8p+23f
/* ln 2 in two parts; n * HI is exact for every exponent n */
#define HLMI_EXPF_LN2_HI 0x1.62e4p-1f
#define HLMI_EXPF_LN2_LO 0x1.7f7d1cp-20f
/* e^r by powers of r, r^6 first, on |r| <= ln 2 / 2, minimax: relative error 2^-28 before rounding */
static const float hlmi_expf_c[] = {
    0x1.6a23d0p-10f, 0x1.123a20p-7f, 0x1.5558f2p-5f, 0x1.555492p-3f, 0x1.fffffcp-2f, 1.0f, 1.0f};

/** A polynomial, the coefficient of the highest power first. */
#define HLMI_POLYNOMIALF(c, x) hlmi_polynomialf(c, sizeof(c) / sizeof *(c), x)
static inline float hlmi_polynomialf(const float *c, size_t n, float x)
{
    float p = c[0];
    for (size_t i = 1; i < n; i++) p = hlmi_fmaf(p, x, c[i]);
    return p;
}

static inline float hlmi_expf_inline(float x)
{
    const float t = hlmi_fmaf(x, HLMI_EXPF_LOG2E, HLMI_EXPF_ROUND);
    const float n = t - HLMI_EXPF_ROUND;
    float r = hlmi_fmaf(n, -HLMI_EXPF_LN2_HI, x);
    r = hlmi_fmaf(n, -HLMI_EXPF_LN2_LO, r);
    float p = HLMI_POLYNOMIALF(hlmi_expf_c, r);
    p = hlmi_f32_from_bits(hlmi_f32_bits(p) + (hlmi_f32_bits(t) << 23));
    p = x >= HLMI_EXPF_MIN ? p : 0.0f;
    return x <= HLMI_EXPF_MAX ? p : x + hlmi_f32_from_bits(0x7F800000u); /* infinity, or NaN for NaN */
}

#endif
