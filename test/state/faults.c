/* faults MODEL...: every allocation of a scenario that uses all there is to states fails once. The call that it fails
 * in returns HLM_E_NOMEM (or does without), all sequences are as they were, bit for bit, the same call then succeeds,
 * the scenario ends as without the failure, and all memory is given back. */
#define _POSIX_C_SOURCE 200809L
#include <hybridlm/hybridlm.h>

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../calls.h"

enum { CACHES = 8, LENGTH = 128, SNAPSHOT = 1 << 22 };

/* ---- memory that fails once ---- */

typedef struct memory {
    atomic_size_t calls, live;
    size_t fail_at; /* from 1; 0: never */
    int failed;
} memory;

static void *take(void *user, size_t size, size_t align)
{
    memory *m = user;
    void *p = NULL;
    if (atomic_fetch_add(&m->calls, 1) + 1 == m->fail_at) {
        m->failed = 1;
        return NULL;
    }
    if (posix_memalign(&p, align < sizeof p ? sizeof p : align, size) != 0) return NULL;
    memset(p, 0xA5, size);
    atomic_fetch_add(&m->live, 1);
    return p;
}

static void give(void *user, void *p)
{
    atomic_fetch_sub(&((memory *)user)->live, 1);
    free(p);
}

/* ---- the world of a scenario ---- */

typedef struct sequence {
    hlm_cache *cache;
    int32_t ids[LENGTH];
    size_t n;
} sequence;

typedef struct world {
    memory mem;
    hlm_model *model;
    hlm_pool *pool;
    hlm_context *ctx;
    size_t vocab, width;
    int32_t window_rows; /* HLM_WINDOW_... */
    sequence s[CACHES];
    float *got, *want;
    uint8_t *snapshot; /* [SNAPSHOT] */
    size_t n_snapshot;
    char path[256]; /* of a snapshot */
    char failure[512];
} world;

static int failed(world *w, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(w->failure, sizeof w->failure, fmt, args);
    va_end(args);
    return 0;
}

/* The i-th token of what is said to sequence c. */
static int32_t token(const world *w, size_t c, size_t i)
{
    return (int32_t)((i * i * 31 + i * 7 + c * 13 + 3) % w->vocab);
}

static hlm_status new_cache(const world *w, hlm_cache **out)
{
    const hlm_cache_params p = {.struct_size = sizeof p, .max_tokens = 2 * LENGTH};
    return hlm_cache_new(out, w->pool, &p);
}

static hlm_status run_one(const world *w, hlm_cache *c, const int32_t *ids, size_t n, float *logits)
{
    const hlm_step one = {.struct_size = sizeof one, .cache = c, .tokens = ids, .n_tokens = n, .logits = logits};
    const hlm_step *const steps[] = {&one};
    return hlm_decode_step(w->ctx, steps, 1);
}

/* ---- what a scenario is made of: one call each, which may be made again after it failed ---- */

typedef struct act {
    const char *name;
    hlm_status (*run)(world *w, const struct act *a);
    size_t cache, other, n;
} act;

static hlm_status open_cache(world *w, const act *a)
{
    return new_cache(w, &w->s[a->cache].cache);
}

static hlm_status in_slices(world *w, const hlm_step *const *steps, size_t n)
{
    int32_t done = 0;
    hlm_status st = hlm_step_begin(w->ctx, steps, n);
    while (st == HLM_OK && !done) st = hlm_step_run(w->ctx, 100, &done);
    return st;
}

/* n tokens for sequence `cache`, and one each for those behind it up to `other`, in one step. */
static hlm_status run_step(world *w, const act *a, int slices)
{
    int32_t ids[CACHES][LENGTH];
    hlm_step list[CACHES];
    const hlm_step *steps[CACHES] = {NULL};
    size_t n = 0;
    for (size_t c = a->cache; c <= a->other; c++, n++) {
        const sequence *s = &w->s[c];
        const size_t count = n ? 1 : a->n;
        for (size_t i = 0; i < count; i++) ids[n][i] = token(w, c, s->n + i);
        list[n] = (hlm_step){.struct_size = sizeof *list, .cache = s->cache, .tokens = ids[n], .n_tokens = count};
        steps[n] = &list[n];
    }
    const hlm_status st = slices ? in_slices(w, steps, n) : hlm_decode_step(w->ctx, steps, n);
    for (size_t i = 0; i < n && st == HLM_OK; i++) {
        sequence *s = &w->s[a->cache + i];
        memcpy(s->ids + s->n, ids[i], list[i].n_tokens * sizeof **ids);
        s->n += list[i].n_tokens;
    }
    return st;
}

