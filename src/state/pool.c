/* The pool of pages and state blocks, and the public calls on it. */
#include "state/pool.h"

#include <string.h>

#include "base/assert.h"
#include "base/call.h"
#include "base/params.h"
#include "base/size.h"
#include "plan/model.h"
#include "state/prefix.h"
#include "state/radix.h"
#include "state/symbol.h"
#include "state/valid.h"

enum { MAX_AUTO_MARKS = 64, DEFAULT_UNDO_TOKENS = 16, DEFAULT_MARK_STRIDE = 512, DEFAULT_MARK_BYTES = 64 << 20 };

static void free_item(hlm_pool *pool, hlmi_item *item)
{
    for (size_t i = 0; i < HLMI_PLACES && item; i++)
        if (item->rows[i]) pool->places[i]->give(pool->places[i], item->rows[i]);
    hlmi_free(&pool->mem, item);
}

/* A new item, or NULL. */
static hlmi_item *make_item(hlm_pool *pool, const hlmi_shelf *shelf)
{
    hlmi_item *item = hlmi_calloc(&pool->mem, 1, shelf->header);
    if (!item) return NULL;
    item->fresh = hlmi_fresh_block(shelf->rows[0]);
    for (size_t i = 0; i < HLMI_PLACES; i++) {
        if (shelf->rows[i]) item->rows[i] = pool->places[i]->take(pool->places[i], shelf->rows[i]);
        if (item->rows[i] || !shelf->rows[i]) continue;
        free_item(pool, item);
        return NULL;
    }
    return item;
}

/* One of a shelf, or a new one within the cap; NULL: *full says that the cap is in the way. */
static hlmi_item *try_take(hlm_pool *pool, hlmi_shelf *shelf, bool *full)
{
    const size_t bytes = hlmi_shelf_bytes(shelf);
    hlmi_lock_take(&pool->lock);
    hlmi_item *item = shelf->first;
    *full = !item && pool->max_bytes && bytes > pool->max_bytes - hlmi_min_size(pool->held, pool->max_bytes);
    if (item) shelf->first = item->next;
    if (item) pool->used += bytes;
    if (!item && !*full) pool->held += bytes; /* reserved before the lock is let go */
    hlmi_lock_drop(&pool->lock);
    if (item) item->fresh = (hlmi_fresh){0};
    if (item || *full) return item;
    item = make_item(pool, shelf);
    hlmi_lock_take(&pool->lock);
    if (item) pool->used += bytes;
    else pool->held -= bytes;
    hlmi_lock_drop(&pool->lock);
    return item;
}

/* An item on a shelf goes back to its places. */
static bool free_idle(hlm_pool *pool)
{
    for (size_t i = 0; i < HLMI_SHELVES; i++) {
        hlmi_shelf *shelf = &pool->shelves[i];
        hlmi_lock_take(&pool->lock);
        hlmi_item *item = shelf->first;
        if (item) shelf->first = item->next;
        if (item) pool->held -= hlmi_shelf_bytes(shelf);
        hlmi_lock_drop(&pool->lock);
        free_item(pool, item);
        if (item) return true;
    }
    return false;
}

/* As try_take, with what can be given up for it: what is on shelves, then what of the prefix cache can be put there. */
void *hlmi_pool_take(hlm_pool *pool, hlmi_shelf_kind kind)
{
    hlmi_shelf *shelf = &pool->shelves[kind];
    const size_t bytes = hlmi_shelf_bytes(shelf);
    bool full;
    hlmi_item *item;
    hlmi_assert(!hlmi_radix_mine()); /* which may have to give way */
    do item = try_take(pool, shelf, &full);
    while (!item && (free_idle(pool) || hlmi_radix_give_way(pool)));
    if (!item && full)
        hlmi_fail(HLM_E_NOMEM, "the pool's cap of %llu bytes is reached (%s takes %zu)",
                  (unsigned long long)pool->max_bytes, shelf->what, bytes);
    else if (!item) hlmi_nomem(bytes, shelf->what);
    if (!item) return NULL;
    atomic_init(&item->refs, 1);
    item->held = 0;
    item->kind = kind;
    return item;
}

