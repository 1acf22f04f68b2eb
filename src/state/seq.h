/* A sequence: a value. Everything that a model remembers of a text is here, and nothing of who uses it (state/cache.h).
 * Forks, snapshots, the prefix cache and callers that change places with others copy or move it as a whole.
 *
 * Positions count the plan's prefix. */
#ifndef HLMI_STATE_SEQ_H
#define HLMI_STATE_SEQ_H

#include "state/points.h"
#include "state/pool.h"
#include "state/symbol.h"
#include "state/table.h"

/** What is known of an adapter that waits for tokens in a sequence's first `upto` own tokens: their symbols are right
 *  for it. */
typedef struct hlmi_invoked {
    uint32_t number; /* of the adapter; 0: nothing is known */
    int64_t at, end; /* its tokens' last occurrence there (state/invoke.h) */
    int64_t upto;
} hlmi_invoked;

enum { HLMI_NO_BRANCH = -1 };

typedef struct hlmi_seq {
    int64_t length; /* positions held, the prefix included */
    int64_t prefix; /* positions that the plan's prefix takes: 0 before the first step, which puts it in */
    int64_t branch; /* where texts part: who goes on from there finds its state (hlm_cache_reuse); or HLMI_NO_BRANCH */
    hlmi_table
        tracks[HLMI_TRACKS]; /* the pages that hold the positions (plan/page_layout.h); those behind are reserved */
    hlmi_points points; /* what it can go on from, the first its beginning */
    hlmi_invoked invoked;
} hlmi_seq;

/** An empty one. */
hlm_status hlmi_seq_init(hlm_pool *pool, hlmi_seq *s);
void hlmi_seq_free(hlm_pool *pool, hlmi_seq *s);
/** The first `pos` positions of another. HLM_E_NOMEM: hlmi_seq_free is for the caller. */
hlm_status hlmi_seq_fork(hlm_pool *pool, hlmi_seq *s, const hlmi_seq *from, int64_t pos);
/** Forgets the positions from `length` on; the first `keep_pages` pages stay where nothing is computed again. */
void hlmi_seq_cut(hlm_pool *pool, hlmi_seq *s, int64_t length, size_t keep_pages);

/** How to go on from a position. */
typedef struct hlmi_way {
    int64_t from; /* a position at or before it */
    hlmi_state *state; /* there; NULL without recurrence */
    bool again; /* what lies between is computed again; else the undo log has it */
} hlmi_way;

/** The way to pos with the least computing, from `latest` or before: there always is one. */
hlmi_way hlmi_seq_way(const hlm_pool *pool, const hlmi_seq *s, int64_t pos, int64_t latest);
/** The sequence stands where the way to its length begins, which is `latest` or before. */
void hlmi_seq_restore(hlm_pool *pool, hlmi_seq *s, int64_t latest);

/** The symbol (state/symbol.h) of a position below the length. */
static inline int32_t hlmi_seq_symbol(const hlm_pool *pool, const hlmi_seq *s, int64_t pos)
{
    const size_t per = pool->layout.tokens;
    return hlmi_page_symbols(hlmi_table_page(&s->tracks[HLMI_IDS], (size_t)pos / per))[(size_t)pos % per];
}

/** Positions before `length` that the next step runs through the recurrences alone, from the undo log. */
static inline int64_t hlmi_seq_replay(const hlmi_seq *s)
{
    const hlmi_point *now = hlmi_points_now(&s->points);
    return now->flags & HLMI_POINT_AGAIN ? 0 : s->length - now->pos;
}

/** Positions before `length` that the next step computes again first. */
static inline int64_t hlmi_seq_pending(const hlmi_seq *s)
{
    const hlmi_point *now = hlmi_points_now(&s->points);
    return now->flags & HLMI_POINT_AGAIN ? s->length - now->pos : 0;
}

/** Where a track ends: behind, the next step computes its rows. */
static inline int64_t hlmi_seq_end(const hlm_pool *pool, const hlmi_seq *s, size_t track)
{
    return pool->layout.tracks[track].window ? s->length - hlmi_seq_pending(s) : s->length;
}

/** Page i of a track, if it is there and has all of its positions before `end`; else NULL. */
static inline hlmi_page *hlmi_seq_page(const hlm_pool *pool, const hlmi_seq *s, size_t track, size_t i, int64_t end)
{
    const int64_t last = (int64_t)((i + 1) * pool->layout.tokens), needed = last < end ? last : end;
    return needed <= hlmi_seq_end(pool, s, track) ? hlmi_table_page(&s->tracks[track], i) : NULL;
}

/** Is everything of the last position there? */
static inline bool hlmi_seq_ready(const hlmi_seq *s)
{
    return hlmi_points_now(&s->points)->pos == s->length;
}

#endif
