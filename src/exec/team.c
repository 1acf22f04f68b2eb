/* Worker threads, and how they share regions out.
 *
 * Vocabulary: a *share* is what one of `workers` equal workers has of a region; a *helper* is a thread of the team's
 * own. Who is running takes a share that nobody has begun, its own first; who finishes the last share of a region opens
 * the next one. So a helper that sleeps, or whose core the system has given to another program, is waited for only
 * where it has begun a share, and helpers to whom that happens step aside (exec/rest.h). Which thread computes a share
 * does not show: private scratch belongs to the share.
 *
 * What belongs to the open region is written while no share of it is free or being computed, and read by those who have
 * one: a helper that comes late, even into a later run, finds a share of what is open then, or none. */
#include "exec/team.h"

#include "base/fpenv.h"
#include "base/host.h"
#include "base/os.h"
#include "base/params.h"
#include "exec/gate.h"
#include "exec/rest.h"
#include "exec/worth.h"

enum {
    /* How long a waiter spins, then yields, before it sleeps (a wake-up takes 30 to 50 us). Nobody yields within a run,
     * where a yield may cost a time slice of another program; but between runs, where the caller samples a token, and
     * longer between the parts of a slice: the frame waits for the part, and the part for the wake-up, so the caller
     * only spins there. */
    SPIN_NS = 50 * 1000,
    PART_SPIN_NS = 400 * 1000,
    START_YIELD_NS = 150 * 1000,
    PART_YIELD_NS = 2000 * 1000,
    /* Work between two looks at the cancel flag. */
    PART_NS = 250 * 1000,
    /* What a region takes longer than expected when its last share's core was taken away, not less. */
    LOST_NS = 400 * 1000,
    /* How often a careful helper looks for a share before it falls asleep. */
    IDLE_RESTS = 32,
    WORD_BITS = 64
};

typedef struct run {
    hlmi_work w; /* n: just behind the last region that is not skipped */
    bool one; /* this part of the first region, and no more */
    hlmi_piece part;
} run;

typedef struct worker {
    _Alignas(HLMI_CACHE_LINE) hlmi_team *team;
    size_t index; /* the share that it takes first; 0 is the caller */
    hlmi_os_thread *thread;
    uint64_t in_run, spent; /* of a part: the run that it has last computed in, and for how long there */
    uint64_t lost; /* hlmi_os_core_lost when its thread last waited */
    uint32_t idle; /* rests since it last had a share */
    hlmi_rest rest;
    atomic_bool resting, careful; /* careful: as its thread has last told */
    _Atomic uint64_t asked; /* to rest for so many ns, by another */
} worker;

enum { RUNNING, DONE, STOPPED };

struct hlmi_team {
    hlmi_mem mem;
    size_t workers; /* most shares of a region */
    hlm_executor executor; /* parallel_for is NULL: own threads */
    worker *all; /* [n_own + 1] the caller, then the helpers */
    size_t n_own;
    uint64_t process; /* the one that they run in */
    _Atomic uint32_t quit;
    /* The open region. */
    run run;
    uint64_t runs; /* so far */
    size_t at, shares;
    uint64_t since; /* when it was opened, or one before that takes no note of time */
    _Atomic uint64_t took; /* most that a thread has computed for a part */
    atomic_bool left_out; /* a worker has seen the cancel between two parts, and left out the rest */
    hlmi_ask ask;
    hlmi_worth worth;
    uint64_t away, slept; /* by the caller's thread in this run: noted so far; waiting beyond spinning */
    atomic_bool in_parts; /* the last run was a part */
    /* What every thread looks at. */
    hlmi_gate gate; /* moves when a region opens, and when a run is over */
    _Atomic uint32_t over; /* RUNNING, or how the run ended */
    _Atomic uint32_t left; /* shares that are not finished */
    _Atomic uint32_t n_resting; /* helpers */
    _Atomic uint64_t free[HLMI_TEAM_MAX / WORD_BITS]; /* a bit for each share that nobody has begun */
};

static bool is_cancelled(const volatile _Atomic int32_t *cancel)
{
    return cancel && atomic_load_explicit((volatile _Atomic int32_t *)cancel, memory_order_relaxed) != 0;
}

