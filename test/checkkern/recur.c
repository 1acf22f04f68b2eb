/* Kernels of recurrent layers. */
#include <math.h>
#include <string.h>

#include "checkkern.h"

typedef struct conv_case {
    size_t window, channels, tokens;
    bool bias, silu, in_place;
    float scale;
    hlmi_state_type type;
} conv_case;

enum { PAD = 3 }; /* floats between rows */

/* Runs a kernel on inputs that both get; the outputs of each are fresh. */
static void run_conv(ck_run *t, hlmi_conv_fn *fn, hlmi_conv_run r, const conv_case *c, float **y, float **state)
{
    const size_t ld = c->channels + PAD;
    *y = ck_out(t, c->tokens * ld);
    *state = ck_out(t, c->window * ld);
    if (c->in_place) {
        memcpy(*state, r.in, c->window * ld * sizeof **state);
        r.in = *state;
    }
    r.out = *state;
    r.y = *y;
    fn(&r);
}

static hlmi_conv_run make_conv(ck_run *t, const conv_case *c)
{
    const size_t ld = c->channels + PAD;
    float *in = ck_floats(t, c->window * ld, c->scale);
    ck_round(c->type, in, c->window * ld);
    return (hlmi_conv_run){.type = c->type,
                           .weight = ck_floats(t, c->window * ld, 1.0f),
                           .bias = c->bias ? ck_floats(t, c->channels, 1.0f) : NULL,
                           .silu = c->silu,
                           .window = c->window,
                           .channels = c->channels,
                           .tokens = c->tokens,
                           .in = in,
                           .ld = ld,
                           .x = ck_floats(t, c->tokens * ld, c->scale),
                           .ldx = ld,
                           .ldy = ld};
}

static void check_conv(ck_run *t, const hlmi_kernels *ref, const hlmi_kernels *k, const conv_case *c)
{
    float *want, *got, *want_state, *got_state;
    const hlmi_conv_run r = make_conv(t, c);
    run_conv(t, ref->conv, r, c, &want, &want_state);
    run_conv(t, k->conv, r, c, &got, &got_state);
    /* the space between rows is not written, which comparing all of it shows */
    ck_same_floats(t, "conv", got, want, c->tokens * r.ldy);
    ck_same_floats(t, "conv's state", got_state, want_state, c->window * r.ld);
    /* the last token in a call of its own */
    hlmi_conv_run last = r;
    conv_case cut = *c;
    cut.tokens = last.tokens = c->tokens - 1;
    if (cut.tokens == 0) return;
    run_conv(t, k->conv, last, &cut, &got, &got_state);
    last.in = got_state;
    last.x += cut.tokens * r.ldx;
    cut.tokens = last.tokens = 1;
    run_conv(t, k->conv, last, &cut, &got, &got_state);
    ck_same_floats(t, "conv of the last token", got, want + (c->tokens - 1) * r.ldy, r.ldy);
    ck_same_floats(t, "conv's state after it", got_state, want_state, c->window * r.ld);
}

static void check_convs(ck_run *t, const hlmi_kernels *ref, const hlmi_kernels *k)
{
    for (size_t window = 1; window < 7; window++) {
        for (size_t channels = 1; channels < 70; channels += channels % 5 + 1) {
            if (!ck_begin(t, "conv window %zu channels %zu", window, channels)) continue;
            for (unsigned v = 0; v < 8; v++) {
                const conv_case c = {.window = window,
                                     .channels = channels,
                                     .tokens = 1 + ck_below(t, 9),
                                     .bias = v & 1,
                                     .silu = v & 2,
                                     .in_place = v & 4,
                                     .scale = ck_below(t, 4) ? 2.0f : 1e30f,
                                     .type = (hlmi_state_type)ck_below(t, HLMI_STATE_TYPES)};
                check_conv(t, ref, k, &c);
            }
            ck_end(t);
        }
    }
}

typedef struct scan2_case {
    size_t rows, cols, tokens;
    float lo, hi; /* of dt */
    float scale;
    bool in_place;
    hlmi_state_type type;
} scan2_case;

