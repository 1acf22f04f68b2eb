/* Sparse experts at the op table: which experts a row gets, by hand, and their products against plain sums, the same
 * bits for every number of rows and workers. */
#include <math.h>
#include <string.h>

#include "cpu/cpu.h"
#include "unit/quantise.h"
#include "unit/suite.h"

enum { MAX_ROWS = 150, MAX_WORKERS = 7, SCRATCH = 4 << 20, WORKER = 512 << 10 };

static uint64_t seed = 1;

static float next(void)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (float)(int32_t)(seed >> 32) / 2147483648.0f;
}

static float *floats(size_t n)
{
    float *x = malloc(n * sizeof *x);
    for (size_t i = 0; i < n; i++) x[i] = next();
    return x;
}

/* ---- recording and running ---- */

typedef struct rig {
    hlmi_kernels kernels;
    hlmi_program program;
    hlmi_builder b;
    uint8_t *scratch, *worker;
} rig;

static void *aligned(size_t n)
{
    void *p = aligned_alloc(HLMI_ALIGN, n);
    memset(p, 0xA5, n); /* whatever was there before shows in no result */
    return p;
}

static void rig_open(rig *r, unsigned cpu)
{
    *r = (rig){.program.mem = hlmi_mem_default(), .scratch = aligned(SCRATCH)};
    r->worker = aligned((size_t)WORKER * MAX_WORKERS);
    hlmi_kernels_init(&r->kernels, cpu, false);
    r->b = (hlmi_builder){
        .kernels = &r->kernels, .max_rows = MAX_ROWS, .max_out = MAX_ROWS, .program = &r->program, .base = r->scratch};
}

static void rig_run(rig *r, size_t rows, size_t workers)
{
    const hlmi_tile t = {.n_rows = rows, .worker_scratch = r->worker, .worker_stride = WORKER, .workers = workers};
    ck_assert_int_eq(r->b.st, HLM_OK);
    ck_assert_uint_le(r->b.peak, SCRATCH);
    ck_assert_uint_le(r->b.worker_bytes, WORKER);
    for (size_t i = 0; i < r->program.n; i++) {
        const hlmi_region *g = &r->program.regions[i];
        if (rows < g->min_rows || (g->max_rows && rows > g->max_rows) || (g->adapted && !t.adapted)) continue;
        for (size_t w = workers; w-- > 0;) g->run(g->arg, &t, w, workers); /* in an order that threads may take too */
    }
}

static void rig_close(rig *r)
{
    hlmi_program_free(&r->program);
    free(r->scratch);
    free(r->worker);
}

/* ---- routing ---- */

static void route_row(const hlmi_router *router, const float *logits, uint32_t *expert, float *weight)
{
    rig r;
    rig_open(&r, hlmi_cpu_detect());
    const size_t picks = router->top_k + (router->shared != 0.0f);
    hlmi_cpu_route(
        &r.b,
        &(hlmi_route){.router = *router, .logits = {(float *)(uintptr_t)logits, 16}, .out = {picks, expert, weight}});
    rig_run(&r, 1, 1);
    rig_close(&r);
}

#define NEAR(a, b) ck_assert_msg(fabs((double)(a) - (b)) < 1e-6, "%g, expected %g", (double)(a), (double)(b))

