/* Template: Mamba-1's scan, over the vectors of an ISA's simd.h, which the including file has included before. The
 * state of a vector of channels stays in registers or the first cache over SCAN1_TOKENS tokens, SCAN1_ROWS rows of it
 * at a time; y carries the unfinished sums from one set of rows to the next. More tokens at once would touch more pages
 * than the CPU keeps addresses of. Step for step ref/scan1.c. */
#ifndef HLMI_KERNEL_TMPL_SCAN1_H
#define HLMI_KERNEL_TMPL_SCAN1_H

#include "kernel/kernel.h"
#include "kernel/tmpl/exp.h"
#include "kernel/tmpl/halves.h"
#include "kernel/tmpl/part.h"
#include "kernel/walk.h"

enum {
    SCAN1_ROWS = 16, /* the state size of the released models */
    SCAN1_TOKENS = 16
};

/* What a channel's finished sum becomes: x passed by, and the gate. */
HLMI_INLINE vf scan1_result(const hlmi_scan1_run *r, vf sum, vf d, vf x, size_t at, size_t c, size_t n)
{
    const vf y = vf_fma(d, x, sum);
    if (!r->z) return y;
    const vf z = vf_load_some(r->z + at * r->ldz + c, n);
    return vf_mul(vf_div(z, vf_add(vf_set1(1.0f), vf_exp(vf_neg(z)))), y);
}

/* `rows` rows of the state from `row` on, of n channels from c on, n at most VF, over all tokens. */
HLMI_INLINE void scan1_part(const hlmi_scan1_run *r, hlmi_state_type type, size_t row, size_t rows, size_t c, size_t n)
{
    const bool last = row + rows == r->rows;
    const vf bias = r->dt_bias ? vf_load_some(r->dt_bias + c, n) : vf_set1(0.0f), d = vf_load_some(r->d + c, n);
    vf a[SCAN1_ROWS], s[SCAN1_ROWS];
    for (size_t j = 0; j < rows; j++) a[j] = vf_load_some(r->a + (row + j) * r->ld + c, n);
    for (size_t j = 0; j < rows; j++) s[j] = vf_load_some(r->in + (row + j) * r->ld + c, n);
    for (size_t t = 0; t < r->tokens; t++) {
        const float *b = r->b + t * r->ldbc + row, *out = r->c + t * r->ldbc + row;
        float *y = r->y + t * r->ldy + c;
        const vf x = vf_load_some(r->x + t * r->ldx + c, n);
        const vf dt = vf_softplus(vf_add(vf_load_some(r->dt + t * r->lddt + c, n), bias)), dx = vf_mul(dt, x);
        vf sum = row ? vf_load_some(y, n) : vf_set1(0.0f);
        for (size_t j = 0; j < rows; j++) {
            s[j] = vf_fma(vf_exp(vf_mul(dt, a[j])), s[j], vf_mul(dx, vf_set1(b[j])));
            sum = vf_fma(s[j], vf_set1(out[j]), sum);
            s[j] = vf_round_to(type, s[j]);
        }
        vf_store_some(y, last ? scan1_result(r, sum, d, x, t, c, n) : sum, n);
    }
    for (size_t j = 0; j < rows; j++) vf_store_some(r->out + (row + j) * r->ld + c, s[j], n);
}

static void scan1_whole(const hlmi_scan1_run *r, size_t row, size_t c)
{
    if (r->type == HLMI_STATE_F32) scan1_part(r, HLMI_STATE_F32, row, SCAN1_ROWS, c, VF);
    else if (r->type == HLMI_STATE_F16) scan1_part(r, HLMI_STATE_F16, row, SCAN1_ROWS, c, VF);
    else scan1_part(r, HLMI_STATE_BF16, row, SCAN1_ROWS, c, VF);
}

static void scan1_any(const hlmi_scan1_run *r, size_t row, size_t rows, size_t c, size_t n)
{
    scan1_part(r, r->type, row, rows, c, n);
}

/* A few tokens: every channel. */
static void scan1_tokens(const hlmi_scan1_run *r)
{
    for (size_t c = 0; c < r->channels; c += VF) {
        const size_t n = r->channels - c < VF ? r->channels - c : VF;
        for (size_t row = 0; row < r->rows; row += SCAN1_ROWS) {
            const size_t rows = r->rows - row < SCAN1_ROWS ? r->rows - row : SCAN1_ROWS;
            if (rows == SCAN1_ROWS && n == VF) scan1_whole(r, row, c);
            else scan1_any(r, row, rows, c, n);
        }
    }
}

static void scan1(const hlmi_scan1_run *r)
{
    hlmi_scan1_run part = *r;
    for (size_t t = 0; t < r->tokens; t += SCAN1_TOKENS) {
        part.tokens = r->tokens - t < SCAN1_TOKENS ? r->tokens - t : SCAN1_TOKENS;
        part.in = t ? r->out : r->in;
        part.x = r->x + t * r->ldx;
        part.dt = r->dt + t * r->lddt;
        part.b = r->b + t * r->ldbc;
        part.c = r->c + t * r->ldbc;
        part.z = r->z ? r->z + t * r->ldz : NULL;
        part.y = r->y + t * r->ldy;
        scan1_tokens(&part);
    }
}

#endif
