/* Slices of a list of regions. */
#include "exec/slice.h"

#include "base/os.h"

enum { PART_NS = 200 * 1000 };

/* Goes to the next region that the work is not to skip; false at the end. */
static bool enter(const hlmi_work *w, hlmi_stop *at)
{
    if (at->inside) return true;
    while (at->region < w->n && hlmi_region_skipped(&w->regions[at->region], w)) at->region++;
    if (at->region == w->n) return false;
    const hlmi_region *r = &w->regions[at->region];
    at->part = (hlmi_piece){0};
    if (r->cost) at->part = hlmi_piece_first(hlmi_cost_predict(r->cost, hlmi_region_amount(r, w)), PART_NS);
    at->spent = 0;
    return at->inside = true;
}

/* What the next part will take. */
static uint64_t expected(const hlmi_work *w, const hlmi_stop *at)
{
    const hlmi_region *r = &w->regions[at->region];
    return r->cost ? hlmi_cost_predict(r->cost, hlmi_region_amount(r, w)) >> at->part.shift : 0;
}

static void leave(const hlmi_work *w, hlmi_stop *at)
{
    const hlmi_region *r = &w->regions[at->region];
    if (r->cost) hlmi_cost_note(r->cost, hlmi_region_amount(r, w), at->spent);
    at->region++;
    at->inside = false;
}

hlm_status hlmi_slice_run(hlmi_team *t, const hlmi_work *w, hlmi_stop *at, hlmi_slice *s, bool *done)
{
    for (*done = false; enter(w, at); s->parts++) {
        uint64_t took;
        if (s->parts && hlmi_os_now() + expected(w, at) >= s->until) return HLM_OK;
        HLMI_DO(hlmi_team_piece(t, w, at->region, at->part, &took));
        at->spent += took;
        hlmi_piece_next(&at->part, took, PART_NS);
        if (hlmi_piece_done(&at->part)) leave(w, at);
    }
    *at = (hlmi_stop){0};
    *done = true;
    return HLM_OK;
}
