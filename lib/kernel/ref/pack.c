/* Packing of activations (act.h), row by row. */
#include "base/fma.h"
#include "base/half.h"
#include "kernel/act.h"
#include "kernel/ref/ref.h"
#include "kernel/row_scale.h"

void hlmi_ref_pack_bf16(void *dst, size_t stride, const float *x, size_t ldx, size_t n, size_t cols)
{
    for (size_t t = 0; t < n; t++) {
        uint16_t *q = (uint16_t *)((char *)dst + t * stride);
        for (size_t k = 0; k < cols; k++) q[k] = hlmi_f32_to_bf16(x[t * ldx + k]);
        if (cols % 2) q[cols] = 0;
    }
}

/* q of n values and their scale, which is returned. */
static float quantise(int8_t *q, const float *x, size_t n)
{
    float id;
    const float d = hlmi_row_scale(&id, x, n, 127.0f);
    for (size_t k = 0; k < n; k++) q[k] = (int8_t)(id == 0.0f ? 0 : (int32_t)hlmi_nearest(x[k] * id));
    return d;
}

static int32_t sum(const int8_t *q, size_t n)
{
    int32_t s = 0;
    for (size_t k = 0; k < n; k++) s += q[k];
    return s;
}

static void block_q8(hlmi_act_q8 *a, const float *x)
{
    const float d = quantise(a->q, x, 32);
    const int32_t s = sum(a->q, 32);
    a->d = d;
    a->dsum = d == d ? d * (float)s : d;
    a->sum8 = -8 * s;
    a->sum128 = -128 * s;
}

static void block_q8k(hlmi_act_q8k *a, const float *x)
{
    a->d = quantise(a->q, x, 256);
    for (size_t s = 0; s < 16; s++) a->sum16[s] = (int16_t)sum(a->q + 16 * s, 16);
    for (size_t s = 0; s < 8; s++) a->sum32[s] = (int16_t)sum(a->q + 32 * s, 32);
    for (size_t i = 0; i < 3; i++) a->zero[i] = 0;
}

/* r = what n values q with scale d leave of x */
static void residual(float *r, const float *x, const int8_t *q, float d, size_t n)
{
    for (size_t k = 0; k < n; k++) r[k] = hlmi_fmaf(-d, (float)q[k], x[k]);
}

void hlmi_ref_pack_q8(void *dst, size_t stride, const float *x, size_t ldx, size_t n, size_t cols)
{
    for (size_t t = 0; t < n; t++) {
        hlmi_act_q8 *a = (hlmi_act_q8 *)((char *)dst + t * stride);
        for (size_t b = 0; b < cols / 32; b++) block_q8(a + b, x + t * ldx + b * 32);
    }
}

void hlmi_ref_pack_q8k(void *dst, size_t stride, const float *x, size_t ldx, size_t n, size_t cols)
{
    for (size_t t = 0; t < n; t++) {
        hlmi_act_q8k *a = (hlmi_act_q8k *)((char *)dst + t * stride);
        for (size_t b = 0; b < cols / 256; b++) block_q8k(a + b, x + t * ldx + b * 256);
    }
}

void hlmi_ref_pack_q8_wide(void *dst, size_t stride, const float *x, size_t ldx, size_t n, size_t cols)
{
    float r[32];
    for (size_t t = 0; t < n; t++) {
        hlmi_act_q8 *a = (hlmi_act_q8 *)((char *)dst + 2 * t * stride);
        hlmi_act_q8 *rest = (hlmi_act_q8 *)((char *)a + stride);
        for (size_t b = 0; b < cols / 32; b++) {
            block_q8(a + b, x + t * ldx + b * 32);
            residual(r, x + t * ldx + b * 32, a[b].q, a[b].d, 32);
            block_q8(rest + b, r);
        }
    }
}

void hlmi_ref_pack_q8k_wide(void *dst, size_t stride, const float *x, size_t ldx, size_t n, size_t cols)
{
    float r[256];
    for (size_t t = 0; t < n; t++) {
        hlmi_act_q8k *a = (hlmi_act_q8k *)((char *)dst + 2 * t * stride);
        hlmi_act_q8k *rest = (hlmi_act_q8k *)((char *)a + stride);
        for (size_t b = 0; b < cols / 256; b++) {
            block_q8k(a + b, x + t * ldx + b * 256);
            residual(r, x + t * ldx + b * 256, a[b].q, a[b].d, 256);
            block_q8k(rest + b, r);
        }
    }
}

void hlmi_ref_pack_q16(void *dst, size_t stride, const float *x, size_t ldx, size_t n, size_t cols)
{
    for (size_t t = 0; t < n; t++) {
        hlmi_act_q16 *a = (hlmi_act_q16 *)((char *)dst + t * stride);
        const float *row = x + t * ldx;
        for (size_t k = 0; k < cols; k += 32, a++, row += 32) {
            float id;
            a->d = hlmi_row_scale(&id, row, 32, 32767.0f);
            for (size_t i = 0; i < 32; i++) {
                const size_t at = i / 4 * 4 + i % 2 * 2 + i % 4 / 2; /* columns 0, 2, 1, 3 */
                a->q[at] = (int16_t)(id == 0.0f ? 0 : (int32_t)hlmi_nearest(row[i] * id));
            }
        }
    }
}