/* What worker `index` does in a region, with looks at the cancel flag on the way. */
static void run_share(hlmi_team *t, const hlmi_work *w, const hlmi_region *r, size_t index, size_t shares)
{
    hlmi_piece p = hlmi_region_first(r, w, PART_NS);
    if (p.shift == 0) {
        r->run(r->arg, w->step, index, shares);
        return;
    }
    for (uint64_t now = hlmi_os_now(); !hlmi_piece_done(&p);) {
        r->run(r->arg, w->step, (index << p.shift) + p.at, shares << p.shift);
        const uint64_t took = hlmi_os_now() - now;
        now += took;
        hlmi_piece_next(&p, took, PART_NS);
        if (!is_cancelled(w->cancel) || hlmi_piece_done(&p)) continue;
        atomic_store_explicit(&t->left_out, true, memory_order_relaxed);
        return;
    }
}

/* The part of share `index` that the run is for; `spent` receives what the thread has computed in this run. */
static void run_one(hlmi_team *t, const run *r, size_t index, uint64_t *spent)
{
    const hlmi_region *region = r->w.regions;
    const uint64_t begin = hlmi_os_thread_now();
    region->run(region->arg, r->w.step, (index << r->part.shift) + r->part.at, t->workers << r->part.shift);
    *spent += hlmi_os_thread_now() - begin;
    uint64_t most = atomic_load_explicit(&t->took, memory_order_relaxed);
    while (most < *spent && !atomic_compare_exchange_weak(&t->took, &most, *spent)) {
    }
}

/* ---- the open region ---- */

static size_t words(const hlmi_team *t)
{
    return (t->workers + WORD_BITS - 1) / WORD_BITS; /* of the most shares; they may be fewer */
}

/* Helpers that rest have no share, so that the caller alone computes as one thread does. The parts of a slice are of
 * one division. */
static void open_region(hlmi_team *t, size_t at)
{
    const size_t shares = t->workers - (t->run.one ? 0 : atomic_load_explicit(&t->n_resting, memory_order_relaxed));
    t->at = at;
    t->shares = shares;
    if (t->run.w.workers) *t->run.w.workers = shares;
    atomic_store_explicit(&t->left, (uint32_t)shares, memory_order_relaxed);
    for (size_t i = 0, rest = shares; i < words(t); i++, rest -= WORD_BITS) {
        const uint64_t all = rest < WORD_BITS ? (UINT64_C(1) << rest) - 1 : UINT64_MAX;
        atomic_store_explicit(&t->free[i], all, memory_order_release);
        if (rest <= WORD_BITS) break;
    }
    hlmi_gate_open(&t->gate);
}

/* x is not 0. */
static size_t lowest_bit(uint64_t x)
{
    size_t i = 0;
    while (!(x >> i & 1)) i++;
    return i;
}

/* Begins a share: `own`, if nobody has, or another. */
static bool claim(hlmi_team *t, size_t own, size_t *share)
{
    for (size_t n = 0; n < words(t); n++) {
        const size_t i = (own / WORD_BITS + n) % words(t);
        uint64_t free = atomic_load_explicit(&t->free[i], memory_order_relaxed);
        while (free) {
            const bool mine = n == 0 && free >> own % WORD_BITS & 1;
            const size_t at = mine ? own % WORD_BITS : lowest_bit(free);
            free = atomic_fetch_and_explicit(&t->free[i], ~(UINT64_C(1) << at), memory_order_acq_rel);
            *share = i * WORD_BITS + at;
            if (free >> at & 1) return true;
        }
    }
    return false;
}

static void end_run(hlmi_team *t, uint32_t how)
{
    atomic_store_explicit(&t->over, how, memory_order_release);
    hlmi_gate_open(&t->gate);
}

static void open_next(hlmi_team *t)
{
    const hlmi_work *w = &t->run.w;
    size_t next = t->at + 1;
    if (atomic_load(&t->left_out) || (next < w->n && is_cancelled(w->cancel))) {
        end_run(t, STOPPED);
    } else if (next == w->n) {
        end_run(t, DONE);
    } else {
        while (hlmi_region_skipped(&w->regions[next], w)) next++;
        open_region(t, next);
    }
}

