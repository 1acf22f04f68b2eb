/* Kernels on rows of floats. */
#include <math.h>
#include <string.h>

#include "base/half.h"
#include "checkkern.h"

/* Numbers at the edges of the format and of the exponential. */
static float extreme(ck_run *t)
{
    static const uint32_t bits[] = {0,           0x80000000u, 1,           0x80000001u, 0x007FFFFFu, 0x00800000u,
                                    0x3F800000u, 0xBF800000u, 0x7F7FFFFFu, 0xFF7FFFFFu, 0x7F800000u, 0xFF800000u,
                                    0x7FC00000u, 0xFFC12345u, 0x42B17218u, 0xC2B17218u, 0x42B16666u, 0xC2AE999Au,
                                    0xC2AE999Bu, 0x42AE999Au, 0x42B16667u, 0x33000000u, 0xC2CFF1B5u, 0x60AD78ECu};
    return hlmi_f32_from_bits(bits[ck_below(t, sizeof bits / sizeof *bits)]);
}

/* n floats, `offset` floats past a 64-byte boundary, the last next to the guard. */
static float *floats_at(ck_run *t, size_t n, size_t offset, float scale, bool extremes)
{
    float *x = ck_floats(t, n + offset, scale) + offset;
    for (size_t i = 0; i < n && extremes; i++)
        if (ck_below(t, 3) == 0) x[i] = extreme(t);
    return x;
}

typedef struct row_case {
    size_t n, offset;
    bool extremes, in_place;
} row_case;

/* The output of a kernel that may work in place: a copy of x, or fresh memory. */
static float *output(ck_run *t, const row_case *c, const float *x)
{
    float *y = ck_out(t, c->n + c->offset) + c->offset;
    if (c->in_place) memcpy(y, x, c->n * sizeof *y);
    return y;
}

static void check_norm(ck_run *t, const hlmi_kernels *ref, const hlmi_kernels *k, const row_case *c)
{
    const float *x = floats_at(t, c->n, c->offset, 4.0f, c->extremes), *w = floats_at(t, c->n, 3, 2.0f, false);
    float *want = output(t, c, x), *got = output(t, c, x);
    ref->rms_norm(want, c->in_place ? want : x, w, c->n, 1e-5f);
    k->rms_norm(got, c->in_place ? got : x, w, c->n, 1e-5f);
    ck_same_floats(t, "rms_norm", got, want, c->n);
}

static void check_layer_norm(ck_run *t, const hlmi_kernels *ref, const hlmi_kernels *k, const row_case *c)
{
    const float *x = floats_at(t, c->n, c->offset, 4.0f, c->extremes), *w = floats_at(t, c->n, 3, 2.0f, false);
    const float *b = c->offset % 2 ? floats_at(t, c->n, 1, 2.0f, false) : NULL;
    float *want = output(t, c, x), *got = output(t, c, x);
    ref->layer_norm(want, c->in_place ? want : x, w, b, c->n, 1e-5f);
    k->layer_norm(got, c->in_place ? got : x, w, b, c->n, 1e-5f);
    ck_same_floats(t, "layer_norm", got, want, c->n);
}

static void check_activations(ck_run *t, const hlmi_kernels *ref, const hlmi_kernels *k, const row_case *c)
{
    const float *x = floats_at(t, c->n, c->offset, 6.0f, c->extremes);
    float *want = output(t, c, x), *got = output(t, c, x);
    ref->gelu(want, c->in_place ? want : x, c->n);
    k->gelu(got, c->in_place ? got : x, c->n);
    ck_same_floats(t, "gelu", got, want, c->n);
    float *want2 = output(t, c, x), *got2 = output(t, c, x);
    ref->relu2(want2, c->in_place ? want2 : x, c->n);
    k->relu2(got2, c->in_place ? got2 : x, c->n);
    ck_same_floats(t, "relu2", got2, want2, c->n);
}

