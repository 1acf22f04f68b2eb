/* Threads and clocks of the peak measurements (see peak.h). */
#define _GNU_SOURCE 1
#include "peak.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "report.h"
#include "text.h"

typedef struct team {
    pthread_barrier_t start;
    void (*work)(void *arg, int index, int n_threads);
    void *arg;
    int n;
} team;

typedef struct member {
    team *t;
    pthread_t thread;
    int index;
    double started;
    double ended;
} member;

float cli_opaque_float(float value)
{
    volatile float v = value;
    return v;
}

int cli_opaque_int(int value)
{
    volatile int v = value;
    return v;
}

int cli_default_threads(void)
{
#ifdef __linux__
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0) return CPU_COUNT(&set);
#endif
    const long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 && n < 4096 ? (int)n : 1;
}

static void *work_of_member(void *arg)
{
    member *m = arg;
    pthread_barrier_wait(&m->t->start);
    m->started = cli_seconds();
    m->t->work(m->t->arg, m->index, m->t->n);
    m->ended = cli_seconds();
    return NULL;
}

static double wall(const member *members, int n)
{
    double first = members[0].started, last = members[0].ended;
    for (int i = 1; i < n; i++) {
        if (members[i].started < first) first = members[i].started;
        if (members[i].ended > last) last = members[i].ended;
    }
    return last - first;
}

double cli_team_run(int n_threads, void (*work)(void *arg, int index, int n_threads), void *arg)
{
    team t = {.work = work, .arg = arg, .n = n_threads};
    member *members = cli_alloc((size_t)n_threads, sizeof *members);
    double seconds = 0;
    if (pthread_barrier_init(&t.start, NULL, (unsigned)n_threads) == 0) {
        for (int i = 1; i < n_threads; i++) {
            members[i] = (member){.t = &t, .index = i};
            if (pthread_create(&members[i].thread, NULL, work_of_member, &members[i]) != 0) {
                /* Those already started wait for a barrier that can not open: nothing sensible is left. */
                fputs("hybridlm: a thread could not be started; use fewer (-t)\n", stderr);
                exit(CLI_FAILED);
            }
        }
        members[0] = (member){.t = &t};
        work_of_member(&members[0]);
        for (int i = 1; i < n_threads; i++) pthread_join(members[i].thread, NULL);
        pthread_barrier_destroy(&t.start);
        seconds = wall(members, n_threads);
    }
    free(members);
    return seconds;
}

typedef struct loop_work {
    const cli_peak_loop *loop;
    size_t rounds;
} loop_work;

static void run_loop(void *arg, int index, int n_threads)
{
    (void)index;
    (void)n_threads;
    const loop_work *w = arg;
    w->loop->run(w->rounds);
}

double cli_peak_measure(const cli_peak_loop *loop, int n_threads, double seconds)
{
    if (!loop) return 0;
    loop_work work = {.loop = loop, .rounds = 20000};
    const double trial = cli_team_run(1, run_loop, &work);
    if (trial <= 0) return 0;
    const double rounds = (double)work.rounds * seconds / trial;
    work.rounds = rounds < 1e9 ? (size_t)rounds + 1 : 1000000000;
    const double taken = cli_team_run(n_threads, run_loop, &work);
    return taken > 0 ? loop->ops * (double)work.rounds * n_threads / taken : 0;
}
