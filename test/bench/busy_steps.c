/* What single-token steps take, for busy.py:
 *
 *   busy_steps MODEL THREADS SECONDS   prints steps a second, and the 99.9th percentile and the longest of them in ms
 *   busy_steps hog                     computes until it is killed */
#define _POSIX_C_SOURCE 200809L
#include <hybridlm/hybridlm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_STEPS = 1 << 20, TEXT = 400 };

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static hlm_status one_step(hlm_context *ctx, hlm_cache *cache)
{
    const int32_t token = 1;
    const hlm_step step = {.struct_size = sizeof step, .cache = cache, .tokens = &token, .n_tokens = 1};
    const hlm_step *const steps[] = {&step};
    if (hlm_cache_length(cache) >= TEXT) {
        const hlm_status st = hlm_cache_rewind(cache, 0, NULL);
        if (st != HLM_OK) return st;
    }
    return hlm_decode_step(ctx, steps, 1);
}

static hlm_status measure(hlm_context *ctx, hlm_cache *cache, double seconds)
{
    static double took[MAX_STEPS];
    size_t n = 0;
    hlm_status st = HLM_OK;
    const double begin = now_ms();
    for (double now = begin; st == HLM_OK && n < MAX_STEPS && now < begin + seconds * 1e3; n++) {
        st = one_step(ctx, cache);
        took[n] = now_ms() - now;
        now += took[n];
    }
    if (st != HLM_OK || n == 0) return st;
    const double all = now_ms() - begin;
    qsort(took, n, sizeof *took, ascending);
    printf("%.2f %.3f %.3f\n", (double)n / all * 1e3, took[(size_t)((double)(n - 1) * 0.999)], took[n - 1]);
    return HLM_OK;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "hog") == 0) {
        for (volatile unsigned i = 0;; i++) {
        }
    }
    if (argc != 4) return 2;
    hlm_model *model = NULL;
    hlm_context *ctx = NULL;
    hlm_cache *cache = NULL;
    hlm_status st = hlm_model_load(&model, argv[1], NULL);
    const hlm_ctx_params params = {.struct_size = sizeof params, .n_threads = atoi(argv[2])};
    if (st == HLM_OK) st = hlm_ctx_new(&ctx, model, &params);
    if (st == HLM_OK) st = hlm_cache_new(&cache, hlm_ctx_pool(ctx), NULL);
    for (int i = 0; st == HLM_OK && i < 20; i++) st = one_step(ctx, cache);
    if (st == HLM_OK) st = measure(ctx, cache, atof(argv[3]));
    if (st != HLM_OK) fprintf(stderr, "busy_steps: %s\n", hlm_last_error());
    hlm_cache_free(cache);
    hlm_ctx_free(ctx);
    hlm_model_release(model);
    return st == HLM_OK ? 0 : 1;
}
