/* What `hybridlm bench state` measures once, on short texts and in pools of its own: what marks and log cost, portable
 * kernels, and drafts from a text that repeats itself. */
#include <string.h>

#include "bench_state.h"

enum { ON_OFF = 96, LEAST_ON_OFF = 8 /* pairs of steps */, WARM = 2, PERIOD = 12, DRAWN = 120, PAIRS = 3 };

#define SECONDS 20.0

/* A sequence in a pool of its own. */
typedef struct lane {
    hlm_pool *pool;
    hlm_context *ctx;
    hlm_cache *cache;
} lane;

static hlm_status open_lane(lane *l, const cli_bench_state *b, hlm_model *model, bool remembers)
{
    const hlm_pool_params pp = {.struct_size = sizeof pp,
                                .kv_type = b->s.o->kv,
                                .mark_stride = remembers ? 0 : -1,
                                .mark_bytes = remembers ? 0 : 1,
                                .undo_tokens = remembers ? 0 : -1};
    hlm_status st = hlm_pool_new(&l->pool, model, &pp);
    const hlm_ctx_params cp = {.struct_size = sizeof cp, .n_threads = (int32_t)b->s.o->threads, .pool = l->pool};
    if (st == HLM_OK) st = hlm_ctx_new(&l->ctx, model, &cp);
    const hlm_cache_params kp = {.struct_size = sizeof kp,
                                 .max_tokens = 2 * DRAWN}; /* more than some models are made for */
    if (st == HLM_OK) st = hlm_cache_new(&l->cache, l->pool, &kp);
    return st;
}

static void close_lane(lane *l)
{
    hlm_cache_free(l->cache);
    hlm_ctx_free(l->ctx);
    hlm_pool_release(l->pool);
}

static hlm_status timed_step(cli_bench_state *b, lane *l, double *seconds)
{
    const double start = cli_seconds();
    const hlm_status st = cli_bench_step(b, l->ctx, l->cache, 1);
    *seconds = cli_seconds() - start;
    return st;
}

/* Seconds of a step of lane x over those of the same step of lane y, taken in turns, each first as often as the
 * other. */
static hlm_status compare_lanes(cli_bench_state *b, lane *x, lane *y, double *ratio)
{
    cli_takes takes = {.n = 0};
    hlm_status st = HLM_OK;
    for (cli_repeats r = {.most = ON_OFF, .least = LEAST_ON_OFF, .seconds = SECONDS}; st == HLM_OK && cli_again(&r);) {
        double seconds[2] = {0};
        for (size_t i = 0; i < 2 && st == HLM_OK; i++) {
            const size_t k = (r.n + i) % 2;
            st = timed_step(b, k ? y : x, &seconds[k]);
        }
        if (st == HLM_OK && r.n > WARM) cli_take(&takes, seconds[0] / seconds[1]);
    }
    *ratio = cli_median(&takes);
    return st;
}

static hlm_status marks_and_log(cli_bench_state *b)
{
    lane with = {0}, without = {0};
    double ratio = 0;
    hlm_status st = open_lane(&with, b, b->s.model, true);
    if (st == HLM_OK) st = open_lane(&without, b, b->s.model, false);
    if (st == HLM_OK) st = compare_lanes(b, &with, &without, &ratio);
    close_lane(&with);
    close_lane(&without);
    cli_figure_add(b, "plain step with marks and log", "of one without", ratio, CLI_AT_MOST, 1.05);
    return st;
}

static hlm_status portable(cli_bench_state *b)
{
    lane usual = {0}, other = {0};
    hlm_model *model = NULL;
    double ratio = 0;
    const cli_options *o = b->s.o;
    const hlm_model_params p = {.struct_size = sizeof p,
                                .flags = HLM_LOAD_PORTABLE | (o->read ? (uint32_t)HLM_LOAD_READ : 0) |
                                    (o->quantise_tied ? (uint32_t)HLM_LOAD_QUANTISE_TIED : 0),
                                .activations = o->activations,
                                .cpu = cli_cpu(o),
                                .quantise = o->quantise};
    hlm_status st = hlm_model_load(&model, o->model, &p);
    if (st == HLM_OK) st = open_lane(&usual, b, b->s.model, true);
    if (st == HLM_OK) st = open_lane(&other, b, model, true);
    if (st == HLM_OK) st = compare_lanes(b, &other, &usual, &ratio);
    close_lane(&usual);
    close_lane(&other);
    hlm_model_release(model);
    cli_figure_add(b, "plain step with --portable", "of one without", ratio, CLI_NO_GOAL, 0);
    return st;
}

