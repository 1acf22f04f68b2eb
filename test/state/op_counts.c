/* op_counts MODEL...: what operations on states cost, measured from outside them. Contexts are made with an op table
 * that counts: each entry emits what the CPU's does, and a region that adds up rows when it is run. Memory is counted
 * by the caller's allocator. For each model: rewinds and forks run nothing, and the next token costs the matrix
 * products of one token; tokens that have to be computed again are as many as was said; a second turn of a conversation
 * runs what differs and at most one stride; a fork takes less than 4 KB at any length; of the undo log a branch takes
 * the rows of its own tokens. */
#define _POSIX_C_SOURCE 200809L
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/context.h"
#include "cpu/place.h"
#include "../calls.h"

enum { PROMPT = 40, SAME = 33, TURN = 57, STRIDE = 16, UNDO = 8, LONG = 5000, FORK_BYTES = 4096, CHUNK = 500 };

/* ---- the op table that counts ---- */

typedef enum what { PRODUCT, RECURRENCE, ATTENTION, OTHER, KINDS } what;

/* Since `forget`: rows times matrices, and rows of the other ops. Regions of one tile run one after another. */
static atomic_size_t counts[KINDS];

typedef struct count_arg {
    what kind;
    size_t times;
    bool out_rows;
} count_arg;

static void count_run(const void *arg, const void *step, size_t worker, size_t workers)
{
    (void)workers;
    const count_arg *a = arg;
    const hlmi_tile *t = step;
    if (worker == 0) atomic_fetch_add(&counts[a->kind], a->times * (a->out_rows ? t->n_out : t->n_rows));
}

static void count(hlmi_builder *b, what kind, size_t times, bool out_rows)
{
    const count_arg a = {.kind = kind, .times = times, .out_rows = out_rows};
    hlmi_emit(b, count_run, &a, sizeof a, 0, 0);
}

static void forget(void)
{
    for (size_t i = 0; i < KINDS; i++) atomic_store(&counts[i], 0);
}

static void linear(hlmi_builder *b, const hlmi_linear *a)
{
    hlmi_ops_cpu.linear(b, a);
    count(b, PRODUCT, a->n, a->epilogue == HLMI_EP_OUT);
}

static void linear_grouped(hlmi_builder *b, const hlmi_linear_grouped *a)
{
    hlmi_ops_cpu.linear_grouped(b, a);
    count(b, PRODUCT, a->to.picks, false);
}

/* The other entries: name, type of the argument, kind. */
#define COUNTED(op, type, kind)                  \
  static void op(hlmi_builder *b, const type *a) \
  {                                              \
    hlmi_ops_cpu.op(b, a);                       \
    count(b, kind, 1, false);                    \
  }
COUNTED(rope_append, hlmi_attention, ATTENTION)
COUNTED(attention, hlmi_attention, ATTENTION)
COUNTED(conv, hlmi_conv, RECURRENCE)
COUNTED(scan1, hlmi_scan1, RECURRENCE)
COUNTED(scan2, hlmi_scan2, RECURRENCE)
COUNTED(delta, hlmi_delta, RECURRENCE)
COUNTED(norm_rows, hlmi_norm_rows, OTHER)
COUNTED(combine, hlmi_combine, OTHER)
COUNTED(route, hlmi_route, OTHER)

static void gather(hlmi_builder *b, const hlmi_matrix *table, float scale)
{
    hlmi_ops_cpu.gather(b, table, scale);
    count(b, OTHER, 1, false);
}

static hlmi_ops counting_table(void)
{
    hlmi_ops t = hlmi_ops_cpu;
    t.linear = linear;
    t.linear_grouped = linear_grouped;
    t.rope_append = rope_append;
    t.attention = attention;
    t.conv = conv;
    t.scan1 = scan1;
    t.scan2 = scan2;
    t.delta = delta;
    t.norm_rows = norm_rows;
    t.combine = combine;
    t.route = route;
    t.gather = gather;
    return t;
}

/* ---- memory that is counted ---- */

static atomic_size_t bytes_taken;

static void *take(void *user, size_t size, size_t align)
{
    (void)user;
    void *p = NULL;
    atomic_fetch_add(&bytes_taken, size);
    return posix_memalign(&p, align < sizeof p ? sizeof p : align, size) == 0 ? p : NULL;
}

static void give(void *user, void *p)
{
    (void)user;
    free(p);
}

