/* The public calls on caches. */
#include "state/guard.h"

#include "base/call.h"
#include "base/params.h"
#include "base/size.h"
#include "plan/model.h"
#include "state/window.h"

HLMI_CALL(hlm_cache_new, (hlm_cache **out, hlm_pool *pool, const hlm_cache_params *params), (out, pool, params))
{
    hlm_cache_params p;
    if (out) *out = NULL;
    if (!out || !pool) return hlmi_fail(HLM_E_ARG, "hlm_cache_new: out and pool are needed");
    HLMI_DO(hlmi_params_read(&p, sizeof p, params, "hlm_cache_params"));
    if (p.max_tokens < 0 || p.max_tokens > INT32_MAX)
        return hlmi_fail(HLM_E_ARG, "hlm_cache_params.max_tokens is %lld", (long long)p.max_tokens);
    return hlmi_cache_make(out, pool, p.max_tokens ? p.max_tokens : pool->plan->max_positions);
}

void hlm_cache_free(hlm_cache *cache)
{
    if (!cache || hlmi_cache_step_owns(cache)) return;
    hlm_pool *pool = cache->pool;
    hlmi_cache_destroy(cache);
    hlm_pool_release(pool);
}

static hlm_status check_position(const hlm_cache *cache, int64_t pos, const char *call)
{
    const int64_t length = hlm_cache_length(cache);
    if (pos >= 0 && pos <= length) return HLM_OK;
    return hlmi_fail(HLM_E_ARG, "%s: position %lld of a cache of %lld tokens", call, (long long)pos, (long long)length);
}

HLMI_CALL(hlm_cache_fork, (hlm_cache **out, hlm_cache *cache, int64_t at_pos), (out, cache, at_pos))
{
    if (out) *out = NULL;
    if (!out || !cache) return hlmi_fail(HLM_E_ARG, "hlm_cache_fork: out and cache are needed");
    HLMI_DO(hlmi_cache_lock_read(cache));
    const int64_t at_token = at_pos == HLM_NOW ? hlm_cache_length(cache) : at_pos;
    hlm_status st = check_position(cache, at_token, "hlm_cache_fork");
    if (st == HLM_OK) st = hlmi_cache_fork(out, cache, at_token + cache->seq.prefix);
    hlmi_cache_unlock(cache);
    return st;
}

HLMI_CALL(hlm_cache_rewind, (hlm_cache *cache, int64_t pos, int64_t *pending), (cache, pos, pending))
{
    if (!cache) return hlmi_fail(HLM_E_ARG, "hlm_cache_rewind: cache is NULL");
    HLMI_DO(hlmi_cache_lock(cache));
    const hlm_status st = check_position(cache, pos, "hlm_cache_rewind");
    if (st == HLM_OK) {
        hlmi_seq_cut(cache->pool, &cache->seq, pos + cache->seq.prefix, 0);
        if (pending) *pending = hlmi_seq_pending(&cache->seq);
    }
    hlmi_cache_unlock(cache);
    return st;
}

int64_t hlm_cache_length(const hlm_cache *cache)
{
    return cache ? cache->seq.length - cache->seq.prefix : 0;
}

/* The ids of n positions that the cache holds. */
static void copy_tokens(const hlm_cache *cache, int64_t from, size_t n, int32_t *out)
{
    const size_t per = cache->pool->layout.tokens;
    while (n) {
        const size_t at = (size_t)from % per, m = hlmi_min_size(n, per - at);
        const int32_t *symbols =
            hlmi_page_symbols(hlmi_table_page(&cache->seq.tracks[HLMI_IDS], (size_t)from / per)) + at;
        for (size_t i = 0; i < m; i++) out[i] = hlmi_symbol_token(cache->pool, symbols[i]);
        out += m;
        from += (int64_t)m;
        n -= m;
    }
}

int64_t hlm_cache_pending(const hlm_cache *cache)
{
    return cache ? hlmi_seq_pending(&cache->seq) : 0;
}

