/* The tree of the prefix cache: finding, adding, taking away. */
#include "state/radix.h"

#include <string.h>

#include "base/size.h"
#include "state/window.h"

/* ---- what nodes hold: each page and state is counted once, however many nodes hold it ---- */

static void *hold(hlmi_radix *r, void *p)
{
    hlmi_item *item = p;
    if (item && item->held++ == 0) r->info.bytes += hlmi_shelf_bytes(&r->pool->shelves[item->kind]);
    return hlmi_item_retain(item);
}

static void drop(hlmi_radix *r, void *p)
{
    hlmi_item *item = p;
    if (item && --item->held == 0) r->info.bytes -= hlmi_shelf_bytes(&r->pool->shelves[item->kind]);
    hlmi_pool_drop(r->pool, item);
}

/* Page i of a node in a track; those of all tracks lie side by side. */
static hlmi_page **page_at(const hlmi_radix *r, const hlmi_radix_node *node, size_t i, size_t track)
{
    return &node->pages[i * r->pool->layout.n_tracks + track];
}

/* Only the first n pages of a node are left. */
static void cut_pages(hlmi_radix *r, hlmi_radix_node *node, size_t n)
{
    for (; node->n_pages > n; node->n_pages--)
        for (size_t t = 0; t < r->pool->layout.n_tracks; t++) drop(r, *page_at(r, node, node->n_pages - 1, t));
}

void hlmi_radix_drop_state(hlmi_radix *r, hlmi_radix_node *node, size_t i)
{
    hlmi_state *s = node->states[i];
    memmove(&node->states[i], &node->states[i + 1], (node->n_states - i - 1) * sizeof *node->states);
    node->n_states--;
    r->info.states--;
    drop(r, s);
}

/* ---- nodes ---- */

/* Index of the page that holds a position. */
static size_t page_of(const hlmi_radix *r, int64_t pos)
{
    return (size_t)pos / r->pool->layout.tokens;
}

/* Pages of positions from .. end - 1. */
static size_t count_pages(const hlmi_radix *r, int64_t from, int64_t end)
{
    return hlmi_div_up((size_t)end, r->pool->layout.tokens) - page_of(r, from);
}

static void node_free(hlmi_radix *r, hlmi_radix_node *node)
{
    const hlmi_mem *mem = &r->pool->mem;
    if (!node) return;
    hlmi_free(mem, node->children);
    hlmi_free(mem, node->pages);
    hlmi_free(mem, node->states);
    hlmi_free(mem, node);
}

/* A node in no tree, with room for its pages, some states and two children; NULL without memory (sentence set). */
static hlmi_radix_node *node_new(hlmi_radix *r, int64_t from, int64_t end, size_t states)
{
    const hlmi_mem *mem = &r->pool->mem;
    hlmi_radix_node *node = hlmi_calloc(mem, 1, sizeof *node);
    if (node) {
        *node = (hlmi_radix_node){.from = from, .end = end, .cap = 2, .cap_states = states};
        node->pages = hlmi_calloc(mem, count_pages(r, from, end) * r->pool->layout.n_tracks, sizeof *node->pages);
        node->children = hlmi_calloc(mem, node->cap, sizeof *node->children);
        if (states) node->states = hlmi_calloc(mem, states, sizeof *node->states);
    }
    if (node && node->pages && node->children && (node->states || !states)) return node;
    node_free(r, node);
    hlmi_nomem(sizeof *node, "the prefix cache");
    return NULL;
}

/* Index of the child that begins with a token, or where it would be. */
static size_t child_index(const hlmi_radix_node *node, int32_t token)
{
    size_t a = 0, b = node->n;
    while (a < b) {
        const size_t m = (a + b) / 2;
        if (node->children[m]->first < token) a = m + 1;
        else b = m;
    }
    return a;
}

static hlmi_radix_node *child_with(const hlmi_radix_node *node, int32_t token)
{
    const size_t i = child_index(node, token);
    return i < node->n && node->children[i]->first == token ? node->children[i] : NULL;
}

