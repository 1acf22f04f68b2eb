/* The normal distribution function in f32, by the sequence of operations that its vector form (kernel/tmpl/exp.h)
 * follows step by step, so that all give the same bits. */
#ifndef HLMI_BASE_NORMALF_H
#define HLMI_BASE_NORMALF_H

#include "base/expf.h"

/* Below: P(-x) = e^(-x^2 / 2) t (N0 + N1 s + ... + N9 s^9) with t = 1 / (1 + T x), s = t - 1/2, for 0 <= x <= 13.3,
 * minimax: relative error 2^-26.7 before rounding */
#define HLMI_NORMALF_T 0x1.8p-2f
#define HLMI_NORMALF_N0 0x1.129e60p-2f
#define HLMI_NORMALF_N1 0x1.626a2ep-2f
#define HLMI_NORMALF_N2 0x1.fd5a28p-3f
#define HLMI_NORMALF_N3 0x1.67671cp-6f
#define HLMI_NORMALF_N4 -0x1.a440aap-4f
#define HLMI_NORMALF_N5 -0x1.3f8630p-6f
#define HLMI_NORMALF_N6 0x1.082e62p-4f
#define HLMI_NORMALF_N7 -0x1.a0ae16p-9f
#define HLMI_NORMALF_N8 -0x1.4cacbcp-5f
#define HLMI_NORMALF_N9 0x1.64a9b0p-6f

/** P(x) = (1 + erf(x / sqrt(2))) / 2; 0 below -13.2, NaN for NaN. The relative error is at most 2^-21 (1 + x^2 /
 *  16). */
static inline float hlmi_normalf(float x)
{
    const float size = x > -x ? x : -x;
    const float t = 1.0f / hlmi_fmaf(size, HLMI_NORMALF_T, 1.0f), s = t - 0.5f;
    float p = hlmi_fmaf(HLMI_NORMALF_N9, s, HLMI_NORMALF_N8);
    p = hlmi_fmaf(p, s, HLMI_NORMALF_N7);
    p = hlmi_fmaf(p, s, HLMI_NORMALF_N6);
    p = hlmi_fmaf(p, s, HLMI_NORMALF_N5);
    p = hlmi_fmaf(p, s, HLMI_NORMALF_N4);
    p = hlmi_fmaf(p, s, HLMI_NORMALF_N3);
    p = hlmi_fmaf(p, s, HLMI_NORMALF_N2);
    p = hlmi_fmaf(p, s, HLMI_NORMALF_N1);
    p = hlmi_fmaf(p, s, HLMI_NORMALF_N0);
    p = p * t * hlmi_expf_inline(size * size * -0.5f);
    return x <= 0.0f ? p : 1.0f - p;
}

#endif
