/* examples/beam.c: width 1 is greedy decoding, and any width is a beam search that computes everything anew with
 * hlm_score and keeps no state at all. */
#define main beam_main
#include "../../examples/beam.c"
#undef main

#include "unit/suite.h"
#include "../calls.h"

static const char *data_dir;

#define OK(e) ck_assert_msg((e) == HLM_OK, "%s: %s", #e, hlm_last_error())

enum { VOCAB = 64, TOKENS = 5, PROMPT = 6 };

typedef struct rated {
    int32_t ids[PROMPT + TOKENS];
    size_t n;
    double sum;
} rated;

static hlm_model *load(const char *name, hlm_context **ctx)
{
    char path[1024];
    hlm_model *model;
    hlm_model_info info = {.struct_size = sizeof info};
    snprintf(path, sizeof path, "%s/%s", data_dir, name);
    OK(hlm_model_load(&model, path, NULL));
    OK(hlm_model_info_get(model, &info));
    ck_assert_int_eq(info.vocab_size, VOCAB);
    const hlm_ctx_params p = {.struct_size = sizeof p, .n_threads = 1};
    OK(hlm_ctx_new(ctx, model, &p));
    return model;
}

/* The best beam behind a prompt. */
static hlm_status search(hlm_model *model, hlm_context *ctx, const int32_t *prompt, size_t width, size_t tokens,
                         text *best)
{
    static float logits[MOST_BEAMS * VOCAB];
    reader r = {.model = model, .ctx = ctx, .logits = logits, .vocab = VOCAB};
    OK(read_prompt(&r, prompt, PROMPT));
    const hlm_status st = beam_search(&r, width, tokens, best);
    hlm_cache_free(r.cache);
    return st;
}

static double score_from(hlm_context *ctx, const rated *t)
{
    float logprobs[PROMPT + TOKENS];
    double sum = 0;
    OK(call_score(ctx, t->ids, t->n, logprobs, NULL));
    for (size_t i = PROMPT; i < t->n; i++) sum += (double)logprobs[i - 1];
    return sum;
}

static int by_sum(const void *a, const void *b)
{
    const double x = ((const rated *)a)->sum, y = ((const rated *)b)->sum;
    return (x < y) - (x > y);
}

/* All continuations of all beams, rated from the first token on; the best of them are the next beams. */
static rated naive(hlm_context *ctx, const int32_t *prompt, size_t width)
{
    static rated all[MOST_BEAMS * VOCAB];
    rated beams[MOST_BEAMS] = {{.n = PROMPT}};
    size_t n = 1;
    memcpy(beams[0].ids, prompt, PROMPT * sizeof *prompt);
    for (size_t t = 0; t < TOKENS; t++) {
        for (size_t i = 0; i < n * VOCAB; i++) {
            all[i] = beams[i / VOCAB];
            all[i].ids[all[i].n++] = (int32_t)(i % VOCAB);
            all[i].sum = score_from(ctx, &all[i]);
        }
        qsort(all, n * VOCAB, sizeof *all, by_sum);
        n = width;
        memcpy(beams, all, n * sizeof *beams);
    }
    return beams[0];
}

START_TEST(equals_one_that_computes_everything_anew)
{
    static const char *const names[] = {"types", "hymba-options", "zamba2-options"};
    for (size_t m = 0; m < sizeof names / sizeof *names; m++) {
        hlm_context *ctx;
        hlm_model *model = load(names[m], &ctx);
        for (size_t width = 1; width <= 4; width += width > 1 ? 2 : 1) {
            static text best;
            const int32_t prompt[PROMPT] = {3, 1, 4, 1, 5, (int32_t)(9 + m)};
            OK(search(model, ctx, prompt, width, TOKENS, &best));
            const rated want = naive(ctx, prompt, width);
            ck_assert_uint_eq(best.n, TOKENS);
            ck_assert_mem_eq(best.tokens, want.ids + PROMPT, TOKENS * sizeof *best.tokens);
            ck_assert(fabs(best.sum - want.sum) < 1e-4);
        }
        hlm_ctx_free(ctx);
        hlm_model_release(model);
    }
}
END_TEST

START_TEST(width_one_is_greedy)
{
    static const char *const names[] = {"types", "hymba-options", "qwen3_5-options", "falcon-h1-options"};
    for (size_t m = 0; m < sizeof names / sizeof *names; m++) {
        static text best;
        hlm_context *ctx;
        hlm_cache *cache;
        hlm_model *model = load(names[m], &ctx);
        const int32_t prompt[PROMPT] = {2, 7, 1, 8, 2, 8};
        int32_t greedy[40];
        const hlm_generate_params p = {.struct_size = sizeof p,
                                       .prompt = prompt,
                                       .n_prompt = PROMPT,
                                       .max_tokens = 40,
                                       .tokens = greedy,
                                       .tokens_cap = 40};
        OK(hlm_cache_new(&cache, hlm_ctx_pool(ctx), NULL));
        OK(hlm_generate(ctx, cache, NULL, &p, NULL));
        OK(search(model, ctx, prompt, 1, 40, &best));
        ck_assert_uint_eq(best.n, 40);
        ck_assert_mem_eq(best.tokens, greedy, sizeof greedy);
        hlm_cache_free(cache);
        hlm_ctx_free(ctx);
        hlm_model_release(model);
    }
}
END_TEST

START_TEST(leaves_nothing_behind)
{
    static text best;
    hlm_context *ctx;
    hlm_model *model = load("zamba2-options", &ctx);
    const int32_t prompt[PROMPT] = {1, 2, 3, 4, 5, 6};
    uint64_t before, after;
    OK(call_usage(hlm_ctx_pool(ctx), &before, NULL));
    OK(search(model, ctx, prompt, 8, 30, &best));
    static float logits[MOST_BEAMS * VOCAB];
    reader r = {.model = model, .ctx = ctx, .logits = logits, .vocab = VOCAB};
    OK(read_prompt(&r, prompt, PROMPT));
    hlm_ctx_cancel(ctx);
    ck_assert_int_eq(beam_search(&r, 8, 30, &best), HLM_E_CANCELLED);
    hlm_cache_free(r.cache);
    OK(call_usage(hlm_ctx_pool(ctx), &after, NULL));
    ck_assert_uint_eq(after, before);
    hlm_ctx_free(ctx);
    hlm_model_release(model);
}
END_TEST

START_TEST(the_program_runs)
{
    char model[1024];
    char *words[] = {"beam", model, "Hello world", "3", "8", NULL};
    snprintf(model, sizeof model, "%s/tiny-llama.gguf", data_dir);
    ck_assert_int_eq(beam_main(5, words), 0);
    ck_assert_int_eq(beam_main(4, words), 2);
    words[3] = "17";
    ck_assert_int_eq(beam_main(5, words), 2);
    words[3] = "2";
    words[1] = "none.gguf";
    ck_assert_int_eq(beam_main(5, words), 1);
}
END_TEST

int main(int argc, char **argv)
{
    if (argc != 2) return 2;
    data_dir = argv[1];
    const TTest *const tests[] = {equals_one_that_computes_everything_anew, width_one_is_greedy, leaves_nothing_behind,
                                  the_program_runs};
    return suite_run("beam", tests, sizeof tests / sizeof *tests);
}
