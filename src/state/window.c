/* Giving back rows behind attention windows, and computing them again. */
#include "state/window.h"

#include "base/size.h"

/* Old pages that every step looks at again: what others shared with the sequence goes when they have gone. */
enum { SWEEP = 2 };

/* ---- what is there ---- */

static size_t page_of(const hlm_cache *c, int64_t pos)
{
    return pos > 0 ? (size_t)pos / c->pool->layout.tokens : 0;
}

/* The latest position up to pos whose window is whole. */
static int64_t whole_before(const hlm_cache *c, int64_t pos, bool look_further)
{
    const int64_t per = (int64_t)c->pool->layout.tokens, window = (int64_t)c->pool->layout.window;
    for (int64_t at = pos - 1; at >= 0 && at >= pos - window; at = at / per * per - 1) {
        if (hlmi_cache_page(c, at)->part) continue;
        pos = at / per * per;
        if (!look_further) break;
    }
    return pos;
}

bool hlmi_window_whole(const hlm_cache *c, int64_t pos)
{
    return whole_before(c, pos, false) == pos;
}

/* Is every position from a to b - 1 in the undo log? */
static bool logged(const hlm_cache *c, int64_t a, int64_t b)
{
    while (a < b && hlmi_undo_find(c, a)) a++;
    return a == b;
}

static void consider(const hlm_cache *c, hlmi_state *s, int64_t latest, hlmi_state **best)
{
    if (s && s->pos <= latest && s->pos > (*best)->pos && hlmi_window_whole(c, s->pos)) *best = s;
}

int64_t hlmi_window_way(const hlm_cache *c, int64_t pos, int64_t latest, hlmi_state **state)
{
    *state = NULL;
    if (!c->state) return pos - whole_before(c, pos, true);
    *state = hlmi_cache_nearest(c, latest);
    if (logged(c, (*state)->pos, pos) && hlmi_window_whole(c, pos)) return 0;
    *state = hlmi_cache_first_state(c);
    consider(c, c->state, latest, state);
    for (size_t i = c->marks.n; i-- > 0;) consider(c, c->marks.items[i].state, latest, state);
    hlmi_state *anchor;
    for (int64_t at = latest; (anchor = hlmi_undo_anchor(c, at)) != NULL; at = anchor->pos - 1)
        consider(c, anchor, latest, state);
    return pos - (*state)->pos;
}

/* ---- computing again ---- */

/* The pages from the n-th on, which were reserved, go from a leaf that nobody shares to another. */
static void move_reserved(hlmi_leaf *to, hlmi_leaf *from, uint32_t n)
{
    if (atomic_load(&from->refs) != 1) return;
    for (to->n = n; to->n < from->n; to->n++) hlmi_leaf_set(to, to->n, from->page[to->n]);
    if (from->n > n) from->n = n;
}

/* The leaf becomes a copy of its pages before number `pages`; the other waits. */
static hlm_status replace_leaf(hlm_cache *c, size_t i, size_t pages)
{
    hlmi_leaf *old = c->leaves[i];
    const uint32_t n = (uint32_t)hlmi_min_size(old->n, pages - i * HLMI_LEAF_PAGES);
    hlmi_leaf *leaf = hlmi_leaf_copy(c->pool, old, n);
    if (!leaf) return HLM_E_NOMEM;
    move_reserved(leaf, old, n);
    c->again.was[c->again.n++] = old;
    c->leaves[i] = leaf;
    return HLM_OK;
}

/* A page with a part takes the place of number i, which has none: it has the same rows of other layers, and n ids. */
static hlm_status replace_page(hlm_cache *c, size_t i, size_t n)
{
    hlmi_page *page, *was = hlmi_cache_page_at(c, i);
    do page = hlmi_pool_take(c->pool);
    while (!page && hlmi_marks_give_up(c));
    if (!page) return HLM_E_NOMEM;
    hlmi_page_copy(page, was, &c->pool->layout, c->pool->plan, n);
    atomic_store(&page->filled, (unsigned)n);
    page->again = true;
    hlmi_pool_drop(c->pool, was);
    hlmi_cache_set_page(c, i, page);
    return HLM_OK;
}

hlm_status hlmi_window_claim(hlm_cache *c)
{
    if (c->stale == 0) return HLM_OK;
    const size_t per = c->pool->layout.tokens, end = hlmi_div_up((size_t)c->length, per);
    const size_t first = page_of(c, c->length - c->stale), leaf = first / HLMI_LEAF_PAGES;
    const size_t leaves = (end - 1) / HLMI_LEAF_PAGES - leaf + 1;
    hlmi_leaf **was = hlmi_calloc(&c->pool->mem, leaves, sizeof(hlmi_leaf *));
    if (!was) return hlmi_nomem(leaves * sizeof *was, "a page table");
    c->again = (hlmi_again){.was = was, .leaf = leaf, .first = first, .end = end};
    hlm_status st = HLM_OK;
    for (size_t i = 0; i < leaves && st == HLM_OK; i++) st = replace_leaf(c, leaf + i, end);
    for (size_t i = first; i < end && st == HLM_OK; i++)
        if (!hlmi_cache_page_at(c, i)->part) st = replace_page(c, i, hlmi_min_size(per, (size_t)c->length - i * per));
    return st;
}

