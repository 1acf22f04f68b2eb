/* Three characters think inside a game's loop: 60 frames a second, of which they get 4 ms. They are forks of one prompt, and
 * run in one step of three sequences, in slices that fit the frame. The memory, the threads and the files are the game's:
 * an allocator that counts, a job system of two threads, and weights out of a pack file.
 *   cc game_loop.c $(pkg-config --cflags --libs hybridlm) -pthread -o game_loop
 *   ./game_loop pack game.pack MODEL.gguf && ./game_loop game.pack [FRAMES [MICROSECONDS]] */
#define _GNU_SOURCE 1
#include <fcntl.h>
#include <hybridlm/hybridlm.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { CHARACTERS = 3, WORDS = 40, ROOM = 512, THREADS = 2, FRAME_US = 16667, BUDGET_US = 4000 };

static const char world[] =
    "You are a villager of Oakrest, a village by a dark forest. Answer in one short sentence.\n";
static const char *const lines[CHARACTERS] = {
    "The smith is asked about the sword, and says:", "The innkeeper is asked for news, and says:",
    "The child is asked what it saw in the forest, and says:"};

/* ---- the game's memory: counted ---- */

static atomic_size_t blocks;

static void *game_alloc(void *user, size_t size, size_t align)
{
    (void)user;
    void *p = aligned_alloc(align, (size + align - 1) / align * align);
    if (p) atomic_fetch_add(&blocks, 1);
    return p;
}

static void game_free(void *user, void *p)
{
    (void)user;
    if (p) atomic_fetch_sub(&blocks, 1);
    free(p);
}

/* ---- the game's files: a pack of them, mapped; its head has their names and places ---- */

typedef struct entry {
    char name[48];
    uint64_t at, size;
} entry;

enum { FILES = 8, ALIGN = 64 };

typedef struct pack {
    entry head[FILES];
} pack;

static int32_t pack_open(void *user, const char *path, void **file)
{
    pack *p = user;
    for (size_t i = 0; i < FILES; i++) {
        *file = &p->head[i];
        if (*path && strcmp(p->head[i].name, path) == 0) return 0;
    }
    return 1; /* not there */
}

static int32_t pack_size(void *user, void *file, uint64_t *size)
{
    (void)user;
    *size = ((entry *)file)->size;
    return 0;
}

static int32_t pack_map(void *user, void *file, const void **data)
{
    *data = (char *)user + ((entry *)file)->at;
    return 0;
}

static int32_t pack_read(void *user, void *file, uint64_t offset, void *out, size_t n)
{
    memcpy(out, (char *)user + ((entry *)file)->at + offset, n); /* the library asks for what there is */
    return 0;
}

static void pack_close(void *user, void *file)
{
    (void)user, (void)file;
}

/* Puts one model into a pack, under the name "model". */
static int make_pack(const char *out, const char *model)
{
    static char buffer[1 << 16];
    pack p = {.head = {{.name = "model", .at = (sizeof p + ALIGN - 1) / ALIGN * ALIGN}}};
    FILE *from = fopen(model, "rb"), *to = fopen(out, "wb");
    size_t n;
    int ok = from && to && fseek(to, (long)p.head[0].at, SEEK_SET) == 0;
    while (ok && (n = fread(buffer, 1, sizeof buffer, from)) > 0) {
        p.head[0].size += n;
        ok = fwrite(buffer, 1, n, to) == n;
    }
    ok = ok && !ferror(from) && fseek(to, 0, SEEK_SET) == 0 && fwrite(&p, sizeof p, 1, to) == 1;
    if (from) fclose(from);
    if (to) ok = fclose(to) == 0 && ok;
    if (!ok) fprintf(stderr, "game_loop: %s can not be packed into %s\n", model, out);
    return ok ? 0 : 1;
}

