/* What the library asks of the system: signals of its threads, descriptors, quotas of control groups (in made-up
 * trees). */
#define _GNU_SOURCE 1
#include "base/os_posix.h"

#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit/suite.h"

/* ---- signals ---- */

static const int own[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGPROF};
enum { OWN = sizeof own / sizeof *own };

static bool is_own(int sig)
{
    for (size_t i = 0; i < OWN; i++)
        if (own[i] == sig) return true;
    return false;
}

static void get_mask(void *arg)
{
    pthread_sigmask(SIG_SETMASK, NULL, arg);
}

START_TEST(masks)
{
    sigset_t blocked[3]; /* as the host has its own: nothing, everything, a few */
    sigset_t before, host, can;
    sigfillset(&host);
    pthread_sigmask(SIG_SETMASK, &host, &before);
    pthread_sigmask(SIG_SETMASK, &before, &can); /* emulators keep some signals for themselves */
    for (int i = 0; i < 3; i++) {
        if (i == 1) sigfillset(&host);
        else sigemptyset(&host);
        if (i == 2) sigaddset(&host, SIGUSR1);
        pthread_sigmask(SIG_SETMASK, &host, NULL);
        hlmi_os_thread *t = hlmi_os_thread_start(get_mask, &blocked[i]);
        sigset_t after;
        pthread_sigmask(SIG_SETMASK, NULL, &after);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        ck_assert_ptr_nonnull(t);
        hlmi_os_thread_join(t);
        for (int sig = 1; sig <= SIGRTMAX; sig++) {
            if (!sigismember(&can, sig) || (sig > SIGSYS && sig < SIGRTMIN)) continue;
            ck_assert_msg(sigismember(&blocked[i], sig) == !is_own(sig), "signal %d, host's mask %d", sig, i);
            if (i != 1) ck_assert_int_eq(sigismember(&after, sig), sigismember(&host, sig));
        }
    }
}
END_TEST

static void reached(int sig)
{
    (void)sig;
    _exit(7);
}

static void raise_it(void *arg)
{
    pthread_kill(pthread_self(), *(int *)arg);
    usleep(100000);
}

/* The host's handler runs, on a thread of the library. */
START_TEST(handlers)
{
    for (size_t i = 0; i < OWN; i++) {
        int sig = own[i], status = 0;
        const pid_t child = fork();
        if (child == 0) {
            const struct sigaction sa = {.sa_handler = reached};
            sigaction(sig, &sa, NULL);
            hlmi_os_thread *t = hlmi_os_thread_start(raise_it, &sig);
            if (t) hlmi_os_thread_join(t);
            _exit(1);
        }
        ck_assert(waitpid(child, &status, 0) == child);
        ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 7, "signal %d: status %x", sig, (unsigned)status);
    }
}
END_TEST

/* ---- descriptors ---- */

