/* The gated delta rule. */
#include <math.h>
#include <string.h>

#include "checkkern.h"

typedef struct shape {
    size_t tokens, rows, lanes, pad; /* pad: floats between rows */
    hlmi_state_type type;
} shape;

/* A run with states, keys of length about 1, decays and betas in 0..1. */
static hlmi_delta_run inputs(ck_run *t, const shape *c)
{
    const size_t ldqk = c->rows + c->pad, ldv = c->lanes + c->pad;
    hlmi_delta_run r = {.type = c->type,
                        .tokens = c->tokens,
                        .rows = c->rows,
                        .lanes = c->lanes,
                        .ld = c->lanes + c->pad,
                        .q = ck_floats(t, c->tokens * ldqk, 1.0f),
                        .k = ck_floats(t, c->tokens * ldqk, 1.7f / sqrtf((float)c->rows)),
                        .ldqk = ldqk,
                        .v = ck_floats(t, c->tokens * ldv, 3.0f),
                        .ldv = ldv,
                        .ldy = ldv};
    float *g = ck_floats(t, c->tokens, 0.5f), *beta = ck_floats(t, c->tokens, 0.5f);
    for (size_t i = 0; i < c->tokens; i++) {
        g[i] += 0.5f;
        beta[i] += 0.5f;
    }
    r.g = g;
    r.beta = beta;
    float *in = ck_floats(t, c->rows * r.ld, 2.0f);
    ck_round(c->type, in, c->rows * r.ld);
    r.in = in;
    return r;
}

/* r through one table; in place or not. Gaps between rows must stay. */
static void through(ck_run *t, const hlmi_kernels *k, hlmi_delta_run *r, bool in_place)
{
    float *state = ck_out(t, r->rows * r->ld);
    r->work = ck_bytes(t, r->rows * HLMI_DELTA_LANES * sizeof *r->work);
    r->y = ck_out(t, r->tokens * r->ldy);
    r->out = state;
    if (in_place) {
        memcpy(state, r->in, r->rows * r->ld * sizeof *state);
        r->in = state;
    }
    k->delta(r);
}

static void check_one(ck_run *t, const hlmi_kernels *ref, const hlmi_kernels *k, const shape *c, bool in_place)
{
    const hlmi_delta_run r = inputs(t, c);
    hlmi_delta_run want = r, got = r;
    through(t, ref, &want, in_place);
    through(t, k, &got, in_place);
    ck_same_floats(t, "y", got.y, want.y, r.tokens * r.ldy);
    ck_same_floats(t, "state", got.out, want.out, r.rows * r.ld);
}

/* Any cut of the tokens gives the same bits. */
static void check_cut(ck_run *t, const hlmi_kernels *k, const shape *c)
{
    const hlmi_delta_run r = inputs(t, c);
    hlmi_delta_run whole = r, part = r;
    through(t, k, &whole, false);
    const size_t cut = 1 + ck_below(t, (uint32_t)c->tokens);
    part.tokens = cut;
    through(t, k, &part, false);
    ck_same_floats(t, "y before the cut", part.y, whole.y, cut * r.ldy);
    if (cut == c->tokens) return;
    hlmi_delta_run rest = r;
    rest.tokens = c->tokens - cut;
    rest.in = part.out;
    rest.q += cut * r.ldqk;
    rest.k += cut * r.ldqk;
    rest.v += cut * r.ldv;
    rest.g += cut;
    rest.beta += cut;
    through(t, k, &rest, true);
    ck_same_floats(t, "y after the cut", rest.y, whole.y + cut * r.ldy, rest.tokens * r.ldy);
    ck_same_floats(t, "state", rest.out, whole.out, r.rows * r.ld);
}