static hlmi_scan2_run make_scan2(ck_run *t, const scan2_case *c)
{
    const size_t ldx = c->cols + PAD, ldbc = c->rows + PAD;
    float *in = ck_floats(t, c->rows * c->cols, c->scale);
    ck_round(c->type, in, c->rows * c->cols);
    return (hlmi_scan2_run){.type = c->type,
                            .a = -4.0f * (ck_uniform(t) + 1.0f),
                            .d = ck_uniform(t),
                            .dt_bias = 3.0f * ck_uniform(t),
                            .dt_min = c->lo,
                            .dt_max = c->hi,
                            .rows = c->rows,
                            .cols = c->cols,
                            .tokens = c->tokens,
                            .in = in,
                            .dt = ck_floats(t, c->tokens * PAD, 4.0f),
                            .lddt = PAD,
                            .x = ck_floats(t, c->tokens * ldx, c->scale),
                            .ldx = ldx,
                            .b = ck_floats(t, c->tokens * ldbc, c->scale),
                            .c = ck_floats(t, c->tokens * ldbc, 1.0f),
                            .ldbc = ldbc,
                            .ldy = ldx};
}

/* Runs a kernel, with the tokens in one call or in two. */
static void run_scan2(ck_run *t, hlmi_scan2_fn *fn, hlmi_scan2_run r, const scan2_case *c, size_t cut, float **y,
                      float **state)
{
    *y = ck_out(t, c->tokens * r.ldy);
    *state = ck_out(t, c->rows * c->cols);
    if (c->in_place) {
        memcpy(*state, r.in, c->rows * c->cols * sizeof **state);
        r.in = *state;
    }
    r.out = *state;
    r.y = *y;
    r.tokens = cut;
    if (cut) fn(&r);
    if (cut) r.in = r.out;
    r.tokens = c->tokens - cut;
    r.dt += cut * r.lddt;
    r.x += cut * r.ldx;
    r.b += cut * r.ldbc;
    r.c += cut * r.ldbc;
    r.y += cut * r.ldy;
    fn(&r);
}

static void check_scan2(ck_run *t, const hlmi_kernels *ref, const hlmi_kernels *k, const scan2_case *c)
{
    float *want, *got, *want_state, *got_state;
    const hlmi_scan2_run r = make_scan2(t, c);
    run_scan2(t, ref->scan2, r, c, 0, &want, &want_state);
    run_scan2(t, k->scan2, r, c, ck_below(t, (uint32_t)c->tokens), &got, &got_state);
    ck_same_floats(t, "scan2", got, want, c->tokens * r.ldy);
    ck_same_floats(t, "scan2's state", got_state, want_state, c->rows * c->cols);
}

static void check_scan2s(ck_run *t, const hlmi_kernels *ref, const hlmi_kernels *k)
{
    static const float limits[][2] = {{0.0f, INFINITY}, {0.01f, 0.1f}, {-INFINITY, 2.0f}, {1e-3f, 1e3f}};
    for (size_t rows = 1; rows < 40; rows += rows % 5 + 1) {
        for (size_t cols = 1; cols < 100; cols += cols % 17 + 1) {
            if (!ck_begin(t, "scan2 rows %zu cols %zu", rows, cols)) continue;
            for (unsigned v = 0; v < 4; v++) {
                const float scale = ck_below(t, 4) ? 2.0f : 1e19f;
                const scan2_case c = {rows,
                                      cols,
                                      1 + ck_below(t, 70),
                                      limits[v][0],
                                      limits[v][1],
                                      scale,
                                      v & 1,
                                      (hlmi_state_type)ck_below(t, HLMI_STATE_TYPES)};
                check_scan2(t, ref, k, &c);
            }
            ck_end(t);
        }
    }
}

/* States of 16 bits to f32 and back: every pattern of bits, and any f32. */
static void check_halves(ck_run *t, const hlmi_kernels *ref, const hlmi_kernels *k, hlmi_state_type type)
{
    enum { ALL = 1 << 16 };
    if (!ck_begin(t, "halves %d", (int)type)) return;
    uint16_t *h = ck_bytes(t, ALL * sizeof *h), *want_h = ck_bytes(t, ALL * sizeof *h),
             *got_h = ck_bytes(t, ALL * sizeof *h);
    float *want = ck_out(t, ALL), *got = ck_out(t, ALL), *any = ck_out(t, ALL);
    for (size_t i = 0; i < ALL; i++) {
        const uint32_t bits = (uint32_t)(ck_random(t) >> 32);
        h[i] = (uint16_t)i;
        memcpy(&any[i], &bits, sizeof bits);
    }
    for (size_t n = 1; n <= ALL; n += n < 40 ? 1 : ALL - 40) {
        ref->widen[type](want, h, n);
        k->widen[type](got, h, n);
        ck_same_floats(t, "widened", got, want, ALL);
        ref->narrow[type](want_h, any, n);
        k->narrow[type](got_h, any, n);
        ck_same_bytes(t, "narrowed", got_h, want_h, ALL * sizeof *h);
    }
    ck_end(t);
}

