/* Every place where the library opens a file, with everything that can be there instead: FIFOs, sockets, devices, folders, links to
 * nothing, files that may not be read; and everything that people have in a file's place. test_files DATA. */
#define _GNU_SOURCE 1
#include "api_help.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <jansson.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *data; /* test/data */
static char world[64]; /* a folder of this process */

enum { PATH = 1024, NAME = 256, NOBODY = 65534, SECONDS = 20 /* a busy machine's second */ };

/* ---- files ---- */

static void path_of(char out[PATH], const char *name)
{
    snprintf(out, PATH, "%s/%s", world, name);
}

static void write_bytes(const char *name, const void *bytes, size_t n)
{
    char path[PATH];
    path_of(path, name);
    FILE *f = fopen(path, "wb");
    ck_assert_msg(f && fwrite(bytes, 1, n, f) == n && fclose(f) == 0, "%s", path);
}

static char *read_all(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    struct stat sb;
    ck_assert_msg(f && fstat(fileno(f), &sb) == 0, "%s", path);
    char *p = malloc((size_t)sb.st_size + 1);
    *n = fread(p, 1, (size_t)sb.st_size, f);
    p[*n] = '\0';
    fclose(f);
    return p;
}

static void copy(const char *from, const char *name)
{
    char path[PATH];
    size_t n;
    snprintf(path, sizeof path, "%s/%s", data, from);
    char *p = read_all(path, &n);
    write_bytes(name, p, n);
    free(p);
}

static int remove_entry(const char *path, const struct stat *sb, int type, struct FTW *at)
{
    (void)sb, (void)type, (void)at;
    return remove(path);
}

