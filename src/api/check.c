/* Reading a caller's step, which may have been compiled against an older header: what it must be before anything is
 * done for it, and what becomes of it. */
#include "api/step.h"

#include <string.h>

#include "api/context.h"
#include "base/params.h"
#include "base/size.h"

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

static hlm_status keep_asked(hlm_context *c, int32_t layer, int32_t kind, float *out)
{
    HLMI_DO(HLMI_GROW(&c->mem, c->asked, c->cap_asked, c->n_asked + 1, "a step"));
    c->asked[c->n_asked++] = (hlmi_asked){.layer = layer, .kind = kind, .out = out};
    return HLM_OK;
}

static hlm_status read_hidden(hlm_context *c, const hlm_step *s)
{
    for (size_t i = 0; i < s->n_hidden; i++) {
        hlm_hidden h;
        if (!s->hidden || !s->hidden[i]) return hlmi_fail(HLM_E_ARG, "hidden[%zu] is NULL", i);
        HLMI_DO(hlmi_params_read(&h, sizeof h, s->hidden[i], "hlm_hidden"));
        if (hlm_model_hidden_width(c->model, h.kind) == 0)
            return hlmi_fail(HLM_E_ARG, "hidden[%zu].kind is %d, which this model does not have", i, (int)h.kind);
        const bool stream = h.kind == HLM_HIDDEN_STREAM;
        const int32_t first = stream ? HLM_HIDDEN_PRE_NORM : 0;
        const int32_t last = (int32_t)c->model->plan.n_layers - !stream;
        if (h.layer < first || h.layer > last)
            return hlmi_fail(HLM_E_ARG, "hidden[%zu].layer is %d, expected %d to %d", i, (int)h.layer, (int)first,
                             (int)last);
        if (!h.out) return hlmi_fail(HLM_E_ARG, "hidden[%zu]: out is NULL", i);
        HLMI_DO(keep_asked(c, h.layer, h.kind, h.out));
    }
    return HLM_OK;
}

static hlm_status read_attention(hlm_context *c, const hlm_step *s)
{
    const hlmi_plan *plan = &c->model->plan;
    for (size_t i = 0; i < s->n_attention; i++) {
        hlm_attention a;
        if (!s->attention || !s->attention[i]) return hlmi_fail(HLM_E_ARG, "attention[%zu] is NULL", i);
        HLMI_DO(hlmi_params_read(&a, sizeof a, s->attention[i], "hlm_attention"));
        if (a.layer < 0 || (size_t)a.layer >= plan->n_layers || hlmi_plan_layer_heads(plan, a.layer) == 0)
            return hlmi_fail(HLM_E_ARG, "attention[%zu].layer is %d, which is no layer with attention", i,
                             (int)a.layer);
        if (!a.out || a.reserved) return hlmi_fail(HLM_E_ARG, "attention[%zu]: out is NULL, or reserved not 0", i);
        HLMI_DO(keep_asked(c, a.layer, 0, a.out));
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
    HLMI_DO(hlmi_list_check(s->n_tokens, "tokens"));
    if (s->n_tokens > (uint64_t)s->cache->max_tokens)
        return hlmi_fail(HLM_E_FULL, "the cache holds at most %lld tokens; %zu do not fit",
                         (long long)s->cache->max_tokens, s->n_tokens);
    if (s->logit_rows == HLM_ROWS_LIST && s->n_rows > s->n_tokens)
        return hlmi_fail(HLM_E_ARG, "%zu rows of %zu tokens", s->n_rows, s->n_tokens);
    HLMI_DO(hlmi_list_check(s->n_hidden, "hidden"));
    return hlmi_list_check(s->n_attention, "attention");
}

static hlm_status read_step(hlm_context *c, const hlm_step *s)
{
    if (!s->cache) return hlmi_fail(HLM_E_ARG, "cache is NULL");
    if (s->reserved) return hlmi_fail(HLM_E_ARG, "reserved is not 0");
    if (s->cache->pool != c->pool) return hlmi_fail(HLM_E_MISMATCH, "the cache belongs to another model or pool");
    if (s->adapter && s->adapter->model != c->model)
        return hlmi_fail(HLM_E_MISMATCH, "the adapter was loaded for another model");
    if (s->n_tokens == 0) return hlmi_fail(HLM_E_EMPTY, "no tokens");
    HLMI_DO(check_counts(s));
    HLMI_DO(check_tokens(c, s));
    HLMI_DO(check_rows(c, s));
    HLMI_DO(read_hidden(c, s));
    return read_attention(c, s);
}

hlm_status hlmi_entry_read(hlm_context *c, size_t i, const hlm_step *from)
{
    hlm_step s;
    const size_t asked = c->n_asked;
    if (!from) return hlmi_fail(HLM_E_ARG, "steps[%zu] is NULL", i);
    HLMI_DO(hlmi_params_read(&s, sizeof s, from, "hlm_step"));
    HLMI_DO(read_step(c, &s));
    HLMI_DO(HLMI_GROW(&c->mem, c->entries, c->cap_entries, i + 1, "a step"));
    hlmi_entry *e = &c->entries[i];
    *e = (hlmi_entry){.cache = s.cache,
                      .tokens = s.tokens,
                      .embeddings = s.embeddings,
                      .n_tokens = s.n_tokens,
                      .logits = s.logits,
                      .asked = asked,
                      .n_hidden = s.n_hidden,
                      .n_attention = s.n_attention};
    if (s.logits && s.logit_rows == HLM_ROWS_LIST) e->rows = s.rows;
    if (s.logits)
        e->n_out = s.logit_rows == HLM_ROWS_ALL ? s.n_tokens : e->rows ? s.n_rows : s.logit_rows == HLM_ROWS_LAST;
    HLMI_DO(hlmi_pool_number(c->pool, s.adapter, &e->number));
    e->adapter = hlmi_pool_adapter(c->pool, e->number); /* the caller's may go: the pool's stays */
    return HLM_OK;
}

/* A copy of n items at *at, which goes on behind them. */
static const void *move(char **at, const void *from, size_t n, size_t size)
{
    if (!from) return NULL;
    void *to = memcpy(*at, from, n * size);
    *at += hlmi_round_up(n * size, sizeof(size_t));
    return to;
}

hlm_status hlmi_entries_own(const hlmi_mem *mem, hlmi_entry *entries, size_t n, void **block)
{
    uint64_t bytes = 1;
    for (size_t i = 0; i < n; i++) {
        const hlmi_entry *e = &entries[i];
        bytes += (e->rows ? e->n_out * sizeof *e->rows : 0) + (e->tokens ? (e->n_tokens + 1) * sizeof *e->tokens : 0);
    }
    char *at = *block = bytes <= SIZE_MAX ? hlmi_alloc(mem, (size_t)bytes) : NULL;
    if (!at) return hlmi_nomem((size_t)bytes, "a begun step");
    for (size_t i = 0; i < n; i++) {
        hlmi_entry *e = &entries[i];
        e->rows = move(&at, e->rows, e->n_out, sizeof *e->rows);
        e->tokens = move(&at, e->tokens, e->n_tokens, sizeof *e->tokens);
    }
    return HLM_OK;
}
