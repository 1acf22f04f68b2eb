/* Template: the kernels on rows of floats, over the vectors of an ISA's simd.h, which the including file has included
 * before. Step for step ref/vec_row.c; 16 lanes are GROUP vectors. */
#ifndef HLMI_KERNEL_TMPL_ROW_H
#define HLMI_KERNEL_TMPL_ROW_H

#include "kernel/kernel.h"
#include "kernel/lanes.h"
#include "kernel/tmpl/exp.h"

enum { GROUP = HLMI_LANES / VF };

/* Elements of vector j of the last, incomplete group: of n left in all. */
static inline size_t part_of(size_t n, size_t j)
{
    const size_t from = j * VF;
    if (n <= from) return 0;
    return n - from < VF ? n - from : VF;
}

static void rms_norm(float *y, const float *x, const float *w, size_t n, float eps)
{
    vf l[GROUP];
    for (size_t j = 0; j < GROUP; j++) l[j] = vf_set1(0.0f);
    size_t i = 0;
    for (; n - i >= HLMI_LANES; i += HLMI_LANES)
        for (size_t j = 0; j < GROUP; j++) {
            const vf v = vf_load(x + i + j * VF);
            l[j] = vf_fma(v, v, l[j]);
        }
    for (size_t j = 0; j < GROUP; j++) {
        const size_t part = part_of(n - i, j);
        if (part == 0) break;
        const vf v = vf_load_part(x + i + j * VF, part);
        l[j] = vf_fma(v, v, l[j]);
    }
    const float mean = vf_lanes_sum(l) / (float)n;
    const vf r = vf_set1(1.0f / __builtin_sqrtf(mean + eps));
    for (i = 0; n - i >= VF; i += VF) vf_store(y + i, vf_mul(vf_mul(vf_load(x + i), r), vf_load(w + i)));
    if (i < n) vf_store_part(y + i, vf_mul(vf_mul(vf_load_part(x + i, n - i), r), vf_load_part(w + i, n - i)), n - i);
}

static float row_sum(const float *x, size_t n)
{
    vf l[GROUP];
    for (size_t j = 0; j < GROUP; j++) l[j] = vf_set1(0.0f);
    size_t i = 0;
    for (; n - i >= HLMI_LANES; i += HLMI_LANES)
        for (size_t j = 0; j < GROUP; j++) l[j] = vf_add(l[j], vf_load(x + i + j * VF));
    for (size_t j = 0; j < GROUP; j++) {
        const size_t part = part_of(n - i, j);
        if (part == 0) break;
        const vf more = vf_add(l[j], vf_load_part(x + i + j * VF, part));
        l[j] = vf_pick_part(more, l[j], part);
    }
    return vf_lanes_sum(l);
}

/* sum of (x - m)^2 */
static float row_spread(const float *x, float m, size_t n)
{
    const vf mean = vf_set1(m);
    vf l[GROUP];
    for (size_t j = 0; j < GROUP; j++) l[j] = vf_set1(0.0f);
    size_t i = 0;
    for (; n - i >= HLMI_LANES; i += HLMI_LANES)
        for (size_t j = 0; j < GROUP; j++) {
            const vf d = vf_sub(vf_load(x + i + j * VF), mean);
            l[j] = vf_fma(d, d, l[j]);
        }
    for (size_t j = 0; j < GROUP; j++) {
        const size_t part = part_of(n - i, j);
        if (part == 0) break;
        const vf d = vf_sub(vf_load_part(x + i + j * VF, part), mean);
        l[j] = vf_pick_part(vf_fma(d, d, l[j]), l[j], part);
    }
    return vf_lanes_sum(l);
}