START_TEST(softmax_routes)
{
    const float logits[16] = {1, 3, 3, 0, 2};
    const double sum = exp(1) + 2 * exp(3) + 1 + exp(2);
    uint32_t e[4];
    float w[4];
    hlmi_router r = {.kind = HLMI_ROUTE_SOFTMAX, .n_experts = 5, .top_k = 3, .scale = 2.0f};
    route_row(&r, logits, e, w);
    ck_assert(e[0] == 1 && e[1] == 2 && e[2] == 4); /* of equals the first */
    NEAR(w[0], 2 * exp(3) / sum);
    NEAR(w[2], 2 * exp(2) / sum);
    r.normalise = true;
    route_row(&r, logits, e, w);
    NEAR(w[0] + w[1] + w[2], 2.0);
    r = (hlmi_router){.kind = HLMI_ROUTE_TOP_SOFTMAX, .n_experts = 5, .top_k = 2, .scale = 1.0f, .shared = 0.5f};
    route_row(&r, logits, e, w);
    ck_assert(e[0] == 1 && e[1] == 2 && e[2] == 5);
    NEAR(w[0], 0.5);
    NEAR(w[2], 0.5);
    r.shared_gated = true; /* by the logit behind the experts' */
    route_row(&r, logits, e, w);
    NEAR(w[2], 0.25);
}
END_TEST

START_TEST(sigmoid_routes)
{
    const float logits[16] = {2, -1, 0, 0, 1, 1}, bias[6] = {0, 0, 0.9f, 0, 0, 0};
    uint32_t e[3];
    float w[3];
    hlmi_router r = {.kind = HLMI_ROUTE_SIGMOID, .n_experts = 6, .top_k = 2, .scale = 1.0f, .bias = bias};
    route_row(&r, logits, e, w);
    ck_assert(e[0] == 2 && e[1] == 0); /* the bias decides who, and weighs nothing */
    NEAR(w[0], 0.5);
    NEAR(w[1], 1 / (1 + exp(-2)));
    r.groups = 3;
    r.best_groups = 1; /* sums of groups: 1.15, 1.9, 1.46 */
    r.normalise = true;
    route_row(&r, logits, e, w);
    ck_assert(e[0] == 2 && e[1] == 3);
    NEAR(w[0], 0.5);
    r.bias = NULL; /* now the third is best */
    route_row(&r, logits, e, w);
    ck_assert(e[0] == 4 && e[1] == 5);
}
END_TEST

/* Whatever a row's logits are, it gets experts that exist, each once. */
START_TEST(bad_logits_route)
{
    const float bad[] = {NAN, INFINITY, -INFINITY, 3e38f, 0.0f};
    const hlmi_route_kind kinds[] = {HLMI_ROUTE_SOFTMAX, HLMI_ROUTE_TOP_SOFTMAX, HLMI_ROUTE_SIGMOID};
    for (size_t i = 0; i < 300; i++) {
        float logits[16], w[4];
        uint32_t e[4], seen = 0;
        for (size_t j = 0; j < 16; j++) logits[j] = bad[(size_t)(fabsf(next()) * 5) % 5];
        const hlmi_router r = {
            .kind = kinds[i % 3], .n_experts = 8, .top_k = 4, .scale = 1, .groups = 4, .best_groups = 2};
        route_row(&r, logits, e, w);
        for (size_t j = 0; j < 4; j++) {
            ck_assert_uint_lt(e[j], 8);
            seen |= 1u << e[j];
        }
        ck_assert_int_eq(__builtin_popcount(seen), 4);
    }
}
END_TEST

/* ---- products ---- */

/* A matrix of random values in a layout; the values as the type has them in *plain. */
static hlmi_matrix matrix(hlmi_type type, size_t rows, size_t cols, float **plain)
{
    const hlmi_type_info *t = hlmi_type_get(type);
    const hlmi_layout_info *l = hlmi_layout_get(t->layout);
    uint64_t row_bytes = 0;
    hlmi_type_row_bytes(type, cols, &row_bytes);
    const size_t bytes = (size_t)row_bytes, group = hlmi_layout_group_bytes(t->layout, cols);
    uint8_t *file = malloc(rows * bytes), *tiles = aligned((rows + l->rows - 1) / l->rows * group);
    *plain = floats(rows * cols);
    if (quantise_to(type)) quantise_to(type)(file, *plain, rows * cols);
    else memcpy(file, *plain, rows * bytes);
    t->dequantise(*plain, file, rows * cols);
    for (size_t r = 0; r < rows; r += l->rows) {
        const void *of[32] = {0};
        for (size_t i = 0; i < l->rows && r + i < rows; i++) of[i] = file + (r + i) * bytes;
        t->repack(tiles + r / l->rows * group, of, cols);
    }
    free(file);
    return (hlmi_matrix){.rows = rows, .cols = cols, .type = type, .layout = t->layout, .packed = tiles};
}

