/* What a step claims of a sequence, commits, or takes back. */
#include "state/cache.h"

#include <string.h>

#include "base/assert.h"
#include "base/size.h"
#include "state/guard.h"
#include "state/invoke.h"
#include "state/window.h"

/* A cache of no sequence yet. */
static hlm_cache *handle(hlm_pool *pool, int64_t max_tokens)
{
    hlm_cache *c = hlmi_calloc(&pool->mem, 1, sizeof *c);
    if (!c) {
        hlmi_nomem(sizeof *c, "a cache");
        return NULL;
    }
    c->pool = pool;
    c->max_tokens = max_tokens;
    atomic_init(&c->users, 0);
    return c;
}

/* The cache with what has become of making its sequence. */
static hlm_status finish(hlm_cache **out, hlm_cache *c, hlm_status st)
{
    if (st == HLM_OK) {
        hlm_pool_retain(c->pool);
        *out = c;
    } else {
        hlmi_cache_destroy(c);
    }
    return st;
}

hlm_status hlmi_cache_make(hlm_cache **out, hlm_pool *pool, int64_t max_tokens)
{
    hlm_cache *c = handle(pool, max_tokens);
    return c ? finish(out, c, hlmi_seq_init(pool, &c->seq)) : HLM_E_NOMEM;
}

hlm_status hlmi_cache_fork(hlm_cache **out, const hlm_cache *from, int64_t pos)
{
    hlm_cache *c = handle(from->pool, from->max_tokens);
    return c ? finish(out, c, hlmi_seq_fork(c->pool, &c->seq, &from->seq, pos)) : HLM_E_NOMEM;
}

void hlmi_cache_destroy(hlm_cache *c)
{
    hlmi_seq_free(c->pool, &c->seq);
    hlmi_points_free(c->pool, &c->claim.points);
    for (size_t t = 0; t < HLMI_TRACKS; t++) hlmi_table_free(c->pool, &c->claim.tracks[t]);
    hlmi_free(&c->pool->mem, c);
}

void hlmi_cache_swap(hlm_cache *a, hlm_cache *b)
{
    const hlmi_seq was = a->seq;
    a->seq = b->seq;
    b->seq = was;
}

void hlmi_cache_swap_points(hlm_cache *a, hlm_cache *b)
{
    const hlmi_points was = a->seq.points;
    a->seq.points = b->seq.points;
    b->seq.points = was;
}

void hlmi_cache_step_back(hlm_cache *c)
{
    if (c->pool->origin && hlmi_seq_pending(&c->seq) == 0) hlmi_seq_restore(c->pool, &c->seq, c->seq.length - 1);
}

bool hlmi_cache_give_up_marks(hlm_cache *c)
{
    const bool some = hlmi_points_clear(c->pool, &c->seq.points, -1, HLMI_POINT_AUTOMATIC);
    if (some) hlmi_window_give(c->pool, &c->seq);
    return some;
}

/* ---- pages ---- */

/* Is page i of a track there already, and can positions from .. to - 1 of it be the claim's? */
static bool fill_in_place(hlm_cache *c, size_t t, size_t i, uint32_t from, uint32_t to)
{
    hlmi_page *page = hlmi_table_page(&c->claim.tracks[t], i);
    unsigned expected = from;
    if (!page) return false;
    /* alone: it is reserved, or what lies behind is nobody's any more after a rewind */
    if (hlmi_table_alone(&c->claim.tracks[t], &c->seq.tracks[t], i)) atomic_store(&page->filled, to);
    else if (from == 0 || !atomic_compare_exchange_strong(&page->filled, &expected, to)) return false;
    c->claim.in_place[t] = c->claim.in_place[t] || from > 0;
    return true;
}

/* The page with index i, writable for positions [from, to) of it; from > 0 only for the page in which the track
 * ends. */
static hlm_status claim_page(hlm_cache *c, size_t t, size_t i, uint32_t from, uint32_t to)
{
    if (fill_in_place(c, t, i, from, to)) return HLM_OK;
    hlmi_page *page = hlmi_pool_take_page(c->pool, t);
    if (!page) return HLM_E_NOMEM;
    if (from)
        hlmi_page_copy(page, hlmi_table_page(&c->claim.tracks[t], i), &c->pool->layout, c->pool->plan, from,
                       hlmi_pool_place(c->pool, page));
    atomic_store(&page->filled, to);
    return hlmi_table_put(c->pool, &c->claim.tracks[t], i, page);
}