static void check(ck_run *t, const hlmi_kernels *ref, const hlmi_kernels *k)
{
    check_halves(t, ref, k, HLMI_STATE_F16);
    check_halves(t, ref, k, HLMI_STATE_BF16);
    check_convs(t, ref, k);
    check_scan2s(t, ref, k);
}

/* ---- spec ---- */

static void spec_conv(ck_run *t, const hlmi_kernels *ref, size_t window, size_t tokens)
{
    const conv_case c = {window, 5, tokens, true, true, false, 2.0f, HLMI_STATE_F32};
    const hlmi_conv_run r = make_conv(t, &c);
    float *y, *state;
    run_conv(t, ref->conv, r, &c, &y, &state);
    for (size_t i = 0; i < tokens * 5; i++) {
        const size_t at = i / 5, ch = i % 5;
        double sum = (double)r.bias[ch], size = fabs(sum);
        for (size_t j = 0; j < window; j++) {
            const ptrdiff_t from = (ptrdiff_t)(at + j) - (ptrdiff_t)window + 1;
            const float x =
                from < 0 ? r.in[(size_t)((ptrdiff_t)window + from) * r.ld + ch] : r.x[(size_t)from * r.ldx + ch];
            sum += (double)x * (double)r.weight[j * r.ld + ch];
            size += fabs((double)x * (double)r.weight[j * r.ld + ch]);
        }
        /* each step of the sum rounds; silu's slope is at most 1.1, and it errs by 2^-21 of its value */
        const double want = sum / (1 + exp(-sum)), bound = size * (double)(window + 1) * 0x1p-23 + fabs(want) * 0x1p-21;
        const double got = (double)y[at * r.ldy + ch];
        ck_check(t, fabs(got - want) <= bound, "conv: %zu is %.9g, not %.9g +- %g", i, got, want, bound);
    }
}

enum { SPEC_ROWS = 9, SPEC_COLS = 5 };

/* dt errs by 2^-21 of its value (softplus and the sum before it), so decay by that times dt * -a on top of exp's 2^-22;
 * what a token leaves in the state errs by at most that much of it, and each later one shrinks it. */
static void spec_scan2(ck_run *t, const hlmi_kernels *ref, size_t tokens)
{
    const scan2_case c = {SPEC_ROWS, SPEC_COLS, tokens, 0.0f, 2.0f, 2.0f, false, HLMI_STATE_F32};
    const hlmi_scan2_run r = make_scan2(t, &c);
    double s[SPEC_ROWS][SPEC_COLS], err[SPEC_ROWS][SPEC_COLS] = {{0}};
    float *got, *state;
    run_scan2(t, ref->scan2, r, &c, 0, &got, &state);
    for (size_t i = 0; i < SPEC_ROWS * SPEC_COLS; i++) s[i / SPEC_COLS][i % SPEC_COLS] = (double)r.in[i];
    for (size_t at = 0; at < tokens; at++) {
        const double raw = (double)r.dt[at * r.lddt] + (double)r.dt_bias, soft = log1p(exp(raw));
        const double dt = soft < 2.0 ? soft : 2.0, decay = exp(dt * (double)r.a);
        const double dt_err = dt * 0x1p-21 + 4 * 0x1p-23;
        const double decay_err = decay * (0x1p-22 + dt_err * fabs((double)r.a)) + 0x1p-126;
        for (size_t p = 0; p < SPEC_COLS; p++) {
            const double x = (double)r.x[at * r.ldx + p];
            double y = (double)r.d * x, size = fabs(y), y_err = 0;
            for (size_t n = 0; n < SPEC_ROWS; n++) {
                const double b = (double)r.b[at * r.ldbc + n], out = (double)r.c[at * r.ldbc + n];
                err[n][p] = decay * err[n][p] + decay_err * fabs(s[n][p]) + dt_err * fabs(b * x);
                s[n][p] = decay * s[n][p] + dt * b * x;
                err[n][p] += (fabs(s[n][p]) + fabs(dt * b * x)) * 0x1p-22;
                y += s[n][p] * out;
                size += fabs(s[n][p] * out);
                y_err += err[n][p] * fabs(out);
            }
            const double is = (double)got[at * r.ldy + p], bound = y_err + size * (double)SPEC_ROWS * 0x1p-23;
            ck_check(t, fabs(is - y) <= bound, "scan2: token %zu lane %zu is %.9g, not %.9g +- %g", at, p, is, y,
                     bound);
        }
    }
}

