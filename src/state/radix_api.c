/* The public calls on the prefix cache, and its lock. */
#include "base/call.h"
#include "base/params.h"
#include "base/size.h"
#include "state/draft.h"
#include "state/guard.h"
#include "state/invoke.h"
#include "state/radix.h"
#include "state/valid.h"
#include "state/window.h"

static hlm_status remember(hlm_cache *cache)
{
    hlmi_radix *r = cache->pool->radix;
    hlm_status st = hlmi_cache_lock_read(cache);
    if (st != HLM_OK) return st;
    if (r) {
        hlmi_radix_lock(r);
        st = hlmi_radix_add(r, &cache->seq);
        hlmi_radix_unlock(r);
    }
    hlmi_cache_unlock(cache);
    return st;
}

static _Thread_local bool mine;

void hlmi_radix_lock(hlmi_radix *r)
{
    hlmi_assert(!mine);
    hlmi_lock_take(&r->lock);
    mine = true;
}

void hlmi_radix_unlock(hlmi_radix *r)
{
    hlmi_radix_valid(r);
    mine = false;
    hlmi_lock_drop(&r->lock);
}

bool hlmi_radix_mine(void)
{
    return mine;
}

HLMI_CALL(hlm_prefix_add, (hlm_cache *cache), (cache))
{
    return cache ? remember(cache) : hlmi_fail(HLM_E_ARG, "hlm_prefix_add: cache is NULL");
}

void hlmi_cache_remember(hlm_cache *c)
{
    remember(c);
}

/* A way to begin with a text: positions held, and how many of them are computed again. */
typedef struct beginning {
    int64_t at, pending;
} beginning;

/* The first positions of what the tree knows of a text, as a cache; *out is NULL when that is not more than `own`. */
static hlm_status from_tree(hlm_cache **out, hlm_pool *pool, const hlmi_radix_text *text, beginning own)
{
    hlmi_radix *r = pool->radix;
    hlm_status st = HLM_OK;
    *out = NULL;
    if (!r || own.at - own.pending >= text->end) return HLM_OK;
    hlmi_radix_lock(r);
    const hlmi_radix_place place = hlmi_radix_find(r, text);
    const hlmi_state *state = hlmi_radix_state(&place);
    const bool windows = hlmi_windows(pool); /* what is there of windows shows in the cache that is made */
    const int64_t ready = pool->plan->n_rec == 0 || windows ? place.at : state ? state->pos : text->begin;
    if (place.at > text->begin) hlmi_radix_touch(r, &place);
    /* equally much to compute: what the cache holds has its own log and marks */
    if (ready > own.at - own.pending) {
        st = hlmi_cache_make(out, pool, 0);
        if (st == HLM_OK) st = hlmi_radix_fill(&(*out)->seq, r, &place, 0, HLMI_POINT_AUTOMATIC);
    }
    hlmi_radix_unlock(r);
    const hlmi_seq *s = *out ? &(*out)->seq : NULL;
    if (st == HLM_OK && (!s || !windows || s->length - hlmi_seq_pending(s) > own.at - own.pending)) return HLM_OK;
    hlm_cache_free(*out);
    *out = NULL;
    return st;
}

/* Marks of a sequence up to `end`, for another that begins like it. */
static hlm_status copy_marks(hlm_pool *pool, hlmi_seq *to, const hlmi_seq *from, int64_t end)
{
    const hlmi_points *p = &from->points;
    HLMI_DO(hlmi_points_room(pool, &to->points, p->n));
    for (size_t i = 0; i < p->n && p->items[i].pos <= end; i++) {
        const uint32_t marks = p->items[i].flags & HLMI_POINT_MARKS;
        const int64_t pos =
            p->items[i].pos < to->prefix ? to->prefix : p->items[i].pos; /* of one that has no prefix yet */
        if (marks) hlmi_points_put(&to->points, pos, p->items[i].state, marks);
    }
    hlmi_points_thin(pool, &to->points);
    return HLM_OK;
}

static void count(hlm_pool *pool, size_t asked, int64_t reused, int64_t pending)
{
    hlmi_radix *r = pool->radix;
    if (!r) return;
    hlmi_radix_lock(r);
    r->info.lookups++;
    r->info.hits += reused > 0;
    r->info.tokens_asked += asked;
    r->info.tokens_reused += (uint64_t)reused;
    r->info.tokens_recomputed += (uint64_t)pending;
    hlmi_radix_unlock(r);
}

/* With what a text is run: an adapter's number, from its token `at` on. */
typedef struct beginner {
    uint32_t number;
    int64_t at;
} beginner;

