/* hybridlm bench: tokens a second, beside what the machine could do at the same time. Each repeat measures memory and
 * arithmetic just before the model, as the speed of shared machines moves within seconds; fractions are taken within a
 * repeat, and their median is reported. */
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

#define PEAK_SECONDS 0.03

enum { MAX_REPEATS = 100 };

/** What is measured in each repeat, all "the more the better". */
enum { PROMPT, GENERATION, READ, F32, INT8, BF16, PROMPT_FRACTION, GENERATION_FRACTION, N_SERIES };

typedef struct bench {
    cli_session s;
    int n_threads;
    size_t n_prompt;
    size_t n_generate;
    int32_t *tokens;
    float *logits;
    cli_peak_memory memory;
    double series[N_SERIES][MAX_REPEATS];
    size_t repeats;
    /** Keys and values read for a generated token, on average. */
    double kv_bytes;
    /** Multiplications and additions for a prompt token, attention left out. */
    double prompt_ops;
    /** The series that bounds prompts with these weights. */
    int prompt_peak;
} bench;

/* ---- figures of a model ------------------------------------------------------ */

/** Parameters that a prompt token goes through: those of any token, but for the head, which only the last one needs. */
static double parameters_per_prompt_token(const hlm_model_info *m)
{
    const double left = (double)m->n_active_parameters - (double)m->vocab_size * m->hidden_size;
    return left > 0 ? left : (double)m->n_active_parameters;
}

/** The arithmetic that the weight type is computed in. */
static int peak_of(const cli_options *o, const hlm_model_info *m)
{
    if (o->activations == HLM_ACTIVATIONS_F32) return F32;
    if (m->weight_type[0] == 'q') return INT8;
    return strcmp(m->weight_type, "bf16") == 0 && strstr(m->kernel_class, "bf16") ? BF16 : F32;
}

static int describe_model(bench *b)
{
    const cli_options *o = b->s.o;
    const hlm_plan_params params = {
        .struct_size = sizeof params, .n_tokens = 1, .kv_type = o->kv, .state_type = o->state};
    hlm_memory_plan_info plan = {.struct_size = sizeof plan};
    const hlm_status st = hlm_model_plan_memory(b->s.model, &params, &plan);
    if (st != HLM_OK) return cli_fail_status(o, st, "the memory could not be planned");
    b->kv_bytes = (double)plan.state_per_token * ((double)b->n_generate + 1) / 2 + (double)plan.state_per_sequence;
    b->prompt_ops = 2 * parameters_per_prompt_token(&b->s.info);
    b->prompt_peak = peak_of(o, &b->s.info);
    return CLI_OK;
}

/* ---- measuring ------------------------------------------------------------------ */

static hlm_status step(bench *b, size_t at, size_t n)
{
    const hlm_step one = {
        .struct_size = sizeof one, .cache = b->s.cache, .tokens = b->tokens + at, .n_tokens = n, .logits = b->logits};
    const hlm_step *const steps[] = {&one};
    if (cli_interrupted()) return HLM_E_CANCELLED;
    return hlm_decode_step(b->s.ctx, steps, 1);
}

/** Tokens a second of n tokens in steps of `at_once`, from an empty cache. */
static hlm_status measure(bench *b, size_t n, size_t at_once, double *rate)
{
    *rate = 0;
    if (n == 0) return HLM_OK;
    hlm_status st = hlm_cache_rewind(b->s.cache, 0, NULL);
    const double started = cli_seconds();
    for (size_t i = 0; st == HLM_OK && i < n; i += at_once) st = step(b, i, at_once);
    const double seconds = cli_seconds() - started;
    if (seconds > 0) *rate = (double)n / seconds;
    return st;
}

static hlm_status warm_up(bench *b)
{
    double ignored;
    hlm_status st = hlm_cache_reserve(b->s.cache, (int64_t)(b->n_prompt > b->n_generate ? b->n_prompt : b->n_generate));
    if (st == HLM_OK) st = measure(b, b->n_prompt, b->n_prompt, &ignored);
    if (st == HLM_OK) st = measure(b, b->n_generate < 4 ? b->n_generate : 4, 1, &ignored);
    return st;
}

