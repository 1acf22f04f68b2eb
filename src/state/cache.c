/* Page tables: claiming positions for a step, sharing, copying on write. */
#include "state/cache.h"

#include <string.h>

#include "base/size.h"
#include "state/invoke.h"
#include "state/window.h"

void hlmi_leaf_drop(hlm_pool *pool, hlmi_leaf *leaf)
{
    if (atomic_fetch_sub(&leaf->refs, 1) != 1) return;
    for (uint32_t i = 0; i < leaf->n; i++) hlmi_pool_drop(pool, leaf->page[i]);
    hlmi_free(&pool->mem, leaf);
}

hlmi_state *hlmi_cache_first_state(const hlm_cache *c)
{
    if (c->first) return c->first;
    const hlm_cache *prefix = c->prefix ? atomic_load(&c->pool->prefix) : NULL;
    return prefix ? prefix->state : c->pool->origin;
}

hlmi_leaf *hlmi_leaf_copy(hlm_pool *pool, const hlmi_leaf *from, uint32_t keep)
{
    hlmi_leaf *leaf = hlmi_calloc(&pool->mem, 1, sizeof *leaf);
    if (!leaf) {
        hlmi_nomem(sizeof *leaf, "a page table");
        return NULL;
    }
    atomic_init(&leaf->refs, 1);
    leaf->n = keep;
    for (uint32_t p = 0; p < keep; p++) {
        hlmi_leaf_set(leaf, p, from->page[p]);
        atomic_fetch_add(&leaf->page[p]->refs, 1);
    }
    return leaf;
}

/* What the leaf in which a step has claimed positions was before, up to `keep` pages: the step's commit and abort write into the
 * leaf itself, which therefore stays the sequence's own. */
static hlmi_leaf *leaf_before(const hlm_cache *c, uint32_t keep)
{
    const size_t slot = (size_t)c->length / c->pool->layout.tokens % HLMI_LEAF_PAGES;
    hlmi_leaf *leaf = hlmi_leaf_copy(c->pool, c->leaves[c->claim.leaf], keep);
    if (!leaf || !c->claim.shared || slot >= keep) return leaf;
    hlmi_pool_drop(c->pool, leaf->page[slot]);
    hlmi_leaf_set(leaf, slot, c->claim.shared);
    atomic_fetch_add(&c->claim.shared->refs, 1);
    return leaf;
}

/* The leaf as it was before a step that computes positions in it again, or NULL. */
static hlmi_leaf *leaf_waiting(const hlm_cache *c, size_t i)
{
    return i >= c->again.leaf && i - c->again.leaf < c->again.n ? c->again.was[i - c->again.leaf] : NULL;
}

hlmi_page *hlmi_cache_committed_page(const hlm_cache *c, int64_t pos)
{
    const size_t i = (size_t)pos / c->pool->layout.tokens;
    const hlmi_leaf *leaf = leaf_waiting(c, i / HLMI_LEAF_PAGES);
    return leaf ? leaf->page[i % HLMI_LEAF_PAGES] : hlmi_cache_page(c, pos);
}

/* The first n pages of leaf i: the leaf itself where it has no others, which would otherwise stay for as long as the sharer does. */
static hlmi_leaf *leaf_share(const hlm_cache *from, size_t i, uint32_t n)
{
    hlmi_leaf *waiting = leaf_waiting(from, i);
    hlmi_leaf *leaf = waiting ? waiting : from->leaves[i];
    if (!waiting && hlmi_cache_claimed(from) && i == from->claim.leaf) return leaf_before(from, n);
    if (leaf->n > n) return hlmi_leaf_copy(from->pool, leaf, n);
    atomic_fetch_add(&leaf->refs, 1);
    return leaf;
}

