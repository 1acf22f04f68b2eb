/* Template: what vectors of floats do under the same names in every instruction set, over V(name), the set's intrinsic
 * of that name, and its casts; included by the set's simd.h. */
#ifndef HLMI_KERNEL_TMPL_SIMD_H
#define HLMI_KERNEL_TMPL_SIMD_H

static inline vf vf_set1(float x)
{
    return V(set1_ps)(x);
}

static inline vf vf_load(const float *p)
{
    return V(loadu_ps)(p);
}

static inline void vf_store(float *p, vf x)
{
    V(storeu_ps)(p, x);
}

/* The larger of a, bits of no sign, and the bits of |x|. */
static inline vf vf_max_bits(vf a, vf x)
{
    const vi bits = V_AND(V_BITS(x), V(set1_epi32)(0x7FFFFFFF));
    return V_FLOATS(V(max_epi32)(V_BITS(a), bits));
}

/* x as a 16-bit type has it */
static inline vf vf_round_f16(vf x)
{
    return V(cvtph_ps)(V(cvtps_ph)(x, _MM_FROUND_TO_NEAREST_INT));
}

static inline vf vf_add(vf a, vf b)
{
    return V(add_ps)(a, b);
}

static inline vf vf_sub(vf a, vf b)
{
    return V(sub_ps)(a, b);
}

static inline vf vf_mul(vf a, vf b)
{
    return V(mul_ps)(a, b);
}

static inline vf vf_div(vf a, vf b)
{
    return V(div_ps)(a, b);
}

/* a * b + c and a * b - c, one rounding */
static inline vf vf_fma(vf a, vf b, vf c)
{
    return V(fmadd_ps)(a, b, c);
}

static inline vf vf_fms(vf a, vf b, vf c)
{
    return V(fmsub_ps)(a, b, c);
}

static inline vf vf_neg(vf x)
{
    return V(xor_ps)(x, V(set1_ps)(-0.0f));
}

/* a > b ? a : b */
static inline vf vf_max(vf a, vf b)
{
    return V(max_ps)(a, b);
}

/* The bits of x plus the bits of t shifted to the exponent. */
static inline vf vf_add_exponent(vf x, vf t)
{
    const vi e = V(slli_epi32)(V_BITS(t), 23);
    return V_FLOATS(V(add_epi32)(V_BITS(x), e));
}

#endif