static void remove_tree(const char *path)
{
    struct stat sb;
    if (lstat(path, &sb) == 0) ck_assert_int_eq(nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static void folder(const char *name)
{
    char path[PATH];
    path_of(path, name);
    ck_assert_int_eq(mkdir(path, 0755), 0);
}

static void copy_model(const char *to)
{
    static const char *const names[] = {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"};
    folder(to);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char from[NAME], name[NAME];
        snprintf(from, sizeof from, "models/tiny-llama/%s", names[i]);
        snprintf(name, sizeof name, "%s/%s", to, names[i]);
        copy(from, name);
    }
}

/* The names of its tensors, all in part.safetensors. */
static void copy_sharded(const char *to)
{
    char name[NAME], from[PATH];
    size_t n;
    copy_model(to);
    snprintf(from, sizeof from, "%s/%s/model.safetensors", world, to);
    char *p = read_all(from, &n);
    const uint64_t head = *(const uint64_t *)p;
    json_t *header = json_loadb(p + 8, (size_t)head, 0, NULL), *map = json_object(), *v;
    const char *key;
    ck_assert_ptr_nonnull(header);
    json_object_foreach(header, key, v) if (strcmp(key, "__metadata__") != 0)
        json_object_set_new(map, key, json_string("part.safetensors"));
    json_t *index = json_pack("{s:{}, s:o}", "metadata", "weight_map", map);
    char *text = json_dumps(index, 0);
    snprintf(name, sizeof name, "%s/model.safetensors.index.json", to);
    write_bytes(name, text, strlen(text));
    snprintf(name, sizeof name, "%s/%s/part.safetensors", world, to);
    ck_assert_int_eq(rename(from, name), 0);
    free(text);
    free(p);
    json_decref(index);
    json_decref(header);
}

/* ---- calls ---- */

static hlm_status load(const char *name, uint32_t flags)
{
    char path[PATH];
    path_of(path, name);
    hlm_model *m = NULL;
    const hlm_model_params mp = {.struct_size = sizeof mp, .flags = flags};
    const hlm_status st = hlm_model_load(&m, path, &mp);
    hlm_model_release(m);
    return st;
}

static hlm_status load_model(const char *name)
{
    return load(name, 0);
}

static hlm_status load_vocab(const char *name)
{
    return load(name, HLM_LOAD_VOCAB_ONLY);
}

static hlm_model *model;
static hlm_pool *pool;
static hlm_cache *cache;

static void open_model(void)
{
    static const int32_t ids[] = {5, 6, 7};
    char path[PATH];
    hlm_context *ctx = NULL;
    path_of(path, "m");
    OK(hlm_model_load(&model, path, NULL));
    OK(hlm_pool_new(&pool, model, NULL));
    const hlm_ctx_params cp = {.struct_size = sizeof cp, .n_threads = 1, .pool = pool};
    OK(hlm_ctx_new(&ctx, model, &cp));
    OK(hlm_cache_new(&cache, pool, NULL));
    const hlm_step s = one_step(cache, ids, 3, NULL);
    OK(run_step(ctx, &s));
    hlm_ctx_free(ctx);
}

static hlm_status load_adapter(const char *name)
{
    char path[PATH];
    hlm_adapter *a = NULL;
    path_of(path, name);
    const hlm_status st = hlm_adapter_load(&a, model, path, NULL);
    hlm_adapter_release(a);
    return st;
}

static hlm_status load_snapshot(const char *name)
{
    char path[PATH];
    hlm_cache *c = NULL;
    path_of(path, name);
    const hlm_status st = hlm_cache_load(&c, pool, path, 0);
    hlm_cache_free(c);
    return st;
}

static hlm_status save_snapshot(const char *name)
{
    char path[PATH];
    path_of(path, name);
    return hlm_cache_save(cache, path);
}

static hlm_status load_prefix(const char *name)
{
    char path[PATH];
    path_of(path, name);
    return hlm_prefix_load(pool, path, 0, NULL);
}

static hlm_status save_prefix(const char *name)
{
    char path[PATH];
    path_of(path, name);
    OK(hlm_prefix_add(cache));
    return hlm_prefix_save(pool, path);
}

typedef hlm_status call(const char *name);

typedef struct place {
    call *run;
    const char *argument; /* in the world */
    const char *file; /* that is something else, in the world; where it is a part, the error names the last of it */
    int content; /* what it is, for the test of contents */
} place;

enum { NONE, WEIGHTS, TEXT, TEMPLATE, STATE };

static const place places[] = {
    {load_model, "x.gguf", "x.gguf", WEIGHTS},
    {load_vocab, "x.gguf", "x.gguf", WEIGHTS},
    {load_model, "m", "m/model.safetensors", WEIGHTS},
    {load_model, "m", "m/config.json", TEXT},
    {load_model, "m", "m/tokenizer.json", TEXT},
    {load_model, "m", "m/tokenizer_config.json", TEXT},
    {load_model, "m", "m/generation_config.json", TEXT},
    {load_model, "m", "m/chat_template.json", TEXT},
    {load_model, "m", "m/chat_template.jinja", TEMPLATE},
    {load_model, "m", "m/additional_chat_templates/rag.jinja", TEMPLATE},
    {load_vocab, "m", "m/config.json", TEXT},
    {load_vocab, "m", "m/tokenizer.json", TEXT},
    {load_model, "s", "s/model.safetensors.index.json", TEXT},
    {load_model, "s", "s/part.safetensors", WEIGHTS},
    {load_vocab, "t/tokenizer.json", "t/tokenizer.json", TEXT},
    {load_vocab, "t/tokenizer.json", "t/tokenizer_config.json", TEXT},
    {load_vocab, "p/tokenizer.model", "p/tokenizer.model", NONE},
    {load_vocab, "p/tokenizer.model", "p/tokenizer_config.json", TEXT},
    {load_vocab, "p/tokenizer.model", "p/added_tokens.json", TEXT},
    {load_model, "q", "q/tokenizer.model", NONE},
    {load_model, "q", "q/added_tokens.json", TEXT},
    {load_adapter, "x.gguf", "x.gguf", WEIGHTS},
    {load_adapter, "a", "a/adapter_config.json", TEXT},
    {load_adapter, "a", "a/adapter_model.safetensors", WEIGHTS},
    {load_snapshot, "text", "text", STATE},
    {load_prefix, "f", "f/texts.index", STATE},
    {save_snapshot, "new", "new", NONE},
    {save_prefix, "f", "f/texts.index", NONE},
    {save_prefix, "new", "new", NONE},
    {load_prefix, "new", "new", NONE},
};
enum { PLACES = sizeof places / sizeof *places };

/* Everything that the places need, as it should be. */
static void open_place(void)
{
    strcpy(world, "/tmp/hybridlm-files-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(world));
    ck_assert_int_eq(chmod(world, 0755), 0);
    copy_model("m");
    folder("m/additional_chat_templates");
    copy_sharded("s");
    folder("t"), folder("p"), folder("a");
    copy("models/tiny-llama/tokenizer.json", "t/tokenizer.json");
    copy("tokenizers/huozi_spm_bpe/tokenizer.model", "p/tokenizer.model");
    folder("q");
    copy("models/tiny-llama/config.json", "q/config.json");
    copy("models/tiny-llama/model.safetensors", "q/model.safetensors");
    copy("tokenizers/huozi_spm_bpe/tokenizer.model", "q/tokenizer.model");
    copy("adapters/lora/adapter_config.json", "a/adapter_config.json");
    copy("adapters/lora/adapter_model.safetensors", "a/adapter_model.safetensors");
    open_model();
    OK(save_snapshot("text"));
    OK(save_prefix("f"));
}

static void close_place(void)
{
    hlm_cache_free(cache);
    hlm_pool_release(pool);
    hlm_model_release(model);
    remove_tree(world);
}

/* ---- kinds of files ---- */

static void put_fifo(const char *path)
{
    ck_assert_int_eq(mkfifo(path, 0644), 0);
}

static void put_socket(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    ck_assert(strlen(path) < sizeof a.sun_path);
    memcpy(a.sun_path, path, strlen(path) + 1);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    close(fd);
}

static void put_device(const char *path)
{
    ck_assert_int_eq(symlink("/dev/zero", path), 0);
}

static void put_folder(const char *path)
{
    ck_assert_int_eq(mkdir(path, 0755), 0);
}

static void put_dangling(const char *path)
{
    ck_assert_int_eq(symlink("/nowhere/at/all", path), 0);
}

static void put_loop(const char *path)
{
    ck_assert_int_eq(symlink(path, path), 0);
}

static void put_unreadable(const char *path)
{
    FILE *f = fopen(path, "wb");
    ck_assert(f && fputs("{}", f) >= 0 && fclose(f) == 0 && chmod(path, 0) == 0);
}

enum { SAVES = 1, FOLDERS = 2, PLAIN = 4 }; /* places where a kind is as it should be */

static const struct {
    const char *name;
    void (*put)(const char *path);
    const char *words;
    int fine;
} kinds[] = {
    {"a FIFO", put_fifo, "it is a FIFO", 0},
    {"a socket", put_socket, "it is a socket", 0},
    {"a device", put_device, "it is a character device", 0},
    {"a folder", put_folder, "folder", FOLDERS},
    {"a link to nothing", put_dangling, "No such file", SAVES},
    {"a link to itself", put_loop, "Too many levels of symbolic links", SAVES},
    {"no permission", put_unreadable, "Permission denied", SAVES | PLAIN},
};

static bool is_fine(const place *p, int fine)
{
    const bool whole = strcmp(p->argument, p->file) == 0;
    if (p->run == load_prefix && whole) return true; /* a folder without an index: another test's */
    if (p->run == save_prefix && whole) return (fine & (FOLDERS | PLAIN)) != 0;
    if ((p->run == save_prefix || p->run == save_snapshot) && (fine & SAVES)) return true; /* replaced */
    return false;
}

/* In a child, which may hang: what the call says. With `nobody`, as a user without rights. */
static hlm_status in_child(const place *p, bool nobody, char *sentence, size_t cap)
{
    int ends[2], status = 0;
    ck_assert_int_eq(pipe(ends), 0);
    fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        alarm(SECONDS);
        if (nobody && geteuid() == 0 &&
            (setgroups(0, NULL) != 0 || setresgid(NOBODY, NOBODY, NOBODY) != 0 ||
             setresuid(NOBODY, NOBODY, NOBODY) != 0))
            _exit(99);
        const hlm_status st = p->run(p->argument);
        if (write(ends[1], hlm_last_error(), strlen(hlm_last_error())) < 0) _exit(98);
        _exit(-st);
    }
    close(ends[1]);
    const ssize_t n = read(ends[0], sentence, cap - 1);
    sentence[n > 0 ? n : 0] = '\0';
    close(ends[0]);
    ck_assert(waitpid(child, &status, 0) == child);
    ck_assert_msg(WIFEXITED(status), "%s (%s): signal %d", p->argument, p->file, WTERMSIG(status));
    return -WEXITSTATUS(status);
}

/* Moves what is there away, and back. */
static void set_aside(const char *path, bool back)
{
    char aside[PATH + 8];
    struct stat sb;
    snprintf(aside, sizeof aside, "%s.aside", path);
    if (back) remove_tree(path);
    if (lstat(back ? aside : path, &sb) == 0) ck_assert_int_eq(rename(back ? aside : path, back ? path : aside), 0);
}

static const char *last_part(const char *file)
{
    const char *slash = strrchr(file, '/');
    return slash ? slash + 1 : file;
}

START_TEST(kinds_of_files)
{
    open_place();
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        for (size_t i = 0; i < PLACES; i++) {
            char path[PATH], said[600];
            const place *p = &places[i];
            if (is_fine(p, kinds[k].fine)) continue;
            path_of(path, p->file);
            set_aside(path, false);
            kinds[k].put(path);
            const hlm_status st = in_child(p, kinds[k].put == put_unreadable, said, sizeof said);
            set_aside(path, true);
            ck_assert_msg(st == HLM_E_IO && strstr(said, last_part(p->file)) && strstr(said, kinds[k].words),
                          "%s in the place of %s: %s, '%s'", kinds[k].name, p->file, hlm_status_name(st), said);
        }
    close_place();
}
END_TEST

/* What is not there, what is no folder, folders that may not be entered, and what may not be written. */
START_TEST(reasons)
{
    static const struct {
        place p;
        const char *words, *locked; /* a folder that nobody may use */
        mode_t mode;
    } cases[] = {
        {{load_model, "none", NULL, 0}, "no such file", NULL, 0},
        {{load_model, "none.gguf", NULL, 0}, "no such file", NULL, 0},
        {{load_model, "m/config.json/x", NULL, 0}, "Not a directory", NULL, 0},
        {{load_vocab, "none.json", NULL, 0}, "no such file", NULL, 0},
        {{load_adapter, "none", NULL, 0}, "no such file", NULL, 0},
        {{load_snapshot, "none", NULL, 0}, "no such file", NULL, 0},
        {{load_prefix, "none", NULL, 0}, "no such file", NULL, 0},
        {{save_snapshot, "none/x", NULL, 0}, "No such file or directory", NULL, 0},
        {{save_prefix, "none/x", NULL, 0}, "No such file or directory", NULL, 0},
        {{save_snapshot, "text/x", NULL, 0}, "Not a directory", NULL, 0},
        {{load_model, "m", NULL, 0}, "Permission denied", "m", 0},
        {{load_adapter, "a", NULL, 0}, "Permission denied", "a", 0},
        {{load_prefix, "f", NULL, 0}, "Permission denied", "f", 0},
        {{save_prefix, "f", NULL, 0}, "Permission denied", "f", 0555},
        {{save_snapshot, "a/x", NULL, 0}, "Permission denied", "a", 0555},
        {{save_prefix, "a/x", NULL, 0}, "Permission denied", "a", 0555},
    };
    open_place();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char said[600], path[PATH];
        const char *locked = cases[i].locked;
        path_of(path, locked ? locked : "");
        if (locked) ck_assert_int_eq(chmod(path, cases[i].mode), 0);
        const hlm_status st = in_child(&cases[i].p, locked != NULL, said, sizeof said);
        if (locked) ck_assert_int_eq(chmod(path, 0755), 0);
        ck_assert_msg(st == HLM_E_IO && strstr(said, cases[i].p.argument) && strstr(said, cases[i].words),
                      "%zu, %s: %s, '%s'", i, cases[i].p.argument, hlm_status_name(st), said);
    }
    close_place();
}
END_TEST

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

/* ---- contents ---- */

#define LFS                                          \
  "version https://git-lfs.github.com/spec/v1\noid " \
  "sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n"
#define CONTENT(bytes, words)      \
  {                                \
    bytes, sizeof bytes - 1, words \
  }

static const struct {
    const char *bytes;
    size_t n;
    const char *words;
} contents[] = {
    CONTENT(LFS, "Git LFS pointer"),
    CONTENT("<!DOCTYPE html><html><head><title>404</title>", "HTML page"),
    CONTENT("\n\n  <html lang=\"en\">Sign in</html>", "HTML page"),
    CONTENT("\xEF\xBB\xBF<!doctype HTML>", "HTML page"),
    CONTENT("<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>AccessDenied</Code></Error>", "XML text"),
    CONTENT("{\"error\":\"Repository not found\"}", "Repository not found"),
    CONTENT("{ \"message\" : \"Not Found\", \"documentation_url\": \"x\"}", "Not Found"),
    CONTENT("Entry not found", "Entry not found"),
    CONTENT("404: Not Found", "404: Not Found"),
    CONTENT("Access to model x/y is restricted. You must have access to it.", "Access to model"),
    CONTENT("PK\3\4\0\0\x08\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x10\0\x12\0archive/data.pklFB", "PyTorch"),
    CONTENT("PK\3\4\x14\0\0\0\x08\0model.safetensors", "zip archive"),
    CONTENT("\x80\x02\x8A\x0A\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19.\x80\x02", "PyTorch"),
    CONTENT("\x80\x04\x95\x10\0\0\0\0\0\0\0}\x94", "pickle"),
    CONTENT("\x80\x02}q\0", "pickle"),
    CONTENT("\x1F\x8B\x08\0\0\0\0\0\0\x03{}", "gzip"),
    CONTENT("\xFD"
            "7zXZ\0\0\4",
            "xz"),
    CONTENT("\x28\xB5\x2F\xFD\x04\x00", "zstd"),
    CONTENT("BZh91AY&SY", "bzip2"),
    CONTENT("\x89HDF\r\n\x1A\n\0", "HDF5"),
    CONTENT("\xFF\xFE{\0}\0", "UTF-16"),
    CONTENT("\xFE\xFF\0{\0}", "UTF-16"),
    CONTENT("{\0\"\0a\0\"\0:\0001\0}\0", "UTF-16"),
    CONTENT("\0{\0\"\0a\0\"\0:\0001\0}", "UTF-16"),
    CONTENT("\xFF\xFE\0\0{\0\0\0}\0\0\0", "UTF-32"),
    CONTENT("\0\0\xFE\xFF\0\0\0{\0\0\0}", "UTF-32"),
    {NULL, 4096, "zeros"},
    {NULL, 0, "empty"},
};

START_TEST(what_it_looks_like)
{
    static const char zeros[4096];
    open_place();
    for (size_t k = 0; k < sizeof contents / sizeof *contents; k++)
        for (size_t i = 0; i < PLACES; i++) {
            char path[PATH];
            const place *p = &places[i];
            if (p->content == NONE || (p->content == TEMPLATE && contents[k].n == 0)) continue;
            path_of(path, p->file);
            set_aside(path, false);
            write_bytes(p->file, contents[k].bytes ? contents[k].bytes : zeros, contents[k].n);
            const hlm_status st = p->run(p->argument);
            const char *said = hlm_last_error();
            set_aside(path, true);
            ck_assert_msg(st == HLM_E_FORMAT && strstr(said, last_part(p->file)) && strstr(said, contents[k].words),
                          "%s with %s: %s, '%s'", p->file, contents[k].words, hlm_status_name(st), said);
        }
    close_place();
}
END_TEST

/* A byte order mark before what is right. */
START_TEST(marks)
{
    open_place();
    size_t n_marked = 0;
    write_bytes("m/generation_config.json", "{}", 2);
    write_bytes("m/chat_template.jinja", "hello", 5);
    write_bytes("m/additional_chat_templates/rag.jinja", "hello", 5);
    write_bytes("p/added_tokens.json", "{}", 2);
    for (size_t i = 0; i < PLACES; i++) {
        char path[PATH];
        struct stat sb;
        size_t n;
        const place *p = &places[i];
        path_of(path, p->file);
        if ((p->content != TEXT && p->content != TEMPLATE) || stat(path, &sb) != 0) continue;
        const hlm_status before = p->run(p->argument);
        char *text = read_all(path, &n), *marked = malloc(n + 3), said[600];
        snprintf(said, sizeof said, "%s", hlm_last_error());
        memcpy(marked, "\xEF\xBB\xBF", 3);
        memcpy(marked + 3, text, n);
        set_aside(path, false);
        write_bytes(p->file, marked, n + 3);
        const hlm_status st = p->run(p->argument);
        set_aside(path, true);
        /* the adapter is for another model, which is found out later */
        ck_assert_msg(st == before && (st == HLM_OK || p->run == load_adapter), "%s: %s, '%s'", p->file,
                      hlm_status_name(st), hlm_last_error());
        ck_assert_msg(st == HLM_OK || strcmp(said, hlm_last_error()) == 0, "%s: '%s'", said, hlm_last_error());
        n_marked++;
        free(text);
        free(marked);
    }
    ck_assert_uint_ge(n_marked, 12);
    close_place();
}
END_TEST

/* Weights of other kinds, and none. */
START_TEST(other_weights)
{
    static const char *const names[] = {"pytorch_model.bin", "pytorch_model.bin.index.json", "consolidated.00.pth",
                                        "tf_model.h5", "flax_model.msgpack"};
    char path[PATH], name[NAME];
    open_place();
    path_of(path, "m/model.safetensors");
    set_aside(path, false);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(name, sizeof name, "m/%s", names[i]);
        write_bytes(name, "PK\3\4", 4);
        REFUSED(load_model("m"), HLM_E_IO);
        ck_assert_msg(strstr(hlm_last_error(), names[i]) && strstr(hlm_last_error(), "safetensors"), "%s",
                      hlm_last_error());
        path_of(path, name);
        unlink(path);
    }
    REFUSED(load_model("m"), HLM_E_IO);
    ck_assert_msg(strstr(hlm_last_error(), "no weights"), "%s", hlm_last_error());
    path_of(path, "a/adapter_model.safetensors");
    unlink(path);
    write_bytes("a/adapter_model.bin", "PK\3\4", 4);
    REFUSED(load_adapter("a"), HLM_E_IO);
    ck_assert_msg(strstr(hlm_last_error(), "adapter_model.bin"), "%s", hlm_last_error());
    copy("models/tiny-llama/model.safetensors", "x.gguf");
    REFUSED(load_model("x.gguf"), HLM_E_FORMAT);
    ck_assert_msg(strstr(hlm_last_error(), "safetensors file: give the folder"), "%s", hlm_last_error());
    copy("models/tiny-llama.gguf", "s/part.safetensors");
    REFUSED(load_model("s"), HLM_E_FORMAT);
    ck_assert_msg(strstr(hlm_last_error(), "a GGUF file"), "%s", hlm_last_error());
    close_place();
}
END_TEST

