/* The normal distribution function in f32, by the sequence of operations that its vector form (kernel/tmpl/exp.h)
 * follows step by step, so that all give the same bits. */
#ifndef HLMI_BASE_NORMALF_H
#define HLMI_BASE_NORMALF_H

#include "base/expf.h"

/* Below: P(-x) = e^(-x^2 / 2) t times powers of s, s^9 first, with t = 1 / (1 + T x), s = t - 1/2, for 0 <= x <= 13.3,
 * minimax: relative error 2^-26.7 before rounding */
#define HLMI_NORMALF_T 0x1.8p-2f
static const float hlmi_normalf_n[] = {0x1.64a9b0p-6f,  -0x1.4cacbcp-5f, -0x1.a0ae16p-9f, 0x1.082e62p-4f,
                                       -0x1.3f8630p-6f, -0x1.a440aap-4f, 0x1.67671cp-6f,  0x1.fd5a28p-3f,
                                       0x1.626a2ep-2f,  0x1.129e60p-2f};

/** P(x) = (1 + erf(x / sqrt(2))) / 2; 0 below -13.2, NaN for NaN. The relative error is at most 2^-21 (1 + x^2 /
 *  16). */
static inline float hlmi_normalf(float x)
{
    const float size = x > -x ? x : -x;
    const float t = 1.0f / hlmi_fmaf(size, HLMI_NORMALF_T, 1.0f), s = t - 0.5f;
    float p = HLMI_POLYNOMIALF(hlmi_normalf_n, s);
    p = p * t * hlmi_expf_inline(size * size * -0.5f);
    return x <= 0.0f ? p : 1.0f - p;
}

#endif
