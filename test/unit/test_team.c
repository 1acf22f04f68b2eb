/* Teams of threads: every region sees the results of the one before it, on own threads and on a caller's executor;
 * helpers that do not come; cancelling; the control word; and that idle threads use no CPU. */
#include "base/fpenv.h"
#include "exec/slice.h"
#include "exec/team.h"

#include <fenv.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/os.h"
#include "unit/suite.h"

enum { MAX_WORKERS = 8, MAX_REGIONS = 40 };

/* One row of counters for each region; a region adds the whole row before its own. */
typedef struct table {
    size_t columns;
    uint64_t cell[MAX_REGIONS + 1][MAX_WORKERS];
    size_t calls[MAX_WORKERS]; /* of each column */
    volatile _Atomic int32_t cancel;
    size_t cancel_at; /* the region that cancels, or SIZE_MAX */
} table;

typedef struct row_link {
    table *t;
    size_t to; /* row written; row to - 1 is read */
} row_link;

static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 31)) * 0x9e3779b97f4a7c15u;
    return x ^ (x >> 29);
}

static uint64_t cell_of(const uint64_t *before, size_t workers, size_t worker)
{
    uint64_t sum = worker;
    for (size_t i = 0; i < workers; i++) sum += before[i];
    return mix(sum);
}

/* A region may be shared by fewer than the team has, while helpers rest: the columns are shared out. */
static void add_row(const void *arg, const void *step, size_t worker, size_t workers)
{
    (void)step;
    const row_link *l = arg;
    const size_t n = l->t->columns;
    for (size_t c = n * worker / workers; c < n * (worker + 1) / workers; c++) {
        l->t->cell[l->to][c] = cell_of(l->t->cell[l->to - 1], n, c);
        l->t->calls[c]++;
    }
    if (l->to == l->t->cancel_at && worker == workers - 1) atomic_store(&l->t->cancel, 1);
}

static uint64_t random_next(uint64_t *state)
{
    *state += 0x9e3779b97f4a7c15u;
    return mix(*state);
}

/* Regions that pass rows on, with some that are skipped in between. Returns the number of rows written. */
static size_t random_regions(uint64_t *state, table *t, size_t columns, row_link *links, hlmi_region *regions, size_t n,
                             size_t rows)
{
    size_t used = 0;
    memset(t, 0, sizeof *t);
    t->columns = columns;
    t->cancel_at = SIZE_MAX;
    for (size_t i = 0; i < n; i++) {
        const uint64_t kind = random_next(state) % 4;
        const bool skip = kind >= 2;
        links[i] = (row_link){t, skip ? 0 : ++used};
        regions[i] = (hlmi_region){.run = add_row, .arg = &links[i]};
        if (kind == 1) regions[i].min_rows = rows;
        if (kind == 2) regions[i].min_rows = rows + 1;
        if (kind == 3) regions[i].max_rows = rows - 1;
    }
    return used;
}

static void check_rows(const table *t, size_t rows, size_t workers)
{
    uint64_t before[MAX_WORKERS] = {0}, want[MAX_WORKERS];
    for (size_t r = 1; r <= rows; r++) {
        for (size_t w = 0; w < workers; w++) want[w] = cell_of(before, workers, w);
        ck_assert_mem_eq(t->cell[r], want, workers * sizeof *want);
        memcpy(before, want, sizeof before);
    }
    for (size_t w = 0; w < workers; w++) ck_assert_uint_eq(t->calls[w], rows);
}

static hlmi_team *team_of(int32_t n, const hlm_executor *executor)
{
    const hlmi_mem mem = hlmi_mem_default();
    hlmi_team *team;
    ck_assert_int_eq(hlmi_team_new(&team, &mem, n, MAX_WORKERS, executor), HLM_OK);
    if (n) ck_assert_uint_eq(hlmi_team_workers(team), (size_t)n);
    return team;
}

