/* Weights in blocks of 32 on int8 activations, and Q8 on int16 ones too: the sum of a block is an exact integer, then
 * acc = fma(sum, dw * da, acc) and, where the layout has a minimum, acc = fma(m, da * sum(a), acc). */
#include "base/fma.h"
#include "base/half.h"
#include "kernel/act.h"
#include "kernel/ref/ref.h"
#include "kernel/unit.h"

enum { BLOCK = 32, LANES = 32 };

/* A unit with a row's integers side by side. */
typedef struct block {
    int8_t q[LANES][BLOCK];
    float d[LANES], m[LANES];
} block;

typedef void unpack_fn(block *b, const void *unit);

static void unpack_half(float *y, const uint16_t *h)
{
    for (size_t r = 0; r < LANES; r++) y[r] = hlmi_f16_to_f32(h[r]);
}

static void unpack_nibbles(block *b, const uint8_t q[4][LANES][4], int8_t offset)
{
    for (size_t r = 0; r < LANES; r++) {
        for (size_t c = 0; c < 4; c++) {
            for (size_t j = 0; j < 4; j++) {
                b->q[r][c * 8 + j] = (int8_t)((q[c][r][j] & 15) + offset);
                b->q[r][c * 8 + 4 + j] = (int8_t)((q[c][r][j] >> 4) + offset);
            }
        }
    }
}

static void unpack_q4(block *b, const void *unit)
{
    const hlmi_unit_q4 *u = unit;
    unpack_half(b->d, u->d);
    unpack_nibbles(b, u->q, -8);
}

static void unpack_q4m(block *b, const void *unit)
{
    const hlmi_unit_q4m *u = unit;
    unpack_half(b->d, u->d);
    unpack_half(b->m, u->m);
    unpack_nibbles(b, u->q, 0);
}

static void unpack_q5m(block *b, const void *unit)
{
    const hlmi_unit_q5m *u = unit;
    unpack_half(b->d, u->d);
    unpack_half(b->m, u->m);
    unpack_nibbles(b, u->q, 0);
    for (size_t r = 0; r < LANES; r++) {
        for (size_t k = 0; k < BLOCK; k++) b->q[r][k] = (int8_t)(b->q[r][k] | (int)(u->high[r] >> k & 1) << 4);
    }
}

static void unpack_q8(block *b, const void *unit)
{
    const hlmi_unit_q8 *u = unit;
    unpack_half(b->d, u->d);
    for (size_t r = 0; r < LANES; r++) {
        for (size_t c = 0; c < 8; c++) memcpy(b->q[r] + c * 4, u->q[c][r], 4);
    }
}

static void step(float *y, const block *b, const hlmi_act_q8 *a, bool has_min, bool first)
{
    for (size_t r = 0; r < LANES; r++) {
        int32_t isum = 0;
        for (size_t k = 0; k < BLOCK; k++) isum += b->q[r][k] * a->q[k];
        const float acc = hlmi_fmaf((float)isum, b->d[r] * a->d, first ? 0.0f : y[r]);
        y[r] = has_min ? hlmi_fmaf(b->m[r], a->dsum, acc) : acc;
    }
}

static void product(const hlmi_gemm *g, size_t unit_bytes, unpack_fn *unpack, bool has_min)
{
    block b;
    const size_t units = g->cols / BLOCK;
    for (size_t i = 0; i < g->groups; i++) {
        for (size_t u = 0; u < units; u++) {
            unpack(&b, (const char *)g->w + (i * units + u) * unit_bytes);
            for (size_t t = 0; t < g->tokens; t++) {
                const hlmi_act_q8 *a = (const hlmi_act_q8 *)((const char *)g->x + t * g->ldx);
                step(g->y + t * g->ldy + i * LANES, &b, a + u, has_min, u == 0);
            }
        }
    }
}

void hlmi_ref_gemm_q4(const hlmi_gemm *g)
{
    product(g, sizeof(hlmi_unit_q4), unpack_q4, false);
}

void hlmi_ref_gemm_q4m(const hlmi_gemm *g)
{
    product(g, sizeof(hlmi_unit_q4m), unpack_q4m, true);
}

void hlmi_ref_gemm_q5m(const hlmi_gemm *g)
{
    product(g, sizeof(hlmi_unit_q5m), unpack_q5m, true);
}

void hlmi_ref_gemm_q8(const hlmi_gemm *g)
{
    product(g, sizeof(hlmi_unit_q8), unpack_q8, false);
}

static void step_q16(float *y, const block *b, const hlmi_act_q16 *a, bool first)
{
    for (size_t r = 0; r < LANES; r++) {
        int32_t isum = 0;
        for (size_t k = 0; k < BLOCK; k++) isum += b->q[r][k / 4 * 4 + k % 2 * 2 + k % 4 / 2] * a->q[k];
        y[r] = hlmi_fmaf((float)isum, b->d[r] * a->d, first ? 0.0f : y[r]);
    }
}

void hlmi_ref_gemm_q8_q16(const hlmi_gemm *g)
{
    block b;
    const size_t units = g->cols / BLOCK;
    for (size_t i = 0; i < g->groups * units; i++) {
        unpack_q8(&b, (const hlmi_unit_q8 *)g->w + i);
        for (size_t t = 0; t < g->tokens; t++) {
            const hlmi_act_q16 *a = (const hlmi_act_q16 *)((const char *)g->x + t * g->ldx);
            step_q16(g->y + t * g->ldy + i / units * LANES, &b, a + i % units, i % units == 0);
        }
    }
}
