/* Replacing files by renaming (see replace.h). */
#define _POSIX_C_SOURCE 200809L
#include "replace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "text.h"

static bool write_all(int fd, const char *data, size_t len)
{
    while (len) {
        const ssize_t n = write(fd, data, len);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        data += n;
        len -= (size_t)n;
    }
    return true;
}

/* The folder's entry, once the file has its name. */
static bool sync_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    const size_t n = slash == path ? 1 : slash ? (size_t)(slash - path) : 0;
    cli_text folder = {0};
    cli_text_add(&folder, slash ? path : ".", slash ? n : 1);
    const int fd = open(folder.data, O_RDONLY | O_CLOEXEC);
    cli_text_free(&folder);
    if (fd < 0) return false;
    const bool good = fsync(fd) == 0 || errno == EINVAL; /* a file system that needs none */
    close(fd);
    return good;
}

bool cli_replace_file(const char *path, const char *data, size_t len)
{
    struct stat was;
    const bool there = stat(path, &was) == 0;
    if (there && !S_ISREG(was.st_mode)) {
        errno = S_ISDIR(was.st_mode) ? EISDIR : EINVAL;
        return false;
    }
    char suffix[40];
    cli_text beside = {0};
    cli_text_add(&beside, path, strlen(path));
    cli_text_add(&beside, suffix, (size_t)snprintf(suffix, sizeof suffix, ".saving%ld", (long)getpid()));
    unlink(beside.data); /* of a process of the same number that was killed */
    const int fd = open(beside.data, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    bool good =
        fd >= 0 && (!there || fchmod(fd, was.st_mode & 07777) == 0) && write_all(fd, data, len) && fsync(fd) == 0;
    if (fd >= 0 && close(fd) != 0) good = false;
    good = good && rename(beside.data, path) == 0;
    const int error = errno;
    if (!good && fd >= 0) unlink(beside.data);
    cli_text_free(&beside);
    errno = error;
    return good && sync_folder(path);
}
