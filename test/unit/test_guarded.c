/* Calls that take a pointer and a count refuse a count above their limit before they touch what it points to: every
 * pointer here ends in a page that can not be read. test_guarded MODELS */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include <hybridlm/hybridlm.h>

#include "suite.h"
#include "../calls.h"

static const char *folder = "test/data/models";

#define OK(call) ck_assert_msg((call) == HLM_OK, "%s: %s", #call, hlm_last_error())

typedef struct setup {
    hlm_model *model;
    hlm_context *ctx;
    hlm_cache *cache;
    void *wall; /* nothing can be read from here on */
} setup;

static void set_up(setup *s)
{
    char path[1024];
    const hlm_cache_params few = {.struct_size = sizeof few, .max_tokens = 64};
    snprintf(path, sizeof path, "%s/tiny-llama.gguf", folder);
    OK(hlm_model_load(&s->model, path, NULL));
    OK(hlm_ctx_new(&s->ctx, s->model, NULL));
    OK(hlm_cache_new(&s->cache, hlm_ctx_pool(s->ctx), &few));
    s->wall = mmap(NULL, 65536, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert(s->wall != MAP_FAILED);
}

static void tear_down(setup *s)
{
    munmap(s->wall, 65536);
    hlm_cache_free(s->cache);
    hlm_ctx_free(s->ctx);
    hlm_model_release(s->model);
}

static hlm_status step(setup *s, hlm_step one)
{
    const hlm_step *const steps[1] = {&one};
    one.struct_size = sizeof one;
    one.cache = s->cache;
    const hlm_status st = hlm_decode_step(s->ctx, steps, 1);
    ck_assert_int_eq(hlm_step_begin(s->ctx, steps, 1), st);
    return st;
}

static hlm_status generate(setup *s, hlm_generate_params p)
{
    static const int32_t one[1] = {1};
    p.struct_size = sizeof p;
    if (!p.prompt) {
        p.prompt = one;
        p.n_prompt = 1;
    }
    return hlm_generate(s->ctx, s->cache, NULL, &p, NULL);
}

static hlm_status sampler(setup *s, size_t n)
{
    const hlm_sampler_params p = {.struct_size = sizeof p, .logit_bias = s->wall, .n_logit_bias = n};
    hlm_sampler *out = NULL;
    return hlm_sampler_new(&out, s->model, &p);
}

static hlm_status join(setup *s, size_t n)
{
    hlm_adapter *out = NULL;
    return hlm_adapter_join(&out, s->wall, n);
}

START_TEST(counts_before_contents)
{
    static const size_t counts[] = {((size_t)1 << 29) + 1, (size_t)1 << 31, (size_t)1 << 32, SIZE_MAX / 8, SIZE_MAX};
    setup s;
    set_up(&s);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        const size_t n = counts[i];
        size_t got = 77;
        float f[1];
        double sum;
        char text[1];
        int32_t ids[1];
        ck_assert_int_eq(hlm_tokenize(s.model, s.wall, n, 0, ids, 1, &got), HLM_E_LIMIT);
        ck_assert_int_eq(hlm_tokenize(s.model, s.wall, n, 3, NULL, 0, &got), HLM_E_LIMIT);
        ck_assert_int_eq(hlm_detokenize(s.model, s.wall, n, 0, text, 1, &got), HLM_E_LIMIT);
        ck_assert_uint_eq(got, 77);
        ck_assert_int_eq(step(&s, (hlm_step){.tokens = s.wall, .n_tokens = n}), HLM_E_LIMIT);
        ck_assert_int_eq(step(&s, (hlm_step){.embeddings = s.wall, .n_tokens = n}), HLM_E_LIMIT);
        ck_assert_int_eq(hlm_decode_step(s.ctx, s.wall, n), HLM_E_LIMIT);
        ck_assert_int_eq(hlm_step_begin(s.ctx, s.wall, n), HLM_E_LIMIT);
        ck_assert_int_eq(call_score(s.ctx, s.wall, n, f, &sum), HLM_E_LIMIT);
        ck_assert_int_eq(call_score_labels(s.ctx, s.wall, s.wall, n, f, &sum, &got), HLM_E_LIMIT);
        ck_assert_int_eq(call_embed(s.ctx, s.wall, n, HLM_EMBED_MEAN, 0, f), HLM_E_LIMIT);
        ck_assert_int_eq(call_reuse(s.cache, NULL, s.wall, n, &got, &got), HLM_E_LIMIT);
        ck_assert_int_eq(generate(&s, (hlm_generate_params){.prompt = s.wall, .n_prompt = n}), HLM_E_LIMIT);
        ck_assert_int_eq(generate(&s, (hlm_generate_params){.prompt = s.wall, .n_prompt = n, .reuse = 1}), HLM_E_LIMIT);
        ck_assert_int_eq(generate(&s, (hlm_generate_params){.stop = s.wall, .n_stop = n}), HLM_E_LIMIT);
        ck_assert_int_eq(generate(&s, (hlm_generate_params){.stop_tokens = s.wall, .n_stop_tokens = n}), HLM_E_LIMIT);
        ck_assert_int_eq(sampler(&s, n), HLM_E_LIMIT);
        ck_assert_int_eq(join(&s, n), HLM_E_LIMIT);
        ck_assert_int_eq(hlm_cache_tokens(s.cache, 0, n, s.wall), HLM_E_ARG);
        ck_assert_int_eq(hlm_cache_length(s.cache), 0);
    }
    tear_down(&s);
}
END_TEST

/* A step that no cache of its size could take is refused before its ids are read; so are lists of a step. */
START_TEST(what_can_not_fit)
{
    static const int32_t ids[2] = {1, 2};
    static float logits[65536];
    setup s;
    set_up(&s);
    ck_assert_int_eq(step(&s, (hlm_step){.tokens = s.wall, .n_tokens = 65}), HLM_E_FULL);
    ck_assert_int_eq(step(&s,
                          (hlm_step){.tokens = ids,
                                     .n_tokens = 2,
                                     .logits = logits,
                                     .logit_rows = HLM_ROWS_LIST,
                                     .rows = s.wall,
                                     .n_rows = 3}),
                     HLM_E_ARG);
    ck_assert_int_eq(step(&s, (hlm_step){.tokens = ids, .n_tokens = 2, .hidden = s.wall, .n_hidden = SIZE_MAX}),
                     HLM_E_LIMIT);
    ck_assert_int_eq(step(&s, (hlm_step){.tokens = ids, .n_tokens = 2, .attention = s.wall, .n_attention = SIZE_MAX}),
                     HLM_E_LIMIT);
    ck_assert_int_eq(hlm_cache_length(s.cache), 0);
    tear_down(&s);
}
END_TEST

int main(int argc, char **argv)
{
    const TTest *const tests[] = {counts_before_contents, what_can_not_fit};
    if (argc > 1) folder = argv[1];
    return suite_run("guarded", tests, sizeof tests / sizeof *tests);
}
