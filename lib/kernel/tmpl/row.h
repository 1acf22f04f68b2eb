/* Template: the kernels on rows of floats, over the vectors of an ISA's simd.h, which the including file has included
 * before. Step for step ref/vec_row.c; 16 lanes are GROUP vectors. */
#ifndef HLMI_KERNEL_TMPL_ROW_H
#define HLMI_KERNEL_TMPL_ROW_H

#include "kernel/kernel.h"
#include "kernel/lanes.h"
#include "kernel/tmpl/exp.h"
#include "kernel/walk.h"

enum { GROUP = HLMI_LANES / VF };

/* Elements of vector j of the last, incomplete group: of n left in all. */
static inline size_t part_of(size_t n, size_t j)
{
    const size_t from = j * VF;
    if (n <= from) return 0;
    return n - from < VF ? n - from : VF;
}

typedef vf lanes_fn(vf l, vf x, vf by);
typedef float tree_fn(const vf *l);

/* The 16 lanes, beginning with `start`, take in all x by `add`, and are joined as a tree. */
HLMI_INLINE float row_lanes(const float *x, size_t n, vf start, vf by, lanes_fn *add, tree_fn *join)
{
    vf l[GROUP];
    for (size_t j = 0; j < GROUP; j++) l[j] = start;
    size_t i = 0;
    for (; n - i >= HLMI_LANES; i += HLMI_LANES)
        for (size_t j = 0; j < GROUP; j++) l[j] = add(l[j], vf_load(x + i + j * VF), by);
    for (size_t j = 0; j < GROUP; j++) {
        const size_t part = part_of(n - i, j);
        if (part == 0) break;
        l[j] = vf_pick_part(add(l[j], vf_load_part(x + i + j * VF, part), by), l[j], part);
    }
    return join(l);
}

static inline vf add_to(vf l, vf x, vf by)
{
    (void)by;
    return vf_add(l, x);
}

/* (x - m)^2 */
static inline vf add_square(vf l, vf x, vf m)
{
    const vf d = vf_sub(x, m);
    return vf_fma(d, d, l);
}

static inline vf add_larger(vf l, vf x, vf by)
{
    (void)by;
    return vf_max(x, l);
}

static void rms_norm(float *y, const float *x, const float *w, size_t n, float eps)
{
    const float mean = row_lanes(x, n, vf_set1(0.0f), vf_set1(0.0f), add_square, vf_lanes_sum) / (float)n;
    const vf r = vf_set1(1.0f / __builtin_sqrtf(mean + eps));
    size_t i = 0;
    for (; n - i >= VF; i += VF) vf_store(y + i, vf_mul(vf_mul(vf_load(x + i), r), vf_load(w + i)));
    if (i < n) vf_store_part(y + i, vf_mul(vf_mul(vf_load_part(x + i, n - i), r), vf_load_part(w + i, n - i)), n - i);
}

static void layer_norm(float *y, const float *x, const float *w, const float *b, size_t n, float eps)
{
    const vf zero = vf_set1(0.0f), mean = vf_set1(row_lanes(x, n, zero, zero, add_to, vf_lanes_sum) / (float)n);
    const float var = row_lanes(x, n, zero, mean, add_square, vf_lanes_sum) / (float)n;
    const vf r = vf_set1(1.0f / __builtin_sqrtf(var + eps));
    for (size_t i = 0; i < n; i += VF) {
        const size_t part = n - i < VF ? n - i : VF;
        const vf d = vf_sub(vf_load_part(x + i, part), mean);
        const vf v = vf_mul(vf_mul(d, r), vf_load_part(w + i, part));
        vf_store_part(y + i, b ? vf_add(v, vf_load_part(b + i, part)) : v, part);
    }
}

/* y of one row, or of two, vector by vector. */
#define ROW_OF(name, one)                                                    \
  static void name(float *y, const float *x, size_t n)                       \
  {                                                                          \
    size_t i = 0;                                                            \
    for (; n - i >= VF; i += VF) vf_store(y + i, one(vf_load(x + i)));       \
    if (i < n) vf_store_part(y + i, one(vf_load_part(x + i, n - i)), n - i); \
  }
#define ROW_OF_TWO(name, one)                                                                            \
  static void name(float *y, const float *a, const float *b, size_t n)                                   \
  {                                                                                                      \
    size_t i = 0;                                                                                        \
    for (; n - i >= VF; i += VF) vf_store(y + i, one(vf_load(a + i), vf_load(b + i)));                   \
    if (i < n) vf_store_part(y + i, one(vf_load_part(a + i, n - i), vf_load_part(b + i, n - i)), n - i); \
  }

static inline vf gelu_one(vf x)
{
    const vf s = vf_fma(vf_mul(x, x), vf_set1(HLMI_GELU_CUBIC), vf_set1(1.0f));
    return vf_div(x, vf_add(vf_set1(1.0f), vf_exp(vf_mul(vf_mul(x, vf_set1(HLMI_GELU_SCALE)), s))));
}

static inline vf relu2_one(vf x)
{
    const vf r = vf_max(x, vf_set1(0.0f));
    return vf_mul(r, r);
}

static inline vf sigmoid_mul_one(vf gate, vf x)
{
    return vf_div(x, vf_add(vf_set1(1.0f), vf_exp(vf_neg(gate))));
}

static inline vf silu_mul_one(vf gate, vf up)
{
    return vf_mul(sigmoid_mul_one(gate, gate), up);
}

static inline vf gelu_erf_mul_one(vf gate, vf up)
{
    return vf_mul(vf_mul(gate, vf_normal(gate)), up);
}

ROW_OF(gelu, gelu_one)
ROW_OF(relu2, relu2_one)
ROW_OF_TWO(add, vf_add)
ROW_OF_TWO(mul, vf_mul)
ROW_OF_TWO(silu_mul, silu_mul_one)
ROW_OF_TWO(sigmoid_mul, sigmoid_mul_one)
ROW_OF_TWO(gelu_erf_mul, gelu_erf_mul_one)

static void scale(float *y, const float *x, float s, size_t n)
{
    const vf by = vf_set1(s);
    size_t i = 0;
    for (; n - i >= VF; i += VF) vf_store(y + i, vf_mul(vf_load(x + i), by));
    if (i < n) vf_store_part(y + i, vf_mul(vf_load_part(x + i, n - i), by), n - i);
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
    return hlmi_max_or_nan(x, n, row_lanes(x, n, lowest, lowest, add_larger, vf_lanes_max));
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