static void stress(int32_t workers, const hlm_executor *executor, int runs)
{
    hlmi_team *team = team_of(workers, executor);
    uint64_t state = (uint64_t)workers;
    for (int i = 0; i < runs; i++) {
        table t;
        row_link links[MAX_REGIONS];
        hlmi_region regions[MAX_REGIONS];
        const size_t n = random_next(&state) % (MAX_REGIONS + 1), rows = 2 + random_next(&state) % 9;
        const size_t used = random_regions(&state, &t, (size_t)workers, links, regions, n, rows);
        if (random_next(&state) % 16 == 0 && used) t.cancel_at = 1 + random_next(&state) % used;
        const hlmi_work work = {.regions = regions, .n = n, .rows = rows, .cancel = &t.cancel};
        const hlm_status st = hlmi_team_run(team, &work);
        const bool early = t.cancel_at < used; /* cancelling in the last region is too late */
        ck_assert_int_eq(st, early ? HLM_E_CANCELLED : HLM_OK);
        check_rows(&t, early ? t.cancel_at : used, (size_t)workers);
        if (random_next(&state) % 256 == 0) /* long enough for the others to fall asleep */
            nanosleep(&(struct timespec){.tv_nsec = 500 * 1000}, NULL);
    }
    hlmi_team_free(team);
}

START_TEST(own_threads)
{
    for (int32_t workers = 1; workers <= MAX_WORKERS; workers += workers < 4 ? 1 : 4) stress(workers, NULL, 2000);
}
END_TEST

static int32_t for_loop(void *user, size_t n, hlm_task *task, void *arg);

/* ---- helpers that do not come ---- */

/* The linker gives the team this one (--wrap): threads that begin when they may. */
static atomic_bool held, was_held;
hlmi_os_thread *__real_hlmi_os_thread_start(void (*run)(void *), void *arg);
hlmi_os_thread *__wrap_hlmi_os_thread_start(void (*run)(void *), void *arg);

typedef struct late {
    void (*run)(void *);
    void *arg;
} late;

static void late_main(void *p)
{
    const late l = *(late *)p;
    free(p);
    while (atomic_load(&held)) nanosleep(&(struct timespec){.tv_nsec = 100 * 1000}, NULL);
    l.run(l.arg);
}

hlmi_os_thread *__wrap_hlmi_os_thread_start(void (*run)(void *), void *arg)
{
    late *l = atomic_load(&held) ? malloc(sizeof *l) : NULL;
    if (!l) return __real_hlmi_os_thread_start(run, arg);
    *l = (late){run, arg};
    atomic_store(&was_held, true);
    return __real_hlmi_os_thread_start(late_main, l);
}

/* Nobody waits for a helper that has begun nothing, and one that comes late finds its place. */
START_TEST(late_helpers)
{
    for (int32_t workers = 2; workers <= MAX_WORKERS; workers += 3) {
        table t;
        row_link links[MAX_REGIONS];
        hlmi_region regions[MAX_REGIONS];
        uint64_t state = 7;
        atomic_store(&held, true);
        hlmi_team *team = team_of(workers, NULL);
        ck_assert(atomic_load(&was_held));
        for (int i = 0; i < 400; i++) {
            const size_t used = random_regions(&state, &t, (size_t)workers, links, regions, MAX_REGIONS, 3);
            if (i == 100) atomic_store(&held, false);
            ck_assert_int_eq(hlmi_team_run(team, &(hlmi_work){.regions = regions, .n = MAX_REGIONS, .rows = 3}),
                             HLM_OK);
            check_rows(&t, used, (size_t)workers);
        }
        hlmi_team_free(team);
    }
}
END_TEST

enum { BURN_NS = 300 * 1000 };

static void burn(const void *arg, const void *step, size_t worker, size_t workers)
{
    (void)arg;
    (void)step;
    (void)worker;
    (void)workers;
    for (const uint64_t end = hlmi_os_thread_now() + BURN_NS; hlmi_os_thread_now() < end;) {
    }
}

