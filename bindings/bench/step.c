/* The time of a decode step in C: what step.py is compared with.
 *   step MODEL THREADS STEPS     "least L us, median M us" of one-token steps at position 32 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <hybridlm/hybridlm.h>

enum { POSITION = 32 };

static double now_us(void)
{
    struct timespec t;
    timespec_get(&t, TIME_UTC);
    return 1e6 * (double)t.tv_sec + 1e-3 * (double)t.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static hlm_status measure(hlm_context *ctx, hlm_cache *cache, float *logits, double *us, size_t n)
{
    int32_t tokens[POSITION] = {0};
    hlm_step step = {.struct_size = sizeof step, .cache = cache, .tokens = tokens, .n_tokens = POSITION};
    const hlm_step *const steps[] = {&step};
    hlm_status st = hlm_decode_step(ctx, steps, 1);
    step.n_tokens = 1;
    step.logits = logits;
    for (size_t i = 0; i < n && st == HLM_OK; i++) {
        const double begin = now_us();
        st = hlm_decode_step(ctx, steps, 1);
        us[i] = now_us() - begin;
        if (st == HLM_OK) st = hlm_cache_rewind(cache, POSITION, NULL);
    }
    return st;
}

int main(int argc, char **argv)
{
    const size_t n = argc == 4 ? (size_t)atol(argv[3]) : 0;
    if (n == 0) return 2;
    hlm_model *model = NULL;
    hlm_context *ctx = NULL;
    hlm_cache *cache = NULL;
    float *logits = NULL;
    double *us = calloc(n, sizeof *us);
    hlm_model_info info = {.struct_size = sizeof info};
    const hlm_ctx_params params = {.struct_size = sizeof params, .n_threads = (int32_t)atoi(argv[2])};
    hlm_status st = us ? hlm_model_load(&model, argv[1], NULL) : HLM_E_NOMEM;
    if (st == HLM_OK) st = hlm_model_info_get(model, &info);
    if (st == HLM_OK) st = hlm_ctx_new(&ctx, model, &params);
    if (st == HLM_OK) st = hlm_cache_new(&cache, hlm_ctx_pool(ctx), NULL);
    if (st == HLM_OK && !(logits = calloc((size_t)info.vocab_size, sizeof *logits))) st = HLM_E_NOMEM;
    if (st == HLM_OK) st = measure(ctx, cache, logits, us, n);
    if (st == HLM_OK) {
        qsort(us, n, sizeof *us, by_size);
        printf("least %.2f us, median %.2f us\n", us[0], us[n / 2]);
    } else {
        fprintf(stderr, "step: %s\n", hlm_last_error());
    }
    free(logits);
    free(us);
    hlm_cache_free(cache);
    hlm_ctx_free(ctx);
    hlm_model_release(model);
    return st == HLM_OK ? 0 : 1;
}
