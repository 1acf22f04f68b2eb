/* state_programs [--programs N] [--seed S] [--threads T] MODEL...: the state is a value. Runs random programs of steps,
 * forks, marks, rewinds, reserves, saves, loads, drafts, cancelled and refused steps, with two adapters and with none,
 * over several sequences, and after each operation compares one sequence with a fresh one that is fed the same tokens
 * in one step (one for each run of tokens with the same adapter): the logits must be the same bit for bit. Pages, the
 * undo log and the stride of marks are small, so that every border is met. A program that fails is cut down and
 * printed. */
#define _POSIX_C_SOURCE 200809L
#include <hybridlm/hybridlm.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "make_adapter.h"
#include "../calls.h"

enum { CACHES = 5, LENGTH = 48, OPS = 24, CONTEXTS = 3, ADAPTERS = 3 /* none is the first */ };

typedef enum kind {
    STEP,
    BATCH,
    FORK,
    MARK,
    UNMARK,
    REWIND,
    RESERVE,
    CANCEL,
    REFUSE,
    FREE,
    ADD,
    REUSE,
    CLEAR,
    SAVE,
    LOAD,
    SLICES,
    GENERATE,
    LOGITS,
    KINDS
} kind;

static const char *const kind_names[KINDS] = {"step",    "batch",  "fork",   "mark",   "unmark",   "rewind",
                                              "reserve", "cancel", "refuse", "free",   "add",      "reuse",
                                              "clear",   "save",   "load",   "slices", "generate", "logits"};

/* One operation; what its numbers mean is taken modulo what there is when it runs, so any sequence of them is a
 * program. */
typedef struct op {
    kind kind;
    uint32_t cache, other, n, context, probe;
} op;

typedef struct sequence {
    hlm_cache *cache;
    int32_t ids[LENGTH]; /* with the adapter that each was run with: id + vocabulary * number */
    size_t n;
} sequence;

/* A sequence as bytes, in memory or in the file. */
typedef struct snapshot {
    void *bytes;
    size_t size, n;
    int there, in_file;
    int32_t ids[LENGTH];
} snapshot;

typedef struct machine {
    hlm_model *model;
    hlm_adapter *adapters[ADAPTERS]; /* NULL: none */
    size_t n_adapters;
    hlm_pool *pool;
    hlm_context *ctx[CONTEXTS];
    size_t vocab, width; /* token ids; numbers in a row of logits */
    int32_t threads; /* most of a context */
    hlm_pool *judge; /* of the fresh sequences, without a cap */
    hlm_context *judge_ctx;
    uint64_t cap; /* of the pool; 0: none */
    sequence s[CACHES];
    snapshot saved;
    char path[64]; /* of the one in a file */
    float *got, *want;
    char failure[512];
} machine;

static uint64_t random_state;

static uint32_t next_random(void)
{
    random_state += 0x9E3779B97F4A7C15u;
    uint64_t z = random_state;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return (uint32_t)((z ^ (z >> 31)) >> 16);
}

static int failed(machine *m, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(m->failure, sizeof m->failure, fmt, args);
    va_end(args);
    return 0;
}

static hlm_step make_step(const machine *m, hlm_cache *cache, const int32_t *ids, size_t n, float *logits,
                          size_t adapter)
{
    return (hlm_step){.struct_size = sizeof(hlm_step),
                      .cache = cache,
                      .tokens = ids,
                      .n_tokens = n,
                      .logits = logits,
                      .adapter = m->adapters[adapter]};
}

/* Which adapter a random number means. */
static size_t adapter_of(const machine *m, uint32_t x)
{
    return (x >> 5) % m->n_adapters;
}

/* The adapter of an entry of a text, and its id. */
static size_t entry_adapter(const machine *m, int32_t entry)
{
    return (size_t)entry / m->vocab;
}

