/* hybridlm bench slices: by how much slices of a step outlast their budget. The machine may take a core or its memory's
 * speed away at any time, which no program can help; so the same threads also run pieces of known length in slices of
 * the same budget, of plain arithmetic and of reading memory, and what those overrun by is the machine's own. The three
 * take turns, as shared machines change within seconds. */
#define _GNU_SOURCE 1
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench_text.h"
#include "commands.h"
#include "interrupt.h"
#include "peak.h"
#include "report.h"
#include "session.h"
#include "text.h"

enum { MAX_SLICES = 1 << 20, MAX_REPEATS = 100, SPINS = 1000, TRY_ROUNDS = 100000 };
enum { LINE_WORDS = 8, MEMORY_WORDS = 1 << 24 }; /* of 8 bytes: a cache line, and more than caches hold */

#define LATE_MS 0.5 /* what a slice may overrun by: one part of a step */
#define PIECE_SECONDS 0.0002

/** Milliseconds behind the budget's end, of each slice. */
typedef struct overruns {
    double *ms;
    size_t n;
} overruns;

typedef struct bench {
    cli_session s;
    int n_threads;
    size_t n_prompt;
    size_t n_generate;
    uint64_t budget_us;
    int32_t *tokens;
    float *logits;
    overruns steps;
    overruns arithmetic;
    overruns reading;
    uint64_t *memory;
    double plain_seconds;
    double sliced_seconds;
} bench;

static void note(overruns *o, double seconds, uint64_t budget_us)
{
    if (o->n < MAX_SLICES) o->ms[o->n++] = (seconds - (double)budget_us * 1e-6) * 1e3;
}

/* ---- steps ---------------------------------------------------------------------- */

static hlm_step step_of(const bench *b, size_t at, size_t n)
{
    return (hlm_step){.struct_size = sizeof(hlm_step),
                      .cache = b->s.cache,
                      .tokens = b->tokens + at,
                      .n_tokens = n,
                      .logits = b->logits};
}

static hlm_status run_plain(bench *b, size_t at, size_t n)
{
    const hlm_step one = step_of(b, at, n);
    const hlm_step *const steps[] = {&one};
    const double start = cli_seconds();
    const hlm_status st = hlm_decode_step(b->s.ctx, steps, 1);
    b->plain_seconds += cli_seconds() - start;
    return st;
}

/** The slice in which the step ends is shorter, and counts only when it is too long. */
static hlm_status run_slices(bench *b, size_t at, size_t n)
{
    const hlm_step one = step_of(b, at, n);
    const hlm_step *const steps[] = {&one};
    int32_t done = 0;
    hlm_status st = hlm_step_begin(b->s.ctx, steps, 1);
    while (st == HLM_OK && !done) {
        const double start = cli_seconds();
        st = hlm_step_run(b->s.ctx, b->budget_us, &done);
        const double seconds = cli_seconds() - start;
        if (!done || seconds * 1e6 > (double)b->budget_us) note(&b->steps, seconds, b->budget_us);
        b->sliced_seconds += seconds;
    }
    return st;
}

/** The prompt and the tokens behind it, from an empty cache. */
static hlm_status run_text(bench *b, hlm_status (*step)(bench *, size_t, size_t))
{
    hlm_status st = hlm_cache_rewind(b->s.cache, 0, NULL);
    if (st == HLM_OK) st = step(b, 0, b->n_prompt);
    for (size_t i = 0; i < b->n_generate && st == HLM_OK; i++) {
        if (cli_interrupted()) return HLM_E_CANCELLED;
        st = step(b, b->n_prompt + i, 1);
    }
    return st;
}

/* ---- the machine alone ------------------------------------------------------------ */

typedef struct control {
    overruns *out;
    const uint64_t *memory; /* what is read; NULL: arithmetic */
    uint64_t budget_us;
    size_t slices;
    size_t rounds; /* of arithmetic, or cache lines, in a piece */
    atomic_size_t piece; /* opened; the last one ends the work */
    atomic_int arrived; /* of the other threads, in the open piece */
    atomic_bool over;
} control;

static void churn(size_t rounds)
{
    unsigned x = (unsigned)cli_opaque_int(1);
    for (size_t i = 0; i < rounds; i++) x = x * 1664525u + 1013904223u;
    (void)cli_opaque_int((int)(x >> 1));
}

/** *at is where the thread goes on to read. */
static void read_lines(const uint64_t *memory, size_t lines, size_t *at)
{
    size_t from = *at;
    uint64_t sum = 0;
    for (size_t i = 0; i < lines; i++) {
        for (size_t k = 0; k < LINE_WORDS; k++) sum += memory[from + k];
        from = (from + LINE_WORDS) % MEMORY_WORDS;
    }
    *at = from;
    (void)cli_opaque_int((int)(sum >> 33));
}

static void run_piece(const control *c, size_t *at)
{
    if (c->memory) read_lines(c->memory, c->rounds, at);
    else churn(c->rounds);
}

