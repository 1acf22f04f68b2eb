/* POSIX: threads, cores, and sleeping on a word (a futex on Linux, a shared mutex and condition elsewhere). */
#define _GNU_SOURCE 1
#include "base/os_posix.h"

#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#if defined(__linux__)
#  include <linux/futex.h>
#  include <sys/resource.h>
#  include <sys/syscall.h>
#endif

/* Tasks fit 16 KB; the rest is for the C library, sanitizers and red zones. */
enum { STACK_BYTES = 256 * 1024, NS_A_SECOND = 1000 * 1000 * 1000 };

struct hlmi_os_thread {
    pthread_t id;
    uint64_t process;
    void (*run)(void *);
    void *arg;
};

static void *thread_main(void *p)
{
    hlmi_os_thread *t = p;
    t->run(t->arg);
    return NULL;
}

/* Starts t with a small stack; the new thread inherits the caller's signal mask. */
static int thread_create(hlmi_os_thread *t)
{
    pthread_attr_t attr;
    int rc = pthread_attr_init(&attr);
    if (rc) return rc;
    rc = pthread_attr_setstacksize(&attr, STACK_BYTES);
    if (!rc) rc = pthread_create(&t->id, &attr, thread_main, t);
    pthread_attr_destroy(&attr);
    return rc;
}

/* What a worker leaves to the host's handlers: what comes of its own instructions, and of the host's profiler, which
 * counts them. Everything else is for the host's threads, and its handlers may need more than a worker's stack. */
static void from_outside(sigset_t *set)
{
    static const int own[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGPROF};
    sigfillset(set);
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) sigdelset(set, own[i]);
}

hlmi_os_thread *hlmi_os_thread_start(void (*run)(void *), void *arg)
{
    hlmi_os_thread *t = malloc(sizeof *t);
    if (!t) return NULL;
    *t = (hlmi_os_thread){.process = hlmi_os_process(), .run = run, .arg = arg};
    sigset_t outside, before;
    from_outside(&outside);
    int rc = pthread_sigmask(SIG_SETMASK, &outside, &before);
    if (!rc) {
        rc = thread_create(t);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    if (rc) {
        free(t);
        return NULL;
    }
    return t;
}

void hlmi_os_thread_join(hlmi_os_thread *t)
{
    if (t->process == hlmi_os_process()) pthread_join(t->id, NULL);
    free(t);
}

uint64_t hlmi_os_process(void)
{
    return (uint64_t)getpid();
}

unsigned hlmi_os_cores(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
#if defined(__linux__)
    cpu_set_t set;
    const unsigned quota = hlmi_os_quota("");
    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0) n = CPU_COUNT(&set);
    if (quota && n > (long)quota) n = (long)quota;
#endif
    return n > 0 ? (unsigned)n : 1;
}

#if defined(__linux__)

void hlmi_os_wait(volatile uint32_t *word, uint32_t value, uint64_t ns)
{
    const struct timespec t = {.tv_sec = (time_t)(ns / NS_A_SECOND), .tv_nsec = (long)(ns % NS_A_SECOND)};
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, &t, NULL, 0);
}

uint64_t hlmi_os_core_lost(void)
{
    struct rusage u;
    return getrusage(RUSAGE_THREAD, &u) == 0 ? (uint64_t)u.ru_nivcsw : 0;
}

void hlmi_os_wake_all(volatile uint32_t *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

#else

/* Everybody sleeps in one place, whatever the word: waking for no reason is allowed, and few threads ever get here. The
 * one exception to "no globals". */
static pthread_mutex_t sleep_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t sleep_cond = PTHREAD_COND_INITIALIZER;

void hlmi_os_wait(volatile uint32_t *word, uint32_t value, uint64_t ns)
{
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    ns += (uint64_t)end.tv_nsec;
    end.tv_sec += (time_t)(ns / NS_A_SECOND);
    end.tv_nsec = (long)(ns % NS_A_SECOND);
    pthread_mutex_lock(&sleep_lock);
    if (__atomic_load_n(word, __ATOMIC_SEQ_CST) == value) pthread_cond_timedwait(&sleep_cond, &sleep_lock, &end);
    pthread_mutex_unlock(&sleep_lock);
}

uint64_t hlmi_os_core_lost(void)
{
    return 0;
}

void hlmi_os_wake_all(volatile uint32_t *word)
{
    (void)word;
    pthread_mutex_lock(&sleep_lock);
    pthread_cond_broadcast(&sleep_cond);
    pthread_mutex_unlock(&sleep_lock);
}

#endif

void hlmi_os_yield(void)
{
    sched_yield();
}

void hlmi_os_pause(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb" ::: "memory"); /* waits tens of cycles; `yield` is a no-op on most cores */
#endif
}
