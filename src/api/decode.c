/* hlm_decode_step: a varlen batch, cut into tiles, all or nothing. */
#include <string.h>

#include "api/context.h"
#include "base/params.h"
#include "base/size.h"
#include "state/guard.h"
#include "state/prefix.h"

/* The struct as this library knows it; callers may have been compiled against an older header. */
static hlm_status read_step(const hlm_step *const *steps, size_t i, hlm_step *s)
{
    if (!steps[i]) return hlmi_fail(HLM_E_ARG, "steps[%zu] is NULL", i);
    return hlmi_params_read(s, sizeof *s, steps[i], "hlm_step");
}

static hlm_status check_rows(const hlm_step *s)
{
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

static hlm_status read_hidden(const hlm_step *s, size_t i, hlm_hidden *h)
{
    if (!s->hidden || !s->hidden[i]) return hlmi_fail(HLM_E_ARG, "hidden[%zu] is NULL", i);
    return hlmi_params_read(h, sizeof *h, s->hidden[i], "hlm_hidden");
}

static hlm_status check_hidden(const hlm_context *c, const hlm_step *s)
{
    for (size_t i = 0; i < s->n_hidden; i++) {
        hlm_hidden h;
        const hlm_status st = read_hidden(s, i, &h);
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

static hlm_status read_attention(const hlm_step *s, size_t i, hlm_attention *a)
{
    if (!s->attention || !s->attention[i]) return hlmi_fail(HLM_E_ARG, "attention[%zu] is NULL", i);
    return hlmi_params_read(a, sizeof *a, s->attention[i], "hlm_attention");
}

static hlm_status check_attention(const hlm_context *c, const hlm_step *s)
{
    const hlmi_plan *plan = &c->model->plan;
    for (size_t i = 0; i < s->n_attention; i++) {
        hlm_attention a;
        const hlm_status st = read_attention(s, i, &a);
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

static hlm_status check_step(const hlm_context *c, const hlm_step *s)
{
    if (!s->cache) return hlmi_fail(HLM_E_ARG, "cache is NULL");
    if (s->reserved) return hlmi_fail(HLM_E_ARG, "reserved is not 0");
    if (s->cache->pool != c->pool) return hlmi_fail(HLM_E_MISMATCH, "the cache belongs to another model or pool");
    if (s->n_tokens == 0) return hlmi_fail(HLM_E_EMPTY, "no tokens");
    hlm_status st = check_tokens(c, s);
    if (st == HLM_OK) st = check_rows(s);
    if (st == HLM_OK) st = check_hidden(c, s);
    return st == HLM_OK ? check_attention(c, s) : st;
}

/* Rows of a step: first those that its cache's state has to see again (hlmi_cache_pending), then the new tokens. */
static size_t n_step_rows(const hlm_step *s)
{
    return (size_t)hlmi_cache_pending(s->cache) + s->n_tokens;
}

/* Number of logit rows, and the token index of row i. */
static size_t n_logit_rows(const hlm_step *s)
{
    if (!s->logits) return 0;
    return s->logit_rows == HLM_ROWS_ALL ? s->n_tokens : s->logit_rows == HLM_ROWS_LIST ? s->n_rows : 1;
}

static size_t logit_row(const hlm_step *s, size_t i)
{
    return s->logit_rows == HLM_ROWS_ALL ? i : s->logit_rows == HLM_ROWS_LIST ? s->rows[i] : s->n_tokens - 1;
}

/* Where filling tiles has got to. */
typedef struct cursor {
    size_t step, row, logit; /* next of each; row: of the step */
} cursor;

static void add_outputs(hlm_context *c, const hlm_step *s, cursor *at, size_t row, size_t n)
{
    hlmi_tile *t = &c->tile;
    const size_t rows = n_logit_rows(s), width = c->model->plan.n_out;
    const size_t pending = (size_t)hlmi_cache_pending(s->cache);
    for (; at->logit < rows && pending + logit_row(s, at->logit) < at->row + n; at->logit++) {
        t->out_row[t->n_out] = (uint32_t)(row + pending + logit_row(s, at->logit) - at->row);
        t->out[t->n_out++] = s->logits + at->logit * width;
    }
}

/* Of n rows from row `at` of a step on, those that are computed again: nobody has asked about them. */
static size_t old_rows(size_t pending, size_t at, size_t n)
{
    return pending > at ? hlmi_min_size(pending - at, n) : 0;
}

static hlm_status add_taps(hlm_context *c, const hlm_step *s, const cursor *at, size_t row, size_t n)
{
    const size_t pending = (size_t)hlmi_cache_pending(s->cache);
    const size_t skip = old_rows(pending, at->row, n);
    if (skip == n) return HLM_OK;
    void *items = c->taps;
    hlm_status st =
        hlmi_grow(&c->mem, &items, &c->cap_taps, c->tile.n_taps + s->n_hidden, sizeof *c->taps, "hidden states");
    c->taps = items;
    for (size_t i = 0; i < s->n_hidden && st == HLM_OK; i++) {
        hlm_hidden h;
        st = read_hidden(s, i, &h);
        const size_t width = hlm_hidden_width(c->model, h.kind);
        c->taps[c->tile.n_taps++] = (hlmi_tap){.layer = h.layer,
                                               .kind = h.kind,
                                               .row = row + skip,
                                               .n = n - skip,
                                               .out = h.out + (at->row + skip - pending) * width};
    }
    return st;
}

static hlm_status add_attn_taps(hlm_context *c, const hlm_step *s, const cursor *at, size_t row, size_t n)
{
    const size_t pending = (size_t)hlmi_cache_pending(s->cache);
    const size_t skip = old_rows(pending, at->row, n);
    if (skip == n) return HLM_OK;
    void *items = c->attn_taps;
    hlm_status st = hlmi_grow(&c->mem, &items, &c->cap_attn_taps, c->tile.n_attn_taps + s->n_attention,
                              sizeof *c->attn_taps, "attention weights");
    c->attn_taps = items;
    const size_t keys = (size_t)hlm_cache_length(s->cache) + s->n_tokens;
    for (size_t i = 0; i < s->n_attention && st == HLM_OK; i++) {
        hlm_attention a;
        st = read_attention(s, i, &a);
        c->attn_taps[c->tile.n_attn_taps++] = (hlmi_attn_tap){.layer = a.layer,
                                                              .row = row + skip,
                                                              .n = n - skip,
                                                              .out = a.out + (at->row + skip - pending) * keys,
                                                              .keys = keys,
                                                              .head_stride = s->n_tokens * keys};
    }
    return st;
}

/* Token ids of rows [at, at + n) of a step. */
static void copy_tokens(const hlm_step *s, size_t at, size_t n, int32_t *out)
{
    const hlm_cache *cache = s->cache;
    const size_t pending = (size_t)hlmi_cache_pending(cache);
    const size_t old = old_rows(pending, at, n);
    for (size_t i = 0; i < old; i++) out[i] = hlmi_cache_token(cache, cache->length - (int64_t)(pending - at - i));
    if (n > old && s->tokens) memcpy(out + old, s->tokens + (at + old - pending), (n - old) * sizeof *out);
    for (size_t i = old; i < n && !s->tokens; i++) out[i] = HLM_TOKEN_NONE;
}

/* Position of a row of a step. */
static int64_t step_pos(const hlm_step *s, size_t row)
{
    return s->cache->length - hlmi_cache_pending(s->cache) + (int64_t)row;
}

/* Rows of a step from `at` on that may stand in one span: up to the next state that is kept. */
static size_t span_rows(const hlm_step *s, size_t at)
{
    const size_t left = n_step_rows(s) - at;
    const int64_t pos = step_pos(s, at), cut = s->cache->state ? hlmi_cut_next(s->cache, pos) : INT64_MAX;
    return cut - pos < (int64_t)left ? (size_t)(cut - pos) : left;
}

/* Rows [at, at + n) of a step as the tile's next span. */
static void add_span(hlmi_tile *t, const hlm_step *s, size_t at, size_t n, size_t hidden)
{
    const hlm_cache *cache = s->cache;
    const size_t row = t->n_rows;
    const int64_t pos = step_pos(s, at);
    hlmi_span *span = &t->spans[t->n_spans];
    *span = (hlmi_span){.cache = cache, .row = row, .n = n, .pos = pos, .fresh = cache->length};
    hlmi_cache_advance(s->cache, pos + (int64_t)n, &span->in, &span->out);
    copy_tokens(s, at, n, t->tokens + row);
    const size_t pending = (size_t)hlmi_cache_pending(cache);
    for (size_t i = 0; i < n; i++)
        t->embed[row + i] = s->embeddings && at + i >= pending ? s->embeddings + (at + i - pending) * hidden : NULL;
    for (size_t i = 0; i < n; i++) {
        t->pos[row + i] = pos + (int64_t)i;
        t->span_of[row + i] = (uint32_t)t->n_spans;
    }
    t->n_spans++;
    t->n_rows += n;
}

/* As many of the remaining rows as a tile holds. */
static hlm_status fill_tile(hlm_context *c, const hlm_step *const *steps, size_t n, cursor *at)
{
    hlmi_tile *t = &c->tile;
    hlm_status st = HLM_OK;
    t->n_rows = t->n_spans = t->n_out = t->n_taps = t->n_attn_taps = 0;
    while (at->step < n && t->n_rows < c->max_rows && st == HLM_OK) {
        hlm_step s;
        st = read_step(steps, at->step, &s);
        if (st != HLM_OK) return st;
        const size_t rows = n_step_rows(&s), row = t->n_rows, part = span_rows(&s, at->row);
        const size_t m = hlmi_min_size(part, c->max_rows - row);
        add_span(t, &s, at->row, m, c->model->plan.hidden_size);
        add_outputs(c, &s, at, row, m);
        if (s.n_hidden) st = add_taps(c, &s, at, row, m);
        if (s.n_attention && st == HLM_OK) st = add_attn_taps(c, &s, at, row, m);
        at->row += m;
        if (at->row == rows) *at = (cursor){.step = at->step + 1};
        else if (m == part) break; /* the next span reads the state that this one writes */
    }
    t->taps = c->taps;
    t->attn_taps = c->attn_taps;
    return st;
}

static hlm_status run_program(hlm_context *c, const hlmi_program *p)
{
    const hlmi_tile *t = &c->tile;
    hlmi_work w = {.regions = p->regions, .n = p->n, .step = t, .rows = t->n_rows, .cancel = &c->cancel};
    for (size_t i = 0; i < t->n_rows; i++) w.past += (uint64_t)t->pos[i];
    return hlmi_team_run(c->team, &w);
}

/* Runs what the log has of a sequence through the recurrences alone. */
static hlm_status replay(hlm_context *c, hlm_cache *cache)
{
    hlmi_tile *t = &c->tile;
    const int64_t end = cache->length;
    for (int64_t pos = cache->state->pos; pos < end;) {
        const size_t n = hlmi_min_size((size_t)(end - pos), c->max_rows);
        t->n_rows = n;
        t->n_spans = 1;
        t->n_out = t->n_taps = t->n_attn_taps = 0;
        t->spans[0] = (hlmi_span){.cache = cache, .n = n, .pos = pos, .fresh = end};
        hlmi_cache_advance(cache, pos + (int64_t)n, &t->spans[0].in, &t->spans[0].out);
        for (size_t i = 0; i < n; i++) {
            t->pos[i] = pos + (int64_t)i;
            t->span_of[i] = 0;
        }
        const hlm_status st = run_program(c, &c->replay);
        if (st != HLM_OK) return st;
        pos += (int64_t)n;
    }
    return HLM_OK;
}

static hlm_status run_tiles(hlm_context *c, const hlm_step *const *steps, size_t n)
{
    cursor at = {0};
    for (size_t i = 0; i < n; i++) {
        if (hlmi_cache_replay(steps[i]->cache) == 0) continue;
        const hlm_status st = replay(c, steps[i]->cache);
        if (st != HLM_OK) return st;
    }
    while (at.step < n) {
        hlm_status st = fill_tile(c, steps, n, &at);
        if (st != HLM_OK) return st;
        const hlmi_program *p = c->tile.n_taps || c->tile.n_attn_taps ? &c->tapped : &c->plain;
        st = run_program(c, p);
        if (st != HLM_OK) return st;
    }
    return HLM_OK;
}

/* What a rewind has left to be computed again must be tokens. The cache is locked. */
static hlm_status check_pending(const hlm_cache *cache)
{
    for (int64_t pos = cache->length - hlmi_cache_pending(cache); pos < cache->length; pos++)
        if (hlmi_cache_token(cache, pos) == HLM_TOKEN_NONE)
            return hlmi_fail(HLM_E_UNREACHABLE,
                             "the state at position %lld has to be computed again from position %lld on, which was an "
                             "embedding",
                             (long long)(cache->length - cache->prefix), (long long)(pos - cache->prefix));
    return HLM_OK;
}

static hlm_status name_step(hlm_status st, size_t i)
{
    return hlmi_fail_prefix(st, "steps[%zu]: ", i);
}

static void abort_steps(const hlm_step *const *steps, size_t locked, size_t claimed)
{
    for (size_t i = 0; i < claimed; i++) hlmi_cache_abort(steps[i]->cache);
    for (size_t i = 0; i < locked; i++) hlmi_cache_step_end(steps[i]->cache);
}

static hlm_status decode(hlm_context *c, const hlm_step *const *steps, size_t n);

/* Runs the rows that stand before every text, in a sequence of their own that becomes the pool's. */
static hlm_status run_prefix(hlm_context *c)
{
    hlm_cache *cache = NULL;
    hlm_status st = hlmi_prefix_begin(&cache, c->pool);
    if (st != HLM_OK) return st;
    const hlmi_plan *plan = &c->model->plan;
    const hlm_step one = {
        .struct_size = sizeof one, .cache = cache, .n_tokens = plan->n_prefix, .embeddings = plan->prefix};
    const hlm_step *const steps[] = {&one};
    st = decode(c, steps, 1);
    if (st == HLM_OK) hlmi_prefix_publish(cache);
    else hlm_cache_free(cache);
    return st;
}

/* Sees to it that the rows that stand before every text are in the (locked) cache. */
static hlm_status put_prefix(hlm_context *c, hlm_cache *cache)
{
    if (!hlmi_prefix_missing(cache)) return HLM_OK;
    const hlm_status st = atomic_load(&c->pool->prefix) ? HLM_OK : run_prefix(c);
    return st == HLM_OK ? hlmi_prefix_attach(cache) : st;
}

static hlm_status decode(hlm_context *c, const hlm_step *const *steps, size_t n)
{
    size_t locked = 0, claimed = 0;
    hlm_status st = HLM_OK;
    hlm_step s;
    if (n == 0) return hlmi_fail(HLM_E_EMPTY, "no steps");
    for (size_t i = 0; i < n; i++) {
        st = read_step(steps, i, &s);
        if (st == HLM_OK) st = check_step(c, &s);
        if (st != HLM_OK) return name_step(st, i);
    }
    for (; locked < n && st == HLM_OK; locked += st == HLM_OK) {
        st = hlmi_cache_step_begin(steps[locked]->cache); /* a cache that is there twice is busy */
        if (st != HLM_OK) st = name_step(st, locked);
    }
    for (size_t i = 0; i < n && st == HLM_OK; i++) {
        st = check_pending(steps[i]->cache);
        if (st == HLM_OK) st = put_prefix(c, steps[i]->cache);
        if (st != HLM_OK) st = name_step(st, i);
    }
    for (; claimed < n && st == HLM_OK; claimed += st == HLM_OK) {
        st = hlmi_cache_claim(steps[claimed]->cache, steps[claimed]->n_tokens);
        if (st != HLM_OK) st = name_step(st, claimed);
    }
    for (size_t i = 0; i < locked; i++) hlmi_cache_step_leave(steps[i]->cache);
    if (st == HLM_OK && c->cancel) st = hlmi_fail(HLM_E_CANCELLED, "the step was cancelled");
    if (st == HLM_OK) st = run_tiles(c, steps, n);
    for (size_t i = 0; i < locked; i++) hlmi_cache_step_enter(steps[i]->cache);
    if (st == HLM_OK) {
        for (size_t i = 0; i < n; i++) hlmi_cache_commit(steps[i]->cache, steps[i]->tokens, steps[i]->n_tokens);
        claimed = 0;
    }
    abort_steps(steps, locked, claimed);
    return st;
}

hlm_status hlm_decode_step(hlm_context *ctx, const hlm_step *const *steps, size_t n)
{
    if (!ctx || (n && !steps)) return hlmi_fail(HLM_E_ARG, "hlm_decode_step: ctx and steps are needed");
    int idle = 0;
    if (!atomic_compare_exchange_strong(&ctx->busy, &idle, 1))
        return hlmi_fail(HLM_E_BUSY, "the context is in use by another call");
    const hlm_status st = decode(ctx, steps, n);
    if (st != HLM_OK) memcpy(ctx->error, hlmi_error(), sizeof ctx->error);
    if (st == HLM_E_CANCELLED) ctx->cancel = 0;
    atomic_store(&ctx->busy, 0);
    return st;
}
