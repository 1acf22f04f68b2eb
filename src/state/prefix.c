/* Sharing the sequence of the plan's prefix. */
#include "state/prefix.h"

#include "base/assert.h"
#include "base/size.h"

hlm_status hlmi_prefix_begin(hlm_cache **out, hlm_pool *pool)
{
    const hlm_status st = hlmi_cache_make(out, pool, 0);
    if (st == HLM_OK) (*out)->seq.prefix = (int64_t)pool->plan->n_prefix;
    return st;
}

void hlmi_prefix_publish(hlm_cache *c)
{
    hlm_pool *pool = c->pool;
    hlm_cache *none = NULL;
    /* its end is a beginning, and nobody can go back behind that */
    hlmi_points_clear(pool, &c->seq.points, -1, HLMI_POINT_REASONS & ~HLMI_POINT_NOW);
    hlmi_points_put(&c->seq.points, c->seq.length, NULL, HLMI_POINT_FIRST);
    if (atomic_compare_exchange_strong(&pool->prefix, &none, c)) {
        const uint64_t pages = hlmi_div_up((size_t)c->seq.length, pool->layout.tokens);
        hlmi_pool_own(pool, pages * hlmi_pool_pages_bytes(&pool->layout) + hlmi_state_bytes(&pool->states));
    } else {
        hlmi_cache_destroy(c); /* another context was first */
    }
    hlm_pool_release(pool); /* which the cache does not hold any more: it lives as long as the pool */
}

void hlmi_prefix_drop(hlm_pool *pool)
{
    hlm_cache *c = atomic_load(&pool->prefix);
    if (c) hlmi_cache_destroy(c);
}

/* The prefix's pages in place of reserved ones. A page that the prefix fills in part is copied: so nothing is left to
 * take later. */
static hlm_status replace_pages(hlm_pool *pool, hlmi_table *t, const hlmi_table *from, size_t length)
{
    const hlmi_page_layout *l = &pool->layout;
    const size_t whole = length / l->tokens, rest = length % l->tokens;
    for (size_t i = 0; i < whole; i++) HLMI_DO(hlmi_table_put(pool, t, i, hlmi_item_retain(hlmi_table_page(from, i))));
    if (rest == 0) return HLM_OK;
    hlmi_page *own = hlmi_table_page(t, whole);
    hlmi_page_copy(own, hlmi_table_page(from, whole), l, pool->plan, rest, hlmi_pool_place(pool, own));
    atomic_store(&own->filled, (unsigned)rest);
    return HLM_OK;
}

hlm_status hlmi_prefix_attach(hlm_cache *c)
{
    const hlm_cache *prefix = atomic_load(&c->pool->prefix);
    if (!prefix || !hlmi_prefix_missing(c)) return HLM_OK;
    const hlmi_seq *from = &prefix->seq;
    hlmi_seq *s = &c->seq;
    const size_t pages = hlmi_div_up((size_t)from->length, c->pool->layout.tokens), n = c->pool->layout.n_tracks;
    /* in all tracks, and all its own: it is empty, so nobody has forked them */
    const bool reserved = hlmi_table_pages(&s->tracks[HLMI_IDS]) >= pages;
    hlm_status st = HLM_OK;
    for (size_t i = 0; i < n && st == HLM_OK; i++) {
        hlmi_table *t = &s->tracks[i];
        hlmi_assert(reserved == (hlmi_table_pages(t) >= pages));
        if (reserved) st = replace_pages(c->pool, t, &from->tracks[i], (size_t)from->length);
        else hlmi_table_cut(c->pool, t, 0);
        if (!reserved) st = hlmi_table_share(c->pool, t, &from->tracks[i], pages);
    }
    for (size_t i = 0; i < n && st != HLM_OK && !reserved; i++) hlmi_table_cut(c->pool, &s->tracks[i], 0);
    if (st != HLM_OK) return st;
    s->length = s->prefix = from->length;
    hlmi_points_begin(c->pool, &s->points, s->length, hlmi_points_now(&from->points)->state);
    return HLM_OK;
}
