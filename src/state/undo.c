/* Rows and stretches of the undo log. */
#include "state/undo.h"

#include "state/cache.h"

/* The point whose stretch has a place for pos, or NULL. */
static const hlmi_point *find(const hlm_pool *pool, const hlmi_points *points, int64_t pos)
{
    const hlmi_point *p = pool->undo_tokens ? hlmi_points_find(points, pos - pos % pool->undo_tokens) : NULL;
    return p && p->log ? p : NULL;
}

void *const *hlmi_undo_find(const hlm_pool *pool, const hlmi_points *points, int64_t pos)
{
    const hlmi_point *p = find(pool, points, pos);
    return p ? p->log->row[pos - p->pos]->rows : NULL;
}

bool hlmi_undo_covers(const hlm_pool *pool, const hlmi_points *points, int64_t a, int64_t b)
{
    while (a < b && find(pool, points, a)) a++;
    return a >= b;
}

/* The first row that the claim writes into its stretch at p: what the sequence has in it already stays. */
static int64_t written_from(const hlm_cache *c, int64_t p)
{
    return find(c->pool, &c->seq.points, p) ? c->seq.length : p;
}

void *const *hlmi_undo_source(const hlm_cache *c, int64_t pos)
{
    return hlmi_undo_find(c->pool, &c->seq.points, pos);
}

void *const *hlmi_undo_target(const hlm_cache *c, int64_t pos)
{
    const hlmi_point *p = find(c->pool, &c->claim.points, pos);
    return p && pos >= written_from(c, p->pos) ? hlmi_undo_find(c->pool, &c->claim.points, pos) : NULL;
}

/* Rows from index n on go. */
static void cut(hlm_pool *pool, hlmi_undo *u, size_t n)
{
    while (u->n > n) hlmi_pool_drop(pool, u->row[--u->n]);
}

/* New rows, up to n in all. On failure the stretch goes. */
static hlmi_undo *extend(hlm_pool *pool, hlmi_undo *u, size_t n)
{
    const size_t had = u->n;
    while (u->n < n && (u->row[u->n] = hlmi_pool_take(pool, HLMI_SHELF_ROWS))) u->n++;
    if (u->n >= n) return u;
    cut(pool, u, had);
    hlmi_pool_drop(pool, u);
    return NULL;
}

hlmi_undo *hlmi_undo_new(hlm_pool *pool, size_t n)
{
    hlmi_undo *u = hlmi_pool_take(pool, HLMI_SHELF_STRETCHES);
    if (!u) return NULL;
    u->n = 0;
    return extend(pool, u, n);
}

/* The first n rows of a stretch, to append to: itself, when nobody shares it, or a list of its own. */
static hlmi_undo *own(hlm_pool *pool, hlmi_undo *u, size_t n)
{
    if (atomic_load(&u->item.refs) == 1) {
        cut(pool, u, n);
        return hlmi_item_retain(u);
    }
    hlmi_undo *copy = hlmi_undo_new(pool, 0);
    for (; copy && copy->n < n; copy->n++) copy->row[copy->n] = hlmi_item_retain(u->row[copy->n]);
    return copy;
}

/* The claim's stretch that begins at p: of states and rows what can be had. */
static void claim_one(hlm_cache *c, int64_t p, int64_t from)
{
    const int64_t per = c->pool->undo_tokens, end = c->claim.end, to = p + per < end ? p + per : end;
    const hlmi_point *had = find(c->pool, &c->seq.points, p);
    hlmi_state *state = had ? had->state : NULL;
    hlmi_undo *u = NULL;
    if (had && c->seq.length >= to) {
        u = hlmi_item_retain(had->log);
    } else if (had) {
        u = own(c->pool, had->log, (size_t)(c->seq.length - p));
        if (u) u = extend(c->pool, u, (size_t)(to - p));
    } else if (p >= from && hlmi_claim_point(c, p, NULL, 0)) { /* else its first rows are not there, or not the state */
        u = hlmi_undo_new(c->pool, (size_t)(to - p));
    }
    hlmi_point *point = u ? hlmi_claim_point(c, p, state, HLMI_POINT_ANCHOR) : NULL;
    if (point) point->log = u;
    else hlmi_pool_drop(c->pool, u);
}

void hlmi_undo_claim(hlm_cache *c, int64_t from)
{
    const int64_t per = c->pool->undo_tokens;
    if (per == 0) return;
    const int64_t last = (c->claim.end - 1) / per;
    for (int64_t i = last > 0 ? last + 1 - HLMI_UNDO_STRETCHES : last; i <= last; i++) claim_one(c, i * per, from);
}

void hlmi_undo_abort(hlm_cache *c)
{
    const int64_t per = c->pool->undo_tokens, end = c->claim.end;
    for (size_t i = 0; i < c->claim.points.n; i++) {
        const hlmi_point *p = &c->claim.points.items[i];
        if (!p->log) continue;
        const int64_t from = written_from(c, p->pos);
        if (from < p->pos + per && from < end) cut(c->pool, p->log, (size_t)(from - p->pos));
    }
}

void hlmi_undo_truncate(hlm_pool *pool, const hlmi_points *points, int64_t pos)
{
    for (size_t i = 0; i < points->n; i++) {
        const hlmi_point *p = &points->items[i];
        if (p->log && p->pos <= pos && atomic_load(&p->log->item.refs) == 1) cut(pool, p->log, (size_t)(pos - p->pos));
    }
}
