/* hybridlm bench state: what it costs to fork, rewind, keep and restore a sequence, beside a plain step of the same
 * sequence. The sequence is filled by real steps up to each length in turn. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench_state.h"
#include "bench_text.h"
#include "commands.h"
#include "interrupt.h"

enum { BEHIND = 64 /* tokens that are tried behind the longest length */, CHUNK = 512, MAX_REPEATS = CLI_MAX_TAKES };

/* ---- preparing ------------------------------------------------------------------ */

/** The numbers of "1024,8192", ascending. */
static int read_lengths(cli_bench_state *b)
{
    const cli_options *o = b->s.o;
    const char *at = o->lengths;
    while (*at) {
        char *end = NULL;
        const long long n = strtoll(at, &end, 10);
        if (end == at || n < 16 || n > 1 << 24 || (*end && *end != ',') || b->n_lengths == CLI_MAX_LENGTHS)
            return cli_fail(o, CLI_USAGE, NULL, "--tokens takes up to %d numbers from 16 on, with commas between them",
                            CLI_MAX_LENGTHS);
        if (b->n_lengths && (size_t)n <= b->lengths[b->n_lengths - 1])
            return cli_fail(o, CLI_USAGE, NULL, "the numbers of --tokens have to ascend");
        b->lengths[b->n_lengths++] = (size_t)n;
        at = *end ? end + 1 : end;
    }
    return b->n_lengths ? CLI_OK : cli_fail(o, CLI_USAGE, NULL, "--tokens names no length");
}

/** Bytes of what the recurrent layers remember at one position. */
static hlm_status measure_state(cli_bench_state *b)
{
    const int32_t type = b->s.o->state;
    const double item = type == HLM_TYPE_F16 || type == HLM_TYPE_BF16 ? 2 : sizeof(float);
    for (int32_t layer = 0; layer < b->s.info.n_layers; layer++)
        for (int32_t which = HLM_STATE_CONV; which <= HLM_STATE_SCAN; which++) {
            size_t n = 0;
            const hlm_status st = hlm_cache_state(b->s.cache, layer, which, NULL, 0, &n);
            if (st != HLM_OK) return st;
            b->state_bytes += (double)n * item;
        }
    return HLM_OK;
}

static int prepare(cli_bench_state *b, const cli_options *o)
{
    b->s.o = o;
    b->repeats = (size_t)o->repeats;
    int rc = read_lengths(b);
    if (rc != CLI_OK) return rc;
    b->n_tokens = b->lengths[b->n_lengths - 1] + BEHIND;
    cli_options with_room = *o;
    with_room.ctx = (int64_t)b->n_tokens;
    rc = cli_session_open(&b->s, &with_room, CLI_NEED_CACHE);
    b->s.o = o;
    if (rc != CLI_OK) return rc;
    b->tokens = cli_alloc(b->n_tokens, sizeof *b->tokens);
    b->logits = cli_alloc((size_t)b->s.info.vocab_size, sizeof *b->logits);
    cli_bench_tokens(b->tokens, b->n_tokens, b->s.info.vocab_size);
    const hlm_status st = measure_state(b);
    return st == HLM_OK ? CLI_OK : cli_fail_status(o, st, "the state could not be read");
}

/* ---- measuring ------------------------------------------------------------------ */

/** Real steps up to n tokens. */
static hlm_status fill(cli_bench_state *b, size_t n)
{
    const double start = cli_seconds();
    hlm_status st = HLM_OK;
    for (size_t at = (size_t)hlm_cache_length(b->s.cache), m; at < n && st == HLM_OK; at += m) {
        m = n - at < CHUNK ? n - at : CHUNK;
        st = cli_bench_step(b, b->s.ctx, b->s.cache, m);
        cli_bench_did(b, (double)m);
    }
    b->fill_seconds += cli_seconds() - start;
    b->filled = n;
    return st;
}

static int measure_all(cli_bench_state *b)
{
    b->all = (double)b->lengths[b->n_lengths - 1] +
        (double)(CLI_PIECE * (CLI_PIECES_AT_LENGTH * b->n_lengths + CLI_PIECES_ONCE));
    cli_progress_start(&b->progress, b->s.o, "measuring");
    /* First, since it loads a model again, which late in the process would have other memory than the first. */
    hlm_status st = cli_bench_once(b);
    for (size_t i = 0; i < b->n_lengths && st == HLM_OK; i++) {
        st = fill(b, b->lengths[i]);
        if (st == HLM_OK) st = cli_bench_at_length(b);
    }
    cli_progress_end(&b->progress);
    return st == HLM_OK ? CLI_OK : cli_fail_status(b->s.o, st, "the measurement failed");
}

