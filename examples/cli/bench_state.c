/* The measurements of `hybridlm bench state`. Plain steps are timed next to what they are compared with, and medians of
 * the pairs' ratios are given, as the speed of shared machines moves within seconds. */
#include "bench_state.h"

#include <stdlib.h>
#include <string.h>

#include "interrupt.h"

enum { UNDO = 8, BRANCHES = 16, QUICK = 101 /* takes of what takes microseconds */, LEAST = 5, LONG_TEXT = 8192 };

#define SECONDS 5.0 /* for one thing, where its steps are slow */

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void cli_bench_did(cli_bench_state *b, double tokens)
{
    b->done += tokens;
    cli_progress_show(&b->progress, b->done, b->all);
}

bool cli_again(cli_repeats *r)
{
    const double now = cli_seconds();
    if (r->n == 0) r->started = now;
    if (r->n == r->most || (r->n >= r->least && now - r->started >= r->seconds)) return false;
    r->n++;
    return true;
}

void cli_take(cli_takes *t, double value)
{
    if (t->n < CLI_MAX_TAKES) t->value[t->n++] = value;
}

double cli_median(const cli_takes *t)
{
    double sorted[CLI_MAX_TAKES];
    if (t->n == 0) return 0;
    memcpy(sorted, t->value, t->n * sizeof *sorted);
    qsort(sorted, t->n, sizeof *sorted, by_value);
    return (sorted[(t->n - 1) / 2] + sorted[t->n / 2]) / 2;
}

void cli_figure_add(cli_bench_state *b, const char *what, const char *unit, double value, cli_goal goal, double target)
{
    if (b->n_figures == CLI_MAX_FIGURES) return;
    b->figures[b->n_figures++] =
        (cli_figure){.tokens = b->filled, .what = what, .unit = unit, .value = value, .goal = goal, .target = target};
}

hlm_status cli_bench_step(cli_bench_state *b, hlm_context *ctx, hlm_cache *cache, size_t n)
{
    const size_t at = (size_t)hlm_cache_length(cache);
    const hlm_step one = {.struct_size = sizeof one,
                          .cache = cache,
                          .tokens = b->tokens + at % (b->n_tokens - n),
                          .n_tokens = n,
                          .logits = b->logits};
    const hlm_step *const steps[] = {&one};
    if (cli_interrupted()) return HLM_E_CANCELLED;
    return hlm_decode_step(ctx, steps, 1);
}

/* The same, one token, with its seconds. */
static hlm_status timed_step(cli_bench_state *b, hlm_cache *cache, double *seconds)
{
    const double start = cli_seconds();
    const hlm_status st = cli_bench_step(b, b->s.ctx, cache, 1);
    *seconds = cli_seconds() - start;
    return st;
}

/* ---- forks ------------------------------------------------------------------- */

static hlm_status time_forks(cli_bench_state *b, int64_t at, const char *what)
{
    cli_takes us = {.n = 0};
    hlm_status st = HLM_OK;
    for (size_t i = 0; i < QUICK && st == HLM_OK; i++) {
        hlm_cache *f = NULL;
        const double start = cli_seconds();
        st = hlm_cache_fork(&f, b->s.cache, at);
        cli_take(&us, (cli_seconds() - start) * 1e6);
        hlm_cache_free(f);
    }
    cli_figure_add(b, what, "us", cli_median(&us), CLI_AT_MOST, 10);
    return st;
}

static cli_repeats steps_of(const cli_bench_state *b)
{
    return (cli_repeats){.most = b->repeats, .least = LEAST, .seconds = SECONDS};
}

/* From a mark: a plain step, the first step of a fork, of its second sequence, one after the other, and back to the
 * mark. */
static hlm_status steps_and_mark(cli_bench_state *b, int64_t mark)
{
    cli_takes plain = {.n = 0}, ratio = {.n = 0}, us = {.n = 0};
    hlm_status st = hlm_cache_rewind(b->s.cache, mark, NULL);
    for (cli_repeats r = steps_of(b); st == HLM_OK && cli_again(&r);) {
        hlm_cache *f = NULL;
        double step = 0, first = 0;
        st = timed_step(b, b->s.cache, &step);
        if (st == HLM_OK) st = hlm_cache_fork(&f, b->s.cache, HLM_NOW);
        if (st == HLM_OK) st = timed_step(b, f, &first);
        hlm_cache_free(f);
        const double start = cli_seconds();
        if (st == HLM_OK) st = hlm_cache_rewind(b->s.cache, mark, NULL);
        cli_take(&us, (cli_seconds() - start) * 1e6);
        cli_take(&plain, step * 1e3);
        cli_take(&ratio, first / step);
    }
    cli_figure_add(b, "plain step", "ms", cli_median(&plain), CLI_NO_GOAL, 0);
    cli_figure_add(b, "first step after a fork", "steps", cli_median(&ratio), CLI_AT_MOST, 1.1);
    cli_figure_add(b, "rewind to a mark", "us", cli_median(&us), CLI_AT_MOST, 10);
    return st;
}