enum { EXPERTS = 5, PICKS = 3, HIDDEN = 96, FF = 160, MOST_FF = 192, LD = 192 };

typedef struct model {
    hlmi_expert e[EXPERTS];
    hlmi_matrix w[EXPERTS][3]; /* theirs */
    float *gate[EXPERTS], *up[EXPERTS], *down[EXPERTS], *x;
    uint32_t expert[MAX_ROWS * PICKS];
    float weight[MAX_ROWS * PICKS];
} model;

/* How a model is computed. */
typedef struct way {
    hlmi_type type;
    size_t shared; /* width of the shared expert; the others have FF */
    bool f32; /* activations */
    unsigned cpu;
} way;

static void model_open(model *m, const way *w)
{
    for (size_t e = 0; e < EXPERTS; e++) {
        const size_t ff = e == EXPERTS - 1 ? w->shared : FF;
        const hlmi_type type = w->type;
        hlmi_matrix *w3 = m->w[e];
        w3[0] = matrix(type, ff, HIDDEN, &m->gate[e]);
        w3[1] = matrix(type, ff, HIDDEN, &m->up[e]);
        w3[2] = matrix(type, HIDDEN, ff, &m->down[e]);
        m->e[e] = (hlmi_expert){.gate = {.w = &w3[0]}, .up = {.w = &w3[1]}, .down = {.w = &w3[2]}};
    }
    m->x = aligned(MAX_ROWS * LD * sizeof *m->x);
    for (size_t i = 0; i < MAX_ROWS * LD; i++) m->x[i] = next();
    for (size_t i = 0; i < MAX_ROWS; i++) { /* two of four, none ever 2; and the shared one, not always at the end */
        const uint32_t both[][2] = {{0, 1}, {3, 0}, {1, 3}}, *two = both[(size_t)(fabsf(next()) * 3) % 3];
        const uint32_t picks[PICKS] = {two[0], two[1], EXPERTS - 1};
        for (size_t j = 0; j < PICKS; j++) m->expert[i * PICKS + j] = picks[(j + i) % PICKS];
        for (size_t j = 0; j < PICKS; j++) m->weight[i * PICKS + j] = next();
    }
}

static void model_close(model *m)
{
    for (size_t e = 0; e < EXPERTS; e++) {
        for (size_t i = 0; i < 3; i++) free(m->w[e][i].packed);
        free(m->gate[e]);
        free(m->up[e]);
        free(m->down[e]);
    }
    free(m->x);
}

/* y [rows, LD] = y + experts, of the rows from `first` on. */
static void compute(const model *m, size_t first, size_t rows, size_t workers, const way *how, float *y)
{
    rig r;
    rig_open(&r, how->cpu);
    r.b.f32_activations = how->f32;
    float *h = aligned(MAX_ROWS * PICKS * LD * sizeof *h);
    hlmi_choices to = {.picks = PICKS};
    to.expert = (uint32_t *)(uintptr_t)m->expert + first * PICKS;
    to.weight = (float *)(uintptr_t)m->weight + first * PICKS;
    hlmi_linear_grouped l = {.experts = m->e, .n_experts = EXPERTS, .to = to, .epilogue = HLMI_EP_SILU_MUL};
    l.x = (hlmi_rows){m->x + first * LD, LD};
    l.y = (hlmi_rows){h, LD};
    hlmi_cpu_linear_grouped(&r.b, &l);
    l.down = l.wide = true;
    l.epilogue = HLMI_EP_ADD;
    l.x = l.y;
    l.y.at = y;
    hlmi_cpu_linear_grouped(&r.b, &l);
    rig_run(&r, rows, workers);
    free(h);
    rig_close(&r);
}