static void entry_ids(const machine *m, int32_t *ids, const int32_t *entries, size_t n)
{
    for (size_t i = 0; i < n; i++) ids[i] = entries[i] % (int32_t)m->vocab;
}

static int32_t entry_of(const machine *m, int32_t id, size_t adapter)
{
    return id + (int32_t)(adapter * m->vocab);
}

/* What the pool is made of. Programs take turns by their seeds. */
static const struct variant {
    const char *name;
    int32_t kv, state;
    int capped;
    int32_t window_rows;
    uint64_t mark_bytes;
} variants[] = {
    {"default types", HLM_TYPE_DEFAULT, HLM_TYPE_DEFAULT, 0, HLM_WINDOW_KEEP, 1 << 20},
    {"int8 KV, bf16 states", HLM_TYPE_INT8, HLM_TYPE_BF16, 0, HLM_WINDOW_KEEP, 1 << 20},
    {"a cap", HLM_TYPE_DEFAULT, HLM_TYPE_DEFAULT, 1, HLM_WINDOW_KEEP, 1 << 20},
    {"int8 KV, f16 states, a cap", HLM_TYPE_INT8, HLM_TYPE_F16, 1, HLM_WINDOW_KEEP, 1 << 20},
    {"window rows given back", HLM_TYPE_DEFAULT, HLM_TYPE_DEFAULT, 0, HLM_WINDOW_GIVE_BACK, 1 /* no automatic marks */},
    {"window rows given back, int8 KV, a cap", HLM_TYPE_INT8, HLM_TYPE_BF16, 1, HLM_WINDOW_GIVE_BACK, 1 << 20}};
enum { VARIANTS = sizeof variants / sizeof *variants };

/* At the cap a call fails and changes nothing. */
static int at_cap(const machine *m, hlm_status st)
{
    return m->cap && st == HLM_E_NOMEM;
}

static int32_t token_of(const machine *m, uint32_t x)
{
    return (int32_t)(x % (uint32_t)m->vocab);
}

/* Room for what is tried behind a full sequence, also where the model was made for less. */
static hlm_status new_cache(hlm_cache **out, hlm_pool *pool)
{
    const hlm_cache_params p = {.struct_size = sizeof p, .max_tokens = 2 * LENGTH};
    return hlm_cache_new(out, pool, &p);
}

static void close_sequence(sequence *s)
{
    hlm_cache_free(s->cache);
    *s = (sequence){.n = 0};
}

/* One token behind the sequence, in a fork of it. At the cap the other sequences make room. */
static hlm_status step_fork(machine *m, const sequence *s, const op *o, int32_t entry)
{
    hlm_status st;
    int32_t token;
    entry_ids(m, &token, &entry, 1);
    for (size_t i = 0;; i++) {
        hlm_cache *fork = NULL;
        st = hlm_cache_fork(&fork, s->cache, HLM_NOW);
        const hlm_step one = make_step(m, fork, &token, 1, m->got, entry_adapter(m, entry));
        const hlm_step *const steps[] = {&one};
        if (st == HLM_OK) st = hlm_decode_step(m->ctx[o->context % CONTEXTS], steps, 1);
        hlm_cache_free(fork);
        if (!at_cap(m, st) || i == CACHES) return st;
        if (&m->s[i] != s) close_sequence(&m->s[i]);
    }
}

/* A fresh cache's logits behind a text, in m->want. */
static hlm_status run_fresh(machine *m, const int32_t *text, size_t n)
{
    hlm_cache *fresh = NULL;
    int32_t ids[LENGTH + 1];
    entry_ids(m, ids, text, n);
    hlm_status st = new_cache(&fresh, m->judge);
    for (size_t from = 0, end = 0; st == HLM_OK && from < n; from = end) {
        const size_t adapter = entry_adapter(m, text[from]);
        while (end < n && entry_adapter(m, text[end]) == adapter) end++;
        const hlm_step one = make_step(m, fresh, ids + from, end - from, m->want, adapter);
        const hlm_step *const steps[] = {&one};
        st = hlm_decode_step(m->judge_ctx, steps, 1);
    }
    hlm_cache_free(fresh);
    return st;
}

