/* Filling tiles with the rows of a step. */
#include "api/context.h"
#include "base/size.h"

/* Is it hlm_cache_logits that asks? */
static bool asks_again(const hlmi_entry *e)
{
    return e->n_tokens == 0 && e->logits;
}

/* Rows that the cache's state has to see again (hlmi_seq_pending), or whose logits are asked for again. */
static void find_old(hlmi_entry *e)
{
    const size_t pending = (size_t)hlmi_seq_pending(&e->cache->seq);
    e->old = pending ? pending : asks_again(e);
    e->replay = (size_t)hlmi_seq_replay(&e->cache->seq);
    if (e->replay && asks_again(e)) e->replay--; /* the last one runs through all blocks */
}

hlm_status hlmi_batch_claimed(hlm_context *c, hlmi_batch *b)
{
    const size_t n_tracks = c->pool->layout.n_tracks;
    size_t n = 0;
    for (size_t i = 0; i < b->n; i++) n += b->entries[i].cache->claim.tracks[HLMI_IDS].n * n_tracks;
    HLMI_DO(HLMI_GROW(&c->mem, c->leaves, c->cap_leaves, n, "page tables"));
    const hlmi_leaf_rows **at = c->leaves;
    for (size_t i = 0; i < b->n; i++) {
        hlmi_entry *e = &b->entries[i];
        find_old(e);
        e->pages = at;
        const hlmi_table *tracks = e->cache->claim.tracks;
        e->n_leaves = tracks[HLMI_IDS].n * n_tracks;
        for (size_t k = 0; k < tracks[HLMI_IDS].n; k++)
            for (size_t t = 0; t < n_tracks; t++, at++)
                *at = k < tracks[t].n && tracks[t].leaves[k] ? &tracks[t].leaves[k]->rows : NULL;
    }
    return HLM_OK;
}

/* Rows of an entry: the old ones first, then the new tokens. */
static size_t n_entry_rows(const hlmi_entry *e)
{
    return e->old + e->n_tokens;
}

/* Position of a row. */
static int64_t entry_pos(const hlmi_entry *e, size_t row)
{
    return e->cache->seq.length - (int64_t)e->old + (int64_t)row;
}

/* The row of which logits number i are. */
static size_t logit_row(const hlmi_entry *e, size_t i)
{
    return e->rows ? e->old + e->rows[i] : n_entry_rows(e) - e->n_out + i;
}

static void add_outputs(hlm_context *c, const hlmi_entry *e, hlmi_cursor *at, size_t row, size_t n)
{
    hlmi_tile *t = &c->tile;
    for (; at->logit < e->n_out && logit_row(e, at->logit) < at->row + n; at->logit++) {
        t->out_row[t->n_out] = (uint32_t)(row + logit_row(e, at->logit) - at->row);
        t->out[t->n_out++] = e->logits + at->logit * c->model->plan.n_out;
    }
}

/* Hidden states and attention weights of n rows, which are the tile's from `row` on; nobody has asked about old
 * ones. */
static hlm_status add_taps(hlm_context *c, const hlmi_entry *e, size_t at, size_t row, size_t n)
{
    hlmi_tile *t = &c->tile;
    const size_t skip = e->old > at ? hlmi_min_size(e->old - at, n) : 0, first = at + skip - e->old;
    if (skip == n) return HLM_OK;
    HLMI_DO(HLMI_GROW(&c->mem, c->taps, c->cap_taps, t->n_taps + e->n_hidden, "hidden states"));
    HLMI_DO(HLMI_GROW(&c->mem, c->attn_taps, c->cap_attn_taps, t->n_attn_taps + e->n_attention, "attention weights"));
    const hlmi_asked *asked = c->asked + e->asked;
    for (size_t i = 0; i < e->n_hidden; i++, asked++)
        c->taps[t->n_taps++] = (hlmi_tap){.layer = asked->layer,
                                          .kind = asked->kind,
                                          .row = row + skip,
                                          .n = n - skip,
                                          .out = asked->out + first * hlm_model_hidden_width(c->model, asked->kind)};
    const size_t keys = (size_t)hlm_cache_length(e->cache) + e->n_tokens;
    for (size_t i = 0; i < e->n_attention; i++, asked++)
        c->attn_taps[t->n_attn_taps++] = (hlmi_attn_tap){.layer = asked->layer,
                                                         .row = row + skip,
                                                         .n = n - skip,
                                                         .out = asked->out + first * keys,
                                                         .keys = keys,
                                                         .head_stride = e->n_tokens * keys,
                                                         .hidden = e->cache->seq.prefix};
    t->taps = c->taps;
    t->attn_taps = c->attn_taps;
    return HLM_OK;
}

/* What row `at` of an entry is run with, as the tile's `row`. An old one is computed as before: its KV rows are there,
 * but for those of tracks that end before it. */