static void check_simple(ck_run *t, const hlmi_kernels *ref, const hlmi_kernels *k, const row_case *c)
{
    const float *x = floats_at(t, c->n, c->offset, 4.0f, c->extremes), *z = floats_at(t, c->n, 1, 2.0f, c->extremes);
    float *want = output(t, c, x), *got = output(t, c, x);
    ref->add(want, c->in_place ? want : x, z, c->n);
    k->add(got, c->in_place ? got : x, z, c->n);
    ck_same_floats(t, "add", got, want, c->n);
    ref->mul(want, c->in_place ? want : x, z, c->n);
    k->mul(got, c->in_place ? got : x, z, c->n);
    ck_same_floats(t, "mul", got, want, c->n);
    ref->scale(want, c->in_place ? want : x, -0.7f, c->n);
    k->scale(got, c->in_place ? got : x, -0.7f, c->n);
    ck_same_floats(t, "scale", got, want, c->n);
}

static void check_exp(ck_run *t, const hlmi_kernels *ref, const hlmi_kernels *k, const row_case *c)
{
    const float *x = floats_at(t, c->n, c->offset, c->n % 2 ? 95.0f : 5.0f, c->extremes);
    const float *up = floats_at(t, c->n, 2, 3.0f, c->extremes);
    float *want = output(t, c, x), *got = output(t, c, x);
    ref->silu_mul(want, c->in_place ? want : x, up, c->n);
    k->silu_mul(got, c->in_place ? got : x, up, c->n);
    ck_same_floats(t, "silu_mul", got, want, c->n);

    float *want_s = output(t, c, x), *got_s = output(t, c, x);
    ref->sigmoid_mul(want_s, up, c->in_place ? want_s : x, c->n);
    k->sigmoid_mul(got_s, up, c->in_place ? got_s : x, c->n);
    ck_same_floats(t, "sigmoid_mul", got_s, want_s, c->n);

    float *want_g = output(t, c, x), *got_g = output(t, c, x);
    ref->gelu_erf_mul(want_g, c->in_place ? want_g : x, up, c->n);
    k->gelu_erf_mul(got_g, c->in_place ? got_g : x, up, c->n);
    ck_same_floats(t, "gelu_erf_mul", got_g, want_g, c->n);

    float *want_e = output(t, c, x), *got_e = output(t, c, x);
    const float m = c->extremes ? 0.0f : 5.0f;
    const float want_sum = ref->exp_sum(want_e, c->in_place ? want_e : x, m, c->n);
    const float got_sum = k->exp_sum(got_e, c->in_place ? got_e : x, m, c->n);
    ck_same_floats(t, "exp_sum's row", got_e, want_e, c->n);
    ck_same_floats(t, "exp_sum", &got_sum, &want_sum, 1);
}

static void check_max(ck_run *t, const hlmi_kernels *ref, const hlmi_kernels *k, const row_case *c)
{
    float *x = floats_at(t, c->n, c->offset, 4.0f, c->extremes);
    for (size_t i = 0; i < c->n && c->in_place; i++) { /* rows of one sort */
        static const uint32_t sort[] = {0x7FC00000u, 0xFF800000u, 0, 0x80000000u};
        x[i] = hlmi_f32_from_bits(sort[c->extremes ? c->offset % 2 : 2 + ck_below(t, 2)]);
    }
    if (c->n > 3 && c->in_place) x[ck_below(t, (uint32_t)c->n)] = extreme(t);
    const float want = ref->max(x, c->n), got = k->max(x, c->n);
    ck_same_floats(t, "max", &got, &want, 1);
}

static void check_rope(ck_run *t, const hlmi_kernels *ref, const hlmi_kernels *k, const row_case *c)
{
    const float *x = floats_at(t, 2 * c->n, c->offset, 4.0f, c->extremes);
    const float *cos = floats_at(t, c->n, 1, 1.0f, false), *sin = floats_at(t, c->n, 2, 1.0f, false);
    float *want = ck_out(t, 2 * c->n + c->offset) + c->offset, *got = ck_out(t, 2 * c->n + c->offset) + c->offset;
    memcpy(want, x, 2 * c->n * sizeof *x);
    memcpy(got, x, 2 * c->n * sizeof *x);
    ref->rope(want, cos, sin, c->n);
    k->rope(got, cos, sin, c->n);
    ck_same_floats(t, "rope", got, want, 2 * c->n);
}