static void put_child(hlmi_radix_node *node, hlmi_radix_node *child)
{
    const size_t i = child_index(node, child->first);
    memmove(&node->children[i + 1], &node->children[i], (node->n - i) * sizeof *node->children);
    node->children[i] = child;
    node->n++;
    child->parent = node;
}

hlmi_radix_node *hlmi_radix_next(const hlmi_radix *r, const hlmi_radix_node *node)
{
    const hlmi_radix_node *next = node ? node->parent : &r->root;
    for (size_t i = node ? child_index(next, node->first) + 1 : 0; i < next->n; i = 0) next = next->children[i];
    return next == &r->root ? NULL : (hlmi_radix_node *)(uintptr_t)next;
}

/* Index of the first state behind a position. */
static size_t states_to(const hlmi_radix_node *node, int64_t pos)
{
    size_t i = node->n_states;
    while (i > 0 && node->states[i - 1]->pos > pos) i--;
    return i;
}

static bool has_state(const hlmi_radix_node *node, int64_t pos)
{
    const size_t i = states_to(node, pos);
    return i > 0 && node->states[i - 1]->pos == pos;
}

/* ---- texts ---- */

/* By how much the symbol at a position is more than its id. */
static int32_t offset_at(const hlmi_radix_text *t, int64_t pos)
{
    return pos >= t->from ? t->offset : 0;
}

/* Ids of a text from a position on, and how many lie side by side, of one offset. */
static const int32_t *text_at(const hlm_pool *pool, const hlmi_radix_text *t, int64_t pos, size_t *run)
{
    *run = (size_t)(t->end - pos);
    if (t->ids && pos < t->from && t->from - pos < (int64_t)*run) *run = (size_t)(t->from - pos);
    if (t->ids) return t->ids + (pos - t->begin);
    const size_t per = pool->layout.tokens, at = (size_t)pos % per;
    *run = hlmi_min_size(*run, per - at);
    return hlmi_page_symbols(hlmi_table_page(&t->seq->tracks[HLMI_IDS], (size_t)pos / per)) + at;
}

/* How many of the first n ids, by the text's offset, are the same as the symbols. */
static size_t same_ids(const int32_t *ids, int32_t offset, const int32_t *symbols, size_t n)
{
    size_t i = 0;
    if (!offset && memcmp(ids, symbols, n * sizeof *ids) == 0) return n;
    while (i < n && ids[i] + offset == symbols[i]) i++;
    return i;
}

/* The position from `pos` on at which the text and a page, which holds the ids up to `end`, part. */
static int64_t follow_page(const hlm_pool *pool, const hlmi_radix_text *t, const hlmi_page *page, int64_t pos,
                           int64_t end)
{
    const size_t per = pool->layout.tokens;
    while (pos < end) {
        size_t run;
        const int32_t *ids = text_at(pool, t, pos, &run);
        const size_t m = hlmi_min_size(run, (size_t)(end - pos));
        const size_t same = same_ids(ids, offset_at(t, pos), hlmi_page_symbols(page) + (size_t)pos % per, m);
        pos += (int64_t)same;
        if (same < m) break;
    }
    return pos;
}