static hlm_status step(world *w, const act *a)
{
    return run_step(w, a, 0);
}

static hlm_status sliced(world *w, const act *a)
{
    return run_step(w, a, 1);
}

/* Sequence `cache` as a fork of `other` at its first n tokens; n 0: at all. */
static hlm_status fork_at(world *w, const act *a)
{
    const sequence *from = &w->s[a->other];
    sequence *to = &w->s[a->cache];
    const hlm_status st = hlm_cache_fork(&to->cache, from->cache, a->n ? (int64_t)a->n : HLM_NOW);
    if (st != HLM_OK) return st;
    to->n = a->n ? a->n : from->n;
    memcpy(to->ids, from->ids, to->n * sizeof *to->ids);
    return st;
}

static hlm_status mark(world *w, const act *a)
{
    return hlm_cache_mark(w->s[a->cache].cache);
}

static hlm_status unmark(world *w, const act *a)
{
    return hlm_cache_unmark(w->s[a->cache].cache, (int64_t)a->n);
}

/* Back to the first n tokens. */
static hlm_status back(world *w, const act *a)
{
    const hlm_status st = hlm_cache_rewind(w->s[a->cache].cache, (int64_t)a->n, NULL);
    if (st == HLM_OK) w->s[a->cache].n = a->n;
    return st;
}

static hlm_status reserve(world *w, const act *a)
{
    return hlm_cache_reserve(w->s[a->cache].cache, (int64_t)a->n);
}

static hlm_status remember(world *w, const act *a)
{
    return hlm_prefix_add(w->s[a->cache].cache);
}

/* Sequence `cache` is to be the text of `other` with another n-th token. */
static hlm_status reuse(world *w, const act *a)
{
    const sequence *from = &w->s[a->other];
    sequence *s = &w->s[a->cache];
    int32_t ids[LENGTH];
    size_t reused = 0;
    memcpy(ids, from->ids, from->n * sizeof *ids);
    ids[a->n] = (int32_t)(((size_t)ids[a->n] + 1) % w->vocab);
    const hlm_status st = call_reuse(s->cache, NULL, ids, from->n, &reused, NULL);
    if (st != HLM_OK) return st;
    memcpy(s->ids, ids, reused * sizeof *ids);
    s->n = reused;
    return st;
}

static hlm_status save_memory(world *w, const act *a)
{
    return hlm_cache_save_memory(w->s[a->cache].cache, w->snapshot, SNAPSHOT, &w->n_snapshot);
}

static hlm_status save_file(world *w, const act *a)
{
    return hlm_cache_save(w->s[a->cache].cache, w->path);
}

/* Sequence `cache` is what was saved of `other`: in memory, or with n in the file. */
static hlm_status load(world *w, const act *a)
{
    sequence *s = &w->s[a->cache];
    const hlm_status st = a->n ? hlm_cache_load(&s->cache, w->pool, w->path, 0)
                               : hlm_cache_load_memory(&s->cache, w->pool, w->snapshot, w->n_snapshot, 0);
    if (st != HLM_OK) return st;
    s->n = w->s[a->other].n;
    memcpy(s->ids, w->s[a->other].ids, s->n * sizeof *s->ids);
    return st;
}

/* Generated with drafts from the text; what was run before a failure stays, as hlm_generate says. */
static hlm_status generate(world *w, const act *a)
{
    const hlm_speculation how = {.struct_size = sizeof how, .n_draft = 3, .n_branches = 2, .fixed = 1};
    sequence *s = &w->s[a->cache];
    int32_t prompt[LENGTH];
    for (size_t i = 0; i < a->n; i++) prompt[i] = token(w, 0, i % 3);
    const hlm_generate_params p = {.struct_size = sizeof p,
                                   .prompt = prompt,
                                   .n_prompt = a->n,
                                   .max_tokens = 6,
                                   .ignore_eos = 1,
                                   .speculation = &how};
    const hlm_status st = hlm_generate(w->ctx, s->cache, NULL, &p, NULL);
    s->n = (size_t)hlm_cache_length(s->cache);
    if (hlm_cache_tokens(s->cache, 0, s->n, s->ids) != HLM_OK) return HLM_E_INTERNAL;
    return st;
}

