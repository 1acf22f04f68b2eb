/* The public calls on caches. */
#include "state/cache.h"

#include <string.h>

#include "api/model.h"
#include "base/params.h"
#include "base/size.h"

static hlm_status cache_make(hlm_cache **out, hlm_pool *pool, int64_t max_tokens)
{
    hlm_cache *c = hlmi_calloc(&pool->mem, 1, sizeof *c);
    if (!c) return hlmi_nomem(sizeof *c, "a cache");
    hlm_pool_retain(pool);
    c->pool = pool;
    c->max_tokens = max_tokens;
    c->state = hlmi_state_retain(pool->origin);
    atomic_init(&c->busy, 0);
    *out = c;
    return HLM_OK;
}

hlm_status hlm_cache_new(hlm_cache **out, hlm_pool *pool, const hlm_cache_params *params)
{
    hlm_cache_params p;
    if (!out || !pool) return hlmi_fail(HLM_E_ARG, "hlm_cache_new: out and pool are needed");
    *out = NULL;
    const hlm_status st = hlmi_params_read(&p, sizeof p, params, "hlm_cache_params");
    if (st != HLM_OK) return st;
    if (p.max_tokens < 0 || p.max_tokens > INT32_MAX)
        return hlmi_fail(HLM_E_ARG, "hlm_cache_params.max_tokens is %lld", (long long)p.max_tokens);
    return cache_make(out, pool, p.max_tokens ? p.max_tokens : pool->plan->max_positions);
}

void hlm_cache_free(hlm_cache *cache)
{
    if (!cache) return;
    hlmi_cache_truncate(cache, 0);
    hlm_pool *pool = cache->pool;
    hlmi_pool_drop_state(pool, cache->state);
    hlmi_free(&pool->mem, cache->leaves);
    hlmi_free(&pool->mem, cache);
    hlm_pool_release(pool);
}

hlm_status hlm_cache_fork(hlm_cache **out, hlm_cache *cache, int64_t at_pos)
{
    if (!out || !cache) return hlmi_fail(HLM_E_ARG, "hlm_cache_fork: out and cache are needed");
    *out = NULL;
    hlm_status st = hlmi_cache_lock(cache);
    if (st != HLM_OK) return st;
    hlm_cache *f = NULL;
    const int64_t at = at_pos == HLM_NOW ? cache->length : at_pos;
    if (at < 0 || at > cache->length)
        HLMI_TRY(hlmi_fail(HLM_E_ARG, "hlm_cache_fork: position %lld of a cache of %lld tokens", (long long)at,
                           (long long)cache->length));
    HLMI_TRY(cache_make(&f, cache->pool, cache->max_tokens));
    const size_t pages = hlmi_div_up((size_t)at, cache->pool->layout.tokens);
    const size_t leaves = hlmi_div_up(pages, HLMI_LEAF_PAGES);
    if (leaves) {
        f->leaves = hlmi_calloc(&f->pool->mem, leaves, sizeof *f->leaves);
        if (!f->leaves) HLMI_TRY(hlmi_nomem(leaves * sizeof *f->leaves, "a page table"));
        f->cap_leaves = f->n_leaves = leaves;
        memcpy(f->leaves, cache->leaves, leaves * sizeof *f->leaves);
        for (size_t i = 0; i < leaves; i++) atomic_fetch_add(&f->leaves[i]->refs, 1);
    }
    f->length = at;
    if (cache->state && cache->state->pos <= at) {
        hlmi_pool_drop_state(f->pool, f->state);
        f->state = hlmi_state_retain(cache->state);
    }
    *out = f;
    f = NULL;
done:
    hlm_cache_free(f);
    hlmi_cache_unlock(cache);
    return st;
}

hlm_status hlm_cache_rewind(hlm_cache *cache, int64_t pos, int64_t *pending)
{
    if (!cache) return hlmi_fail(HLM_E_ARG, "hlm_cache_rewind: cache is NULL");
    hlm_status st = hlmi_cache_lock(cache);
    if (st != HLM_OK) return st;
    if (pos < 0 || pos > cache->length) {
        st = hlmi_fail(HLM_E_ARG, "hlm_cache_rewind: position %lld of a cache of %lld tokens", (long long)pos,
                       (long long)cache->length);
    } else {
        hlmi_cache_truncate(cache, pos);
        if (pending) *pending = hlmi_cache_pending(cache);
    }
    hlmi_cache_unlock(cache);
    return st;
}

int64_t hlm_cache_length(const hlm_cache *cache)
{
    return cache ? cache->length : 0;
}

hlm_status hlm_cache_tokens(const hlm_cache *cache, int64_t from, size_t n, int32_t *out)
{
    if (!cache || (n && !out)) return hlmi_fail(HLM_E_ARG, "hlm_cache_tokens: cache and out are needed");
    if (from < 0 || from > cache->length || n > (uint64_t)(cache->length - from))
        return hlmi_fail(HLM_E_ARG, "hlm_cache_tokens: %zu tokens from %lld on, of %lld", n, (long long)from,
                         (long long)cache->length);
    const size_t per = cache->pool->layout.tokens;
    while (n) {
        const size_t at = (size_t)from % per, m = hlmi_min_size(n, per - at);
        memcpy(out, hlmi_cache_page(cache, from)->tokens + at, m * sizeof *out);
        out += m;
        from += (int64_t)m;
        n -= m;
    }
    return HLM_OK;
}

hlm_status hlm_cache_reserve(hlm_cache *cache, int64_t n_tokens)
{
    if (!cache || n_tokens < 0) return hlmi_fail(HLM_E_ARG, "hlm_cache_reserve: a cache and a count are needed");
    hlm_status st = hlmi_cache_lock(cache);
    if (st != HLM_OK) return st;
    if (n_tokens > cache->length) {
        st = hlmi_cache_claim(cache, (size_t)(n_tokens - cache->length));
        if (st == HLM_OK) hlmi_cache_keep(cache);
    }
    hlmi_cache_unlock(cache);
    return st;
}