hlm_status hlmi_cache_share(hlm_cache *c, const hlm_cache *from, int64_t n)
{
    const size_t pages = hlmi_div_up((size_t)n, c->pool->layout.tokens);
    const size_t leaves = hlmi_div_up(pages, HLMI_LEAF_PAGES);
    void *items = c->leaves;
    const hlm_status st = hlmi_grow(&c->pool->mem, &items, &c->cap_leaves, leaves, sizeof *c->leaves, "a page table");
    c->leaves = items;
    if (st != HLM_OK) return st;
    for (; c->n_leaves < leaves; c->n_leaves++) {
        const size_t i = c->n_leaves;
        c->leaves[i] = leaf_share(from, i, hlmi_min_size(pages - i * HLMI_LEAF_PAGES, HLMI_LEAF_PAGES) & UINT32_MAX);
        if (!c->leaves[i]) return HLM_E_NOMEM;
    }
    return HLM_OK;
}

/* The state from which position `length` is reached with the least computing. */
hlmi_state *hlmi_cache_nearest(const hlm_cache *c, int64_t length)
{
    hlmi_state *const found[] = {c->state, hlmi_marks_find(c, length), hlmi_undo_anchor(c, length)};
    hlmi_state *best = hlmi_cache_first_state(c);
    for (size_t i = 0; i < sizeof found / sizeof *found; i++)
        if (found[i] && found[i]->pos <= length && found[i]->pos > best->pos) best = found[i];
    return best;
}

void hlmi_cache_restore(hlm_cache *c)
{
    const int64_t length = c->length;
    hlmi_state *best = NULL;
    if (hlmi_windows(c)) c->stale = hlmi_window_way(c, length, length, &best);
    else best = hlmi_cache_nearest(c, length);
    hlmi_state_retain(best);
    hlmi_pool_drop_state(c->pool, c->state);
    c->state = best;
    hlmi_undo_truncate(c, length);
}

int64_t hlmi_cache_pending_at(const hlm_cache *c, int64_t pos)
{
    hlmi_state *state;
    if (hlmi_windows(c)) return hlmi_window_way(c, pos, pos, &state);
    if (!c->state) return 0;
    const int64_t from = hlmi_cache_nearest(c, pos)->pos;
    for (int64_t i = from; i < pos; i++)
        if (!hlmi_undo_find(c, i)) return pos - from;
    return 0;
}

/* Replaces the shared leaf i by a copy of its first `keep` pages. */
static hlm_status leaf_own(hlm_cache *c, size_t i, uint32_t keep)
{
    hlmi_leaf *old = c->leaves[i];
    if (atomic_load(&old->refs) == 1) return HLM_OK;
    hlmi_leaf *leaf = hlmi_leaf_copy(c->pool, old, keep);
    if (!leaf) return HLM_E_NOMEM;
    c->leaves[i] = leaf;
    hlmi_leaf_drop(c->pool, old);
    return HLM_OK;
}

static void leaf_shrink(hlm_cache *c, size_t i, uint32_t pages)
{
    hlmi_leaf *leaf = c->leaves[i];
    if (atomic_load(&leaf->refs) != 1) return;
    while (leaf->n > pages) hlmi_pool_drop(c->pool, leaf->page[--leaf->n]);
}

/* The first n pages of leaf i alone; where there is no memory for a page table, it stays as it is. */
static void leaf_keep(hlm_cache *c, size_t i, uint32_t n)
{
    if (c->leaves[i]->n > n && leaf_own(c, i, n) == HLM_OK) leaf_shrink(c, i, n);
}

void hlmi_cache_truncate(hlm_cache *c, int64_t length)
{
    hlmi_cache_cut(c, length, 0);
}

void hlmi_cache_cut(hlm_cache *c, int64_t length, size_t keep_pages)
{
    const size_t pages = hlmi_max_size(hlmi_div_up((size_t)length, c->pool->layout.tokens), keep_pages);
    const size_t leaves = hlmi_div_up(pages, HLMI_LEAF_PAGES);
    while (c->n_leaves > leaves) hlmi_leaf_drop(c->pool, c->leaves[--c->n_leaves]);
    if (leaves) leaf_keep(c, leaves - 1, (uint32_t)(pages - (leaves - 1) * HLMI_LEAF_PAGES));
    c->length = length;
    hlmi_invoked_cut(c, length - c->prefix);
    if (c->state || hlmi_windows(c)) hlmi_cache_restore(c);
    if (hlmi_windows(c)) hlmi_window_cut(c);
    hlmi_marks_cut(c, length);
}

