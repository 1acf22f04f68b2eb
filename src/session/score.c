/* hlm_score: log-probabilities of a text's own tokens, or of given labels. */
#include "api/engine.h"
#include "base/call.h"
#include "base/math.h"
#include "base/params.h"
#include "base/size.h"
#include "plan/model_mem.h"
#include "sample/softmax.h"
#include "session/steps.h"

#include <float.h>
#include <math.h>

/* Rows of logits held at once. */
enum { SCORE_PART = 64 };

/* What is rated: labels[i] after tokens[0] .. tokens[i - 1]. */
typedef struct job {
    const int32_t *tokens, *labels;
    size_t n, vocab;
    float *rows; /* [SCORE_PART, vocab] */
    float *logprobs; /* or NULL */
    double sum;
    size_t count;
} job;

static hlm_status check(const hlm_context *ctx, job *j)
{
    if (j->n < 2) return hlmi_fail(HLM_E_ARG, "hlm_score: %zu tokens, needs at least 2", j->n);
    HLMI_DO(hlmi_list_check(j->n, "hlm_score: tokens"));
    HLMI_DO(hlmi_text_vocab(ctx, "hlm_score: the model", &j->vocab));
    for (size_t i = 0; i < j->n; i++) {
        if (j->tokens[i] < 0 || (size_t)j->tokens[i] >= j->vocab)
            return hlmi_fail(HLM_E_TOKEN, "hlm_score: tokens[%zu] is %d, the vocabulary has %zu", i, j->tokens[i],
                             j->vocab);
        if (j->labels[i] >= (int32_t)j->vocab)
            return hlmi_fail(HLM_E_TOKEN, "hlm_score: labels[%zu] is %d, the vocabulary has %zu", i, j->labels[i],
                             j->vocab);
    }
    return HLM_OK;
}

/* ln of the softmax at `target`: l - max - ln(sum of e^(l - max)). */
static double log_prob(const float *logits, size_t vocab, int32_t target)
{
    const float max = hlmi_max(logits, vocab);
    if (!(max >= -FLT_MAX && max <= FLT_MAX)) return (double)NAN; /* a model that yields no distribution */
    return ((double)logits[target] - (double)max) - hlmi_log(hlmi_sum_exp(logits, vocab, max));
}

static void score(void *user, size_t at, size_t n)
{
    job *j = user;
    for (size_t i = 0; i < n; i++) {
        const int32_t label = j->labels[at + i + 1];
        const double lp = label < 0 ? 0.0 : log_prob(j->rows + i * j->vocab, j->vocab, label);
        if (j->logprobs) j->logprobs[at + i] = (float)lp;
        j->sum += lp;
        j->count += label >= 0;
    }
}

static hlm_status run(hlm_context *ctx, job *j)
{
    const hlmi_mem *mem = hlmi_model_mem(hlmi_ctx_model(ctx));
    HLMI_DO(check(ctx, j));
    const size_t bytes = j->vocab * hlmi_min_size(SCORE_PART, j->n - 1) * sizeof *j->rows; /* below 2^39 */
    j->rows = hlmi_alloc(mem, bytes);
    if (!j->rows) return hlmi_nomem(bytes, "logits to score");
    const hlm_step asks = {.logits = j->rows, .logit_rows = HLM_ROWS_ALL};
    const hlm_status st = hlmi_steps_over(ctx, j->tokens, j->n - 1, SCORE_PART, asks, score, j);
    hlmi_free(mem, j->rows);
    return st;
}

HLMI_CALL(hlm_score,
          (hlm_context *ctx, const hlm_score_params *params, hlm_score_result *result),
          (ctx, params, result))
{
    hlm_score_params p;
    HLMI_DO(hlmi_params_read(&p, sizeof p, params, "hlm_score_params"));
    if (result) HLMI_DO(hlmi_result_check(result, sizeof *result, "hlm_score_result"));
    if (!ctx || !p.tokens) return hlmi_fail(HLM_E_ARG, "hlm_score: %s is NULL", ctx ? "tokens" : "ctx");
    job j = {.tokens = p.tokens, .labels = p.labels ? p.labels : p.tokens, .n = p.n_tokens, .logprobs = p.logprobs};
    const hlm_status st = run(ctx, &j);
    if (st != HLM_OK) hlmi_ctx_failed(ctx);
    if (st != HLM_OK || !result) return st;
    const hlm_score_result full = {.sum = j.sum, .n_scored = j.count};
    return hlmi_result_write(result, &full, sizeof full, "hlm_score_result");
}