static void check(ck_run *t, const hlmi_kernels *ref, const hlmi_kernels *k)
{
    static const shape large[] = {{3, 128, 128, 0, HLMI_STATE_F32},
                                  {1, 128, 128, 5, HLMI_STATE_F16},
                                  {17, 32, 32, 0, HLMI_STATE_BF16},
                                  {9, 64, 100, 28, HLMI_STATE_F32}};
    for (size_t i = 1; i <= 74; i++) {
        const shape c = i <= 70
            ? (shape){1 + i % 5, 1 + i * 7 % 23, i, i % 3, (hlmi_state_type)(i / 3 % HLMI_STATE_TYPES)}
            : large[i - 71];
        if (!ck_begin(t, "delta tokens %zu rows %zu lanes %zu", c.tokens, c.rows, c.lanes)) continue;
        check_one(t, ref, k, &c, false);
        check_one(t, ref, k, &c, true);
        check_cut(t, k, &c);
        ck_end(t);
    }
}

/* ---- spec ---- */

/* Errors: each sum of n terms errs by n roundings of its terms' sizes, and what a token leaves in the state decays with
 * it. */
static void spec_one(ck_run *t, const hlmi_kernels *ref, const shape *c)
{
    hlmi_delta_run r = inputs(t, c);
    through(t, ref, &r, false);
    for (size_t p = 0; p < c->lanes; p++) {
        double s[128], most = 0;
        for (size_t n = 0; n < c->rows; n++) s[n] = (double)r.in[n * r.ld + p];
        for (size_t i = 0; i < c->tokens; i++) {
            const float *q = r.q + i * r.ldqk, *key = r.k + i * r.ldqk;
            const double g = (double)r.g[i], v = (double)r.v[i * r.ldv + p];
            double m = 0, y = 0, size = 0;
            for (size_t n = 0; n < c->rows; n++) m += (double)key[n] * g * s[n];
            const double d = (double)r.beta[i] * (v - m);
            for (size_t n = 0; n < c->rows; n++) {
                s[n] = g * s[n] + (double)key[n] * d;
                most = fmax(most, fabs(s[n]) + fabs(d));
                y += (double)q[n] * s[n];
                size += fabs((double)q[n]);
            }
            const double bound = (double)(c->rows + 4) * (double)(i + 1) * most * (size + 1) * 0x1p-24;
            const double got = (double)r.y[i * r.ldy + p];
            ck_check(t, fabs(got - y) <= bound, "y of token %zu, lane %zu is %.9g, not %.9g +- %g", i, p, got, y,
                     bound);
        }
    }
}

static void spec(ck_run *t, const hlmi_kernels *ref)
{
    static const shape shapes[] = {{1, 1, 1, 0, HLMI_STATE_F32},
                                   {5, 16, 17, 3, HLMI_STATE_F32},
                                   {20, 32, 32, 0, HLMI_STATE_F32},
                                   {7, 128, 40, 0, HLMI_STATE_F32}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        if (!ck_begin(t, "spec delta rows %zu", shapes[i].rows)) continue;
        spec_one(t, ref, &shapes[i]);
        ck_end(t);
    }
}

/* ---- bench ---- */

typedef struct bench_arg {
    const hlmi_kernels *k;
    hlmi_delta_run r;
} bench_arg;

static void run_delta(void *arg)
{
    const bench_arg *b = arg;
    b->k->delta(&b->r);
}

static void bench(ck_run *t, const hlmi_kernels *k)
{
    static const size_t tokens[] = {1, 16};
    for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++) {
        const shape c = {tokens[i], 128, 128, 0, HLMI_STATE_F32};
        if (!ck_begin(t, "delta 128x128, %zu tokens", c.tokens)) continue;
        bench_arg b = {k, inputs(t, &c)};
        through(t, k, &b.r, true);
        char name[64] = "delta 128x128, 1 token";
        if (c.tokens > 1) memcpy(name, "delta 128x128, 16 tokens", 25);
        ck_report(t, name, ck_time(t, run_delta, &b), (double)(c.tokens * 128 * 128), "G elements/s", 0, 0);
        ck_end(t);
    }
}

const ck_suite ck_delta_suite = {"delta", spec, check, bench};
