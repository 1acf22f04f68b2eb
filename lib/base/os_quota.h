/* What the control groups of Linux allow a process to compute. */
#ifndef HLMI_BASE_OS_QUOTA_H
#define HLMI_BASE_OS_QUOTA_H

/** Cores that the quotas of the process's control group, and of all those above it that can be seen, allow: the least
 *  of them, parts of a core rounded up; 0: there is no quota. `root` stands before all paths that are read ("" in use,
 *  a made-up tree in tests): /proc/self/cgroup, /proc/self/mountinfo, and of each group cpu.max (version 2) or
 *  cpu.cfs_quota_us and cpu.cfs_period_us (version 1). What does not read as it should counts as no quota. */
unsigned hlmi_os_quota(const char *root);

#endif