static void layer_norm(float *y, const float *x, const float *w, const float *b, size_t n, float eps)
{
    const float m = row_sum(x, n) / (float)n;
    const float var = row_spread(x, m, n) / (float)n;
    const vf mean = vf_set1(m), r = vf_set1(1.0f / __builtin_sqrtf(var + eps));
    for (size_t i = 0; i < n; i += VF) {
        const size_t part = n - i < VF ? n - i : VF;
        const vf d = vf_sub(vf_load_part(x + i, part), mean);
        const vf v = vf_mul(vf_mul(d, r), vf_load_part(w + i, part));
        vf_store_part(y + i, b ? vf_add(v, vf_load_part(b + i, part)) : v, part);
    }
}

static inline vf gelu_one(vf x)
{
    const vf s = vf_fma(vf_mul(x, x), vf_set1(HLMI_GELU_CUBIC), vf_set1(1.0f));
    return vf_div(x, vf_add(vf_set1(1.0f), vf_exp(vf_mul(vf_mul(x, vf_set1(HLMI_GELU_SCALE)), s))));
}

static void gelu(float *y, const float *x, size_t n)
{
    size_t i = 0;
    for (; n - i >= VF; i += VF) vf_store(y + i, gelu_one(vf_load(x + i)));
    if (i < n) vf_store_part(y + i, gelu_one(vf_load_part(x + i, n - i)), n - i);
}

static inline vf relu2_one(vf x)
{
    const vf r = vf_max(x, vf_set1(0.0f));
    return vf_mul(r, r);
}

static void relu2(float *y, const float *x, size_t n)
{
    size_t i = 0;
    for (; n - i >= VF; i += VF) vf_store(y + i, relu2_one(vf_load(x + i)));
    if (i < n) vf_store_part(y + i, relu2_one(vf_load_part(x + i, n - i)), n - i);
}

static void add(float *y, const float *a, const float *b, size_t n)
{
    size_t i = 0;
    for (; n - i >= VF; i += VF) vf_store(y + i, vf_add(vf_load(a + i), vf_load(b + i)));
    if (i < n) vf_store_part(y + i, vf_add(vf_load_part(a + i, n - i), vf_load_part(b + i, n - i)), n - i);
}

static void mul(float *y, const float *a, const float *b, size_t n)
{
    size_t i = 0;
    for (; n - i >= VF; i += VF) vf_store(y + i, vf_mul(vf_load(a + i), vf_load(b + i)));
    if (i < n) vf_store_part(y + i, vf_mul(vf_load_part(a + i, n - i), vf_load_part(b + i, n - i)), n - i);
}

static void scale(float *y, const float *x, float s, size_t n)
{
    const vf by = vf_set1(s);
    size_t i = 0;
    for (; n - i >= VF; i += VF) vf_store(y + i, vf_mul(vf_load(x + i), by));
    if (i < n) vf_store_part(y + i, vf_mul(vf_load_part(x + i, n - i), by), n - i);
}

static inline vf silu_mul_one(vf gate, vf up)
{
    return vf_mul(vf_div(gate, vf_add(vf_set1(1.0f), vf_exp(vf_neg(gate)))), up);
}

static void silu_mul(float *y, const float *gate, const float *up, size_t n)
{
    size_t i = 0;
    for (; n - i >= VF; i += VF) vf_store(y + i, silu_mul_one(vf_load(gate + i), vf_load(up + i)));
    if (i < n) vf_store_part(y + i, silu_mul_one(vf_load_part(gate + i, n - i), vf_load_part(up + i, n - i)), n - i);
}

static inline vf sigmoid_mul_one(vf gate, vf x)
{
    return vf_div(x, vf_add(vf_set1(1.0f), vf_exp(vf_neg(gate))));
}

static void sigmoid_mul(float *y, const float *gate, const float *x, size_t n)
{
    size_t i = 0;
    for (; n - i >= VF; i += VF) vf_store(y + i, sigmoid_mul_one(vf_load(gate + i), vf_load(x + i)));
    if (i < n) vf_store_part(y + i, sigmoid_mul_one(vf_load_part(gate + i, n - i), vf_load_part(x + i, n - i)), n - i);
}

