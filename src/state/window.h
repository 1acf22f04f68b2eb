/* Rows behind attention windows, in pools that give them back (hlm_pool_params.window_rows): when a page's part goes
 * (state/page.h), and how a position is reached whose window has gone.
 *
 * A part goes when the page lies behind the window and the slack before the end, no mark needs it, and nobody else holds the
 * page. So a part comes and goes only while its page has one holder.
 *
 * The window of a position is *whole* when the parts of the `window` positions before it are there. A sequence whose end has no whole
 * window stands at an earlier position that has one, and the next step computes from there to the end again: pages that lack their
 * part are replaced by copies that the step fills. */
#ifndef HLMI_STATE_WINDOW_H
#define HLMI_STATE_WINDOW_H

#include "state/cache.h"

/** Does the pool give rows behind windows back? */
static inline bool hlmi_windows(const hlm_pool *pool)
{
    return pool->layout.part_bytes > 0;
}

/** Are the rows of windows that a token at pos reads there? */
bool hlmi_window_whole(const hlm_pool *pool, const hlmi_seq *s, int64_t pos);
/** The latest position up to pos of which they are. */
int64_t hlmi_window_before(const hlm_pool *pool, const hlmi_seq *s, int64_t pos);

/** Replaces pages of the claim that lack their part where a step computes again. */
hlm_status hlmi_window_claim(hlm_cache *c);
/** Those pages are computed. */
void hlmi_window_done(hlm_cache *c);
/** They are not, and the pages that were there before take their places. */
void hlmi_window_keep(hlm_cache *c);

/** Gives back what no position needs any more. */
void hlmi_window_give(hlm_pool *pool, hlmi_seq *s);

#endif