static int64_t min_pos(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* The end of the page that holds a position. */
static int64_t page_end(int64_t pos, size_t per)
{
    return (int64_t)((size_t)pos / per * per + per);
}

int64_t hlmi_radix_common(const hlm_pool *pool, const hlmi_seq *s, const hlmi_radix_text *text)
{
    const size_t per = pool->layout.tokens;
    const int64_t most = min_pos(s->length, text->end);
    int64_t pos = text->begin;
    while (pos < most) {
        const int64_t end = min_pos(page_end(pos, per), most);
        pos = follow_page(pool, text, hlmi_table_page(&s->tracks[HLMI_IDS], (size_t)pos / per), pos, end);
        if (pos < end) break;
    }
    return pos;
}

hlmi_radix_place hlmi_radix_find(hlmi_radix *r, const hlmi_radix_text *text)
{
    const size_t per = r->pool->layout.tokens;
    hlmi_radix_node *node = &r->root;
    int64_t pos = text->begin;
    while (pos < text->end) {
        size_t run;
        hlmi_radix_node *child = child_with(node, *text_at(r->pool, text, pos, &run) + offset_at(text, pos));
        if (!child) break;
        node = child;
        const int64_t most = min_pos(node->end, text->end);
        for (int64_t end = pos; pos < most && pos == end;) {
            end = min_pos(page_end(pos, per), most);
            const size_t i = page_of(r, pos) - page_of(r, node->from);
            pos = follow_page(r->pool, text, *page_at(r, node, i, HLMI_IDS), pos, end);
        }
        if (pos < node->end) break;
    }
    return (hlmi_radix_place){.node = node, .at = pos};
}

hlmi_state *hlmi_radix_state(const hlmi_radix_place *place)
{
    for (const hlmi_radix_node *node = place->node; node; node = node->parent) {
        const size_t i = states_to(node, place->at);
        if (i > 0) return node->states[i - 1];
    }
    return NULL;
}

void hlmi_radix_touch(hlmi_radix *r, const hlmi_radix_place *place)
{
    r->uses++;
    for (hlmi_radix_node *node = place->node; node; node = node->parent) {
        node->clock = r->clock;
        node->used = r->uses;
    }
}

/* ---- adding ---- */

/* Is the state of a point kept for longer than the undo log is? */
static bool lasts(const hlmi_point *p)
{
    return (p->flags & (HLMI_POINT_MARKS | HLMI_POINT_NOW)) != 0;
}

/* The end of what can be remembered of a sequence: its last state, or its length without recurrence. */
static int64_t seq_end(const hlmi_radix *r, const hlmi_seq *s, int64_t most)
{
    size_t i = hlmi_points_at(&s->points, most + 1);
    if (!r->pool->origin) return most;
    while (i > 0 && !lasts(&s->points.items[i - 1])) i--;
    return i ? s->points.items[i - 1].pos : 0;
}

/* The first position from `pos` on that is no token, or the text's end. */
static int64_t tokens_end(const hlm_pool *pool, const hlmi_radix_text *t, int64_t pos)
{
    while (pos < t->end) {
        size_t run, i = 0;
        const int32_t *ids = text_at(pool, t, pos, &run);
        while (i < run && ids[i] >= 0) i++;
        pos += (int64_t)i;
        if (i < run) break;
    }
    return pos;
}

/* Counts the sequence's states in (from, end] that `node` (or nobody: NULL) lacks; with `take` the node gets them. */
static size_t merge_states(hlmi_radix *r, hlmi_radix_node *node, const hlmi_seq *s, int64_t from, int64_t end,
                           bool take)
{
    size_t n = 0;
    if (!r->pool->origin) return 0;
    for (size_t i = hlmi_points_at(&s->points, from + 1); i < s->points.n; i++) {
        const hlmi_point *p = &s->points.items[i];
        if (p->pos > end || !lasts(p) || (node && has_state(node, p->pos))) continue;
        n++;
        if (!take) continue;
        const size_t at = states_to(node, p->pos);
        memmove(&node->states[at + 1], &node->states[at], (node->n_states - at) * sizeof *node->states);
        node->states[at] = hold(r, p->state);
        node->n_states++;
        r->info.states++;
    }
    return n;
}

/* Room for the states that the sequence would bring to the nodes on the way to a place. */
static hlm_status states_room(hlmi_radix *r, const hlmi_seq *s, const hlmi_radix_place *place)
{
    for (hlmi_radix_node *node = place->node; node->parent; node = node->parent) {
        const size_t more = merge_states(r, node, s, node->from, min_pos(node->end, place->at), false);
        HLMI_DO(HLMI_GROW(&r->pool->mem, node->states, node->cap_states, node->n_states + more, "the prefix cache"));
    }
    return HLM_OK;
}

/* Cuts a node at a position inside it: `upper`, made for that, gets what lies before. */
static void split(hlmi_radix *r, hlmi_radix_node *node, hlmi_radix_node *upper)
{
    const int64_t at = upper->end;
    const size_t before = states_to(node, at), gone = page_of(r, at) - page_of(r, node->from);
    const size_t tracks = r->pool->layout.n_tracks, one = tracks * sizeof *node->pages;
    upper->n_pages = count_pages(r, upper->from, at);
    memcpy(upper->pages, node->pages, upper->n_pages * one);
    for (size_t t = 0; t < tracks && upper->n_pages > gone; t++)
        hold(r, *page_at(r, upper, gone, t)); /* both have positions in it */
    memmove(node->pages, node->pages + gone * tracks, (node->n_pages - gone) * one);
    node->n_pages -= gone;
    if (before) memcpy(upper->states, node->states, before * sizeof *node->states);
    upper->n_states = before;
    node->n_states -= before;
    if (node->n_states) memmove(node->states, node->states + before, node->n_states * sizeof *node->states);
    upper->first = node->first;
    upper->parent = node->parent;
    upper->clock = node->clock;
    upper->used = node->used;
    node->parent->children[child_index(node->parent, node->first)] = upper;
    node->from = at;
    node->first = hlmi_page_symbols(node->pages[HLMI_IDS])[(size_t)at % r->pool->layout.tokens];
    put_child(upper, node);
    r->info.nodes++;
}

/* The pages of a sequence that a node with its positions up to `end` has not. */
static void merge_pages(hlmi_radix *r, hlmi_radix_node *node, const hlmi_seq *s, int64_t end)
{
    const size_t first = page_of(r, node->from), n = count_pages(r, node->from, end);
    for (size_t i = 0; i < n; i++) {
        /* what the node has behind them the sequence may not have */
        if (end < node->end && (int64_t)((first + i + 1) * r->pool->layout.tokens) > end) break;
        for (size_t t = 0; t < r->pool->layout.n_tracks; t++) {
            hlmi_page **at = page_at(r, node, i, t);
            if (!*at) *at = hold(r, hlmi_seq_page(r->pool, s, t, first + i, node->end));
        }
    }
}

/* Fills a new leaf from the sequence and hangs it under `parent`. */
static void put_leaf(hlmi_radix *r, hlmi_radix_node *parent, hlmi_radix_node *leaf, const hlmi_seq *s)
{
    leaf->n_pages = count_pages(r, leaf->from, leaf->end);
    merge_pages(r, leaf, s, leaf->end);
    merge_states(r, leaf, s, leaf->from, leaf->end, true);
    leaf->first = hlmi_seq_symbol(r->pool, s, leaf->from);
    put_child(parent, leaf);
    r->info.nodes++;
    r->info.tokens += (uint64_t)(leaf->end - leaf->from);
}

/* The plan's prefix, once the first sequence brings it. The pages are the pool's own, so they are held without being
 * counted. */
static hlm_status put_root(hlmi_radix *r, const hlmi_seq *s)
{
    hlmi_radix_node *root = &r->root;
    const hlm_cache *prefix = atomic_load(&r->pool->prefix);
    const size_t n = hlmi_div_up((size_t)s->prefix, r->pool->layout.tokens);
    if (root->pages || n == 0) return HLM_OK;
    const size_t tracks = r->pool->layout.n_tracks;
    root->pages = hlmi_calloc(&r->pool->mem, n * tracks, sizeof *root->pages);
    if (!root->pages) return hlmi_nomem(n * sizeof *root->pages, "the prefix cache");
    for (; root->n_pages < n; root->n_pages++) {
        for (size_t t = 0; t < tracks; t++) {
            const hlmi_seq *from = prefix ? &prefix->seq : s;
            hlmi_page *p = hlmi_item_retain(hlmi_table_page(&from->tracks[t], root->n_pages));
            p->item.held++;
            *page_at(r, root, root->n_pages, t) = p;
        }
    }
    r->first = hlmi_item_retain(s->points.items[0].state);
    return HLM_OK;
}

static void drop_root(hlmi_radix *r)
{
    hlmi_radix_node *root = &r->root;
    for (size_t i = 0; i < root->n_pages * r->pool->layout.n_tracks; i++) {
        root->pages[i]->item.held--;
        hlmi_pool_drop(r->pool, root->pages[i]);
    }
    root->n_pages = 0;
    hlmi_free(&r->pool->mem, root->pages);
    root->pages = NULL;
    hlmi_pool_drop(r->pool, r->first);
    r->first = NULL;
}

/* Hangs the sequence's positions from place->at to `end` (perhaps none) into the tree, and its states into the way
 * there. */
static hlm_status insert(hlmi_radix *r, const hlmi_seq *s, hlmi_radix_place *place, int64_t end)
{
    hlmi_radix_node *node = place->node, *upper = NULL, *leaf = NULL;
    const bool branch = place->at < node->end && place->at < end;
    HLMI_DO(put_root(r, s));
    HLMI_DO(states_room(r, s, place));
    if (place->at < end) {
        if (!branch) HLMI_DO(HLMI_GROW(&r->pool->mem, node->children, node->cap, node->n + 1, "the prefix cache"));
        leaf = node_new(r, place->at, end, merge_states(r, NULL, s, place->at, end, false));
        if (leaf && branch) upper = node_new(r, node->from, place->at, node->cap_states);
        if (!leaf || (branch && !upper)) {
            node_free(r, leaf);
            return HLM_E_NOMEM;
        }
    }
    if (upper) split(r, node, upper);
    if (upper) node = place->node = upper;
    for (hlmi_radix_node *on = node; on->parent; on = on->parent) {
        merge_states(r, on, s, on->from, min_pos(on->end, place->at), true);
        if (hlmi_windows(r->pool)) merge_pages(r, on, s, min_pos(on->end, place->at));
    }
    if (leaf) {
        put_leaf(r, node, leaf, s);
        *place = (hlmi_radix_place){.node = leaf, .at = end};
    }
    return HLM_OK;
}

hlm_status hlmi_radix_add(hlmi_radix *r, const hlmi_seq *s)
{
    const hlmi_radix_text text = {.seq = s, .begin = s->prefix, .end = seq_end(r, s, s->length)};
    if (text.end <= text.begin) return HLM_OK;
    hlmi_radix_place place = hlmi_radix_find(r, &text);
    const int64_t end = seq_end(r, s, tokens_end(r->pool, &text, place.at));
    HLMI_DO(insert(r, s, &place, end > place.at ? end : place.at));
    hlmi_radix_touch(r, &place);
    hlmi_radix_keep_budget(r);
    return HLM_OK;
}

/* ---- taking away ---- */

void hlmi_radix_shorten(hlmi_radix *r, hlmi_radix_node *leaf, int64_t end)
{
    cut_pages(r, leaf, count_pages(r, leaf->from, end));
    r->info.tokens -= (uint64_t)(leaf->end - end);
    leaf->end = end;
}

void hlmi_radix_remove(hlmi_radix *r, hlmi_radix_node *leaf)
{
    hlmi_radix_node *parent = leaf->parent;
    const size_t i = child_index(parent, leaf->first);
    while (leaf->n_states) hlmi_radix_drop_state(r, leaf, leaf->n_states - 1);
    cut_pages(r, leaf, 0);
    r->info.tokens -= (uint64_t)(leaf->end - leaf->from);
    memmove(&parent->children[i], &parent->children[i + 1], (parent->n - i - 1) * sizeof *parent->children);
    parent->n--;
    r->info.nodes--;
    node_free(r, leaf);
}

/* ---- reading ---- */

/* A track's pages of the way to a place, the lower node's where two have one. */
static hlm_status fill_track(hlmi_table *table, const hlmi_radix *r, const hlmi_radix_place *place, size_t track)
{
    size_t to = count_pages(r, 0, place->at);
    HLMI_DO(hlmi_table_blank(r->pool, table, to));
    for (const hlmi_radix_node *node = place->node; node; node = node->parent) {
        const size_t first = page_of(r, node->from);
        for (size_t i = first; i < to; i++)
            HLMI_DO(hlmi_table_put(r->pool, table, i, hlmi_item_retain(*page_at(r, node, i - first, track))));
        to = hlmi_min_size(to, first);
    }
    return HLM_OK;
}

static hlm_status fill_pages(hlmi_seq *s, const hlmi_radix *r, const hlmi_radix_place *place)
{
    for (size_t t = 0; t < r->pool->layout.n_tracks; t++) HLMI_DO(fill_track(&s->tracks[t], r, place, t));
    return HLM_OK;
}

hlm_status hlmi_radix_fill(hlmi_seq *s, const hlmi_radix *r, const hlmi_radix_place *place, int64_t from, uint32_t mark)
{
    size_t n = 0;
    for (const hlmi_radix_node *node = place->node; node; node = node->parent) n += states_to(node, place->at);
    HLMI_DO(fill_pages(s, r, place));
    HLMI_DO(hlmi_points_room(r->pool, &s->points, n));
    s->length = place->at;
    s->prefix = r->root.end;
    hlmi_points_begin(r->pool, &s->points, s->prefix, r->first);
    for (const hlmi_radix_node *node = place->node; node; node = node->parent)
        for (size_t i = states_to(node, place->at); i-- > 0 && node->states[i]->pos > from;)
            hlmi_points_put(&s->points, node->states[i]->pos, node->states[i], mark);
    hlmi_seq_restore(r->pool, s, s->length);
    hlmi_points_thin(r->pool, &s->points);
    return HLM_OK;
}

hlm_status hlmi_radix_share(hlm_pool *pool, hlmi_seq *s, const int32_t *ids, int64_t n, const char *name)
{
    hlmi_radix *r = pool->radix;
    hlm_status st = HLM_OK;
    bool there = false;
    if (r) {
        hlmi_radix_lock(r);
        const int64_t begin = min_pos(r->root.end, n);
        const hlmi_radix_text text = {.ids = ids + begin, .begin = r->root.end, .end = n};
        hlmi_radix_place place = hlmi_radix_find(r, &text);
        there = place.at >= n && (begin == 0 || r->root.n_pages);
        place.at = n;
        if (there) st = fill_pages(s, r, &place);
        hlmi_radix_unlock(r);
    }
    if (there) return st;
    return hlmi_fail(HLM_E_FORMAT, "%s: goes on from a text that is not there", name);
}

/* ---- the whole tree ---- */

uint64_t hlmi_radix_budget(const hlmi_page_layout *pages, uint64_t prefix_bytes)
{
    const uint64_t budget = prefix_bytes ? prefix_bytes : (uint64_t)512 << 20;
    return budget < hlmi_pool_pages_bytes(pages) ? 0 : budget;
}

hlm_status hlmi_radix_init(hlm_pool *pool, uint64_t max_bytes)
{
    const uint64_t budget = hlmi_radix_budget(&pool->layout, max_bytes);
    if (budget == 0) return HLM_OK;
    hlmi_radix *r = hlmi_calloc(&pool->mem, 1, sizeof *r);
    if (!r) return hlmi_nomem(sizeof *r, "the prefix cache");
    hlmi_lock_init(&r->lock);
    r->pool = pool;
    r->root.end = (int64_t)pool->plan->n_prefix;
    r->info.max_bytes = budget;
    pool->radix = r;
    return HLM_OK;
}

void hlmi_radix_clear(hlm_pool *pool)
{
    hlmi_radix *r = pool->radix;
    hlmi_radix_lock(r);
    for (hlmi_radix_node *leaf; (leaf = hlmi_radix_next(r, NULL));) hlmi_radix_remove(r, leaf);
    drop_root(r);
    hlmi_radix_unlock(r);
}

void hlmi_radix_free(hlm_pool *pool)
{
    if (!pool->radix) return;
    hlmi_radix_clear(pool);
    hlmi_free(&pool->mem, pool->radix->root.children);
    hlmi_free(&pool->mem, pool->radix);
}
