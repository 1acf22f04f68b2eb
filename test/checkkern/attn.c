/* Attention over one page: scores, values, writing a position. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/half.h"
#include "checkkern.h"

static const char *const format_names[HLMI_KV_FORMATS] = {"f32", "f16", "bf16", "int8"};

static size_t element_size(hlmi_kv_format f)
{
    if (f == HLMI_KV_ROWS_INT8) return 1;
    return f == HLMI_KV_ROWS_F32 ? 4 : 2;
}

static float element(hlmi_kv_format f, const void *rows, size_t at)
{
    if (f == HLMI_KV_ROWS_F32) return ((const float *)rows)[at];
    if (f == HLMI_KV_ROWS_INT8) return (float)((const int8_t *)rows)[at];
    const uint16_t h = ((const uint16_t *)rows)[at];
    return f == HLMI_KV_ROWS_F16 ? hlmi_f16_to_f32(h) : hlmi_bf16_to_f32(h);
}

/* n random elements: modest values, or any bits at all. */
static void *rows(ck_run *t, hlmi_kv_format f, size_t n, bool wild)
{
    void *r = ck_bytes(t, n * element_size(f));
    for (size_t i = 0; i < n; i++) {
        const float x = ck_uniform(t);
        const uint32_t any = (uint32_t)(ck_random(t) >> 32);
        if (f == HLMI_KV_ROWS_F32) ((float *)r)[i] = wild ? hlmi_f32_from_bits(any) : x;
        else if (f == HLMI_KV_ROWS_INT8) ((int8_t *)r)[i] = (int8_t)(any >> 24);
        else if (wild) ((uint16_t *)r)[i] = (uint16_t)any;
        else ((uint16_t *)r)[i] = f == HLMI_KV_ROWS_F16 ? hlmi_f32_to_f16(x) : hlmi_f32_to_bf16(x);
    }
    return r;
}

typedef struct size {
    size_t nq, dim, page, n;
} size;

typedef struct attn_case {
    float *q; /* [nq][ldq]: queries, or weights of positions */
    void *kv;
    size_t ldq;
    uint16_t *lo, *hi;
} attn_case;

static size_t rounded(size_t n)
{
    return (n + 15) / 16 * 16;
}

static attn_case make(ck_run *t, hlmi_kv_format f, size s, bool scores, bool wild)
{
    attn_case c = {.ldq = (scores ? s.dim : s.page) + ck_below(t, 3)};
    c.q = ck_floats(t, s.nq * c.ldq, 1.0f);
    c.kv = rows(t, f, s.page * s.dim, wild);
    c.lo = ck_bytes(t, s.nq * sizeof *c.lo);
    c.hi = ck_bytes(t, s.nq * sizeof *c.hi);
    return c;
}

static void check_qk(ck_run *t, const hlmi_kernels *ref, const hlmi_kernels *k, hlmi_kv_format f, size s, bool wild)
{
    if (!ck_begin(t, "qk %s queries %zu dim %zu page %zu n %zu wild %d", format_names[f], s.nq, s.dim, s.page, s.n,
                  wild))
        return;
    const attn_case c = make(t, f, s, true, wild);
    const size_t lds = s.page + 16, end = rounded(s.n);
    float *want = ck_out(t, s.nq * lds), *got = ck_out(t, s.nq * lds), *fresh = ck_out(t, lds);
    ref->qk[f](want, lds, c.q, c.ldq, s.nq, 0.125f, c.kv, s.page, s.dim, s.n);
    k->qk[f](got, lds, c.q, c.ldq, s.nq, 0.125f, c.kv, s.page, s.dim, s.n);
    for (size_t i = 0; i < s.nq; i++) {
        ck_same_floats(t, "scores", got + i * lds, want + i * lds, s.n);
        ck_same_bytes(t, "past the scores", got + i * lds + end, fresh + end, (lds - end) * sizeof *got);
    }
    ck_end(t);
}

typedef enum ranges { RANGES_FULL, RANGES_CAUSAL, RANGES_WINDOW, RANGES_ANY, RANGES_COUNT } ranges;