/* The mapped pack, or NULL when it is none. */
static pack *map_pack(const char *path, size_t *bytes)
{
    struct stat s;
    const int file = open(path, O_RDONLY);
    pack *p = file >= 0 && fstat(file, &s) == 0 && (size_t)s.st_size >= sizeof *p
        ? mmap(NULL, *bytes = (size_t)s.st_size, PROT_READ, MAP_PRIVATE, file, 0)
        : MAP_FAILED;
    if (file >= 0) close(file);
    for (size_t i = 0; i < FILES && p != MAP_FAILED; i++)
        if (p->head[i].at > *bytes || p->head[i].size > *bytes - p->head[i].at || p->head[i].name[47]) {
            munmap(p, *bytes);
            p = MAP_FAILED;
        }
    return p == MAP_FAILED ? NULL : p;
}

/* ---- the game's threads: they look for work while a frame thinks, and sleep otherwise ---- */

typedef struct jobs {
    pthread_t thread[THREADS];
    pthread_mutex_t lock;
    pthread_cond_t wake;
    int thinking, quit; /* under the lock */
    atomic_int awake;
    hlm_task *task;
    void *arg;
    atomic_size_t round, left; /* one task a thread and round */
} jobs;

typedef struct job {
    jobs *all;
    size_t index;
} job;

static void *job_thread(void *arg)
{
    jobs *j = ((job *)arg)->all;
    const size_t index = ((job *)arg)->index;
    for (size_t seen = 0;;) {
        pthread_mutex_lock(&j->lock);
        while (!j->thinking && !j->quit) pthread_cond_wait(&j->wake, &j->lock);
        const int quit = j->quit;
        pthread_mutex_unlock(&j->lock);
        if (quit) return NULL;
        while (atomic_load(&j->awake)) {
            if (atomic_load(&j->round) == seen) {
                sched_yield();
                continue;
            }
            seen++;
            j->task(j->arg, index);
            atomic_fetch_sub(&j->left, 1);
        }
    }
}

static int32_t run_jobs(void *user, size_t n, hlm_task *task, void *arg)
{
    jobs *j = user;
    j->task = task;
    j->arg = arg;
    atomic_store(&j->left, n - 1);
    atomic_fetch_add(&j->round, 1);
    task(arg, 0);
    while (atomic_load(&j->left)) sched_yield();
    return 0;
}

static void set_thinking(jobs *j, int thinking)
{
    pthread_mutex_lock(&j->lock);
    j->thinking = thinking;
    atomic_store(&j->awake, thinking);
    pthread_cond_broadcast(&j->wake);
    pthread_mutex_unlock(&j->lock);
}

/* ---- the characters ---- */

typedef struct mind {
    hlm_model *model;
    hlm_context *ctx;
    hlm_cache *prompt, *cache[CHARACTERS];
    float *logits;
    size_t vocab;
    int32_t ids[CHARACTERS][ROOM]; /* the line, then what is said */
    size_t n[CHARACTERS], line[CHARACTERS];
    int silent[CHARACTERS], begun, words;
} mind;

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec * 1e-3;
}

/* The next step: the line of each at first, then its last word; before that the prompt of all. */
static hlm_status begin_step(mind *m)
{
    hlm_step s[CHARACTERS];
    const hlm_step *steps[CHARACTERS];
    int32_t *ids = m->ids[0];
    if (!m->cache[0] && hlm_cache_length(m->prompt) == 0) {
        s[0] = (hlm_step){.struct_size = sizeof *s, .cache = m->prompt, .tokens = ids};
        const hlm_status st =
            hlm_tokenize(m->model, world, strlen(world), HLM_TOKENIZE_ADD_SPECIAL, ids, ROOM, &s[0].n_tokens);
        steps[0] = s;
        return st == HLM_OK ? hlm_step_begin(m->ctx, steps, 1) : st;
    }
    size_t n = 0;
    for (size_t i = 0; i < CHARACTERS; i++) {
        hlm_status st = HLM_OK;
        ids = m->ids[i];
        if (m->silent[i]) continue;
        if (!m->cache[i]) {
            st = hlm_cache_fork(&m->cache[i], m->prompt, HLM_NOW);
            if (st == HLM_OK) st = hlm_tokenize(m->model, lines[i], strlen(lines[i]), 0, ids, ROOM - WORDS, &m->n[i]);
            if (st != HLM_OK) return st;
            m->line[i] = m->n[i];
        }
        const size_t held = (size_t)(hlm_cache_length(m->cache[i]) - hlm_cache_length(m->prompt));
        s[n] = (hlm_step){.struct_size = sizeof *s,
                          .cache = m->cache[i],
                          .tokens = ids + held,
                          .n_tokens = m->n[i] - held,
                          .logits = m->logits + i * m->vocab};
        steps[n] = &s[n];
        n++;
    }
    return hlm_step_begin(m->ctx, steps, n);
}