/* ---- a model ---- */

typedef struct bench {
    const char *path;
    hlm_model *model;
    hlm_pool *pool;
    hlm_context *ctx;
    bool recurrent;
    size_t vocab;
    size_t token, silent; /* products of one token, with logits and without */
    float *logits;
    int32_t ids[LONG];
    unsigned passed, failed;
} bench;

static void expect(bench *t, bool ok, const char *fmt, ...)
{
    va_list args;
    if (ok) {
        t->passed++;
        return;
    }
    t->failed++;
    printf("%s: ", t->path);
    va_start(args, fmt);
    vprintf(fmt, args);
    va_end(args);
    printf(" (%s)\n", hlm_last_error());
}

static bool open_bench(bench *t, const char *path, const hlm_pool_params *pp)
{
    static const hlm_allocator mem = {.struct_size = sizeof mem, .alloc = take, .free = give};
    static hlmi_ops ops; /* the context keeps no copy, and reads it only while it is made */
    ops = counting_table();
    const hlm_model_params mp = {.struct_size = sizeof mp, .allocator = &mem};
    *t = (bench){.path = path};
    bool ok = hlm_model_load(&t->model, path, &mp) == HLM_OK && hlm_pool_new(&t->pool, t->model, pp) == HLM_OK;
    const hlm_ctx_params cp = {.struct_size = sizeof cp, .pool = t->pool, .n_threads = 2};
    ok = ok && hlmi_ctx_new(&t->ctx, t->model, &cp, &ops) == HLM_OK;
    if (!ok) return false;
    const hlmi_plan *plan = &t->model->plan;
    t->recurrent = plan->n_rec > 0;
    t->vocab = plan->vocab_size;
    t->logits = calloc(plan->n_out, sizeof *t->logits);
    for (size_t i = 0; i < LONG; i++) t->ids[i] = (int32_t)((i * i * 31 + i * 7 + 3) % t->vocab);
    return t->logits != NULL;
}

static void close_bench(bench *t)
{
    free(t->logits);
    hlm_ctx_free(t->ctx);
    hlm_pool_release(t->pool);
    hlm_model_release(t->model);
}

static hlm_cache *new_cache(bench *t)
{
    hlm_cache *c = NULL;
    const hlm_cache_params p = {.struct_size = sizeof p, .max_tokens = 2 * LONG};
    expect(t, hlm_cache_new(&c, t->pool, &p) == HLM_OK, "no cache");
    return c;
}

/* Tokens [from, from + n) of the text in one step; returns the matrix products. */
static size_t run(bench *t, hlm_cache *c, size_t from, size_t n, bool logits)
{
    const hlm_step one = {.struct_size = sizeof one,
                          .cache = c,
                          .tokens = t->ids + from,
                          .n_tokens = n,
                          .logits = logits ? t->logits : NULL};
    const hlm_step *const steps[] = {&one};
    forget();
    expect(t, hlm_decode_step(t->ctx, steps, 1) == HLM_OK, "a step failed");
    return atomic_load(&counts[PRODUCT]);
}

static bool idle(void)
{
    size_t n = 0;
    for (size_t i = 0; i < KINDS; i++) n += atomic_load(&counts[i]);
    return n == 0;
}

/* ---- what is shown ---- */

static void prompts(bench *t, hlm_cache *c)
{
    run(t, c, 0, 1, false); /* with the rows that stand before every text, where there are any */
    t->silent = run(t, c, 1, 1, false);
    t->token = run(t, c, 2, 1, true);
    expect(t, t->silent > 0 && t->token == t->silent + 1, "one token: %zu products, %zu with logits", t->silent,
           t->token);
    const size_t n = run(t, c, 3, PROMPT - 3, true);
    expect(t, n == (PROMPT - 4) * t->silent + t->token, "a prompt: %zu products for %d tokens", n, PROMPT - 3);
}

/* One token after a rewind that left `pending` ones. */
static void next_costs(bench *t, hlm_cache *c, int64_t pending, const char *after)
{
    const bool still = idle();
    const size_t at = (size_t)hlm_cache_length(c), n = run(t, c, at, 1, true);
    expect(t, still, "%s ran something by itself", after);
    expect(t, n == (size_t)pending * t->silent + t->token, "%s: %zu products, %lld pending tokens and one of %zu",
           after, n, (long long)pending, t->token);
}