/* Are m->got the logits behind a text, which a fresh cache gives? */
static int judge(machine *m, const int32_t *text, size_t n)
{
    uint64_t held = 0;
    if (run_fresh(m, text, n) != HLM_OK || call_usage(m->pool, NULL, &held) != HLM_OK)
        return failed(m, "%s", hlm_last_error());
    if (memcmp(m->got, m->want, m->width * sizeof *m->got) != 0) return failed(m, "other logits");
    return !m->cap || held <= m->cap || failed(m, "%llu bytes held", (unsigned long long)held);
}

/* The logits of `probe` behind the sequence, from a fork and from a fresh cache. */
static int compare(machine *m, const sequence *s, const op *o)
{
    int32_t text[LENGTH + 1];
    memcpy(text, s->ids, s->n * sizeof *text);
    text[s->n] = entry_of(m, token_of(m, o->probe), adapter_of(m, o->probe));
    if (hlm_cache_length(s->cache) != (int64_t)s->n)
        return failed(m, "length %lld, expected %zu", (long long)hlm_cache_length(s->cache), s->n);
    if (step_fork(m, s, o, text[s->n]) != HLM_OK) return failed(m, "%s", hlm_last_error());
    return judge(m, text, s->n + 1);
}

static int open_sequence(machine *m, sequence *s)
{
    if (s->cache) return 1;
    return new_cache(&s->cache, m->pool) == HLM_OK ? 1 : failed(m, "%s", hlm_last_error());
}

/* Other calls while a step has the sequences [n]: they are what they were, and can not be changed. */
static int look_between(machine *m, const op *o, sequence *const *of, size_t n)
{
    const sequence *s = of[o->probe % n];
    int32_t ids[LENGTH], want[LENGTH];
    entry_ids(m, want, s->ids, s->n);
    if (hlm_cache_rewind(s->cache, 0, NULL) != HLM_E_BUSY || hlm_cache_mark(s->cache) != HLM_E_BUSY)
        return failed(m, "a cache in a step is not busy");
    if (hlm_cache_tokens(s->cache, 0, s->n, ids) != HLM_OK || memcmp(ids, want, s->n * sizeof *ids) != 0)
        return failed(m, "other tokens in a step");
    return compare(m, s, o);
}

/* The step in slices, some of the first with hardly any time, by a context that has measured nothing yet. It ends well,
 * or is aborted or cancelled; a fork made on the way outlives it. */
static hlm_status run_sliced(machine *m, const op *o, const hlm_step *const *steps, sequence *const *of, size_t n)
{
    const hlm_ctx_params cp = {.struct_size = sizeof cp,
                               .pool = m->pool,
                               .n_threads =
                                   o->n % 16 || m->threads < 2 ? 1 : 2, /* more meet slowly on a busy machine */
                               .max_rows = o->other % 2 ? 5 : 0};
    const uint32_t ending = o->probe % 5, stop = o->n % 90;
    hlm_context *ctx = NULL;
    sequence fork = *of[0];
    int32_t done = 0;
    hlm_status st = hlm_ctx_new(&ctx, m->model, &cp);
    if (st == HLM_OK) st = hlm_step_begin(ctx, steps, n);
    fork.cache = NULL;
    for (uint32_t i = 0; st == HLM_OK && !done; i++) {
        if (i == stop / 2 && !m->cap) {
            st = hlm_cache_fork(&fork.cache, of[0]->cache, HLM_NOW);
            if (st != HLM_OK || !look_between(m, o, of, n)) break;
        }
        if (i == stop && ending == 0) hlm_ctx_cancel(ctx);
        if (i == stop && ending == 1) st = hlm_step_abort(ctx) == HLM_OK ? HLM_E_CANCELLED : HLM_E_ARG;
        else st = hlm_step_run(ctx, i < stop ? 1 : 1000000, &done);
    }
    hlm_ctx_free(ctx);
    if (st == HLM_OK && !done) return HLM_E_ARG; /* the failure is told already */
    if (fork.cache && !compare(m, &fork, o)) st = HLM_E_ARG;
    close_sequence(&fork);
    return st;
}

