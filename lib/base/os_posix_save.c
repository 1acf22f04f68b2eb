/* POSIX: files that take another's place when they are whole.
 *
 * The file beside the target is locked (flock) while it is written, so that what a killed process left can be told from
 * what another is writing, and used again. Its lock holds as long as the process lives; whoever gets it looks whether
 * the file still has that name, since the process before may have renamed it away. */
#define _GNU_SOURCE 1
#include "base/os_posix.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct hlmi_os_saving {
    int fd;
    off_t begun; /* bytes that are on their way to the disk */
    off_t written;
    size_t path; /* bytes of the target's path, which `name` begins with */
    char name[];
};

enum { MOST_AT_ONCE = 64, SUFFIX = 16, SEND = 8 << 20 };

static int failure(void)
{
    return hlmi_os_why(errno);
}

/* Is fd the plain file of this user that `name` still names? */
static bool is_ours(int fd, const char *name)
{
    struct stat open_file, named;
    return fstat(fd, &open_file) == 0 && lstat(name, &named) == 0 && S_ISREG(named.st_mode) &&
        named.st_uid == geteuid() && named.st_nlink == 1 && open_file.st_ino == named.st_ino &&
        open_file.st_dev == named.st_dev;
}

/* The file with this name, empty and locked; -1: somebody else's; -2: it can not be made (errno). One that had, for a
 * moment, a number to which the host writes goes again: what another thread wrote meanwhile may still be on its way
 * into it. */
static int take(const char *name)
{
    const mode_t mode = S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP | S_IROTH | S_IWOTH; /* less the process's umask */
    bool low;
    int fd = hlmi_os_fd(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode, &low);
    const bool made = fd >= 0;
    if (!made && errno != EEXIST) return -2;
    if (!made) fd = hlmi_os_fd(name, O_WRONLY | O_NOFOLLOW, 0, &low);
    if (fd < 0) return -1;
    /* a file system without locks: only what is new is surely nobody else's */
    const bool locked = flock(fd, LOCK_EX | LOCK_NB) == 0 || (made && errno != EWOULDBLOCK);
    const bool ours = locked && is_ours(fd, name);
    if (ours && !low && (made || ftruncate(fd, 0) == 0)) return fd;
    if (ours && low) unlink(name);
    close(fd);
    return -1;
}

/* The file that will be replaced leaves the system's page cache, so that the new one gets its memory: a system that
 * keeps both takes as much again, which on a virtual machine can take several times as long as the disk. */
static void drop_cached(const char *path)
{
    const int fd = hlmi_os_fd(path, O_RDONLY | O_NOFOLLOW, 0, NULL);
    if (fd < 0) return;
    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    close(fd);
}

int hlmi_os_save_begin(const char *path, hlmi_os_saving **out)
{
    const size_t n = strlen(path);
    const int is = hlmi_os_look(path);
    if (is == HLMI_OS_FOLDER || hlmi_os_kind(is) == HLMI_OS_SPECIAL) return is;
    hlmi_os_saving *s = malloc(sizeof *s + n + SUFFIX);
    if (!s) return hlmi_os_why(ENOMEM);
    *s = (hlmi_os_saving){.path = n};
    if (is == 0) drop_cached(path);
    for (unsigned i = 0; i < MOST_AT_ONCE; i++) {
        snprintf(s->name, n + SUFFIX, "%s.saving%u", path, i);
        s->fd = take(s->name);
        if (s->fd == -1) continue;
        if (s->fd < 0) break;
        *out = s;
        return 0;
    }
    const int rc = s->fd == -2 ? failure() : HLMI_OS_CROWDED;
    free(s);
    return rc;
}

/* The disk works while the rest is made; what fails is told by fsync. */
static void send_on(hlmi_os_saving *s)
{
#ifdef SYNC_FILE_RANGE_WRITE
    if (s->written - s->begun < SEND) return;
    sync_file_range(s->fd, s->begun, s->written - s->begun, SYNC_FILE_RANGE_WRITE);
    s->begun = s->written;
#else
    (void)s;
#endif
}

int hlmi_os_save_write(hlmi_os_saving *s, const void *data, size_t n)
{
    const unsigned char *p = data;
    while (n) {
        const ssize_t put = write(s->fd, p, n);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return failure();
        p += put;
        n -= (size_t)put;
        s->written += put;
        send_on(s);
    }
    return 0;
}

static int open_folder(const hlmi_os_saving *s)
{
    const char *slash = memrchr(s->name, '/', s->path);
    const size_t n = slash == s->name ? 1 : slash ? (size_t)(slash - s->name) : 0; /* the root keeps its slash */
    char *folder = slash ? strndup(s->name, n) : strdup(".");
    const int fd = folder ? hlmi_os_fd(folder, O_RDONLY | O_DIRECTORY, 0, NULL) : -1;
    free(folder);
    return fd;
}

static int sync_all(int fd)
{
    int rc;
    do rc = fsync(fd);
    while (rc != 0 && errno == EINTR);
    return rc;
}

static int take_place(const hlmi_os_saving *s)
{
    char *path = strndup(s->name, s->path);
    const int rc = path ? rename(s->name, path) : -1;
    free(path);
    return rc;
}

/* The folder is opened first, so that little is left that can fail once the file has its name. */
int hlmi_os_save_commit(hlmi_os_saving *s, bool *done)
{
    const int folder = open_folder(s);
    int rc = 0;
    *done = folder >= 0 && sync_all(s->fd) == 0 && take_place(s) == 0;
    if (!*done) rc = failure();
    else if (sync_all(folder) != 0 && errno != EINVAL) rc = failure(); /* EINVAL: the file system has no such thing */
    if (folder >= 0) close(folder);
    if (!*done) {
        hlmi_os_save_abort(s);
        return rc;
    }
    close(s->fd);
    free(s);
    return rc;
}

void hlmi_os_save_abort(hlmi_os_saving *s)
{
    if (!s) return;
    unlink(s->name); /* before the lock is let go: it is still ours */
    close(s->fd);
    free(s);
}

int hlmi_os_remove(const char *path)
{
    return unlink(path) == 0 ? 0 : failure();
}

int hlmi_os_make_dir(const char *path, bool *made)
{
    *made = mkdir(path, S_IRWXU | S_IRWXG | S_IRWXO) == 0; /* less the process's umask */
    if (*made) return 0;
    const int rc = failure(), is = errno == EEXIST ? hlmi_os_look(path) : 0;
    return is == HLMI_OS_FOLDER ? 0 : is ? is : rc;
}

int hlmi_os_remove_dir(const char *path)
{
    return rmdir(path) == 0 ? 0 : failure();
}
