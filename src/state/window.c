/* Giving back rows behind attention windows, and computing them again. */
#include "state/window.h"

#include "base/size.h"

static size_t page_of(const hlm_pool *pool, int64_t pos)
{
    return pos > 0 ? (size_t)pos / pool->layout.tokens : 0;
}

/* ---- what is there ---- */

/* The latest position up to pos whose window is whole. */
static int64_t whole_before(const hlm_pool *pool, const hlmi_seq *s, int64_t pos, bool look_further)
{
    const int64_t per = (int64_t)pool->layout.tokens, window = (int64_t)pool->layout.window;
    if (!hlmi_windows(pool)) return pos;
    for (int64_t at = pos - 1; at >= 0 && at >= pos - window; at = at / per * per - 1) {
        if (hlmi_seq_page(pool, s, at)->part) continue;
        pos = at / per * per;
        if (!look_further) break;
    }
    return pos;
}

bool hlmi_window_whole(const hlm_pool *pool, const hlmi_seq *s, int64_t pos)
{
    return whole_before(pool, s, pos, false) == pos;
}

int64_t hlmi_window_before(const hlm_pool *pool, const hlmi_seq *s, int64_t pos)
{
    return whole_before(pool, s, pos, true);
}

/* ---- computing again ---- */

/* Pages from .. *end - 1 are computed again. */
static size_t again(const hlm_cache *c, size_t *end)
{
    const int64_t pending = hlmi_windows(c->pool) ? hlmi_seq_pending(&c->seq) : 0;
    *end = pending ? hlmi_div_up((size_t)c->seq.length, c->pool->layout.tokens) : 0;
    return page_of(c->pool, c->seq.length - pending);
}

/* A page with a part takes the place of one without: it has the same rows of other layers, and n ids. */
static hlm_status replace_page(hlm_cache *c, size_t i, size_t n)
{
    hlmi_page *was = hlmi_table_page(&c->claim.table, i), *page = hlmi_pool_take(c->pool);
    if (!page) return HLM_E_NOMEM;
    hlmi_page_copy(page, was, &c->pool->layout, c->pool->plan, n);
    atomic_store(&page->filled, (unsigned)n);
    page->again = true;
    return hlmi_table_put(c->pool, &c->claim.table, i, page);
}

hlm_status hlmi_window_claim(hlm_cache *c)
{
    const size_t per = c->pool->layout.tokens;
    size_t end;
    hlm_status st = HLM_OK;
    for (size_t i = again(c, &end); i < end && st == HLM_OK; i++)
        if (!hlmi_table_page(&c->claim.table, i)->part)
            st = replace_page(c, i, hlmi_min_size(per, (size_t)c->seq.length - i * per));
    return st;
}

void hlmi_window_done(hlm_cache *c)
{
    size_t end;
    for (size_t i = again(c, &end); i < end; i++) hlmi_table_page(&c->claim.table, i)->again = false;
}

void hlmi_window_keep(hlm_cache *c)
{
    size_t end;
    for (size_t i = again(c, &end); i < end; i++) {
        if (!hlmi_table_page(&c->claim.table, i)->again) continue;
        hlmi_page *was = hlmi_page_retain(hlmi_table_page(&c->seq.table, i));
        hlmi_table_put(c->pool, &c->claim.table, i, was); /* into a leaf that is its own already */
    }
}

/* ---- giving back ---- */

/* Does a mark need positions of [a, b)? */
static bool marked(const hlm_pool *pool, const hlmi_seq *s, int64_t a, int64_t b)
{
    const hlmi_points *p = &s->points;
    size_t i = hlmi_points_at(p, a + 1);
    while (i < p->n && !(p->items[i].flags & HLMI_POINT_MARKS)) i++;
    return i < p->n && p->items[i].pos < b + (int64_t)pool->layout.window;
}

/* Pages before it lie behind the window of every position that the end, or what is computed again, can need. */
static size_t behind(const hlm_pool *pool, const hlmi_seq *s)
{
    return page_of(pool, s->length - hlmi_seq_pending(s) - (int64_t)pool->layout.window - pool->slack);
}

void hlmi_window_give(hlm_pool *pool, hlmi_seq *s)
{
    const int64_t per = (int64_t)pool->layout.tokens;
    if (!hlmi_windows(pool)) return;
    const size_t end = behind(pool, s);
    for (size_t i = hlmi_div_up(pool->plan->n_prefix, pool->layout.tokens); i < end;
         i++) { /* those of the prefix are seen by all */
        hlmi_leaf *leaf = s->table.leaves[i / HLMI_LEAF_PAGES];
        hlmi_page *page = hlmi_table_page(&s->table, i);
        const bool alone = atomic_load(&leaf->refs) == 1 && atomic_load(&page->refs) == 1;
        if (alone && page->part && !marked(pool, s, (int64_t)i * per, (int64_t)i * per + per))
            hlmi_pool_drop_part(pool, page), hlmi_leaf_set(leaf, i % HLMI_LEAF_PAGES, page);
    }
}
