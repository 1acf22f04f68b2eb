/* Rows behind attention windows, in pools that give them back (hlm_pool_params.window_rows): a sequence drops pages of
 * tracks with a window (plan/page_layout.h) that lie behind the window and the slack before its end, when no mark needs
 * them. Other holders drop theirs; the last one gives the page back to the pool.
 *
 * The window of a position is *whole* when the rows of the `window` positions before it are there, in each such track.
 * A sequence whose end has no whole window stands at an earlier position that has one (HLMI_POINT_AGAIN); its tracks
 * with a window end there, and the next step claims and computes them from there on. */
#ifndef HLMI_STATE_WINDOW_H
#define HLMI_STATE_WINDOW_H

#include "state/seq.h"

/** Does the pool give rows behind windows back? */
static inline bool hlmi_windows(const hlm_pool *pool)
{
    return pool->layout.windows;
}

/** The latest position up to pos whose window is whole. */
int64_t hlmi_window_before(const hlm_pool *pool, const hlmi_seq *s, int64_t pos);
/** Are the rows of windows that a token at pos reads there? */
static inline bool hlmi_window_whole(const hlm_pool *pool, const hlmi_seq *s, int64_t pos)
{
    return hlmi_window_before(pool, s, pos) == pos;
}

/** Gives back what no position needs any more. */
void hlmi_window_give(hlm_pool *pool, hlmi_seq *s);

#endif