/* ---- helpers that step aside ---- */

/* The caller's thread was away from its core: the last helper that computes leaves it the room, if it was so for
 * long. */
static void caller_was_away(hlmi_team *t, uint64_t now, uint64_t away)
{
    t->away += away;
    const uint64_t ns = hlmi_ask_away(&t->ask, now, away);
    for (size_t i = t->n_own; ns && i > 0; i--) {
        worker *w = &t->all[i];
        if (atomic_load(&w->resting) || atomic_load(&w->asked)) continue;
        atomic_store(&w->asked, ns);
        return;
    }
}

/* A run has ended: careful helpers rest for a while where runs without them are shorter. */
static void weigh_careful(hlmi_team *t, uint64_t now, uint64_t took)
{
    size_t n = 0;
    for (size_t i = 1; i <= t->n_own; i++) n += atomic_load_explicit(&t->all[i].careful, memory_order_relaxed);
    if (n == 0 || t->run.one) return;
    const uint64_t ns = hlmi_worth_note(&t->worth, now, took, (uintptr_t)t->run.w.regions, t->run.w.rows);
    for (size_t i = 1; ns && i <= t->n_own; i++)
        if (atomic_load(&t->all[i].careful)) atomic_store(&t->all[i].asked, ns);
}

/* `me` finished last, and the region took `more` than it should; others fell asleep meanwhile. */
static void look_for_loss(hlmi_team *t, worker *me, uint64_t now, uint64_t more)
{
    const uint64_t lost = hlmi_os_core_lost();
    if (lost == me->lost) return;
    me->lost = lost;
    if (me->index) hlmi_rest_lost(&me->rest, now);
    else caller_was_away(t, now, more);
}

/* The region's last share is finished. */
static void close_region(hlmi_team *t, worker *me)
{
    const hlmi_region *r = &t->run.w.regions[t->at];
    const uint64_t predicted = hlmi_region_predict(r, &t->run.w);
    const bool slept = hlmi_gate_slept(&t->gate);
    if (slept || (r->cost && !t->run.one)) {
        const uint64_t now = hlmi_os_now(), took = now - t->since;
        if (slept && took > predicted + predicted / 8 + LOST_NS) look_for_loss(t, me, now, took - predicted);
        if (r->cost && !t->run.one) {
            hlmi_region_note(r, &t->run.w, took);
            t->since = now;
        }
    }
    open_next(t);
}

/* ---- threads ---- */

static void do_share(hlmi_team *t, worker *me, size_t share)
{
    const run *r = &t->run;
    if (r->one) {
        if (me->in_run != t->runs) me->spent = 0;
        me->in_run = t->runs;
        run_one(t, r, share, &me->spent);
    } else {
        run_share(t, &r->w, &r->w.regions[t->at], share, t->shares);
    }
    if (atomic_fetch_sub_explicit(&t->left, 1, memory_order_acq_rel) == 1) close_region(t, me);
}

/* The caller's part of a run that begins with the region; returns how it ended. */
static uint32_t lead(hlmi_team *t, size_t first)
{
    worker *me = &t->all[0];
    t->slept = 0;
    open_region(t, first);
    for (;;) {
        const uint32_t seen = hlmi_gate_seen(&t->gate), over = atomic_load_explicit(&t->over, memory_order_acquire);
        size_t share;
        if (over != RUNNING) return over;
        if (claim(t, 0, &share)) {
            do_share(t, me, share);
            continue;
        }
        const uint64_t before = hlmi_os_now();
        if (!hlmi_gate_wait(&t->gate, seen, t->run.one ? PART_SPIN_NS : SPIN_NS, 0)) t->slept += hlmi_os_now() - before;
    }
}

/* The same, with a look at whether the caller's thread lost its core meanwhile, for longer than moments. The thread may
 * be another one each time. */