/* In a child without the descriptors of `closed` (bits): none of a file is below 3, and the closed ones stay closed. */
static int low_descriptors(unsigned closed, const char *path)
{
    bool low = true;
    for (int fd = 0; fd < 3; fd++)
        if (closed >> fd & 1) close(fd);
    for (int i = 0; i < 10; i++) {
        const int fd = hlmi_os_fd(path, O_RDWR | O_CREAT, 0600, &low);
        if (fd < 3 || low || (fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0) return 1;
        for (int k = 0; k < 3; k++)
            if ((fcntl(k, F_GETFD) == -1) != (int)(closed >> k & 1)) return 2;
        close(fd);
    }
    if (hlmi_os_fd("/nowhere/at/all", O_RDONLY, 0, NULL) != -1) return 3;
    for (int k = 0; k < 3; k++)
        if ((fcntl(k, F_GETFD) == -1) != (int)(closed >> k & 1)) return 4;
    return 0;
}

START_TEST(descriptors)
{
    char path[] = "/tmp/hybridlm-os-XXXXXX";
    close(mkstemp(path));
    for (unsigned closed = 0; closed < 8; closed++) {
        int status = 0;
        const pid_t child = fork();
        if (child == 0) _exit(low_descriptors(closed, path));
        ck_assert(waitpid(child, &status, 0) == child);
        ck_assert_msg(status == 0, "closed %u: status %x", closed, (unsigned)status);
    }
    unlink(path);
}
END_TEST

/* ---- quotas ---- */

typedef struct text {
    const char *path, *text;
} text;

static char tree[64];

static int remove_entry(const char *path, const struct stat *sb, int type, struct FTW *at)
{
    (void)sb, (void)type, (void)at;
    return remove(path);
}

static void put(const char *path, const char *words, size_t n)
{
    char all[1024];
    snprintf(all, sizeof all, "%s%s", tree, path);
    for (char *p = all + strlen(tree) + 1; (p = strchr(p, '/')); p++) {
        *p = '\0';
        mkdir(all, 0700);
        *p = '/';
    }
    FILE *f = fopen(all, "wb");
    ck_assert_ptr_nonnull(f);
    fwrite(words, 1, n, f);
    fclose(f);
}

#define V2_MOUNT "29 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
#define V1_MOUNT "33 32 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
#define OTHER "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n34 32 0:30 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"

static const struct {
    const char *name;
    text files[8];
    unsigned cores;
} trees[] = {
    {"nothing there", {{NULL, NULL}}, 0},
    {"v2 without a quota",
     {{"cgroup", "0::/a\n"}, {"mountinfo", OTHER V2_MOUNT}, {"/sys/fs/cgroup/a/cpu.max", "max 100000\n"}},
     0},
    {"one core", {{"cgroup", "0::/a\n"}, {"mountinfo", V2_MOUNT}, {"/sys/fs/cgroup/a/cpu.max", "100000 100000\n"}}, 1},
    {"half a core",
     {{"cgroup", "0::/a\n"}, {"mountinfo", V2_MOUNT}, {"/sys/fs/cgroup/a/cpu.max", "50000 100000\n"}},
     1},
    {"a core and a bit",
     {{"cgroup", "0::/a\n"}, {"mountinfo", V2_MOUNT}, {"/sys/fs/cgroup/a/cpu.max", "100001 100000\n"}},
     2},
    {"no period", {{"cgroup", "0::/a\n"}, {"mountinfo", V2_MOUNT}, {"/sys/fs/cgroup/a/cpu.max", "300000"}}, 3},
    {"another period",
     {{"cgroup", "0::/a\n"}, {"mountinfo", V2_MOUNT}, {"/sys/fs/cgroup/a/cpu.max", "40000 10000\n"}},
     4},
    {"the group of a container is its root",
     {{"cgroup", "0::/\n"}, {"mountinfo", V2_MOUNT}, {"/sys/fs/cgroup/cpu.max", "200000 100000\n"}},
     2},
    {"a limit above",
     {{"cgroup", "0::/a/b/c\n"},
      {"mountinfo", V2_MOUNT},
      {"/sys/fs/cgroup/a/cpu.max", "200000 100000\n"},
      {"/sys/fs/cgroup/a/b/cpu.max", "max 100000\n"},
      {"/sys/fs/cgroup/a/b/c/cpu.max", "800000 100000\n"}},
     2},
    {"the least is in the middle",
     {{"cgroup", "0::/a/b/c\n"},
      {"mountinfo", V2_MOUNT},
      {"/sys/fs/cgroup/a/cpu.max", "600000 100000\n"},
      {"/sys/fs/cgroup/a/b/cpu.max", "300000 100000\n"},
      {"/sys/fs/cgroup/a/b/c/cpu.max", "800000 100000\n"}},
     3},
    {"one at the mount point, too",
     {{"cgroup", "0::/a/b\n"}, {"mountinfo", V2_MOUNT}, {"/sys/fs/cgroup/cpu.max", "100000 100000\n"}},
     1},
    {"another group's limit is none",
     {{"cgroup", "0::/a\n"},
      {"mountinfo", V2_MOUNT},
      {"/sys/fs/cgroup/ab/cpu.max", "100000 100000\n"},
      {"/sys/fs/cgroup/b/cpu.max", "100000 100000\n"}},
     0},
    {"a mount of the group itself",
     {{"cgroup", "0::/docker/x/y\n"},
      {"mountinfo", "29 23 0:26 /docker/x /sys/fs/cgroup rw - cgroup2 cgroup rw\n"},
      {"/sys/fs/cgroup/y/cpu.max", "200000 100000\n"},
      {"/sys/fs/cgroup/cpu.max", "500000 100000\n"}},
     2},
    {"a mount of another group",
     {{"cgroup", "0::/docker/xy\n"},
      {"mountinfo", "29 23 0:26 /docker/x /sys/fs/cgroup rw - cgroup2 cgroup rw\n"},
      {"/sys/fs/cgroup/cpu.max", "100000 100000\n"},
      {"/sys/fs/cgroup/y/cpu.max", "100000 100000\n"}},
     0},
    {"a group outside of what can be seen",
     {{"cgroup", "0::/../b\n"},
      {"mountinfo", V2_MOUNT},
      {"/sys/fs/b/cpu.max", "100000 100000\n"},
      {"/sys/fs/cgroup/cpu.max", "100000 100000\n"}},
     0},
    {"and seen through a mount from outside",
     {{"cgroup", "0::/../b\n"},
      {"mountinfo", "29 23 0:26 /.. /mnt rw - cgroup2 cgroup rw\n"},
      {"/mnt/b/cpu.max", "100000 100000\n"}},
     1},
    {"a mount point with a blank",
     {{"cgroup", "0::/a b\n"},
      {"mountinfo", "29 23 0:26 / /my\\040groups rw - cgroup2 cgroup rw\n"},
      {"/my groups/a b/cpu.max", "100000 100000\n"}},
     1},
    {"two mounts, one with more to see",
     {{"cgroup", "0::/a/b\n"},
      {"mountinfo", "30 23 0:26 /a/b /mnt rw - cgroup2 cgroup rw\n" V2_MOUNT},
      {"/mnt/cpu.max", "300000 100000\n"},
      {"/sys/fs/cgroup/a/cpu.max", "100000 100000\n"}},
     1},
    {"a root file system of groups",
     {{"cgroup", "0::/a\n"},
      {"mountinfo", "29 23 0:26 / / rw - cgroup2 cgroup rw\n"},
      {"/a/cpu.max", "200000 100000\n"}},
     2},
    {"v1",
     {{"cgroup", "5:cpu,cpuacct:/a\n0::/z\n"},
      {"mountinfo", OTHER V1_MOUNT},
      {"/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "150000\n"},
      {"/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us", "100000\n"}},
     2},
    {"v1 without a quota",
     {{"cgroup", "5:cpu,cpuacct:/a\n"},
      {"mountinfo", V1_MOUNT},
      {"/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "-1\n"},
      {"/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us", "100000\n"}},
     0},
    {"v1, a limit above",
     {{"cgroup", "3:cpuset:/q\n5:cpuacct,cpu:/a/b\n"},
      {"mountinfo", OTHER V1_MOUNT},
      {"/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "100000\n"},
      {"/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us", "100000\n"},
      {"/sys/fs/cgroup/cpu,cpuacct/a/b/cpu.cfs_quota_us", "-1\n"},
      {"/sys/fs/cgroup/cpu,cpuacct/a/b/cpu.cfs_period_us", "100000\n"}},
     1},
    {"v1 without its period",
     {{"cgroup", "5:cpu:/a\n"}, {"mountinfo", V1_MOUNT}, {"/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "100000\n"}},
     0},
    {"cpuset is not cpu",
     {{"cgroup", "5:cpuset:/a\n"},
      {"mountinfo", OTHER},
      {"/sys/fs/cgroup/cpuset/a/cpu.cfs_quota_us", "100000\n"},
      {"/sys/fs/cgroup/cpuset/a/cpu.cfs_period_us", "100000\n"}},
     0},
    {"both versions",
     {{"cgroup", "5:cpu,cpuacct:/a\n0::/b\n"},
      {"mountinfo", V1_MOUNT "40 32 0:40 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"},
      {"/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "300000\n"},
      {"/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us", "100000\n"},
      {"/sys/fs/cgroup/unified/b/cpu.max", "200000 100000\n"}},
     2},
    {"no mounts", {{"cgroup", "0::/a\n"}, {"/sys/fs/cgroup/a/cpu.max", "100000 100000\n"}}, 0},
    {"no groups", {{"mountinfo", V2_MOUNT}, {"/sys/fs/cgroup/cpu.max", "100000 100000\n"}}, 0},
    {"no line ends",
     {{"cgroup", "0::/a"},
      {"mountinfo", "29 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup rw"},
      {"/sys/fs/cgroup/a/cpu.max", "100000 100000"}},
     1},
};

static const char *const bad_limits[] = {
    "",
    "\n",
    " ",
    "max",
    "max 0",
    "0 100000",
    "100000 0",
    "-100000 100000",
    "100000 -1",
    "+1 1",
    "1e5 100000",
    "0x10 1",
    "100000 100000 7",
    "100000 100000x",
    "99999999999999999999999 100000",
    "18446744073709551615 1",
    "100000 99999999999999999999999",
    "nan",
    "100000\t100000",
    "\xFF\xFE",
    "100000,100000",
};

static const char *const bad_tables[][2] = {
    {"", ""},
    {"\n\n\n", "\n\n"},
    {"0", "0"},
    {"0:", "a b c"},
    {"0::", " - "},
    {"0::a", " -  - "},
    {"::/a", "1 2 3 4 5 6 - "},
    {"0:cpu:/a", "1 2 3 / /sys/fs/cgroup rw - cgroup2"},
    {"0::/a", "1 2 3 / /sys/fs/cgroup rw - cgroup2 x"},
    {"0::/a", "1 2 3 / /sys/fs/cgroup - cgroup2 x y"},
    {"0::/a", "1 2 3 x /sys/fs/cgroup rw - cgroup2 x y"},
    {"0::/a", "1 2 3 / sys/fs/cgroup rw - cgroup2 x y"},
    {"0::/a", "1 2 3 / /sys/fs/../fs/cgroup rw - cgroup2 x y"},
    {"0::/a/../a", "1 2 3 / /sys/fs/cgroup rw - cgroup2 x y"},
    {"0::/..", "1 2 3 / /sys/fs/cgroup/a/b rw - cgroup2 x y"},
    {"1::/a", V2_MOUNT},
    {"0:x:/a", V2_MOUNT},
    {"5:cpu", V1_MOUNT},
    {"\\", "\\"},
};

static void new_tree(void)
{
    strcpy(tree, "/tmp/hybridlm-groups-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(tree));
}

static void put_text(const text *t)
{
    char path[256];
    const bool table = t->path[0] != '/';
    snprintf(path, sizeof path, "%s%s", table ? "/proc/self/" : "", t->path);
    put(path, t->text, strlen(t->text));
}

static void end_tree(void)
{
    ck_assert_int_eq(nftw(tree, remove_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
}

START_TEST(quotas)
{
    for (size_t i = 0; i < sizeof trees / sizeof *trees; i++) {
        new_tree();
        for (const text *t = trees[i].files; t->path; t++) put_text(t);
        const unsigned n = hlmi_os_quota(tree);
        ck_assert_msg(n == trees[i].cores, "%s: %u, expected %u", trees[i].name, n, trees[i].cores);
        end_tree();
    }
}
END_TEST

START_TEST(bad_quotas)
{
    const text group = {"cgroup", "5:cpu:/a\n0::/a\n"}, mounts = {"mountinfo", V1_MOUNT V2_MOUNT},
               period = {"/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us", "100000\n"};
    for (size_t i = 0; i < sizeof bad_limits / sizeof *bad_limits; i++) {
        const text max = {"/sys/fs/cgroup/a/cpu.max", bad_limits[i]},
                   quota = {"/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", bad_limits[i]};
        new_tree();
        put_text(&group), put_text(&mounts), put_text(&max), put_text(&quota), put_text(&period);
        ck_assert_msg(hlmi_os_quota(tree) == 0, "'%s'", bad_limits[i]);
        end_tree();
    }
    for (size_t i = 0; i < sizeof bad_tables / sizeof *bad_tables; i++) {
        const text g = {"cgroup", bad_tables[i][0]}, m = {"mountinfo", bad_tables[i][1]},
                   max = {"/sys/fs/cgroup/a/cpu.max", "100000 100000\n"};
        new_tree();
        put_text(&g), put_text(&m), put_text(&max);
        ck_assert_msg(hlmi_os_quota(tree) == 0, "'%s', '%s'", bad_tables[i][0], bad_tables[i][1]);
        end_tree();
    }
}
END_TEST

/* Tables of many megabytes, limits that are long, paths that are longer than a path can be, FIFOs. */
START_TEST(large_quotas)
{
    enum { MANY = 5 << 20 };
    char *many = malloc(MANY);
    ck_assert_ptr_nonnull(many);
    memset(many, 'a', MANY);
    new_tree();
    memcpy(many, "0::/", 4);
    put("/proc/self/cgroup", many, MANY);
    put("/proc/self/mountinfo", V2_MOUNT, sizeof V2_MOUNT - 1);
    put("/sys/fs/cgroup/cpu.max", "100000 100000", 13);
    ck_assert_uint_eq(hlmi_os_quota(tree), 0);
    put("/proc/self/cgroup", many, 60000); /* the group's path is longer than paths are */
    ck_assert_uint_eq(hlmi_os_quota(tree), 0);
    put("/proc/self/cgroup", "0::/", 4);
    ck_assert_uint_eq(hlmi_os_quota(tree), 1);
    memset(many, ' ', MANY);
    memcpy(many, "100000", 6);
    put("/sys/fs/cgroup/cpu.max", many, MANY);
    ck_assert_uint_eq(hlmi_os_quota(tree), 0);
    char path[128];
    snprintf(path, sizeof path, "%s/sys/fs/cgroup/cpu.max", tree);
    ck_assert(unlink(path) == 0 && mkfifo(path, 0600) == 0);
    ck_assert_uint_eq(hlmi_os_quota(tree), 0);
    end_tree();
    free(many);
}
END_TEST

START_TEST(cores_of_this_process)
{
    const unsigned quota = hlmi_os_quota(""), n = hlmi_os_cores();
    ck_assert_msg(n >= 1 && (!quota || n <= quota), "%u cores, quota %u", n, quota);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {masks,      handlers,     descriptors,          quotas,
                                  bad_quotas, large_quotas, cores_of_this_process};
    return suite_run("os", tests, sizeof tests / sizeof *tests);
}
