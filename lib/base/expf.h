/* e^x in f32: the constants and the sequence of operations that hlmi_expf and every vector form of it follow step by
 * step, so that all give the same bits. */
#ifndef HLMI_BASE_EXPF_H
#define HLMI_BASE_EXPF_H

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
/* e^r = 1 + r + C2 r^2 + ... + C6 r^6 on |r| <= ln 2 / 2, minimax: relative error 2^-28 before rounding */
#define HLMI_EXPF_C2 0x1.fffffcp-2f
#define HLMI_EXPF_C3 0x1.555492p-3f
#define HLMI_EXPF_C4 0x1.5558f2p-5f
#define HLMI_EXPF_C5 0x1.123a20p-7f
#define HLMI_EXPF_C6 0x1.6a23d0p-10f

static inline float hlmi_expf_inline(float x)
{
    const float t = hlmi_fmaf(x, HLMI_EXPF_LOG2E, HLMI_EXPF_ROUND);
    const float n = t - HLMI_EXPF_ROUND;
    float r = hlmi_fmaf(n, -HLMI_EXPF_LN2_HI, x);
    r = hlmi_fmaf(n, -HLMI_EXPF_LN2_LO, r);
    float p = hlmi_fmaf(HLMI_EXPF_C6, r, HLMI_EXPF_C5);
    p = hlmi_fmaf(p, r, HLMI_EXPF_C4);
    p = hlmi_fmaf(p, r, HLMI_EXPF_C3);
    p = hlmi_fmaf(p, r, HLMI_EXPF_C2);
    p = hlmi_fmaf(p, r, 1.0f);
    p = hlmi_fmaf(p, r, 1.0f);
    p = hlmi_f32_from_bits(hlmi_f32_bits(p) + (hlmi_f32_bits(t) << 23));
    p = x >= HLMI_EXPF_MIN ? p : 0.0f;
    return x <= HLMI_EXPF_MAX ? p : x + hlmi_f32_from_bits(0x7F800000u); /* infinity, or NaN for NaN */
}

#endif