void hlmi_cache_step_back(hlm_cache *c)
{
    if (!c->state || c->stale) return;
    hlmi_state *best = hlmi_cache_nearest(c, c->length - 1);
    if (hlmi_windows(c)) c->stale = hlmi_window_way(c, c->length, c->length - 1, &best);
    hlmi_state_retain(best);
    hlmi_pool_drop_state(c->pool, c->state);
    c->state = best;
}

void hlmi_cache_swap_states(hlm_cache *a, hlm_cache *b)
{
    const hlm_cache was = {.state = a->state, .marks = a->marks, .log = {a->log[0], a->log[1]}};
    a->state = b->state, b->state = was.state;
    a->marks = b->marks, b->marks = was.marks;
    memcpy(a->log, b->log, sizeof a->log), memcpy(b->log, was.log, sizeof b->log);
}

void hlmi_cache_swap(hlm_cache *a, hlm_cache *b)
{
    const hlm_cache was = {.length = a->length,
                           .prefix = a->prefix,
                           .first = a->first,
                           .stale = a->stale,
                           .given = a->given,
                           .invoked = a->invoked,
                           .leaves = a->leaves,
                           .n_leaves = a->n_leaves,
                           .cap_leaves = a->cap_leaves};
    hlmi_cache_swap_states(a, b);
    a->length = b->length, b->length = was.length;
    a->prefix = b->prefix, b->prefix = was.prefix;
    a->first = b->first, b->first = was.first;
    a->stale = b->stale, b->stale = was.stale;
    a->given = b->given, b->given = was.given;
    a->invoked = b->invoked, b->invoked = was.invoked;
    a->leaves = b->leaves, b->leaves = was.leaves;
    a->n_leaves = b->n_leaves, b->n_leaves = was.n_leaves;
    a->cap_leaves = b->cap_leaves, b->cap_leaves = was.cap_leaves;
}

static hlm_status leaf_add(hlm_cache *c)
{
    void *items = c->leaves;
    hlm_status st =
        hlmi_grow(&c->pool->mem, &items, &c->cap_leaves, c->n_leaves + 1, sizeof *c->leaves, "a page table");
    c->leaves = items;
    if (st != HLM_OK) return st;
    hlmi_leaf *leaf = hlmi_calloc(&c->pool->mem, 1, sizeof *leaf);
    if (!leaf) return hlmi_nomem(sizeof *leaf, "a page table");
    atomic_init(&leaf->refs, 1);
    c->leaves[c->n_leaves++] = leaf;
    return HLM_OK;
}

hlm_status hlmi_cache_table(hlm_cache *c, size_t n)
{
    for (size_t i = 0; i < n; i += HLMI_LEAF_PAGES) {
        const hlm_status st = leaf_add(c);
        if (st != HLM_OK) return st;
        c->leaves[c->n_leaves - 1]->n = (uint32_t)hlmi_min_size(n - i, HLMI_LEAF_PAGES);
    }
    return HLM_OK;
}

hlm_status hlmi_cache_add_page(hlm_cache *c, hlmi_page *page)
{
    const bool full = c->n_leaves == 0 || c->leaves[c->n_leaves - 1]->n == HLMI_LEAF_PAGES;
    const hlm_status st = full ? leaf_add(c) : HLM_OK;
    if (st != HLM_OK) {
        hlmi_pool_drop(c->pool, page);
        return st;
    }
    hlmi_leaf *leaf = c->leaves[c->n_leaves - 1];
    hlmi_leaf_set(leaf, leaf->n++, page);
    return HLM_OK;
}

/* A page, for which automatic marks may go where they keep pages. */
static hlmi_page *take_page(hlm_cache *c)
{
    hlmi_page *page;
    do page = hlmi_pool_take(c->pool);
    while (!page && hlmi_windows(c) && hlmi_marks_give_up(c));
    return page;
}

