/* Running a list of regions in slices: some parts of regions now, the rest later. All workers take each part together,
 * and between two parts the list can be left and come back to. */
#ifndef HLMI_EXEC_SLICE_H
#define HLMI_EXEC_SLICE_H

#include "exec/team.h"

/** Where in a list a slice has stopped. All 0: at its beginning. */
typedef struct hlmi_stop {
    size_t region;
    hlmi_piece part;
    bool inside; /* parts of the region have run */
    uint64_t spent; /* on them */
} hlmi_stop;

/** What is left of the time to compute. */
typedef struct hlmi_slice {
    uint64_t until; /* hlmi_os_now */
    size_t parts; /* of the work done so far: at least one is, whatever the time */
} hlmi_slice;

/** Runs parts from `at` on until the next would end behind s->until. *done: the list's end is reached, and `at` is all
 *  0 again. Errors as of hlmi_team_run. */
hlm_status hlmi_slice_run(hlmi_team *t, const hlmi_work *work, hlmi_stop *at, hlmi_slice *s, bool *done);

#endif
