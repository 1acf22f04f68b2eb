/* Filling tiles with the rows of a step. */
#include "api/context.h"
#include "base/size.h"

/* Is it hlm_cache_logits that asks? */
static bool asks_again(const hlm_step *s)
{
    return s->n_tokens == 0 && s->logits;
}

/* Rows of a step that its cache's state has to see again (hlmi_cache_pending), or whose logits are asked for again. */
static size_t n_old(const hlm_step *s)
{
    const size_t pending = (size_t)hlmi_cache_pending(s->cache);
    return pending ? pending : asks_again(s);
}

/* Rows of a step: the old ones first, then the new tokens. */
static size_t n_step_rows(const hlm_step *s)
{
    return n_old(s) + s->n_tokens;
}

/* Number of logit rows, and which row of the step is row i. */
static size_t n_logit_rows(const hlm_step *s)
{
    if (!s->logits) return 0;
    return s->logit_rows == HLM_ROWS_ALL ? s->n_tokens : s->logit_rows == HLM_ROWS_LIST ? s->n_rows : 1;
}

static size_t logit_row(const hlm_step *s, size_t i)
{
    if (s->logit_rows == HLM_ROWS_LAST) return n_step_rows(s) - 1;
    return n_old(s) + (s->logit_rows == HLM_ROWS_LIST ? s->rows[i] : i);
}

static void add_outputs(hlm_context *c, const hlm_step *s, hlmi_cursor *at, size_t row, size_t n)
{
    hlmi_tile *t = &c->tile;
    const size_t rows = n_logit_rows(s), width = c->model->plan.n_out;
    for (; at->logit < rows && logit_row(s, at->logit) < at->row + n; at->logit++) {
        t->out_row[t->n_out] = (uint32_t)(row + logit_row(s, at->logit) - at->row);
        t->out[t->n_out++] = s->logits + at->logit * width;
    }
}

/* Of n rows from row `at` of a step on, those that are computed again: nobody has asked about them. */
static size_t old_rows(size_t pending, size_t at, size_t n)
{
    return pending > at ? hlmi_min_size(pending - at, n) : 0;
}

static hlm_status add_taps(hlm_context *c, const hlm_step *s, const hlmi_cursor *at, size_t row, size_t n)
{
    const size_t pending = n_old(s);
    const size_t skip = old_rows(pending, at->row, n);
    if (skip == n) return HLM_OK;
    void *items = c->taps;
    hlm_status st =
        hlmi_grow(&c->mem, &items, &c->cap_taps, c->tile.n_taps + s->n_hidden, sizeof *c->taps, "hidden states");
    c->taps = items;
    for (size_t i = 0; i < s->n_hidden && st == HLM_OK; i++) {
        hlm_hidden h;
        st = hlmi_step_hidden(s, i, &h);
        const size_t width = hlm_hidden_width(c->model, h.kind);
        c->taps[c->tile.n_taps++] = (hlmi_tap){.layer = h.layer,
                                               .kind = h.kind,
                                               .row = row + skip,
                                               .n = n - skip,
                                               .out = h.out + (at->row + skip - pending) * width};
    }
    return st;
}

static hlm_status add_attn_taps(hlm_context *c, const hlm_step *s, const hlmi_cursor *at, size_t row, size_t n)
{
    const size_t pending = n_old(s);
    const size_t skip = old_rows(pending, at->row, n);
    if (skip == n) return HLM_OK;
    void *items = c->attn_taps;
    hlm_status st = hlmi_grow(&c->mem, &items, &c->cap_attn_taps, c->tile.n_attn_taps + s->n_attention,
                              sizeof *c->attn_taps, "attention weights");
    c->attn_taps = items;
    const size_t keys = (size_t)hlm_cache_length(s->cache) + s->n_tokens;
    for (size_t i = 0; i < s->n_attention && st == HLM_OK; i++) {
        hlm_attention a;
        st = hlmi_step_attention(s, i, &a);
        c->attn_taps[c->tile.n_attn_taps++] = (hlmi_attn_tap){.layer = a.layer,
                                                              .row = row + skip,
                                                              .n = n - skip,
                                                              .out = a.out + (at->row + skip - pending) * keys,
                                                              .keys = keys,
                                                              .head_stride = s->n_tokens * keys};
    }
    return st;
}

/* Token ids and adapters of rows [at, at + n) of a step as the tile's next; symbols: of its tokens, or NULL. */
static void copy_tokens(hlmi_tile *t, const hlm_step *s, const int32_t *symbols, size_t at, size_t n)
{
    hlm_pool *pool = s->cache->pool;
    const size_t pending = n_old(s);
    const size_t old = old_rows(pending, at, n);
    for (size_t i = 0; i < n; i++) {
        int32_t *token = &t->tokens[t->n_rows + i];
        const hlm_adapter **adapter = &t->adapter[t->n_rows + i];
        if (i < old) {
            const int32_t symbol = hlmi_cache_symbol(s->cache, s->cache->length - (int64_t)(pending - at - i));
            *token = hlmi_symbol_token(pool, symbol);
            *adapter = hlmi_pool_adapter(pool, hlmi_symbol_adapter(pool, symbol));
        } else {
            *token = s->tokens ? s->tokens[at + i - pending] : HLM_TOKEN_NONE;
            *adapter = s->adapter;
        }
        if (i >= old && symbols)
            *adapter = hlmi_pool_adapter(pool, hlmi_symbol_adapter(pool, symbols[at + i - pending]));
        t->adapted = t->adapted || *adapter;
    }
}

