/* Template: elementary functions of vectors, over an ISA's simd.h, which the including file has included before. Step
 * for step the scalar forms of base/, so that all give the same bits. */
#ifndef HLMI_KERNEL_TMPL_EXP_H
#define HLMI_KERNEL_TMPL_EXP_H

#include "base/expf.h"
#include "base/normalf.h"
#include "base/softplusf.h"

/* HLMI_POLYNOMIALF in every lane */
#define VF_POLYNOMIAL(c, x) vf_polynomial(c, sizeof(c) / sizeof *(c), x)
static inline vf vf_polynomial(const float *c, size_t n, vf x)
{
    vf p = vf_set1(c[0]);
    for (size_t i = 1; i < n; i++) p = vf_fma(p, x, vf_set1(c[i]));
    return p;
}

/* hlmi_expf_inline in every lane */
static inline vf vf_exp(vf x)
{
    const vf t = vf_fma(x, vf_set1(HLMI_EXPF_LOG2E), vf_set1(HLMI_EXPF_ROUND));
    const vf n = vf_sub(t, vf_set1(HLMI_EXPF_ROUND));
    vf r = vf_fma(n, vf_set1(-HLMI_EXPF_LN2_HI), x);
    r = vf_fma(n, vf_set1(-HLMI_EXPF_LN2_LO), r);
    vf p = VF_POLYNOMIAL(hlmi_expf_c, r);
    p = vf_if_ge(x, HLMI_EXPF_MIN, vf_add_exponent(p, t));
    return vf_if_le(x, HLMI_EXPF_MAX, p, vf_add(x, vf_set1(hlmi_f32_from_bits(0x7F800000u))));
}

/* hlmi_softplusf in every lane */
static inline vf vf_softplus(vf x)
{
    const vf u = vf_exp(vf_neg(vf_max(x, vf_neg(x))));
    const vf w = vf_div(u, vf_fma(u, vf_set1(0.5f), vf_set1(1.0f))), z = vf_mul(w, w);
    vf p = VF_POLYNOMIAL(hlmi_log1pf_p, z);
    p = vf_fma(p, vf_mul(w, z), w);
    return vf_add(vf_max(x, vf_set1(0.0f)), p);
}

/* hlmi_normalf in every lane */
static inline vf vf_normal(vf x)
{
    const vf size = vf_max(x, vf_neg(x));
    const vf t = vf_div(vf_set1(1.0f), vf_fma(size, vf_set1(HLMI_NORMALF_T), vf_set1(1.0f)));
    const vf s = vf_sub(t, vf_set1(0.5f));
    vf p = VF_POLYNOMIAL(hlmi_normalf_n, s);
    p = vf_mul(vf_mul(p, t), vf_exp(vf_mul(vf_mul(size, size), vf_set1(-0.5f))));
    return vf_if_le(x, 0.0f, p, vf_sub(vf_set1(1.0f), p));
}

#endif
