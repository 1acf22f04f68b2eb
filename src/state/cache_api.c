/* The public calls on caches. */
#include "state/guard.h"

#include "base/call.h"
#include "base/params.h"
#include "base/size.h"
#include "plan/model.h"

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

HLMI_CALL(hlm_cache_fork, (hlm_cache **out, hlm_cache *cache, int64_t at_pos), (out, cache, at_pos))
{
    if (out) *out = NULL;
    if (!out || !cache) return hlmi_fail(HLM_E_ARG, "hlm_cache_fork: out and cache are needed");
    hlm_status st = hlmi_cache_lock_read(cache);
    if (st != HLM_OK) return st;
    const int64_t length = hlm_cache_length(cache), at_token = at_pos == HLM_NOW ? length : at_pos;
    if (at_token < 0 || at_token > length)
        st = hlmi_fail(HLM_E_ARG, "hlm_cache_fork: position %lld of a cache of %lld tokens", (long long)at_token,
                       (long long)length);
    else st = hlmi_cache_fork(out, cache, at_token + cache->seq.prefix);
    hlmi_cache_unlock(cache);
    return st;
}

HLMI_CALL(hlm_cache_rewind, (hlm_cache *cache, int64_t pos, int64_t *pending), (cache, pos, pending))
{
    if (!cache) return hlmi_fail(HLM_E_ARG, "hlm_cache_rewind: cache is NULL");
    hlm_status st = hlmi_cache_lock(cache);
    if (st != HLM_OK) return st;
    const int64_t length = hlm_cache_length(cache);
    if (pos < 0 || pos > length) {
        st = hlmi_fail(HLM_E_ARG, "hlm_cache_rewind: position %lld of a cache of %lld tokens", (long long)pos,
                       (long long)length);
    } else {
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
    hlm_status st = hlmi_cache_lock_read(c);
    if (st != HLM_OK) return st;
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
    hlm_status st = hlmi_cache_lock(cache);
    if (st != HLM_OK) return st;
    if (n_tokens > hlm_cache_length(cache)) {
        const int64_t missing =
            (int64_t)cache->pool->plan->n_prefix - cache->seq.prefix; /* the first step puts it in */
        st = hlmi_cache_claim(cache, (size_t)(n_tokens - hlm_cache_length(cache)) + (size_t)missing);
        if (st == HLM_OK) hlmi_cache_keep(cache);
    }
    hlmi_cache_unlock(cache);
    return st;
}