/* The logits of the present position once more. */
static hlm_status logits(world *w, const act *a)
{
    return hlm_cache_logits(w->ctx, w->s[a->cache].cache, w->got);
}

static const act acts[] = {
    {"a sequence", open_cache, 0, 0, 0},
    {"a prompt", step, 0, 0, 21},
    {"a mark", mark, 0, 0, 0},
    {"a fork", fork_at, 1, 0, 0},
    {"a token in one branch", step, 0, 0, 1},
    {"a token in the other", step, 1, 1, 1},
    {"a second sequence", open_cache, 2, 0, 0},
    {"a batch", step, 0, 2, 7},
    {"an undo", back, 0, 0, 27},
    {"its logits", logits, 0, 0, 0},
    {"a token after it", step, 0, 0, 1},
    {"a fork in the log", fork_at, 3, 0, 27},
    {"its logits", logits, 3, 0, 0},
    {"a token there", step, 3, 3, 1},
    {"a fork far back", fork_at, 4, 0, 11},
    {"pending tokens", step, 4, 4, 2},
    {"back to the mark", back, 0, 0, 21},
    {"its logits", logits, 0, 0, 0},
    {"another way on", step, 0, 0, 5},
    {"no mark", unmark, 0, 0, 21},
    {"pages ahead", reserve, 2, 2, 20},
    {"into them", step, 2, 2, 9},
    {"a batch of all", step, 0, 4, 6},
    {"a batch in slices", sliced, 0, 4, 5},
    {"a token in slices", sliced, 1, 1, 1},
    {"back to the beginning", back, 3, 0, 0},
    {"a text of its own", step, 3, 3, 30},
    {"a text to remember", remember, 0, 0, 0},
    {"and another", remember, 1, 0, 0},
    {"a third sequence", open_cache, 5, 0, 0},
    {"what it can reuse", reuse, 5, 0, 23},
    {"the rest of it", step, 5, 5, 7},
    {"what it can reuse of the other", reuse, 5, 1, 22},
    {"and the rest of that", step, 5, 5, 1},
    {"a snapshot", save_memory, 0, 0, 0},
    {"a snapshot in a file", save_file, 2, 0, 0},
    {"out of memory", load, 6, 0, 0},
    {"out of the file", load, 7, 2, 1},
    {"how they go on", step, 6, 7, 3},
    {"an undo of what was loaded", back, 7, 0, 12},
    {"the logits of pending tokens", logits, 7, 0, 0},
    {"drafts", generate, 2, 0, 9},
};
enum { ACTS = sizeof acts / sizeof *acts };

/* ---- comparing ---- */

/* The next token's logits behind sequence c and behind a fresh one. */
static int same(world *w, size_t c)
{
    const sequence *s = &w->s[c];
    hlm_cache *fork = NULL, *fresh = NULL;
    int32_t ids[LENGTH + 1];
    if (hlm_cache_length(s->cache) != (int64_t)s->n) return failed(w, "sequence %zu has another length", c);
    memcpy(ids, s->ids, s->n * sizeof *ids);
    ids[s->n] = 1;
    int ok = hlm_cache_fork(&fork, s->cache, HLM_NOW) == HLM_OK && new_cache(w, &fresh) == HLM_OK &&
        run_one(w, fork, ids + s->n, 1, w->got) == HLM_OK && run_one(w, fresh, ids, s->n + 1, w->want) == HLM_OK;
    if (!ok) failed(w, "sequence %zu: %s", c, hlm_last_error());
    else if (memcmp(w->got, w->want, w->width * sizeof *w->got) != 0) ok = failed(w, "sequence %zu: other logits", c);
    hlm_cache_free(fork);
    hlm_cache_free(fresh);
    return ok;
}

static int all_same(world *w)
{
    for (size_t c = 0; c < CACHES; c++)
        if (w->s[c].cache && !same(w, c)) return 0;
    return 1;
}

static int run_acts(world *w)
{
    for (size_t i = 0; i < ACTS; i++) {
        hlm_status st = acts[i].run(w, &acts[i]);
        if (st != HLM_OK && (st != HLM_E_NOMEM || !w->mem.failed))
            return failed(w, "%s: %s, %s", acts[i].name, hlm_status_name(st), hlm_last_error());
        if (st == HLM_OK) continue;
        if (!all_same(w)) return 0;
        st = acts[i].run(w, &acts[i]);
        if (st != HLM_OK) return failed(w, "%s again: %s", acts[i].name, hlm_last_error());
    }
    w->mem.fail_at = 0;
    return all_same(w);
}

