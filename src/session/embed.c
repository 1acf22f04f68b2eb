/* hlm_embed: one vector of a text's final hidden states. */
#include "api/engine.h"
#include "base/call.h"
#include "base/params.h"
#include "base/size.h"
#include "plan/model_mem.h"

/* Rows of hidden states held at once. */
enum { EMBED_PART = 64 };

typedef struct job {
    const int32_t *tokens;
    size_t n, size; /* size: of a hidden row */
    int32_t pooling, last_layer;
    float *rows; /* [EMBED_PART, size] */
    double *sum; /* [size]: what is pooled so far */
} job;

static hlm_status run_part(hlm_context *ctx, hlm_cache *cache, const job *j, size_t at, size_t n)
{
    const hlm_hidden hidden = {.struct_size = sizeof hidden, .layer = j->last_layer, .out = j->rows};
    const hlm_hidden *const list[1] = {&hidden};
    const hlm_step one = {.struct_size = sizeof one,
                          .cache = cache,
                          .tokens = j->tokens + at,
                          .n_tokens = n,
                          .hidden = list,
                          .n_hidden = 1};
    const hlm_step *const steps[1] = {&one};
    return hlm_decode_step(ctx, steps, 1);
}

static void pool_rows(const job *j, size_t at, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const float *row = j->rows + i * j->size;
        const bool taken = j->pooling == HLM_EMBED_MEAN || at + i == (j->pooling == HLM_EMBED_FIRST ? 0 : j->n - 1);
        for (size_t c = 0; taken && c < j->size; c++) j->sum[c] += (double)row[c];
    }
}

static void write_vector(const job *j, bool normalise, float *out)
{
    double scale = j->pooling == HLM_EMBED_MEAN ? 1.0 / (double)j->n : 1.0, square = 0;
    for (size_t c = 0; c < j->size; c++) square += j->sum[c] * j->sum[c];
    if (normalise) scale = square > 0 ? 1.0 / __builtin_sqrt(square) : 0.0;
    for (size_t c = 0; c < j->size; c++) out[c] = (float)(j->sum[c] * scale);
}

static hlm_status embed(hlm_context *ctx, job *j)
{
    hlm_status st = HLM_OK;
    hlm_cache *cache = NULL;
    const hlm_cache_params params = {.struct_size = sizeof params, .max_tokens = (int64_t)j->n};
    HLMI_TRY(hlm_cache_new(&cache, hlm_ctx_pool(ctx), &params));
    for (size_t at = 0; at < j->n;) {
        const size_t part = hlmi_min_size(EMBED_PART, j->n - at);
        HLMI_TRY(run_part(ctx, cache, j, at, part));
        pool_rows(j, at, part);
        at += part;
    }
done:
    hlm_cache_free(cache);
    return st;
}

HLMI_CALL(hlm_embed, (hlm_context *ctx, const hlm_embed_params *params, float *out), (ctx, params, out))
{
    hlm_embed_params p;
    hlm_status st = hlmi_params_read(&p, sizeof p, params, "hlm_embed_params");
    if (st != HLM_OK) return st;
    if (!ctx || !p.tokens || !out) return hlmi_fail(HLM_E_ARG, "hlm_embed: ctx, tokens and out are needed");
    if (p.pooling < HLM_EMBED_MEAN || p.pooling > HLM_EMBED_FIRST || p.normalise < 0 || p.normalise > 1)
        return hlmi_fail(HLM_E_ARG, "hlm_embed: pooling is %d, normalise %d", (int)p.pooling, (int)p.normalise);
    if (p.n_tokens == 0) return hlmi_fail(HLM_E_EMPTY, "hlm_embed: no tokens");
    const hlmi_mem *mem = hlmi_model_mem(hlmi_ctx_model(ctx));
    hlm_model_info info = {.struct_size = sizeof info};
    job j = {.tokens = p.tokens, .n = p.n_tokens, .pooling = p.pooling};
    HLMI_TRY(hlmi_list_check(j.n, "hlm_embed: tokens"));
    HLMI_TRY(hlm_model_info_get(hlmi_ctx_model(ctx), &info));
    j.size = (size_t)info.hidden_size;
    j.last_layer = info.n_layers;
    j.rows = hlmi_alloc(mem, EMBED_PART * j.size * sizeof *j.rows);
    j.sum = hlmi_calloc(mem, j.size, sizeof *j.sum);
    if (!j.rows || !j.sum) HLMI_TRY(hlmi_nomem(EMBED_PART * j.size * sizeof *j.rows, "hidden states"));
    HLMI_TRY(embed(ctx, &j));
    write_vector(&j, p.normalise, out);
done:
    if (st != HLM_OK) hlmi_ctx_failed(ctx);
    hlmi_free(mem, j.rows);
    hlmi_free(mem, j.sum);
    return st;
}
