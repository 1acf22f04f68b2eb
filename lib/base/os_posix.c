/* POSIX: memory and time. Files are in os_posix_file.c, threads in os_posix_thread.c. */
#define _GNU_SOURCE 1
#include "base/os.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

enum { LARGE_PAGE = 2 << 20 };

static bool is_large(size_t size)
{
    return size >= 2 * LARGE_PAGE;
}

/* Memory of several large pages begins on one and asks for them: weights are read from end to end for every token, and
 * with small pages the core walks page tables all the while. */
void *hlmi_os_alloc(void *user, size_t size, size_t align)
{
    (void)user;
    void *p = NULL;
    const size_t at = is_large(size) ? LARGE_PAGE : sizeof(void *);
    if (posix_memalign(&p, align < at ? at : align, size) != 0) return NULL;
    hlmi_os_large_pages(p, size, true);
    return p;
}

void hlmi_os_large_pages(void *p, size_t size, bool wanted)
{
#ifdef MADV_HUGEPAGE
    if (is_large(size)) madvise(p, size / LARGE_PAGE * LARGE_PAGE, wanted ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
#endif
    (void)p, (void)size, (void)wanted;
}

void hlmi_os_free(void *user, void *ptr)
{
    (void)user;
    free(ptr);
}

uint64_t hlmi_os_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t hlmi_os_thread_now(void)
{
    struct timespec t;
    if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) != 0) return hlmi_os_now();
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

int64_t hlmi_os_clock(void)
{
    return (int64_t)time(NULL);
}
