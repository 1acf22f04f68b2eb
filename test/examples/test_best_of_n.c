/* examples/best_of_n.c: each text is the one that hlm_generate writes with its seed, and the chosen one has the best
 * mean by hlm_score. */
#define main best_of_n_main
#include "../../examples/best_of_n.c"
#undef main

#include "unit/suite.h"
#include "../calls.h"

static const char *data_dir;

#define OK(e) ck_assert_msg((e) == HLM_OK, "%s: %s", #e, hlm_last_error())

enum { PROMPT = 5, TOKENS = 24, TEXTS = 6 };

static double mean_score(hlm_context *ctx, const int32_t *prompt, const text *a)
{
    int32_t ids[PROMPT + TOKENS];
    float logprobs[PROMPT + TOKENS];
    double sum = 0;
    memcpy(ids, prompt, PROMPT * sizeof *ids);
    memcpy(ids + PROMPT, a->tokens, a->n * sizeof *ids);
    OK(call_score(ctx, ids, PROMPT + a->n, logprobs, NULL));
    for (size_t i = 0; i < a->n; i++) sum += (double)logprobs[PROMPT - 1 + i];
    return sum / (double)a->n;
}

static void check_text(hlm_model *model, hlm_context *ctx, const int32_t *prompt, uint64_t seed, const text *a)
{
    int32_t alone[TOKENS];
    hlm_cache *cache;
    hlm_sampler *sampler;
    const hlm_sampler_params sp = {.struct_size = sizeof sp, .seed = seed, .temperature = 0.8f};
    const hlm_generate_params p = {.struct_size = sizeof p,
                                   .prompt = prompt,
                                   .n_prompt = PROMPT,
                                   .max_tokens = TOKENS,
                                   .tokens = alone,
                                   .tokens_cap = TOKENS};
    hlm_generate_result r = {.struct_size = sizeof r};
    OK(hlm_cache_new(&cache, hlm_ctx_pool(ctx), NULL));
    OK(hlm_sampler_new(&sampler, model, &sp));
    OK(hlm_generate(ctx, cache, sampler, &p, &r));
    ck_assert_uint_eq(r.n_generated, a->n);
    ck_assert_mem_eq(alone, a->tokens, a->n * sizeof *alone);
    hlm_sampler_free(sampler);
    hlm_cache_free(cache);
}

START_TEST(texts_are_those_of_each_seed)
{
    static const char *const names[] = {"types", "jamba", "tiny-llama.gguf"};
    for (size_t m = 0; m < sizeof names / sizeof *names; m++) {
        char path[1024];
        hlm_model *model;
        hlm_context *ctx;
        hlm_model_info info = {.struct_size = sizeof info};
        static text texts[MOST_TEXTS];
        const int32_t prompt[PROMPT] = {1, 2, 3, 5, 8};
        snprintf(path, sizeof path, "%s/%s", data_dir, names[m]);
        OK(hlm_model_load(&model, path, NULL));
        OK(hlm_model_info_get(model, &info));
        OK(hlm_ctx_new(&ctx, model, NULL));
        reader r = {.model = model, .ctx = ctx, .vocab = (size_t)info.vocab_size};
        r.logits = malloc(TEXTS * r.vocab * sizeof *r.logits);
        OK(read_prompt(&r, prompt, PROMPT));
        OK(draw_texts(&r, TEXTS, TOKENS, 0.8f, texts));
        const text *best = choose(texts, TEXTS);
        for (size_t i = 0; i < TEXTS; i++) {
            check_text(model, ctx, prompt, i, &texts[i]);
            ck_assert(mean_score(ctx, prompt, best) > mean_score(ctx, prompt, &texts[i]) - 1e-5);
        }
        free(r.logits);
        hlm_cache_free(r.cache);
        hlm_ctx_free(ctx);
        hlm_model_release(model);
    }
}
END_TEST

START_TEST(the_program_runs)
{
    char model[1024];
    char *words[] = {"best_of_n", model, "Hello world", "3", "8", NULL};
    snprintf(model, sizeof model, "%s/tiny-llama.gguf", data_dir);
    ck_assert_int_eq(best_of_n_main(5, words), 0);
    ck_assert_int_eq(best_of_n_main(4, words), 2);
    words[1] = "none.gguf";
    ck_assert_int_eq(best_of_n_main(5, words), 1);
}
END_TEST

int main(int argc, char **argv)
{
    if (argc != 2) return 2;
    data_dir = argv[1];
    const TTest *const tests[] = {texts_are_those_of_each_seed, the_program_runs};
    return suite_run("best_of_n", tests, sizeof tests / sizeof *tests);
}