static uint32_t lead_helpers(hlmi_team *t, size_t first)
{
    worker *me = &t->all[0];
    me->lost = hlmi_os_core_lost();
    t->away = 0;
    const uint64_t begin = hlmi_os_now(), computed = hlmi_os_thread_now();
    const uint32_t how = lead(t, first);
    const uint64_t now = hlmi_os_now(), known = hlmi_os_thread_now() - computed + t->slept + t->away;
    if (now - begin > known + LOST_NS && hlmi_os_core_lost() != me->lost) caller_was_away(t, now, now - begin - known);
    if (how == DONE) weigh_careful(t, now, now - begin);
    return how;
}

/* Sleeps as long as a careful helper does, unless it is to quit. */
static void rest(hlmi_team *t, worker *me, uint64_t begin, uint64_t ns)
{
    const uint64_t end = begin + ns;
    uint64_t now = begin;
    atomic_store(&me->resting, true);
    atomic_fetch_add(&t->n_resting, 1);
    atomic_store(&me->careful, true);
    me->idle++;
    for (; now < end && !atomic_load(&t->quit); now = hlmi_os_now())
        hlmi_os_wait((volatile uint32_t *)&t->quit, 0, end - now);
    hlmi_rest_slept(&me->rest, begin, now);
    atomic_store(&me->careful, me->rest.careful);
    atomic_fetch_sub(&t->n_resting, 1);
    atomic_store(&me->resting, false);
    me->lost = hlmi_os_core_lost();
}

static void rest_if_due(hlmi_team *t, worker *me)
{
    const bool asked = atomic_load_explicit(&me->asked, memory_order_relaxed) != 0;
    if (!asked && !me->rest.careful) return;
    const uint64_t now = hlmi_os_now();
    if (asked) hlmi_rest_asked(&me->rest, now, atomic_exchange(&me->asked, 0));
    const uint64_t ns = hlmi_rest_due(&me->rest, now);
    if (ns) rest(t, me, now, ns);
}

/* There was no share. A careful helper soon leaves its core to others, and looks again after a moment: it wakes up on
 * the core where it slept, while one whom the caller wakes may be put on the caller's. After some moments without a
 * share it sleeps all the same. */
static void wait_carefully(hlmi_team *t, worker *me, uint32_t seen)
{
    if (hlmi_gate_spin(&t->gate, seen, SPIN_NS)) return;
    if (me->idle < IDLE_RESTS) {
        rest(t, me, hlmi_os_now(), HLMI_REST_BURST_NS);
        return;
    }
    hlmi_gate_wait(&t->gate, seen, 0, 0);
    me->idle = 0;
    me->lost = hlmi_os_core_lost();
    hlmi_rest_begin(&me->rest, hlmi_os_now());
}

/* There was no share. Within a run the next one is near. */
static void wait_for_share(hlmi_team *t, worker *me, uint32_t seen)
{
    const bool between = atomic_load_explicit(&t->over, memory_order_relaxed) != RUNNING;
    uint64_t yield_ns = 0;
    if (between) yield_ns = atomic_load_explicit(&t->in_parts, memory_order_relaxed) ? PART_YIELD_NS : START_YIELD_NS;
    if (!hlmi_gate_wait(&t->gate, seen, SPIN_NS, yield_ns)) me->lost = hlmi_os_core_lost();
}

static void helper_main(void *p)
{
    worker *me = p;
    hlmi_team *t = me->team;
    hlmi_fpenv_enter();
    me->lost = hlmi_os_core_lost();
    while (!atomic_load(&t->quit)) {
        rest_if_due(t, me);
        const uint32_t seen = hlmi_gate_seen(&t->gate);
        size_t share;
        if (claim(t, me->index, &share)) {
            me->idle = 0;
            do_share(t, me, share);
        } else if (!atomic_load(&t->quit)) {
            (me->rest.careful ? wait_carefully : wait_for_share)(t, me, seen);
        }
    }
}

/* ---- the caller's executor ---- */

typedef struct batch {
    hlmi_team *team;
    const run *r;
    const hlmi_region *region;
} batch;

static void batch_task(void *arg, size_t index)
{
    const batch *b = arg;
    const uint64_t found = hlmi_fpenv_enter();
    uint64_t spent = 0;
    if (b->r->one) run_one(b->team, b->r, index, &spent);
    else run_share(b->team, &b->r->w, b->region, index, b->team->workers);
    hlmi_fpenv_leave(found);
}