/* A part takes as long as the thread that had most to do, and that may have had several shares. */
START_TEST(parts_without_helpers)
{
    const hlmi_region region = {.run = burn};
    const hlmi_work work = {.regions = &region, .n = 1, .rows = 1};
    uint64_t took;
    atomic_store(&held, true);
    hlmi_team *team = team_of(3, NULL);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(hlmi_team_piece(team, &work, 0, (hlmi_piece){0}, &took), HLM_OK);
        ck_assert_uint_ge(took, 3 * BURN_NS);
    }
    atomic_store(&held, false);
    hlmi_team_free(team);
}
END_TEST

/* There are no more workers than cores, but for an executor. */
START_TEST(more_threads_than_cores)
{
    const hlmi_mem mem = hlmi_mem_default();
    const hlm_executor e = {.struct_size = sizeof e, .parallel_for = for_loop};
    hlmi_team *team;
    ck_assert_int_eq(hlmi_team_new(&team, &mem, 7, 2, NULL), HLM_OK);
    ck_assert_uint_eq(hlmi_team_workers(team), 2);
    hlmi_team_free(team);
    ck_assert_int_eq(hlmi_team_new(&team, &mem, 7, 2, &e), HLM_OK);
    ck_assert_uint_eq(hlmi_team_workers(team), 7);
    hlmi_team_free(team);
}
END_TEST

/* ---- executors ---- */

typedef struct foreign {
    hlm_task *task;
    void *arg;
    size_t index;
} foreign;

static void foreign_main(void *p)
{
    const foreign *f = p;
    f->task(f->arg, f->index);
}

/* Every task on a thread of its own, the last ones first. */
static int32_t for_threads(void *user, size_t n, hlm_task *task, void *arg)
{
    (void)user;
    foreign f[MAX_WORKERS];
    hlmi_os_thread *t[MAX_WORKERS];
    for (size_t i = 0; i < n; i++) {
        f[i] = (foreign){task, arg, n - 1 - i};
        t[i] = hlmi_os_thread_start(foreign_main, &f[i]);
        ck_assert_ptr_nonnull(t[i]);
    }
    for (size_t i = 0; i < n; i++) hlmi_os_thread_join(t[i]);
    return 0;
}

/* One after another: would hang if a task waited for another. */
static int32_t for_loop(void *user, size_t n, hlm_task *task, void *arg)
{
    (void)user;
    for (size_t i = n; i-- > 0;) task(arg, i);
    return 0;
}

static int32_t for_failing(void *user, size_t n, hlm_task *task, void *arg)
{
    int *left = user;
    return (*left)-- > 0 ? for_loop(NULL, n, task, arg) : 1;
}

START_TEST(executor)
{
    const hlm_executor threads = {.struct_size = sizeof threads, .parallel_for = for_threads};
    const hlm_executor loop = {.struct_size = sizeof loop, .parallel_for = for_loop};
    for (int32_t workers = 1; workers <= MAX_WORKERS; workers++) {
        stress(workers, &loop, 500);
        stress(workers, &threads, 2);
    }
}
END_TEST

START_TEST(executor_refuses)
{
    int left = 1;
    const hlm_executor e = {.struct_size = sizeof e, .user = &left, .parallel_for = for_failing};
    table t = {.columns = 3, .cancel_at = SIZE_MAX};
    const row_link links[] = {{&t, 1}, {&t, 2}};
    const hlmi_region regions[] = {{.run = add_row, .arg = &links[0]}, {.run = add_row, .arg = &links[1]}};
    hlmi_team *team = team_of(3, &e);
    ck_assert_int_eq(hlmi_team_run(team, &(hlmi_work){.regions = regions, .n = 2, .rows = 1, .cancel = NULL}),
                     HLM_E_CANCELLED);
    check_rows(&t, 1, 3);
    hlmi_team_free(team);
}
END_TEST

/* ---- arguments ---- */

