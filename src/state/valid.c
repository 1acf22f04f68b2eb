/* The invariants of src/state. */
#include "state/valid.h"

#include "base/size.h"
#include "state/guard.h"
#include "state/window.h"

/* ---- a sequence ---- */

static void point_valid(const hlm_pool *pool, const hlmi_seq *s, size_t i)
{
    const hlmi_point *p = &s->points.items[i];
    const bool anchor = (p->flags & HLMI_POINT_ANCHOR) != 0;
    hlmi_assert(i == 0 || p->pos > p[-1].pos);
    hlmi_assert(p->pos <= s->length && (i > 0 || p->pos <= s->prefix));
    hlmi_assert(p->flags & HLMI_POINT_REASONS && !(p->flags & (HLMI_POINT_HIDDEN | HLMI_POINT_NEW)));
    hlmi_assert((i == 0) == ((p->flags & HLMI_POINT_FIRST) != 0)); /* so there is a way to any position */
    hlmi_assert(!(p->flags & HLMI_POINT_AGAIN) || p->flags & HLMI_POINT_NOW);
    hlmi_assert((p->state != NULL) == (pool->origin != NULL));
    hlmi_assert(!p->state || atomic_load(&p->state->item.refs) > 0);
    hlmi_assert(!p->state || p->state->pos == p->pos || (p->state == pool->origin && i == 0));
    hlmi_assert((p->log != NULL) == anchor);
    if (!anchor) return;
    const int64_t behind = s->length - p->pos, rows = behind < pool->undo_tokens ? behind : pool->undo_tokens;
    hlmi_assert(pool->undo_tokens > 0 && p->pos % pool->undo_tokens == 0);
    hlmi_assert(atomic_load(&p->log->item.refs) > 0 && p->log->n >= rows && p->log->n <= pool->undo_tokens);
}

static void points_valid(const hlm_pool *pool, const hlmi_seq *s)
{
    size_t nows = 0, anchors = 0, automatic = 0, reasons = 0;
    hlmi_assert(s->points.n > 0);
    for (size_t i = 0; i < s->points.n; i++) {
        const uint32_t flags = s->points.items[i].flags;
        point_valid(pool, s, i);
        nows += (flags & HLMI_POINT_NOW) != 0;
        anchors += (flags & HLMI_POINT_ANCHOR) != 0;
        automatic += (flags & HLMI_POINT_MARKS) == HLMI_POINT_AUTOMATIC;
        reasons += (flags & (uint32_t)(HLMI_POINT_REASONS & ~HLMI_POINT_NOW)) != 0;
    }
    hlmi_assert(nows == 1);
    hlmi_assert(anchors <= HLMI_UNDO_STRETCHES);
    hlmi_assert(automatic <= pool->auto_marks);
    hlmi_assert(s->points.cap > reasons); /* it can go back without asking for memory (hlmi_points_go) */
}

/* Where it stands, it can go on from. */
static void now_valid(const hlm_pool *pool, const hlmi_seq *s)
{
    const hlmi_point *now = hlmi_points_now(&s->points);
    const bool again = (now->flags & HLMI_POINT_AGAIN) != 0;
    hlmi_assert(!again || now->pos < s->length);
    hlmi_assert(again || hlmi_undo_covers(pool, &s->points, now->pos, s->length));
    hlmi_assert(hlmi_window_whole(pool, s, again ? now->pos : s->length) || now->flags & HLMI_POINT_FIRST);
}

static void track_valid(const hlm_pool *pool, const hlmi_table *t, size_t track, int64_t length)
{
    const bool window = pool->layout.tracks[track].window > 0;
    const size_t per = pool->layout.tokens, pages = hlmi_div_up((size_t)length, per);
    hlmi_assert(t->n <= t->cap && hlmi_table_pages(t) >= pages);
    for (size_t i = 0; i < t->n; i++) {
        const hlmi_leaf *leaf = t->leaves[i];
        hlmi_assert(leaf || window);
        hlmi_assert(!leaf || atomic_load(&leaf->refs) > 0);
        hlmi_assert(!leaf || i + 1 == t->n || leaf->n == HLMI_LEAF_PAGES);
    }
    for (size_t i = 0; i < pages; i++) {
        const hlmi_page *page = hlmi_table_page(t, i);
        hlmi_assert(page || window); /* now_valid has looked for those that a window needs */
        if (!page) continue;
        hlmi_assert(page->track == track &&
                    t->leaves[i / HLMI_LEAF_PAGES]->rows.at[i % HLMI_LEAF_PAGES] == hlmi_page_rows(page));
        hlmi_assert(atomic_load(&page->item.refs) > 0);
        hlmi_assert(atomic_load(&page->filled) >= hlmi_min_size(per, (size_t)length - i * per));
    }
}

static void seq_valid(const hlm_pool *pool, const hlmi_seq *s)
{
    hlmi_assert(s->length >= 0 && (s->prefix == 0 || s->prefix == (int64_t)pool->plan->n_prefix));
    hlmi_assert(s->branch >= HLMI_NO_BRANCH && s->branch <= s->length);
    hlmi_assert(s->invoked.upto <= s->length);
    points_valid(pool, s);
    for (size_t t = 0; t < pool->layout.n_tracks; t++) track_valid(pool, &s->tracks[t], t, hlmi_seq_end(pool, s, t));
    now_valid(pool, s);
}

/* ---- a cache ---- */