static void set_ranges(ck_run *t, const attn_case *c, size s, ranges r)
{
    for (size_t i = 0; i < s.nq; i++) {
        const size_t any = ck_below(t, (uint32_t)s.n + 1), causal = (i / 3 + s.n / 2) % (s.n + 1);
        const size_t hi = r == RANGES_FULL ? s.n : r == RANGES_ANY ? any : causal;
        size_t lo = 0;
        if (r == RANGES_ANY) lo = ck_below(t, (uint32_t)s.n + 1);
        if (r == RANGES_WINDOW && hi > 9) lo = hi - 9;
        c->lo[i] = (uint16_t)lo;
        c->hi[i] = (uint16_t)hi;
    }
}

static void check_pv(ck_run *t, const hlmi_kernels *ref, const hlmi_kernels *k, hlmi_kv_format f, size s, ranges r,
                     bool wild)
{
    if (!ck_begin(t, "pv %s queries %zu dim %zu n %zu ranges %d wild %d", format_names[f], s.nq, s.dim, s.n, (int)r,
                  wild))
        return;
    const attn_case c = make(t, f, s, false, wild);
    set_ranges(t, &c, s, r);
    for (size_t i = 0; i < s.nq; i++)
        for (size_t p = 0; p < c.ldq; p++)
            if (p < c.lo[i] || p >= c.hi[i]) c.q[i * c.ldq + p] = NAN;
    const size_t ldo = s.dim + ck_below(t, 3);
    float *want = ck_floats(t, s.nq * ldo, 1.0f), *got = ck_out(t, s.nq * ldo);
    memcpy(got, want, s.nq * ldo * sizeof *got);
    ref->pv[f](want, ldo, c.q, c.ldq, s.nq, c.lo, c.hi, c.kv, s.dim);
    k->pv[f](got, ldo, c.q, c.ldq, s.nq, c.lo, c.hi, c.kv, s.dim);
    ck_same_floats(t, "values", got, want, s.nq * ldo);
    ck_end(t);
}

/* What rows of int8 are at their borders: one odd value among modest ones, or all of the row. */
static const uint32_t extremes[] = {0x00000000u, 0x80000000u, 0x00000001u, 0x00400000u, 0x03FDFFFFu, 0x03FE0000u,
                                    0x03FE0001u, 0x7F7FFFFFu, 0x7F800000u, 0xFF800000u, 0x7FC00000u, 0xFFC00001u};
enum { EXTREMES = sizeof extremes / sizeof *extremes };

/* The row that round number `round` writes. */
static float *write_row(ck_run *t, size_t round, size_t n)
{
    float *x = rows(t, HLMI_KV_ROWS_F32, n, round & 1);
    if (round < 4) return x;
    const float odd = hlmi_f32_from_bits(extremes[round - 4]);
    const bool all = ck_below(t, 2) == 0;
    for (size_t i = 0; i < n; i++) x[i] = all ? odd : ck_uniform(t);
    x[ck_below(t, (uint32_t)n)] = odd;
    return x;
}

static void check_write(ck_run *t, const hlmi_kernels *ref, const hlmi_kernels *k, hlmi_kv_format f, size_t dim,
                        size_t v_dim)
{
    if (!ck_begin(t, "kv_write %s dims %zu %zu", format_names[f], dim, v_dim)) return;
    const size_t page = 16 * (1 + ck_below(t, 4)), bytes = element_size(f);
    char *k_got = ck_bytes(t, page * dim * bytes), *v_got = ck_bytes(t, page * v_dim * bytes);
    char *k_want = ck_bytes(t, page * dim * bytes), *v_want = ck_bytes(t, page * v_dim * bytes);
    const bool scales = f == HLMI_KV_ROWS_INT8;
    float *want = scales ? ck_bytes(t, 2 * page * sizeof *want) : NULL;
    float *got = scales ? ck_bytes(t, 2 * page * sizeof *got) : NULL;
    for (size_t round = 0; round < 4 + EXTREMES; round++) {
        const float *x = write_row(t, round, dim), *y = write_row(t, round, v_dim);
        const size_t at = ck_below(t, (uint32_t)page);
        ref->kv_write[f](k_want, v_want, want, scales ? want + page : NULL, x, y, page, at, dim, v_dim);
        k->kv_write[f](k_got, v_got, got, scales ? got + page : NULL, x, y, page, at, dim, v_dim);
        if (scales) ck_same_floats(t, "scales", got, want, 2 * page);
        ck_same_bytes(t, "page of keys", k_got, k_want, page * dim * bytes);
        ck_same_bytes(t, "page of values", v_got, v_want, page * v_dim * bytes);
    }
    ck_end(t);
}

