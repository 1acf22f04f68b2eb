/* Kernels on one row of floats in plain C. */
#include "base/expf.h"
#include "base/fma.h"
#include "base/normalf.h"
#include "kernel/lanes.h"
#include "kernel/ref/ref.h"

static void rms_norm(float *y, const float *x, const float *w, size_t n, float eps)
{
    float l[HLMI_LANES] = {0};
    const size_t whole = n - n % HLMI_LANES;
    for (size_t i = 0; i < whole; i += HLMI_LANES)
        for (size_t j = 0; j < HLMI_LANES; j++) l[j] = hlmi_fmaf(x[i + j], x[i + j], l[j]);
    for (size_t i = whole; i < n; i++) l[i - whole] = hlmi_fmaf(x[i], x[i], l[i - whole]);
    const float mean = hlmi_lanes_sum(l) / (float)n;
    const float r = 1.0f / __builtin_sqrtf(mean + eps);
    for (size_t i = 0; i < n; i++) y[i] = x[i] * r * w[i];
}

static void layer_norm(float *y, const float *x, const float *w, const float *b, size_t n, float eps)
{
    float l[HLMI_LANES] = {0};
    for (size_t i = 0; i < n; i++) l[i % HLMI_LANES] += x[i];
    const float mean = hlmi_lanes_sum(l) / (float)n;
    for (size_t j = 0; j < HLMI_LANES; j++) l[j] = 0.0f;
    for (size_t i = 0; i < n; i++) l[i % HLMI_LANES] = hlmi_fmaf(x[i] - mean, x[i] - mean, l[i % HLMI_LANES]);
    const float r = 1.0f / __builtin_sqrtf(hlmi_lanes_sum(l) / (float)n + eps);
    for (size_t i = 0; i < n; i++) {
        const float v = (x[i] - mean) * r * w[i];
        y[i] = b ? v + b[i] : v;
    }
}

static void gelu(float *y, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const float v = x[i], s = hlmi_fmaf(v * v, HLMI_GELU_CUBIC, 1.0f);
        y[i] = v / (1.0f + hlmi_expf_inline(v * HLMI_GELU_SCALE * s));
    }
}

static void relu2(float *y, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const float v = hlmi_lane_max(x[i], 0.0f);
        y[i] = v * v;
    }
}

static void add(float *y, const float *a, const float *b, size_t n)
{
    for (size_t i = 0; i < n; i++) y[i] = a[i] + b[i];
}

static void mul(float *y, const float *a, const float *b, size_t n)
{
    for (size_t i = 0; i < n; i++) y[i] = a[i] * b[i];
}

static void scale(float *y, const float *x, float s, size_t n)
{
    for (size_t i = 0; i < n; i++) y[i] = x[i] * s;
}

static void silu_mul(float *y, const float *gate, const float *up, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const float g = gate[i];
        y[i] = g / (1.0f + hlmi_expf_inline(-g)) * up[i];
    }
}

static void sigmoid_mul(float *y, const float *gate, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) y[i] = x[i] / (1.0f + hlmi_expf_inline(-gate[i]));
}

static void gelu_erf_mul(float *y, const float *gate, const float *up, size_t n)
{
    for (size_t i = 0; i < n; i++) y[i] = gate[i] * hlmi_normalf(gate[i]) * up[i];
}

static void rope(float *x, const float *cos, const float *sin, size_t half)
{
    for (size_t i = 0; i < half; i++) {
        const float a = x[i], b = x[i + half];
        x[i] = hlmi_fmaf(a, cos[i], -(b * sin[i]));
        x[i + half] = hlmi_fmaf(b, cos[i], a * sin[i]);
    }
}

static float row_max(const float *x, size_t n)
{
    float l[HLMI_LANES];
    for (size_t j = 0; j < HLMI_LANES; j++) l[j] = hlmi_f32_from_bits(0xFF800000u);
    for (size_t i = 0; i < n; i++) l[i % HLMI_LANES] = hlmi_lane_max(x[i], l[i % HLMI_LANES]);
    for (size_t half = HLMI_LANES / 2; half > 0; half /= 2)
        for (size_t j = 0; j < half; j++) l[j] = hlmi_lane_max(l[j + half], l[j]);
    return hlmi_max_or_nan(x, n, l[0]);
}

static float exp_sum(float *y, const float *x, float m, size_t n)
{
    float l[HLMI_LANES] = {0};
    const size_t whole = n - n % HLMI_LANES;
    for (size_t i = 0; i < whole; i += HLMI_LANES)
        for (size_t j = 0; j < HLMI_LANES; j++) {
            const float e = hlmi_expf_inline(x[i + j] - m);
            y[i + j] = e;
            l[j] += e;
        }
    for (size_t i = whole; i < n; i++) {
        y[i] = hlmi_expf_inline(x[i] - m);
        l[i - whole] += y[i];
    }
    return hlmi_lanes_sum(l);
}

void hlmi_ref_rows(hlmi_kernels *k)
{
    k->rms_norm = rms_norm;
    k->layer_norm = layer_norm;
    k->add = add;
    k->mul = mul;
    k->scale = scale;
    k->silu_mul = silu_mul;
    k->sigmoid_mul = sigmoid_mul;
    k->gelu_erf_mul = gelu_erf_mul;
    k->gelu = gelu;
    k->relu2 = relu2;
    k->rope = rope;
    k->max = row_max;
    k->exp_sum = exp_sum;
}
