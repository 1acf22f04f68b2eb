/* The list of points. */
#include "state/points.h"

#include <string.h>

#include "state/pool.h"

hlm_status hlmi_points_room(hlm_pool *pool, hlmi_points *p, size_t n)
{
    return HLMI_GROW(&pool->mem, p->items, p->cap, p->n + n + 2, "states of a sequence");
}

static void drop(hlm_pool *pool, hlmi_point *point)
{
    hlmi_pool_drop(pool, point->state);
    hlmi_pool_drop(pool, point->log);
}

void hlmi_points_free(hlm_pool *pool, hlmi_points *p)
{
    while (p->n) drop(pool, &p->items[--p->n]);
    hlmi_free(&pool->mem, p->items);
    *p = (hlmi_points){0};
}

size_t hlmi_points_at(const hlmi_points *p, int64_t pos)
{
    size_t i = p->n;
    while (i > 0 && p->items[i - 1].pos >= pos) i--; /* what is asked for is mostly near the end */
    return i;
}

hlmi_point *hlmi_points_find(const hlmi_points *p, int64_t pos)
{
    const size_t i = hlmi_points_at(p, pos);
    return i < p->n && p->items[i].pos == pos ? &p->items[i] : NULL;
}

hlmi_point *hlmi_points_put(hlmi_points *p, int64_t pos, hlmi_state *state, uint32_t flags)
{
    const size_t i = hlmi_points_at(p, pos);
    hlmi_point *point = &p->items[i];
    if (i == p->n || point->pos != pos) {
        memmove(point + 1, point, (p->n++ - i) * sizeof *point);
        *point = (hlmi_point){.pos = pos};
    }
    if (!point->state) point->state = hlmi_item_retain(state);
    point->flags |= flags;
    return point;
}

/* The first n points stay as they are. */
static bool clear_from(hlm_pool *pool, hlmi_points *p, size_t n, size_t end, uint32_t flags)
{
    bool some = false;
    size_t kept = n;
    for (size_t i = n; i < p->n; i++) {
        hlmi_point point = p->items[i];
        if (i < end) {
            some = some || (point.flags & flags);
            point.flags &= ~flags;
        }
        if (!(point.flags & HLMI_POINT_ANCHOR)) {
            hlmi_pool_drop(pool, point.log);
            point.log = NULL;
        }
        if (point.flags & HLMI_POINT_REASONS) p->items[kept++] = point;
        else drop(pool, &point);
    }
    p->n = kept;
    return some;
}

bool hlmi_points_clear(hlm_pool *pool, hlmi_points *p, int64_t pos, uint32_t flags)
{
    return clear_from(pool, p, hlmi_points_at(p, pos + 1), p->n, flags);
}

void hlmi_points_clear_at(hlm_pool *pool, hlmi_points *p, int64_t pos, uint32_t flags)
{
    const size_t i = hlmi_points_at(p, pos);
    if (i < p->n && p->items[i].pos == pos) clear_from(pool, p, i, i + 1, flags);
}

/* Marks that only steps have set; *thin is the one without which the gap between its neighbours is smallest. */
static size_t count_automatic(const hlmi_points *p, size_t *thin)
{
    size_t n = 0, mark = p->n; /* the last one seen */
    int64_t before = 0, smallest = INT64_MAX;
    for (size_t i = 0; i <= p->n; i++) {
        if (i < p->n && !(p->items[i].flags & HLMI_POINT_MARKS)) continue;
        if (mark < p->n && !(p->items[mark].flags & HLMI_POINT_MARK)) {
            const int64_t gap = i < p->n ? p->items[i].pos - before : INT64_MAX; /* the newest stays longest */
            if (gap < smallest || n == 0) *thin = mark;
            if (gap < smallest) smallest = gap;
            n++;
        }
        if (mark < p->n) before = p->items[mark].pos;
        mark = i;
    }
    return n;
}

void hlmi_points_thin(hlm_pool *pool, hlmi_points *p)
{
    size_t thin = 0;
    while (count_automatic(p, &thin) > pool->auto_marks) clear_from(pool, p, thin, thin + 1, HLMI_POINT_AUTOMATIC);
}

const hlmi_point *hlmi_points_now(const hlmi_points *p)
{
    size_t i = p->n - 1;
    while (i > 0 && !(p->items[i].flags & HLMI_POINT_NOW)) i--;
    return &p->items[i];
}

void hlmi_points_go(hlm_pool *pool, hlmi_points *p, int64_t pos, hlmi_state *state, uint32_t flags)
{
    const hlmi_point *point = hlmi_points_put(p, pos, state, 0);
    for (size_t i = 0; i < p->n; i++) {
        p->items[i].flags &= ~(uint32_t)(HLMI_POINT_NOW | HLMI_POINT_AGAIN);
        if (&p->items[i] == point) p->items[i].flags |= HLMI_POINT_NOW | flags;
    }
    clear_from(pool, p, 0, p->n, 0);
}

void hlmi_points_begin(hlm_pool *pool, hlmi_points *p, int64_t pos, hlmi_state *state)
{
    hlmi_points_clear(pool, p, -1, HLMI_POINT_ANCHOR);
    hlmi_point *first = p->items;
    first->pos = pos;
    if (!state) return;
    hlmi_pool_drop(pool, first->state);
    first->state = hlmi_item_retain(state);
}

hlm_status hlmi_points_share(hlm_pool *pool, hlmi_points *to, const hlmi_points *from, int64_t pos)
{
    const size_t n = hlmi_points_at(from, pos + 1);
    const hlm_status st = hlmi_points_room(pool, to, n);
    for (size_t i = 0; i < n && st == HLM_OK; i++) {
        hlmi_point *point = &to->items[to->n++];
        *point = from->items[i];
        hlmi_item_retain(point->state);
        hlmi_item_retain(point->log);
    }
    return st;
}

void hlmi_points_merge(hlm_pool *pool, hlmi_points *p, hlmi_points *claimed)
{
    clear_from(pool, p, 0, p->n, HLMI_POINT_NOW | HLMI_POINT_AGAIN | HLMI_POINT_ANCHOR);
    for (size_t i = 0; i < claimed->n; i++) {
        hlmi_point *from = &claimed->items[i];
        if (!(from->flags & HLMI_POINT_REASONS)) continue;
        hlmi_point *to = hlmi_points_put(p, from->pos, from->state, from->flags & HLMI_POINT_REASONS);
        if (from->flags & HLMI_POINT_NEW && to->state != from->state) { /* with its final hidden row */
            hlmi_pool_drop(pool, to->state);
            to->state = hlmi_item_retain(from->state);
        }
        to->log = from->log;
        from->log = NULL;
    }
}