HLMI_CALL(hlm_cache_tokens, (const hlm_cache *cache, int64_t from, size_t n, int32_t *out), (cache, from, n, out))
{
    if (!cache || (n && !out)) return hlmi_fail(HLM_E_ARG, "hlm_cache_tokens: cache and out are needed");
    hlm_cache *c = (hlm_cache *)(uintptr_t)cache; /* the lock is not part of the value */
    HLMI_DO(hlmi_cache_lock_read(c));
    hlm_status st = HLM_OK;
    const int64_t length = hlm_cache_length(c);
    if (from < 0 || from > length || n > (uint64_t)(length - from))
        st = hlmi_fail(HLM_E_ARG, "hlm_cache_tokens: %zu tokens from %lld on, of %lld", n, (long long)from,
                       (long long)length);
    else copy_tokens(c, from + c->seq.prefix, n, out);
    hlmi_cache_unlock(c);
    return st;
}

HLMI_CALL(hlm_cache_reserve, (hlm_cache *cache, int64_t n_tokens), (cache, n_tokens))
{
    if (!cache || n_tokens < 0) return hlmi_fail(HLM_E_ARG, "hlm_cache_reserve: a cache and a count are needed");
    HLMI_DO(hlmi_cache_lock(cache));
    hlm_status st = HLM_OK;
    if (n_tokens > hlm_cache_length(cache)) {
        const int64_t missing =
            (int64_t)cache->pool->plan->n_prefix - cache->seq.prefix; /* the first step puts it in */
        st = hlmi_cache_claim(cache, (size_t)(n_tokens - hlm_cache_length(cache)) + (size_t)missing);
        if (st == HLM_OK) hlmi_cache_keep(cache);
    }
    hlmi_cache_unlock(cache);
    return st;
}

HLMI_CALL(hlm_cache_mark, (hlm_cache *cache), (cache))
{
    if (!cache) return hlmi_fail(HLM_E_ARG, "hlm_cache_mark: cache is NULL");
    HLMI_DO(hlmi_cache_lock(cache));
    hlm_status st = HLM_OK;
    if (!hlmi_seq_ready(&cache->seq))
        st = hlmi_fail(HLM_E_UNREACHABLE, "hlm_cache_mark: the state at position %lld is computed by the next step",
                       (long long)(cache->seq.length - cache->seq.prefix));
    if (st == HLM_OK) st = hlmi_points_room(cache->pool, &cache->seq.points, 1);
    if (st == HLM_OK) hlmi_points_put(&cache->seq.points, cache->seq.length, NULL, HLMI_POINT_MARK);
    hlmi_cache_unlock(cache);
    return st;
}

HLMI_CALL(hlm_cache_unmark, (hlm_cache *cache, int64_t pos), (cache, pos))
{
    if (!cache) return hlmi_fail(HLM_E_ARG, "hlm_cache_unmark: cache is NULL");
    HLMI_DO(hlmi_cache_lock(cache));
    const hlm_status st = check_position(cache, pos, "hlm_cache_unmark");
    if (st == HLM_OK) {
        hlmi_points_clear_at(cache->pool, &cache->seq.points, pos + cache->seq.prefix, HLMI_POINT_MARKS);
        hlmi_window_give(cache->pool, &cache->seq);
    }
    hlmi_cache_unlock(cache);
    return st;
}

HLMI_CALL(hlm_cache_marks, (hlm_cache *cache, int64_t *pos, size_t cap, size_t *n), (cache, pos, cap, n))
{
    if (!cache) return hlmi_fail(HLM_E_ARG, "hlm_cache_marks: cache is NULL");
    HLMI_DO(hlmi_cache_lock_read(cache));
    hlm_status st = HLM_OK;
    const hlmi_points *p = &cache->seq.points;
    size_t marks = 0;
    for (size_t i = 0; i < p->n; i++) marks += (p->items[i].flags & HLMI_POINT_MARKS) != 0;
    if (n) *n = marks;
    if (pos && cap < marks) st = hlmi_fail(HLM_E_SPACE, "hlm_cache_marks: room for %zu of %zu marks", cap, marks);
    for (size_t i = 0; i < p->n && pos && st == HLM_OK; i++)
        if (p->items[i].flags & HLMI_POINT_MARKS) *pos++ = p->items[i].pos - cache->seq.prefix;
    hlmi_cache_unlock(cache);
    return st;
}
