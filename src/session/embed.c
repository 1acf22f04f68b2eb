/* hlm_embed: one vector of a text's final hidden states. */
#include "api/engine.h"
#include "base/call.h"
#include "base/params.h"
#include "base/size.h"
#include "plan/model_mem.h"
#include "session/steps.h"

/* Rows of hidden states held at once. */
enum { EMBED_PART = 64 };

typedef struct job {
    size_t n, size; /* tokens; floats of a hidden row */
    int32_t pooling;
    float *rows; /* [EMBED_PART, size] */
    double *sum; /* [size]: what is pooled so far */
} job;

static void pool_rows(void *user, size_t at, size_t n)
{
    const job *j = user;
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

HLMI_CALL(hlm_embed, (hlm_context *ctx, const hlm_embed_params *params, float *out), (ctx, params, out))
{
    hlm_embed_params p;
    hlm_status st;
    HLMI_DO(hlmi_params_read(&p, sizeof p, params, "hlm_embed_params"));
    if (!ctx || !p.tokens || !out) return hlmi_fail(HLM_E_ARG, "hlm_embed: ctx, tokens and out are needed");
    if (p.pooling < HLM_EMBED_MEAN || p.pooling > HLM_EMBED_FIRST || p.normalise < 0 || p.normalise > 1)
        return hlmi_fail(HLM_E_ARG, "hlm_embed: pooling is %d, normalise %d", (int)p.pooling, (int)p.normalise);
    if (p.n_tokens == 0) return hlmi_fail(HLM_E_EMPTY, "hlm_embed: no tokens");
    const hlmi_mem *mem = hlmi_model_mem(hlmi_ctx_model(ctx));
    hlm_model_info info = {.struct_size = sizeof info};
    job j = {.n = p.n_tokens, .pooling = p.pooling};
    HLMI_TRY(hlmi_list_check(j.n, "hlm_embed: tokens"));
    HLMI_TRY(hlm_model_info_get(hlmi_ctx_model(ctx), &info));
    j.size = (size_t)info.hidden_size;
    j.rows = hlmi_alloc(mem, EMBED_PART * j.size * sizeof *j.rows);
    j.sum = hlmi_calloc(mem, j.size, sizeof *j.sum);
    if (!j.rows || !j.sum) HLMI_TRY(hlmi_nomem(EMBED_PART * j.size * sizeof *j.rows, "hidden states"));
    const hlm_hidden hidden = {.struct_size = sizeof hidden, .layer = info.n_layers, .out = j.rows};
    const hlm_hidden *const list[] = {&hidden};
    HLMI_TRY(hlmi_steps_over(ctx, p.tokens, j.n, EMBED_PART, (hlm_step){.hidden = list, .n_hidden = 1}, pool_rows, &j));
    write_vector(&j, p.normalise, out);
done:
    if (st != HLM_OK) hlmi_ctx_failed(ctx);
    hlmi_free(mem, j.rows);
    hlmi_free(mem, j.sum);
    return st;
}
