/* Worker threads and their barrier.
 *
 * Vocabulary: a *gate* is a counter that threads wait on until it moves; the
 * *start* gate opens once a run, the *barrier* gate once a region. A waiter
 * spins (a barrier is usually microseconds away), then yields its core, then
 * sleeps in the kernel, so that idle threads use no CPU. */
#include "exec/team.h"

#include "base/os.h"
#include "base/params.h"
#include "exec/fpenv.h"

#include <stdatomic.h>
#include <stdbool.h>

enum {
    CACHE_LINE = 64,
    /* Looks at a gate between two looks at the clock: about a microsecond. */
    SPINS = 64,
    /* How long a waiter spins where every worker has a core of its own. */
    SPIN_NS = 50 * 1000,
    /* How long it then yields before it sleeps (a wake-up takes 30 to 50 us):
     * within a run; between runs, where the caller samples a token; and where
     * workers share cores, which yield at once and for longer, because whom
     * they wait for may be waiting for their core. In a part of a slice a worker
     * does not sleep: the frame waits for the part, and the part for the wake-up. */
    YIELD_NS = 5 * 1000,
    PART_YIELD_NS = 2000 * 1000,
    START_YIELD_NS = 150 * 1000,
    SHARED_YIELD_NS = 200 * 1000,
    /* Work between two looks at the cancel flag. */
    PART_NS = 250 * 1000
};

_Static_assert(sizeof(_Atomic uint32_t) == sizeof(uint32_t), "the kernel sleeps on a plain word");

typedef struct gate {
    _Alignas(CACHE_LINE) _Atomic uint32_t count;
    _Atomic uint32_t sleepers;
} gate;

typedef struct run {
    hlmi_work w; /* n: just behind the last region that is not skipped */
    bool one; /* this part of the first region, and no more */
    hlmi_piece part;
} run;

typedef struct worker {
    hlmi_team *team;
    size_t index;
    hlmi_os_thread *thread;
} worker;

struct hlmi_team {
    hlmi_mem mem;
    size_t workers;
    uint64_t spin_ns, yield_ns, start_yield_ns;
    hlm_executor executor; /* parallel_for is NULL: own threads */
    worker *own; /* [workers - 1]: workers 1 and up */
    size_t n_own; /* of them running */
    uint64_t process; /* the one that they run in */
    /* Written by the caller while all others wait at `start`. */
    run run;
    bool quit;
    gate start;
    gate barrier;
    /* Workers that reached the barrier. The last of them decides for all
     * whether the run stops, before it opens the gate. */
    _Alignas(CACHE_LINE) _Atomic uint32_t arrived;
    bool stopped;
    _Atomic uint64_t took; /* most that a worker has computed for a part */
    atomic_bool left_out; /* a worker has seen the cancel between two parts, and left out the rest */
};

static bool is_cancelled(const volatile _Atomic int32_t *cancel)
{
    return cancel && atomic_load_explicit((volatile _Atomic int32_t *)cancel, memory_order_relaxed) != 0;
}

/* What worker `index` does in a region, with looks at the cancel flag on the way. */
static void run_share(hlmi_team *t, const hlmi_work *w, const hlmi_region *r, size_t index)
{
    const uint64_t predicted = r->cost ? hlmi_cost_predict(r->cost, hlmi_region_amount(r, w)) : 1;
    hlmi_piece p = hlmi_piece_first(predicted, PART_NS);
    if (p.shift == 0) {
        r->run(r->arg, w->step, index, t->workers);
        return;
    }
    for (uint64_t now = hlmi_os_now(); !hlmi_piece_done(&p);) {
        r->run(r->arg, w->step, (index << p.shift) + p.at, t->workers << p.shift);
        const uint64_t took = hlmi_os_now() - now;
        now += took;
        hlmi_piece_next(&p, took, PART_NS);
        if (!is_cancelled(w->cancel) || hlmi_piece_done(&p)) continue;
        atomic_store_explicit(&t->left_out, true, memory_order_relaxed);
        return;
    }
}

/* Worker `index`'s part of the run's only region. */
static void run_one(hlmi_team *t, const run *r, size_t index)
{
    const hlmi_region *region = r->w.regions;
    const uint64_t begin = hlmi_os_thread_now();
    region->run(region->arg, r->w.step, (index << r->part.shift) + r->part.at, t->workers << r->part.shift);
    const uint64_t took = hlmi_os_thread_now() - begin;
    uint64_t most = atomic_load_explicit(&t->took, memory_order_relaxed);
    while (most < took && !atomic_compare_exchange_weak(&t->took, &most, took)) {
    }
}

/* Region `r` took from *since until now. */
static void note_cost(const hlmi_work *w, const hlmi_region *r, uint64_t *since)
{
    if (!r->cost) return;
    const uint64_t now = hlmi_os_now();
    hlmi_cost_note(r->cost, hlmi_region_amount(r, w), now - *since);
    *since = now;
}