static double dot(const float *w, const double *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (double)w[i] * x[i];
    return sum;
}

/* Row i of the result, in double. */
static void plainly(const model *m, size_t i, double *y)
{
    double x[HIDDEN], h[MOST_FF];
    for (size_t c = 0; c < HIDDEN; c++) x[c] = (double)m->x[i * LD + c];
    memset(y, 0, HIDDEN * sizeof *y);
    for (size_t j = 0; j < PICKS; j++) {
        const size_t e = m->expert[i * PICKS + j], ff = m->e[e].up.w->rows;
        for (size_t f = 0; f < ff; f++) {
            const double gate = dot(m->gate[e] + f * HIDDEN, x, HIDDEN);
            h[f] = gate / (1 + exp(-gate)) * dot(m->up[e] + f * HIDDEN, x, HIDDEN);
        }
        for (size_t c = 0; c < HIDDEN; c++) y[c] += (double)m->weight[i * PICKS + j] * dot(m->down[e] + c * ff, h, ff);
    }
}

static void check_products(const way *how, double tolerance)
{
    static const size_t counts[] = {1, 2, 3, 4, 5, 17, 64, MAX_ROWS}, workers[] = {1, 2, 3, MAX_WORKERS};
    const size_t bytes = MAX_ROWS * LD * sizeof(float);
    const char *name = hlmi_type_get(how->type)->name;
    model m;
    model_open(&m, how);
    float *want = aligned(bytes), *got = aligned(bytes);
    memset(want, 0, bytes);
    compute(&m, 0, MAX_ROWS, 1, how, want);
    for (size_t i = 0; i < MAX_ROWS; i++) {
        double y[HIDDEN];
        plainly(&m, i, y);
        for (size_t c = 0; c < HIDDEN; c++)
            if (!(fabs((double)want[i * LD + c] - y[c]) < tolerance))
                ck_abort_msg("%s row %zu: %g, expected %g", name, i, (double)want[i * LD + c], y[c]);
    }
    for (size_t n = 0; n < sizeof counts / sizeof *counts; n++)
        for (size_t w = 0; w < sizeof workers / sizeof *workers; w++) {
            const size_t first = (MAX_ROWS - counts[n]) / 2, size = counts[n] * LD * sizeof *got;
            memset(got, 0, bytes);
            compute(&m, first, counts[n], workers[w], how, got);
            ck_assert_msg(memcmp(got, want + first * LD, size) == 0, "%s: %zu rows, %zu workers", name, counts[n],
                          workers[w]);
        }
    free(want);
    free(got);
    model_close(&m);
}

START_TEST(products_are_sums)
{
    const unsigned best = hlmi_cpu_detect(), bf16 = (best & HLMI_CPU_AVX2) | HLMI_CPU_BF16;
    for (size_t shared = 64; shared <= MOST_FF; shared += MOST_FF - 64) { /* the narrowest, and the widest */
        check_products(&(way){HLMI_F32, shared, false, best}, 1e-2); /* values reach some hundreds */
        check_products(&(way){HLMI_BF16, shared, true, best}, 1e-2);
        check_products(&(way){HLMI_BF16, shared, false, best}, 4.0);
        check_products(&(way){HLMI_BF16, shared, false, bf16}, 4.0); /* on every machine */
        check_products(&(way){HLMI_Q8_0, shared, true, best}, 1e-2);
        check_products(&(way){HLMI_Q8_0, shared, false, best}, 8.0);
        check_products(&(way){HLMI_Q4_0, shared, false, best}, 8.0);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {softmax_routes, sigmoid_routes, bad_logits_route, products_are_sums};
    return suite_run("experts", tests, sizeof tests / sizeof *tests);
}
