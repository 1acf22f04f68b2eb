/* Template: Mamba-2's scan of one head, over the vectors of an ISA's simd.h, which the including file has included
 * before. A micro-tile of the state, a few rows of a few vectors, stays in registers over a chunk of tokens, whose rows
 * stay in the first cache while they pass. Step for step ref/scan2.c. */
#ifndef HLMI_KERNEL_TMPL_SCAN2_H
#define HLMI_KERNEL_TMPL_SCAN2_H

#include "kernel/tmpl/exp.h"
#include "kernel/tmpl/halves.h"
#include "kernel/tmpl/part.h"
#include "kernel/walk.h"

enum {
    SCAN2_TOKENS = 32, /* of a chunk */
    SCAN2_ROWS = 4,
    SCAN2_WIDE = VF == 16 ? 4 : 2 /* it takes half of the registers */
};

typedef struct scan2_chunk {
    const hlmi_scan2_run *r;
    const float *in; /* the state before the first token */
    size_t first, tokens;
    float dt[SCAN2_TOKENS], decay[SCAN2_TOKENS];
} scan2_chunk;

/* The step sizes of the chunk's tokens and what each leaves of the state. */
static void scan2_steps(scan2_chunk *k)
{
    const hlmi_scan2_run *r = k->r;
    for (size_t t = 0; t < k->tokens; t++) k->dt[t] = r->dt[(k->first + t) * r->lddt];
    for (size_t t = k->tokens; t % VF; t++) k->dt[t] = 0.0f;
    for (size_t t = 0; t < k->tokens; t += VF) {
        vf v = vf_softplus(vf_add(vf_load(k->dt + t), vf_set1(r->dt_bias)));
        v = vf_max(vf_set1(r->dt_min), v);
        v = vf_neg(vf_max(vf_set1(-r->dt_max), vf_neg(v))); /* the smaller, NaN staying */
        vf_store(k->dt + t, v);
        vf_store(k->decay + t, vf_exp(vf_mul(v, vf_set1(r->a))));
    }
}

/* State rows n .. n + rows - 1, `wide` vectors from lane p on (of one vector `part` lanes), over the tokens of a
 * chunk. */
HLMI_INLINE void scan2_micro(const scan2_chunk *k, hlmi_state_type type, size_t n, size_t rows, size_t p, size_t wide,
                             size_t part)
{
    const hlmi_scan2_run *r = k->r;
    const size_t cols = r->cols, at = n * cols + p;
    vf s[SCAN2_ROWS][SCAN2_WIDE], x[SCAN2_WIDE], y[SCAN2_WIDE];
    HLMI_UNROLL
    for (size_t i = 0; i < rows; i++) {
        HLMI_UNROLL
        for (size_t j = 0; j < wide; j++) s[i][j] = vf_load_some(k->in + at + i * cols + j * VF, part);
    }
    for (size_t t = 0; t < k->tokens; t++) {
        const size_t row = k->first + t;
        const float *b = r->b + row * r->ldbc + n, *c = r->c + row * r->ldbc + n;
        const vf dt = vf_set1(k->dt[t]), decay = vf_set1(k->decay[t]);
        float *to = r->y + row * r->ldy + p;
        HLMI_UNROLL
        for (size_t j = 0; j < wide; j++) {
            x[j] = vf_load_some(r->x + row * r->ldx + p + j * VF, part);
            y[j] = n == 0 ? vf_mul(vf_set1(r->d), x[j]) : vf_load_some(to + j * VF, part);
        }
        HLMI_UNROLL
        for (size_t i = 0; i < rows; i++) {
            const vf db = vf_mul(dt, vf_set1(b[i])), out = vf_set1(c[i]);
            HLMI_UNROLL
            for (size_t j = 0; j < wide; j++) {
                s[i][j] = vf_fma(decay, s[i][j], vf_mul(db, x[j]));
                y[j] = vf_fma(s[i][j], out, y[j]);
                s[i][j] = vf_round_to(type, s[i][j]);
            }
        }
        HLMI_UNROLL
        for (size_t j = 0; j < wide; j++) vf_store_some(to + j * VF, y[j], part);
    }
    HLMI_UNROLL
    for (size_t i = 0; i < rows; i++) {
        HLMI_UNROLL
        for (size_t j = 0; j < wide; j++) vf_store_some(r->out + at + i * cols + j * VF, s[i][j], part);
    }
}

/* All rows of `wide` vectors. */
HLMI_INLINE void scan2_strip(const scan2_chunk *k, hlmi_state_type type, size_t p, size_t wide, size_t part)
{
    size_t n = 0;
    for (; n + SCAN2_ROWS <= k->r->rows; n += SCAN2_ROWS) scan2_micro(k, type, n, SCAN2_ROWS, p, wide, part);
    for (; n < k->r->rows; n++) scan2_micro(k, type, n, 1, p, wide, part);
}

HLMI_INLINE void scan2_of(const hlmi_scan2_run *r, hlmi_state_type type)
{
    scan2_chunk k = {.r = r, .in = r->in};
    for (; k.first < r->tokens; k.first += k.tokens, k.in = r->out) {
        k.tokens = r->tokens - k.first < SCAN2_TOKENS ? r->tokens - k.first : SCAN2_TOKENS;
        scan2_steps(&k);
        size_t p = 0;
        for (; p + SCAN2_WIDE * VF <= r->cols; p += SCAN2_WIDE * VF) scan2_strip(&k, type, p, SCAN2_WIDE, VF);
        for (; p + VF <= r->cols; p += VF) scan2_strip(&k, type, p, 1, VF);
        if (p < r->cols) scan2_strip(&k, type, p, 1, r->cols - p);
    }
}

static void scan2_rounded(const hlmi_scan2_run *r)
{
    if (r->type == HLMI_STATE_F16) scan2_of(r, HLMI_STATE_F16);
    else scan2_of(r, HLMI_STATE_BF16);
}

static void scan2(const hlmi_scan2_run *r)
{
    if (r->type == HLMI_STATE_F32) scan2_of(r, HLMI_STATE_F32);
    else scan2_rounded(r);
}

#endif