/* New tokens for up to `most` sequences, from number `first` on, in one step. */
static int run_steps(machine *m, const op *o, size_t most)
{
    hlm_step list[CACHES];
    const hlm_step *steps[CACHES];
    int32_t ids[CACHES][LENGTH];
    sequence *of[CACHES];
    size_t n = 0, by[CACHES];
    uint32_t x = o->other;
    for (size_t i = 0; i < most; i++) {
        sequence *s = &m->s[(o->cache + i) % CACHES];
        const size_t room = LENGTH - s->n, wanted = 1 + (i ? x % 3 : o->n % 11);
        const size_t count = wanted < room ? wanted : room;
        if (count == 0) continue;
        if (!open_sequence(m, s)) return 0;
        for (size_t k = 0; k < count; k++, x = x * 1664525u + 1013904223u) ids[n][k] = token_of(m, x >> 8);
        by[n] = adapter_of(m, x);
        list[n] = make_step(m, s->cache, ids[n], count, NULL, by[n]);
        steps[n] = &list[n];
        of[n++] = s;
    }
    if (n == 0) return 1;
    hlm_context *ctx = m->ctx[o->context % CONTEXTS];
    const int cancel = o->kind == CANCEL && !m->cap; /* the cap would come first, and the next step be cancelled */
    if (cancel) hlm_ctx_cancel(ctx);
    if (o->kind == REFUSE) ids[n - 1][list[n - 1].n_tokens - 1] = (int32_t)m->vocab;
    const hlm_status want = cancel ? HLM_E_CANCELLED : o->kind == REFUSE ? HLM_E_TOKEN : HLM_OK;
    *m->failure = 0;
    const hlm_status st = o->kind == SLICES ? run_sliced(m, o, steps, of, n) : hlm_decode_step(ctx, steps, n);
    if (at_cap(m, st) || (o->kind == CANCEL && st == HLM_E_TOKEN)) return 1;
    if (o->kind == SLICES && st == HLM_E_CANCELLED) return 1;
    if (*m->failure) return 0;
    if (st != want)
        return failed(m, "%s, expected %s: %s", hlm_status_name(st), hlm_status_name(want), hlm_last_error());
    for (size_t i = 0; i < n && st == HLM_OK; i++)
        for (size_t k = 0; k < list[i].n_tokens; k++) of[i]->ids[of[i]->n++] = entry_of(m, ids[i][k], by[i]);
    return 1;
}

static int run_fork(machine *m, const op *o, const sequence *s)
{
    sequence *to = &m->s[o->other % CACHES];
    if (to == s) return 1;
    const size_t at = o->n % 3 == 0 ? s->n : o->n / 3 % (s->n + 1);
    close_sequence(to);
    if (hlm_cache_fork(&to->cache, s->cache, (int64_t)at) != HLM_OK) return failed(m, "%s", hlm_last_error());
    memcpy(to->ids, s->ids, at * sizeof *to->ids);
    to->n = at;
    return compare(m, to, o);
}

/* A text that begins like another sequence's, from what the sequence and the prefix cache hold. */
static int run_reuse(machine *m, const op *o, sequence *s)
{
    const sequence *like = &m->s[o->other % CACHES];
    int32_t ids[LENGTH];
    size_t n = like->n ? 1 + o->n % like->n : 0, reused, pending;
    const size_t by = n && o->other % 4 ? entry_adapter(m, like->ids[0]) : adapter_of(m, o->other);
    entry_ids(m, ids, like->ids, n);
    while (n < LENGTH && (n == 0 || o->n % 7 > n % 7)) ids[n++] = token_of(m, o->probe);
    if (call_reuse(s->cache, m->adapters[by], ids, n, &reused, &pending) != HLM_OK)
        return failed(m, "%s", hlm_last_error());
    if (reused >= n || pending > reused) return failed(m, "reused %zu of %zu, pending %zu", reused, n, pending);
    for (size_t i = 0; i < reused; i++) s->ids[i] = entry_of(m, ids[i], by);
    s->n = reused;
    return 1;
}

