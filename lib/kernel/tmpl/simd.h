/* Template: what vectors of floats do under the same names in every instruction set; included by the set's simd.h, over
 *   V(name)                  the set's intrinsic of that name
 *   V_BITS, V_FLOATS         casts between vf and vi, on which V_AND, V_OR work
 *   V_COUNT(n)               how far to shift, which is no constant
 *   V_SHORTS, V_BYTES        loads of as many values of 16 and 8 bits; V_STORE_SHORTS
 *   V_COMPARE(a, b, how)     a mask, for V_PICK (a or b) and V_KEEP (a or 0)
 *   V_ANY(mask), V_ANY_BYTE(x, b)   is there one, is a byte b
 *   V_EIGHT(l, i)            lanes 8i to 8i + 7 of 16 lanes l */
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

static inline vf vf_load_f16(const uint16_t *p)
{
    return V(cvtph_ps)(V_SHORTS(p));
}

static inline void vf_store_f16(uint16_t *p, vf x)
{
    V_STORE_SHORTS(p, V(cvtps_ph)(x, _MM_FROUND_TO_NEAREST_INT));
}

static inline vf vf_load_bf16(const uint16_t *p)
{
    const vi wide = V(cvtepu16_epi32)(V_SHORTS(p));
    return V_FLOATS(V(slli_epi32)(wide, 16));
}

/* x as bf16 in the upper halves. */
static inline vi vf_bf16(vf x)
{
    const vi u = V_BITS(x), odd = V_AND(V(srli_epi32)(u, 16), V(set1_epi32)(1));
    const vi up = V(add_epi32)(V(add_epi32)(u, V(set1_epi32)(0x7FFF)), odd);
    const vi quiet = V_OR(u, V(set1_epi32)(0x400000));
    return V_BITS(V_PICK(V_COMPARE(x, x, _CMP_UNORD_Q), V_FLOATS(quiet), V_FLOATS(up)));
}

static inline void vf_store_bf16(uint16_t *p, vf x)
{
    vf_store_upper(p, vf_bf16(x));
}

static inline vf vf_load_int8(const int8_t *p)
{
    const vi wide = V(cvtepi8_epi32)(V_BYTES(p));
    return V(cvtepi32_ps)(wide);
}

/* x as a 16-bit type has it */
static inline vf vf_round_f16(vf x)
{
    return V(cvtph_ps)(V(cvtps_ph)(x, _MM_FROUND_TO_NEAREST_INT));
}

static inline vf vf_round_bf16(vf x)
{
    return V_FLOATS(V_AND(vf_bf16(x), V(set1_epi32)(-0x10000)));
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

/* x >= limit ? a : 0 */
static inline vf vf_if_ge(vf x, float limit, vf a)
{
    return V_KEEP(V_COMPARE(x, V(set1_ps)(limit), _CMP_GE_OQ), a);
}

/* x <= limit ? a : b */
static inline vf vf_if_le(vf x, float limit, vf a, vf b)
{
    return V_PICK(V_COMPARE(x, V(set1_ps)(limit), _CMP_LE_OQ), a, b);
}

/* The tree over 16 lanes. */
static inline float vf_lanes_sum(const vf *l)
{
    const __m256 eight = _mm256_add_ps(V_EIGHT(l, 0), V_EIGHT(l, 1));
    __m128 x = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    x = _mm_add_ps(x, _mm_movehl_ps(x, x));
    return _mm_cvtss_f32(_mm_add_ss(x, _mm_movehdup_ps(x)));
}

static inline float vf_lanes_max(const vf *l)
{
    const __m256 eight = _mm256_max_ps(V_EIGHT(l, 1), V_EIGHT(l, 0));
    __m128 x = _mm_max_ps(_mm256_extractf128_ps(eight, 1), _mm256_castps256_ps128(eight));
    x = _mm_max_ps(_mm_movehl_ps(x, x), x);
    return _mm_cvtss_f32(_mm_max_ss(_mm_movehdup_ps(x), x));
}

/* The bits of x plus the bits of t shifted to the exponent. */
static inline vf vf_add_exponent(vf x, vf t)
{
    const vi e = V(slli_epi32)(V_BITS(t), 23);
    return V_FLOATS(V(add_epi32)(V_BITS(x), e));
}

#endif