/* Makes the partial page that holds position `length` writable from there to `to` (inside the page). */
static hlm_status claim_partial(hlm_cache *c, hlmi_leaf *leaf, uint32_t slot, uint32_t at, uint32_t to)
{
    hlmi_page *page = leaf->page[slot];
    unsigned filled = atomic_load(&page->filled), expected = at;
    /* alone after a rewind: what lies behind is nobody's any more */
    if (filled > at && atomic_load(&page->refs) == 1) {
        atomic_store(&page->filled, to);
    } else if (!atomic_compare_exchange_strong(&page->filled, &expected, to)) {
        hlmi_page *copy = take_page(c);
        if (!copy) return HLM_E_NOMEM;
        hlmi_page_copy(copy, page, &c->pool->layout, c->pool->plan, at);
        atomic_store(&copy->filled, to);
        hlmi_leaf_set(leaf, slot, copy);
        c->claim.shared = page;
    }
    c->claim.filled = at;
    c->claim.in_place = true;
    return HLM_OK;
}

/* The page with index i, writable for positions [from, to) of it; from > 0 only for the page that holds `length`. */
static hlm_status claim_page(hlm_cache *c, size_t i, uint32_t from, uint32_t to)
{
    const size_t l = i / HLMI_LEAF_PAGES;
    const uint32_t slot = (uint32_t)(i % HLMI_LEAF_PAGES);
    hlm_status st = HLM_OK;
    if (l == c->n_leaves) st = leaf_add(c);
    else st = leaf_own(c, l, hlmi_min_size(slot + (from > 0), c->leaves[l]->n) & UINT32_MAX);
    if (st != HLM_OK) return st;
    hlmi_leaf *leaf = c->leaves[l];
    if (from > 0) return claim_partial(c, leaf, slot, from, to);
    /* one reserved before is taken; not a sharer's, or one without rows, from a table that there was no memory to part from */
    hlmi_page *was = slot < leaf->n ? leaf->page[slot] : NULL;
    if (was && atomic_load(&was->refs) == 1 && (was->part || !c->pool->layout.part_bytes)) {
        atomic_store(&was->filled, to);
        return HLM_OK;
    }
    hlmi_page *page = take_page(c);
    if (!page) return HLM_E_NOMEM;
    atomic_store(&page->filled, to);
    hlmi_leaf_set(leaf, slot, page);
    if (slot == leaf->n) leaf->n++;
    hlmi_pool_drop(c->pool, was);
    return HLM_OK;
}

/* What there is before a claim from position `length` on. */
static void claim_begin(hlm_cache *c)
{
    const size_t page = (size_t)c->length / c->pool->layout.tokens;
    const uint32_t own = (uint32_t)(page % HLMI_LEAF_PAGES) + ((size_t)c->length % c->pool->layout.tokens > 0);
    c->claim = (hlmi_claim){.end = c->length, .leaves = c->n_leaves, .leaf = page / HLMI_LEAF_PAGES};
    if (c->n_leaves) c->claim.last_pages = c->leaves[c->n_leaves - 1]->n;
    if (c->claim.leaf >= c->n_leaves) return;
    /* of a shared leaf the claim keeps the sequence's own pages only */
    const hlmi_leaf *leaf = c->leaves[c->claim.leaf];
    c->claim.leaf_pages = atomic_load(&leaf->refs) == 1 ? leaf->n : own;
    if (c->claim.leaf == c->n_leaves - 1) c->claim.last_pages = c->claim.leaf_pages;
}

bool hlmi_cut_ask(hlm_cache *c, int64_t pos)
{
    if (hlmi_cut_find(c, pos)) return true;
    void *items = c->cuts;
    const hlm_status st = hlmi_grow(&c->pool->mem, &items, &c->cap_cuts, c->n_cuts + 1, sizeof *c->cuts, "cuts");
    c->cuts = items;
    hlmi_state *s = st == HLM_OK ? hlmi_pool_take_state(c->pool) : NULL;
    if (!s) return false;
    s->pos = pos;
    c->cuts[c->n_cuts++] = (hlmi_cut){.pos = pos, .state = s};
    return true;
}

