/* The public API from several threads at once: contexts of one model side by side, and a cancel while a prompt runs.
 * test_api_threads FOLDER, with the models of test/data/models. */
#define _GNU_SOURCE 1
#include "api_help.h"

#include <pthread.h>
#include <time.h>

static char path[1024];

enum { TEXT = 120 };

/* One thread's context and sequence, of a model and a pool that all share. */
typedef struct side {
    api *a;
    hlm_cache *fork; /* of the shared beginning */
    float logits[TEXT * VOCAB];
    hlm_status st;
} side;

static void *run_side(void *arg)
{
    side *s = arg;
    int32_t tokens[TEXT];
    hlm_context *ctx = NULL;
    hlm_cache *c = NULL;
    const hlm_ctx_params cp = {.struct_size = sizeof cp, .n_threads = 2, .pool = s->a->pool};
    const hlm_cache_params kp = {.struct_size = sizeof kp, .max_tokens = TEXT};
    for (size_t i = 0; i < TEXT; i++) tokens[i] = token_at(i);
    s->st = hlm_ctx_new(&ctx, s->a->model, &cp);
    if (s->st == HLM_OK) s->st = hlm_cache_new(&c, s->a->pool, &kp);
    for (size_t i = 0, n; i < TEXT && s->st == HLM_OK; i += n) {
        n = i % 7 + 1 < TEXT - i ? i % 7 + 1 : TEXT - i;
        hlm_step step = one_step(c, tokens + i, n, s->logits + i * VOCAB);
        step.logit_rows = HLM_ROWS_ALL;
        s->st = run_step(ctx, &step);
    }
    static const int32_t next = 7;
    float got[VOCAB];
    const hlm_step step = one_step(s->fork, &next, 1, got);
    if (s->st == HLM_OK) s->st = run_step(ctx, &step);
    if (s->st == HLM_OK && memcmp(got, s->a->want, sizeof got) != 0) s->st = HLM_E_INTERNAL;
    hlm_cache_free(s->fork);
    hlm_cache_free(c);
    hlm_ctx_free(ctx);
    return NULL;
}

START_TEST(side_by_side)
{
    enum { N = 3 };
    static side sides[N];
    pthread_t id[N];
    api a;
    api_open(&a, path, NULL);
    for (size_t i = 0; i < N; i++) {
        sides[i] = (side){.a = &a};
        OK(hlm_cache_fork(&sides[i].fork, a.cache, HLM_NOW));
    }
    for (size_t i = 0; i < N; i++) ck_assert_int_eq(pthread_create(&id[i], NULL, run_side, &sides[i]), 0);
    for (size_t i = 0; i < N; i++) pthread_join(id[i], NULL);
    for (size_t i = 0; i < N; i++) {
        ck_assert_msg(sides[i].st == HLM_OK, "side %zu: %s", i, hlm_status_name(sides[i].st));
        ck_assert_mem_eq(sides[i].logits, sides[0].logits, sizeof sides[i].logits);
    }
    unchanged(&a);
    api_close(&a);
}
END_TEST

static void *cancel_soon(void *arg)
{
    const struct timespec nap = {.tv_nsec = 5000000};
    nanosleep(&nap, NULL);
    hlm_ctx_cancel(arg);
    return NULL;
}

/* A prompt that takes far longer than it is given. */
START_TEST(cancel_while_running)
{
    enum { LONG = 60000 };
    api a;
    api_open(&a, path, NULL);
    int32_t *tokens = malloc(LONG * sizeof *tokens);
    hlm_cache *c = NULL;
    const hlm_cache_params kp = {.struct_size = sizeof kp, .max_tokens = LONG + HELD};
    OK(hlm_cache_new(&c, a.pool, &kp));
    for (size_t i = 0; i < LONG; i++) tokens[i] = token_at(i);
    hold(a.ctx, c);
    hlm_step s = one_step(c, tokens, LONG, NULL);
    pthread_t id;
    ck_assert_int_eq(pthread_create(&id, NULL, cancel_soon, a.ctx), 0);
    REFUSED(run_step(a.ctx, &s), HLM_E_CANCELLED);
    pthread_join(id, NULL);
    float got[VOCAB];
    ck_assert_int_eq(hlm_cache_length(c), HELD);
    next_logits(a.ctx, c, got);
    ck_assert_mem_eq(got, a.want, sizeof got);
    hlm_cache_free(c);
    free(tokens);
    unchanged(&a);
    api_close(&a);
}
END_TEST

int main(int argc, char **argv)
{
    if (argc < 2) return 2;
    snprintf(path, sizeof path, "%s/tiny-llama", argv[1]);
    TCase *t = tcase_create("threads");
    tcase_add_test(t, side_by_side);
    tcase_add_loop_test(t, cancel_while_running, 0, 3);
    return api_main("api_threads", t);
}