static void check(ck_run *t, const hlmi_kernels *ref, const hlmi_kernels *k)
{
    static const struct {
        const char *name;
        void (*run)(ck_run *t, const hlmi_kernels *ref, const hlmi_kernels *k, const row_case *c);
    } kinds[] = {
        {"rms_norm", check_norm},
        {"layer_norm", check_layer_norm},
        {"activations", check_activations},
        {"add, scale", check_simple},
        {"exp", check_exp},
        {"max", check_max},
        {"rope", check_rope},
    };
    static const size_t large[] = {576, 1000, 1536, 4099};
    for (size_t kind = 0; kind < sizeof kinds / sizeof *kinds; kind++) {
        for (size_t i = 1; i < 84; i++) {
            const size_t n = i < 80 ? i : large[i - 80], offset = i * 3 % 8;
            if (!ck_begin(t, "row %s n %zu", kinds[kind].name, n)) continue;
            for (unsigned v = 0; v < 8; v++) {
                const row_case c = {n, v & 4 ? 0 : offset, v & 1, v & 2};
                kinds[kind].run(t, ref, k, &c);
            }
            ck_end(t);
        }
    }
}

/* ---- spec ---- */

static void near(ck_run *t, const char *what, size_t i, double got, double want, double bound)
{
    ck_check(t, fabs(got - want) <= bound, "%s: %zu is %.9g, not %.9g +- %g", what, i, got, want, bound);
}

/* exp errs by 2^-22 of its value; each other operation by 2^-24 of its result, a sum of n terms by n of the total. */
static void spec_exp(ck_run *t, const hlmi_kernels *ref, size_t n)
{
    const float *x = ck_floats(t, n, 20.0f), *up = ck_floats(t, n, 3.0f);
    float *y = ck_out(t, n), *e = ck_out(t, n), *s = ck_out(t, n), *normal = ck_out(t, n);
    ref->gelu_erf_mul(normal, x, up, n);
    ref->silu_mul(y, x, up, n);
    ref->sigmoid_mul(s, x, up, n);
    double sum = 0;
    const float total = ref->exp_sum(e, x, 20.0f, n);
    for (size_t i = 0; i < n; i++) {
        const double g = (double)x[i], want = g / (1 + exp(-g)) * (double)up[i], term = exp((double)(x[i] - 20.0f));
        near(t, "silu_mul", i, (double)y[i], want, fabs(want) * 0x1p-21 + 0x1p-126);
        const double part = (double)up[i] / (1 + exp(-g));
        near(t, "sigmoid_mul", i, (double)s[i], part, fabs(part) * 0x1p-21 + 0x1p-126);
        const double exact = g * 0.5 * erfc(-g * 0.70710678118654752) * (double)up[i];
        near(t, "gelu_erf_mul", i, (double)normal[i], exact, fabs(exact) * (3 + g * g / 16) * 0x1p-21 + 0x1p-120);
        near(t, "exp", i, (double)e[i], term, term * 0x1p-22);
        sum += term;
    }
    near(t, "exp_sum", 0, (double)total, sum, sum * (0x1p-22 + (double)(n / 16 + 5) * 0x1p-24));
}

static void spec_norm(ck_run *t, const hlmi_kernels *ref, size_t n)
{
    const float *x = ck_floats(t, n, 5.0f), *w = ck_floats(t, n, 2.0f);
    float *y = ck_out(t, n), *r = ck_out(t, 2 * (n / 2));
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (double)x[i] * (double)x[i];
    ref->rms_norm(y, x, w, n, 1e-5f);
    for (size_t i = 0; i < n; i++) {
        const double want = (double)x[i] / sqrt(sum / (double)n + (double)1e-5f) * (double)w[i];
        near(t, "rms_norm", i, (double)y[i], want, fabs(want) * (double)(n / 16 + 16) * 0x1p-24 + 0x1p-126);
    }
    const size_t half = n / 2;
    memcpy(r, x, 2 * half * sizeof *r);
    ref->rope(r, w, w + half, half);
    for (size_t i = 0; i < half; i++) {
        const double a = (double)x[i], b = (double)x[i + half], c = (double)w[i], s = (double)w[i + half];
        const double bound = (fabs(a) + fabs(b)) * 2 * 0x1p-23;
        near(t, "rope", i, (double)r[i], a * c - b * s, bound);
        near(t, "rope", i + half, (double)r[i + half], b * c + a * s, bound);
    }
}

