/* A case's process: limits, waiting, and what became of it. */
#define _GNU_SOURCE 1
#include "hostile.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Sanitizers reserve address space by the terabyte, so there the limit would end every process. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANITIZED = 1 };
#elif defined(__has_feature)
#  if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
enum { SANITIZED = 1 };
#  else
enum { SANITIZED = 0 };
#  endif
#else
enum { SANITIZED = 0 };
#endif

/* Above the resident limit, which is measured: this only saves the machine from a case that runs away. */
static const rlim_t ADDRESS_SPACE = (rlim_t)2 << 30;

static long long now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (long long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void child_main(const hostile_job *job, int fd)
{
    hostile_report r = {0};
    const struct rlimit no_core = {0}, space = {.rlim_cur = ADDRESS_SPACE, .rlim_max = ADDRESS_SPACE};
    setrlimit(RLIMIT_CORE, &no_core);
    if (!SANITIZED) setrlimit(RLIMIT_AS, &space);
    hostile_run(job, &r);
    const char *p = (const char *)&r;
    for (size_t left = sizeof r; left;) {
        const ssize_t n = write(fd, p, left);
        if (n < 0 && errno != EINTR) _exit(3);
        if (n > 0) {
            p += n;
            left -= (size_t)n;
        }
    }
    close(fd);
    exit(0); /* through the leak checker, where there is one */
}

/* Reads until the child closes the pipe or the time is over; false: it is over. */
static bool collect(int fd, long long end, hostile_report *r, size_t *got)
{
    for (*got = 0;;) {
        const long long left = end - now_ms();
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (left <= 0) return false;
        if (poll(&p, 1, (int)left) <= 0) continue;
        char more;
        char *to = *got < sizeof *r ? (char *)r + *got : &more;
        const ssize_t n = read(fd, to, *got < sizeof *r ? sizeof *r - *got : 1);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return true;
        *got += (size_t)n;
    }
}

/* The child has closed its pipe; now it only has to end. */
static bool wait_until(pid_t pid, long long end, int *status, struct rusage *use)
{
    while (wait4(pid, status, WNOHANG, use) == 0) {
        if (now_ms() >= end) return false;
        const struct timespec nap = {.tv_nsec = 200000};
        nanosleep(&nap, NULL);
    }
    return true;
}

static void judge_end(int status, const struct rusage *use, bool in_time, size_t got, hostile_report *r)
{
    const long resident = use->ru_maxrss / 1024;
    if (!in_time) snprintf(r->broken, sizeof r->broken, "it ran for more than %d ms", HOSTILE_WALL_MS);
    else if (WIFSIGNALED(status)) snprintf(r->broken, sizeof r->broken, "it was ended by signal %d", WTERMSIG(status));
    else if (WEXITSTATUS(status) || got != sizeof *r)
        snprintf(r->broken, sizeof r->broken, "it exited with status %d", WEXITSTATUS(status));
    else if (resident > HOSTILE_RESIDENT_MB)
        snprintf(r->broken, sizeof r->broken, "it had %ld MB resident, %d are allowed", resident, HOSTILE_RESIDENT_MB);
    else return;
    r->message[0] = '\0';
}

bool hostile_spawn(const hostile_job *job, hostile_report *report)
{
    int fd[2], status = 0;
    struct rusage use = {0};
    size_t got = 0;
    *report = (hostile_report){0};
    fflush(NULL);
    if (pipe(fd) != 0) {
        snprintf(report->broken, sizeof report->broken, "pipe: %s", strerror(errno));
        return false;
    }
    const long long end = now_ms() + HOSTILE_WALL_MS;
    const pid_t pid = fork();
    if (pid == 0) {
        close(fd[0]);
        child_main(job, fd[1]);
    }
    close(fd[1]);
    bool in_time = pid > 0 && collect(fd[0], end, report, &got) && wait_until(pid, end, &status, &use);
    close(fd[0]);
    if (pid > 0 && !in_time) {
        kill(pid, SIGKILL);
        wait4(pid, &status, 0, &use);
    }
    const bool told = got == sizeof *report && report->broken[0];
    if (!told) judge_end(status, &use, in_time, got, report);
    return !report->broken[0];
}