void hlmi_pool_drop(hlm_pool *pool, void *p)
{
    hlmi_item *item = p;
    if (!item || atomic_fetch_sub(&item->refs, 1) != 1) return;
    hlmi_shelf *shelf = &pool->shelves[item->kind];
    hlmi_undo *stretch = item->kind == HLMI_SHELF_STRETCHES ? p : NULL;
    while (stretch && stretch->n) hlmi_pool_drop(pool, stretch->row[--stretch->n]);
    hlmi_lock_take(&pool->lock);
    item->next = shelf->first;
    shelf->first = item;
    pool->used -= hlmi_shelf_bytes(shelf);
    hlmi_lock_drop(&pool->lock);
}

hlmi_page *hlmi_pool_take_page(hlm_pool *pool, size_t track)
{
    hlmi_page *p = hlmi_pool_take(pool, (hlmi_shelf_kind)(HLMI_SHELF_PAGES + track));
    if (!p) return NULL;
    atomic_init(&p->filled, 0);
    p->track = (uint16_t)track;
    p->place = (uint16_t)pool->layout.tracks[track].place;
    return p;
}

uint64_t hlmi_pool_pages_bytes(const hlmi_page_layout *l)
{
    uint64_t bytes = 0;
    for (size_t t = 0; t < l->n_tracks; t++) bytes += hlmi_page_bytes(l, t);
    return bytes;
}

hlmi_state *hlmi_pool_take_state(hlm_pool *pool)
{
    const hlmi_field *hidden = pool->states.hidden;
    hlmi_state *s = hlmi_pool_take(pool, HLMI_SHELF_STATES);
    if (!s) return NULL;
    s->hidden = false;
    hlmi_place *place = pool->places[hidden->place];
    place->zero(place, hlmi_field_of(s->item.rows, hidden), hidden->bytes);
    return s;
}

void hlmi_pool_own(hlm_pool *pool, uint64_t bytes)
{
    hlmi_lock_take(&pool->lock);
    pool->own += bytes;
    hlmi_lock_drop(&pool->lock);
}

/* The state before the first token. */
static hlm_status make_origin(hlm_pool *pool)
{
    if (pool->states.bytes == 0) return HLM_OK;
    hlmi_state *s = hlmi_pool_take_state(pool);
    if (!s) return HLM_E_NOMEM;
    for (size_t i = 0; i < HLMI_PLACES; i++)
        if (s->item.rows[i]) pool->places[i]->zero(pool->places[i], s->item.rows[i], pool->states.rows[i]);
    s->item.fresh = (hlmi_fresh){0};
    s->pos = 0;
    pool->origin = s;
    hlmi_pool_own(pool, hlmi_state_bytes(&pool->states));
    return HLM_OK;
}

static void pool_free(hlm_pool *pool)
{
    hlmi_radix_free(pool);
    hlmi_prefix_drop(pool);
    hlmi_pool_drop(pool, pool->origin);
    hlmi_pool_drop_adapters(pool);
    while (free_idle(pool)) continue;
    hlmi_page_layout_free(&pool->layout, &pool->mem);
    hlmi_state_layout_free(&pool->states, &pool->mem);
    hlm_model *model = pool->model;
    const hlmi_mem mem = pool->mem;
    hlmi_free(&mem, pool);
    hlm_model_release(model);
}

static void set_shelves(hlm_pool *pool)
{
    hlmi_shelf *s = pool->shelves;
    for (size_t t = 0; t < pool->layout.n_tracks; t++) {
        hlmi_shelf *pages = &s[HLMI_SHELF_PAGES + t];
        *pages = (hlmi_shelf){.what = "a KV page", .header = sizeof(hlmi_page)};
        if (t == HLMI_IDS) pages->header += pool->layout.tracks[t].bytes;
        else pages->rows[pool->layout.tracks[t].place] = pool->layout.tracks[t].bytes;
    }
    s[HLMI_SHELF_STATES] = (hlmi_shelf){.what = "a state block", .header = sizeof(hlmi_state)};
    s[HLMI_SHELF_STRETCHES] = (hlmi_shelf){.what = "a stretch of the undo log"};
    s[HLMI_SHELF_ROWS] = (hlmi_shelf){.what = "a row of the undo log"};
    memcpy(s[HLMI_SHELF_STATES].rows, pool->states.rows, sizeof pool->states.rows);
}