/* ---- a text that repeats itself -------------------------------------------------------- */

/* Greedy sampling of 12 tokens alone, none of which comes again within 11: whatever the model says, they go round. */
static hlm_status open_sampler(const cli_bench_state *b, hlm_sampler **out)
{
    hlm_logit_bias bias[PERIOD];
    for (int32_t i = 0; i < PERIOD; i++)
        bias[i] = (hlm_logit_bias){.token = (i + 1) * (b->s.info.vocab_size / (PERIOD + 1)), .bias = 1e6f};
    const hlm_sampler_params p = {.struct_size = sizeof p,
                                  .logit_bias = bias,
                                  .n_logit_bias = PERIOD,
                                  .penalty_window = PERIOD - 1,
                                  .presence_penalty = 5e5f};
    return hlm_sampler_new(out, b->s.model, &p);
}

/* Seconds for DRAWN tokens behind the same prompt. */
static hlm_status draw(cli_bench_state *b, const lane *l, const hlm_speculation *how, int32_t *tokens, double *seconds,
                       double *accepted)
{
    hlm_sampler *sampler = NULL;
    const hlm_generate_params p = {.struct_size = sizeof p,
                                   .prompt = b->tokens,
                                   .n_prompt = PERIOD,
                                   .max_tokens = DRAWN,
                                   .ignore_eos = 1,
                                   .tokens = tokens,
                                   .tokens_cap = DRAWN,
                                   .speculation = how};
    hlm_generate_result r = {.struct_size = sizeof r};
    hlm_status st = open_sampler(b, &sampler);
    if (st == HLM_OK) st = hlm_cache_rewind(l->cache, 0, NULL);
    if (st == HLM_OK) st = hlm_generate(l->ctx, l->cache, sampler, &p, &r);
    hlm_sampler_free(sampler);
    *seconds = (double)r.generate_ns * 1e-9;
    if (accepted) *accepted = r.n_drafted ? (double)r.n_accepted / (double)r.n_drafted : 0;
    return st;
}

static hlm_status speculation(cli_bench_state *b)
{
    static const hlm_speculation how = {.struct_size = sizeof how};
    int32_t plain[DRAWN] = {0}, drafted[DRAWN] = {0};
    cli_takes ratio = {.n = 0};
    lane l = {0};
    double accepted = 0;
    bool same = true;
    hlm_status st = open_lane(&l, b, b->s.model, true);
    for (cli_repeats r = {.most = PAIRS, .least = 1, .seconds = SECONDS}; st == HLM_OK && cli_again(&r);) {
        double without = 0, with = 0;
        st = draw(b, &l, NULL, plain, &without, NULL);
        if (st == HLM_OK) st = draw(b, &l, &how, drafted, &with, &accepted);
        same = same && memcmp(plain, drafted, sizeof plain) == 0;
        cli_take(&ratio, without / with);
    }
    close_lane(&l);
    cli_figure_add(b, "drafts from a text that repeats", "times as fast", cli_median(&ratio), CLI_AT_LEAST, 1.5);
    cli_figure_add(b, "their tokens that were right", "of one", accepted, CLI_NO_GOAL, 0);
    cli_figure_add(b, "the same tokens as without", "0 or 1", same ? 1 : 0, CLI_AT_LEAST, 1);
    return st;
}

hlm_status cli_bench_once(cli_bench_state *b)
{
    b->filled = 0;
    hlm_status st = marks_and_log(b);
    cli_bench_did(b, CLI_PIECE);
    if (st == HLM_OK) st = speculation(b);
    cli_bench_did(b, (CLI_PIECES_ONCE - 2) * CLI_PIECE);
    if (st == HLM_OK && !b->s.o->portable) st = portable(b);
    return st;
}