static inline vf gelu_erf_mul_one(vf gate, vf up)
{
    return vf_mul(vf_mul(gate, vf_normal(gate)), up);
}

static void gelu_erf_mul(float *y, const float *gate, const float *up, size_t n)
{
    size_t i = 0;
    for (; n - i >= VF; i += VF) vf_store(y + i, gelu_erf_mul_one(vf_load(gate + i), vf_load(up + i)));
    if (i < n)
        vf_store_part(y + i, gelu_erf_mul_one(vf_load_part(gate + i, n - i), vf_load_part(up + i, n - i)), n - i);
}

static void rope(float *x, const float *cos, const float *sin, size_t half)
{
    float *z = x + half;
    size_t i = 0;
    for (; half - i >= VF; i += VF) {
        const vf a = vf_load(x + i), b = vf_load(z + i), c = vf_load(cos + i), s = vf_load(sin + i);
        vf_store(x + i, vf_fms(a, c, vf_mul(b, s)));
        vf_store(z + i, vf_fma(b, c, vf_mul(a, s)));
    }
    if (i < half) {
        const size_t part = half - i;
        const vf a = vf_load_part(x + i, part), b = vf_load_part(z + i, part);
        const vf c = vf_load_part(cos + i, part), s = vf_load_part(sin + i, part);
        vf_store_part(x + i, vf_fms(a, c, vf_mul(b, s)), part);
        vf_store_part(z + i, vf_fma(b, c, vf_mul(a, s)), part);
    }
}

static float row_max(const float *x, size_t n)
{
    const vf lowest = vf_set1(hlmi_f32_from_bits(0xFF800000u));
    vf l[GROUP];
    for (size_t j = 0; j < GROUP; j++) l[j] = lowest;
    size_t i = 0;
    for (; n - i >= HLMI_LANES; i += HLMI_LANES)
        for (size_t j = 0; j < GROUP; j++) l[j] = vf_max(vf_load(x + i + j * VF), l[j]);
    for (size_t j = 0; j < GROUP; j++) {
        const size_t part = part_of(n - i, j);
        if (part == 0) break;
        l[j] = vf_max(vf_pick_part(vf_load_part(x + i + j * VF, part), lowest, part), l[j]);
    }
    return hlmi_max_or_nan(x, n, vf_lanes_max(l));
}

static float exp_sum(float *y, const float *x, float m, size_t n)
{
    const vf zero = vf_set1(0.0f), less = vf_set1(m);
    vf l[GROUP];
    for (size_t j = 0; j < GROUP; j++) l[j] = zero;
    size_t i = 0;
    for (; n - i >= HLMI_LANES; i += HLMI_LANES)
        for (size_t j = 0; j < GROUP; j++) {
            const vf e = vf_exp(vf_sub(vf_load(x + i + j * VF), less));
            vf_store(y + i + j * VF, e);
            l[j] = vf_add(l[j], e);
        }
    for (size_t j = 0; j < GROUP; j++) {
        const size_t part = part_of(n - i, j);
        if (part == 0) break;
        const vf e = vf_exp(vf_sub(vf_load_part(x + i + j * VF, part), less));
        vf_store_part(y + i + j * VF, e, part);
        l[j] = vf_add(l[j], vf_pick_part(e, zero, part));
    }
    return vf_lanes_sum(l);
}

static inline void fill_rows(hlmi_kernels *k)
{
    k->rms_norm = rms_norm;
    k->layer_norm = layer_norm;
    k->gelu = gelu;
    k->relu2 = relu2;
    k->add = add;
    k->mul = mul;
    k->scale = scale;
    k->silu_mul = silu_mul;
    k->sigmoid_mul = sigmoid_mul;
    k->gelu_erf_mul = gelu_erf_mul;
    k->rope = rope;
    k->max = row_max;
    k->exp_sum = exp_sum;
}

#endif
