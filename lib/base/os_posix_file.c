/* POSIX: files and folders that are read. It is the one place where the library gets descriptors, and has the words for
 * what goes wrong with them. */
#define _GNU_SOURCE 1
#include "base/os_posix.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__linux__)
#  include <sys/syscall.h>
#endif

enum { LOWEST = 3 };

#ifdef O_PATH /* can be neither read nor written, as a closed one */
#  define FILLER (O_PATH | O_DIRECTORY | O_CLOEXEC)
#else
#  define FILLER (O_RDONLY | O_DIRECTORY | O_CLOEXEC)
#endif

/* ---- descriptors ---- */

/* Takes the standard numbers that nobody has, so that the next file gets another; how many. */
static int fill(int held[LOWEST])
{
    int n = 0;
    for (int fd = 0; fd < LOWEST; fd++) {
        if (fcntl(fd, F_GETFD) != -1) continue;
        const int taken = open("/", FILLER);
        if (taken < 0) break;
        held[n++] = taken;
        if (taken >= LOWEST) break;
    }
    return n;
}

/* The same file under a higher number. */
static int lift(int fd)
{
    const int higher = fcntl(fd, F_DUPFD_CLOEXEC, LOWEST);
    const int error = errno;
    close(fd);
    errno = error;
    return higher;
}

int hlmi_os_fd(const char *path, int flags, mode_t mode, bool *was_low)
{
    int held[LOWEST];
    int n = fill(held);
    const int fd = open(path, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, mode);
    const int error = errno;
    while (n > 0) close(held[--n]);
    errno = error;
    const bool low = fd >= 0 && fd < LOWEST;
    if (was_low) *was_low = low;
    return low ? lift(fd) : fd;
}

uint64_t hlmi_os_random(void)
{
    uint64_t v = 0;
#if defined(__linux__) && defined(SYS_getrandom)
    if (syscall(SYS_getrandom, &v, sizeof v, 1 /* at once or not at all */) != (long)sizeof v) v = 0;
#endif
    return v;
}

/* ---- reasons ---- */

int hlmi_os_why(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR: return HLMI_OS_MISSING | error << 8;
    case ENOSPC:
    case EDQUOT:
    case EFBIG: return HLMI_OS_FULL | error << 8;
    default: return HLMI_OS_FAILED | error << 8;
    }
}

typedef struct entry {
    int number;
    const char *words;
} entry;

/* strerror speaks the host's language, and in some systems is for one thread. */
static const entry errors[] = {
    {EACCES, "Permission denied"},        {EAGAIN, "Resource temporarily unavailable"},
    {EBUSY, "Device or resource busy"},   {EEXIST, "File exists"},
    {EDQUOT, "Disk quota exceeded"},      {EFBIG, "File too large"},
    {EINVAL, "Invalid argument"},         {EIO, "Input/output error"},
    {EISDIR, "Is a directory"},           {ELOOP, "Too many levels of symbolic links"},
    {EMFILE, "Too many open files"},      {EMLINK, "Too many links"},
    {ENAMETOOLONG, "File name too long"}, {ENFILE, "Too many open files in system"},
    {ENODEV, "No such device"},           {ENOENT, "No such file or directory"},
    {ENOMEM, "Cannot allocate memory"},   {ENOSPC, "No space left on device"},
    {ENOTDIR, "Not a directory"},         {ENOTEMPTY, "Directory not empty"},
    {ENXIO, "No such device or address"}, {EOVERFLOW, "Value too large for defined data type"},
    {EPERM, "Operation not permitted"},   {EROFS, "Read-only file system"},
    {ESTALE, "Stale file handle"},        {ETIMEDOUT, "Connection timed out"},
    {ETXTBSY, "Text file busy"},          {EXDEV, "Invalid cross-device link"},
};

static const entry kinds[] = {
    {S_IFIFO, "it is a FIFO (a named pipe), not a file"},
    {S_IFSOCK, "it is a socket, not a file"},
    {S_IFCHR, "it is a character device, not a file"},
    {S_IFBLK, "it is a block device, not a file"},
};

