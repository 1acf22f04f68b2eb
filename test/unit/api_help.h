/* What the tests of the public API share: a small model with a cache of a few tokens, an allocator that counts and
 * fails on request, and the check that a refused call has changed nothing. */
#ifndef API_HELP_H
#define API_HELP_H

#include <check.h>
#include <hybridlm/hybridlm.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OK(e) ck_assert_msg((e) == HLM_OK, "%s: %s", #e, hlm_last_error())
/* Refused with this status and a sentence. */
#define REFUSED(e, want)                                                                                           \
  do {                                                                                                             \
    const hlm_status got_ = (e);                                                                                   \
    ck_assert_msg(got_ == (want), "%s: %s, expected %s (%s)", #e, hlm_status_name(got_), #want, hlm_last_error()); \
    ck_assert_msg(strlen(hlm_last_error()) > 5, "%s says nothing", #e);                                            \
  } while (0)

enum { HELD = 10, ROOM = 16, VOCAB = 288, HIDDEN = 16, LAYERS = 2 };

/* ---- an allocator that counts ---- */

typedef struct counter {
    atomic_size_t calls, live;
    size_t fail_at; /* the call, from 1, that fails; 0: none */
} counter;

static inline void *counter_alloc(void *user, size_t size, size_t align)
{
    counter *c = user;
    if (atomic_fetch_add(&c->calls, 1) + 1 == c->fail_at) return NULL;
    void *p = NULL;
    if (posix_memalign(&p, align < sizeof p ? sizeof p : align, size) != 0) return NULL;
    memset(p, 0xA5, size);
    atomic_fetch_add(&c->live, 1);
    return p;
}

static inline void counter_free(void *user, void *p)
{
    atomic_fetch_sub(&((counter *)user)->live, 1);
    free(p);
}

static inline hlm_allocator counter_allocator(counter *c)
{
    return (hlm_allocator){
        .struct_size = sizeof(hlm_allocator), .user = c, .alloc = counter_alloc, .free = counter_free};
}

/* ---- a model, and what belongs to it ---- */

typedef struct api {
    counter count;
    hlm_allocator allocator;
    hlm_model *model;
    hlm_pool *pool;
    hlm_context *ctx;
    hlm_cache *cache; /* holds HELD of ROOM tokens */
    float want[VOCAB]; /* logits of token 7 behind them */
} api;

static inline int32_t token_at(size_t i)
{
    return (int32_t)((i * i * 31 + i * 7 + 3) % VOCAB);
}

static inline hlm_step one_step(hlm_cache *cache, const int32_t *tokens, size_t n, float *logits)
{
    return (hlm_step){
        .struct_size = sizeof(hlm_step), .cache = cache, .tokens = tokens, .n_tokens = n, .logits = logits};
}

static inline hlm_status run_step(hlm_context *ctx, const hlm_step *s)
{
    const hlm_step *const steps[] = {s};
    return hlm_decode_step(ctx, steps, 1);
}

/* One token more, and back. */
static inline void next_logits(hlm_context *ctx, hlm_cache *cache, float *logits)
{
    static const int32_t next = 7;
    const hlm_step s = one_step(cache, &next, 1, logits);
    const int64_t length = hlm_cache_length(cache);
    OK(run_step(ctx, &s));
    OK(hlm_cache_rewind(cache, length, NULL));
}

static inline void hold(hlm_context *ctx, hlm_cache *cache)
{
    int32_t tokens[HELD];
    for (size_t i = 0; i < HELD; i++) tokens[i] = token_at(i);
    const hlm_step s = one_step(cache, tokens, HELD, NULL);
    OK(run_step(ctx, &s));
}

static inline void api_open(api *a, const char *path, const hlm_executor *executor)
{
    memset(a, 0, sizeof *a);
    a->allocator = counter_allocator(&a->count);
    const hlm_model_params mp = {.struct_size = sizeof mp, .allocator = &a->allocator};
    OK(hlm_model_load(&a->model, path, &mp));
    const hlm_pool_params pp = {.struct_size = sizeof pp, .page_tokens = 4};
    OK(hlm_pool_new(&a->pool, a->model, &pp));
    const hlm_ctx_params cp = {.struct_size = sizeof cp, .n_threads = 2, .pool = a->pool, .executor = executor};
    OK(hlm_ctx_new(&a->ctx, a->model, &cp));
    const hlm_cache_params kp = {.struct_size = sizeof kp, .max_tokens = ROOM};
    OK(hlm_cache_new(&a->cache, a->pool, &kp));
    hold(a->ctx, a->cache);
    next_logits(a->ctx, a->cache, a->want);
}

static inline void api_close(api *a)
{
    hlm_cache_free(a->cache);
    hlm_ctx_free(a->ctx);
    hlm_pool_release(a->pool);
    hlm_model_release(a->model);
    ck_assert_uint_eq(atomic_load(&a->count.live), 0);
}

/* The cache is as api_open left it, bit for bit. */
static inline void unchanged(api *a)
{
    int32_t tokens[HELD];
    float got[VOCAB];
    ck_assert_int_eq(hlm_cache_length(a->cache), HELD);
    OK(hlm_cache_tokens(a->cache, 0, HELD, tokens));
    for (size_t i = 0; i < HELD; i++) ck_assert_int_eq(tokens[i], token_at(i));
    next_logits(a->ctx, a->cache, got);
    ck_assert_mem_eq(got, a->want, sizeof got);
}

static inline int api_main(const char *name, TCase *t)
{
    Suite *suite = suite_create(name);
    tcase_set_timeout(t, 0);
    suite_add_tcase(suite, t);
    SRunner *r = srunner_create(suite);
    srunner_run_all(r, CK_NORMAL);
    const int run = srunner_ntests_run(r), failed = srunner_ntests_failed(r);
    srunner_free(r);
    printf("%d passed, %d failed\n", run - failed, failed);
    return failed != 0 || run == 0;
}

#endif
