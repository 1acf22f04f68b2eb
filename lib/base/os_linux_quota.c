/* Linux: the quotas of control groups. /proc/self/cgroup says in which group the process is, /proc/self/mountinfo where
 * groups can be seen as folders; a limit may stand in each folder between the two. Both are text that others have a
 * hand in: lengths are bounded, numbers checked, and ".." is not followed. */
#define _GNU_SOURCE 1
#include "base/os_quota.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/os_posix.h"

enum {
    TEXT_MAX = 4 << 20, /* of a table; of a process with thousands of mounts, too */
    PATH_BYTES = 2048,
    NUMBERS_MAX = 128, /* bytes of a file with a limit */
    PERIOD = 100000, /* us, where none is said */
    FIELDS = 6 /* of a line of mountinfo up to its options */
};

/* A table as a string, to be freed; NULL: there is none, or it is too long. Its size is not known before. */
static char *read_text(const char *path, size_t max)
{
    char *text = NULL;
    size_t have = 0, cap = 0;
    const int fd = hlmi_os_fd(path, O_RDONLY, 0, NULL);
    ssize_t got = fd < 0 ? -1 : 1;
    while (got > 0 && have <= max) {
        if (cap - have < 2) {
            char *more = realloc(text, cap = cap ? 2 * cap : 4096);
            if (!more) break;
            text = more;
        }
        do got = read(fd, text + have, cap - have - 1);
        while (got < 0 && errno == EINTR);
        if (got > 0) have += (size_t)got;
    }
    if (fd >= 0) close(fd);
    if (got != 0) {
        free(text);
        return NULL;
    }
    text[have] = '\0';
    return text;
}

/* ---- one limit ---- */

/* A number from 1 on at *p, which moves behind it and the blanks after it; 0: something else. */
static uint64_t number(const char **p)
{
    uint64_t v = 0;
    if (**p < '0' || **p > '9') return 0;
    for (; **p >= '0' && **p <= '9'; ++*p) {
        if (v > (UINT64_MAX - 9) / 10) return 0;
        v = 10 * v + (uint64_t)(**p - '0');
    }
    while (**p == ' ' || **p == '\n') ++*p;
    return v;
}

static unsigned cores(uint64_t quota, uint64_t period)
{
    if (quota == 0 || period == 0) return 0;
    const uint64_t n = quota / period + (quota % period != 0);
    return n < UINT_MAX ? (unsigned)n : 0;
}

/* The text of `folder`/`name`. */
static char *read_limit(const char *folder, const char *name)
{
    char path[PATH_BYTES];
    const int n = snprintf(path, sizeof path, "%s/%s", folder, name);
    return n < 0 || n >= (int)sizeof path ? NULL : read_text(path, NUMBERS_MAX);
}

/* "200000 100000", or "max 100000". */
static unsigned limit_v2(const char *folder)
{
    char *text = read_limit(folder, "cpu.max");
    if (!text) return 0;
    const char *p = text;
    const uint64_t quota = number(&p), period = *p ? number(&p) : PERIOD;
    const unsigned n = *p ? 0 : cores(quota, period);
    free(text);
    return n;
}

static uint64_t only_number(char *text)
{
    const char *p = text ? text : "";
    const uint64_t v = number(&p);
    const uint64_t only = *p ? 0 : v;
    free(text);
    return only;
}

/* -1 in the first file is no quota. */
static unsigned limit_v1(const char *folder)
{
    const uint64_t quota = only_number(read_limit(folder, "cpu.cfs_quota_us"));
    return quota ? cores(quota, only_number(read_limit(folder, "cpu.cfs_period_us"))) : 0;
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
        const unsigned one = v2 ? limit_v2(folder) : limit_v1(folder);
        if (one && (!lowest || one < lowest)) lowest = one;
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

/* Cuts the next line off *text; NULL at the end. */
static char *next_line(char **text)
{
    char *line = *text;
    if (*line == '\0') return NULL;
    char *end = strchrnul(line, '\n');
    *text = *end ? end + 1 : end;
    *end = '\0';
    return line;
}

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
    for (char *line; (line = next_line(&text));) {
        char *controllers = strchr(line, ':');
        char *path = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!path || path[1] != '/') continue;
        *controllers++ = '\0';
        *path++ = '\0';
        if (v2 ? strcmp(line, "0") == 0 && *controllers == '\0' : listed(controllers, "cpu")) return path;
    }
    return NULL;
}

static char *read_table(const char *root, const char *name)
{
    char path[PATH_BYTES];
    const int n = snprintf(path, sizeof path, "%s/proc/self/%s", root, name);
    return n < 0 || n >= (int)sizeof path ? NULL : read_text(path, TEXT_MAX);
}

static unsigned version_quota(const char *root, bool v2)
{
    unsigned lowest = 0;
    char *groups = read_table(root, "cgroup"), *mounts = read_table(root, "mountinfo"), *text = mounts;
    const char *group = groups ? find_group(groups, v2) : NULL;
    for (char *line; group && text && (line = next_line(&text));) {
        mount m;
        if (!read_mount(line, &m)) continue;
        if (v2 ? strcmp(m.type, "cgroup2") != 0 : strcmp(m.type, "cgroup") != 0 || !listed(m.options, "cpu")) continue;
        const unsigned one = mount_limit(root, &m, group, v2);
        if (one && (!lowest || one < lowest)) lowest = one;
    }
    free(groups);
    free(mounts);
    return lowest;
}

unsigned hlmi_os_quota(const char *root)
{
    const unsigned a = version_quota(root, true), b = version_quota(root, false);
    return a && (!b || a < b) ? a : b;
}