static void spec(ck_run *t, const hlmi_kernels *ref)
{
    for (size_t tokens = 1; tokens < 80; tokens += 13) {
        if (!ck_begin(t, "spec scan2 tokens %zu", tokens)) continue;
        spec_scan2(t, ref, tokens);
        ck_end(t);
    }
    for (size_t window = 1; window < 7; window++) {
        if (!ck_begin(t, "spec conv window %zu", window)) continue;
        for (size_t tokens = 1; tokens < 9; tokens += 2) spec_conv(t, ref, window, tokens);
        ck_end(t);
    }
}

/* ---- bench ---- */

typedef struct bench_arg {
    const hlmi_kernels *k;
    hlmi_conv_run conv;
    hlmi_scan2_run scan2;
    float *states[2]; /* of all heads: read one, write the other */
} bench_arg;

static void bench_conv(void *arg)
{
    const bench_arg *b = arg;
    b->k->conv(&b->conv);
}

enum { HEADS = 32, HEAD_DIM = 64, STATE = 128 };

static void bench_scan2(void *arg)
{
    bench_arg *b = arg;
    for (size_t h = 0; h < HEADS; h++) {
        b->scan2.in = b->states[0] + h * STATE * HEAD_DIM;
        b->scan2.out = b->states[1] + h * STATE * HEAD_DIM;
        b->k->scan2(&b->scan2);
    }
    float *was = b->states[0];
    b->states[0] = b->states[1];
    b->states[1] = was;
}

static void bench_scan2s(ck_run *t, const hlmi_kernels *k)
{
    for (size_t tokens = 1; tokens <= 512; tokens *= 8) {
        if (!ck_begin(t, "scan2 32 x 64 x 128, tokens %zu", tokens)) continue;
        const scan2_case c = {STATE, HEAD_DIM, tokens, 0.0f, INFINITY, 2.0f, true, HLMI_STATE_F32};
        const size_t n = (size_t)HEADS * STATE * HEAD_DIM;
        bench_arg b = {.k = k, .scan2 = make_scan2(t, &c), .states = {ck_floats(t, n, 1.0f), ck_floats(t, n, 1.0f)}};
        b.scan2.y = ck_out(t, tokens * b.scan2.ldy);
        /* three operations for the state, two for the output */
        ck_report(t, "scan2 32 x 64 x 128", ck_time(t, bench_scan2, &b), 5.0 * (double)(n * tokens), "G operations/s",
                  0, 0);
        ck_end(t);
    }
}

static void bench(ck_run *t, const hlmi_kernels *k)
{
    for (size_t tokens = 1; tokens <= 512; tokens *= 8) {
        if (!ck_begin(t, "conv 2304 x 4, tokens %zu", tokens)) continue;
        const conv_case c = {4, 2304, tokens, true, true, true, 2.0f, HLMI_STATE_F32};
        bench_arg b = {.k = k, .conv = make_conv(t, &c)};
        b.conv.out = ck_out(t, 4 * b.conv.ld);
        b.conv.y = ck_out(t, tokens * b.conv.ldy);
        ck_report(t, "conv 2304 x 4", ck_time(t, bench_conv, &b), (double)(2304 * tokens), "G elements/s", 0, 0);
        ck_end(t);
    }
    bench_scan2s(t, k);
}

const ck_suite ck_recur_suite = {"recur", spec, check, bench};
