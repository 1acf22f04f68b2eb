/* The threads that compute. A step is a list of regions; each region runs once
 * on every worker, and no worker starts a region before all have finished the
 * one before it. The caller is worker 0. Workers are either threads of the
 * team's own, which walk the list themselves and meet at one barrier a region,
 * or tasks of the caller's executor, one parallel-for a region. */
#ifndef HLMI_EXEC_TEAM_H
#define HLMI_EXEC_TEAM_H

#include "base/mem.h"

/** One parallel region: run(arg, step, worker, workers) is called once for each worker. */
typedef void hlmi_region_fn(const void *arg, const void *step, size_t worker, size_t workers);

typedef struct hlmi_region {
    hlmi_region_fn *run;
    const void *arg;
    size_t min_rows; /* skipped (without a barrier) in steps of fewer rows ... */
    size_t max_rows; /* ... or, unless 0, of more */
} hlmi_region;

typedef struct hlmi_team hlmi_team;

/** Most workers of a team. */
enum { HLMI_TEAM_MAX = 1024 };

/** n_threads  workers, the caller included; 0: one for each core the process may use.
 *  executor   copied; NULL: threads of the team's own, started here.
 *  HLM_E_ARG for a count or executor that can not be, HLM_E_NOMEM when memory
 *  or the system's threads run out; *out is then NULL. */
hlm_status hlmi_team_new(hlmi_team **out, const hlmi_mem *mem, int32_t n_threads, const hlm_executor *executor);

/** Ends the threads. NULL does nothing. */
void hlmi_team_free(hlmi_team *t);

size_t hlmi_team_workers(const hlmi_team *t);

/** Runs regions[0..n-1] one after another, with a barrier between them, until
 *  *cancel is seen non-zero before one of them: HLM_E_CANCELLED, and all
 *  workers have then stopped (a cancel that comes during the last region comes
 *  too late). rows selects the regions by min_rows and max_rows. cancel may be
 *  NULL. HLM_E_MISMATCH in the child of a fork(), where own threads are not.
 *  One call at a time. */
hlm_status hlmi_team_run(hlmi_team *t, const hlmi_region *regions, size_t n, const void *step, size_t rows,
                         const volatile _Atomic int32_t *cancel);

#endif