static void undo(bench *t, hlm_cache *c)
{
    int64_t pending = -1;
    for (size_t k = 0; k < UNDO; k++) run(t, c, PROMPT + k, 1, true);
    for (int64_t back = 1; back <= UNDO; back++) {
        const int64_t length = hlm_cache_length(c);
        forget();
        const bool ok = hlm_cache_rewind(c, length - back, &pending) == HLM_OK;
        expect(t, ok && pending == 0, "undo of %lld: %lld pending", (long long)back, (long long)pending);
        next_costs(t, c, 0, "an undo");
        expect(t, t->recurrent == (atomic_load(&counts[RECURRENCE]) > 0), "an undo: recurrences");
        for (int64_t k = length - back + 1; k < length; k++) run(t, c, (size_t)k, 1, true);
    }
}

static void forks(bench *t, hlm_cache *c)
{
    hlm_cache *f = NULL;
    const int64_t length = hlm_cache_length(c);
    const int64_t at[] = {HLM_NOW, length - 3, PROMPT};
    for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
        forget();
        expect(t, hlm_cache_fork(&f, c, at[i]) == HLM_OK, "no fork");
        next_costs(t, f, 0, "a fork");
        hlm_cache_free(f);
    }
}

static void marks(bench *t, hlm_cache *c)
{
    int64_t pending = -1;
    const int64_t length = hlm_cache_length(c);
    forget();
    expect(t, hlm_cache_mark(c) == HLM_OK && idle(), "no mark, or it ran something");
    for (int64_t k = 0; k < 3 * UNDO; k++) run(t, c, (size_t)(length + k), 1, false);
    forget();
    const bool ok = hlm_cache_rewind(c, length, &pending) == HLM_OK;
    expect(t, ok && pending == 0, "a mark: %lld pending", (long long)pending);
    next_costs(t, c, 0, "a mark");
}

/* The logits of the present position once more: `rows` rows of the model, and the head's product. */
static void logits_cost(bench *t, hlm_cache *c, size_t rows, const char *where)
{
    forget();
    const bool ok = hlm_cache_logits(t->ctx, c, t->logits) == HLM_OK;
    const size_t n = atomic_load(&counts[PRODUCT]);
    expect(t, ok && n == rows * t->silent + 1, "logits %s: %zu products, expected %zu rows of %zu and one", where, n,
           rows, t->silent);
}

static void logits(bench *t, hlm_cache *c)
{
    hlm_cache *f = NULL;
    const int64_t length = hlm_cache_length(c);
    const size_t last = t->recurrent ? 0 : 1; /* what keeps no state runs its last token again */
    logits_cost(t, c, last, "behind a step");
    expect(t, hlm_cache_mark(c) == HLM_OK, "no mark");
    for (int64_t k = 0; k < UNDO; k++) run(t, c, (size_t)(length + k), 1, false);
    expect(t, hlm_cache_rewind(c, length + 2, NULL) == HLM_OK, "no undo");
    logits_cost(t, c, 1, "after an undo");
    logits_cost(t, c, last, "again");
    expect(t, hlm_cache_rewind(c, length, NULL) == HLM_OK, "no rewind");
    logits_cost(t, c, last, "at a mark");
    expect(t, hlm_cache_fork(&f, c, HLM_NOW) == HLM_OK, "no fork");
    logits_cost(t, f, last, "of a fork");
    hlm_cache_free(f);
    expect(t, hlm_cache_fork(&f, c, PROMPT - 7) == HLM_OK, "no fork");
    logits_cost(t, f, t->recurrent ? PROMPT - 7 : 1, "of a fork far back");
    logits_cost(t, f, last, "of it again");
    hlm_cache_free(f);
}

/* Neither mark nor log: what is computed again is what was said. */
static void recompute(bench *t, hlm_cache *c)
{
    for (int64_t at = PROMPT - 7; at > 0; at -= 11) {
        int64_t pending = -1;
        hlm_cache *f = NULL;
        forget();
        const bool ok = hlm_cache_fork(&f, c, at) == HLM_OK && hlm_cache_rewind(f, at, &pending) == HLM_OK;
        expect(t, ok && pending == (t->recurrent ? at : 0), "back to %lld: %lld pending", (long long)at,
               (long long)pending);
        next_costs(t, f, pending, "a fork to an earlier position");
        hlm_cache_free(f);
    }
}

