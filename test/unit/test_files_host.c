/* Files of the library beside a host: one that has closed its standard descriptors, and one whose handlers are to see
 * the faults of mapped files. test_files_host DATA. */
#define _GNU_SOURCE 1
#include "files_help.h"

/* ---- a host without standard descriptors ---- */

enum { ROUNDS = 25 };

typedef struct noise {
    unsigned
        closed; /* bits: descriptors that the host has closed, and that its threads write to and read nevertheless */
    atomic_bool stop, seen;
} noise;

static bool is_ours(const char *link)
{
    char to[PATH];
    const ssize_t n = readlink(link, to, sizeof to - 1);
    to[n > 0 ? n : 0] = '\0';
    return strncmp(to, world, strlen(world)) == 0;
}

static void *make_noise(void *arg)
{
    noise *n = arg;
    while (!atomic_load(&n->stop))
        for (int fd = 0; fd < 3; fd++) {
            char link[40], c;
            if (!(n->closed >> fd & 1)) continue;
            if (write(fd, "LOG LINE\n", 9) > 0 || read(fd, &c, 1) > 0) atomic_store(&n->seen, true);
            snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
            if (is_ours(link)) atomic_store(&n->seen, true);
        }
    return NULL;
}

/* All that is open is closed when another program is started. */
static bool all_close_on_exec(void)
{
    for (int fd = 0; fd < 64; fd++) {
        char link[40];
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        if (is_ours(link) && (fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0) return false;
    }
    return true;
}

static bool same_file(const char *name, const unsigned char *want, size_t n)
{
    char path[PATH];
    size_t m;
    path_of(path, name);
    char *got = read_all(path, &m);
    const bool same = m == n && memcmp(got, want, n) == 0;
    free(got);
    return same;
}

/* Every call that has to do with files; what it wrote is as it should be. 0, or which one is wrong. */
static int all_calls(void)
{
    char path[PATH];
    size_t refused = 0;
    hlm_model *m = NULL;
    if (load_model("m") || load("m", HLM_LOAD_READ) || load_model("s") || load_vocab("t/tokenizer.json")) return 10;
    path_of(path, "x.gguf");
    if (hlm_model_load(&m, path, NULL) || !all_close_on_exec()) return 11;
    hlm_model_release(m);
    if (save_snapshot("new") || load_snapshot("new")) return 12;
    path_of(path, "f");
    if (save_prefix("f") || hlm_prefix_load(pool, path, 0, &refused) || refused) return 13;
    if (load_adapter("a") != HLM_E_MISMATCH && load_adapter("a") != HLM_E_FORMAT) return 14;
    return 0;
}

static int without_descriptors(unsigned closed)
{
    noise ns = {.closed = closed};
    pthread_t threads[2];
    int wrong = 0;
    for (int fd = 0; fd < 3; fd++)
        if (closed >> fd & 1) close(fd);
    for (size_t i = 0; i < 2; i++) pthread_create(&threads[i], NULL, make_noise, &ns);
    for (int i = 0; i < ROUNDS && !wrong; i++) wrong = all_calls();
    atomic_store(&ns.stop, true);
    for (size_t i = 0; i < 2; i++) pthread_join(threads[i], NULL);
    return wrong ? wrong : atomic_load(&ns.seen);
}

START_TEST(closed_descriptors)
{
    size_t n = 0;
    open_place();
    copy("models/tiny-llama.gguf", "x.gguf");
    REFUSED(hlm_cache_save_memory(cache, NULL, 0, &n), HLM_E_SPACE);
    unsigned char *want = malloc(n);
    OK(hlm_cache_save_memory(cache, want, n, &n));
    for (unsigned closed = 0; closed < 8; closed++) {
        int status = 0;
        fflush(stdout);
        const pid_t child = fork();
        if (child == 0) {
            alarm(6 * SECONDS);
            _exit(without_descriptors(closed));
        }
        ck_assert(waitpid(child, &status, 0) == child);
        ck_assert_msg(status == 0, "closed %u: status %x", closed, (unsigned)status);
        ck_assert(same_file("new", want, n));
    }
    free(want);
    close_place();
}
END_TEST

/* ---- the host's handlers ---- */

static void reached(int sig)
{
    (void)sig;
    _exit(7);
}

/* Rows of the embedding are read from a file that another process has cut off meanwhile. */
static void read_what_is_gone(void)
{
    char path[PATH];
    hlm_model *m = NULL;
    hlm_context *ctx = NULL;
    hlm_cache *c = NULL;
    int32_t ids[512];
    const struct sigaction sa = {.sa_handler = reached};
    sigaction(SIGBUS, &sa, NULL);
    path_of(path, "l");
    const hlm_ctx_params cp = {.struct_size = sizeof cp, .n_threads = 3};
    if (hlm_model_load(&m, path, NULL) || hlm_ctx_new(&ctx, m, &cp) || hlm_cache_new(&c, hlm_ctx_pool(ctx), NULL))
        _exit(1);
    path_of(path, "l/model.safetensors");
    if (truncate(path, 4096) != 0) _exit(2);
    for (int32_t i = 0; i < 512; i++) ids[i] = i < 10 ? 3 : 300 - i % 20;
    const hlm_step s = one_step(c, ids, 512, NULL);
    run_step(ctx, &s);
    _exit(3);
}

START_TEST(faults_reach_the_host)
{
    open_place();
    folder("l");
    copy("models/llama3/config.json", "l/config.json");
    for (int i = 0; i < 12; i++) {
        int status = 0;
        copy("models/llama3/model.safetensors", "l/model.safetensors");
        fflush(stdout);
        const pid_t child = fork();
        if (child == 0) read_what_is_gone();
        ck_assert(waitpid(child, &status, 0) == child);
        ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 7, "status %x", (unsigned)status);
    }
    close_place();
}
END_TEST

