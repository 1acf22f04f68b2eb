/* Points: the positions that a sequence can go on from, ascending, one for a position, each with its state and the
 * reasons why it is kept. So there is one list of what a sequence remembers of its past: where it stands, its
 * beginning, marks, and the anchors of the undo log (state/undo.h). A snapshot has the same list (state/snapshot.h).
 *
 * Marks are set by callers, and by steps at multiples of a stride and at the ends of prompts, as many as a budget
 * holds. */
#ifndef HLMI_STATE_POINTS_H
#define HLMI_STATE_POINTS_H

#include "state/item.h"

/** Why a point is kept. */
enum {
    HLMI_POINT_NOW = 1, /* the sequence goes on from it */
    HLMI_POINT_FIRST = 2, /* its beginning, behind the plan's prefix */
    HLMI_POINT_MARK = 4, /* set by a caller */
    HLMI_POINT_AUTOMATIC = 8, /* a mark set by a step */
    HLMI_POINT_ANCHOR = 16, /* a stretch of the undo log begins there */
    HLMI_POINT_MARKS = HLMI_POINT_MARK | HLMI_POINT_AUTOMATIC,
    HLMI_POINT_REASONS = 31,
    /* and what else there is to say of it */
    HLMI_POINT_HIDDEN = 32, /* in files: its state has the final hidden row */
    HLMI_POINT_AGAIN = 64, /* of NOW: the positions behind are computed again; else the undo log has them */
    HLMI_POINT_NEW = 128 /* in a claim: the running step writes the state */
};

typedef struct hlmi_undo hlmi_undo;

typedef struct hlmi_point {
    int64_t pos;
    uint32_t flags;
    hlmi_state *state; /* at pos, a reference; NULL without recurrence */
    hlmi_undo *log; /* the stretch that begins here, a reference; NULL without HLMI_POINT_ANCHOR */
} hlmi_point;

typedef struct hlmi_points {
    hlmi_point *items; /* [n] */
    size_t n, cap;
} hlmi_points;

/** Room for n points more, so that adding them can not fail; and for one to stand on (hlmi_points_go). */
hlm_status hlmi_points_room(hlm_pool *pool, hlmi_points *p, size_t n);
void hlmi_points_free(hlm_pool *pool, hlmi_points *p);

/** Index of the first point at or behind pos. */
size_t hlmi_points_at(const hlmi_points *p, int64_t pos);
/** The point at pos, or NULL. */
hlmi_point *hlmi_points_find(const hlmi_points *p, int64_t pos);
/** The point at pos, which is made if there is none, for more reasons; it takes a reference on the state if it has
 *  none. */
hlmi_point *hlmi_points_put(hlmi_points *p, int64_t pos, hlmi_state *state, uint32_t flags);
/** Takes reasons from all points behind `pos`; those go that have none left. True when there was one of them. */
bool hlmi_points_clear(hlm_pool *pool, hlmi_points *p, int64_t pos, uint32_t flags);
/** Takes reasons from the point at pos, if there is one. */
void hlmi_points_clear_at(hlm_pool *pool, hlmi_points *p, int64_t pos, uint32_t flags);
/** Automatic marks above the budget go, those first that leave the smallest gap. */
void hlmi_points_thin(hlm_pool *pool, hlmi_points *p);

/** Where the sequence stands: its beginning, while it is being cut. */
const hlmi_point *hlmi_points_now(const hlmi_points *p);
/** It stands at pos from here on, where a state is (NULL without recurrence); flags: 0 or HLMI_POINT_AGAIN. */
void hlmi_points_go(hlm_pool *pool, hlmi_points *p, int64_t pos, hlmi_state *state, uint32_t flags);

/** The only point, which is the beginning, is at another position, with the state there (NULL: as it is). */
void hlmi_points_begin(hlm_pool *pool, hlmi_points *p, int64_t pos, hlmi_state *state);

/** A copy of those up to pos. */
hlm_status hlmi_points_share(hlm_pool *pool, hlmi_points *to, const hlmi_points *from, int64_t pos);
/** The claimed points of a step become the sequence's, which has room for them: it stands on the last of them. */
void hlmi_points_merge(hlm_pool *pool, hlmi_points *p, hlmi_points *claimed);

#endif
