/* The promise: the same tokens give the same logits, compared with memcmp, however they were cut, batched, threaded,
 * forked, paged, tiled and loaded. test_promise FOLDER MODEL..., two at least. */
#include <check.h>
#include <hybridlm/hybridlm.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../calls.h"

static const char *data_dir;

static char **models; /* names in that folder */
static int n_models;

typedef struct fixture {
    hlm_model *model;
    hlm_pool *pool;
    hlm_context *ctx;
    size_t vocab, length; /* tokens of the test's text */
    int32_t *text;
} fixture;

typedef struct setup {
    hlm_model_params model;
    hlm_pool_params pool;
    hlm_ctx_params ctx;
} setup;

/* Loops of tests go over the models, then over them again with the next types. */
static const struct {
    int32_t kv, state;
} types[] = {{HLM_TYPE_DEFAULT, HLM_TYPE_DEFAULT}, {HLM_TYPE_INT8, HLM_TYPE_BF16}, {HLM_TYPE_BF16, HLM_TYPE_F16}};
enum { TYPES = sizeof types / sizeof *types };

static const char *model_at(int i)
{
    return models[i % n_models];
}

static setup plain(int i)
{
    return (setup){.model = {.struct_size = sizeof(hlm_model_params)},
                   .pool = {.struct_size = sizeof(hlm_pool_params),
                            .kv_type = types[i / n_models].kv,
                            .state_type = types[i / n_models].state},
                   .ctx = {.struct_size = sizeof(hlm_ctx_params), .n_threads = 1}};
}

