/* Steps in slices: the same results as in one go, whatever happens to their caches on the way; that a slice is one part
 * of a region where there is no time for more; bad input; and other threads that fork, read and cancel. test_slices
 * FOLDER, with the models of test/data/models. */
#define _GNU_SOURCE 1
#include "api_help.h"
#include "../calls.h"

#include <pthread.h>

static char path[1024];

enum { NEW = 5 };

static const int32_t new_tokens[NEW] = {5, 9, 200, 11, 64};

static void begin_new(api *a, float *logits)
{
    const hlm_step s = one_step(a->cache, new_tokens, NEW, logits);
    const hlm_step *const steps[] = {&s};
    OK(hlm_step_begin(a->ctx, steps, 1));
}

static void run_to_end(hlm_context *ctx, uint64_t budget)
{
    int32_t done = 0;
    while (!done) OK(hlm_step_run(ctx, budget, &done));
}

/* What the step gives in one go, in a fork. */
static void expect_new(api *a, float *want)
{
    hlm_cache *fork = NULL;
    OK(hlm_cache_fork(&fork, a->cache, HLM_NOW));
    const hlm_step s = one_step(fork, new_tokens, NEW, want);
    OK(run_step(a->ctx, &s));
    hlm_cache_free(fork);
}

/* ---- results ---- */

START_TEST(same_results)
{
    api a;
    float want[VOCAB], got[VOCAB];
    api_open(&a, path, NULL);
    expect_new(&a, want);
    begin_new(&a, got);
    run_to_end(a.ctx, 1);
    ck_assert_mem_eq(got, want, sizeof want);
    ck_assert_int_eq(hlm_cache_length(a.cache), HELD + NEW);
    api_close(&a);
}
END_TEST

/* Everything but the outputs may be thrown away after the beginning. */
START_TEST(arguments_are_copied)
{
    api a;
    int32_t tokens[NEW];
    size_t rows[2] = {1, 3};
    float want[2 * VOCAB], got[2 * VOCAB], stream[NEW * HIDDEN], stream_want[NEW * HIDDEN];
    api_open(&a, path, NULL);
    for (int sliced = 0; sliced < 2; sliced++) {
        hlm_hidden h = {.struct_size = sizeof h, .layer = 1, .out = sliced ? stream : stream_want};
        const hlm_hidden *hidden[] = {&h};
        memcpy(tokens, new_tokens, sizeof tokens);
        rows[0] = 1, rows[1] = 3;
        hlm_step s = one_step(a.cache, tokens, NEW, sliced ? got : want);
        s.logit_rows = HLM_ROWS_LIST;
        s.rows = rows;
        s.n_rows = 2;
        s.hidden = hidden;
        s.n_hidden = 1;
        const hlm_step *steps[] = {&s};
        if (!sliced) {
            OK(run_step(a.ctx, &s));
            OK(hlm_cache_rewind(a.cache, HELD, NULL));
            continue;
        }
        OK(hlm_step_begin(a.ctx, steps, 1));
        memset(tokens, 0xFF, sizeof tokens);
        memset(rows, 0xFF, sizeof rows);
        memset(&h, 0xFF, sizeof h);
        memset(&s, 0xFF, sizeof s);
        hidden[0] = NULL;
        steps[0] = NULL;
        run_to_end(a.ctx, 20);
    }
    ck_assert_mem_eq(got, want, sizeof want);
    ck_assert_mem_eq(stream, stream_want, sizeof stream);
    api_close(&a);
}
END_TEST

START_TEST(abort_and_free)
{
    api a;
    int32_t done = 1;
    float got[VOCAB];
    hlm_cache *other = NULL;
    api_open(&a, path, NULL);
    OK(hlm_step_abort(a.ctx));
    begin_new(&a, got);
    OK(hlm_step_abort(a.ctx));
    unchanged(&a);
    begin_new(&a, got);
    OK(hlm_step_run(a.ctx, 1, &done));
    ck_assert_int_eq(done, 0);
    OK(hlm_step_abort(a.ctx));
    unchanged(&a);
    OK(hlm_cache_fork(&other, a.cache, HLM_NOW));
    begin_new(&a, got);
    OK(hlm_step_run(a.ctx, 1, &done));
    hlm_ctx_free(a.ctx);
    const hlm_ctx_params cp = {.struct_size = sizeof cp, .n_threads = 1, .pool = a.pool};
    OK(hlm_ctx_new(&a.ctx, a.model, &cp));
    unchanged(&a);
    next_logits(a.ctx, other, got);
    ck_assert_mem_eq(got, a.want, sizeof got);
    hlm_cache_free(other);
    api_close(&a);
}
END_TEST

