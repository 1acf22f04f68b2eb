/* Rows behind attention windows, in pools that give them back (hlm_pool_params.window_rows): when a page's part goes
 * (state/page.h), and how a position is reached whose window has gone.
 *
 * A part goes when the page lies behind the window and the slack before the end, no mark needs it, and nobody else holds the
 * page. So a part comes and goes only while its page has one holder.
 *
 * Words: the window of a position is *whole* when the parts of the `window` positions before it are there. A sequence whose end
 * has no whole window is *stale*: it goes on from the nearest position before that has one, with recurrence one whose state
 * is there, and the next step computes from there to the end again (hlm_cache.stale tokens). Pages that lack their part are
 * replaced by copies that the step fills; until it commits, everybody else sees the table as it was. */
#ifndef HLMI_STATE_WINDOW_H
#define HLMI_STATE_WINDOW_H

#include "state/cache.h"

/** Does the pool give rows behind windows back? */
static inline bool hlmi_windows(const hlm_cache *c)
{
    return c->pool->layout.part_bytes > 0;
}

/** Are the rows of windows that a token at pos reads there? */
bool hlmi_window_whole(const hlm_cache *c, int64_t pos);
/** How many positions before pos, up to the length, have to be computed again to go on from there; *state is what that
 *  begins from, at `latest` or before (NULL without recurrence). 0: none, but those between *state and pos that the undo
 *  log has. */
int64_t hlmi_window_way(const hlm_cache *c, int64_t pos, int64_t latest, hlmi_state **state);

/** Replaces pages that lack their part where a step computes again. HLM_E_NOMEM: hlmi_window_abort puts back what was. */
hlm_status hlmi_window_claim(hlm_cache *c);
/** Those pages are computed. */
void hlmi_window_done(hlm_cache *c);
/** They are not, and the pages that were there before take their places: the table is as before. */
void hlmi_window_abort(hlm_cache *c);
/** The same, but pages that the claim has put behind them stay. */
void hlmi_window_keep(hlm_cache *c);

/** Room for the marks of hlmi_window_mark in a step up to `end`. */
hlm_status hlmi_window_room(hlm_cache *c, int64_t end);
/** The automatic marks of a Transformer's step that began at `from` and has been committed. */
void hlmi_window_mark(hlm_cache *c, int64_t from, bool branch, bool prompt);

/** Gives back what no position needs any more, after a step. */
void hlmi_window_give(hlm_cache *c);
/** The mark at pos has gone: gives back what it alone has kept. */
void hlmi_window_unmark(hlm_cache *c, int64_t pos);
/** The sequence has been cut: what lies behind is looked at again later. */
void hlmi_window_cut(hlm_cache *c);

#endif
