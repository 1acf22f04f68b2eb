/* kills [--kills N] [--seed S] MODEL: a process that saves in a loop, over a snapshot that is there, is killed
 * (SIGKILL) at a random moment, N times. Afterwards the file is always one of the two contents, whole, it loads, and
 * nothing piles up beside it. */
#define _GNU_SOURCE 1
#include <hybridlm/hybridlm.h>

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "random.h"

enum { TEXT = 3000, SHORTER = 1900 };

typedef struct content {
    hlm_cache *cache;
    unsigned char *data;
    size_t n;
} content;

typedef struct world {
    hlm_model *model;
    hlm_pool *pool;
    content of[2];
    char dir[64], path[80];
} world;

static uint64_t state;

static hlm_status tell(hlm_context *ctx, content *c, hlm_pool *pool, int32_t vocab, size_t n)
{
    static int32_t ids[TEXT];
    const hlm_cache_params p = {.struct_size = sizeof p, .max_tokens = TEXT};
    hlm_status st = hlm_cache_new(&c->cache, pool, &p);
    for (size_t i = 0; i < n; i++) ids[i] = (int32_t)((i * 31 + n) % (size_t)vocab);
    const hlm_step one = {.struct_size = sizeof one, .cache = c->cache, .tokens = ids, .n_tokens = n};
    const hlm_step *const steps[] = {&one};
    if (st == HLM_OK) st = hlm_decode_step(ctx, steps, 1);
    if (st == HLM_OK) st = hlm_cache_save_memory(c->cache, NULL, 0, &c->n);
    c->data = malloc(c->n + 1);
    return st == HLM_E_SPACE && c->data ? hlm_cache_save_memory(c->cache, c->data, c->n, &c->n) : st;
}

static int open_world(world *w, const char *path)
{
    hlm_model_info info = {.struct_size = sizeof info};
    hlm_context *ctx = NULL;
    hlm_status st = hlm_model_load(&w->model, path, NULL);
    if (st == HLM_OK) st = hlm_model_info_get(w->model, &info);
    if (st == HLM_OK) st = hlm_pool_new(&w->pool, w->model, NULL);
    const hlm_ctx_params cp = {.struct_size = sizeof cp, .n_threads = 1, .pool = w->pool};
    if (st == HLM_OK) st = hlm_ctx_new(&ctx, w->model, &cp);
    if (st == HLM_OK) st = tell(ctx, &w->of[0], w->pool, info.vocab_size, TEXT);
    if (st == HLM_OK) st = tell(ctx, &w->of[1], w->pool, info.vocab_size, SHORTER);
    hlm_ctx_free(ctx);
    strcpy(w->dir, "/tmp/hlm-kills-XXXXXX");
    if (st != HLM_OK || !mkdtemp(w->dir)) return 0;
    snprintf(w->path, sizeof w->path, "%s/text", w->dir);
    return hlm_cache_save(w->of[0].cache, w->path) == HLM_OK;
}

/* Files beside the snapshot; with `all`, it and they go. */
static size_t beside(const world *w, int all)
{
    size_t n = 0;
    DIR *d = opendir(w->dir);
    for (const struct dirent *e; d && (e = readdir(d)) != NULL;) {
        char path[400];
        if (e->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/%s", w->dir, e->d_name);
        n += strcmp(path, w->path) != 0;
        if (all) unlink(path);
    }
    if (d) closedir(d);
    return n;
}

static int is_content(const world *w)
{
    FILE *f = fopen(w->path, "rb");
    unsigned char *data = malloc(w->of[0].n + 1);
    const size_t n = f && data ? fread(data, 1, w->of[0].n + 1, f) : 0;
    int found = 0;
    for (size_t i = 0; i < 2; i++) found += n == w->of[i].n && memcmp(data, w->of[i].data, n) == 0;
    free(data);
    if (f) fclose(f);
    return found == 1;
}

static int loads(const world *w)
{
    hlm_cache *c = NULL;
    const hlm_status st = hlm_cache_load(&c, w->pool, w->path, 0);
    hlm_cache_free(c);
    return st == HLM_OK;
}

static void save_forever(const world *w)
{
    for (size_t i = 1;; i++)
        if (hlm_cache_save(w->of[i % 2].cache, w->path) != HLM_OK) _exit(1);
}

/* One kill; *left: files that it left behind. */
static int kill_once(const world *w, size_t *left)
{
    int status = 0;
    const pid_t child = fork();
    if (child == 0) save_forever(w);
    const uint64_t ns = random_next(&state) % 40000000;
    const struct timespec t = {.tv_nsec = (long)ns};
    nanosleep(&t, NULL);
    kill(child, SIGKILL);
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFSIGNALED(status)) {
        printf("the child ended by itself, status %d\n", status);
        return 0;
    }
    *left = beside(w, 0);
    if (is_content(w) && loads(w) && *left <= 1) return 1;
    printf("after %llu us: %s, %zu files beside it\n", (unsigned long long)ns / 1000,
           is_content(w) ? hlm_last_error() : "neither of the contents", *left);
    return 0;
}

static unsigned run(world *w, unsigned kills, unsigned *failed)
{
    unsigned passed = 0, interrupted = 0;
    for (unsigned i = 0; i < kills; i++) {
        size_t left = 0;
        if (kill_once(w, &left)) passed++;
        else ++*failed;
        interrupted += left > 0;
    }
    /* the next save takes over what was left */
    const int clean = hlm_cache_save(w->of[1].cache, w->path) == HLM_OK && beside(w, 0) == 0;
    printf("%u of %u kills left a file behind, which the next save used%s\n", interrupted, kills,
           clean ? "" : ": not so");
    *failed += !clean;
    return passed + (unsigned)clean;
}

int main(int argc, char **argv)
{
    unsigned kills = 200, passed = 0, failed = 0;
    int i = 1;
    state = (uint64_t)time(NULL);
    for (; i + 2 < argc; i += 2) {
        if (strcmp(argv[i], "--kills") == 0) kills = (unsigned)strtoul(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--seed") == 0) state = strtoull(argv[i + 1], NULL, 10);
    }
    if (i >= argc) {
        printf("usage: kills [--kills N] [--seed S] MODEL\n");
        return 2;
    }
    world w = {.model = NULL};
    printf("seed %llu\n", (unsigned long long)state);
    if (open_world(&w, argv[i])) passed = run(&w, kills, &failed);
    else printf("%s: %s\n", argv[i], hlm_last_error());
    beside(&w, 1);
    rmdir(w.dir);
    for (size_t k = 0; k < 2; k++) {
        hlm_cache_free(w.of[k].cache);
        free(w.of[k].data);
    }
    hlm_pool_release(w.pool);
    hlm_model_release(w.model);
    printf("%u passed, %u failed\n", passed, failed);
    return failed || !passed;
}