/* ---- all of it, for one model ---- */

static hlm_status open_pool(world *w)
{
    const hlm_pool_params pp = {.struct_size = sizeof pp,
                                .page_tokens = 4,
                                .mark_stride = 8,
                                .mark_bytes =
                                    w->window_rows ? 1 : 1 << 20, /* rows behind windows go, or marks keep them */
                                .undo_tokens = w->window_rows ? -1 : 4,
                                .window_rows = w->window_rows};
    hlm_status st = w->pool ? HLM_OK : hlm_pool_new(&w->pool, w->model, &pp);
    const hlm_ctx_params cp = {.struct_size = sizeof cp, .pool = w->pool, .n_threads = 1, .max_rows = 16};
    if (st == HLM_OK && !w->ctx) st = hlm_ctx_new(&w->ctx, w->model, &cp);
    return st;
}

/* One run in which allocation k fails; *ended: there are not so many. */
static int run_with(world *w, size_t k, int *ended)
{
    const size_t before = atomic_load(&w->mem.live);
    w->mem.failed = 0;
    w->mem.fail_at = k;
    atomic_store(&w->mem.calls, 0);
    hlm_status st = open_pool(w);
    if (st == HLM_E_NOMEM && w->mem.failed) st = open_pool(w);
    int ok = st == HLM_OK ? run_acts(w) : failed(w, "no pool: %s", hlm_last_error());
    *ended = !w->mem.failed;
    for (size_t c = 0; c < CACHES; c++) {
        hlm_cache_free(w->s[c].cache);
        w->s[c] = (sequence){.n = 0};
    }
    hlm_ctx_free(w->ctx);
    hlm_pool_release(w->pool);
    w->ctx = NULL;
    w->pool = NULL;
    if (ok && atomic_load(&w->mem.live) != before) ok = failed(w, "memory is left");
    return ok;
}

static int open_world(world *w, const char *path)
{
    const hlm_allocator mem = {.struct_size = sizeof mem, .user = &w->mem, .alloc = take, .free = give};
    const hlm_model_params mp = {.struct_size = sizeof mp, .allocator = &mem};
    hlm_model_info info = {.struct_size = sizeof info};
    if (hlm_model_load(&w->model, path, &mp) != HLM_OK || hlm_model_info_get(w->model, &info) != HLM_OK) return 0;
    w->vocab = (size_t)info.vocab_size;
    w->width = (size_t)(info.n_labels ? info.n_labels : info.vocab_size);
    w->got = calloc(w->width, sizeof *w->got);
    w->want = calloc(w->width, sizeof *w->want);
    w->snapshot = malloc(SNAPSHOT);
    snprintf(w->path, sizeof w->path, "faults.%ld.snapshot", (long)getpid());
    return w->got && w->want && w->snapshot;
}

static int run_model(const char *path, int32_t window_rows, unsigned *passed)
{
    world w = {.window_rows = window_rows};
    int ok = open_world(&w, path), ended = 0;
    if (!ok) printf("%s: %s\n", path, hlm_last_error());
    size_t k = 0;
    while (ok && !ended) {
        ok = run_with(&w, ++k, &ended);
        if (ok) ++*passed;
        else printf("%s: allocation %zu fails: %s\n", path, k, w.failure);
    }
    printf("%s: %zu allocations\n", path, k - 1);
    hlm_model_release(w.model);
    if (ok && atomic_load(&w.mem.live) != 0) {
        printf("%s: memory of the model is left\n", path);
        ok = 0;
    }
    unlink(w.path);
    free(w.got);
    free(w.want);
    free(w.snapshot);
    return ok;
}

int main(int argc, char **argv)
{
    unsigned passed = 0, bad = 0;
    for (int i = 1; i < argc; i++) bad += !run_model(argv[i], HLM_WINDOW_KEEP, &passed);
    for (int i = 1; i < argc; i++) bad += !run_model(argv[i], HLM_WINDOW_GIVE_BACK, &passed);
    printf("%u passed, %u failed\n", passed, bad);
    return bad || !passed;
}
