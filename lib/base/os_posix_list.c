/* POSIX: the names in a folder. */
#define _GNU_SOURCE 1
#include "base/os_posix.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

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