#define OK(e)                                                        \
  do {                                                               \
    if ((e) != HLM_OK) ck_abort_msg("%s: %s", #e, hlm_last_error()); \
  } while (0)

static fixture open_with(const char *name, const setup *s)
{
    char path[1024];
    fixture f = {0};
    hlm_model_info info = {.struct_size = sizeof info};
    snprintf(path, sizeof path, "%s/%s", data_dir, name);
    OK(hlm_model_load(&f.model, path, &s->model));
    OK(hlm_model_info_get(f.model, &info));
    OK(hlm_pool_new(&f.pool, f.model, &s->pool));
    hlm_ctx_params cp = s->ctx;
    cp.pool = f.pool;
    OK(hlm_ctx_new(&f.ctx, f.model, &cp));
    f.vocab = (size_t)info.vocab_size;
    f.length = info.max_positions < 300 ? (size_t)info.max_positions : 300; /* past one split of attention */
    f.text = malloc(f.length * sizeof *f.text);
    ck_assert_ptr_nonnull(f.text);
    for (size_t i = 0; i < f.length; i++) f.text[i] = (int32_t)((i * i * 31 + i * 7 + 3) % f.vocab);
    return f;
}

static void close_all(fixture *f)
{
    free(f->text);
    hlm_ctx_free(f->ctx);
    hlm_pool_release(f->pool);
    hlm_model_release(f->model);
}

static hlm_cache *fresh(const fixture *f)
{
    hlm_cache *c = NULL;
    OK(hlm_cache_new(&c, f->pool, NULL));
    return c;
}

static void feed(const fixture *f, hlm_cache *c, size_t from, size_t n, float *logits)
{
    const hlm_step s = {.struct_size = sizeof s,
                        .cache = c,
                        .tokens = f->text + from,
                        .n_tokens = n,
                        .logits = logits,
                        .logit_rows = HLM_ROWS_ALL};
    const hlm_step *steps[] = {&s};
    OK(hlm_decode_step(f->ctx, steps, 1));
}

static float *rows(const fixture *f, size_t n)
{
    float *p = calloc(n * f->vocab, sizeof *p);
    ck_assert_ptr_nonnull(p);
    return p;
}

/* Logits of the whole text in one step: what everything else is compared with. */
static float *reference(const fixture *f)
{
    float *want = rows(f, f->length);
    hlm_cache *c = fresh(f);
    feed(f, c, 0, f->length, want);
    hlm_cache_free(c);
    return want;
}

static void same(const fixture *f, const float *got, const float *want, size_t n, const char *what)
{
    size_t i = 0; /* the first that differs; Check's assertions cost a write to a file each */
    if (memcmp(got, want, n * f->vocab * sizeof *got) == 0) return;
    while (memcmp(&got[i], &want[i], sizeof *got) == 0) i++;
    ck_abort_msg("%s: row %zu, logit %zu: %a, expected %a", what, i / f->vocab, i % f->vocab, (double)got[i],
                 (double)want[i]);
}

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

START_TEST(any_cut)
{
    const setup s = plain(_i);
    fixture f = open_with(model_at(_i), &s);
    float *want = reference(&f), *got = rows(&f, f.length);
    uint32_t seed = 12345;
    for (int round = 0; round < 6; round++) {
        /* rounds 0 and 1: token by token, and cuts of up to 3, 9, 27, ... */
        uint32_t most = 1;
        for (int i = 0; i < round; i++) most *= 3;
        hlm_cache *c = fresh(&f);
        for (size_t at = 0, n; at < f.length; at += n) {
            n = 1 + next_random(&seed) % most;
            if (n > f.length - at) n = f.length - at;
            feed(&f, c, at, n, got + at * f.vocab);
        }
        same(&f, got, want, f.length, "cut");
        hlm_cache_free(c);
    }
    free(want);
    free(got);
    close_all(&f);
}
END_TEST

/* Several sequences at different lengths, prompts and single tokens mixed, against each alone. */
START_TEST(any_batch)
{
    enum { N = 5 };
    setup s = plain(_i);
    s.ctx.n_threads = 2;
    fixture f = open_with(model_at(_i), &s);
    float *want = reference(&f), *got[N];
    hlm_cache *c[N];
    size_t at[N] = {0};
    uint32_t seed = 99;
    for (size_t i = 0; i < N; i++) {
        c[i] = fresh(&f);
        got[i] = rows(&f, f.length);
    }
    for (bool more = true; more;) {
        hlm_step step[N];
        const hlm_step *steps[N];
        size_t n = 0;
        more = false;
        for (size_t i = 0; i < N; i++) {
            size_t m = i == 0 ? 1 : next_random(&seed) % 120;
            if (m > f.length - at[i]) m = f.length - at[i];
            if (m == 0) continue;
            step[n] = (hlm_step){.struct_size = sizeof *step,
                                 .cache = c[i],
                                 .tokens = f.text + at[i],
                                 .n_tokens = m,
                                 .logits = got[i] + at[i] * f.vocab,
                                 .logit_rows = HLM_ROWS_ALL};
            steps[n] = &step[n];
            n++;
            at[i] += m;
            more = true;
        }
        if (n) OK(hlm_decode_step(f.ctx, steps, n));
    }
    for (size_t i = 0; i < N; i++) {
        same(&f, got[i], want, f.length, "batch");
        free(got[i]);
        hlm_cache_free(c[i]);
    }
    free(want);
    close_all(&f);
}
END_TEST

/* The text in one step, then the last 20 tokens one by one, under another setup. */
static void compare_setup(const char *name, const setup *s, const float *want, const char *what)
{
    fixture f = open_with(name, s);
    float *got = reference(&f);
    same(&f, got, want, f.length, what);
    hlm_cache *c = fresh(&f);
    feed(&f, c, 0, f.length - 20, got);
    for (size_t i = f.length - 20; i < f.length; i++) feed(&f, c, i, 1, got + i * f.vocab);
    same(&f, got, want, f.length, what);
    hlm_cache_free(c);
    free(got);
    close_all(&f);
}

static int32_t run_backwards(void *user, size_t n, hlm_task *task, void *arg)
{
    ++*(size_t *)user;
    while (n--) task(arg, n);
    return 0;
}

START_TEST(any_threads_pages_tiles)
{
    const setup base = plain(_i);
    fixture f = open_with(model_at(_i), &base);
    float *want = reference(&f);
    for (int32_t t = 2; t <= (_i ? 3 : 5); t++) { /* more threads than cores are slow */
        setup s = plain(_i);
        s.ctx.n_threads = t;
        compare_setup(model_at(_i), &s, want, "threads");
    }
    for (int32_t p = 1; p <= 1024; p *= 8) {
        setup s = plain(_i);
        s.pool.page_tokens = p;
        compare_setup(model_at(_i), &s, want, "page size");
    }
    for (size_t r = 1; r <= 200; r = r * 5 + 2) {
        setup s = plain(_i);
        s.ctx.max_rows = r;
        compare_setup(model_at(_i), &s, want, "tile size");
    }
    setup s = plain(_i);
    s.model.flags = HLM_LOAD_READ | HLM_LOAD_CHECK_WEIGHTS;
    compare_setup(model_at(_i), &s, want, "read mode");
    size_t calls = 0;
    const hlm_executor ex = {.struct_size = sizeof ex, .user = &calls, .parallel_for = run_backwards};
    s = plain(_i);
    s.ctx.executor = &ex;
    s.ctx.n_threads = 5;
    compare_setup(model_at(_i), &s, want, "executor");
    ck_assert_uint_gt(calls, 0);
    free(want);
    close_all(&f);
}
END_TEST

/* Reference C, AVX2 and AVX-512 (what this CPU has) under HLM_LOAD_PORTABLE. */
START_TEST(any_kernels)
{
    static const char *const cpus[] = {NULL, "ref", "avx2", "avx512"};
    setup s = plain(_i);
    s.model.flags = HLM_LOAD_PORTABLE;
    s.model.cpu = "ref";
    fixture f = open_with(model_at(_i), &s);
    hlm_model_info info = {.struct_size = sizeof info};
    OK(hlm_model_info_get(f.model, &info));
    ck_assert_str_eq(info.kernel_class, "portable");
    float *want = reference(&f);
    for (size_t i = 0; i < sizeof cpus / sizeof *cpus; i++) {
        s.model.cpu = cpus[i];
        compare_setup(model_at(_i), &s, want, "kernels");
    }
    free(want);
    close_all(&f);
}
END_TEST

/* Forks, at the end and earlier, against fresh sequences; branches do not see each other. */
START_TEST(any_fork)
{
    setup s = plain(_i / 2);
    s.pool.page_tokens = _i % 2 ? 2 : 64;
    fixture f = open_with(model_at(_i / 2), &s);
    float *want = reference(&f), *got = rows(&f, f.length);
    uint64_t before = 0, used = 1; /* a pool keeps what new sequences begin with */
    OK(call_usage(f.pool, &before, NULL));
    const size_t half = f.length / 2 + 1;
    hlm_cache *a = fresh(&f), *b = NULL, *c = NULL;
    feed(&f, a, 0, half, got);
    OK(hlm_cache_fork(&b, a, HLM_NOW));
    OK(hlm_cache_fork(&c, a, (int64_t)half - 5));
    ck_assert_int_eq(hlm_cache_length(c), (int64_t)half - 5);
    int32_t *text = f.text;
    f.text = text + 1; /* another continuation in a */
    for (size_t i = half; i < half + 9; i++) feed(&f, a, i, 1, got);
    f.text = text;
    memset(got, 0, f.length * f.vocab * sizeof *got);
    feed(&f, b, half, f.length - half, got + half * f.vocab);
    same(&f, got + half * f.vocab, want + half * f.vocab, f.length - half, "fork");
    for (size_t i = half - 5; i < f.length; i++) feed(&f, c, i, 1, got + i * f.vocab);
    same(&f, got + (half - 5) * f.vocab, want + (half - 5) * f.vocab, f.length - half + 5,
         "fork at an earlier position");
    hlm_cache_free(b);
    int64_t pending = -1;
    OK(hlm_cache_rewind(a, (int64_t)half - 7, &pending));
    hlm_memory_plan_info need = {.struct_size = sizeof need};
    OK(hlm_model_plan_memory(f.model, &(hlm_plan_params){.struct_size = sizeof(hlm_plan_params)}, &need));
    ck_assert_int_ge(pending, 0);
    ck_assert_int_eq(hlm_cache_pending(a), pending);
    ck_assert_int_le(pending, need.state_per_sequence ? (int64_t)half - 7 : 0);
    feed(&f, a, half - 7, f.length - half + 7, got + (half - 7) * f.vocab);
    same(&f, got + (half - 7) * f.vocab, want + (half - 7) * f.vocab, f.length - half + 7, "rewind");
    int32_t ids[3];
    OK(hlm_cache_tokens(a, (int64_t)half - 8, 3, ids));
    ck_assert_mem_eq(ids, f.text + half - 8, sizeof ids);
    hlm_cache_free(a);
    hlm_cache_free(c);
    OK(call_usage(f.pool, &used, NULL));
    ck_assert_uint_eq(used, before);
    free(want);
    free(got);
    close_all(&f);
}
END_TEST

/* Logits of chosen rows, and hidden states, do not change what is computed. */
START_TEST(any_outputs)
{
    const setup s = plain(_i);
    fixture f = open_with(model_at(_i), &s);
    float *want = reference(&f), *got = rows(&f, 3);
    hlm_model_info info = {.struct_size = sizeof info};
    OK(hlm_model_info_get(f.model, &info));
    const size_t some[] = {0, f.length / 3, f.length - 2};
    float *hidden = calloc(f.length * (size_t)info.hidden_size, sizeof *hidden);
    const hlm_hidden h = {.struct_size = sizeof h, .layer = 1, .out = hidden};
    const hlm_hidden *hs[] = {&h};
    hlm_cache *c = fresh(&f);
    hlm_step step = {.struct_size = sizeof step,
                     .cache = c,
                     .tokens = f.text,
                     .n_tokens = f.length,
                     .logits = got,
                     .logit_rows = HLM_ROWS_LIST,
                     .rows = some,
                     .n_rows = 3,
                     .hidden = hs,
                     .n_hidden = 1};
    const hlm_step *steps[] = {&step};
    OK(hlm_decode_step(f.ctx, steps, 1));
    for (size_t i = 0; i < 3; i++) same(&f, got + i * f.vocab, want + some[i] * f.vocab, 1, "chosen rows");
    OK(hlm_cache_rewind(c, 0, NULL));
    step.logit_rows = HLM_ROWS_LAST;
    step.n_hidden = 0;
    OK(hlm_decode_step(f.ctx, steps, 1));
    same(&f, got, want + (f.length - 1) * f.vocab, 1, "last row");
    hlm_cache_free(c);
    free(hidden);
    free(want);
    free(got);
    close_all(&f);
}
END_TEST

int main(int argc, char **argv)
{
    if (argc < 4) return 2; /* two models, which the loops below count on */
    data_dir = argv[1];
    models = argv + 2;
    const int n = n_models = argc - 2;
    Suite *suite = suite_create("promise");
    TCase *t = tcase_create("bits");
    tcase_set_timeout(t, 0);
    tcase_add_loop_test(t, any_cut, 0, TYPES * n);
    tcase_add_loop_test(t, any_batch, 0, 2 * n);
    /* the longest: of the other types the first models are enough */
    tcase_add_loop_test(t, any_threads_pages_tiles, 0, n + 3);
    tcase_add_loop_test(t, any_kernels, 0, n + 3);
    tcase_add_loop_test(t, any_fork, 0, 2 * (n + 3));
    tcase_add_loop_test(t, any_outputs, 0, n);
    suite_add_tcase(suite, t);
    SRunner *r = srunner_create(suite);
    srunner_run_all(r, CK_NORMAL);
    const int run = srunner_ntests_run(r), failed = srunner_ntests_failed(r);
    srunner_free(r);
    printf("%d passed, %d failed\n", run - failed, failed);
    return failed != 0 || run == 0;
}
