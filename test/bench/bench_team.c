/* What a barrier costs for 1 to 4 workers, how regions of given work scale, how long a sleeping team takes to start,
 * and what idling costs. The best of several rounds counts, for other programs disturb this more than most. */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/os.h"
#include "exec/team.h"

enum { REGIONS = 400, ROUNDS = 30, MAX_WORKERS = 4 };

/* A region's work: a chain of dependent steps, split evenly over the workers. */
typedef struct chain {
    uint64_t steps;
} chain;

static void work(const void *arg, const void *step, size_t worker, size_t workers)
{
    const chain *c = arg;
    (void)step;
    (void)worker;
    volatile uint64_t sink;
    uint64_t x = worker;
    for (uint64_t i = c->steps / workers; i > 0; i--) x = x * 6364136223846793005u + 1;
    sink = x;
    (void)sink;
}

static uint64_t steps_per_us(void)
{
    uint64_t best = UINT64_MAX;
    const chain c = {1000 * 1000};
    for (int i = 0; i < 5; i++) {
        const uint64_t begin = hlmi_os_now();
        work(&c, NULL, 0, 1);
        const uint64_t ns = hlmi_os_now() - begin;
        if (ns < best) best = ns;
    }
    return c.steps * 1000 / best;
}

typedef struct times {
    double best, mean;
} times;

/* ns for each region of `steps` steps in all. */
static times region_ns(hlmi_team *team, uint64_t steps)
{
    static hlmi_region regions[REGIONS];
    static chain c; /* as long as what points to it */
    c.steps = steps;
    times t = {1e30, 0};
    for (size_t i = 0; i < REGIONS; i++) regions[i] = (hlmi_region){.run = work, .arg = &c};
    for (int i = 0; i < ROUNDS; i++) {
        const uint64_t begin = hlmi_os_now();
        hlmi_team_run(team, &(hlmi_work){.regions = regions, .n = REGIONS, .rows = 1, .cancel = NULL});
        const double ns = (double)(hlmi_os_now() - begin) / (double)REGIONS;
        if (ns < t.best) t.best = ns;
        t.mean += ns / (double)ROUNDS;
    }
    return t;
}

/* ns for a run of one empty region, `pause_ns` after the run before. */
static double start_ns(hlmi_team *team, long pause_ns)
{
    const chain c = {0};
    const hlmi_region region = {.run = work, .arg = &c};
    double best = 1e30;
    for (int i = 0; i < ROUNDS; i++) {
        const uint64_t end = hlmi_os_now() + (uint64_t)pause_ns;
        while (hlmi_os_now() < end) hlmi_os_pause();
        const uint64_t begin = hlmi_os_now();
        hlmi_team_run(team, &(hlmi_work){.regions = &region, .n = 1, .rows = 1, .cancel = NULL});
        const double ns = (double)(hlmi_os_now() - begin);
        if (ns < best) best = ns;
    }
    return best;
}

static uint64_t cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t idle_ns(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 20 * 1000 * 1000}, NULL);
    const uint64_t before = cpu_ns();
    nanosleep(&(struct timespec){.tv_nsec = 200 * 1000 * 1000}, NULL);
    return cpu_ns() - before;
}

int main(void)
{
    const hlmi_mem mem = hlmi_mem_default();
    const uint64_t us = steps_per_us();
    printf("%u cores; ns a region, best (mean)\n", hlmi_os_cores());
    printf("workers       empty       20 us of work in all      100 us in all   start at once, after 100 us   idle CPU "
           "in 200 ms\n");
    for (int32_t n = 1; n <= MAX_WORKERS; n++) {
        hlmi_team *team;
        if (hlmi_team_new(&team, &mem, n, hlmi_os_cores(), NULL) != HLM_OK) return 1;
        const times empty = region_ns(team, 0), small = region_ns(team, 20 * us), large = region_ns(team, 100 * us);
        const double warm = start_ns(team, 0), cold = start_ns(team, 100 * 1000);
        printf("%d  %8.0f (%8.0f)  %8.0f (%8.0f)  %8.0f (%8.0f)  %8.0f  %8.0f  %8" PRIu64 "\n", n, empty.best,
               empty.mean, small.best, small.mean, large.best, large.mean, warm, cold, idle_ns());
        hlmi_team_free(team);
    }
    return 0;
}
