/* Weights in superblocks of 256 on int8 activations with one scale per 256: sub-block sums times their integer scales
 * are exact, then acc = fma(sum, d * da, acc) and, for K4, acc = fma(sum of minimums, -(dmin * da), acc). */
#include "base/fma.h"
#include "base/half.h"
#include "kernel/act.h"
#include "kernel/ref/ref.h"
#include "kernel/unit.h"

enum { LANES = 16 };

typedef struct superblock {
    int8_t q[LANES][256];
} superblock;

static int32_t dot(const int8_t *w, const int8_t *x, size_t n)
{
    int32_t s = 0;
    for (size_t k = 0; k < n; k++) s += w[k] * x[k];
    return s;
}

static void unpack_k4(superblock *b, const hlmi_unit_k4 *u)
{
    for (size_t r = 0; r < LANES; r++) {
        for (size_t c = 0; c < 32; c++) {
            for (size_t j = 0; j < 4; j++) {
                const uint8_t q = u->q[c / 4][c % 4][r][j];
                b->q[r][c * 8 + j] = (int8_t)(q & 15);
                b->q[r][c * 8 + 4 + j] = (int8_t)(q >> 4);
            }
        }
    }
}

static void step_k4(float *y, const superblock *b, const hlmi_unit_k4 *u, const hlmi_act_q8k *a, bool first)
{
    for (size_t r = 0; r < LANES; r++) {
        int32_t isum = 0, msum = 0;
        for (size_t s = 0; s < 8; s++) {
            isum += u->sc[s][r] * dot(b->q[r] + s * 32, a->q + s * 32, 32);
            msum += u->mn[s][r] * a->sum32[s];
        }
        const float acc = hlmi_fmaf((float)isum, hlmi_f16_to_f32(u->d[r]) * a->d, first ? 0.0f : y[r]);
        y[r] = hlmi_fmaf((float)msum, -(hlmi_f16_to_f32(u->dmin[r]) * a->d), acc);
    }
}

void hlmi_ref_gemm_k4(const hlmi_gemm *g)
{
    superblock b;
    const size_t units = g->cols / 256;
    for (size_t i = 0; i < g->groups * units; i++) {
        const hlmi_unit_k4 *u = (const hlmi_unit_k4 *)g->w + i;
        unpack_k4(&b, u);
        for (size_t t = 0; t < g->tokens; t++) {
            const hlmi_act_q8k *a = (const hlmi_act_q8k *)((const char *)g->x + t * g->ldx);
            step_k4(g->y + t * g->ldy + i / units * LANES, &b, u, a + i % units, i % units == 0);
        }
    }
}

static void unpack_k6(superblock *b, const hlmi_unit_k6 *u)
{
    for (size_t r = 0; r < LANES; r++) {
        for (size_t c = 0; c < 64; c++) memcpy(b->q[r] + c * 4, u->q[c / 4][c % 4][r], 4);
    }
}

static void step_k6(float *y, const superblock *b, const hlmi_unit_k6 *u, const hlmi_act_q8k *a, bool first)
{
    for (size_t r = 0; r < LANES; r++) {
        int32_t isum = 0;
        for (size_t s = 0; s < 16; s++) isum += u->sc[s][r] * dot(b->q[r] + s * 16, a->q + s * 16, 16);
        y[r] = hlmi_fmaf((float)isum, hlmi_f16_to_f32(u->d[r]) * a->d, first ? 0.0f : y[r]);
    }
}

void hlmi_ref_gemm_k6(const hlmi_gemm *g)
{
    superblock b;
    const size_t units = g->cols / 256;
    for (size_t i = 0; i < g->groups * units; i++) {
        const hlmi_unit_k6 *u = (const hlmi_unit_k6 *)g->w + i;
        unpack_k6(&b, u);
        for (size_t t = 0; t < g->tokens; t++) {
            const hlmi_act_q8k *a = (const hlmi_act_q8k *)((const char *)g->x + t * g->ldx);
            step_k6(g->y + t * g->ldy + i / units * LANES, &b, u, a + i % units, i % units == 0);
        }
    }
}