/* ---- gates ---- */

static bool gate_moved(gate *g, uint32_t seen)
{
    return atomic_load_explicit(&g->count, memory_order_acquire) != seen;
}

static bool gate_spin(gate *g, uint32_t seen)
{
    for (int i = 0; i < SPINS; i++) {
        if (gate_moved(g, seen)) return true;
        hlmi_os_pause();
    }
    return false;
}

static void gate_sleep(gate *g, uint32_t seen)
{
    atomic_fetch_add(&g->sleepers, 1);
    while (!gate_moved(g, seen)) hlmi_os_wait((volatile uint32_t *)&g->count, seen);
    atomic_fetch_sub(&g->sleepers, 1);
}

/* Returns once the gate's count is no longer `seen`. */
static void gate_wait(gate *g, uint32_t seen, uint64_t spin_ns, uint64_t yield_ns)
{
    if (gate_spin(g, seen)) return;
    const uint64_t begin = hlmi_os_now();
    uint64_t waited = 0;
    while (waited < spin_ns) {
        if (gate_spin(g, seen)) return;
        waited = hlmi_os_now() - begin;
    }
    do {
        if (gate_moved(g, seen)) return;
        hlmi_os_yield();
    } while (hlmi_os_now() - begin < spin_ns + yield_ns);
    gate_sleep(g, seen);
}

/* The count moves before sleepers are looked for, and a sleeper counts itself
 * before it looks at the count (both sequentially consistent): one sees the other. */
static void gate_open(gate *g)
{
    atomic_fetch_add(&g->count, 1);
    if (atomic_load(&g->sleepers)) hlmi_os_wake_all((volatile uint32_t *)&g->count);
}

/* ---- own threads ---- */

/* All workers meet here. True when the run is to stop; the same for all. */
static bool meet(hlmi_team *t, const volatile _Atomic int32_t *cancel, uint64_t yield_ns)
{
    const uint32_t seen = atomic_load_explicit(&t->barrier.count, memory_order_relaxed);
    if (atomic_fetch_add_explicit(&t->arrived, 1, memory_order_acq_rel) + 1 < t->workers) {
        gate_wait(&t->barrier, seen, t->spin_ns, yield_ns);
    } else {
        t->stopped = is_cancelled(cancel);
        atomic_store_explicit(&t->arrived, 0, memory_order_relaxed);
        gate_open(&t->barrier);
    }
    return t->stopped;
}

/* One worker's way through the list; false when cancelled. `r` is the worker's
 * own copy, and nothing of the caller's is read behind the last barrier, where
 * the caller may already be gone. */
static bool walk(hlmi_team *t, run r, size_t index)
{
    const hlmi_work *w = &r.w;
    uint64_t since = index == 0 ? hlmi_os_now() : 0;
    for (size_t i = 0; i < w->n; i++) {
        const hlmi_region *region = &w->regions[i];
        if (hlmi_region_skipped(region, w)) continue;
        run_share(t, w, region, index);
        if (meet(t, w->cancel, t->yield_ns) && (i + 1 < w->n || atomic_load(&t->left_out))) return false;
        if (index == 0) note_cost(w, region, &since);
    }
    return true;
}

/* `r` may be the team's own, which the caller writes again behind the last barrier. */
static void go(hlmi_team *t, const run *r, size_t index, bool *all)
{
    *all = true;
    if (!r->one) {
        *all = walk(t, *r, index);
        return;
    }
    run_one(t, r, index);
    meet(t, NULL, PART_YIELD_NS);
}

static void worker_main(void *p)
{
    worker *w = p;
    hlmi_team *t = w->team;
    hlmi_fpenv_enter();
    for (uint32_t seen = 0;; seen++) {
        gate_wait(&t->start, seen, t->spin_ns, t->start_yield_ns);
        if (t->quit) return;
        bool all;
        go(t, &t->run, w->index, &all);
    }
}

/* ---- one worker, or the caller's executor ---- */

typedef struct batch {
    hlmi_team *team;
    const run *r;
    const hlmi_region *region;
} batch;

static void batch_task(void *arg, size_t index)
{
    const batch *b = arg;
    const uint64_t found = hlmi_fpenv_enter();
    if (b->r->one) run_one(b->team, b->r, index);
    else run_share(b->team, &b->r->w, b->region, index);
    hlmi_fpenv_leave(found);
}

static hlm_status cancelled(void)
{
    return hlmi_fail(HLM_E_CANCELLED, "the call was cancelled");
}

