/* What a step must be before anything is done for it. */
#include "api/step.h"

#include "api/context.h"
#include "base/params.h"

hlm_status hlmi_step_read(const hlm_step *const *steps, size_t i, hlm_step *s)
{
    if (!steps[i]) return hlmi_fail(HLM_E_ARG, "steps[%zu] is NULL", i);
    return hlmi_params_read(s, sizeof *s, steps[i], "hlm_step");
}

static hlm_status check_rows(const hlm_context *c, const hlm_step *s)
{
    if (s->logits && c->model->plan.head == HLM_HEAD_NONE)
        return hlmi_fail(HLM_E_UNSUPPORTED, "logits are asked for, and the model has no head (HLM_HEAD_NONE)");
    if (s->logit_rows < HLM_ROWS_LAST || s->logit_rows > HLM_ROWS_LIST)
        return hlmi_fail(HLM_E_ARG, "logit_rows is %d", (int)s->logit_rows);
    if (s->logit_rows != HLM_ROWS_LIST) return HLM_OK;
    if (s->n_rows && !s->rows) return hlmi_fail(HLM_E_ARG, "rows is NULL, n_rows %zu", s->n_rows);
    for (size_t i = 0; i < s->n_rows; i++)
        if (s->rows[i] >= s->n_tokens || (i && s->rows[i] <= s->rows[i - 1]))
            return hlmi_fail(HLM_E_ARG, "rows[%zu] is %zu, expected ascending indices below %zu", i, s->rows[i],
                             s->n_tokens);
    return HLM_OK;
}

hlm_status hlmi_step_hidden(const hlm_step *s, size_t i, hlm_hidden *h)
{
    if (!s->hidden || !s->hidden[i]) return hlmi_fail(HLM_E_ARG, "hidden[%zu] is NULL", i);
    return hlmi_params_read(h, sizeof *h, s->hidden[i], "hlm_hidden");
}

static hlm_status check_hidden(const hlm_context *c, const hlm_step *s)
{
    for (size_t i = 0; i < s->n_hidden; i++) {
        hlm_hidden h;
        const hlm_status st = hlmi_step_hidden(s, i, &h);
        if (st != HLM_OK) return st;
        if (hlm_hidden_width(c->model, h.kind) == 0)
            return hlmi_fail(HLM_E_ARG, "hidden[%zu].kind is %d, which this model does not have", i, (int)h.kind);
        const bool stream = h.kind == HLM_HIDDEN_STREAM;
        const int32_t first = stream ? HLM_HIDDEN_PRE_NORM : 0;
        const int32_t last = (int32_t)c->model->plan.n_layers - !stream;
        if (h.layer < first || h.layer > last)
            return hlmi_fail(HLM_E_ARG, "hidden[%zu].layer is %d, expected %d to %d", i, (int)h.layer, (int)first,
                             (int)last);
        if (!h.out || h.reserved || h.reserved2)
            return hlmi_fail(HLM_E_ARG, "hidden[%zu]: out is NULL, or reserved not 0", i);
    }
    return HLM_OK;
}

hlm_status hlmi_step_attention(const hlm_step *s, size_t i, hlm_attention *a)
{
    if (!s->attention || !s->attention[i]) return hlmi_fail(HLM_E_ARG, "attention[%zu] is NULL", i);
    return hlmi_params_read(a, sizeof *a, s->attention[i], "hlm_attention");
}

static hlm_status check_attention(const hlm_context *c, const hlm_step *s)
{
    const hlmi_plan *plan = &c->model->plan;
    for (size_t i = 0; i < s->n_attention; i++) {
        hlm_attention a;
        const hlm_status st = hlmi_step_attention(s, i, &a);
        if (st != HLM_OK) return st;
        if (a.layer < 0 || (size_t)a.layer >= plan->n_layers || hlmi_plan_layer_heads(plan, a.layer) == 0)
            return hlmi_fail(HLM_E_ARG, "attention[%zu].layer is %d, which is no layer with attention", i,
                             (int)a.layer);
        if (!a.out || a.reserved) return hlmi_fail(HLM_E_ARG, "attention[%zu]: out is NULL, or reserved not 0", i);
    }
    return HLM_OK;
}

/* The ids, or the embeddings in their place. */
static hlm_status check_tokens(const hlm_context *c, const hlm_step *s)
{
    const hlmi_plan *plan = &c->model->plan;
    if (!s->tokens == !s->embeddings) return hlmi_fail(HLM_E_ARG, "one of tokens and embeddings is needed");
    for (size_t i = 0; s->tokens && i < s->n_tokens; i++)
        if (s->tokens[i] < 0 || (size_t)s->tokens[i] >= plan->vocab_size)
            return hlmi_fail(HLM_E_TOKEN, "tokens[%zu] is %d, the vocabulary has %zu", i, (int)s->tokens[i],
                             plan->vocab_size);
    return HLM_OK;
}

/* Lists are not read when there is no room for them. */
static hlm_status check_counts(const hlm_step *s)
{
    hlm_status st = hlmi_list_check(s->n_tokens, "tokens");
    if (st == HLM_OK && s->n_tokens > (uint64_t)s->cache->max_tokens)
        st = hlmi_fail(HLM_E_FULL, "the cache holds at most %lld tokens; %zu do not fit",
                       (long long)s->cache->max_tokens, s->n_tokens);
    if (st == HLM_OK && s->logit_rows == HLM_ROWS_LIST && s->n_rows > s->n_tokens)
        st = hlmi_fail(HLM_E_ARG, "%zu rows of %zu tokens", s->n_rows, s->n_tokens);
    if (st == HLM_OK) st = hlmi_list_check(s->n_hidden, "hidden");
    return st == HLM_OK ? hlmi_list_check(s->n_attention, "attention") : st;
}

hlm_status hlmi_step_check(const hlm_context *c, const hlm_step *s)
{
    if (!s->cache) return hlmi_fail(HLM_E_ARG, "cache is NULL");
    if (s->reserved) return hlmi_fail(HLM_E_ARG, "reserved is not 0");
    if (s->cache->pool != c->pool) return hlmi_fail(HLM_E_MISMATCH, "the cache belongs to another model or pool");
    if (s->adapter && s->adapter->model != c->model)
        return hlmi_fail(HLM_E_MISMATCH, "the adapter was loaded for another model");
    if (s->n_tokens == 0) return hlmi_fail(HLM_E_EMPTY, "no tokens");
    hlm_status st = check_counts(s);
    if (st == HLM_OK) st = check_tokens(c, s);
    if (st == HLM_OK) st = check_rows(c, s);
    if (st == HLM_OK) st = check_hidden(c, s);
    return st == HLM_OK ? check_attention(c, s) : st;
}