static unsigned long long mask_in(const char *path)
{
    char line[200];
    unsigned long long mask = 0;
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof line, f)) sscanf(line, "SigBlk: %llx", &mask);
    if (f) fclose(f);
    return mask;
}

static size_t cores(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 ? (size_t)CPU_COUNT(&set) : 1;
}

/* The masks of all threads of a context, as the system tells them. */
START_TEST(masks_of_threads)
{
    static const int open[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGPROF};
    static const int shut[] = {SIGINT,  SIGTERM, SIGHUP,   SIGQUIT,   SIGUSR1, SIGUSR2, SIGALRM,
                               SIGCHLD, SIGPIPE, SIGWINCH, SIGVTALRM, SIGIO,   SIGTSTP, SIGCONT};
    size_t threads = 0;
    hlm_context *ctx = NULL;
    open_place();
    const hlm_ctx_params cp = {.struct_size = sizeof cp, .n_threads = 4, .pool = pool};
    OK(hlm_ctx_new(&ctx, model, &cp));
    DIR *d = opendir("/proc/self/task");
    for (const struct dirent *e; (e = readdir(d));) {
        char path[PATH];
        unsigned long long mask = 0;
        if (e->d_name[0] == '.' || atoi(e->d_name) == getpid()) continue;
        snprintf(path, sizeof path, "/proc/self/task/%s/status", e->d_name);
        /* one that has just been made has all blocked at first */
        for (int tries = 0; tries < 1000 && (mask == 0 || mask >> (SIGSEGV - 1) & 1); tries++, usleep(5000))
            mask = mask_in(path);
        for (size_t i = 0; i < sizeof open / sizeof *open; i++)
            ck_assert_msg(!(mask >> (open[i] - 1) & 1), "signal %d is blocked", open[i]);
        for (size_t i = 0; i < sizeof shut / sizeof *shut; i++)
            ck_assert_msg(mask >> (shut[i] - 1) & 1, "signal %d is not blocked", shut[i]);
        threads++;
    }
    closedir(d);
    ck_assert_uint_ge(threads, cores() > 1); /* no more than cores are started */
    hlm_ctx_free(ctx);
    close_place();
}
END_TEST

int main(int argc, char **argv)
{
    if (argc != 2) return 2;
    data = argv[1];
    TCase *t = tcase_create("files_host");
    tcase_add_test(t, closed_descriptors);
    tcase_add_test(t, faults_reach_the_host);
    tcase_add_test(t, masks_of_threads);
    return api_main("files_host", t);
}
