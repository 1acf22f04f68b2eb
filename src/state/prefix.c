/* Sharing the sequence of the plan's prefix. */
#include "state/prefix.h"

#include "base/size.h"

hlm_status hlmi_prefix_begin(hlm_cache **out, hlm_pool *pool)
{
    const hlm_status st = hlmi_cache_make(out, pool, 0);
    if (st == HLM_OK) (*out)->prefix = (int64_t)pool->plan->n_prefix;
    return st;
}

/* What a rewind into the prefix would need: nobody can. */
static void forget_way(hlm_cache *c)
{
    for (size_t i = 0; i < HLMI_UNDO_STRETCHES; i++) {
        hlmi_pool_drop_undo(c->pool, c->log[i]);
        c->log[i] = NULL;
    }
    while (c->marks.n) hlmi_marks_remove(c, c->marks.items[0].pos);
}

void hlmi_prefix_publish(hlm_cache *c)
{
    hlm_pool *pool = c->pool;
    hlm_cache *none = NULL;
    forget_way(c);
    if (atomic_compare_exchange_strong(&pool->prefix, &none, c)) {
        const uint64_t pages = hlmi_div_up((size_t)c->length, pool->layout.tokens);
        const uint64_t page = hlmi_page_bytes(&pool->layout) + pool->layout.part_bytes;
        hlmi_pool_own(pool, pages * page + (c->state ? hlmi_state_bytes(&pool->states) : 0));
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

/* The prefix's pages in place of reserved ones. A page that the prefix fills in part is copied: so nothing is left to take
 * later. */
static void replace_pages(hlm_cache *c, const hlm_cache *from)
{
    const hlmi_page_layout *l = &c->pool->layout;
    const size_t whole = (size_t)from->length / l->tokens, rest = (size_t)from->length % l->tokens;
    for (size_t i = 0; i < whole; i++) {
        hlmi_page *page = hlmi_cache_page_at(from, i);
        hlmi_pool_drop(c->pool, hlmi_cache_page_at(c, i));
        hlmi_cache_set_page(c, i, page);
        atomic_fetch_add(&page->refs, 1);
    }
    if (rest == 0) return;
    hlmi_page *own = hlmi_cache_page_at(c, whole);
    hlmi_page_copy(own, hlmi_cache_page_at(from, whole), l, c->pool->plan, rest);
    atomic_store(&own->filled, (unsigned)rest);
}

hlm_status hlmi_prefix_attach(hlm_cache *c)
{
    const hlm_cache *from = atomic_load(&c->pool->prefix);
    if (!from || !hlmi_prefix_missing(c)) return HLM_OK;
    /* pages that are reserved are all its own: it is empty, so nobody has forked them */
    if (hlmi_cache_pages(c) >= hlmi_div_up((size_t)from->length, c->pool->layout.tokens)) {
        replace_pages(c, from);
    } else {
        hlmi_cache_truncate(c, 0);
        const hlm_status st = hlmi_cache_share(c, from, from->length);
        if (st != HLM_OK) return st;
    }
    c->length = c->prefix = from->length;
    hlmi_pool_drop_state(c->pool, c->state);
    c->state = hlmi_state_retain(from->state);
    for (size_t i = 0; i < c->marks.n; i++) { /* of the empty sequence: its beginning is here now */
        c->marks.items[i].pos = from->length;
        hlmi_pool_drop_state(c->pool, c->marks.items[i].state);
        c->marks.items[i].state = hlmi_state_retain(from->state);
    }
    return HLM_OK;
}
