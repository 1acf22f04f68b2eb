/* Linux: the quotas of control groups. /proc/self/cgroup says in which group the process is, /proc/self/mountinfo where
 * groups can be seen as folders; a limit may stand in each folder between the two. Both are text that others have a
 * hand in: lengths are bounded, numbers checked, and ".." is not followed. */
#define _GNU_SOURCE 1
#include "base/os_posix.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    TEXT_MAX = 4 << 20, /* of a table; of a process with thousands of mounts, too */
    PATH_BYTES = 2048,
    NUMBERS_MAX = 128, /* bytes of a file with a limit */
    PERIOD = 100000, /* us, where none is said */
    FIELDS = 6 /* of a line of mountinfo up to its options */
};

/* The text of the file with these parts of a path, to be freed; NULL: there is none, or it has more than `max` bytes.
 * Its size is not known before. */
static char *read_text(const char *a, const char *b, const char *c, size_t max)
{
    char path[PATH_BYTES];
    const int n = snprintf(path, sizeof path, "%s%s%s", a, b, c);
    const int fd = n < 0 || n >= (int)sizeof path ? -1 : hlmi_os_fd(path, O_RDONLY, 0, NULL);
    size_t have = 0, cap = 4096;
    char *text = fd < 0 ? NULL : malloc(cap);
    ssize_t got = text ? 1 : 0;
    while (got > 0 || (got < 0 && errno == EINTR)) {
        got = read(fd, text + have, cap - 1 - have);
        if (got > 0) have += (size_t)got;
        if (have + 1 < cap || cap > max) continue;
        char *more = realloc(text, cap *= 2);
        if (!more) break;
        text = more;
    }
    if (fd >= 0) close(fd);
    if (text && got == 0 && have <= max) {
        text[have] = '\0';
        return text;
    }
    free(text);
    return NULL;
}

/* ---- one limit ---- */

/* A number from 1 on at *p, which moves behind it and the blanks after it; 0: something else. */
static uint64_t number(const char **p)
{
    char *end;
    if (**p < '0' || **p > '9') return 0;
    errno = 0;
    const uint64_t v = strtoull(*p, &end, 10);
    *p = end + strspn(end, " \n");
    return errno ? 0 : v;
}

/* The number in a file, and where `second` is not NULL one that may stand behind it; 0: something else. */
static uint64_t read_number(const char *folder, const char *name, uint64_t *second)
{
    char *text = read_text(folder, "/", name, NUMBERS_MAX);
    const char *p = text ? text : "";
    const uint64_t first = number(&p);
    if (second && *p) *second = number(&p);
    const uint64_t v = *p ? 0 : first;
    free(text);
    return v;
}

/* Version 2 has "200000 100000" or "max 100000"; in version 1 -1 is no quota. */
static unsigned limit(const char *folder, bool v2)
{
    uint64_t period = PERIOD;
    const uint64_t quota = read_number(folder, v2 ? "cpu.max" : "cpu.cfs_quota_us", v2 ? &period : NULL);
    if (quota && !v2) period = read_number(folder, "cpu.cfs_period_us", NULL);
    if (!quota || !period) return 0;
    const uint64_t n = quota / period + (quota % period != 0);
    return n < UINT_MAX ? (unsigned)n : 0;
}

static unsigned lower(unsigned a, unsigned b)
{
    return a && (!b || a < b) ? a : b;
}

/* ---- all limits of a mount ---- */

typedef struct mount {
    char *root, *point, *type, *options;
} mount;

/* The least limit of the folders from this one up to the mount point, whose path has `point` bytes. `folder` is used
 * up. */
static unsigned least(char *folder, size_t point, bool v2)
{
    unsigned lowest = 0;
    for (char *end = folder + strlen(folder); end; end = strrchr(folder + point, '/')) {
        *end = '\0';
        lowest = lower(limit(folder, v2), lowest);
    }
    return lowest;
}

static bool has_dots(const char *path)
{
    for (const char *p = path; (p = strstr(p, "..")); p += 2)
        if ((p == path || p[-1] == '/') && (p[2] == '/' || p[2] == '\0')) return true;
    return false;
}