static hlm_status claim_track(hlm_cache *c, size_t t)
{
    const size_t per = c->pool->layout.tokens, end = (size_t)c->claim.end;
    const hlmi_table *own = &c->seq.tracks[t];
    HLMI_DO(hlmi_table_share(c->pool, &c->claim.tracks[t], own, hlmi_table_pages(own)));
    for (size_t at = (size_t)hlmi_seq_end(c->pool, &c->seq, t); at < end; at = (at / per + 1) * per)
        HLMI_DO(claim_page(c, t, at / per, (uint32_t)(at % per), (uint32_t)hlmi_min_size(per, end - at / per * per)));
    return HLM_OK;
}

/* What has been filled of the page in which a track ends is free again. */
static void empty_page(const hlm_cache *c, size_t t)
{
    const int64_t end = hlmi_seq_end(c->pool, &c->seq, t);
    const size_t rest = (size_t)end % c->pool->layout.tokens;
    if (rest) atomic_store(&hlmi_claim_page(c, t, end)->filled, (unsigned)rest);
}

/* ---- points ---- */

hlmi_point *hlmi_claim_point(hlm_cache *c, int64_t pos, hlmi_state *state, uint32_t flags)
{
    hlmi_points *p = &c->claim.points;
    const hlmi_point *now = hlmi_points_now(&c->seq.points);
    hlmi_state *made = NULL;
    if (hlmi_points_find(p, pos)) return hlmi_points_put(p, pos, state, flags);
    if (hlmi_points_room(c->pool, p, 1) != HLM_OK) return NULL;
    if (!state && now->pos == pos) state = now->state;
    if (!state && c->pool->origin) {
        state = made = hlmi_pool_take_state(c->pool);
        if (!made) return NULL;
        made->pos = pos;
        flags |= HLMI_POINT_NEW;
    }
    hlmi_point *point = hlmi_points_put(p, pos, state, flags);
    hlmi_pool_drop(c->pool, made);
    return point;
}

int64_t hlmi_claim_next(const hlm_cache *c, int64_t pos)
{
    const hlmi_points *p = &c->claim.points;
    for (size_t i = hlmi_points_at(p, pos + 1); i < p->n; i++)
        if (p->items[i].flags & HLMI_POINT_NEW) return p->items[i].pos;
    return INT64_MAX;
}

void hlmi_claim_advance(hlm_cache *c, int64_t end, const hlmi_state **in, hlmi_state **out)
{
    const hlmi_points *p = &c->claim.points;
    const hlmi_point *point = hlmi_points_find(p, end);
    *in = c->claim.now;
    *out = point && point->flags & HLMI_POINT_NEW ? point->state : p->items[p->n - 1].state;
    c->claim.now = *out;
}

/* Marks at the stride's positions in (from, end), the last of them first. */
static void claim_marks(hlm_cache *c, int64_t from)
{
    const int64_t stride = c->pool->mark_stride;
    if (stride == 0 || c->drafts) return;
    int64_t pos = (c->claim.end - 1) / stride * stride;
    for (size_t i = 0; i < c->pool->auto_marks && pos > from; i++, pos -= stride)
        if (!hlmi_claim_point(c, pos, NULL, HLMI_POINT_AUTOMATIC)) return;
}

/* What the sequence will be able to go on from. The ends of prompts are marked, and where texts part. This comes before
 * the pages: the other way round, what can be spared would take at a pool's cap what the next step's pages need. */