static void show_costs(const char *path, unsigned *passed, unsigned *failed)
{
    bench t;
    const hlm_pool_params pp = {.struct_size = sizeof pp, .page_tokens = 4, .mark_stride = -1, .undo_tokens = UNDO};
    if (open_bench(&t, path, &pp)) {
        hlm_cache *c = new_cache(&t);
        prompts(&t, c);
        undo(&t, c);
        forks(&t, c);
        marks(&t, c);
        logits(&t, c);
        recompute(&t, c);
        hlm_cache_free(c);
    } else expect(&t, false, "not loaded");
    close_bench(&t);
    *passed += t.passed;
    *failed += t.failed;
}

/* The whole text of a second turn, of which the first SAME tokens are as before. */
static void second_turn(bench *t)
{
    const int32_t before = t->ids[SAME];
    for (size_t i = SAME; i < TURN; i++) t->ids[i] = (int32_t)((i * i * 17 + i * 5 + 11) % t->vocab);
    t->ids[SAME] = (int32_t)(((size_t)before + 1) % t->vocab);
}

/* Of n tokens `reused` were there, and `again` of these are computed again: what was said, and what was run. */
static void turn_costs(bench *t, size_t products, size_t reused, size_t again, const char *how)
{
    const size_t rows = TURN - reused + again;
    expect(t, reused <= SAME && rows <= TURN - SAME + STRIDE, "%s: %zu of %d tokens reused, %zu of them run again", how,
           reused, SAME, again);
    expect(t, products == (rows - 1) * t->silent + t->token, "%s: %zu products, %zu rows of %zu", how, products, rows,
           t->silent);
}

static void turn_by_steps(bench *t, hlm_cache *c, const char *how)
{
    size_t reused = 0, again = 0;
    forget();
    const bool ok = call_reuse(c, NULL, t->ids, TURN, &reused, &again) == HLM_OK;
    expect(t, ok && idle(), "%s: reuse ran something, or failed", how);
    turn_costs(t, run(t, c, reused, TURN - reused, true), reused, again, how);
}

static void turn_by_generate(bench *t, hlm_cache *c, const char *how)
{
    const hlm_generate_params p = {
        .struct_size = sizeof p, .prompt = t->ids, .n_prompt = TURN, .max_tokens = 1, .reuse = 1};
    hlm_generate_result r = {.struct_size = sizeof r};
    forget();
    expect(t, hlm_generate(t->ctx, c, NULL, &p, &r) == HLM_OK, "%s: no answer", how);
    turn_costs(t, atomic_load(&counts[PRODUCT]), r.n_reused, r.n_recomputed, how);
}

static void show_turns(const char *path, unsigned *passed, unsigned *failed)
{
    bench t;
    const hlm_pool_params pp = {.struct_size = sizeof pp, .page_tokens = 4, .mark_stride = STRIDE, .undo_tokens = UNDO};
    if (open_bench(&t, path, &pp)) {
        hlm_cache *c = new_cache(&t), *d = new_cache(&t), *e = new_cache(&t);
        prompts(&t, c);
        for (size_t i = 0; i < UNDO; i++) run(&t, c, PROMPT + i, 1, true);
        expect(&t, hlm_prefix_add(c) == HLM_OK, "not added");
        second_turn(&t);
        turn_by_steps(&t, d, "a second turn in another sequence");
        turn_by_steps(&t, c, "a second turn");
        if (t.model->plan.n_out == t.vocab) turn_by_generate(&t, e, "a second turn by hlm_generate");
        hlm_cache_free(c);
        hlm_cache_free(d);
        hlm_cache_free(e);
    } else expect(&t, false, "not loaded");
    close_bench(&t);
    *passed += t.passed;
    *failed += t.failed;
}

/* The bytes of a fork by the allocator, and pages or states by the pool. */
static void fork_takes_little(bench *t, hlm_cache *c, int64_t at)
{
    uint64_t before = 0, after = 0;
    hlm_cache *f = NULL;
    bool ok = call_usage(t->pool, &before, NULL) == HLM_OK;
    atomic_store(&bytes_taken, 0);
    ok = ok && hlm_cache_fork(&f, c, at) == HLM_OK;
    const size_t taken = atomic_load(&bytes_taken);
    ok = ok && call_usage(t->pool, &after, NULL) == HLM_OK;
    expect(t, ok && taken < FORK_BYTES && after == before, "a fork of %lld tokens at %lld: %zu bytes, %llu of the pool",
           (long long)hlm_cache_length(c), (long long)at, taken, (unsigned long long)(after - before));
    hlm_cache_free(f);
}