/* Some tokens by hlm_generate, with more drafts than can be right. */
static int run_generate(machine *m, const op *o, sequence *s)
{
    const int32_t prompt[] = {token_of(m, o->other), token_of(m, o->probe), token_of(m, o->other)};
    const size_t n_prompt = 1 + o->n % 3, by = adapter_of(m, o->probe);
    if (s->n + n_prompt + 2 > LENGTH) return 1;
    const hlm_speculation drafts = {.struct_size = sizeof drafts,
                                    .n_draft = 1 + (int32_t)(o->n % 9),
                                    .ngram = 1,
                                    .n_branches = 1 + (int32_t)(o->n % 4),
                                    .fixed = 1};
    const hlm_generate_params p = {.struct_size = sizeof p,
                                   .prompt = prompt,
                                   .n_prompt = n_prompt,
                                   .max_tokens = 1 + o->other % (LENGTH - s->n - n_prompt),
                                   .ignore_eos = 1,
                                   .speculation = &drafts,
                                   .adapter = m->adapters[by]};
    const size_t before = s->n;
    int32_t ids[LENGTH];
    const hlm_status st = hlm_generate(m->ctx[o->context % CONTEXTS], s->cache, NULL, &p, NULL);
    s->n = (size_t)hlm_cache_length(s->cache);
    if (hlm_cache_tokens(s->cache, 0, s->n, ids) != HLM_OK) return failed(m, "%s", hlm_last_error());
    for (size_t i = before; i < s->n; i++) s->ids[i] = entry_of(m, ids[i], by);
    if (st == HLM_OK || st == HLM_E_UNSUPPORTED || st == HLM_E_CANCELLED || at_cap(m, st)) return 1;
    return failed(m, "%s", hlm_last_error());
}

/* The logits behind the last token once more, or a call that is cancelled and changes nothing. */
static int run_logits(machine *m, const op *o, const sequence *s)
{
    hlm_context *ctx = m->ctx[o->context % CONTEXTS];
    const int cancel = s->n && !m->cap && o->n % 4 == 0;
    const int64_t pending = hlm_cache_pending(s->cache);
    if (cancel) hlm_ctx_cancel(ctx);
    const hlm_status st = hlm_cache_logits(ctx, s->cache, m->got);
    const hlm_status want = cancel ? HLM_E_CANCELLED : s->n ? HLM_OK : HLM_E_EMPTY;
    if (at_cap(m, st)) return 1;
    if (st != want || hlm_cache_pending(s->cache) != (st == HLM_OK ? 0 : pending))
        return failed(m, "logits: %s, %lld pending, of %lld: %s", hlm_status_name(st),
                      (long long)hlm_cache_pending(s->cache), (long long)pending, hlm_last_error());
    return st != HLM_OK || judge(m, s->ids, s->n);
}

static void forget_snapshot(machine *m)
{
    if (m->saved.there && m->saved.in_file) remove(m->path);
    free(m->saved.bytes);
    m->saved = (snapshot){.n = 0};
}

static int run_save(machine *m, const op *o, const sequence *s)
{
    snapshot *to = &m->saved;
    forget_snapshot(m);
    to->in_file = o->n % 16 == 0;
    hlm_status st = HLM_OK;
    if (to->in_file) st = hlm_cache_save(s->cache, m->path);
    else st = hlm_cache_save_memory(s->cache, NULL, 0, &to->size);
    if (st == HLM_E_SPACE && (to->bytes = malloc(to->size)) != NULL)
        st = hlm_cache_save_memory(s->cache, to->bytes, to->size, &to->size);
    if (st != HLM_OK) return failed(m, "%s", hlm_last_error());
    to->there = 1;
    to->n = s->n;
    memcpy(to->ids, s->ids, s->n * sizeof *s->ids);
    return 1;
}

