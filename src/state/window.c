/* Giving back rows behind attention windows, and what is left of them. */
#include "state/window.h"

#include "base/size.h"

/* The latest position up to pos whose window is whole in a track. */
static int64_t before_in(const hlm_pool *pool, const hlmi_seq *s, size_t track, int64_t pos)
{
    const int64_t per = (int64_t)pool->layout.tokens, window = (int64_t)pool->layout.tracks[track].window;
    const int64_t end = hlmi_seq_end(pool, s, track);
    if (pos > end) pos = end;
    for (int64_t at = pos - 1; at >= 0 && at >= pos - window; at = at / per * per - 1)
        if (!hlmi_table_page(&s->tracks[track], (size_t)(at / per))) pos = at / per * per;
    return pos;
}

int64_t hlmi_window_before(const hlm_pool *pool, const hlmi_seq *s, int64_t pos)
{
    for (size_t t = 0, unchanged = 0; hlmi_windows(pool) && unchanged < pool->layout.n_tracks;) {
        const int64_t was = pos;
        if (pool->layout.tracks[t].window) pos = before_in(pool, s, t, pos);
        unchanged = pos == was ? unchanged + 1 : 0;
        t = (t + 1) % pool->layout.n_tracks;
    }
    return pos;
}

/* Does a mark need positions of [a, b) of a window? */
static bool marked(const hlmi_points *p, int64_t a, int64_t b, int64_t window)
{
    size_t i = hlmi_points_at(p, a + 1);
    while (i < p->n && !(p->items[i].flags & HLMI_POINT_MARKS)) i++;
    return i < p->n && p->items[i].pos < b + window;
}

static void give(hlm_pool *pool, hlmi_seq *s, size_t track)
{
    const int64_t per = (int64_t)pool->layout.tokens, window = (int64_t)pool->layout.tracks[track].window;
    const int64_t least = hlmi_seq_end(pool, s, track) - window - pool->slack; /* what the end can need */
    const size_t end = least > 0 ? (size_t)(least / per) : 0, leaf_tokens = HLMI_LEAF_PAGES * pool->layout.tokens;
    hlmi_table *t = &s->tracks[track];
    /* rows of the plan's prefix are seen by all */
    for (size_t i = hlmi_div_up(pool->plan->n_prefix, pool->layout.tokens); i < end; i++) {
        const int64_t a = (int64_t)i * per;
        if (i % HLMI_LEAF_PAGES == 0 && i + HLMI_LEAF_PAGES <= end &&
            !marked(&s->points, a, a + (int64_t)leaf_tokens, window)) {
            hlmi_table_drop_leaf(pool, t, i / HLMI_LEAF_PAGES);
            i += HLMI_LEAF_PAGES - 1;
        } else if (hlmi_table_page(t, i) && !marked(&s->points, a, a + per, window)) {
            hlmi_table_put(pool, t, i, NULL); /* without memory for a table of its own, the next step tries again */
        }
    }
}

void hlmi_window_give(hlm_pool *pool, hlmi_seq *s)
{
    for (size_t t = 0; t < pool->layout.n_tracks; t++)
        if (pool->layout.tracks[t].window) give(pool, s, t);
}
