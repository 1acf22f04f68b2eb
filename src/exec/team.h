/* The threads that compute. A step is a list of regions; each region is run once for every worker, and nobody begins a
 * region before the one before it is finished. A worker is a share of the work, not a thread: threads of the team's own
 * and the caller take the shares that nobody has begun; or each is a task of the caller's executor, one parallel-for a
 * region. */
#ifndef HLMI_EXEC_TEAM_H
#define HLMI_EXEC_TEAM_H

#include "base/mem.h"
#include "exec/cost.h"

/** One parallel region: run(arg, step, worker, workers) is called for each worker; for each part of each worker's
 *  share, where it is divided: `workers` is then the team's times the parts, and those of one worker follow one
 *  another. */
typedef void hlmi_region_fn(const void *arg, const void *step, size_t worker, size_t workers);

typedef struct hlmi_region {
    hlmi_region_fn *run;
    const void *arg;
    size_t min_rows; /* skipped (without a barrier) in steps of fewer rows ... */
    size_t max_rows; /* ... or, unless 0, of more */
    hlmi_cost *cost; /* what it takes; NULL: it is never divided */
    bool by_past; /* what it takes goes with hlmi_work.past, not with the rows */
    bool adapted; /* skipped where no row has an adapter */
    size_t place; /* that it was recorded for */
} hlmi_region;

/** What a team is to run. */
typedef struct hlmi_work {
    const hlmi_region *regions;
    size_t n;
    const void *step;
    size_t rows; /* selects regions by min_rows and max_rows */
    bool adapted; /* a row has an adapter */
    uint64_t past; /* positions that the rows look back on, all together */
    size_t *workers; /* receives before each region how many share it, where the step knows of it; NULL: nobody does */
    const volatile _Atomic int32_t *cancel; /* NULL: never */
} hlmi_work;

static inline bool hlmi_region_skipped(const hlmi_region *r, const hlmi_work *w)
{
    return w->rows < r->min_rows || (r->max_rows && w->rows > r->max_rows) || (r->adapted && !w->adapted);
}

static inline uint64_t hlmi_region_amount(const hlmi_region *r, const hlmi_work *w)
{
    return r->by_past ? w->past >> 10 : w->rows;
}
/** hlmi_cost_predict and hlmi_cost_note for a region; nothing is known of one that has no cost. */
static inline uint64_t hlmi_region_predict(const hlmi_region *r, const hlmi_work *w)
{
    return r->cost ? hlmi_cost_predict(r->cost, hlmi_region_amount(r, w)) : 0;
}
static inline void hlmi_region_note(const hlmi_region *r, const hlmi_work *w, uint64_t ns)
{
    if (r->cost) hlmi_cost_note(r->cost, hlmi_region_amount(r, w), ns);
}
/** The first part of a share, to take at most `target`. */
static inline hlmi_piece hlmi_region_first(const hlmi_region *r, const hlmi_work *w, uint64_t target)
{
    return r->cost ? hlmi_piece_first(hlmi_region_predict(r, w), target) : (hlmi_piece){0};
}

typedef struct hlmi_team hlmi_team;

/** Most workers of a team. */
enum { HLMI_TEAM_MAX = 1024 };

/** n_threads  workers; 0: one for each core.
 *  cores      that the process may use (hlmi_os_cores), at least 1: without an executor there are no more workers than
 *             those.
 *  executor   copied; NULL: threads of the team's own, started here.
 *  HLM_E_ARG for a count or executor that can not be, HLM_E_NOMEM when memory or the system's threads run out; *out is
 *  then NULL. */
hlm_status hlmi_team_new(hlmi_team **out, const hlmi_mem *mem, int32_t n_threads, size_t cores,
                         const hlm_executor *executor);

/** Ends the threads. NULL does nothing. */
void hlmi_team_free(hlmi_team *t);

/** Most workers of a region; it has fewer while helpers have stepped aside. */
size_t hlmi_team_workers(const hlmi_team *t);

/** Runs the regions one after another, with a barrier between them, until *cancel is seen non-zero before one of them,
 *  or between parts of one: HLM_E_CANCELLED, and all workers have then stopped (a cancel that comes during the last
 *  region, or the last part of it, comes too late). HLM_E_MISMATCH in the child of a fork(), where own threads are not.
 *  One call at a time. */
hlm_status hlmi_team_run(hlmi_team *t, const hlmi_work *work);

/** Runs one part of all workers' shares of one region (of hlmi_team_workers: the parts of a region are of one
 *  division). Cancelling is looked at before it. *took: what the thread that had most to do has computed, in ns;
 *  waiting is not in it, nor what other programs took. Errors as above. */
hlm_status hlmi_team_piece(hlmi_team *t, const hlmi_work *work, size_t region, hlmi_piece part, uint64_t *took);

#endif
