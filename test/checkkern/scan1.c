/* Mamba-1's scan. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/half.h"
#include "checkkern.h"

typedef struct scan1_case {
    size_t rows, channels, tokens;
    bool bias, gate, in_place, extremes;
    size_t offset; /* of everything behind a 64-byte boundary */
    hlmi_state_type type;
} scan1_case;

enum { PAD = 3 }; /* floats between rows */

static float *floats_at(ck_run *t, const scan1_case *c, size_t n, float scale)
{
    static const uint32_t bits[] = {0x80000000u, 1,           0x7F7FFFFFu, 0x7F800000u, 0xFF800000u,
                                    0x7FC00000u, 0x42B17218u, 0xC2AE999Au, 0x41A00000u, 0x00800000u};
    float *x = ck_floats(t, n + c->offset, scale) + c->offset;
    for (size_t i = 0; i < n && c->extremes; i++)
        if (ck_below(t, 40) == 0) x[i] = hlmi_f32_from_bits(bits[ck_below(t, sizeof bits / sizeof *bits)]);
    return x;
}

/* The inputs: a negative, as models have it. */
static hlmi_scan1_run make(ck_run *t, const scan1_case *c)
{
    const size_t ld = c->channels + PAD, ldbc = c->rows + 1;
    float *in = floats_at(t, c, c->rows * ld, 2.0f);
    ck_round(c->type, in, c->rows * ld);
    float *a = floats_at(t, c, c->rows * ld, 8.0f);
    for (size_t i = 0; i < c->rows * ld; i++) a[i] = a[i] > 0.0f ? -a[i] : a[i];
    return (hlmi_scan1_run){.type = c->type,
                            .a = a,
                            .dt_bias = c->bias ? floats_at(t, c, c->channels, 5.0f) : NULL,
                            .d = floats_at(t, c, c->channels, 1.0f),
                            .rows = c->rows,
                            .channels = c->channels,
                            .tokens = c->tokens,
                            .in = in,
                            .ld = ld,
                            .x = floats_at(t, c, c->tokens * ld, 2.0f),
                            .ldx = ld,
                            .dt = floats_at(t, c, c->tokens * ld, 4.0f),
                            .lddt = ld,
                            .b = floats_at(t, c, c->tokens * ldbc, 2.0f),
                            .c = floats_at(t, c, c->tokens * ldbc, 2.0f),
                            .ldbc = ldbc,
                            .z = c->gate ? floats_at(t, c, c->tokens * ld, 4.0f) : NULL,
                            .ldz = ld,
                            .ldy = ld};
}

/* Runs a kernel on inputs that all get; its outputs are fresh. */
static void run(ck_run *t, hlmi_scan1_fn *fn, hlmi_scan1_run r, const scan1_case *c, float **y, float **state)
{
    *y = ck_out(t, c->tokens * r.ldy + c->offset) + c->offset;
    *state = ck_out(t, c->rows * r.ld + c->offset) + c->offset;
    if (c->in_place) {
        memcpy(*state, r.in, c->rows * r.ld * sizeof **state);
        r.in = *state;
    }
    r.out = *state;
    r.y = *y;
    fn(&r);
}

static void check_case(ck_run *t, const hlmi_kernels *ref, const hlmi_kernels *k, const scan1_case *c)
{
    float *want, *got, *want_state, *got_state;
    const hlmi_scan1_run r = make(t, c);
    run(t, ref->scan1, r, c, &want, &want_state);
    run(t, k->scan1, r, c, &got, &got_state);
    /* the space between rows is not written, which comparing all of it shows */
    ck_same_floats(t, "scan1", got, want, c->tokens * r.ldy);
    ck_same_floats(t, "scan1's state", got_state, want_state, c->rows * r.ld);
}

/* The same tokens in two calls. */
static void check_cut(ck_run *t, const hlmi_kernels *k, const scan1_case *c)
{
    float *want, *got, *want_state, *got_state;
    hlmi_scan1_run r = make(t, c);
    run(t, k->scan1, r, c, &want, &want_state);
    scan1_case part = *c;
    part.tokens = c->tokens / 2;
    r.tokens = part.tokens;
    run(t, k->scan1, r, &part, &got, &got_state);
    ck_same_floats(t, "scan1 cut", got, want, part.tokens * r.ldy);
    r.tokens = c->tokens - part.tokens;
    r.x += part.tokens * r.ldx;
    r.dt += part.tokens * r.lddt;
    r.b += part.tokens * r.ldbc;
    r.c += part.tokens * r.ldbc;
    r.z = r.z ? r.z + part.tokens * r.ldz : NULL;
    r.in = got_state;
    want += part.tokens * r.ldy;
    part.tokens = r.tokens;
    run(t, k->scan1, r, &part, &got, &got_state);
    ck_same_floats(t, "scan1 cut", got, want, part.tokens * r.ldy);
    ck_same_floats(t, "scan1's state", got_state, want_state, c->rows * r.ld);
}