/* Each character's likeliest word. Who has no more to say is silent. */
static void take_words(mind *m)
{
    int speaking = 0;
    if (!m->cache[0]) return; /* that was the prompt */
    for (size_t i = 0; i < CHARACTERS; i++) {
        const float *l = m->logits + i * m->vocab;
        size_t best = 0;
        if (m->silent[i]) continue;
        for (size_t t = 1; t < m->vocab; t++)
            if (l[t] > l[best]) best = t;
        m->silent[i] = hlm_token_ends(m->model, (int32_t)best);
        if (!m->silent[i]) m->ids[i][m->n[i]++] = (int32_t)best;
        speaking += !m->silent[i];
    }
    m->words = speaking ? m->words + 1 : WORDS;
}

/* What the characters do in a frame: think for at most `budget`, wherever in a step that ends. */
static hlm_status think(mind *m, double budget)
{
    const double end = now_us() + budget;
    hlm_status st = HLM_OK;
    for (double left = budget; st == HLM_OK && left >= 1 && m->words < WORDS; left = end - now_us()) {
        int32_t done = 0;
        if (!m->begun) st = begin_step(m);
        m->begun = st == HLM_OK;
        if (st == HLM_OK) st = hlm_step_run(m->ctx, (uint64_t)left, &done);
        if (done) take_words(m);
        m->begun = st == HLM_OK && !done;
    }
    return st;
}

/* ---- the loop ---- */

static void print_words(const mind *m)
{
    for (size_t i = 0; i < CHARACTERS; i++) {
        char text[4096];
        size_t n = 0;
        if (hlm_detokenize(m->model, m->ids[i] + m->line[i], m->n[i] - m->line[i], 0, text, sizeof text, &n) == HLM_OK)
            printf("%s%.*s\n", lines[i], (int)n, text);
    }
}

static void print_histogram(const double *us, size_t n)
{
    enum { BINS = 12, BIN_US = 500 };
    size_t count[BINS] = {0};
    for (size_t i = 0; i < n; i++) count[us[i] / BIN_US < BINS - 1 ? (size_t)(us[i] / BIN_US) : BINS - 1]++;
    printf("\nms of a frame    frames (%zu)\n", n);
    for (size_t b = 0; b < BINS; b++) {
        const int last = b + 1 == BINS;
        printf("%s %4.1f %10zu ", last ? "above" : "up to", (double)(b + !last) * BIN_US / 1000, count[b]);
        for (size_t k = 0; k < 50 * count[b] / n; k++) putchar('#');
        puts("");
    }
}

static hlm_status play(mind *m, jobs *j, size_t frames, double budget, double *us)
{
    hlm_status st = HLM_OK;
    for (size_t f = 0; f < frames && st == HLM_OK; f++) {
        const double begin = now_us();
        set_thinking(j, 1);
        st = think(m, budget);
        set_thinking(j, 0);
        us[f] = now_us() - begin;
        /* here the game would move and draw */
        const double rest = FRAME_US - (now_us() - begin);
        if (rest > 0) nanosleep(&(struct timespec){.tv_nsec = (long)(rest * 1000)}, NULL);
    }
    return st;
}