/* The barrier is the return of the region. */
static hlm_status run_by_region(hlmi_team *t, const run *r)
{
    const hlm_executor *e = &t->executor;
    const hlmi_work *w = &r->w;
    uint64_t since = hlmi_os_now();
    for (size_t i = 0; i < w->n; i++) {
        if (hlmi_region_skipped(&w->regions[i], w)) continue;
        if (is_cancelled(w->cancel)) return cancelled();
        batch b = {t, r, &w->regions[i]};
        if (!e->parallel_for) {
            batch_task(&b, 0);
        } else if (e->parallel_for(e->user, t->workers, batch_task, &b) != 0) {
            return hlmi_fail(HLM_E_CANCELLED, "the executor did not run all tasks");
        }
        if (atomic_load(&t->left_out)) return cancelled();
        if (!r->one) note_cost(w, b.region, &since);
    }
    return HLM_OK;
}

/* ---- the team ---- */

static hlm_status start(hlmi_team *t, const run *r)
{
    atomic_store(&t->left_out, false);
    if (!t->n_own) return run_by_region(t, r);
    if (t->process != hlmi_os_process())
        return hlmi_fail(HLM_E_MISMATCH, "the context's threads stayed in the process that fork() was called in");
    if (is_cancelled(r->w.cancel)) return cancelled();
    t->run = *r;
    gate_open(&t->start);
    bool all;
    const uint64_t found = hlmi_fpenv_enter();
    go(t, r, 0, &all);
    hlmi_fpenv_leave(found);
    return all ? HLM_OK : cancelled();
}

hlm_status hlmi_team_run(hlmi_team *t, const hlmi_work *work)
{
    run r = {.w = *work};
    while (r.w.n && hlmi_region_skipped(&r.w.regions[r.w.n - 1], &r.w)) r.w.n--;
    return r.w.n ? start(t, &r) : HLM_OK;
}

hlm_status hlmi_team_piece(hlmi_team *t, const hlmi_work *work, size_t region, hlmi_piece part, uint64_t *took)
{
    run r = {.w = *work, .one = true, .part = part};
    r.w.regions += region;
    r.w.n = 1;
    atomic_store(&t->took, 0);
    const hlm_status st = start(t, &r);
    *took = atomic_load(&t->took);
    return st;
}

size_t hlmi_team_workers(const hlmi_team *t)
{
    return t->workers;
}

static hlm_status start_threads(hlmi_team *t)
{
    const size_t n = t->workers - 1;
    if (!n) return HLM_OK;
    t->own = hlmi_calloc(&t->mem, n, sizeof *t->own);
    if (!t->own) return hlmi_nomem(n * sizeof *t->own, "threads");
    while (t->n_own < n) {
        worker *w = &t->own[t->n_own];
        w->team = t;
        w->index = t->n_own + 1;
        w->thread = hlmi_os_thread_start(worker_main, w);
        if (!w->thread) {
            return hlmi_fail(HLM_E_NOMEM, "the system refused thread %zu of %zu", t->n_own + 2, t->workers);
        }
        t->n_own++;
    }
    return HLM_OK;
}

static hlm_status executor_read(hlm_executor *dst, const hlm_executor *src)
{
    const hlm_status st = hlmi_params_read(dst, sizeof *dst, src, "hlm_executor");
    if (st == HLM_OK && src && !dst->parallel_for) {
        return hlmi_fail(HLM_E_ARG, "hlm_executor.parallel_for is NULL");
    }
    return st;
}

hlm_status hlmi_team_new(hlmi_team **out, const hlmi_mem *mem, int32_t n_threads, const hlm_executor *executor)
{
    *out = NULL;
    if (n_threads < 0 || n_threads > HLMI_TEAM_MAX) {
        return hlmi_fail(HLM_E_ARG, "n_threads is %d, not in 0 to %d", n_threads, HLMI_TEAM_MAX);
    }
    hlm_executor e;
    hlm_status st = executor_read(&e, executor);
    if (st != HLM_OK) return st;
    hlmi_team *t = hlmi_calloc(mem, 1, sizeof *t);
    if (!t) return hlmi_nomem(sizeof *t, "a team of threads");
    const size_t cores = hlmi_os_cores();
    t->mem = *mem;
    t->executor = e;
    t->process = hlmi_os_process();
    t->workers = n_threads ? (size_t)n_threads : cores < HLMI_TEAM_MAX ? cores : HLMI_TEAM_MAX;
    const bool shared = t->workers > cores;
    t->spin_ns = shared ? 0 : SPIN_NS;
    t->yield_ns = shared ? SHARED_YIELD_NS : YIELD_NS;
    t->start_yield_ns = shared ? SHARED_YIELD_NS : START_YIELD_NS;
    if (!executor) st = start_threads(t);
    if (st != HLM_OK) {
        hlmi_team_free(t);
        return st;
    }
    *out = t;
    return HLM_OK;
}

void hlmi_team_free(hlmi_team *t)
{
    if (!t) return;
    t->quit = true;
    gate_open(&t->start);
    for (size_t i = 0; i < t->n_own; i++) hlmi_os_thread_join(t->own[i].thread);
    const hlmi_mem mem = t->mem;
    hlmi_free(&mem, t->own);
    hlmi_free(&mem, t);
}
