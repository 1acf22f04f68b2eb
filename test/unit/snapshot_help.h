/* What the tests of snapshots share: a model with a pool and a context, and a sequence that has everything a snapshot
 * holds. */
#ifndef SNAPSHOT_HELP_H
#define SNAPSHOT_HELP_H

#include "api_help.h"
#include "../calls.h"

enum { TEXT = 37, MARKED = 21 };

typedef struct world {
    hlm_model *model;
    hlm_pool *pool;
    hlm_context *ctx;
    size_t vocab, width; /* token ids; numbers in a row of logits */
} world;

/* Limits so small that a short text passes all of them. */
static inline hlm_pool_params small_pool(void)
{
    return (hlm_pool_params){.struct_size = sizeof(hlm_pool_params),
                             .page_tokens = 4,
                             .mark_stride = 8,
                             .mark_bytes = 1 << 20,
                             .undo_tokens = 4};
}

static inline world open_world(const char *folder, const char *name, const hlm_model_params *mp,
                               const hlm_pool_params *pp)
{
    char path[1024];
    world w = {0};
    hlm_model_info info = {.struct_size = sizeof info};
    snprintf(path, sizeof path, "%s/%s", folder, name);
    OK(hlm_model_load(&w.model, path, mp));
    OK(hlm_model_info_get(w.model, &info));
    OK(hlm_pool_new(&w.pool, w.model, pp));
    const hlm_ctx_params cp = {.struct_size = sizeof cp, .n_threads = 1, .pool = w.pool};
    OK(hlm_ctx_new(&w.ctx, w.model, &cp));
    w.vocab = (size_t)info.vocab_size;
    w.width = (size_t)(info.n_labels ? info.n_labels : info.vocab_size);
    return w;
}

/* Another pool of the same model. */
static inline world other_pool(const world *of, const hlm_pool_params *pp)
{
    world w = *of;
    hlm_model_retain(w.model);
    OK(hlm_pool_new(&w.pool, w.model, pp));
    const hlm_ctx_params cp = {.struct_size = sizeof cp, .n_threads = 1, .pool = w.pool};
    OK(hlm_ctx_new(&w.ctx, w.model, &cp));
    return w;
}

static inline void close_world(world *w)
{
    hlm_ctx_free(w->ctx);
    hlm_pool_release(w->pool);
    hlm_model_release(w->model);
}

static inline void add(const world *w, hlm_cache *c, size_t n, float *logits)
{
    int32_t ids[TEXT];
    const size_t at = (size_t)hlm_cache_length(c);
    for (size_t i = 0; i < n; i++) ids[i] = (int32_t)(((at + i) * (at + i) * 31 + (at + i) * 7 + 3) % w->vocab);
    const hlm_step s = one_step(c, ids, n, logits);
    OK(run_step(w->ctx, &s));
}

/* A text of several steps with a mark. */
static inline hlm_cache *told(const world *w)
{
    hlm_cache *c = NULL;
    OK(hlm_cache_new(&c, w->pool, NULL));
    add(w, c, MARKED, NULL);
    OK(hlm_cache_mark(c));
    add(w, c, TEXT - MARKED - 3, NULL);
    for (int i = 0; i < 3; i++) add(w, c, 1, NULL);
    return c;
}

typedef struct bytes {
    unsigned char *data;
    size_t n;
} bytes;

static inline bytes saved(hlm_cache *c)
{
    bytes b = {0};
    REFUSED(hlm_cache_save_memory(c, NULL, 0, &b.n), HLM_E_SPACE);
    b.data = malloc(b.n);
    ck_assert_ptr_nonnull(b.data);
    OK(hlm_cache_save_memory(c, b.data, b.n, &b.n));
    return b;
}

static inline uint64_t used(const world *w)
{
    uint64_t n = 0;
    OK(call_usage(w->pool, &n, NULL));
    return n;
}

/* The next token behind position `at` of either cache has the same logits. */
static inline void same_at(const world *w, hlm_cache *c, const world *v, hlm_cache *d, int64_t at)
{
    float *want = calloc(w->width, sizeof *want), *got = calloc(w->width, sizeof *got);
    hlm_cache *x = NULL, *y = NULL;
    OK(hlm_cache_fork(&x, c, at));
    OK(hlm_cache_fork(&y, d, at));
    add(w, x, 2, want);
    add(v, y, 2, got);
    ck_assert_msg(memcmp(want, got, w->width * sizeof *want) == 0, "other logits behind position %d", (int)at);
    hlm_cache_free(x);
    hlm_cache_free(y);
    free(want);
    free(got);
}

#endif