/* gelu errs as silu does, with the argument's error (a few roundings) on top; layer_norm by the sums' roundings of
 * |d|. */
static void spec_layer(ck_run *t, const hlmi_kernels *ref, size_t n)
{
    const float *x = ck_floats(t, n, 5.0f), *w = ck_floats(t, n, 2.0f), *b = ck_floats(t, n, 2.0f);
    float *y = ck_out(t, n), *g = ck_out(t, n), *r = ck_out(t, n);
    double mean = 0, var = 0;
    for (size_t i = 0; i < n; i++) mean += (double)x[i] / (double)n;
    for (size_t i = 0; i < n; i++) var += ((double)x[i] - mean) * ((double)x[i] - mean) / (double)n;
    ref->layer_norm(y, x, w, b, n, 1e-2f);
    ref->gelu(g, x, n);
    ref->relu2(r, x, n);
    for (size_t i = 0; i < n; i++) {
        const double v = (double)x[i], rstd = 1 / sqrt(var + (double)1e-2f);
        const double want = (v - mean) * rstd * (double)w[i] + (double)b[i];
        const double size = (fabs(v - mean) + 5) * rstd * fabs((double)w[i]) + fabs((double)b[i]);
        near(t, "layer_norm", i, (double)y[i], want, size * (double)(n / 16 + 32) * 0x1p-23);
        const double u = 0.7978845608028654 * (v + 0.044715 * v * v * v), exact = v / (1 + exp(-2 * u));
        near(t, "gelu", i, (double)g[i], exact, fabs(exact) * (4 * fabs(u) + 8) * 0x1p-23 + 0x1p-126);
        near(t, "relu2", i, (double)r[i], v > 0 ? v * v : 0, v * v * 0x1p-23);
    }
}

static void spec(ck_run *t, const hlmi_kernels *ref)
{
    static const size_t sizes[] = {1, 2, 15, 16, 17, 33, 64, 576, 1537};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        if (!ck_begin(t, "spec row n %zu", sizes[i])) continue;
        spec_exp(t, ref, sizes[i]);
        spec_norm(t, ref, sizes[i]);
        spec_layer(t, ref, sizes[i]);
        ck_end(t);
    }
}

/* ---- bench ---- */

typedef struct bench_arg {
    const hlmi_kernels *k;
    float *y, *x, *w;
    size_t n;
} bench_arg;

static void run_norm(void *arg)
{
    const bench_arg *b = arg;
    b->k->rms_norm(b->y, b->x, b->w, b->n, 1e-5f);
}

static void run_silu(void *arg)
{
    const bench_arg *b = arg;
    b->k->silu_mul(b->y, b->x, b->w, b->n);
}

static void run_exp(void *arg)
{
    const bench_arg *b = arg;
    b->y[0] = b->k->exp_sum(b->y, b->x, 4.0f, b->n);
}

static void run_max(void *arg)
{
    const bench_arg *b = arg;
    b->y[0] = b->k->max(b->x, b->n);
}

static void run_rope(void *arg)
{
    const bench_arg *b = arg;
    for (size_t i = 0; i + 64 <= b->n; i += 64) b->k->rope(b->y + i, b->x, b->w, 32);
}

static void bench(ck_run *t, const hlmi_kernels *k)
{
    static const struct {
        const char *name;
        void (*run)(void *arg);
    } kinds[] = {{"row rms_norm", run_norm},
                 {"row silu_mul", run_silu},
                 {"row exp_sum", run_exp},
                 {"row max", run_max},
                 {"row rope 64", run_rope}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const size_t n = 1536;
        if (!ck_begin(t, "%s", kinds[i].name)) continue;
        bench_arg b = {k, ck_floats(t, n, 4.0f), ck_floats(t, n, 4.0f), ck_floats(t, n, 4.0f), n};
        ck_report(t, kinds[i].name, ck_time(t, kinds[i].run, &b), (double)n, "G elements/s", 0, 0);
        ck_end(t);
    }
}

const ck_suite ck_vec_suite = {"vec", spec, check, bench};