/* What of the group's path lies below the mount's root; NULL: the group is elsewhere. */
static const char *below(const char *group, const char *root)
{
    const size_t n = strcmp(root, "/") == 0 ? 0 : strlen(root);
    if (strncmp(group, root, n) != 0 || (group[n] != '/' && group[n] != '\0') || has_dots(group + n)) return NULL;
    return group[n] && group[n + 1] ? group + n : "";
}

static unsigned mount_limit(const char *root, const mount *m, const char *group, bool v2)
{
    char folder[PATH_BYTES];
    const char *rest = below(group, m->root);
    if (!rest || has_dots(m->point)) return 0;
    const size_t point = strlen(root) + strlen(m->point);
    const int n = snprintf(folder, sizeof folder, "%s%s%s", root, m->point, rest);
    return n < 0 || n >= (int)sizeof folder ? 0 : least(folder, point, v2);
}

/* ---- the tables ---- */

/* "\040" and its kind, in place. */
static void unescape(char *s)
{
    char *to = s;
    for (const char *p = s; *p; p++) {
        const bool octal =
            p[0] == '\\' && p[1] >= '0' && p[1] <= '3' && p[2] >= '0' && p[2] <= '7' && p[3] >= '0' && p[3] <= '7';
        const int value = octal ? (p[1] - '0') << 6 | (p[2] - '0') << 3 | (p[3] - '0') : *p;
        *to++ = (char)value;
        if (octal) p += 3;
    }
    *to = '\0';
}

/* "36 35 98:0 ROOT POINT options optional... - TYPE source OPTIONS" */
static bool read_mount(char *line, mount *m)
{
    char *fields[FIELDS];
    char *rest = strstr(line, " - ");
    if (!rest) return false;
    *rest = '\0';
    rest += 3;
    for (size_t i = 0; i < FIELDS; i++)
        if (!(fields[i] = strsep(&line, " "))) return false;
    m->root = fields[3];
    m->point = fields[4];
    m->type = strsep(&rest, " ");
    if (!strsep(&rest, " ") || !rest) return false;
    m->options = rest;
    unescape(m->root);
    unescape(m->point);
    return m->root[0] == '/' && m->point[0] == '/';
}

/* Is `name` one of the names between commas? */
static bool listed(const char *list, const char *name)
{
    const size_t n = strlen(name);
    for (const char *p = list;; p++) {
        if (strncmp(p, name, n) == 0 && (p[n] == ',' || p[n] == '\0')) return true;
        if (!(p = strchr(p, ','))) return false;
    }
}

/* The path of the process's group, in place: of the version 2, or of the version 1 that has the cpu controller. */
static char *find_group(char *text, bool v2)
{
    for (char *line; (line = strsep(&text, "\n"));) {
        char *controllers = strchr(line, ':');
        char *path = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!path || path[1] != '/') continue;
        *controllers++ = '\0';
        *path++ = '\0';
        if (v2 ? strcmp(line, "0") == 0 && *controllers == '\0' : listed(controllers, "cpu")) return path;
    }
    return NULL;
}

static unsigned version_quota(const char *root, bool v2)
{
    unsigned lowest = 0;
    char *groups = read_text(root, "/proc/self/", "cgroup", TEXT_MAX);
    char *mounts = read_text(root, "/proc/self/", "mountinfo", TEXT_MAX), *text = mounts;
    const char *group = groups ? find_group(groups, v2) : NULL;
    for (char *line; group && (line = strsep(&text, "\n"));) {
        mount m;
        if (!read_mount(line, &m)) continue;
        if (v2 ? strcmp(m.type, "cgroup2") != 0 : strcmp(m.type, "cgroup") != 0 || !listed(m.options, "cpu")) continue;
        lowest = lower(mount_limit(root, &m, group, v2), lowest);
    }
    free(groups);
    free(mounts);
    return lowest;
}

unsigned hlmi_os_quota(const char *root)
{
    return lower(version_quota(root, true), version_quota(root, false));
}
