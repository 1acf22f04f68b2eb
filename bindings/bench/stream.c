/* Streaming generation in C: what the bindings are compared with.
 *   stream MODEL THREADS TOKENS     text to stdout; "N tokens/s" from the first token on to stderr */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <hybridlm/hybridlm.h>

typedef struct clock_state {
    double first, last;
    long tokens;
} clock_state;

static double now(void)
{
    struct timespec t;
    timespec_get(&t, TIME_UTC);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int32_t on_token(void *user, int32_t token, const char *text, size_t len)
{
    clock_state *c = user;
    fwrite(text, 1, len, stdout);
    fflush(stdout);
    if (token < 0) return 0;
    c->last = now();
    if (c->tokens++ == 0) c->first = c->last;
    return 0;
}

int main(int argc, char **argv)
{
    if (argc != 4) return 2;
    hlm_model *model = NULL;
    hlm_context *ctx = NULL;
    hlm_cache *cache = NULL;
    int32_t prompt[64];
    clock_state c = {0};
    hlm_ctx_params ctx_params = {.struct_size = sizeof ctx_params, .n_threads = (int32_t)atoi(argv[2])};
    const size_t n_tokens = (size_t)atol(argv[3]);
    const hlm_cache_params cache_params = {.struct_size = sizeof cache_params, .max_tokens = (int64_t)n_tokens + 64};
    hlm_generate_params params = {.struct_size = sizeof params,
                                  .prompt = prompt,
                                  .max_tokens = n_tokens,
                                  .ignore_eos = 1,
                                  .on_token = on_token,
                                  .user = &c};
    hlm_status st = hlm_model_load(&model, argv[1], NULL);
    if (st == HLM_OK) st = hlm_tokenize(model, "Once upon a time", 16, 0, prompt, 64, &params.n_prompt);
    if (st == HLM_OK) st = hlm_ctx_new(&ctx, model, &ctx_params);
    if (st == HLM_OK) st = hlm_cache_new(&cache, hlm_ctx_pool(ctx), &cache_params);
    if (st == HLM_OK) st = hlm_generate(ctx, cache, NULL, &params, NULL);
    if (st == HLM_OK) fprintf(stderr, "%.2f tokens/s\n", (double)(c.tokens - 1) / (c.last - c.first));
    else fprintf(stderr, "stream: %s\n", hlm_last_error());
    hlm_cache_free(cache);
    hlm_ctx_free(ctx);
    hlm_model_release(model);
    return st == HLM_OK ? 0 : 1;
}