static int run_load(machine *m, const op *o)
{
    const snapshot *from = &m->saved;
    sequence *to = &m->s[o->other % CACHES];
    if (!from->there) return 1;
    close_sequence(to);
    const hlm_status st = from->in_file ? hlm_cache_load(&to->cache, m->pool, m->path, 0)
                                        : hlm_cache_load_memory(&to->cache, m->pool, from->bytes, from->size, 0);
    if (at_cap(m, st)) return 1;
    if (st != HLM_OK) return failed(m, "%s", hlm_last_error());
    memcpy(to->ids, from->ids, from->n * sizeof *to->ids);
    to->n = from->n;
    return compare(m, to, o);
}

static int run_op(machine *m, const op *o)
{
    sequence *s = &m->s[o->cache % CACHES];
    hlm_status st = HLM_OK;
    if (!open_sequence(m, s)) return 0;
    switch (o->kind) {
    case STEP:
    case CANCEL:
    case REFUSE: return run_steps(m, o, 1);
    case SLICES:
    case BATCH: return run_steps(m, o, 2 + o->n % (CACHES - 1));
    case FORK: return run_fork(m, o, s);
    case MARK:
        st = hlm_cache_mark(s->cache);
        if (st == HLM_E_UNREACHABLE) st = HLM_OK; /* after a rewind */
        break;
    case UNMARK: st = hlm_cache_unmark(s->cache, (int64_t)(o->n % (s->n + 1))); break;
    case REWIND:
        s->n = o->n % 2 ? s->n - (o->n / 2 % 5 < s->n ? o->n / 2 % 5 : s->n) : o->n / 2 % (s->n + 1);
        st = hlm_cache_rewind(s->cache, (int64_t)s->n, NULL);
        break;
    case RESERVE:
        st = hlm_cache_reserve(s->cache, (int64_t)(s->n + o->n % 9));
        if (at_cap(m, st)) st = HLM_OK;
        break;
    case FREE: close_sequence(s); break;
    case ADD: st = hlm_prefix_add(s->cache); break;
    case REUSE: return run_reuse(m, o, s);
    case CLEAR: st = hlm_prefix_clear(m->pool); break;
    case SAVE: return run_save(m, o, s);
    case LOAD: return run_load(m, o);
    case GENERATE: return run_generate(m, o, s);
    case LOGITS: return run_logits(m, o, s);
    default: break;
    }
    return st == HLM_OK ? 1 : failed(m, "%s", hlm_last_error());
}

static int run_program(machine *m, const op *ops, size_t n, size_t *at)
{
    int ok = 1;
    for (*at = 0; *at < n && ok; ++*at) {
        const op *o = &ops[*at];
        ok = run_op(m, o);
        const sequence *s = &m->s[o->probe % CACHES];
        if (ok && s->cache) ok = compare(m, s, o);
    }
    for (size_t i = 0; i < CACHES; i++) close_sequence(&m->s[i]);
    forget_snapshot(m);
    return ok;
}

static void print_program(const op *ops, size_t n)
{
    for (size_t i = 0; i < n; i++)
        printf("    {%s, cache %u, other %u, n %u, context %u, probe %u}\n", kind_names[ops[i].kind], ops[i].cache,
               ops[i].other, ops[i].n, ops[i].context, ops[i].probe);
}