static void claim_valid(const hlm_cache *c)
{
    const hlmi_points *p = &c->claim.points;
    hlmi_assert(c->claim.end >= c->seq.length && p->n > 0);
    hlmi_assert(p->items[p->n - 1].pos == c->claim.end && p->items[p->n - 1].flags & HLMI_POINT_NOW);
    for (size_t i = 0; i < p->n; i++) {
        hlmi_assert(i == 0 || p->items[i].pos > p->items[i - 1].pos);
        hlmi_assert((p->items[i].state != NULL) == (c->pool->origin != NULL));
    }
    hlmi_assert(c->seq.points.cap >= c->seq.points.n + p->n); /* to commit can not fail */
    for (size_t t = 0; t < c->pool->layout.n_tracks; t++) track_valid(c->pool, &c->claim.tracks[t], t, c->claim.end);
}

void hlmi_cache_valid(const hlm_cache *c)
{
    if (!HLMI_CHECKED) return;
    const bool claimed = c->claim.points.n > 0;
    hlmi_assert(!claimed || atomic_load(&c->users) & HLMI_CACHE_STEP);
    for (size_t t = 0; t < HLMI_TRACKS; t++) hlmi_assert(claimed || c->claim.tracks[t].n == 0);
    hlmi_assert(atomic_load(&c->pool->refs) > 0);
    seq_valid(c->pool, &c->seq);
    if (claimed) claim_valid(c);
}

/* ---- the prefix cache ---- */

static bool is_roots(const hlmi_radix *r, const hlmi_page *page)
{
    for (size_t i = 0; i < r->root.n_pages * r->pool->layout.n_tracks; i++)
        if (r->root.pages[i] == page) return true;
    return false;
}

static void node_valid(const hlmi_radix *r, const hlmi_radix_node *node)
{
    const hlmi_radix_node *parent = node->parent;
    const size_t per = r->pool->layout.tokens;
    hlmi_assert(node->from < node->end && node->from == parent->end);
    hlmi_assert(node->n_pages == hlmi_div_up((size_t)node->end, per) - (size_t)node->from / per);
    hlmi_assert(node->first == hlmi_page_symbols(node->pages[HLMI_IDS])[(size_t)node->from % per]);
    for (size_t i = 0; i < node->n_pages * r->pool->layout.n_tracks; i++) {
        const hlmi_page *page = node->pages[i];
        hlmi_assert(page || r->pool->layout.tracks[i % r->pool->layout.n_tracks].window);
        hlmi_assert(!page || (page->item.held > 0 && page->item.held <= atomic_load(&page->item.refs)));
    }
    for (size_t i = 0; i < node->n_states; i++) {
        const hlmi_state *s = node->states[i];
        hlmi_assert(s->item.held > 0 && s->item.held <= atomic_load(&s->item.refs));
        hlmi_assert(s->pos > (i ? node->states[i - 1]->pos : node->from) && s->pos <= node->end);
    }
    for (size_t i = 0; i < node->n; i++) {
        hlmi_assert(node->children[i]->parent == node);
        hlmi_assert(i == 0 || node->children[i]->first > node->children[i - 1]->first);
    }
    /* a leaf ends at a state: what lies behind would be computed again anyway */
    hlmi_assert(node->n || !r->pool->origin || (node->n_states && node->states[node->n_states - 1]->pos == node->end));
}

void hlmi_radix_valid(const hlmi_radix *r)
{
    uint64_t nodes = 0, tokens = 0, states = 0;
    double bytes = 0; /* each page and state once, however many nodes hold it */
    for (hlmi_radix_node *node = NULL; HLMI_CHECKED && (node = hlmi_radix_next(r, node));) {
        node_valid(r, node);
        nodes++;
        tokens += (uint64_t)(node->end - node->from);
        states += node->n_states;
        for (size_t i = 0; i < node->n_pages * r->pool->layout.n_tracks; i++) {
            const hlmi_page *page = node->pages[i];
            if (page && !is_roots(r, page))
                bytes += (double)hlmi_page_bytes(&r->pool->layout, page->track) / page->item.held;
        }
        for (size_t i = 0; i < node->n_states; i++)
            bytes += (double)hlmi_state_bytes(&r->pool->states) / node->states[i]->item.held;
    }
    if (!HLMI_CHECKED) return;
    hlmi_assert(nodes == r->info.nodes && tokens == r->info.tokens && states == r->info.states);
    hlmi_assert(bytes > (double)r->info.bytes - 1 && bytes < (double)r->info.bytes + 1);
}

/* ---- a pool ---- */

static uint64_t shelved(const hlmi_shelf *shelf)
{
    uint64_t sum = 0;
    for (const hlmi_item *item = shelf->first; item; item = item->next) sum += hlmi_shelf_bytes(shelf);
    return sum;
}

void hlmi_pool_valid(hlm_pool *pool)
{
    if (!HLMI_CHECKED) return;
    hlmi_lock_take(&pool->lock);
    uint64_t idle = 0;
    for (size_t i = 0; i < HLMI_SHELVES; i++) idle += shelved(&pool->shelves[i]);
    hlmi_assert(pool->held >= pool->used + idle); /* what is being taken is held already */
    hlmi_assert(pool->used >= pool->own);
    hlmi_assert(pool->max_bytes == 0 || pool->held <= pool->max_bytes);
    hlmi_assert(pool->adapters || pool->n_adapters == 0);
    hlmi_lock_drop(&pool->lock);
}
