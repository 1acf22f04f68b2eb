/* What the POSIX files share: the one place that opens, and what errno means. */
#ifndef HLMI_BASE_OS_POSIX_H
#define HLMI_BASE_OS_POSIX_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/os.h"

/** open() that closes on exec, waits for nobody, takes no terminal, and never gives 0, 1 or 2: a host that has closed
 *  those writes its messages there. -1 with errno. *was_low (may be NULL): for a moment the file had one of those
 *  numbers, because the host closed it meanwhile, so that something may have been written to it. */
int hlmi_os_fd(const char *path, int flags, mode_t mode, bool *was_low);

/** What a path is: 0 a plain file, else HLMI_OS_FOLDER, HLMI_OS_MISSING and so on. */
int hlmi_os_look(const char *path);

/** Linux: cores that the quotas of the process's control group, and of all those above it that can be seen, allow: the
 *  least of them, parts of a core rounded up; 0: there is no quota. `root` stands before all paths that are read ("" in
 *  use, a made-up tree in tests): /proc/self/cgroup, /proc/self/mountinfo, and of each group cpu.max (version 2) or
 *  cpu.cfs_quota_us and cpu.cfs_period_us (version 1). What does not read as it should counts as no quota. */
unsigned hlmi_os_quota(const char *root);

/** The value for an errno: HLMI_OS_MISSING, HLMI_OS_FULL or HLMI_OS_FAILED with its number. */
int hlmi_os_why(int error);

#endif
