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
    at->part = hlmi_region_first(&w->regions[at->region], w, PART_NS);
    at->spent = 0;
    return at->inside = true;
}

hlm_status hlmi_slice_run(hlmi_team *t, const hlmi_work *w, hlmi_stop *at, hlmi_slice *s, bool *done)
{
    for (*done = false; enter(w, at); s->parts++) {
        const hlmi_region *r = &w->regions[at->region];
        const uint64_t expected = hlmi_region_predict(r, w) >> at->part.shift;
        uint64_t took;
        if (s->parts && hlmi_os_now() + expected >= s->until) return HLM_OK;
        HLMI_DO(hlmi_team_piece(t, w, at->region, at->part, &took));
        at->spent += took;
        hlmi_piece_next(&at->part, took, PART_NS);
        if (!hlmi_piece_done(&at->part)) continue;
        hlmi_region_note(r, w, at->spent);
        at->region++;
        at->inside = false;
    }
    *at = (hlmi_stop){0};
    *done = true;
    return HLM_OK;
}
