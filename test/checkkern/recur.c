/* Kernels of recurrent layers. */
#include <math.h>
#include <string.h>

#include "checkkern.h"

typedef struct conv_case {
    size_t window, channels, tokens;
    bool bias, silu, in_place;
    float scale;
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
    return (hlmi_conv_run){.weight = ck_floats(t, c->window * ld, 1.0f),
                           .bias = c->bias ? ck_floats(t, c->channels, 1.0f) : NULL,
                           .silu = c->silu,
                           .window = c->window,
                           .channels = c->channels,
                           .tokens = c->tokens,
                           .in = ck_floats(t, c->window * ld, c->scale),
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
}

static void check_convs(ck_run *t, const hlmi_kernels *ref, const hlmi_kernels *k)
{
    for (size_t window = 1; window < 7; window++) {
        for (size_t channels = 1; channels < 70; channels += channels % 5 + 1) {
            if (!ck_begin(t, "conv window %zu channels %zu", window, channels)) continue;
            for (unsigned v = 0; v < 8; v++) {
                const conv_case c = {window, channels,     1 + ck_below(t, 9),           v & 1,
                                     v & 2,  (v & 4) != 0, ck_below(t, 4) ? 2.0f : 1e30f};
                check_conv(t, ref, k, &c);
            }
            ck_end(t);
        }
    }
}

static void check(ck_run *t, const hlmi_kernels *ref, const hlmi_kernels *k)
{
    check_convs(t, ref, k);
}

/* ---- spec ---- */

static void spec_conv(ck_run *t, const hlmi_kernels *ref, size_t window, size_t tokens)
{
    const conv_case c = {window, 5, tokens, true, true, false, 2.0f};
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

static void spec(ck_run *t, const hlmi_kernels *ref)
{
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
} bench_arg;

static void bench_conv(void *arg)
{
    const bench_arg *b = arg;
    b->k->conv(&b->conv);
}

static void bench(ck_run *t, const hlmi_kernels *k)
{
    for (size_t tokens = 1; tokens <= 512; tokens *= 8) {
        if (!ck_begin(t, "conv 2304 x 4, tokens %zu", tokens)) continue;
        const conv_case c = {4, 2304, tokens, true, true, true, 2.0f};
        bench_arg b = {k, make_conv(t, &c)};
        b.conv.out = ck_out(t, 4 * b.conv.ld);
        b.conv.y = ck_out(t, tokens * b.conv.ldy);
        ck_report(t, "conv 2304 x 4", ck_time(t, bench_conv, &b), (double)(2304 * tokens), "G elements/s", 0, 0);
        ck_end(t);
    }
}

const ck_suite ck_recur_suite = {"recur", spec, check, bench};
