/* POSIX: the names in a folder. */
#define _GNU_SOURCE 1
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/os.h"

/* A descriptor of the folder above the three that programs print to. */
static int open_folder(const char *path)
{
    const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fd > 2) return fd;
    const int above = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    close(fd);
    return above;
}

int hlmi_os_list(const char *path, bool (*each)(void *user, const char *name), void *user)
{
    const int fd = open_folder(path);
    if (fd < 0) return errno == ENOENT || errno == ENOTDIR ? 1 : HLMI_OS_FAILED;
    DIR *d = fdopendir(fd);
    if (!d) {
        close(fd);
        return HLMI_OS_FAILED;
    }
    for (bool more = true; more;) {
        const struct dirent *e = readdir(d);
        if (!e) break;
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) more = each(user, e->d_name);
    }
    closedir(d);
    return 0;
}
