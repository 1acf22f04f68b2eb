/* Whether careful helpers (exec/rest.h) are worth having. Beside other programs a helper may cost a run more than it
 * computes: the system takes turns with the caller's core, too, and whatever else the cores share. What a run takes
 * with the careful helpers and without them is therefore compared, by turns, and the better of the two goes on for a
 * while.
 *
 * Times are in ns of hlmi_os_now, given by the caller, and nothing here looks at a clock. No result depends on it. */
#ifndef HLMI_EXEC_WORTH_H
#define HLMI_EXEC_WORTH_H

#include <stdbool.h>
#include <stdint.h>

enum {
    /* Runs are compared by their mean over such a time. */
    HLMI_WORTH_TRIAL_NS = 40 * 1000 * 1000,
    /* How long the better of the two goes on: first, and at most. Longer each time that it is found to be the better
     * one again. */
    HLMI_WORTH_HOLD_NS = 1000 * 1000 * 1000
};

#define HLMI_WORTH_HOLD_MAX_NS (UINT64_C(4) * HLMI_WORTH_HOLD_NS)

typedef enum hlmi_worth_mode { HLMI_WORTH_WITH, HLMI_WORTH_WITHOUT } hlmi_worth_mode;

/** All 0: nothing is known. */
typedef struct hlmi_worth {
    uint64_t kind, amount; /* of the runs that are compared */
    hlmi_worth_mode mode, better;
    bool trial; /* of the other mode, or of the first */
    uint64_t begin, hold; /* of the present mode; how long it goes on when it is no trial */
    uint64_t sum, n; /* what runs have taken since then, and their number */
    uint64_t mean[2]; /* of each mode; 0: not known */
} hlmi_worth;

/** A run that took so long has ended, with careful helpers in the team; runs of one kind and amount are like one
 *  another. How long the careful helpers are to rest from now on; 0: nothing is asked of them. */
uint64_t hlmi_worth_note(hlmi_worth *w, uint64_t now, uint64_t took, uint64_t kind, uint64_t amount);

#endif