static void show_memory(const char *path, unsigned *passed, unsigned *failed)
{
    bench t;
    if (open_bench(&t, path, NULL)) {
        hlm_cache *c = new_cache(&t);
        run(&t, c, 0, 1, false);
        fork_takes_little(&t, c, HLM_NOW);
        run(&t, c, 1, 99, false);
        fork_takes_little(&t, c, HLM_NOW);
        for (size_t at = 100; at < LONG; at += CHUNK) run(&t, c, at, CHUNK < LONG - at ? CHUNK : LONG - at, false);
        expect(&t, hlm_cache_mark(c) == HLM_OK, "no mark");
        fork_takes_little(&t, c, HLM_NOW);
        fork_takes_little(&t, c, LONG);
        fork_takes_little(&t, c, LONG / 2 + 1);
        fork_takes_little(&t, c, 0);
        hlm_cache_free(c);
    } else expect(&t, false, "not loaded");
    close_bench(&t);
    *passed += t.passed;
    *failed += t.failed;
}

/* Bytes of the pool that a fork takes for n tokens of its own, one by one, behind `length` ones. */
static uint64_t branch_takes(bench *t, size_t length, size_t n)
{
    uint64_t before = 0, after = 0;
    hlm_cache *c = new_cache(t), *f = NULL;
    run(t, c, 0, length, false);
    expect(t, call_usage(t->pool, &before, NULL) == HLM_OK && hlm_cache_fork(&f, c, HLM_NOW) == HLM_OK, "no fork");
    for (size_t i = 0; i < n; i++) run(t, f, length + i, 1, false);
    expect(t, call_usage(t->pool, &after, NULL) == HLM_OK, "no usage");
    hlm_cache_free(c);
    hlm_cache_free(f);
    return after - before;
}

/* What the undo log adds to that, against a pool that has none: the rows of the branch's own tokens, its lists of rows,
 * and the states before those stretches that begin within them. It shares the rest with the sequence that it came
 * from. */
static void show_branches(const char *path, unsigned *passed, unsigned *failed)
{
    static const struct {
        size_t n, rows, lists, anchors;
    } cases[] = {{1, 1, 1, 0}, {5, 5, 1, 0}, {6, 6, 2, 1}, {2 * UNDO, UNDO + 3, 2, 2}};
    const hlm_pool_params on = {.struct_size = sizeof on, .page_tokens = 4, .mark_stride = -1, .undo_tokens = UNDO};
    const hlm_pool_params off = {.struct_size = sizeof off, .page_tokens = 4, .mark_stride = -1, .undo_tokens = -1};
    bench with, without = {.path = path};
    const bool ok = open_bench(&with, path, &on) && open_bench(&without, path, &off);
    for (size_t i = 0; i < sizeof cases / sizeof *cases && ok; i++) {
        const hlm_pool *p = with.pool;
        const size_t length = PROMPT + 3 - p->plan->n_prefix % UNDO; /* the prefix has positions too */
        const uint64_t all = branch_takes(&with, length, cases[i].n), rest = branch_takes(&without, length, cases[i].n);
        const uint64_t log = cases[i].rows * hlmi_shelf_bytes(&p->shelves[HLMI_SHELF_ROWS]) +
            cases[i].lists * hlmi_shelf_bytes(&p->shelves[HLMI_SHELF_STRETCHES]) +
            cases[i].anchors * hlmi_state_bytes(&p->states);
        expect(&with, all - rest == log, "the log of a branch of %zu tokens takes %llu bytes, expected %llu",
               cases[i].n, (unsigned long long)(all - rest), (unsigned long long)log);
    }
    expect(&with, ok, "not loaded");
    close_bench(&with);
    close_bench(&without);
    *passed += with.passed + without.passed;
    *failed += with.failed + without.failed;
}

int main(int argc, char **argv)
{
    unsigned passed = 0, failed = 0;
    for (int i = 1; i < argc; i++) {
        show_costs(argv[i], &passed, &failed);
        show_turns(argv[i], &passed, &failed);
        show_memory(argv[i], &passed, &failed);
        show_branches(argv[i], &passed, &failed);
    }
    printf("%u passed, %u failed\n", passed, failed);
    return failed || !passed;
}