static hlm_status cancelled(void)
{
    return hlmi_fail(HLM_E_CANCELLED, "the call was cancelled");
}

/* The region by the caller's job system; 0 when all of it ran. */
static int32_t by_executor(const hlm_executor *e, size_t n, batch *b)
{
    int32_t rc;
    HLMI_HOST(rc = e->parallel_for(e->user, n, batch_task, b));
    return rc;
}

/* The barrier is the return of the region. */
static hlm_status run_by_region(hlmi_team *t, const run *r)
{
    const hlmi_work *w = &r->w;
    if (w->workers) *w->workers = t->workers;
    uint64_t since = hlmi_os_now();
    for (size_t i = 0; i < w->n; i++) {
        if (hlmi_region_skipped(&w->regions[i], w)) continue;
        if (is_cancelled(w->cancel)) return cancelled();
        batch b = {t, r, &w->regions[i]};
        if (by_executor(&t->executor, t->workers, &b) != 0)
            return hlmi_fail(HLM_E_CANCELLED, "the executor did not run all tasks");
        if (atomic_load(&t->left_out)) return cancelled();
        if (r->one || !b.region->cost) continue;
        const uint64_t now = hlmi_os_now();
        hlmi_region_note(b.region, w, now - since);
        since = now;
    }
    return HLM_OK;
}

/* ---- the team ---- */

static hlm_status start(hlmi_team *t, const run *r)
{
    atomic_store(&t->left_out, false);
    if (t->executor.parallel_for) return run_by_region(t, r);
    if (t->n_own && t->process != hlmi_os_process())
        return hlmi_fail(HLM_E_MISMATCH, "the context's threads stayed in the process that fork() was called in");
    if (is_cancelled(r->w.cancel)) return cancelled();
    const uint64_t found = hlmi_fpenv_enter();
    size_t first = 0;
    while (!r->one && hlmi_region_skipped(&r->w.regions[first], &r->w)) first++;
    t->run = *r;
    t->runs++;
    t->since = hlmi_os_now();
    atomic_store_explicit(&t->in_parts, r->one, memory_order_relaxed);
    atomic_store_explicit(&t->over, RUNNING, memory_order_relaxed);
    const uint32_t how = t->n_own ? lead_helpers(t, first) : lead(t, first);
    hlmi_fpenv_leave(found);
    return how == DONE ? HLM_OK : cancelled();
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

static hlm_status start_threads(hlmi_team *t, size_t n)
{
    t->all = hlmi_calloc(&t->mem, n + 1, sizeof *t->all);
    if (!t->all) return hlmi_nomem((n + 1) * sizeof *t->all, "threads");
    t->all[0].team = t;
    while (t->n_own < n) {
        worker *w = &t->all[t->n_own + 1];
        w->team = t;
        w->index = t->n_own + 1;
        w->thread = hlmi_os_thread_start(helper_main, w);
        if (!w->thread) {
            return hlmi_fail(HLM_E_NOMEM, "the system refused thread %zu of %zu", t->n_own + 2, n + 1);
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

hlm_status hlmi_team_new(hlmi_team **out, const hlmi_mem *mem, int32_t n_threads, size_t cores,
                         const hlm_executor *executor)
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
    t->mem = *mem;
    t->executor = e;
    t->process = hlmi_os_process();
    t->over = DONE;
    t->workers = n_threads ? (size_t)n_threads : cores < HLMI_TEAM_MAX ? cores : HLMI_TEAM_MAX;
    if (!executor && t->workers > cores) t->workers = cores; /* more would wait for one another's core */
    if (!executor) st = start_threads(t, t->workers - 1);
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
    atomic_store(&t->quit, 1);
    hlmi_os_wake_all((volatile uint32_t *)&t->quit);
    hlmi_gate_open(&t->gate);
    for (size_t i = 1; i <= t->n_own; i++) hlmi_os_thread_join(t->all[i].thread);
    const hlmi_mem mem = t->mem;
    hlmi_free(&mem, t->all);
    hlmi_free(&mem, t);
}
