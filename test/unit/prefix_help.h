/* What the tests of the prefix cache share: models of every kind, and texts over few letters, so that many begin
 * alike. */
#ifndef PREFIX_HELP_H
#define PREFIX_HELP_H

#include "api_help.h"

enum { LONG = 40, LETTERS = 3, TEXTS = 60 };

static const char *folder; /* of the models */

typedef struct world {
    counter count;
    hlm_allocator allocator;
    hlm_model *model;
    hlm_pool *pool;
    hlm_context *ctx;
    size_t vocab;
    uint32_t random;
} world;

static const char *const names[] = {"mamba2-dtlimit", "llama3", "jamba", "qwen3-next", "hymba-options"};
static size_t n_names = sizeof names / sizeof *names; /* the first ones, if the test's second argument says so */

static inline bool recurrent(const char *name)
{
    return strcmp(name, "llama3") != 0;
}

/* FOLDER [N]: where the models are, and how many of them are used. False: other arguments. */
static inline bool read_arguments(int argc, char **argv)
{
    if (argc < 2 || argc > 3) return false;
    folder = argv[1];
    if (argc == 3 && strtoul(argv[2], NULL, 10) < n_names) n_names = strtoul(argv[2], NULL, 10);
    return n_names > 0;
}

static inline void open_world(world *w, const char *name, uint64_t prefix_bytes, uint64_t max_bytes)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    memset(w, 0, sizeof *w);
    w->allocator = counter_allocator(&w->count);
    w->random = 7;
    const hlm_model_params mp = {.struct_size = sizeof mp, .allocator = &w->allocator};
    const hlm_pool_params pp = {.struct_size = sizeof pp,
                                .page_tokens = 4,
                                .mark_stride = 7,
                                .undo_tokens = -1,
                                .max_bytes = max_bytes,
                                .prefix_bytes = prefix_bytes};
    hlm_model_info info = {.struct_size = sizeof info};
    OK(hlm_model_load(&w->model, path, &mp));
    OK(hlm_model_info_get(w->model, &info));
    OK(hlm_pool_new(&w->pool, w->model, &pp));
    const hlm_ctx_params cp = {.struct_size = sizeof cp, .n_threads = 1, .pool = w->pool};
    OK(hlm_ctx_new(&w->ctx, w->model, &cp));
    w->vocab = (size_t)info.vocab_size;
}

static inline void close_world(world *w)
{
    hlm_ctx_free(w->ctx);
    hlm_pool_release(w->pool);
    hlm_model_release(w->model);
    ck_assert_uint_eq(atomic_load(&w->count.live), 0);
}

static inline uint32_t draw(world *w, uint32_t n)
{
    w->random = w->random * 1664525u + 1013904223u;
    return (w->random >> 8) % n;
}

static inline size_t random_text(world *w, int32_t *ids)
{
    const size_t n = 1 + draw(w, LONG);
    for (size_t i = 0; i < n; i++) ids[i] = 3 + (int32_t)draw(w, LETTERS);
    return n;
}

static inline hlm_cache *new_cache(const world *w)
{
    hlm_cache *c = NULL;
    OK(hlm_cache_new(&c, w->pool, NULL));
    return c;
}

static inline void run_ids(const world *w, hlm_cache *c, const int32_t *ids, size_t n, float *logits)
{
    const hlm_step s = one_step(c, ids, n, logits);
    OK(run_step(w->ctx, &s));
}

static inline hlm_prefix_info info_of(const world *w)
{
    hlm_prefix_info info = {.struct_size = sizeof info};
    OK(hlm_prefix_info_get(w->pool, &info));
    return info;
}

static inline void check_logits(const world *w, hlm_cache *c, const int32_t *ids, size_t n, size_t held)
{
    float *got = calloc(2 * w->vocab, sizeof *got), *want = got + w->vocab;
    hlm_cache *fresh = new_cache(w);
    ck_assert_ptr_nonnull(got);
    run_ids(w, c, ids + held, n - held, got);
    run_ids(w, fresh, ids, n, want);
    ck_assert_mem_eq(got, want, w->vocab * sizeof *got);
    hlm_cache_free(fresh);
    free(got);
}

#endif