/* Leaves operations out as long as the program still fails. */
static void shrink(machine *m, op *ops, size_t n)
{
    size_t at;
    for (size_t i = 0; i < n;) {
        op fewer[OPS];
        memcpy(fewer, ops, i * sizeof *ops);
        memcpy(fewer + i, ops + i + 1, (n - i - 1) * sizeof *ops);
        if (run_program(m, fewer, n - 1, &at)) {
            i++;
            continue;
        }
        n = at;
        memcpy(ops, fewer, n * sizeof *ops);
        if (i >= n) break;
    }
    run_program(m, ops, n, &at);
    printf("  %s, in\n", m->failure);
    print_program(ops, n);
}

static void make_program(op *ops)
{
    /* steps and rewinds more often than the rest */
    static const kind often[] = {STEP, STEP, STEP, STEP, BATCH, BATCH, REWIND, REWIND, REWIND,
                                 FORK, FORK, MARK, ADD,  ADD,   REUSE, REUSE,  LOAD,   LOGITS};
    const size_t weight = sizeof often / sizeof *often;
    for (size_t i = 0; i < OPS; i++) {
        const uint32_t x = next_random() % (uint32_t)(weight + KINDS);
        ops[i] = (op){.kind = x < weight ? often[x] : (kind)(x - weight),
                      .cache = next_random() % CACHES,
                      .other = next_random(),
                      .n = next_random() % 1000,
                      .context = next_random() % CONTEXTS,
                      .probe = next_random()};
    }
}

/* Twice what one long sequence takes. */
static hlm_status find_cap(machine *m)
{
    int32_t ids[LENGTH];
    hlm_cache *cache = NULL;
    for (size_t i = 0; i < LENGTH; i++) ids[i] = token_of(m, (uint32_t)i);
    hlm_status st = new_cache(&cache, m->judge);
    const hlm_step one = make_step(m, cache, ids, LENGTH, NULL, 0);
    const hlm_step *const steps[] = {&one};
    if (st == HLM_OK) st = hlm_decode_step(m->judge_ctx, steps, 1);
    if (st == HLM_OK) st = call_usage(m->judge, NULL, &m->cap);
    hlm_cache_free(cache);
    m->cap *= 2;
    return st;
}

/* Adapters for the model, where it can have them. */
static int open_adapters(machine *m, const char *path)
{
    m->n_adapters = 1;
    for (uint32_t i = 1; i < ADAPTERS; i++) {
        char folder[80];
        snprintf(folder, sizeof folder, "/tmp/hlm-state-programs.%ld.adapter%u", (long)getpid(), (unsigned)i);
        const unsigned n = make_adapter(path, folder, i);
        const hlm_status st = n ? hlm_adapter_load(&m->adapters[i], m->model, folder, NULL) : HLM_E_UNSUPPORTED;
        remove_adapter(folder);
        if (st == HLM_E_UNSUPPORTED) return 1;
        if (st != HLM_OK) return 0;
        m->n_adapters++;
    }
    return 1;
}