/* The cache, which is locked, at the best beginning of the first `most` tokens. */
static hlm_status reuse(hlm_cache *cache, const int32_t *tokens, int64_t most, beginner by)
{
    const int64_t prefix = (int64_t)cache->pool->plan->n_prefix;
    const hlmi_radix_text text = {.ids = tokens,
                                  .offset = hlmi_symbol(cache->pool, 0, by.number),
                                  .from = by.at < most ? prefix + by.at : prefix + most,
                                  .begin = prefix,
                                  .end = prefix + most};
    beginning own = {.at = prefix};
    hlmi_seq *s = &cache->seq;
    if (s->length > prefix) {
        own.at = hlmi_radix_common(cache->pool, s, &text);
        const hlmi_way way = hlmi_seq_way(cache->pool, s, own.at, own.at);
        if (way.again) own.pending = own.at - way.from;
    }
    hlm_cache *other = NULL;
    hlm_status st = from_tree(&other, cache->pool, &text, own);
    if (st == HLM_OK && other) st = copy_marks(cache->pool, &other->seq, s, own.at);
    if (st == HLM_OK && other) hlmi_cache_swap(cache, other);
    else if (st == HLM_OK && s->length > own.at) hlmi_seq_cut(cache->pool, s, own.at, 0);
    hlm_cache_free(other);
    if (st == HLM_OK) s->branch = s->length;
    return st;
}

/* Of the whole text all but the last token, unless its logits can be had without running it. */
static hlm_status reuse_whole(hlm_cache *cache, const int32_t *tokens, size_t n, beginner by)
{
    const hlm_status st = reuse(cache, tokens, (int64_t)n, by);
    if (st != HLM_OK || hlm_cache_length(cache) < (int64_t)n || hlmi_cache_keeps_row(cache)) return st;
    hlmi_seq_cut(cache->pool, &cache->seq, cache->seq.length - 1, 0);
    cache->seq.branch = cache->seq.length;
    return st;
}

/* hlm_cache_reuse; `whole`: nothing need be left to run. */
static hlm_status reuse_text(hlm_cache *cache, const hlm_adapter *adapter, const int32_t *tokens, size_t n, bool whole,
                             size_t *reused, size_t *pending)
{
    beginner by = {0};
    if (!cache || (n && !tokens)) return hlmi_fail(HLM_E_ARG, "hlm_cache_reuse: cache and tokens are needed");
    if (n == 0) return hlmi_fail(HLM_E_EMPTY, "hlm_cache_reuse: no tokens");
    HLMI_DO(hlmi_list_check(n, "hlm_cache_reuse: tokens"));
    const size_t vocab = cache->pool->plan->vocab_size;
    for (size_t i = 0; i < n; i++)
        if (tokens[i] < 0 || (size_t)tokens[i] >= vocab)
            return hlmi_fail(HLM_E_TOKEN, "tokens[%zu] is %d, the vocabulary has %zu", i, (int)tokens[i], vocab);
    if (adapter && adapter->model != cache->pool->model)
        return hlmi_fail(HLM_E_MISMATCH, "the adapter was loaded for another model");
    hlm_status st = hlmi_pool_number(cache->pool, adapter, &by.number);
    if (hlmi_adapter_waits(adapter)) by.at = hlmi_invoked_at(adapter, tokens, n);
    if (st == HLM_OK) st = hlmi_cache_lock(cache);
    if (st != HLM_OK) return st;
    const size_t most = (size_t)cache->max_tokens;
    if (whole && n <= most) st = reuse_whole(cache, tokens, n, by);
    else st = reuse(cache, tokens, (int64_t)hlmi_min_size(n - 1, most), by);
    if (st == HLM_OK) {
        const int64_t length = hlm_cache_length(cache), again = hlmi_seq_pending(&cache->seq);
        count(cache->pool, n, length, again);
        if (reused) *reused = (size_t)length;
        if (pending) *pending = (size_t)again;
    }
    hlmi_cache_unlock(cache);
    return st;
}

HLMI_CALL(hlm_cache_reuse,
          (hlm_cache *cache, const hlm_reuse_params *params, size_t *reused, size_t *pending),
          (cache, params, reused, pending))
{
    hlm_reuse_params p;
    const hlm_status st = hlmi_params_read(&p, sizeof p, params, "hlm_reuse_params");
    return st == HLM_OK ? reuse_text(cache, p.adapter, p.tokens, p.n_tokens, false, reused, pending) : st;
}

hlm_status hlmi_cache_reuse_whole(hlm_cache *cache, const hlm_adapter *adapter, const int32_t *tokens, size_t n,
                                  size_t *reused, size_t *pending)
{
    return reuse_text(cache, adapter, tokens, n, true, reused, pending);
}

HLMI_CALL(hlm_prefix_clear, (hlm_pool *pool), (pool))
{
    if (!pool) return hlmi_fail(HLM_E_ARG, "hlm_prefix_clear: pool is NULL");
    if (pool->radix) hlmi_radix_clear(pool);
    return HLM_OK;
}

HLMI_CALL(hlm_prefix_info_get, (const hlm_pool *pool, hlm_prefix_info *out), (pool, out))
{
    if (!pool) return hlmi_fail(HLM_E_ARG, "hlm_prefix_info_get: pool is NULL");
    hlm_prefix_info info = {.struct_size = sizeof info};
    hlmi_radix *r = pool->radix;
    if (r) {
        hlmi_radix_lock(r);
        info = r->info;
        hlmi_radix_unlock(r);
    }
    return hlmi_result_write(out, &info, sizeof info, "hlm_prefix_info");
}