/* Cut off anywhere: an error that names the file. */
START_TEST(cut_off)
{
    static const struct {
        const char *from, *to, *argument;
    } whole[] = {{"models/tiny-llama.gguf", "x.gguf", "x.gguf"},
                 {"models/tiny-llama/model.safetensors", "m/model.safetensors", "m"}};
    open_place();
    for (size_t k = 0; k < 2; k++) {
        char path[PATH];
        size_t n;
        snprintf(path, sizeof path, "%s/%s", data, whole[k].from);
        char *p = read_all(path, &n);
        for (size_t at = 0; at < n; at += at < 64 ? 1 : n / 60) {
            write_bytes(whole[k].to, p, at);
            REFUSED(load_model(whole[k].argument), HLM_E_FORMAT);
            ck_assert_msg(strstr(hlm_last_error(), last_part(whole[k].to)), "%s", hlm_last_error());
            if (at > 20)
                ck_assert_msg(strstr(hlm_last_error(), "whole?") || strstr(hlm_last_error(), "bytes behind it"),
                              "%zu: %s", at, hlm_last_error());
        }
        free(p);
    }
    close_place();
}
END_TEST

int main(int argc, char **argv)
{
    if (argc != 2) return 2;
    data = argv[1];
    TCase *t = tcase_create("files");
    tcase_add_test(t, kinds_of_files);
    tcase_add_test(t, reasons);
    tcase_add_test(t, closed_descriptors);
    tcase_add_test(t, faults_reach_the_host);
    tcase_add_test(t, masks_of_threads);
    tcase_add_test(t, what_it_looks_like);
    tcase_add_test(t, marks);
    tcase_add_test(t, other_weights);
    tcase_add_test(t, cut_off);
    return api_main("files", t);
}