static hlm_status repeat(bench *b, size_t r)
{
    double now[N_SERIES] = {0};
    now[F32] = cli_peak_measure(cli_peak_f32(), b->n_threads, PEAK_SECONDS);
    now[INT8] = cli_peak_measure(cli_peak_int8(), b->n_threads, PEAK_SECONDS);
    now[BF16] = cli_peak_measure(cli_peak_bf16(), b->n_threads, PEAK_SECONDS);
    hlm_status st = measure(b, b->n_prompt, b->n_prompt, &now[PROMPT]);
    const double before = cli_peak_memory_measure(&b->memory, b->n_threads);
    if (st == HLM_OK) st = measure(b, b->n_generate, 1, &now[GENERATION]);
    const double after = cli_peak_memory_measure(&b->memory, b->n_threads);
    now[READ] = before > after ? before : after;
    const double bytes = (double)b->s.info.bytes_per_token + b->kv_bytes;
    if (now[READ] > 0) now[GENERATION_FRACTION] = now[GENERATION] * bytes / now[READ];
    if (now[b->prompt_peak] > 0) now[PROMPT_FRACTION] = now[PROMPT] * b->prompt_ops / now[b->prompt_peak];
    for (int k = 0; k < N_SERIES; k++) b->series[k][r] = now[k];
    return st;
}