/* A cache that is freed in a step: the step goes on, and takes it with it. */
START_TEST(freed_in_a_step)
{
    for (int end = 0; end < 3; end++) {
        api a;
        uint64_t before, after;
        int32_t done = 0;
        float got[VOCAB], want[VOCAB];
        hlm_cache *fork = NULL;
        api_open(&a, path, NULL);
        expect_new(&a, want);
        OK(call_usage(a.pool, &before, NULL));
        OK(hlm_cache_fork(&fork, a.cache, HLM_NOW));
        const hlm_step s = one_step(fork, new_tokens, NEW, got);
        const hlm_step *const steps[] = {&s};
        OK(hlm_step_begin(a.ctx, steps, 1));
        OK(hlm_step_run(a.ctx, 1, &done));
        hlm_cache_free(fork);
        if (end == 0) run_to_end(a.ctx, 1);
        if (end == 0) ck_assert_mem_eq(got, want, sizeof want);
        if (end == 1) OK(hlm_step_abort(a.ctx));
        if (end == 2) {
            hlm_ctx_cancel(a.ctx);
            REFUSED(hlm_step_run(a.ctx, 1, &done), HLM_E_CANCELLED);
        }
        OK(call_usage(a.pool, &after, NULL));
        ck_assert_uint_eq(after, before);
        unchanged(&a);
        api_close(&a);
    }
}
END_TEST

/* ---- the size of a slice ---- */

static int counted_for(void *user, size_t n, void (*task)(void *arg, size_t index), void *arg)
{
    ++*(size_t *)user;
    for (size_t i = n; i-- > 0;) task(arg, i);
    return 0;
}

START_TEST(a_slice_is_one_part)
{
    size_t calls = 0, slices = 0, all;
    const hlm_executor e = {.struct_size = sizeof e, .user = &calls, .parallel_for = counted_for};
    api a;
    float got[VOCAB], want[VOCAB];
    int32_t done = 0;
    api_open(&a, path, &e);
    calls = 0;
    expect_new(&a, want);
    all = calls;
    begin_new(&a, got);
    for (; !done; slices++) {
        calls = 0;
        OK(hlm_step_run(a.ctx, 1, &done));
        ck_assert_uint_eq(calls, 1);
    }
    ck_assert_uint_ge(slices, all);
    ck_assert_mem_eq(got, want, sizeof want);
    api_close(&a);
}
END_TEST

/* ---- bad input ---- */

START_TEST(bad_input)
{
    api a;
    float got[VOCAB];
    int32_t done = 7, bad_token = VOCAB;
    hlm_cache *fork = NULL;
    api_open(&a, path, NULL);
    const hlm_step s = one_step(a.cache, new_tokens, NEW, got), bad = one_step(a.cache, &bad_token, 1, NULL);
    const hlm_step *const steps[] = {&s}, *const bad_steps[] = {&bad}, *const twice[] = {&s, &s};
    REFUSED(hlm_step_run(a.ctx, 100, &done), HLM_E_ARG);
    ck_assert_int_eq(done, 0);
    REFUSED(hlm_step_run(NULL, 100, &done), HLM_E_ARG);
    REFUSED(hlm_step_abort(NULL), HLM_E_ARG);
    REFUSED(hlm_step_begin(NULL, steps, 1), HLM_E_ARG);
    REFUSED(hlm_step_begin(a.ctx, NULL, 1), HLM_E_ARG);
    REFUSED(hlm_step_begin(a.ctx, steps, 0), HLM_E_EMPTY);
    REFUSED(hlm_step_begin(a.ctx, bad_steps, 1), HLM_E_TOKEN);
    REFUSED(hlm_step_begin(a.ctx, twice, 2), HLM_E_BUSY);
    REFUSED(hlm_step_run(a.ctx, 100, &done), HLM_E_ARG); /* nothing was begun */
    unchanged(&a);
    OK(hlm_step_begin(a.ctx, steps, 1));
    REFUSED(hlm_step_begin(a.ctx, steps, 1), HLM_E_BUSY);
    REFUSED(hlm_decode_step(a.ctx, steps, 1), HLM_E_BUSY);
    REFUSED(hlm_step_run(a.ctx, 0, &done), HLM_E_ARG);
    REFUSED(hlm_step_run(a.ctx, 1, NULL), HLM_E_ARG);
    REFUSED(hlm_cache_rewind(a.cache, 2, NULL), HLM_E_BUSY);
    REFUSED(hlm_cache_mark(a.cache), HLM_E_BUSY);
    REFUSED(hlm_cache_unmark(a.cache, 2), HLM_E_BUSY);
    REFUSED(hlm_cache_reserve(a.cache, ROOM), HLM_E_BUSY);
    ck_assert_int_eq(hlm_cache_length(a.cache), HELD);
    OK(hlm_cache_fork(&fork, a.cache, 3));
    ck_assert_int_eq(hlm_cache_length(fork), 3);
    run_to_end(a.ctx, UINT64_MAX);
    ck_assert_int_eq(hlm_cache_length(a.cache), HELD + NEW);
    hlm_cache_free(fork);
    api_close(&a);
}
END_TEST