static hlm_status open_mind(mind *m, jobs *j, pack *files)
{
    const hlm_allocator memory = {.struct_size = sizeof memory, .alloc = game_alloc, .free = game_free};
    const hlm_model_params mp = {.struct_size = sizeof mp, .allocator = &memory};
    const hlm_vfs vfs = {.struct_size = sizeof vfs,
                         .user = files,
                         .open = pack_open,
                         .size = pack_size,
                         .read_at = pack_read,
                         .map = pack_map,
                         .close = pack_close};
    const hlm_executor executor = {.struct_size = sizeof executor, .user = j, .parallel_for = run_jobs};
    const hlm_ctx_params cp = {.struct_size = sizeof cp, .n_threads = THREADS, .executor = &executor};
    const hlm_cache_params kp = {.struct_size = sizeof kp, .max_tokens = 2 * ROOM};
    hlm_model_info info = {.struct_size = sizeof info};
    hlm_status st = hlm_model_load_vfs(&m->model, &vfs, "model", &mp);
    if (st == HLM_OK) st = hlm_model_info_get(m->model, &info);
    if (st == HLM_OK) st = hlm_ctx_new(&m->ctx, m->model, &cp);
    if (st == HLM_OK) st = hlm_cache_new(&m->prompt, hlm_ctx_pool(m->ctx), &kp);
    m->vocab = (size_t)info.vocab_size;
    m->logits = calloc(CHARACTERS * m->vocab + 1, sizeof *m->logits);
    return m->logits ? st : HLM_E_NOMEM;
}

static void close_mind(mind *m)
{
    hlm_ctx_free(m->ctx); /* a step that has not ended is taken back */
    for (size_t i = 0; i < CHARACTERS; i++) hlm_cache_free(m->cache[i]);
    hlm_cache_free(m->prompt);
    hlm_model_release(m->model);
    free(m->logits);
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "pack") == 0) return make_pack(argv[2], argv[3]);
    if (argc < 2 || argc > 4)
        return fprintf(stderr, "usage: game_loop PACK [FRAMES [MICROSECONDS]], or game_loop pack PACK MODEL\n"), 2;
    static mind m;
    static jobs j = {.lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};
    static job own[THREADS];
    const size_t frames = argc > 2 ? strtoul(argv[2], NULL, 10) : 300;
    const double budget = argc > 3 ? atof(argv[3]) : BUDGET_US;
    double *us = calloc(frames + 1, sizeof *us);
    size_t bytes = 0;
    pack *files = map_pack(argv[1], &bytes);
    if (!files || !us || frames == 0) return fprintf(stderr, "game_loop: %s is no pack\n", argv[1]), 1;
    for (size_t i = 1; i < THREADS; i++) {
        own[i] = (job){&j, i};
        if (pthread_create(&j.thread[i], NULL, job_thread, &own[i]) != 0) return 1;
    }
    hlm_status st = open_mind(&m, &j, files);
    const size_t before = atomic_load(&blocks);
    if (st == HLM_OK) st = play(&m, &j, frames, budget, us);
    if (st == HLM_OK) {
        print_words(&m);
        print_histogram(us, frames);
        printf("%d words; blocks of memory: %zu before, %zu after\n", m.words, before, atomic_load(&blocks));
    } else {
        fprintf(stderr, "game_loop: %s\n", hlm_last_error());
    }
    close_mind(&m);
    pthread_mutex_lock(&j.lock);
    j.quit = 1;
    pthread_cond_broadcast(&j.wake);
    pthread_mutex_unlock(&j.lock);
    for (size_t i = 1; i < THREADS; i++) pthread_join(j.thread[i], NULL);
    munmap(files, bytes);
    free(us);
    if (atomic_load(&blocks)) fprintf(stderr, "game_loop: %zu blocks were not given back\n", atomic_load(&blocks));
    return st == HLM_OK && atomic_load(&blocks) == 0 ? 0 : 1;
}