static int open_machine(machine *m, const char *path, const struct variant *v)
{
    static const struct {
        int32_t threads;
        size_t rows;
    } contexts[CONTEXTS] = {{1, 512}, {2, 7}, {3, 1}};
    hlm_model_info info = {.struct_size = sizeof info};
    hlm_pool_params pp = {.struct_size = sizeof pp,
                          .kv_type = v->kv,
                          .page_tokens = 2,
                          .mark_stride = 7,
                          .mark_bytes = v->mark_bytes,
                          .undo_tokens = 3,
                          .prefix_bytes = 200000,
                          .state_type = v->state};
    if (hlm_model_load(&m->model, path, NULL) != HLM_OK || hlm_model_info_get(m->model, &info) != HLM_OK) return 0;
    snprintf(m->path, sizeof m->path, "/tmp/hlm-state-programs.%ld.snapshot", (long)getpid());
    if (!open_adapters(m, path)) return 0;
    pp.memory_token_adapter = m->adapters[m->n_adapters - 1];
    m->vocab = (size_t)info.vocab_size;
    m->width = (size_t)(info.n_labels ? info.n_labels : info.vocab_size);
    if (hlm_pool_new(&m->judge, m->model, &pp) != HLM_OK) return 0;
    const hlm_ctx_params jp = {.struct_size = sizeof jp, .pool = m->judge, .n_threads = 1};
    if (hlm_ctx_new(&m->judge_ctx, m->model, &jp) != HLM_OK || (v->capped && find_cap(m) != HLM_OK)) return 0;
    pp.max_bytes = m->cap;
    pp.window_rows = v->window_rows;
    if (hlm_pool_new(&m->pool, m->model, &pp) != HLM_OK) return 0;
    for (size_t i = 0; i < CONTEXTS; i++) {
        const int32_t threads = contexts[i].threads < m->threads ? contexts[i].threads : m->threads;
        const hlm_ctx_params cp = {
            .struct_size = sizeof cp, .pool = m->pool, .n_threads = threads, .max_rows = contexts[i].rows};
        if (hlm_ctx_new(&m->ctx[i], m->model, &cp) != HLM_OK) return 0;
    }
    m->got = malloc(m->width * sizeof *m->got);
    m->want = malloc(m->width * sizeof *m->want);
    return m->got && m->want;
}

static void close_machine(machine *m)
{
    for (size_t i = 0; i < CONTEXTS; i++) hlm_ctx_free(m->ctx[i]);
    hlm_ctx_free(m->judge_ctx);
    hlm_pool_release(m->judge);
    hlm_pool_release(m->pool);
    for (size_t i = 0; i < ADAPTERS; i++) hlm_adapter_release(m->adapters[i]);
    hlm_model_release(m->model);
    free(m->got);
    free(m->want);
}

/* The programs whose seeds fall to one variant. */
/* What the command line says. */
typedef struct asked {
    unsigned long programs;
    uint64_t seed;
    int32_t threads;
} asked;

static unsigned run_model(const char *path, size_t variant, const asked *a, unsigned *passed)
{
    machine m = {.threads = a->threads};
    unsigned bad = 0;
    if (!open_machine(&m, path, &variants[variant])) {
        printf("%s: %s\n", path, hlm_last_error());
        bad = 1;
    }
    for (unsigned long i = 0; i < a->programs && bad == 0; i++) {
        if ((a->seed + i) % VARIANTS != variant) continue;
        op ops[OPS];
        size_t at;
        random_state = a->seed + i;
        make_program(ops);
        if (run_program(&m, ops, OPS, &at)) {
            ++*passed;
            continue;
        }
        printf("%s, %s: program %lu (--seed %llu --programs 1) fails at operation %zu: %s\n", path,
               variants[variant].name, i, (unsigned long long)(a->seed + i), at, m.failure);
        shrink(&m, ops, at);
        bad = 1;
    }
    close_machine(&m);
    return bad;
}

int main(int argc, char **argv)
{
    asked a = {.programs = 100,
               .seed = (uint64_t)time(NULL) / 86400 * 1000000, /* other programs every day */
               .threads = 3};
    unsigned passed = 0, bad = 0;
    int i = 1;
    for (; i + 1 < argc && strncmp(argv[i], "--", 2) == 0; i += 2) {
        if (strcmp(argv[i], "--programs") == 0) a.programs = strtoul(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--seed") == 0) a.seed = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--threads") == 0) a.threads = atoi(argv[i + 1]);
        else break;
    }
    if (i >= argc || strncmp(argv[i], "--", 2) == 0) {
        printf("usage: state_programs [--programs N] [--seed S] [--threads T] MODEL...\n");
        return 2;
    }
    printf("seed %llu\n", (unsigned long long)a.seed);
    for (; i < argc; i++) {
        unsigned fails = 0;
        for (size_t v = 0; v < VARIANTS && !fails; v++) fails = run_model(argv[i], v, &a, &passed);
        bad += fails;
    }
    printf("%u passed, %u failed\n", passed, bad);
    return bad || !passed;
}
