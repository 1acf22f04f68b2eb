/* Marks: states of earlier positions that a sequence keeps, so that it can go
 * back to them without computing anything. Callers set them, and steps leave
 * some by themselves: at multiples of a stride and at the ends of prompts, as
 * many as a budget of bytes holds. */
#ifndef HLMI_STATE_MARKS_H
#define HLMI_STATE_MARKS_H

#include "state/block.h"

typedef struct hlmi_mark {
    int64_t pos;
    hlmi_state *state; /* a reference; NULL without recurrence */
    bool automatic;
} hlmi_mark;

/** Marks of a sequence, ascending, one for a position. */
typedef struct hlmi_marks {
    hlmi_mark *items;
    size_t n, cap;
} hlmi_marks;

/** Room for n marks more, so that adding them can not fail. */
hlm_status hlmi_marks_room(hlm_cache *c, size_t n);
/** Takes a reference on the state; automatic marks above the budget go, those first that leave the smallest gap. */
void hlmi_marks_add(hlm_cache *c, int64_t pos, hlmi_state *state, bool automatic);
/** Forget the marks behind pos. */
void hlmi_marks_cut(hlm_cache *c, int64_t pos);
/** Forget the mark at pos, if there is one. */
void hlmi_marks_remove(hlm_cache *c, int64_t pos);
/** Forget automatic marks: memory is needed. True when there were any. */
bool hlmi_marks_give_up(hlm_cache *c);
/** The latest marked state at or before pos, or NULL. */
hlmi_state *hlmi_marks_find(const hlm_cache *c, int64_t pos);
/** A fork's marks: those of `from` up to pos. */
hlm_status hlmi_marks_share(hlm_cache *to, const hlm_cache *from, int64_t pos);

#endif