/** Rounds that take a piece's time when nothing comes between. */
static void calibrate(control *c)
{
    double best = 1;
    size_t at = 0;
    c->rounds = TRY_ROUNDS;
    for (int i = 0; i < 20; i++) {
        const double start = cli_seconds();
        run_piece(c, &at);
        const double seconds = cli_seconds() - start;
        if (seconds < best) best = seconds;
    }
    c->rounds = (size_t)((double)TRY_ROUNDS * PIECE_SECONDS / best) + 1;
}

static void pause_after(size_t *waits)
{
    if (++*waits > SPINS) sched_yield();
}

static void lead(control *c, int n_threads, size_t at)
{
    for (size_t i = 0; i < c->slices && !cli_interrupted(); i++) {
        const double start = cli_seconds(), until = start + (double)c->budget_us * 1e-6;
        do {
            atomic_store(&c->arrived, 0);
            atomic_fetch_add(&c->piece, 1);
            run_piece(c, &at);
            for (size_t waits = 0; atomic_load(&c->arrived) < n_threads - 1;) pause_after(&waits);
        } while (cli_seconds() + PIECE_SECONDS < until);
        note(c->out, cli_seconds() - start, c->budget_us);
    }
    atomic_store(&c->over, true);
    atomic_fetch_add(&c->piece, 1);
}

static void control_thread(void *arg, int index, int n_threads)
{
    control *c = arg;
    size_t at = MEMORY_WORDS / LINE_WORDS / (size_t)n_threads * (size_t)index * LINE_WORDS;
    if (index == 0) {
        lead(c, n_threads, at);
        return;
    }
    for (size_t seen = 0;; seen++) {
        for (size_t waits = 0; atomic_load(&c->piece) == seen;) pause_after(&waits);
        if (atomic_load(&c->over)) return;
        run_piece(c, &at);
        atomic_fetch_add(&c->arrived, 1);
    }
}

static void run_control(const bench *b, overruns *out, const uint64_t *memory, size_t slices)
{
    control c = {.out = out, .memory = memory, .budget_us = b->budget_us, .slices = slices};
    calibrate(&c);
    cli_team_run(b->n_threads, control_thread, &c);
}

/* ---- measuring -------------------------------------------------------------------- */

static int measure_all(bench *b)
{
    const size_t repeats = (size_t)b->s.o->repeats;
    cli_progress progress;
    cli_progress_start(&progress, b->s.o, "measuring");
    hlm_status st = HLM_OK;
    for (size_t r = 0; r < repeats; r++) {
        const size_t before = b->steps.n;
        cli_progress_show(&progress, (double)r, (double)repeats);
        st = run_text(b, run_slices);
        if (st == HLM_OK) st = run_text(b, run_plain);
        if (st != HLM_OK) break;
        run_control(b, &b->arithmetic, NULL, b->steps.n - before);
        run_control(b, &b->reading, b->memory, b->steps.n - before);
    }
    cli_progress_end(&progress);
    return st == HLM_OK ? CLI_OK : cli_fail_status(b->s.o, st, "the measurement failed");
}

/* ---- results ---------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/** Of sorted values. */
static double at_fraction(const overruns *o, double fraction)
{
    return o->n ? o->ms[(size_t)((double)(o->n - 1) * fraction)] : 0;
}

static double share_late(const overruns *o)
{
    size_t late = 0;
    for (size_t i = 0; i < o->n; i++) late += o->ms[i] > LATE_MS;
    return o->n ? (double)late / (double)o->n : 0;
}

static json_t *overruns_json(const overruns *o)
{
    return json_pack("{s:I, s:o, s:o, s:o, s:o, s:o}", "slices", (json_int_t)o->n, "median_ms",
                     cli_json_real(at_fraction(o, 0.5)), "p90_ms", cli_json_real(at_fraction(o, 0.9)), "p99_ms",
                     cli_json_real(at_fraction(o, 0.99)), "most_ms", cli_json_real(at_fraction(o, 1)), "late",
                     cli_json_real(share_late(o)));
}

static int print_json(const bench *b)
{
    const hlm_model_info *m = &b->s.info;
    return cli_print_json(
        json_pack("{s:{s:s, s:s, s:s}, s:i, s:I, s:I, s:I, s:f, s:o, s:o, s:o, s:o, s:o}", "model", "name", m->name,
                  "weight_type", m->weight_type, "kernel_class", m->kernel_class, "threads", b->n_threads, "budget_us",
                  (json_int_t)b->budget_us, "prompt_tokens", (json_int_t)b->n_prompt, "tokens",
                  (json_int_t)b->n_generate, "late_ms", LATE_MS, "steps", overruns_json(&b->steps), "machine",
                  overruns_json(&b->arithmetic), "memory", overruns_json(&b->reading), "sliced_seconds",
                  cli_json_real(b->sliced_seconds), "plain_seconds", cli_json_real(b->plain_seconds)));
}

