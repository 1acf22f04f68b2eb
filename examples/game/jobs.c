/* The game's threads: they look for work while a frame thinks, and sleep otherwise. */
#define _POSIX_C_SOURCE 200809L
#include "game.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

typedef struct job {
    jobs *all;
    size_t index;
    pthread_t thread;
} job;

struct jobs {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    int thinking, quit; /* under the lock */
    atomic_int awake;
    hlm_task *task;
    void *arg;
    atomic_size_t round, left; /* one task a thread and round */
    size_t n; /* threads that run, the caller's included */
    job own[];
};

/* Sleeps until a frame thinks. False: the game is over. */
static int wait_for_frame(jobs *j)
{
    pthread_mutex_lock(&j->lock);
    while (!j->thinking && !j->quit) pthread_cond_wait(&j->wake, &j->lock);
    const int quit = j->quit;
    pthread_mutex_unlock(&j->lock);
    return !quit;
}

static void *job_thread(void *arg)
{
    jobs *j = ((job *)arg)->all;
    size_t seen = 0;
    while (wait_for_frame(j)) {
        while (atomic_load(&j->awake)) {
            if (atomic_load(&j->round) == seen) {
                sched_yield();
                continue;
            }
            seen++;
            j->task(j->arg, ((job *)arg)->index);
            atomic_fetch_sub(&j->left, 1);
        }
    }
    return NULL;
}

static int32_t run(void *user, size_t n, hlm_task *task, void *arg)
{
    jobs *j = user;
    j->task = task;
    j->arg = arg;
    atomic_store(&j->left, n - 1);
    atomic_fetch_add(&j->round, 1);
    task(arg, 0);
    while (atomic_load(&j->left)) sched_yield();
    return 0;
}

hlm_executor jobs_executor(jobs *j)
{
    return (hlm_executor){.struct_size = sizeof(hlm_executor), .user = j, .parallel_for = run};
}

void jobs_wake(jobs *j, int awake)
{
    pthread_mutex_lock(&j->lock);
    j->thinking = awake;
    atomic_store(&j->awake, awake);
    pthread_cond_broadcast(&j->wake);
    pthread_mutex_unlock(&j->lock);
}

jobs *jobs_start(size_t threads)
{
    jobs *j = calloc(1, sizeof *j + threads * sizeof *j->own);
    if (!j) return NULL;
    pthread_mutex_init(&j->lock, NULL);
    pthread_cond_init(&j->wake, NULL);
    for (j->n = 1; j->n < threads; j->n++) {
        j->own[j->n] = (job){.all = j, .index = j->n};
        if (pthread_create(&j->own[j->n].thread, NULL, job_thread, &j->own[j->n]) == 0) continue;
        jobs_stop(j);
        return NULL;
    }
    return j;
}

void jobs_stop(jobs *j)
{
    if (!j) return;
    pthread_mutex_lock(&j->lock);
    j->quit = 1;
    pthread_cond_broadcast(&j->wake);
    pthread_mutex_unlock(&j->lock);
    for (size_t i = 1; i < j->n; i++) pthread_join(j->own[i].thread, NULL);
    pthread_mutex_destroy(&j->lock);
    pthread_cond_destroy(&j->wake);
    free(j);
}
