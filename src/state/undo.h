/* The undo log: what the recurrences read for the newest tokens, so that any of
 * the last positions can be had again by running only convolutions and scans,
 * from a state that was kept (the anchor), however the tokens were batched when
 * they went in. It is kept in stretches of pool->undo_tokens positions that
 * begin at multiples of it; a sequence keeps its last two. Stretches are shared
 * by forks as pages are.
 *
 * A row of the log holds, for each recurrence of the plan, the convolution's inputs and the `extra` floats behind them. */
#ifndef HLMI_STATE_UNDO_H
#define HLMI_STATE_UNDO_H

#include "state/block.h"

typedef struct hlmi_undo {
    atomic_uint refs;
    atomic_uint filled; /* rows that have been given to a writer */
    int64_t pos; /* of the first row */
    hlmi_state *anchor; /* a reference to the state at pos */
} hlmi_undo;

enum { HLMI_UNDO_STRETCHES = 2 };

/** The row of a position of a stretch. */
static inline float *hlmi_undo_row(const hlmi_undo *u, const hlmi_state_layout *l, int64_t pos)
{
    char *rows = (char *)(uintptr_t)u + HLMI_ALIGN;
    return (float *)(void *)rows + (size_t)(pos - u->pos) * l->log_width;
}

/** The stretch of the running step that the row of `pos` goes into, or NULL when it is not kept. */
hlmi_undo *hlmi_undo_target(const hlm_cache *c, int64_t pos);
/** The stretch that holds the row of a position that the sequence has passed, or NULL. */
hlmi_undo *hlmi_undo_find(const hlm_cache *c, int64_t pos);

/** Is every position from the state's to the length in the log? */
bool hlmi_undo_covers(const hlm_cache *c);
/** Positions from `from` to `end` - 1 are about to be computed: takes stretches for the last of them, and asks for the states
 *  at their beginnings (hlmi_cut_ask). What can not be had is left out. */
void hlmi_undo_claim(hlm_cache *c, int64_t from, int64_t end);
/** The claimed rows are written. */
void hlmi_undo_commit(hlm_cache *c);
void hlmi_undo_abort(hlm_cache *c);
/** Forget what lies behind pos. */
void hlmi_undo_truncate(hlm_cache *c, int64_t pos);
/** The latest anchor at or before pos, or NULL. */
hlmi_state *hlmi_undo_anchor(const hlm_cache *c, int64_t pos);
/** A fork's log: that of `from` up to pos. */
void hlmi_undo_share(hlm_cache *to, const hlm_cache *from, int64_t pos);

#endif
