/* The undo log: what the recurrences read for the newest tokens, so that any of
 * the last positions can be had again by running only convolutions and scans,
 * from a state that was kept (the anchor), however the tokens were batched when
 * they went in. It is kept in stretches of pool->undo_tokens positions that
 * begin at multiples of it; a sequence keeps its last two.
 *
 * A row is one position of the log: for each recurrence of the plan, the convolution's inputs and the `extra` floats behind
 * them. It is written by one step and never changed after it. A stretch is a list of rows. Both are shared by reference: forks
 * share stretches, and who appends to a shared one makes a list of its own first, with the same rows in it. */
#ifndef HLMI_STATE_UNDO_H
#define HLMI_STATE_UNDO_H

#include "state/block.h"

/** The floats of a row lie HLMI_ALIGN bytes behind its beginning. */
typedef struct hlmi_row {
    atomic_uint refs;
} hlmi_row;

/** Changed in place only by a sequence that alone holds it, except that the end of a step's claim takes the rows of that
 *  claim out again: whoever shares the stretch meanwhile looks at the rows before them. */
typedef struct hlmi_undo {
    atomic_uint refs;
    uint32_t n; /* rows there are, from the first on; a sequence that ends before them counts only its own */
    int64_t pos; /* of the first row */
    hlmi_state *anchor; /* a reference to the state at pos */
    hlmi_row *row[]; /* references */
} hlmi_undo;

enum { HLMI_UNDO_STRETCHES = 2 };

/** A stretch that begins at pos, with n rows to be written and no anchor; or NULL (sentence set). */
hlmi_undo *hlmi_undo_new(hlm_pool *pool, int64_t pos, size_t n);

/** The row of `pos`, for the running step to write, or NULL when it is not kept. */
float *hlmi_undo_target(const hlm_cache *c, int64_t pos);
/** The row of a position that the sequence has passed, or NULL. */
float *hlmi_undo_find(const hlm_cache *c, int64_t pos);

/** Is every position from the state's to the length in the log? */
bool hlmi_undo_covers(const hlm_cache *c);
/** Positions from `from` to `end` - 1 are about to be computed: takes rows for the last of them, and asks for the states
 *  at the beginnings of stretches (hlmi_cut_ask). What can not be had is left out. */
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
