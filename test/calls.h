/* Calls of the public API that take structs of parameters, for tests that give few of their fields. */
#ifndef TEST_CALLS_H
#define TEST_CALLS_H

#include <hybridlm/hybridlm.h>

/** Bytes of a pool; either pointer may be NULL. */
static inline hlm_status call_usage(const hlm_pool *pool, uint64_t *used, uint64_t *held)
{
    hlm_pool_info info = {.struct_size = sizeof info};
    const hlm_status st = hlm_pool_info_get(pool, &info);
    if (st == HLM_OK && used) *used = info.used_bytes;
    if (st == HLM_OK && held) *held = info.held_bytes;
    return st;
}

static inline hlm_status call_reuse(hlm_cache *cache, const hlm_adapter *adapter, const int32_t *tokens, size_t n,
                                    size_t *reused, size_t *pending)
{
    const hlm_reuse_params p = {.struct_size = sizeof p, .tokens = tokens, .n_tokens = n, .adapter = adapter};
    return hlm_cache_reuse(cache, &p, reused, pending);
}

/** Of labels; sum and count may be NULL. */
static inline hlm_status call_score_labels(hlm_context *ctx, const int32_t *tokens, const int32_t *labels, size_t n,
                                           float *logprobs, double *sum, size_t *count)
{
    const hlm_score_params p = {
        .struct_size = sizeof p, .tokens = tokens, .n_tokens = n, .labels = labels, .logprobs = logprobs};
    hlm_score_result r = {.struct_size = sizeof r};
    const hlm_status st = hlm_score(ctx, &p, sum || count ? &r : NULL);
    if (st == HLM_OK && sum) *sum = r.sum;
    if (st == HLM_OK && count) *count = r.n_scored;
    return st;
}

static inline hlm_status call_score(hlm_context *ctx, const int32_t *tokens, size_t n, float *logprobs, double *sum)
{
    return call_score_labels(ctx, tokens, NULL, n, logprobs, sum, NULL);
}

static inline hlm_status call_embed(hlm_context *ctx, const int32_t *tokens, size_t n, int32_t pooling,
                                    int32_t normalise, float *out)
{
    const hlm_embed_params p = {
        .struct_size = sizeof p, .tokens = tokens, .n_tokens = n, .pooling = pooling, .normalise = normalise};
    return hlm_embed(ctx, &p, out);
}

#endif