static int measure_all(bench *b)
{
    cli_progress progress;
    cli_progress_start(&progress, b->s.o, "measuring");
    cli_peak_memory_open(&b->memory);
    hlm_status st = warm_up(b);
    for (size_t r = 0; st == HLM_OK && r < b->repeats; r++) {
        cli_progress_show(&progress, (double)r, (double)b->repeats);
        st = repeat(b, r);
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

static double best(const bench *b, int which)
{
    double most = 0;
    for (size_t r = 0; r < b->repeats; r++)
        if (b->series[which][r] > most) most = b->series[which][r];
    return most;
}

static double median(const bench *b, int which)
{
    double sorted[MAX_REPEATS];
    const size_t n = b->repeats;
    memcpy(sorted, b->series[which], n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, by_value);
    return (sorted[(n - 1) / 2] + sorted[n / 2]) / 2;
}

/** null for what was not measured. */
static json_t *figure(double value)
{
    return value > 0 ? cli_json_real(value) : json_null();
}

static json_t *speed_json(const bench *b, int which, size_t n)
{
    return json_pack("{s:I, s:o, s:o}", "tokens", (json_int_t)n, "best", figure(best(b, which)), "median",
                     figure(median(b, which)));
}

static json_t *peak_json(const bench *b, int which, const cli_peak_loop *loop)
{
    if (!loop) return json_null();
    return json_pack("{s:o, s:s}", "per_second", figure(best(b, which)), "instructions", loop->name);
}

static const char *peak_name(const bench *b)
{
    return b->prompt_peak == INT8 ? "int8" : b->prompt_peak == BF16 ? "bf16" : "f32";
}

static int print_json(const bench *b)
{
    const hlm_model_info *m = &b->s.info;
    return cli_print_json(
        json_pack("{s:{s:s, s:s, s:s, s:s, s:I, s:I}, s:i, s:I, s:o, s:o, s:{s:I, s:o}, s:o, s:{s:o, s:o, s:o}, s:s, "
                  "s:o, s:{s:o, "
                  "s:o}}",
                  "model", "name", m->name, "arch", m->arch, "weight_type", m->weight_type, "kernel_class",
                  m->kernel_class, "n_parameters", (json_int_t)m->n_parameters, "n_active_parameters",
                  (json_int_t)m->n_active_parameters, "threads", b->n_threads, "repeats", (json_int_t)b->repeats,
                  "prompt", speed_json(b, PROMPT, b->n_prompt), "generation", speed_json(b, GENERATION, b->n_generate),
                  "bytes_per_token", "weights", (json_int_t)m->bytes_per_token, "kv", cli_json_real(b->kv_bytes),
                  "read_bytes_per_second", figure(best(b, READ)), "peaks", "f32", peak_json(b, F32, cli_peak_f32()),
                  "int8", peak_json(b, INT8, cli_peak_int8()), "bf16", peak_json(b, BF16, cli_peak_bf16()),
                  "prompt_peak", peak_name(b), "prompt_ops_per_token", cli_json_real(b->prompt_ops), "fractions",
                  "generation", figure(median(b, GENERATION_FRACTION)), "prompt", figure(median(b, PROMPT_FRACTION))));
}

static void print_speed(const bench *b, const char *name, int which, size_t n)
{
    if (n) printf("%-11s %5zu tokens  best %9.1f  median %9.1f tokens/s\n", name, n, best(b, which), median(b, which));
}

static void print_peak(const bench *b, const char *name, int which, const cli_peak_loop *loop)
{
    if (loop) printf("  %-8s %9.1f G operations/s (%s)\n", name, best(b, which) * 1e-9, loop->name);
}

static int print_text(const bench *b)
{
    const hlm_model_info *m = &b->s.info;
    printf("model       %s, %s, %.1f million parameters, %.1f for a token; kernels %s; %d threads, %zu repeats\n",
           *m->name ? m->name : m->arch, m->weight_type, (double)m->n_parameters * 1e-6,
           (double)m->n_active_parameters * 1e-6, m->kernel_class, b->n_threads, b->repeats);
    print_speed(b, "prompt", PROMPT, b->n_prompt);
    print_speed(b, "generation", GENERATION, b->n_generate);
    printf("read        %.2f MB of weights and %.2f MB of state for each generated token\n",
           (double)m->bytes_per_token * 1e-6, b->kv_bytes * 1e-6);
    printf("machine, on as many threads, in the same run\n");
    printf("  %-8s %9.1f GB/s read\n", "memory", best(b, READ) * 1e-9);
    print_peak(b, "f32", F32, cli_peak_f32());
    print_peak(b, "int8", INT8, cli_peak_int8());
    print_peak(b, "bf16", BF16, cli_peak_bf16());
    if (median(b, GENERATION_FRACTION) > 0)
        printf("reached     generation %.2f of the memory's speed\n", median(b, GENERATION_FRACTION));
    if (median(b, PROMPT_FRACTION) > 0)
        printf("reached     prompt %.2f of the %s peak\n", median(b, PROMPT_FRACTION), peak_name(b));
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
    b->repeats = (size_t)o->repeats;
    const size_t longest = b->n_prompt > b->n_generate ? b->n_prompt : b->n_generate;
    if (longest == 0) return cli_fail(o, CLI_USAGE, NULL, "with -p 0 and -n 0 there is nothing to measure");
    if (longest > (size_t)b->s.max_tokens)
        return cli_fail(o, CLI_FAILED, "Give fewer with -p and -n, or more room with --ctx.",
                        "%zu tokens do not fit the context of %lld", longest, (long long)b->s.max_tokens);
    b->tokens = cli_alloc(longest, sizeof *b->tokens);
    b->logits = cli_alloc((size_t)b->s.info.vocab_size, sizeof *b->logits);
    cli_bench_tokens(b->tokens, longest, b->s.info.vocab_size);
    return describe_model(b);
}

static int run(const cli_options *o)
{
    bench *b = cli_alloc(1, sizeof *b);
    int rc = prepare(b, o);
    if (rc == CLI_OK) rc = measure_all(b);
    if (rc == CLI_OK) rc = o->json ? print_json(b) : print_text(b);
    cli_peak_memory_close(&b->memory);
    free(b->logits);
    free(b->tokens);
    cli_session_close(&b->s);
    free(b);
    return rc;
}

static const cli_option options[] = {
    CLI_OPT_INT("prompt-tokens", 'p', prompt_tokens, 0, 1 << 24, "tokens of the prompt (default 512; 0: leave out)"),
    CLI_OPT_INT("max-tokens", 'n', max_tokens, 0, 1 << 24, "tokens to generate (default 128; 0: leave out)"),
    CLI_OPT_INT("repeats", 'r', repeats, 1, MAX_REPEATS, "measure so many times (default 5)"),
};
static const cli_group group = {"Bench", options, CLI_COUNT(options)};
static const cli_group *const groups[] = {&group, &cli_group_model, &cli_group_context, &cli_group_common, NULL};

const cli_command cli_command_bench = {
    .name = "bench",
    .summary = "tokens a second, and what the machine could do",
    .usage = "-m PATH [-p N] [-n N] [-t N] [-r N] [OPTIONS]",
    .notes = "Examples:\n"
             "  hybridlm bench -m model.gguf -p 512 -n 128 -t 2\n"
             "  hybridlm bench -m model.gguf -r 10 --json\n",
    .groups = groups,
    .takes_argument = true,
    .argument_at = offsetof(cli_options, model),
    .defaults = {.prompt_tokens = 512, .max_tokens = 128, .repeats = 5},
    .run = run,
};
