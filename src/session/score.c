/* hlm_score: log-probabilities of a text's own tokens, or of given labels. */
#include "api/engine.h"
#include "base/call.h"
#include "base/math.h"
#include "base/params.h"
#include "base/size.h"
#include "plan/model_mem.h"
#include "sample/softmax.h"

#include <float.h>
#include <math.h>

/* Rows of logits held at once. */
enum { SCORE_PART = 64 };

/* What is rated: labels[i] after tokens[0] .. tokens[i - 1]. */
typedef struct job {
    const int32_t *tokens, *labels;
    size_t n, vocab;
    float *logprobs; /* or NULL */
    double sum;
    size_t count;
} job;

static hlm_status check(const hlm_context *ctx, job *j)
{
    if (j->n < 2) return hlmi_fail(HLM_E_ARG, "hlm_score: %zu tokens, needs at least 2", j->n);
    hlm_model_info info = {.struct_size = sizeof info};
    hlm_status st = hlmi_list_check(j->n, "hlm_score: tokens");
    if (st == HLM_OK) st = hlm_model_info_get(hlmi_ctx_model(ctx), &info);
    if (st != HLM_OK) return st;
    st = hlmi_needs_text(&info, "hlm_score: the model");
    if (st != HLM_OK) return st;
    for (size_t i = 0; i < j->n; i++) {
        if (j->tokens[i] < 0 || j->tokens[i] >= info.vocab_size)
            return hlmi_fail(HLM_E_TOKEN, "hlm_score: tokens[%zu] is %d, the vocabulary has %d", i, j->tokens[i],
                             info.vocab_size);
        if (j->labels[i] >= info.vocab_size)
            return hlmi_fail(HLM_E_TOKEN, "hlm_score: labels[%zu] is %d, the vocabulary has %d", i, j->labels[i],
                             info.vocab_size);
    }
    j->vocab = (size_t)info.vocab_size;
    return HLM_OK;
}

/* ln of the softmax at `target`: l - max - ln(sum of e^(l - max)). */
static double log_prob(const float *logits, size_t vocab, int32_t target)
{
    const float max = hlmi_max(logits, vocab);
    if (!(max >= -FLT_MAX && max <= FLT_MAX)) return (double)NAN; /* a model that yields no distribution */
    return ((double)logits[target] - (double)max) - hlmi_log(hlmi_sum_exp(logits, vocab, max));
}

static hlm_status score(hlm_context *ctx, hlm_cache *cache, float *rows, job *j)
{
    for (size_t at = 0; at + 1 < j->n;) {
        const size_t part = hlmi_min_size(SCORE_PART, j->n - 1 - at);
        const hlm_step one = {.struct_size = sizeof one,
                              .cache = cache,
                              .tokens = j->tokens + at,
                              .n_tokens = part,
                              .logits = rows,
                              .logit_rows = HLM_ROWS_ALL};
        const hlm_step *const steps[1] = {&one};
        HLMI_DO(hlm_decode_step(ctx, steps, 1));
        for (size_t i = 0; i < part; i++) {
            const int32_t label = j->labels[at + i + 1];
            const double lp = label < 0 ? 0.0 : log_prob(rows + i * j->vocab, j->vocab, label);
            if (j->logprobs) j->logprobs[at + i] = (float)lp;
            j->sum += lp;
            j->count += label >= 0;
        }
        at += part;
    }
    return HLM_OK;
}

static hlm_status run(hlm_context *ctx, job *j)
{
    const hlmi_mem *mem = hlmi_model_mem(hlmi_ctx_model(ctx));
    hlm_status st = HLM_OK;
    hlm_cache *cache = NULL;
    float *rows = NULL;
    HLMI_TRY(check(ctx, j));
    const size_t bytes = j->vocab * hlmi_min_size(SCORE_PART, j->n - 1) * sizeof(float); /* below 2^39 */
    rows = hlmi_alloc(mem, bytes);
    if (!rows) HLMI_TRY(hlmi_nomem(bytes, "logits to score"));
    const hlm_cache_params cache_params = {.struct_size = sizeof cache_params, .max_tokens = (int64_t)j->n};
    HLMI_TRY(hlm_cache_new(&cache, hlm_ctx_pool(ctx), &cache_params));
    HLMI_TRY(score(ctx, cache, rows, j));
done:
    if (st != HLM_OK) hlmi_ctx_failed(ctx);
    hlm_cache_free(cache);
    hlmi_free(mem, rows);
    return st;
}

HLMI_CALL(hlm_score,
          (hlm_context *ctx, const hlm_score_params *params, hlm_score_result *result),
          (ctx, params, result))
{
    hlm_score_params p;
    hlm_status st = hlmi_params_read(&p, sizeof p, params, "hlm_score_params");
    if (st == HLM_OK && result) st = hlmi_result_check(result, "hlm_score_result");
    if (st != HLM_OK) return st;
    if (!ctx || !p.tokens) return hlmi_fail(HLM_E_ARG, "hlm_score: %s is NULL", ctx ? "tokens" : "ctx");
    job j = {.tokens = p.tokens, .labels = p.labels ? p.labels : p.tokens, .n = p.n_tokens, .logprobs = p.logprobs};
    st = run(ctx, &j);
    if (st != HLM_OK || !result) return st;
    const hlm_score_result full = {.sum = j.sum, .n_scored = j.count};
    return hlmi_result_write(result, &full, sizeof full, "hlm_score_result");
}
