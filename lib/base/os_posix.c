/* POSIX: memory, open files, time. Opening is in os_posix_open.c, threads are in os_posix_thread.c. */
#define _GNU_SOURCE 1
#include "base/os_posix.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

struct hlmi_os_file {
    int fd;
    uint64_t size;
    void *map;
};

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

int hlmi_os_open(const char *path, hlmi_os_file **file)
{
    int fd;
    uint64_t size;
    const int rc = hlmi_os_open_fd(path, &fd, &size);
    if (rc != 0) return rc;
    hlmi_os_file *f = calloc(1, sizeof *f);
    if (!f) {
        close(fd);
        return hlmi_os_why(ENOMEM);
    }
    f->fd = fd;
    f->size = size;
    *file = f;
    return 0;
}

int hlmi_os_size(hlmi_os_file *file, uint64_t *size)
{
    *size = file->size;
    return 0;
}

int hlmi_os_read_at(hlmi_os_file *file, uint64_t offset, void *out, size_t n)
{
    unsigned char *p = out;
    while (n) {
        const ssize_t got = pread(file->fd, p, n, (off_t)offset);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return hlmi_os_why(errno);
        if (got == 0) return HLMI_OS_ENDED;
        p += got;
        offset += (uint64_t)got;
        n -= (size_t)got;
    }
    return 0;
}

int hlmi_os_map(hlmi_os_file *file, const void **data)
{
    if (!file->map) {
        if (file->size == 0 || file->size > SIZE_MAX) return hlmi_os_why(EINVAL);
        void *p = mmap(NULL, (size_t)file->size, PROT_READ, MAP_PRIVATE, file->fd, 0);
        if (p == MAP_FAILED) return hlmi_os_why(errno);
        file->map = p;
    }
    *data = file->map;
    return 0;
}

void hlmi_os_map_drop(const void *p, size_t n)
{
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    const uintptr_t lo = ((uintptr_t)p + page - 1) / page * page, hi = ((uintptr_t)p + n) / page * page;
    if (lo < hi) madvise((void *)lo, hi - lo, MADV_DONTNEED);
}

void hlmi_os_close(hlmi_os_file *file)
{
    if (!file) return;
    if (file->map) munmap(file->map, (size_t)file->size);
    close(file->fd);
    free(file);
}

bool hlmi_os_is_dir(const char *path)
{
    return hlmi_os_look(path) == HLMI_OS_FOLDER;
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
