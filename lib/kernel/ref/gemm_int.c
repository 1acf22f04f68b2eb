/* Layouts of units on integer activations. Sums of a unit are exact integers; of a superblock they are the sub-blocks'
 * times their integer scales. Then acc = fma(sum, dw * da, acc), and where the layout has a minimum acc = fma(m, da *
 * sum(a), acc), of K4 and K5 acc = fma(sum of minimums, -(dmin * da), acc). */
#include "base/fma.h"
#include "base/half.h"
#include "kernel/act.h"
#include "kernel/ref/ref.h"
#include "quant/unit.h"

enum { MOST_RUNS = 256 }; /* of a unit, all rows */

/* y[r] of all rows: a unit, whose rows' runs are w, and a block of activations. */
typedef void step_fn(float *y, const hlmi_run *w, const void *unit, const void *act, bool first);

static void product(const hlmi_gemm *g, hlmi_layout layout, size_t act_bytes, step_fn *step)
{
    const hlmi_layout_info *l = hlmi_layout_get(layout);
    const size_t units = g->cols / l->unit_k, runs = l->unit_k / HLMI_RUN;
    hlmi_run w[MOST_RUNS];
    for (size_t i = 0; i < g->groups * units; i++) {
        const char *unit = (const char *)g->w + i * l->unit_bytes;
        for (size_t j = 0; j < l->rows * runs; j++) l->read_run(&w[j], unit, j / runs, j % runs * HLMI_RUN);
        for (size_t t = 0; t < g->tokens; t++) {
            const char *act = (const char *)g->x + t * g->ldx + i % units * act_bytes;
            step(g->y + t * g->ldy + i / units * l->rows, w, unit, act, i % units == 0);
        }
    }
}

static int32_t dot(const hlmi_run *w, const int8_t *x)
{
    int32_t s = 0;
    for (size_t k = 0; k < HLMI_RUN; k++) s += w->q[k] * x[k];
    return s;
}

static void step_q8(float *y, const hlmi_run *w, const void *unit, const void *act, bool first)
{
    const hlmi_act_q8 *a = act;
    (void)unit;
    for (size_t r = 0; r < 32; r++, w += 2) {
        const int32_t sum = dot(w, a->q) + dot(w + 1, a->q + HLMI_RUN);
        y[r] = hlmi_fmaf((float)sum, w->d * a->d, first ? 0.0f : y[r]);
    }
}

static void step_q8_minimum(float *y, const hlmi_run *w, const void *unit, const void *act, bool first)
{
    const hlmi_act_q8 *a = act;
    step_q8(y, w, unit, act, first);
    for (size_t r = 0; r < 32; r++, w += 2) y[r] = hlmi_fmaf(w->m, a->dsum, y[r]);
}

static void step_q16(float *y, const hlmi_run *w, const void *unit, const void *act, bool first)
{
    const hlmi_act_q16 *a = act;
    (void)unit;
    for (size_t r = 0; r < 32; r++, w += 2) {
        int32_t sum = 0;
        for (size_t k = 0; k < 32; k++) sum += w[k / 16].q[k % 16 / 4 * 4 + k % 2 * 2 + k % 4 / 2] * a->q[k];
        y[r] = hlmi_fmaf((float)sum, w->d * a->d, first ? 0.0f : y[r]);
    }
}

static void step_k4(float *y, const hlmi_run *w, const void *unit, const void *act, bool first)
{
    const hlmi_unit_k4 *u = unit;
    const hlmi_act_q8k *a = act;
    for (size_t r = 0; r < 16; r++) {
        int32_t sum = 0, minimums = 0;
        for (size_t i = 0; i < 16; i++, w++) sum += u->sc[i / 2][r] * dot(w, a->q + i * HLMI_RUN);
        for (size_t s = 0; s < 8; s++) minimums += u->mn[s][r] * a->sum32[s];
        const float acc = hlmi_fmaf((float)sum, hlmi_f16_to_f32(u->d[r]) * a->d, first ? 0.0f : y[r]);
        y[r] = hlmi_fmaf((float)minimums, -(hlmi_f16_to_f32(u->dmin[r]) * a->d), acc);
    }
}

static void step_k4t(float *y, const hlmi_run *w, const void *unit, const void *act, bool first)
{
    const hlmi_unit_k4t *u = unit;
    const hlmi_act_q8k *a = act;
    for (size_t r = 0; r < 16; r++) {
        int32_t sum = 0;
        for (size_t i = 0; i < 16; i++, w++) sum += u->sc[i / 2][r] * dot(w, a->q + i * HLMI_RUN);
        y[r] = hlmi_fmaf((float)sum, hlmi_f16_to_f32(u->d[r]) * a->d, first ? 0.0f : y[r]);
    }
}

static void step_k6(float *y, const hlmi_run *w, const void *unit, const void *act, bool first)
{
    const hlmi_unit_k6 *u = unit;
    const hlmi_act_q8k *a = act;
    for (size_t r = 0; r < 16; r++) {
        int32_t sum = 0;
        for (size_t i = 0; i < 16; i++, w++) sum += u->sc[i][r] * dot(w, a->q + i * HLMI_RUN);
        y[r] = hlmi_fmaf((float)sum, hlmi_f16_to_f32(u->d[r]) * a->d, first ? 0.0f : y[r]);
    }
}

#define PRODUCT(name, constant, act, step)                            \
  static void gemm_##name(const hlmi_gemm *g)                         \
  {                                                                   \
    product(g, HLMI_LAYOUT_##constant, sizeof(hlmi_act_##act), step); \
  }
PRODUCT(q4, Q4, q8, step_q8)
PRODUCT(q4m, Q4M, q8, step_q8_minimum)
PRODUCT(q5m, Q5M, q8, step_q8_minimum)
PRODUCT(q8, Q8, q8, step_q8)
PRODUCT(q8_q16, Q8, q16, step_q16)
PRODUCT(k4, K4, q8k, step_k4)
PRODUCT(k5, K5, q8k, step_k4) /* begins as k4 */
PRODUCT(k4t, K4T, q8k, step_k4t)
PRODUCT(k6, K6, q8k, step_k6)

/* a block of activations is as long as a unit */
#define ENTRY(constant, name, rows, unit_k, ...) \
  k->gemm[HLMI_LAYOUT_##constant] = gemm_##name; \
  k->act[HLMI_LAYOUT_##constant] = unit_k == 256 ? HLMI_ACT_Q8K : HLMI_ACT_Q8;

void hlmi_ref_gemm_int(hlmi_kernels *k, bool vnni)
{
    HLMI_INTEGER_LAYOUTS(ENTRY)
    if (vnni) return;
    k->gemm[HLMI_LAYOUT_Q8] = gemm_q8_q16;
    k->act[HLMI_LAYOUT_Q8] = HLMI_ACT_Q16;
}