/* Each allocation of a begun step fails once. */
START_TEST(no_memory)
{
    hlm_status st = HLM_E_NOMEM;
    for (size_t k = 1; st != HLM_OK; k++) {
        api a;
        int32_t done = 0;
        float got[VOCAB];
        api_open(&a, path, NULL);
        const hlm_step s = one_step(a.cache, new_tokens, NEW, got);
        const hlm_step *const steps[] = {&s};
        a.count.fail_at = atomic_load(&a.count.calls) + k;
        st = hlm_step_begin(a.ctx, steps, 1);
        while (st == HLM_OK && !done) st = hlm_step_run(a.ctx, 50, &done);
        ck_assert(st == HLM_OK || st == HLM_E_NOMEM);
        a.count.fail_at = 0;
        if (st != HLM_OK) unchanged(&a);
        api_close(&a);
    }
}
END_TEST

/* ---- other threads ---- */

typedef struct other {
    api *a;
    hlm_context *ctx;
    atomic_int end;
    int forks, wrong;
} other;

/* Forks a cache that is in steps, and goes on with the forks. */
static void *fork_and_run(void *arg)
{
    other *o = arg;
    while (!atomic_load(&o->end)) {
        int32_t ids[HELD];
        float got[VOCAB];
        hlm_cache *fork = NULL;
        if (hlm_cache_tokens(o->a->cache, 0, HELD, ids) != HLM_OK || hlm_cache_fork(&fork, o->a->cache, HELD) != HLM_OK)
            continue; /* the owner is changing it */
        static const int32_t next = 7;
        const hlm_step s = one_step(fork, &next, 1, got);
        o->wrong += run_step(o->ctx, &s) != HLM_OK || memcmp(got, o->a->want, sizeof got) != 0;
        o->forks++;
        hlm_cache_free(fork);
    }
    return NULL;
}

START_TEST(forks_beside_steps)
{
    api a;
    other o = {.a = &a};
    pthread_t id;
    api_open(&a, path, NULL);
    const hlm_ctx_params cp = {.struct_size = sizeof cp, .n_threads = 1, .pool = a.pool};
    OK(hlm_ctx_new(&o.ctx, a.model, &cp));
    ck_assert_int_eq(pthread_create(&id, NULL, fork_and_run, &o), 0);
    for (int i = 0; i < 40; i++) {
        float got[VOCAB];
        int32_t done = 0;
        hlm_status st;
        const hlm_step s = one_step(a.cache, new_tokens, NEW, got);
        const hlm_step *const steps[] = {&s};
        while ((st = hlm_step_begin(a.ctx, steps, 1)) == HLM_E_BUSY) {
        }
        OK(st);
        for (int k = 0; k < 60 && !done; k++) OK(hlm_step_run(a.ctx, 30, &done));
        if (i % 2 && !done) run_to_end(a.ctx, 100);
        else OK(hlm_step_abort(a.ctx));
        while (hlm_cache_rewind(a.cache, HELD, NULL) == HLM_E_BUSY) {
        }
    }
    atomic_store(&o.end, 1);
    pthread_join(id, NULL);
    ck_assert_int_eq(o.wrong, 0);
    hlm_ctx_free(o.ctx);
    unchanged(&a);
    api_close(&a);
}
END_TEST

static void *cancel_soon(void *ctx)
{
    hlm_ctx_cancel(ctx);
    return NULL;
}

START_TEST(cancel_beside_steps)
{
    api a;
    api_open(&a, path, NULL);
    for (int i = 0; i < 30; i++) {
        float got[VOCAB];
        int32_t done = 0;
        pthread_t id;
        hlm_status st = HLM_OK;
        begin_new(&a, got);
        for (int k = 0; k < 3 * i && !done; k++) OK(hlm_step_run(a.ctx, 1, &done));
        ck_assert_int_eq(pthread_create(&id, NULL, cancel_soon, a.ctx), 0);
        while (st == HLM_OK && !done) st = hlm_step_run(a.ctx, 5, &done);
        pthread_join(id, NULL);
        if (st == HLM_OK) { /* too late: the next step is cancelled */
            OK(hlm_cache_rewind(a.cache, HELD, NULL));
            const hlm_step s = one_step(a.cache, new_tokens, 1, NULL);
            st = run_step(a.ctx, &s);
        }
        ck_assert_int_eq(st, HLM_E_CANCELLED);
        unchanged(&a);
    }
    api_close(&a);
}
END_TEST

int main(int argc, char **argv)
{
    if (argc != 2) return 2;
    snprintf(path, sizeof path, "%s/tiny-llama", argv[1]);
    TCase *t = tcase_create("slices");
    tcase_add_test(t, same_results);
    tcase_add_test(t, arguments_are_copied);
    tcase_add_test(t, abort_and_free);
    tcase_add_test(t, freed_in_a_step);
    tcase_add_test(t, a_slice_is_one_part);
    tcase_add_test(t, bad_input);
    tcase_add_test(t, no_memory);
    tcase_add_test(t, forks_beside_steps);
    tcase_add_test(t, cancel_beside_steps);
    return api_main("slices", t);
}