static hlm_status claim_points(hlm_cache *c)
{
    const hlmi_seq *s = &c->seq;
    const int64_t pending = hlmi_seq_pending(s), from = s->length - pending;
    const bool branch = s->branch == s->length, none = c->claim.end == s->length;
    const bool prompt = (c->claim.end - s->length > 1 && !c->drafts) || (none && branch);
    const uint32_t mark = c->pool->auto_marks ? HLMI_POINT_AUTOMATIC : 0;
    if (!hlmi_claim_point(c, c->claim.end, NULL, HLMI_POINT_NOW | (prompt ? mark : 0))) return HLM_E_NOMEM;
    c->claim.now = hlmi_points_now(&s->points)->state;
    hlmi_undo_claim(c, from);
    claim_marks(c, from);
    if (branch && pending && !none) hlmi_claim_point(c, s->length, NULL, mark);
    return hlmi_points_room(c->pool, &c->seq.points, c->claim.points.n);
}

/* ---- the claim ---- */

hlm_status hlmi_cache_claim(hlm_cache *c, size_t n)
{
    const int64_t most = c->max_tokens + (int64_t)c->pool->plan->n_prefix, length = c->seq.length;
    hlmi_assert(atomic_load(&c->users) & HLMI_CACHE_CALL);
    if (n > (uint64_t)(most - length))
        return hlmi_fail(HLM_E_FULL, "the cache holds %lld of at most %lld tokens; %zu more do not fit",
                         (long long)(length - c->seq.prefix), (long long)c->max_tokens, n);
    hlm_status st;
    do {
        c->claim.end = length + (int64_t)n;
        st = claim_points(c);
        for (size_t t = 0; t < c->pool->layout.n_tracks && st == HLM_OK; t++) st = claim_track(c, t);
        if (st != HLM_OK) hlmi_cache_abort(c);
    } while (st == HLM_E_NOMEM && hlmi_cache_give_up_marks(c));
    return st;
}

/* The claim is over. What it held goes back, the memory of its lists stays. */
static void end_claim(hlm_cache *c)
{
    for (size_t t = 0; t < c->pool->layout.n_tracks; t++) {
        hlmi_table_cut(c->pool, &c->claim.tracks[t], 0);
        c->claim.in_place[t] = false;
    }
    hlmi_points_clear(c->pool, &c->claim.points, -1, HLMI_POINT_REASONS);
    c->claim.end = 0;
    c->claim.now = NULL;
}

/* Its pages become the sequence's. */
static void take_tracks(hlm_cache *c)
{
    for (size_t t = 0; t < c->pool->layout.n_tracks; t++) {
        const hlmi_table was = c->seq.tracks[t];
        c->seq.tracks[t] = c->claim.tracks[t];
        c->claim.tracks[t] = was;
    }
}

static void write_symbols(hlm_cache *c, const int32_t *tokens, uint32_t adapter, const int32_t *symbols)
{
    const size_t per = c->pool->layout.tokens;
    for (int64_t pos = c->seq.length; pos < c->claim.end; pos++) {
        const size_t i = (size_t)(pos - c->seq.length);
        const int32_t symbol =
            symbols ? symbols[i] : hlmi_symbol(c->pool, tokens ? tokens[i] : HLM_TOKEN_NONE, adapter);
        hlmi_page_symbols(hlmi_claim_page(c, HLMI_IDS, pos))[(size_t)pos % per] = symbol;
    }
}

void hlmi_cache_commit(hlm_cache *c, const int32_t *tokens, size_t n, uint32_t adapter, const int32_t *symbols)
{
    hlmi_assert(atomic_load(&c->users) & HLMI_CACHE_CALL && c->claim.end == c->seq.length + (int64_t)n);
    write_symbols(c, tokens, adapter, symbols);
    c->seq.length += (int64_t)n;
    take_tracks(c);
    hlmi_points_merge(c->pool, &c->seq.points, &c->claim.points);
    hlmi_points_thin(c->pool, &c->seq.points);
    end_claim(c);
    hlmi_window_give(c->pool, &c->seq);
}

void hlmi_cache_keep(hlm_cache *c)
{
    for (size_t t = 0; t < c->pool->layout.n_tracks; t++) empty_page(c, t);
    hlmi_undo_abort(c);
    take_tracks(c);
    end_claim(c);
}

void hlmi_cache_abort(hlm_cache *c)
{
    for (size_t t = 0; t < c->pool->layout.n_tracks; t++)
        if (c->claim.in_place[t]) empty_page(c, t);
    hlmi_undo_abort(c);
    end_claim(c);
}