static const size_t dims[] = {1, 7, 16, 20, 48, 64, 72, 80, 96, 128, 256, 264};
enum { DIMS = sizeof dims / sizeof *dims };

static void check(ck_run *t, const hlmi_kernels *ref, const hlmi_kernels *k)
{
    for (hlmi_kv_format f = 0; f < HLMI_KV_FORMATS; f++) {
        for (size_t nq = 1; nq <= 26; nq++) {
            for (size_t i = 0; i < 4; i++) {
                const size_t page = 16 * (1 + ck_below(t, 8));
                const size s = {nq, dims[ck_below(t, DIMS)], page, 1 + ck_below(t, (uint32_t)page)};
                check_qk(t, ref, k, f, s, i == 1);
                for (ranges r = 0; r < RANGES_COUNT; r++) check_pv(t, ref, k, f, s, r, i == 1);
            }
            check_qk(t, ref, k, f, (size){nq, 64, 64, 64}, false);
            check_pv(t, ref, k, f, (size){nq, 128, 64, 64}, RANGES_FULL, false);
        }
        for (size_t i = 0; i < DIMS; i++) check_write(t, ref, k, f, dims[i], dims[(i * 5 + 3) % DIMS]);
    }
}

/* int8 rows: within half a step of what was written, and the largest value exactly at the end. */
static void spec_int8(ck_run *t, const hlmi_kernels *ref)
{
    int8_t q[2][72];
    float scale[2];
    if (!ck_begin(t, "spec int8 rows")) return;
    for (size_t n = 1; n <= 72; n++) {
        const float *x = ck_floats(t, n, 3.0f);
        ref->kv_write[HLMI_KV_ROWS_INT8](q[0], q[1], &scale[0], &scale[1], x, x, 1, 0, n, n);
        for (size_t i = 0; i < n; i++) {
            const double got = (double)scale[0] * q[0][i];
            ck_check(t, fabs(got - (double)x[i]) <= (double)scale[0] * (0.5 + 0x1p-15),
                     "element %zu of %zu is %g, not %g", i, n, got, (double)x[i]);
            ck_check(t, q[1][i] == q[0][i] && scale[1] == scale[0], "K and V differ");
        }
    }
    ck_end(t);
}

/* Sums of `steps` rounded products: each rounding errs by 2^-24 of at most the sum of sizes. */
static void spec(ck_run *t, const hlmi_kernels *ref)
{
    spec_int8(t, ref);
    for (hlmi_kv_format f = 0; f < HLMI_KV_FORMATS; f++) {
        const size s = {3, 72, 48, 37};
        if (!ck_begin(t, "spec attention %s", format_names[f])) continue;
        const attn_case c = make(t, f, s, true, false), w = make(t, f, s, false, false);
        float *scores = ck_out(t, s.nq * s.page), *o = ck_bytes(t, s.nq * s.dim * sizeof *o);
        set_ranges(t, &w, s, RANGES_WINDOW);
        ref->qk[f](scores, s.page, c.q, c.ldq, s.nq, 0.3f, c.kv, s.page, s.dim, s.n);
        ref->pv[f](o, s.dim, w.q, w.ldq, s.nq, w.lo, w.hi, w.kv, s.dim);
        for (size_t i = 0; i < s.nq; i++) {
            for (size_t p = 0; p < s.n; p++) {
                double want = 0, sum = 0;
                for (size_t d = 0; d < s.dim; d++) {
                    const double term = (double)c.q[i * c.ldq + d] * (double)element(f, c.kv, d * s.page + p);
                    want += term;
                    sum += fabs(term);
                }
                const double got = (double)scores[i * s.page + p], bound = sum * (double)(s.dim + 2) * 0x1p-24;
                ck_check(t, fabs(got - want * (double)0.3f) <= bound, "score %zu %zu is %g, not %g", i, p, got, want);
            }
            for (size_t d = 0; d < s.dim; d++) {
                double want = 0, sum = 0;
                for (size_t p = w.lo[i]; p < w.hi[i]; p++) {
                    const double term = (double)w.q[i * w.ldq + p] * (double)element(f, w.kv, p * s.dim + d);
                    want += term;
                    sum += fabs(term);
                }
                const double got = (double)o[i * s.dim + d], bound = sum * (double)(s.n + 2) * 0x1p-24;
                ck_check(t, fabs(got - want) <= bound, "value %zu %zu is %g, not %g", i, d, got, want);
            }
        }
        ck_end(t);
    }
}

