/* Packing of activations (act.h), row by row. */
#include "base/fma.h"
#include "base/half.h"
#include "kernel/act.h"
#include "kernel/ref/ref.h"
#include "kernel/row_scale.h"

static void pack_bf16(void *dst, size_t stride, const float *x, size_t ldx, size_t n, size_t cols)
{
    for (size_t t = 0; t < n; t++) {
        uint16_t *q = (uint16_t *)((char *)dst + t * stride);
        for (size_t k = 0; k < cols; k++) q[k] = hlmi_f32_to_bf16(x[t * ldx + k]);
        if (cols % 2) q[cols] = 0;
    }
}

static int32_t sum(const int8_t *q, size_t n)
{
    int32_t s = 0;
    for (size_t k = 0; k < n; k++) s += q[k];
    return s;
}

static void block_q8(hlmi_act_q8 *a, const float *x)
{
    const float d = hlmi_row_int8(a->q, 1, x, 32);
    const int32_t s = sum(a->q, 32);
    a->d = d;
    a->dsum = d == d ? d * (float)s : d;
    a->sum8 = -8 * s;
    a->sum128 = -128 * s;
}

static void block_q8k(hlmi_act_q8k *a, const float *x)
{
    a->d = hlmi_row_int8(a->q, 1, x, 256);
    for (size_t s = 0; s < 16; s++) a->sum16[s] = (int16_t)sum(a->q + 16 * s, 16);
    for (size_t s = 0; s < 8; s++) a->sum32[s] = (int16_t)sum(a->q + 32 * s, 32);
    for (size_t i = 0; i < 3; i++) a->zero[i] = 0;
}

/* r = what n values q with scale d leave of x */
static void residual(float *r, const float *x, const int8_t *q, float d, size_t n)
{
    for (size_t k = 0; k < n; k++) r[k] = hlmi_fmaf(-d, (float)q[k], x[k]);
}

static void block_q16(hlmi_act_q16 *a, const float *x)
{
    float id;
    a->d = hlmi_row_scale(&id, x, 32, 32767.0f);
    for (size_t i = 0; i < 32; i++) {
        const size_t at = i / 4 * 4 + i % 2 * 2 + i % 4 / 2; /* columns 0, 2, 1, 3 */
        a->q[at] = (int16_t)(id == 0.0f ? 0 : (int32_t)hlmi_nearest(x[i] * id));
    }
}

#include "kernel/tmpl/pack.h"

void hlmi_ref_pack(hlmi_kernels *k)
{
    k->pack[HLMI_ACT_BF16] = pack_bf16;
    fill_pack(k);
}
