/* Products of f32 activations: weights are expanded 32 columns at a time, with the bits that dequantising gives, and
 * multiplied in f32. */
#include "base/fma.h"
#include "base/half.h"
#include "kernel/ref/ref.h"
#include "kernel/unit.h"

enum { STEP = 32, LANES = 32 };

/* w[k][r], k < n <= STEP, r < rows: columns k0.. of a group. k0 is a multiple of STEP; n is STEP but at the end of a
 * row. */
typedef void expand_fn(float *w, const void *group, size_t k0, size_t n);

static void expand_f32(float *w, const void *group, size_t k0, size_t n)
{
    memcpy(w, (const float *)group + k0 * LANES, n * LANES * sizeof *w);
}

static void expand_f16(float *w, const void *group, size_t k0, size_t n)
{
    const uint16_t *h = (const uint16_t *)group + k0 * LANES;
    for (size_t i = 0; i < n * LANES; i++) w[i] = hlmi_f16_to_f32(h[i]);
}

static void expand_bf16(float *w, const void *group, size_t k0, size_t n)
{
    const uint16_t *h = (const uint16_t *)group + k0 * LANES;
    for (size_t k = 0; k < n; k++) {
        const uint16_t *pair = h + k / 2 * 2 * LANES + k % 2;
        for (size_t r = 0; r < LANES; r++) w[k * LANES + r] = hlmi_bf16_to_f32(pair[2 * r]);
    }
}

/* Nibble of column k and row r: q is [k / 8][row][4]. */
static int nibble(const uint8_t *q, size_t rows, size_t k, size_t r)
{
    return q[(k / 8 * rows + r) * 4 + k % 4] >> (k % 8 / 4 * 4) & 15;
}

static void expand_q4(float *w, const void *group, size_t k0, size_t n)
{
    const hlmi_unit_q4 *u = (const hlmi_unit_q4 *)group + k0 / STEP;
    for (size_t k = 0; k < n; k++) {
        for (size_t r = 0; r < LANES; r++)
            w[k * LANES + r] = hlmi_f16_to_f32(u->d[r]) * (float)(nibble(u->q[0][0], LANES, k, r) - 8);
    }
}

static void expand_q4m(float *w, const void *group, size_t k0, size_t n)
{
    const hlmi_unit_q4m *u = (const hlmi_unit_q4m *)group + k0 / STEP;
    for (size_t k = 0; k < n; k++) {
        for (size_t r = 0; r < LANES; r++)
            w[k * LANES + r] =
                hlmi_f16_to_f32(u->d[r]) * (float)nibble(u->q[0][0], LANES, k, r) + hlmi_f16_to_f32(u->m[r]);
    }
}

static void expand_q5m(float *w, const void *group, size_t k0, size_t n)
{
    const hlmi_unit_q5m *u = (const hlmi_unit_q5m *)group + k0 / STEP;
    for (size_t k = 0; k < n; k++) {
        for (size_t r = 0; r < LANES; r++) {
            const int q = nibble(u->q[0][0], LANES, k, r) + (int)(u->high[r] >> k & 1) * 16;
            w[k * LANES + r] = hlmi_f16_to_f32(u->d[r]) * (float)q + hlmi_f16_to_f32(u->m[r]);
        }
    }
}

static void expand_q8(float *w, const void *group, size_t k0, size_t n)
{
    const hlmi_unit_q8 *u = (const hlmi_unit_q8 *)group + k0 / STEP;
    for (size_t k = 0; k < n; k++) {
        for (size_t r = 0; r < LANES; r++) w[k * LANES + r] = hlmi_f16_to_f32(u->d[r]) * (float)u->q[k / 4][r][k % 4];
    }
}