static void check(ck_run *t, const hlmi_kernels *ref, const hlmi_kernels *k)
{
    static const size_t rows[] = {1, 3, 8, 15, 16, 17, 32, 40};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (size_t channels = 1; channels < 70; channels += channels % 5 + 1) {
            for (unsigned v = 0; v < 16; v++) {
                if (!ck_begin(t, "scan1 rows %zu channels %zu form %u", rows[i], channels, v)) continue;
                const scan1_case c = {.rows = rows[i],
                                      .channels = channels,
                                      .tokens = v & 4 ? 2 + ck_below(t, 50) : 2 + ck_below(t, 7),
                                      .bias = v & 1,
                                      .gate = v & 2,
                                      .in_place = v & 4,
                                      .extremes = v & 8,
                                      .offset = ck_below(t, 8),
                                      .type = (hlmi_state_type)ck_below(t, HLMI_STATE_TYPES)};
                check_case(t, ref, k, &c);
                check_cut(t, k, &c);
                ck_end(t);
            }
        }
    }
}

/* ---- spec ---- */

/* One token of one channel in double; the sizes of all terms that a rounding can move go to *size. */
static double exact(const hlmi_scan1_run *r, size_t t, size_t c, double *state, double *error, double *bound)
{
    const double x = (double)r->x[t * r->ldx + c], raw = (double)(r->dt[t * r->lddt + c] + r->dt_bias[c]);
    const double dt = log1p(exp(raw)), unit = 0x1p-24;
    double sum = 0, size = 0, spread = 0;
    for (size_t i = 0; i < r->rows; i++) {
        const double arg = dt * (double)r->a[i * r->ld + c], g = exp(arg), in = dt * x * (double)r->b[t * r->ldbc + i];
        const double out = (double)r->c[t * r->ldbc + i], old = state[i];
        state[i] = g * old + in;
        /* dt errs by 4 units, so does the argument of exp, which then errs by that much of the argument and 4 units */
        error[i] = error[i] * g + fabs(g * old) * (6 * fabs(arg) + 5) * unit + fabs(in) * 8 * unit;
        sum += state[i] * out;
        size += fabs(state[i] * out);
        spread += error[i] * fabs(out);
    }
    const double pass = (double)r->d[c] * x, z = (double)r->z[t * r->ldz + c], gate = z / (1 + exp(-z));
    *bound = fabs(gate) * (spread + (size + fabs(pass)) * (double)(r->rows + 10) * unit) + 0x1p-120;
    return (sum + pass) * gate;
}

static void spec_case(ck_run *t, const hlmi_kernels *ref, size_t rows, size_t tokens)
{
    enum { CHANNELS = 5, MOST_ROWS = 64 };
    const scan1_case c = {.rows = rows, .channels = CHANNELS, .tokens = tokens, .bias = true, .gate = true};
    const hlmi_scan1_run r = make(t, &c);
    float *y, *out;
    run(t, ref->scan1, r, &c, &y, &out);
    for (size_t ch = 0; ch < CHANNELS; ch++) {
        double state[MOST_ROWS], error[MOST_ROWS] = {0};
        for (size_t i = 0; i < rows; i++) state[i] = (double)r.in[i * r.ld + ch];
        for (size_t at = 0; at < tokens; at++) {
            double bound;
            const double want = exact(&r, at, ch, state, error, &bound), got = (double)y[at * r.ldy + ch];
            ck_check(t, fabs(got - want) <= bound, "scan1: token %zu channel %zu is %.9g, not %.9g +- %g", at, ch, got,
                     want, bound);
        }
        for (size_t i = 0; i < rows; i++) {
            const double got = (double)out[i * r.ld + ch];
            ck_check(t, fabs(got - state[i]) <= error[i] + 0x1p-120,
                     "scan1's state: row %zu channel %zu is %.9g, not %.9g", i, ch, got, state[i]);
        }
    }
}

static void spec(ck_run *t, const hlmi_kernels *ref)
{
    static const size_t rows[] = {1, 8, 16, 33};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (size_t tokens = 1; tokens < 100; tokens = 3 * tokens + 1) {
            if (!ck_begin(t, "spec scan1 rows %zu tokens %zu", rows[i], tokens)) continue;
            spec_case(t, ref, rows[i], tokens);
            ck_end(t);
        }
    }
}

/* ---- bench ---- */

typedef struct bench_arg {
    const hlmi_kernels *k;
    hlmi_scan1_run run;
} bench_arg;

static void bench_run(void *arg)
{
    const bench_arg *b = arg;
    b->k->scan1(&b->run);
}

static void bench(ck_run *t, const hlmi_kernels *k)
{
    for (size_t tokens = 1; tokens <= 512; tokens *= 8) {
        if (!ck_begin(t, "scan1 3200 x 16, tokens %zu", tokens)) continue;
        const scan1_case c = {.rows = 16, .channels = 3200, .tokens = tokens, .gate = true, .bias = true};
        bench_arg b = {k, make(t, &c)};
        b.run.out = ck_out(t, c.rows * b.run.ld);
        b.run.y = ck_out(t, tokens * b.run.ldy);
        char name[64];
        snprintf(name, sizeof name, "scan1 3200 x 16, %zu tokens", tokens);
        ck_report(t, name, ck_time(t, bench_run, &b), (double)(3200 * 16 * tokens), "G updates/s", 0, 0);
        ck_end(t);
    }
}

const ck_suite ck_scan1_suite = {"scan1", spec, check, bench};