static hlm_status used_bytes(const cli_bench_state *b, double *bytes)
{
    hlm_pool_info info = {.struct_size = sizeof info};
    const hlm_status st = hlm_pool_info_get(b->s.pool, &info);
    *bytes = (double)info.used_bytes;
    return st;
}

/* Memory of 16 sequences that go on differently from here. Each has a state of its own; all else that it takes (page,
 * log) counts as its share of the common text. */
static hlm_status branches(cli_bench_state *b)
{
    hlm_cache *f[BRANCHES] = {NULL};
    hlm_step list[BRANCHES];
    const hlm_step *steps[BRANCHES] = {NULL};
    int32_t ids[BRANCHES];
    double one = 0, all = 0;
    hlm_status st = used_bytes(b, &one);
    for (size_t i = 0; i < BRANCHES && st == HLM_OK; i++) {
        st = hlm_cache_fork(&f[i], b->s.cache, HLM_NOW);
        ids[i] = (int32_t)i;
        list[i] = (hlm_step){.struct_size = sizeof *list, .cache = f[i], .tokens = &ids[i], .n_tokens = 1};
        steps[i] = &list[i];
    }
    if (st == HLM_OK) st = hlm_decode_step(b->s.ctx, steps, BRANCHES);
    if (st == HLM_OK) st = used_bytes(b, &all);
    for (size_t i = 0; i < BRANCHES; i++) hlm_cache_free(f[i]);
    cli_figure_add(b, "memory of the sequence", "MB", one * 1e-6, CLI_NO_GOAL, 0);
    cli_figure_add(b, "memory of 16 branches", "MB", all * 1e-6, CLI_NO_GOAL, 0);
    /* each has a page of its own, which is much beside a short text */
    const cli_goal goal = b->filled >= LONG_TEXT ? CLI_AT_MOST : CLI_NO_GOAL;
    cli_figure_add(b, "the same less 16 states", "of one", (all - (double)BRANCHES * b->state_bytes) / one, goal, 1.2);
    return st;
}

/* Takes the 8 tokens behind `pos` back and runs the next one; without that one, it may cost a plain step. The tokens go
 * in at once, so that no state is kept between the sequence's present position and the next stretch of the undo log:
 * with `pos` just before that stretch, as much is replayed as ever is. */
static hlm_status undo(cli_bench_state *b, int64_t pos)
{
    cli_takes ratio = {.n = 0}, us = {.n = 0};
    const int64_t length = hlm_cache_length(b->s.cache);
    hlm_cache *f = NULL;
    hlm_status st = hlm_cache_fork(&f, b->s.cache, HLM_NOW);
    for (cli_repeats r = steps_of(b); st == HLM_OK && cli_again(&r);) {
        double step = 0, next = 0;
        st = cli_bench_step(b, b->s.ctx, f, (size_t)(pos + UNDO - length));
        const double start = cli_seconds();
        if (st == HLM_OK) st = hlm_cache_rewind(f, pos, NULL);
        const double back = cli_seconds() - start;
        if (st == HLM_OK) st = timed_step(b, f, &next);
        if (st == HLM_OK) st = timed_step(b, f, &step);
        if (st == HLM_OK) st = hlm_cache_rewind(f, length, NULL);
        cli_take(&us, back * 1e6);
        cli_take(&ratio, (back + next - step) / step);
    }
    hlm_cache_free(f);
    cli_figure_add(b, "rewind by 8 tokens", "us", cli_median(&us), CLI_NO_GOAL, 0);
    cli_figure_add(b, "what it adds to the next step", "steps", cli_median(&ratio), CLI_AT_MOST, 1);
    return st;
}

/* One thing of it has been measured. */
static hlm_status did(cli_bench_state *b, hlm_status st)
{
    cli_bench_did(b, CLI_PIECE);
    return st;
}

hlm_status cli_bench_at_length(cli_bench_state *b)
{
    double step;
    const int64_t length = hlm_cache_length(b->s.cache), mark = length + 1;
    hlm_status st = timed_step(b, b->s.cache, &step); /* a state that only a mark reaches */
    if (st == HLM_OK) st = hlm_cache_mark(b->s.cache);
    if (st == HLM_OK) st = time_forks(b, HLM_NOW, "fork");
    if (st == HLM_OK) st = timed_step(b, b->s.cache, &step);
    if (st == HLM_OK) st = time_forks(b, mark, "fork at a mark");
    if (st == HLM_OK) st = did(b, time_forks(b, length / 2 + 3, "fork at half of it"));
    if (st == HLM_OK) st = did(b, steps_and_mark(b, mark));
    if (st == HLM_OK) st = did(b, branches(b));
    if (st == HLM_OK) st = did(b, undo(b, length + 15));
    if (st == HLM_OK) st = did(b, cli_bench_snapshots(b));
    if (st == HLM_OK) st = hlm_cache_unmark(b->s.cache, mark);
    return st == HLM_OK ? hlm_cache_rewind(b->s.cache, length, NULL) : st;
}
