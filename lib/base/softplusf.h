/* softplus(x) = log(1 + e^x) in f32, by the sequence of operations that its vector form (kernel/tmpl/exp.h) follows
 * step by step, so that all give the same bits.
 *
 * It is max(x, 0) + log1p(u) with u = e^-|x| in 0..1, and log1p(u) = 2 atanh(w / 2) with w = u / (1 + u / 2). From
 * about 17 on log1p(u) is lost in the rounding of the sum, so that softplus(x) = x (references that say "x where x >
 * 20" agree). */
#ifndef HLMI_BASE_SOFTPLUSF_H
#define HLMI_BASE_SOFTPLUSF_H

#include "base/expf.h"

/* 2 atanh(w / 2) = w + w^3 times powers of w^2, (w^2)^3 first, on 0 <= w <= 2/3, minimax: relative error 2^-27.4 before
 * rounding */
static const float hlmi_log1pf_p[] = {0x1.1ed7c4p-11f, 0x1.1ebd0cp-9f, 0x1.99d208p-7f, 0x1.555502p-4f};

/** Relative error at most 2^-22; 0 below -87.3 (no subnormal results), x at +infinity, NaN for NaN. */
static inline float hlmi_softplusf(float x)
{
    const float size = x > -x ? x : -x;
    const float u = hlmi_expf_inline(-size);
    const float w = u / hlmi_fmaf(u, 0.5f, 1.0f), z = w * w;
    float p = HLMI_POLYNOMIALF(hlmi_log1pf_p, z);
    p = hlmi_fmaf(p, w * z, w);
    return (x > 0.0f ? x : 0.0f) + p;
}

#endif