static const char *find(const entry *list, size_t n, int number)
{
    for (size_t i = 0; i < n; i++)
        if (list[i].number == number) return list[i].words;
    return NULL;
}

hlmi_os_words hlmi_os_reason(int rc)
{
    const int kind = hlmi_os_kind(rc), number = rc >> 8;
    hlmi_os_words w;
    const char *words = kind == HLMI_OS_SPECIAL ? find(kinds, sizeof kinds / sizeof *kinds, number)
                                                : find(errors, sizeof errors / sizeof *errors, number);
    if (kind == HLMI_OS_FOLDER) words = "it is a folder, not a file";
    if (kind == HLMI_OS_DANGLING)
        words = "it is a symbolic link to something that is not there (No such file or directory)";
    if (kind == HLMI_OS_SPECIAL && !words) words = "it is no plain file";
    if (kind == HLMI_OS_ENDED) words = "the file has become shorter";
    if (kind == HLMI_OS_CROWDED) words = "64 others are being written beside it";
    if (words && kind == HLMI_OS_FULL) snprintf(w.s, sizeof w.s, "no room on the disk (%s)", words);
    else if (words) snprintf(w.s, sizeof w.s, "%s", words);
    else snprintf(w.s, sizeof w.s, "error %d", number);
    return w;
}

/* ---- files ---- */

struct hlmi_os_file {
    int fd;
    uint64_t size;
    void *map;
};

/* What a path is that is no plain file; 0 for one. */
static int kind_of(const struct stat *sb)
{
    if (S_ISREG(sb->st_mode)) return 0;
    if (S_ISDIR(sb->st_mode)) return HLMI_OS_FOLDER;
    return HLMI_OS_SPECIAL | (int)(sb->st_mode & S_IFMT) << 8;
}

int hlmi_os_look(const char *path)
{
    struct stat sb;
    if (stat(path, &sb) == 0) return kind_of(&sb);
    const int error = errno;
    if (error == ENOENT && lstat(path, &sb) == 0 && S_ISLNK(sb.st_mode)) return HLMI_OS_DANGLING | ENOENT << 8;
    return hlmi_os_why(error);
}

/* What it is, is asked before it is opened, because opening does something to FIFOs and devices, and once more when
 * nobody can put something else in its place. */
int hlmi_os_open(const char *path, hlmi_os_file **file)
{
    struct stat sb;
    hlmi_os_file *f = NULL;
    int rc = hlmi_os_look(path);
    if (rc != 0) return rc;
    const int fd = hlmi_os_fd(path, O_RDONLY, 0, NULL);
    if (fd < 0) return hlmi_os_why(errno);
    rc = fstat(fd, &sb) == 0 ? kind_of(&sb) : hlmi_os_why(errno);
    if (rc == 0) f = malloc(sizeof *f);
    if (!f) {
        close(fd);
        return rc ? rc : hlmi_os_why(ENOMEM);
    }
    *f = (hlmi_os_file){.fd = fd, .size = (uint64_t)sb.st_size};
    *file = f;
    return 0;
}

uint64_t hlmi_os_size(const hlmi_os_file *file)
{
    return file->size;
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
    void *p = mmap(NULL, (size_t)file->size, PROT_READ, MAP_PRIVATE, file->fd, 0);
    if (p == MAP_FAILED) return hlmi_os_why(errno);
    *data = file->map = p;
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

int hlmi_os_list(const char *path, bool (*each)(void *user, const char *name), void *user)
{
    const int fd = hlmi_os_fd(path, O_RDONLY | O_DIRECTORY, 0, NULL);
    if (fd < 0) return hlmi_os_why(errno);
    DIR *d = fdopendir(fd);
    if (!d) {
        const int rc = hlmi_os_why(errno);
        close(fd);
        return rc;
    }
    for (bool more = true; more;) {
        const struct dirent *e = readdir(d);
        if (!e) break;
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) more = each(user, e->d_name);
    }
    closedir(d);
    return 0;
}