START_TEST(arguments)
{
    const hlmi_mem mem = hlmi_mem_default();
    const hlm_executor none = {.struct_size = sizeof none}, cut = {.struct_size = 4, .parallel_for = for_loop};
    hlmi_team *team;
    ck_assert_int_eq(hlmi_team_new(&team, &mem, -1, 2, NULL), HLM_E_ARG);
    ck_assert_ptr_null(team);
    ck_assert_int_eq(hlmi_team_new(&team, &mem, HLMI_TEAM_MAX + 1, 2, NULL), HLM_E_ARG);
    ck_assert_int_eq(hlmi_team_new(&team, &mem, 2, 2, &none), HLM_E_ARG);
    ck_assert_int_eq(hlmi_team_new(&team, &mem, 2, 2, &cut), HLM_E_ARG);
    hlmi_team_free(NULL);
    team = team_of(0, NULL);
    ck_assert_uint_eq(hlmi_team_workers(team), MAX_WORKERS);
    ck_assert_int_eq(hlmi_team_run(team, &(hlmi_work){.regions = NULL, .n = 0, .rows = 1, .cancel = NULL}), HLM_OK);
    hlmi_team_free(team);
}
END_TEST

START_TEST(cancelled_before)
{
    for (int32_t workers = 1; workers <= 3; workers++) {
        table t = {.columns = (size_t)workers, .cancel_at = SIZE_MAX, .cancel = 1};
        const row_link l = {&t, 1};
        const hlmi_region region = {.run = add_row, .arg = &l};
        const hlmi_work work = {.regions = &region, .n = 1, .rows = 1, .cancel = &t.cancel};
        hlmi_team *team = team_of(workers, NULL);
        ck_assert_int_eq(hlmi_team_run(team, &work), HLM_E_CANCELLED);
        t.cancel = 0;
        ck_assert_int_eq(hlmi_team_run(team, &work), HLM_OK);
        check_rows(&t, 1, (size_t)workers);
        hlmi_team_free(team);
    }
}
END_TEST

/* ---- memory ---- */

static void *alloc_nothing_after(void *user, size_t size, size_t align)
{
    int *left = user;
    return (*left)-- > 0 ? hlmi_os_alloc(NULL, size, align) : NULL;
}

static void free_it(void *user, void *p)
{
    (void)user;
    hlmi_os_free(NULL, p);
}

START_TEST(out_of_memory)
{
    hlmi_team *team;
    hlm_status st = HLM_E_NOMEM;
    int allowed = 0;
    for (; st != HLM_OK; allowed++) {
        int left = allowed;
        const hlmi_mem mem = {&left, alloc_nothing_after, free_it};
        ck_assert_int_lt(allowed, 10);
        st = hlmi_team_new(&team, &mem, 2, 2, NULL);
        ck_assert_int_eq(st, left >= 0 ? HLM_OK : HLM_E_NOMEM);
        if (st == HLM_OK) hlmi_team_free(team);
        else ck_assert_ptr_null(team);
    }
    ck_assert_int_gt(allowed, 1);
}
END_TEST

/* ---- the control word ---- */

typedef struct rounding {
    float sum[MAX_WORKERS];
} rounding;

/* 1 when rounded to nearest, more when rounded upward. */
static float one_and_a_bit(void)
{
    volatile float one = 1.0f, bit = 1e-10f;
    return one + bit;
}

static void see_rounding(const void *arg, const void *step, size_t worker, size_t workers)
{
    rounding *const *r = arg;
    (void)step;
    (void)workers;
    (*r)->sum[worker] = one_and_a_bit();
}

START_TEST(control_word)
{
    const hlm_executor e = {.struct_size = sizeof e, .parallel_for = for_loop};
    for (int own = 0; own < 2; own++) {
        for (int32_t workers = 1; workers <= 3; workers++) {
            rounding r = {{0.0f}}, *arg = &r;
            const hlmi_region region = {.run = see_rounding, .arg = &arg};
            ck_assert_int_eq(fesetround(FE_UPWARD), 0);
            hlmi_team *team = team_of(workers, own ? NULL : &e);
            ck_assert_int_eq(hlmi_team_run(team, &(hlmi_work){.regions = &region, .n = 1, .rows = 1, .cancel = NULL}),
                             HLM_OK);
            hlmi_team_free(team);
            ck_assert(one_and_a_bit() > 1.0f);
            fesetround(FE_TONEAREST);
            for (int32_t w = 0; w < workers; w++) ck_assert(r.sum[w] == 1.0f);
        }
    }
}
END_TEST

