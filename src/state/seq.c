/* Sequences: beginning, sharing, cutting, and the way to a position. */
#include "state/seq.h"

#include "base/size.h"
#include "state/invoke.h"
#include "state/undo.h"
#include "state/window.h"

hlm_status hlmi_seq_init(hlm_pool *pool, hlmi_seq *s)
{
    *s = (hlmi_seq){.branch = HLMI_NO_BRANCH};
    HLMI_DO(hlmi_points_room(pool, &s->points, 1));
    hlmi_points_put(&s->points, 0, pool->origin, HLMI_POINT_FIRST | HLMI_POINT_NOW);
    return HLM_OK;
}

void hlmi_seq_free(hlm_pool *pool, hlmi_seq *s)
{
    hlmi_points_free(pool, &s->points);
    for (size_t t = 0; t < HLMI_TRACKS; t++) hlmi_table_free(pool, &s->tracks[t]);
}

hlm_status hlmi_seq_fork(hlm_pool *pool, hlmi_seq *s, const hlmi_seq *from, int64_t pos)
{
    *s = (hlmi_seq){.length = pos, .prefix = from->prefix, .branch = from->branch, .invoked = from->invoked};
    if (s->branch > pos) s->branch = HLMI_NO_BRANCH;
    hlmi_invoked_cut(s, pos - s->prefix);
    for (size_t t = 0; t < pool->layout.n_tracks; t++) {
        const size_t end = (size_t)hlmi_seq_end(pool, from, t), keep = hlmi_min_size((size_t)pos, end);
        HLMI_DO(hlmi_table_share(pool, &s->tracks[t], &from->tracks[t], hlmi_div_up(keep, pool->layout.tokens)));
    }
    HLMI_DO(hlmi_points_share(pool, &s->points, &from->points, pos));
    hlmi_seq_restore(pool, s, pos);
    return HLM_OK;
}

void hlmi_seq_cut(hlm_pool *pool, hlmi_seq *s, int64_t length, size_t keep_pages)
{
    const size_t pages = hlmi_div_up((size_t)length, pool->layout.tokens);
    for (size_t t = 0; t < pool->layout.n_tracks; t++)
        hlmi_table_cut(pool, &s->tracks[t], hlmi_max_size(pages, keep_pages));
    hlmi_undo_truncate(pool, &s->points, length);
    hlmi_points_clear(pool, &s->points, length, HLMI_POINT_REASONS);
    s->length = length;
    if (s->branch > length) s->branch = HLMI_NO_BRANCH;
    hlmi_invoked_cut(s, length - s->prefix);
    hlmi_seq_restore(pool, s, length);
}

hlmi_way hlmi_seq_way(const hlm_pool *pool, const hlmi_seq *s, int64_t pos, int64_t latest)
{
    if (!pool->origin) {
        const int64_t from = hlmi_window_before(pool, s, pos);
        return (hlmi_way){.from = from, .again = from < pos};
    }
    const bool whole = hlmi_window_whole(pool, s, pos);
    size_t i = hlmi_points_at(&s->points, latest + 1) - 1;
    const hlmi_point *p = &s->points.items[i];
    if (whole && hlmi_undo_covers(pool, &s->points, p->pos, pos)) return (hlmi_way){.from = p->pos, .state = p->state};
    while (i > 0 && !hlmi_window_whole(pool, s, s->points.items[i].pos)) i--;
    p = &s->points.items[i];
    return (hlmi_way){.from = p->pos, .state = p->state, .again = true};
}

void hlmi_seq_restore(hlm_pool *pool, hlmi_seq *s, int64_t latest)
{
    const hlmi_way way = hlmi_seq_way(pool, s, s->length, latest);
    hlmi_points_go(pool, &s->points, way.from, way.state, way.again ? HLMI_POINT_AGAIN : 0);
    /* rows of windows are computed again from there on, into pages of the sequence's own */
    for (size_t t = 0; t < pool->layout.n_tracks && way.again; t++)
        if (pool->layout.tracks[t].window)
            hlmi_table_cut(pool, &s->tracks[t], hlmi_div_up((size_t)way.from, pool->layout.tokens));
}
