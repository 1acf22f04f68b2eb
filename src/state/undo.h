/* The undo log: what the recurrences read for the newest tokens, so that any of the last positions can be had again by
 * running only convolutions and scans, from a state that was kept (the anchor), however the tokens were batched when
 * they went in. It is kept in stretches of pool->undo_tokens positions that begin at multiples of it; a sequence keeps
 * its last two.
 *
 * A row is one position of the log: for each recurrence of the plan, the convolution's inputs and the `extra` floats
 * behind them. It is written by one step and never changed after it. A stretch is a list of rows. Both are shared by
 * reference: forks share stretches, and who appends to a shared one makes a list of its own first, with the same rows
 * in it. */
#ifndef HLMI_STATE_UNDO_H
#define HLMI_STATE_UNDO_H

#include "state/points.h"

/** A stretch; it belongs to a point (state/points.h), which is at its first position and has the state there, the
 *  anchor. Changed in place only by a sequence that alone holds it, except that the end of a step's claim takes the
 *  rows of that claim out again: whoever shares the stretch meanwhile looks at the rows before them. */
struct hlmi_undo {
    hlmi_item item; /* without rows */
    uint32_t n; /* rows there are, from the first on; a sequence that ends before them counts only its own */
    hlmi_item *row[]; /* references */
};

enum { HLMI_UNDO_STRETCHES = 2 };

/** A stretch with n rows to be written; or NULL (sentence set). */
hlmi_undo *hlmi_undo_new(hlm_pool *pool, size_t n);

/** Addresses by place of the row of a position in the log of these points, or NULL. */
void *const *hlmi_undo_find(const hlm_pool *pool, const hlmi_points *points, int64_t pos);
/** The row of a position that the sequence has passed, for the running step to read. */
void *const *hlmi_undo_source(const hlm_cache *c, int64_t pos);
/** The row of `pos`, for the running step to write, or NULL when it is not kept. */
void *const *hlmi_undo_target(const hlm_cache *c, int64_t pos);
/** Is every position from a to b - 1 in the log? */
bool hlmi_undo_covers(const hlm_pool *pool, const hlmi_points *points, int64_t a, int64_t b);

/** Positions from `from` to the claim's end - 1 are about to be computed: takes rows for the last of them, and claims
 *  the states at the beginnings of stretches. What can not be had is left out. */
void hlmi_undo_claim(hlm_cache *c, int64_t from);
/** Takes the claim's rows out of its stretches again. */
void hlmi_undo_abort(hlm_cache *c);
/** Forgets the rows from pos on. */
void hlmi_undo_truncate(hlm_pool *pool, const hlmi_points *points, int64_t pos);

#endif
