/* `hybridlm bench state`: what the command and its measurements share. A *figure* is one line of the result; it may
 * have a target, which is the largest (or least) value that the project promises. */
#ifndef CLI_BENCH_STATE_H
#define CLI_BENCH_STATE_H

#include "report.h"
#include "session.h"

/** Whether there is a target, and on which side of it the value has to be. */
typedef enum cli_goal { CLI_NO_GOAL, CLI_AT_MOST, CLI_AT_LEAST } cli_goal;

typedef struct cli_figure {
    /** Tokens held when it was taken. */
    size_t tokens;
    const char *what;
    const char *unit;
    double value;
    cli_goal goal;
    double target;
} cli_figure;

enum { CLI_MAX_FIGURES = 256, CLI_MAX_LENGTHS = 16, CLI_MAX_TAKES = 200 };

typedef struct cli_bench_state {
    cli_session s;
    size_t lengths[CLI_MAX_LENGTHS];
    size_t n_lengths;
    size_t repeats;
    /** Of the longest length, and of all that is tried behind it. */
    int32_t *tokens;
    size_t n_tokens;
    float *logits;
    /** Tokens that were run to fill the sequence, and the seconds it took. */
    size_t filled;
    double fill_seconds;
    /** Bytes of one state of the recurrent layers. */
    double state_bytes;
    cli_figure figures[CLI_MAX_FIGURES];
    size_t n_figures;
    /** How far it is, in tokens of the text; a thing to measure counts as CLI_PIECE of them. */
    cli_progress progress;
    double done;
    double all;
} cli_bench_state;

enum { CLI_PIECE = 256, CLI_PIECES_AT_LENGTH = 5, CLI_PIECES_ONCE = 6 };

/** So much of it is done. */
void cli_bench_did(cli_bench_state *b, double tokens);

/** Values of one thing that was done several times. */
typedef struct cli_takes {
    double value[CLI_MAX_TAKES];
    size_t n;
} cli_takes;

/** A thing is measured `least` times, and again up to `most` times as long as that has taken less than `seconds`: a
 *  ratio of two whole steps of a large model needs few takes, and each is seconds. */
typedef struct cli_repeats {
    size_t most;
    size_t least;
    double seconds;
    /** Takes so far, and when the first began. */
    size_t n;
    double started;
} cli_repeats;

/** Is it time for another take? */
bool cli_again(cli_repeats *r);

void cli_take(cli_takes *t, double value);
double cli_median(const cli_takes *t);

/** Adds a line to the result. */
void cli_figure_add(cli_bench_state *b, const char *what, const char *unit, double value, cli_goal goal, double target);

/** One step of n tokens of the text from the cache's length on, with the logits of the last. */
hlm_status cli_bench_step(cli_bench_state *b, hlm_context *ctx, hlm_cache *cache, size_t n);

/** What is measured at each length, of a sequence that holds so many tokens; it holds as many afterwards. */
hlm_status cli_bench_at_length(cli_bench_state *b);
/** Of it, what saving and loading that sequence costs. */
hlm_status cli_bench_snapshots(cli_bench_state *b);
/** What is measured once, on short texts and in pools of its own. */
hlm_status cli_bench_once(cli_bench_state *b);

#endif