/* What a mark keeps at most: a state, and the rows of windows before it. */
static uint64_t mark_bytes(const hlm_pool *pool)
{
    const hlmi_page_layout *l = &pool->layout;
    uint64_t bytes = hlmi_state_bytes(&pool->states);
    for (size_t t = 0; t < l->n_tracks; t++)
        if (l->tracks[t].window) bytes += hlmi_pages_of(l->tracks[t].window, l->tokens) * hlmi_page_bytes(l, t);
    return bytes;
}

/* What sequences keep of their past besides pages. */
static hlm_status read_history(hlm_pool *pool, const hlm_pool_params *p)
{
    const size_t block = pool->states.bytes;
    if (p->undo_tokens > HLMI_MAX_UNDO_TOKENS)
        return hlmi_fail(HLM_E_ARG, "hlm_pool_params.undo_tokens is %d, can be up to %d", (int)p->undo_tokens,
                         HLMI_MAX_UNDO_TOKENS);
    if (p->reserved) return hlmi_fail(HLM_E_ARG, "hlm_pool_params.reserved is not 0");
    const uint64_t budget = p->mark_bytes ? p->mark_bytes : DEFAULT_MARK_BYTES;
    const int64_t stride = p->mark_stride ? p->mark_stride : DEFAULT_MARK_STRIDE;
    const uint64_t mark = mark_bytes(pool);
    if (mark == 0) return HLM_OK; /* nothing is pending anywhere */
    pool->mark_stride = stride > 0 ? stride : 0;
    pool->auto_marks = budget / mark > MAX_AUTO_MARKS ? MAX_AUTO_MARKS : (size_t)(budget / mark);
    const int32_t undo = p->undo_tokens ? p->undo_tokens : DEFAULT_UNDO_TOKENS;
    if (undo < 0) return HLM_OK;
    pool->slack = pool->layout.windows ? HLMI_UNDO_STRETCHES * (int64_t)undo : 0;
    if (block == 0) return HLM_OK; /* no log */
    pool->undo_tokens = undo;
    pool->shelves[HLMI_SHELF_STRETCHES].header = sizeof(hlmi_undo) + (size_t)undo * sizeof(hlmi_item *);
    pool->shelves[HLMI_SHELF_ROWS].header = sizeof(hlmi_item);
    memcpy(pool->shelves[HLMI_SHELF_ROWS].rows, pool->states.log_rows, sizeof pool->states.log_rows);
    return HLM_OK;
}

hlm_status hlmi_pool_sequence_bytes(const hlmi_page_layout *pages, const hlmi_state_layout *states, uint64_t *bytes,
                                    int64_t *slack)
{
    hlm_pool pool = {.layout = *pages, .states = *states};
    set_shelves(&pool);
    const hlm_pool_params defaults = {.struct_size = sizeof defaults};
    const hlm_status st = read_history(&pool, &defaults);
    const uint64_t blocks = 2 + (uint64_t)(pool.undo_tokens ? HLMI_UNDO_STRETCHES : 0);
    const uint64_t stretch = hlmi_shelf_bytes(&pool.shelves[HLMI_SHELF_STRETCHES]) +
        (uint64_t)pool.undo_tokens * hlmi_shelf_bytes(&pool.shelves[HLMI_SHELF_ROWS]);
    *bytes =
        blocks * hlmi_state_bytes(states) + pool.auto_marks * mark_bytes(&pool) + (HLMI_UNDO_STRETCHES + 1) * stretch;
    *slack = pool.slack;
    return st;
}