hlmi_state *hlmi_cut_find(const hlm_cache *c, int64_t pos)
{
    if (c->state->pos == pos) return c->state;
    for (size_t i = 0; i < c->n_cuts; i++)
        if (c->cuts[i].pos == pos) return c->cuts[i].state;
    return NULL;
}

int64_t hlmi_cut_next(const hlm_cache *c, int64_t pos)
{
    int64_t next = INT64_MAX;
    for (size_t i = 0; i < c->n_cuts; i++)
        if (c->cuts[i].pos > pos && c->cuts[i].pos < next) next = c->cuts[i].pos;
    return next;
}

void hlmi_cache_advance(hlm_cache *c, int64_t end, const hlmi_state **in, hlmi_state **out)
{
    *in = c->claim.now;
    if (!c->state) return;
    hlmi_state *cut = NULL;
    for (size_t i = 0; i < c->n_cuts; i++)
        if (c->cuts[i].pos == end) cut = c->cuts[i].state;
    *out = c->claim.now = cut ? cut : c->claim.next;
}

/* Asks for the states at the stride's positions in (from, end), the last of them first. */
static void claim_marks(hlm_cache *c, int64_t from, int64_t end)
{
    const int64_t stride = c->pool->mark_stride;
    if (stride == 0 || c->drafts) return;
    int64_t pos = (end - 1) / stride * stride;
    for (size_t i = 0; i < c->pool->auto_marks && pos > from; i++, pos -= stride) {
        if (!hlmi_cut_ask(c, pos)) return;
        for (size_t k = 0; k < c->n_cuts; k++)
            if (c->cuts[k].pos == pos) c->cuts[k].mark = true;
    }
}

/* Texts part here: whoever goes on from this position again finds its state. */
static void claim_branch(hlm_cache *c, int64_t end)
{
    if (c->branch != c->length || end == c->length || !hlmi_cache_pending(c) || !hlmi_cut_ask(c, c->length)) return;
    for (size_t i = 0; i < c->n_cuts; i++)
        if (c->cuts[i].pos == c->length) c->cuts[i].mark = true;
}

/* The states that a step up to `end` writes. */
static hlm_status claim_states(hlm_cache *c, int64_t end)
{
    const int64_t from = hlmi_cache_pending(c) ? c->state->pos : c->length;
    c->n_cuts = 0;
    c->claim.now = c->state;
    do c->claim.next = hlmi_pool_take_state(c->pool);
    while (!c->claim.next && hlmi_marks_give_up(c));
    if (!c->claim.next) {
        hlmi_cache_abort(c);
        return HLM_E_NOMEM;
    }
    hlmi_undo_claim(c, from, end);
    claim_marks(c, from, end);
    claim_branch(c, end);
    const hlm_status st = hlmi_marks_room(c, c->n_cuts + 1);
    if (st != HLM_OK) hlmi_cache_abort(c);
    return st;
}

/* The step's states become the sequence's; `prompt`: the end is marked. */
static void commit_states(hlm_cache *c, bool prompt)
{
    hlmi_undo_commit(c);
    for (size_t i = 0; i < c->n_cuts; i++)
        if (c->cuts[i].mark) hlmi_marks_add(c, c->cuts[i].pos, c->cuts[i].state, true);
    hlmi_pool_drop_state(c->pool, c->state);
    c->state = c->claim.next;
    c->state->pos = c->length;
    c->claim.next = NULL;
    if (prompt && c->pool->auto_marks) hlmi_marks_add(c, c->length, c->state, true);
}

/* What is left of the claim's states goes back. */
static void drop_states(hlm_cache *c)
{
    hlmi_undo_abort(c);
    for (size_t i = 0; i < c->n_cuts; i++) hlmi_pool_drop_state(c->pool, c->cuts[i].state);
    c->n_cuts = 0;
    hlmi_pool_drop_state(c->pool, c->claim.next);
}