static void print_overruns(const char *name, const overruns *o)
{
    printf("%-16s %7zu %9.3f %9.3f %9.3f %9.3f %9.2f %%\n", name, o->n, at_fraction(o, 0.5), at_fraction(o, 0.9),
           at_fraction(o, 0.99), at_fraction(o, 1), 100 * share_late(o));
}

static int print_text(const bench *b)
{
    const hlm_model_info *m = &b->s.info;
    printf("model     %s, %s; kernels %s; %d threads; slices of %llu us\n", *m->name ? m->name : m->arch,
           m->weight_type, m->kernel_class, b->n_threads, (unsigned long long)b->budget_us);
    printf("text      a prompt of %zu tokens and %zu single ones, %lld times: %.2f s in slices, %.2f s in one go\n",
           b->n_prompt, b->n_generate, (long long)b->s.o->repeats, b->sliced_seconds, b->plain_seconds);
    printf("overrun in ms      slices    median       90%%       99%%      most   above %g\n", LATE_MS);
    print_overruns("steps", &b->steps);
    print_overruns("arithmetic alone", &b->arithmetic);
    print_overruns("reading alone", &b->reading);
    return CLI_OK;
}

/* ---- the command -------------------------------------------------------------------- */

static int prepare(bench *b, const cli_options *o)
{
    int rc = cli_session_open(&b->s, o, CLI_NEED_CACHE);
    if (rc != CLI_OK) return rc;
    b->n_threads = o->threads ? (int)o->threads : cli_default_threads();
    b->n_prompt = (size_t)o->prompt_tokens;
    b->n_generate = (size_t)o->max_tokens;
    b->budget_us = (uint64_t)o->budget;
    const size_t n = b->n_prompt + b->n_generate;
    if (n > (size_t)b->s.max_tokens)
        return cli_fail(o, CLI_FAILED, "Give fewer with -p and -n, or more room with --ctx.",
                        "%zu tokens do not fit the context of %lld", n, (long long)b->s.max_tokens);
    b->tokens = cli_alloc(n, sizeof *b->tokens);
    b->logits = cli_alloc((size_t)b->s.info.vocab_size, sizeof *b->logits);
    b->steps.ms = cli_alloc(MAX_SLICES, sizeof *b->steps.ms);
    b->arithmetic.ms = cli_alloc(MAX_SLICES, sizeof *b->arithmetic.ms);
    b->reading.ms = cli_alloc(MAX_SLICES, sizeof *b->reading.ms);
    b->memory = cli_alloc(MEMORY_WORDS, sizeof *b->memory);
    memset(b->memory, 1, MEMORY_WORDS * sizeof *b->memory); /* pages of its own */
    cli_bench_tokens(b->tokens, n, b->s.info.vocab_size);
    return CLI_OK;
}

static int run(const cli_options *o)
{
    bench *b = cli_alloc(1, sizeof *b);
    *b = (bench){.n_prompt = 0};
    int rc = prepare(b, o);
    if (rc == CLI_OK) rc = measure_all(b);
    if (rc == CLI_OK) {
        overruns *const all[] = {&b->steps, &b->arithmetic, &b->reading};
        for (size_t i = 0; i < CLI_COUNT(all); i++) qsort(all[i]->ms, all[i]->n, sizeof *all[i]->ms, by_value);
        rc = o->json ? print_json(b) : print_text(b);
    }
    free(b->memory);
    free(b->reading.ms);
    free(b->arithmetic.ms);
    free(b->steps.ms);
    free(b->logits);
    free(b->tokens);
    cli_session_close(&b->s);
    free(b);
    return rc;
}

static const cli_option options[] = {
    CLI_OPT_INT("budget", 'b', budget, 1, 1000000, "microseconds of a slice (default 4000)"),
    CLI_OPT_INT("prompt-tokens", 'p', prompt_tokens, 1, 1 << 24, "tokens of the prompt (default 512)"),
    CLI_OPT_INT("max-tokens", 'n', max_tokens, 0, 1 << 24, "single tokens behind it (default 64)"),
    CLI_OPT_INT("repeats", 'r', repeats, 1, MAX_REPEATS, "measure so many times (default 3)"),
};
static const cli_group group = {"Bench", options, CLI_COUNT(options)};
static const cli_group *const groups[] = {&group, &cli_group_model, &cli_group_context, &cli_group_common, NULL};

const cli_command cli_command_bench_slices = {
    .name = "bench slices",
    .summary = "by how much slices of a step overrun",
    .usage = "-m PATH [-b N] [-p N] [-n N] [-t N] [-r N] [OPTIONS]",
    .notes = "Examples:\n"
             "  hybridlm bench slices -m model.gguf -t 2\n"
             "  hybridlm bench slices -m folder --budget 1000 --json\n",
    .groups = groups,
    .takes_argument = true,
    .argument_at = offsetof(cli_options, model),
    .defaults = {.budget = 4000, .prompt_tokens = 512, .max_tokens = 64, .repeats = 3},
    .run = run,
};