HLMI_CALL(hlm_pool_new, (hlm_pool **out, hlm_model *model, const hlm_pool_params *params), (out, model, params))
{
    hlm_pool_params p;
    if (out) *out = NULL;
    if (!out || !model) return hlmi_fail(HLM_E_ARG, "hlm_pool_new: out and model are needed");
    hlm_status st = hlmi_params_read(&p, sizeof p, params, "hlm_pool_params");
    if (st != HLM_OK) return st;
    if (p.page_tokens < 0 || p.page_tokens > HLMI_MAX_PAGE_TOKENS || (p.page_tokens & (p.page_tokens - 1)))
        return hlmi_fail(HLM_E_ARG, "hlm_pool_params.page_tokens is %d, can be a power of two up to %d (0: %d)",
                         (int)p.page_tokens, HLMI_MAX_PAGE_TOKENS, HLMI_PAGE_TOKENS);
    if (p.window_rows != HLM_WINDOW_KEEP && p.window_rows != HLM_WINDOW_GIVE_BACK)
        return hlmi_fail(HLM_E_ARG, "hlm_pool_params.window_rows is %d, none of HLM_WINDOW_...", (int)p.window_rows);
    const hlmi_plan *plan = &model->plan;
    HLMI_DO(hlmi_model_runs(model));
    if (p.memory_token_adapter && p.memory_token_adapter->model != model)
        return hlmi_fail(HLM_E_MISMATCH, "hlm_pool_params.memory_token_adapter was loaded for another model");
    if (p.memory_token_adapter && p.memory_token_adapter->n_invocation)
        return hlmi_fail(HLM_E_UNSUPPORTED,
                         "hlm_pool_params.memory_token_adapter acts behind invocation tokens, never before a text");
    const hlmi_mem *mem = hlmi_model_mem(model);
    hlm_pool *pool = hlmi_calloc(mem, 1, sizeof *pool);
    if (!pool) return hlmi_nomem(sizeof *pool, "a pool");
    atomic_init(&pool->refs, 1);
    atomic_init(&pool->prefix, NULL);
    hlmi_lock_init(&pool->lock);
    hlm_model_retain(model);
    pool->model = model;
    pool->mem = *mem;
    pool->plan = plan;
    memcpy(pool->places, model->places, sizeof pool->places);
    pool->max_bytes = p.max_bytes;
    st = hlmi_page_layout_init(&pool->layout, plan, p.kv_type, model->f32_activations,
                               p.page_tokens ? (size_t)p.page_tokens : HLMI_PAGE_TOKENS,
                               p.window_rows == HLM_WINDOW_GIVE_BACK, mem);
    if (st == HLM_OK) st = hlmi_state_layout_init(&pool->states, plan, p.state_type, mem);
    if (st == HLM_OK) set_shelves(pool);
    if (st == HLM_OK) st = read_history(pool, &p);
    if (st == HLM_OK) st = make_origin(pool);
    if (st == HLM_OK) st = hlmi_pool_number(pool, p.memory_token_adapter, &pool->prefix_adapter);
    if (st == HLM_OK) st = hlmi_radix_init(pool, p.prefix_bytes);
    if (st != HLM_OK) {
        pool_free(pool);
        return st;
    }
    *out = pool;
    return HLM_OK;
}

void hlm_pool_retain(hlm_pool *pool)
{
    if (pool) atomic_fetch_add(&pool->refs, 1);
}

void hlm_pool_release(hlm_pool *pool)
{
    if (pool && atomic_fetch_sub(&pool->refs, 1) == 1) pool_free(pool);
}

HLMI_CALL(hlm_pool_info_get, (const hlm_pool *pool, hlm_pool_info *out), (pool, out))
{
    if (!pool) return hlmi_fail(HLM_E_ARG, "hlm_pool_info_get: pool is NULL");
    hlm_pool *p = (hlm_pool *)(uintptr_t)pool; /* the lock is not part of the value */
    hlmi_pool_valid(p);
    hlmi_lock_take(&p->lock);
    const hlm_pool_info info = {.used_bytes = p->used - p->own, .held_bytes = p->held};
    hlmi_lock_drop(&p->lock);
    return hlmi_result_write(out, &info, sizeof info, "hlm_pool_info");
}