static void forget_again(hlm_cache *c)
{
    hlmi_free(&c->pool->mem, c->again.was);
    c->again = (hlmi_again){0};
}

void hlmi_window_done(hlm_cache *c)
{
    for (size_t i = c->again.first; i < c->again.end; i++) hlmi_cache_page_at(c, i)->again = false;
    for (size_t i = 0; i < c->again.n; i++) hlmi_leaf_drop(c->pool, c->again.was[i]);
    forget_again(c);
    c->stale = 0;
}

void hlmi_window_abort(hlm_cache *c)
{
    for (size_t i = 0; i < c->again.n; i++) {
        hlmi_leaf **at = &c->leaves[c->again.leaf + i], *was = c->again.was[i];
        if (atomic_load(&was->refs) == 1) move_reserved(was, *at, was->n);
        hlmi_leaf_drop(c->pool, *at);
        *at = was;
    }
    forget_again(c);
}

void hlmi_window_keep(hlm_cache *c)
{
    for (size_t i = c->again.first; i < c->again.end; i++) {
        hlmi_page *page = hlmi_cache_page_at(c, i);
        hlmi_page *was = c->again.was[i / HLMI_LEAF_PAGES - c->again.leaf]->page[i % HLMI_LEAF_PAGES];
        if (!page->again) continue;
        hlmi_pool_drop(c->pool, page);
        hlmi_cache_set_page(c, i, was);
        atomic_fetch_add(&was->refs, 1);
    }
    for (size_t i = 0; i < c->again.n; i++) hlmi_leaf_drop(c->pool, c->again.was[i]);
    forget_again(c);
}

/* ---- automatic marks of Transformers ---- */

hlm_status hlmi_window_room(hlm_cache *c, int64_t end)
{
    if (c->state || c->pool->auto_marks == 0) return HLM_OK;
    const int64_t stride = c->pool->mark_stride, passed = stride ? (end - 1) / stride - c->length / stride : 0;
    return hlmi_marks_room(c, hlmi_min_size((size_t)(passed > 0 ? passed : 0), c->pool->auto_marks) + 2);
}

void hlmi_window_mark(hlm_cache *c, int64_t from, bool branch, bool prompt)
{
    const int64_t stride = c->pool->mark_stride, most = (int64_t)c->pool->auto_marks;
    if (c->state || most == 0) return;
    if (branch) hlmi_marks_add(c, from, NULL, true);
    if (!prompt) return;
    const int64_t last = stride ? (c->length - 1) / stride : 0, first = stride ? from / stride : 0;
    for (int64_t i = last - first > most ? last - most : first; i < last; i++)
        hlmi_marks_add(c, (i + 1) * stride, NULL, true);
    hlmi_marks_add(c, c->length, NULL, true);
}

/* ---- giving back ---- */

/* Does a mark need positions of [a, b)? */
static bool marked(const hlm_cache *c, int64_t a, int64_t b)
{
    const hlmi_marks *m = &c->marks;
    size_t i = 0, n = m->n;
    while (i < n) { /* the first behind a */
        const size_t k = (i + n) / 2;
        if (m->items[k].pos <= a) i = k + 1;
        else n = k;
    }
    return i < m->n && m->items[i].pos < b + (int64_t)c->pool->layout.window;
}

static void give_page(hlm_cache *c, size_t i)
{
    const int64_t per = (int64_t)c->pool->layout.tokens, a = (int64_t)i * per;
    if (atomic_load(&c->leaves[i / HLMI_LEAF_PAGES]->refs) != 1) return;
    const hlmi_page *page = hlmi_cache_page_at(c, i);
    if (page->part && atomic_load(&page->refs) == 1 && !marked(c, a, a + per)) hlmi_cache_drop_part(c, i);
}

/* Pages before it lie behind the window of every position that the end, or what is computed again, can need; those of the
 * plan's prefix are seen by all. */
static size_t behind(const hlm_cache *c)
{
    return page_of(c, c->length - c->stale - (int64_t)c->pool->layout.window - c->pool->slack);
}

static size_t pinned(const hlm_cache *c)
{
    return hlmi_div_up(c->pool->plan->n_prefix, c->pool->layout.tokens);
}

void hlmi_window_give(hlm_cache *c)
{
    const size_t first = pinned(c), end = behind(c);
    for (size_t i = hlmi_max_size(c->given, first); i < end; i++) give_page(c, i);
    c->given = end;
    for (size_t i = 0; i < SWEEP && first < end; i++) {
        if (c->sweep < first || c->sweep >= end) c->sweep = first;
        give_page(c, c->sweep++);
    }
}

void hlmi_window_unmark(hlm_cache *c, int64_t pos)
{
    const int64_t from = pos - (int64_t)c->pool->layout.window;
    const size_t end = hlmi_min_size(page_of(c, pos - 1) + 1, behind(c));
    for (size_t i = hlmi_max_size(page_of(c, from), pinned(c)); i < end; i++) give_page(c, i);
}

void hlmi_window_cut(hlm_cache *c)
{
    c->given = hlmi_min_size(c->given, behind(c));
}