static void add_row(hlm_context *c, const hlmi_entry *e, size_t at, size_t row)
{
    hlmi_tile *t = &c->tile;
    hlm_pool *pool = c->pool;
    const hlm_adapter *adapter = e->adapter;
    if (at < e->old) {
        const int32_t symbol = hlmi_seq_symbol(pool, &e->cache->seq, entry_pos(e, at));
        t->tokens[row] = hlmi_symbol_token(pool, symbol);
        t->keep[row] = 0;
        for (size_t k = 0; k < pool->layout.n_tracks; k++)
            if (entry_pos(e, at) >= hlmi_seq_end(pool, &e->cache->seq, k)) t->keep[row] |= (uint8_t)(1u << k);
        adapter = hlmi_pool_adapter(pool, hlmi_symbol_adapter(pool, symbol));
    } else {
        const size_t i = at - e->old;
        t->tokens[row] = e->tokens ? e->tokens[i] : HLM_TOKEN_NONE;
        t->embed[row] = e->embeddings ? e->embeddings + i * c->model->plan.hidden_size : NULL;
        t->keep[row] = UINT8_MAX;
        if (e->symbols) adapter = hlmi_pool_adapter(pool, hlmi_symbol_adapter(pool, e->symbols[i]));
    }
    t->adapter[row] = adapter;
    t->adapted = t->adapted || adapter;
}

/* Rows of an entry from `at` on that may stand in one span: up to the next state that is kept. */
static size_t span_rows(const hlmi_entry *e, size_t at)
{
    const size_t left = n_entry_rows(e) - at;
    const int64_t pos = entry_pos(e, at), cut = hlmi_claim_next(e->cache, pos);
    return cut - pos < (int64_t)left ? (size_t)(cut - pos) : left;
}

typedef void *const *log_fn(const hlm_cache *c, int64_t pos);

/* The next n positions of an entry as the tile's next span. log: finds their rows of the undo log; hidden: the head
 * keeps the last row. */
static void add_span(hlm_context *c, const hlmi_entry *e, int64_t pos, size_t n, log_fn *log, bool hidden)
{
    hlm_cache *cache = e->cache;
    hlmi_tile *t = &c->tile;
    hlmi_span *span = &t->spans[t->n_spans];
    const hlmi_state *in = NULL;
    hlmi_state *out = NULL;
    hlmi_claim_advance(cache, pos + (int64_t)n, &in, &out);
    *span = (hlmi_span){.row = t->n_rows, .n = n, .pos = pos, .pages = e->pages, .n_leaves = e->n_leaves};
    if (out) {
        span->in = in->item.rows;
        span->out = out->item.rows;
        out->hidden = hidden;
    }
    for (size_t i = 0; i < n; i++) {
        t->pos[t->n_rows] = pos + (int64_t)i;
        t->log[t->n_rows] = log(cache, pos + (int64_t)i);
        t->span_of[t->n_rows++] = (uint32_t)t->n_spans;
    }
    c->caches[t->n_spans++] = cache;
}

/* As many of the remaining rows as a tile holds. */
static hlm_status fill_tile(hlm_context *c, hlmi_batch *b, size_t most)
{
    hlmi_tile *t = &c->tile;
    hlmi_cursor *at = &b->at;
    hlm_status st = HLM_OK;
    while (at->entry < b->n && t->n_rows < most && st == HLM_OK) {
        const hlmi_entry *e = &b->entries[at->entry];
        const size_t rows = n_entry_rows(e), row = t->n_rows, part = span_rows(e, at->row);
        if (rows == 0) { /* hlmi_ctx_settle */
            *at = (hlmi_cursor){.entry = at->entry + 1};
            continue;
        }
        const size_t n = hlmi_min_size(part, most - row);
        const int64_t pos = entry_pos(e, at->row);
        add_span(c, e, pos, n, hlmi_undo_target, true);
        for (size_t i = 0; i < n; i++) add_row(c, e, at->row + i, row + i);
        add_outputs(c, e, at, row, n);
        if (e->n_hidden || e->n_attention) st = add_taps(c, e, at->row, row, n);
        at->row += n;
        if (at->row == rows) *at = (hlmi_cursor){.entry = at->entry + 1};
        else if (n == part) break; /* the next span reads the state that this one writes */
    }
    return st;
}

/* Rows that the log has of a sequence, for the recurrences alone. False when none are left. */
static bool fill_replay(hlm_context *c, hlmi_batch *b, size_t most)
{
    for (; b->replayed < b->n; b->replayed++, b->replay_row = 0) {
        const hlmi_entry *e = &b->entries[b->replayed];
        const size_t n = hlmi_min_size(e->replay - b->replay_row, most);
        if (n == 0) continue;
        const int64_t pos = hlmi_points_now(&e->cache->seq.points)->pos + (int64_t)b->replay_row;
        add_span(c, e, pos, n, hlmi_undo_source, false);
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
        *program = &c->programs[HLMI_REPLAY];
        return HLM_OK;
    }
    if (b->at.entry == b->n) return HLM_OK;
    const hlm_status st = fill_tile(c, b, most);
    if (t->n_rows) *program = &c->programs[t->n_taps || t->n_attn_taps ? HLMI_TAPPED : HLMI_PLAIN];
    return st;
}