/* Position of a row of a step. */
static int64_t step_pos(const hlm_step *s, size_t row)
{
    return s->cache->length - (int64_t)n_old(s) + (int64_t)row;
}

/* Rows of a step from `at` on that may stand in one span: up to the next state that is kept. */
static size_t span_rows(const hlm_step *s, size_t at)
{
    const size_t left = n_step_rows(s) - at;
    const int64_t pos = step_pos(s, at), cut = s->cache->state ? hlmi_cut_next(s->cache, pos) : INT64_MAX;
    return cut - pos < (int64_t)left ? (size_t)(cut - pos) : left;
}

/* Rows [at, at + n) of a step as the tile's next span. */
static void add_span(hlmi_tile *t, const hlm_step *s, const int32_t *symbols, size_t at, size_t n, size_t hidden)
{
    const hlm_cache *cache = s->cache;
    const size_t row = t->n_rows;
    const int64_t pos = step_pos(s, at);
    hlmi_span *span = &t->spans[t->n_spans];
    *span = (hlmi_span){.cache = cache, .row = row, .n = n, .pos = pos, .fresh = cache->length};
    hlmi_cache_advance(s->cache, pos + (int64_t)n, &span->in, &span->out);
    if (span->out) span->out->hidden = true; /* the head keeps it */
    copy_tokens(t, s, symbols, at, n);
    const size_t pending = n_old(s);
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
static hlm_status fill_tile(hlm_context *c, hlmi_batch *b, size_t most)
{
    hlmi_tile *t = &c->tile;
    hlmi_cursor *at = &b->at;
    hlm_status st = HLM_OK;
    while (at->step < b->n && t->n_rows < most && st == HLM_OK) {
        hlm_step s;
        st = hlmi_step_read(b->steps, at->step, &s);
        if (st != HLM_OK) return st;
        const size_t rows = n_step_rows(&s), row = t->n_rows, part = span_rows(&s, at->row);
        if (rows == 0) { /* hlmi_ctx_settle */
            *at = (hlmi_cursor){.step = at->step + 1};
            continue;
        }
        const size_t m = hlmi_min_size(part, most - row);
        add_span(t, &s, b->symbols ? b->symbols[at->step] : NULL, at->row, m, c->model->plan.hidden_size);
        add_outputs(c, &s, at, row, m);
        if (s.n_hidden) st = add_taps(c, &s, at, row, m);
        if (s.n_attention && st == HLM_OK) st = add_attn_taps(c, &s, at, row, m);
        at->row += m;
        if (at->row == rows) *at = (hlmi_cursor){.step = at->step + 1};
        else if (m == part) break; /* the next span reads the state that this one writes */
    }
    t->taps = c->taps;
    t->attn_taps = c->attn_taps;
    return st;
}

/* Rows that the log has of a sequence, for the recurrences alone. False when none are left. */
static bool fill_replay(hlm_context *c, hlmi_batch *b, size_t most)
{
    hlmi_tile *t = &c->tile;
    for (; b->replayed < b->n; b->replayed++, b->replay_row = 0) {
        hlm_cache *cache = b->steps[b->replayed]->cache;
        size_t rows = (size_t)hlmi_cache_replay(cache);
        if (rows && asks_again(b->steps[b->replayed])) rows--; /* the last one runs through all blocks */
        const size_t n = hlmi_min_size(rows - b->replay_row, most);
        if (n == 0) continue;
        const int64_t pos = cache->state->pos + (int64_t)b->replay_row;
        t->n_rows = n;
        t->n_spans = 1;
        t->spans[0] = (hlmi_span){.cache = cache, .n = n, .pos = pos, .fresh = cache->length};
        hlmi_cache_advance(cache, pos + (int64_t)n, &t->spans[0].in, &t->spans[0].out);
        for (size_t i = 0; i < n; i++) {
            t->pos[i] = pos + (int64_t)i;
            t->span_of[i] = 0;
        }
        b->replay_row += n;
        return true;
    }
    return false;
}

hlm_status hlmi_batch_tile(hlm_context *c, hlmi_batch *b, size_t most, const hlmi_program **program)
{
    hlmi_tile *t = &c->tile;
    t->n_rows = t->n_spans = t->n_out = t->n_taps = t->n_attn_taps = 0;
    t->adapted = false;
    *program = NULL;
    if (fill_replay(c, b, most)) {
        *program = &c->replay;
        return HLM_OK;
    }
    if (b->at.step == b->n) return HLM_OK;
    const hlm_status st = fill_tile(c, b, most);
    if (t->n_rows) *program = t->n_taps || t->n_attn_taps ? &c->tapped : &c->plain;
    return st;
}