static void expand_k4(float *w, const void *group, size_t k0, size_t n)
{
    const hlmi_unit_k4 *u = (const hlmi_unit_k4 *)group + k0 / 256;
    const size_t s = k0 % 256 / 32;
    for (size_t r = 0; r < 16; r++) {
        const float d = hlmi_f16_to_f32(u->d[r]) * (float)u->sc[s][r];
        const float m = hlmi_f16_to_f32(u->dmin[r]) * (float)u->mn[s][r];
        for (size_t k = 0; k < n; k++) w[k * 16 + r] = d * (float)nibble(u->q[s][0][0], 16, k, r) - m;
    }
}

static void expand_k6(float *w, const void *group, size_t k0, size_t n)
{
    const hlmi_unit_k6 *u = (const hlmi_unit_k6 *)group + k0 / 256;
    const size_t s0 = k0 % 256 / 16;
    for (size_t r = 0; r < 16; r++) {
        for (size_t k = 0; k < n; k++) {
            const size_t s = s0 + k / 16;
            w[k * 16 + r] = hlmi_f16_to_f32(u->d[r]) * (float)u->sc[s][r] * (float)u->q[s][k % 16 / 4][r][k % 4];
        }
    }
}

/* One step of one token: y[r] goes on from where the step before left it. */
static void step(float *y, const float *w, const float *x, size_t rows, size_t n, bool first)
{
    float acc[LANES];
    for (size_t r = 0; r < rows; r++) acc[r] = first ? 0.0f : y[r];
    for (size_t k = 0; k < n; k++) {
        for (size_t r = 0; r < rows; r++) acc[r] = hlmi_fmaf(w[k * rows + r], x[k], acc[r]);
    }
    memcpy(y, acc, rows * sizeof *y);
}

static void product(const hlmi_gemm *g, size_t rows, size_t group_bytes, expand_fn *expand)
{
    float w[STEP * LANES];
    for (size_t i = 0; i < g->groups; i++) {
        const char *group = (const char *)g->w + i * group_bytes;
        for (size_t k = 0; k < g->cols; k += STEP) {
            const size_t n = g->cols - k < STEP ? g->cols - k : STEP;
            expand(w, group, k, n);
            for (size_t t = 0; t < g->tokens; t++) {
                const float *x = (const float *)((const char *)g->x + t * g->ldx);
                step(g->y + t * g->ldy + i * rows, w, x + k, rows, n, k == 0);
            }
        }
    }
}

void hlmi_ref_gemm_f32_f32(const hlmi_gemm *g)
{
    product(g, LANES, g->cols * LANES * sizeof(float), expand_f32);
}

void hlmi_ref_gemm_f32_f16(const hlmi_gemm *g)
{
    product(g, LANES, g->cols * LANES * sizeof(uint16_t), expand_f16);
}

void hlmi_ref_gemm_f32_bf16(const hlmi_gemm *g)
{
    product(g, LANES, (g->cols + 1) / 2 * 2 * LANES * sizeof(uint16_t), expand_bf16);
}

void hlmi_ref_gemm_f32_q4(const hlmi_gemm *g)
{
    product(g, LANES, g->cols / 32 * sizeof(hlmi_unit_q4), expand_q4);
}

void hlmi_ref_gemm_f32_q4m(const hlmi_gemm *g)
{
    product(g, LANES, g->cols / 32 * sizeof(hlmi_unit_q4m), expand_q4m);
}

void hlmi_ref_gemm_f32_q5m(const hlmi_gemm *g)
{
    product(g, LANES, g->cols / 32 * sizeof(hlmi_unit_q5m), expand_q5m);
}

void hlmi_ref_gemm_f32_q8(const hlmi_gemm *g)
{
    product(g, LANES, g->cols / 32 * sizeof(hlmi_unit_q8), expand_q8);
}

void hlmi_ref_gemm_f32_k4(const hlmi_gemm *g)
{
    product(g, 16, g->cols / 256 * sizeof(hlmi_unit_k4), expand_k4);
}

void hlmi_ref_gemm_f32_k6(const hlmi_gemm *g)
{
    product(g, 16, g->cols / 256 * sizeof(hlmi_unit_k6), expand_k6);
}