hlm_status hlmi_cache_claim(hlm_cache *c, size_t n)
{
    const size_t tokens = c->pool->layout.tokens;
    const int64_t most = c->max_tokens + (int64_t)c->pool->plan->n_prefix;
    if (n > (uint64_t)(most - c->length))
        return hlmi_fail(HLM_E_FULL, "the cache holds %lld of at most %lld tokens; %zu more do not fit",
                         (long long)(c->length - c->prefix), (long long)c->max_tokens, n);
    claim_begin(c);
    const int64_t end = c->length + (int64_t)n;
    hlm_status st = hlmi_windows(c) ? hlmi_window_room(c, end) : HLM_OK;
    if (st == HLM_OK) st = hlmi_window_claim(c);
    if (st != HLM_OK) hlmi_cache_abort(c);
    if (st == HLM_OK && c->state) st = claim_states(c, end);
    if (st != HLM_OK) return st;
    while (c->claim.end < end) {
        const size_t i = (size_t)c->claim.end / tokens;
        const uint32_t from = (uint32_t)((size_t)c->claim.end % tokens);
        const uint32_t to = (uint32_t)hlmi_min_size(tokens, (size_t)(end - (int64_t)(i * tokens)));
        st = claim_page(c, i, from, to);
        if (st != HLM_OK) {
            hlmi_cache_abort(c);
            return st;
        }
        c->claim.end = (int64_t)(i * tokens) + to;
    }
    return HLM_OK;
}

void hlmi_cache_commit(hlm_cache *c, const int32_t *tokens, size_t n, uint32_t adapter, const int32_t *symbols)
{
    const size_t per = c->pool->layout.tokens;
    const int64_t from = c->length;
    const bool branch = c->stale && c->branch == from;
    const bool prompt = (n > 1 && !c->drafts) || (n == 0 && c->branch == c->length); /* or texts part here */
    while (n) {
        const size_t at = (size_t)c->length % per, m = hlmi_min_size(n, per - at);
        int32_t *ids = hlmi_cache_page(c, c->length)->tokens + at;
        for (size_t i = 0; i < m; i++) ids[i] = hlmi_symbol(c->pool, tokens ? tokens[i] : HLM_TOKEN_NONE, adapter);
        if (symbols) memcpy(ids, symbols, m * sizeof *ids);
        c->length += (int64_t)m;
        if (tokens) tokens += m;
        if (symbols) symbols += m;
        n -= m;
    }
    hlmi_pool_drop(c->pool, c->claim.shared);
    if (hlmi_windows(c)) hlmi_window_done(c);
    if (c->claim.next) commit_states(c, prompt);
    drop_states(c);
    c->claim = (hlmi_claim){0};
    if (!hlmi_windows(c)) return;
    hlmi_window_mark(c, from, branch, prompt);
    hlmi_window_give(c);
}

/* What is claimed is nobody's again; the pages stay where they are. */
static void forget_claim(hlm_cache *c)
{
    if (c->claim.in_place) atomic_store(&hlmi_cache_page(c, c->length)->filled, c->claim.filled);
    hlmi_pool_drop(c->pool, c->claim.shared);
    drop_states(c);
    c->claim = (hlmi_claim){0};
}

void hlmi_cache_keep(hlm_cache *c)
{
    forget_claim(c);
    hlmi_window_keep(c);
}

void hlmi_cache_abort(hlm_cache *c)
{
    const hlmi_claim was = c->claim;
    c->claim.shared = NULL;
    if (was.shared) {
        const size_t slot = (size_t)c->length / c->pool->layout.tokens % HLMI_LEAF_PAGES;
        hlmi_pool_drop(c->pool, c->leaves[was.leaf]->page[slot]);
        hlmi_leaf_set(c->leaves[was.leaf], slot, was.shared);
        c->claim.in_place = false;
    }
    forget_claim(c);
    while (c->n_leaves > was.leaves) hlmi_leaf_drop(c->pool, c->leaves[--c->n_leaves]);
    if (was.leaf < was.leaves) leaf_shrink(c, was.leaf, was.leaf_pages);
    if (was.leaves) leaf_shrink(c, was.leaves - 1, was.last_pages);
    hlmi_window_abort(c);
}