/* ---- results --------------------------------------------------------------------- */

static bool reached(const cli_figure *f)
{
    return f->goal == CLI_AT_MOST ? f->value <= f->target : f->value >= f->target;
}

static json_t *figure_json(const cli_figure *f)
{
    json_t *j = json_pack("{s:I, s:s, s:s, s:o}", "tokens", (json_int_t)f->tokens, "what", f->what, "unit", f->unit,
                          "value", cli_json_real(f->value));
    if (!j || f->goal == CLI_NO_GOAL) return j;
    json_object_set_new(j, f->goal == CLI_AT_MOST ? "at_most" : "at_least", cli_json_real(f->target));
    json_object_set_new(j, "reached", json_boolean(reached(f)));
    return j;
}

static int print_json(const cli_bench_state *b)
{
    const hlm_model_info *m = &b->s.info;
    json_t *figures = json_array();
    for (size_t i = 0; figures && i < b->n_figures; i++) json_array_append_new(figures, figure_json(&b->figures[i]));
    return cli_print_json(json_pack(
        "{s:{s:s, s:s, s:s, s:s, s:I}, s:o, s:I, s:o, s:I, s:o}", "model", "name", m->name, "arch", m->arch,
        "weight_type", m->weight_type, "kernel_class", m->kernel_class, "n_parameters", (json_int_t)m->n_parameters,
        "state_bytes", cli_json_real(b->state_bytes), "tokens_run", (json_int_t)b->lengths[b->n_lengths - 1], "seconds",
        cli_json_real(b->fill_seconds), "repeats", (json_int_t)b->repeats, "figures", figures));
}

static void print_figure(const cli_figure *f)
{
    if (f->tokens) printf("%8zu  ", f->tokens);
    else printf("%8s  ", "-");
    printf("%-36s %10.3f %-14s", f->what, f->value, f->unit);
    if (f->goal != CLI_NO_GOAL)
        printf(" %s %g: %s", f->goal == CLI_AT_MOST ? "at most" : "at least", f->target,
               reached(f) ? "reached" : "NOT REACHED");
    printf("\n");
}

static int print_text(const cli_bench_state *b)
{
    const hlm_model_info *m = &b->s.info;
    const size_t run = b->lengths[b->n_lengths - 1];
    printf("model     %s, %s, %.1f million parameters; kernels %s; a state of %.2f MB\n", *m->name ? m->name : m->arch,
           m->weight_type, (double)m->n_parameters * 1e-6, m->kernel_class, b->state_bytes * 1e-6);
    printf("filled by %zu tokens, all of them run, in %.0f s; %zu repeats\n", run, b->fill_seconds, b->repeats);
    printf("  tokens  what\n");
    for (size_t i = 0; i < b->n_figures; i++) print_figure(&b->figures[i]);
    return CLI_OK;
}

/* ---- the command ----------------------------------------------------------------- */

static int run(const cli_options *o)
{
    cli_bench_state *b = cli_alloc(1, sizeof *b);
    *b = (cli_bench_state){.n_lengths = 0};
    int rc = prepare(b, o);
    if (rc == CLI_OK) rc = measure_all(b);
    if (rc == CLI_OK) rc = o->json ? print_json(b) : print_text(b);
    free(b->logits);
    free(b->tokens);
    cli_session_close(&b->s);
    free(b);
    return rc;
}

static const cli_option options[] = {
    CLI_OPT_TEXT("tokens", 0, lengths, "N,N,...", "lengths to measure at (default 1024,8192,32768)"),
    CLI_OPT_TEXT("folder", 0, folder, "PATH", "where snapshots are written (default .)"),
    CLI_OPT_INT("repeats", 'r', repeats, 1, MAX_REPEATS, "take each step so many times, slow ones fewer (default 11)"),
};
static const cli_group group = {"Bench", options, CLI_COUNT(options)};
static const cli_group *const groups[] = {&group, &cli_group_model, &cli_group_context, &cli_group_common, NULL};

const cli_command cli_command_bench_state = {
    .name = "bench state",
    .summary = "what forks, rewinds and snapshots cost",
    .usage = "-m PATH [--tokens N,N,...] [-t N] [-r N] [OPTIONS]",
    .notes = "The sequence is filled by real steps, which takes minutes for long ones.\n\n"
             "Examples:\n"
             "  hybridlm bench state -m model.gguf --tokens 1024\n"
             "  hybridlm bench state -m folder --tokens 1024,8192,32768 --json\n",
    .groups = groups,
    .takes_argument = true,
    .argument_at = offsetof(cli_options, model),
    .defaults = {.lengths = "1024,8192,32768", .folder = ".", .repeats = 11},
    .run = run,
};