#if defined(__SSE2__)
START_TEST(denormals)
{
    const unsigned found = __builtin_ia32_stmxcsr();
    __builtin_ia32_ldmxcsr(found | 0x8040); /* flush to zero, denormals are zero */
    const unsigned callers = __builtin_ia32_stmxcsr();
    const uint64_t before = hlmi_fpenv_enter();
    volatile float tiny = 1e-30f;
    const float denormal = tiny * 1e-10f;
    hlmi_fpenv_leave(before);
    const unsigned after = __builtin_ia32_stmxcsr();
    __builtin_ia32_ldmxcsr(found);
    ck_assert(denormal > 0);
    ck_assert_uint_eq(after, callers);
}
END_TEST
#endif

/* ---- idle ---- */

static void nothing(const void *arg, const void *step, size_t worker, size_t workers)
{
    (void)arg;
    (void)step;
    (void)worker;
    (void)workers;
}

static uint64_t cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

START_TEST(idle)
{
    const hlmi_region region = {.run = nothing};
    hlmi_team *team = team_of(4, NULL);
    ck_assert_int_eq(hlmi_team_run(team, &(hlmi_work){.regions = &region, .n = 1, .rows = 1, .cancel = NULL}), HLM_OK);
    nanosleep(&(struct timespec){.tv_nsec = 20 * 1000 * 1000}, NULL); /* falling asleep may cost a little */
    const uint64_t before = cpu_ns();
    nanosleep(&(struct timespec){.tv_nsec = 200 * 1000 * 1000}, NULL);
    const uint64_t used = cpu_ns() - before;
    ck_assert_msg(used < 1000 * 1000, "%llu ns of CPU time in 200 ms of idling", (unsigned long long)used);
    hlmi_team_free(team);
}
END_TEST

/* In the child of a fork: 0 when the team gives the status it should and can be freed. */
static int run_in_child(hlmi_team *team, hlm_status expected)
{
    const hlmi_region region = {.run = nothing};
    const pid_t child = fork();
    if (child == 0) {
        alarm(20); /* instead of a deadlock */
        const hlm_status st = hlmi_team_run(team, &(hlmi_work){.regions = &region, .n = 1, .rows = 1, .cancel = NULL});
        hlmi_team_free(team);
        _exit(st == expected ? 0 : 1);
    }
    int status = -1;
    waitpid(child, &status, 0);
    return status;
}

START_TEST(forked)
{
    const hlmi_region region = {.run = nothing};
    for (int32_t workers = 1; workers <= 3; workers++) {
        hlmi_team *team = team_of(workers, NULL);
        ck_assert_int_eq(hlmi_team_run(team, &(hlmi_work){.regions = &region, .n = 1, .rows = 1, .cancel = NULL}),
                         HLM_OK);
        ck_assert_int_eq(run_in_child(team, workers == 1 ? HLM_OK : HLM_E_MISMATCH), 0);
        ck_assert_int_eq(hlmi_team_run(team, &(hlmi_work){.regions = &region, .n = 1, .rows = 1, .cancel = NULL}),
                         HLM_OK);
        hlmi_team_free(team);
    }
}
END_TEST

/* ---- parts of regions ---- */

enum { ITEMS = 777, SLOW_NS = 8 * 1000 * 1000 };

/* A region of items, each to be done once; all of them take SLOW_NS at least. */
typedef struct items {
    atomic_uint done[ITEMS], calls;
    unsigned cancel_at; /* the call that cancels; 0: none */
    volatile _Atomic int32_t cancel;
} items;

