/* hlm_score: log-probabilities of a text's own tokens. */
#include "api/model.h"
#include "base/math.h"
#include "base/size.h"
#include "sample/softmax.h"
#include "session/engine.h"

#include <float.h>
#include <math.h>

/* Rows of logits held at once. */
enum { SCORE_PART = 64 };

static hlm_status check(const hlm_context *ctx, const int32_t *tokens, size_t n, size_t *vocab)
{
    if (n < 2) return hlmi_fail(HLM_E_ARG, "hlm_score: %zu tokens, needs at least 2", n);
    if (n > INT64_MAX) return hlmi_fail(HLM_E_ARG, "hlm_score: %zu tokens are too many", n);
    hlm_model_info info = {.struct_size = sizeof info};
    hlm_status st = hlm_model_info_get(hlmi_ctx_model(ctx), &info);
    if (st != HLM_OK) return st;
    if (info.head != HLM_HEAD_TEXT)
        return hlmi_fail(HLM_E_UNSUPPORTED, "hlm_score: the model has a classification head and rates no tokens");
    for (size_t i = 0; i < n; i++) {
        if (tokens[i] < 0 || tokens[i] >= info.vocab_size)
            return hlmi_fail(HLM_E_TOKEN, "hlm_score: tokens[%zu] is %d, the vocabulary has %d", i, tokens[i],
                             info.vocab_size);
    }
    *vocab = (size_t)info.vocab_size;
    return HLM_OK;
}

/* ln of the softmax at `target`: l - max - ln(sum of e^(l - max)). */
static double log_prob(const float *logits, size_t vocab, int32_t target)
{
    const float max = hlmi_max(logits, vocab);
    if (!(max >= -FLT_MAX && max <= FLT_MAX)) return (double)NAN; /* a model that yields no distribution */
    return ((double)logits[target] - (double)max) - hlmi_log(hlmi_sum_exp(logits, vocab, max));
}

static hlm_status score(hlm_context *ctx, hlm_cache *cache, float *rows, size_t vocab, const int32_t *tokens, size_t n,
                        float *logprobs, double *sum)
{
    *sum = 0;
    for (size_t at = 0; at + 1 < n;) {
        const size_t part = hlmi_min_size(SCORE_PART, n - 1 - at);
        const hlm_step one = {.struct_size = sizeof one,
                              .cache = cache,
                              .tokens = tokens + at,
                              .n_tokens = part,
                              .logits = rows,
                              .logit_rows = HLM_ROWS_ALL};
        const hlm_step *const steps[1] = {&one};
        hlm_status st = hlm_decode_step(ctx, steps, 1);
        if (st != HLM_OK) return st;
        for (size_t i = 0; i < part; i++) {
            const double lp = log_prob(rows + i * vocab, vocab, tokens[at + i + 1]);
            if (logprobs) logprobs[at + i] = (float)lp;
            *sum += lp;
        }
        at += part;
    }
    return HLM_OK;
}

hlm_status hlm_score(hlm_context *ctx, const int32_t *tokens, size_t n, float *logprobs, double *sum)
{
    if (!ctx || !tokens) return hlmi_fail(HLM_E_ARG, "hlm_score: %s is NULL", ctx ? "tokens" : "ctx");
    const hlmi_mem *mem = hlmi_model_mem(hlmi_ctx_model(ctx));
    hlm_status st = HLM_OK;
    hlm_cache *cache = NULL;
    float *rows = NULL;
    size_t vocab = 0;
    double total;
    HLMI_TRY(check(ctx, tokens, n, &vocab));
    const size_t bytes = vocab * hlmi_min_size(SCORE_PART, n - 1) * sizeof(float); /* below 2^39 */
    rows = hlmi_alloc(mem, bytes);
    if (!rows) HLMI_TRY(hlmi_nomem(bytes, "logits to score"));
    const hlm_cache_params cache_params = {.struct_size = sizeof cache_params, .max_tokens = (int64_t)n};
    HLMI_TRY(hlm_cache_new(&cache, hlm_ctx_pool(ctx), &cache_params));
    HLMI_TRY(score(ctx, cache, rows, vocab, tokens, n, logprobs, &total));
    if (sum) *sum = total;
done:
    if (st != HLM_OK) hlmi_ctx_failed(ctx);
    hlm_cache_free(cache);
    hlmi_free(mem, rows);
    return st;
}