/* ---- bench: `pages` pages one after another, in memory for few queries and in the cache for many ---- */

typedef struct bench_arg {
    const hlmi_kernels *k;
    hlmi_kv_format f;
    size s;
    size_t pages;
    float *q, *out;
    char *kv;
    uint16_t *lo, *hi;
} bench_arg;

static void run_qk(void *arg)
{
    const bench_arg *b = arg;
    const size_t step = b->s.page * b->s.dim * element_size(b->f);
    for (size_t i = 0; i < b->pages; i++)
        b->k->qk[b->f](b->out, b->s.page, b->q, b->s.dim, b->s.nq, 0.125f, b->kv + i * step, b->s.page, b->s.dim,
                       b->s.page);
}

static void run_pv(void *arg)
{
    const bench_arg *b = arg;
    const size_t step = b->s.page * b->s.dim * element_size(b->f);
    for (size_t i = 0; i < b->pages; i++)
        b->k->pv[b->f](b->out, b->s.dim, b->q, b->s.page, b->s.nq, b->lo, b->hi, b->kv + i * step, b->s.dim);
}

static void bench_one(ck_run *t, const hlmi_kernels *k, hlmi_kv_format f, size_t nq, size_t dim)
{
    const size s = {nq, dim, 64, 64};
    const size_t page_bytes = s.page * s.dim * element_size(f), room = nq > 6 ? 64 << 10 : 128 << 20;
    char name[80];
    snprintf(name, sizeof name, "%s queries %zu dim %zu", format_names[f], nq, dim);
    if (!ck_begin(t, "attention %s", name)) return;
    bench_arg b = {.k = k,
                   .f = f,
                   .s = s,
                   .pages = room / page_bytes,
                   .kv = rows(t, f, room / element_size(f), false),
                   .q = ck_floats(t, nq * (dim + s.page), 0.01f),
                   .out = ck_out(t, nq * (dim + s.page)),
                   .lo = ck_bytes(t, nq * sizeof *b.lo),
                   .hi = ck_bytes(t, nq * sizeof *b.hi)};
    for (size_t i = 0; i < nq; i++) b.hi[i] = (uint16_t)s.page;
    const double work = 2.0 * (double)(nq * dim * s.page * b.pages),
                 bytes = nq > 6 ? 0 : (double)(b.pages * page_bytes);
    char line[96];
    snprintf(line, sizeof line, "qk %s", name);
    ck_report(t, line, ck_time(t, run_qk, &b), work, "GFLOP/s", 0, bytes);
    snprintf(line, sizeof line, "pv %s", name);
    memset(b.out, 0, nq * dim * sizeof *b.out);
    ck_report(t, line, ck_time(t, run_pv, &b), work, "GFLOP/s", 0, bytes);
    ck_end(t);
}

static void bench(ck_run *t, const hlmi_kernels *k)
{
    static const size_t queries[] = {1, 2, 3, 4, 6, 16, 48, 192};
    for (hlmi_kv_format f = 0; f < HLMI_KV_FORMATS; f++)
        for (size_t dim = 64; dim <= 128; dim += 64)
            for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) bench_one(t, k, f, queries[i], dim);
}

const ck_suite ck_attn_suite = {"attn", spec, check, bench};