static void do_items(const void *arg, const void *step, size_t worker, size_t workers)
{
    items *t = (items *)(uintptr_t)arg;
    (void)step;
    nanosleep(&(struct timespec){.tv_nsec = SLOW_NS / (long)workers}, NULL);
    for (size_t i = ITEMS * worker / workers; i < ITEMS * (worker + 1) / workers; i++) atomic_fetch_add(&t->done[i], 1);
    if (atomic_fetch_add(&t->calls, 1) + 1 == t->cancel_at) atomic_store(&t->cancel, 1);
}

static void check_items(items *t, unsigned times)
{
    for (size_t i = 0; i < ITEMS; i++) ck_assert_uint_eq(atomic_load(&t->done[i]), times);
}

/* A region that took long is divided, and a cancel between two parts ends it. */
START_TEST(long_regions_in_parts)
{
    for (int32_t workers = 1; workers <= 3; workers++) {
        static items t;
        hlmi_cost cost = {{0}};
        const hlmi_region region = {.run = do_items, .arg = &t, .cost = &cost};
        const hlmi_work work = {.regions = &region, .n = 1, .rows = 1, .cancel = &t.cancel};
        hlmi_team *team = team_of(workers, NULL);
        memset(&t, 0, sizeof t);
        ck_assert_int_eq(hlmi_team_run(team, &work), HLM_OK);
        check_items(&t, 1);
        atomic_store(&t.calls, 0);
        ck_assert_int_eq(hlmi_team_run(team, &work), HLM_OK);
        check_items(&t, 2);
        ck_assert_uint_gt(atomic_load(&t.calls), (unsigned)(4 * workers));
        atomic_store(&t.calls, 0);
        t.cancel_at = 2;
        ck_assert_int_eq(hlmi_team_run(team, &work), HLM_E_CANCELLED);
        ck_assert_uint_le(atomic_load(&t.calls), (unsigned)(2 + workers));
        hlmi_team_free(team);
    }
}
END_TEST

/* A slice without time is one part, and all slices are the list. */
START_TEST(slices)
{
    for (int32_t workers = 1; workers <= 3; workers++) {
        static items t[2];
        hlmi_cost cost[2] = {{{0}}};
        const hlmi_region regions[] = {{.run = do_items, .arg = &t[0], .cost = &cost[0]},
                                       {.run = do_items, .arg = &t[1], .min_rows = 2},
                                       {.run = do_items, .arg = &t[1], .cost = &cost[1]}};
        const hlmi_work work = {.regions = regions, .n = 3, .rows = 1, .cancel = &t[0].cancel};
        hlmi_team *team = team_of(workers, NULL);
        hlmi_stop at = {0};
        bool done = false;
        unsigned before = 0;
        memset(t, 0, sizeof t);
        while (!done) {
            hlmi_slice s = {.until = 0};
            ck_assert_int_eq(hlmi_slice_run(team, &work, &at, &s, &done), HLM_OK);
            const unsigned calls = atomic_load(&t[0].calls) + atomic_load(&t[1].calls);
            ck_assert_uint_eq(s.parts, 1);
            ck_assert_uint_eq(calls - before, (unsigned)workers);
            before = calls;
        }
        check_items(&t[0], 1);
        check_items(&t[1], 1);
        hlmi_slice s = {.until = UINT64_MAX};
        ck_assert_int_eq(hlmi_slice_run(team, &work, &at, &s, &done), HLM_OK);
        ck_assert(done);
        check_items(&t[1], 2);
        atomic_store(&t[0].cancel, 1);
        ck_assert_int_eq(hlmi_slice_run(team, &work, &at, &s, &done), HLM_E_CANCELLED);
        check_items(&t[0], 2);
        hlmi_team_free(team);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        own_threads,
        late_helpers,
        parts_without_helpers,
        more_threads_than_cores,
        executor,
        executor_refuses,
        arguments,
        cancelled_before,
        out_of_memory,
        control_word,
        long_regions_in_parts,
        slices,
#if defined(__SSE2__)
        denormals,
#endif
        idle,
        forked
    };
    return suite_run("team", tests, sizeof tests / sizeof *tests);
}
