/* Tokens in, an answer out: hlm_generate with a progress bar for the prompt, the text streamed as it comes, and Ctrl-C.
 * Used by run and chat. */
#ifndef CLI_GENERATE_H
#define CLI_GENERATE_H

#include <stdio.h>

#include <jansson.h>

#include "session.h"
#include "terminal.h"
#include "text.h"

typedef struct cli_answer {
    cli_ids ids;
    cli_text text;
    /** Of the session when it was generated. */
    uint64_t seed;
    /** HLM_FINISH_..., when not interrupted. */
    int32_t finish;
    bool interrupted;
    /** Tokens run before the first one generated, and the time of each part. */
    size_t n_prompt;
    /** With reuse, of the first call: tokens that were there, and how many of these were computed again. */
    size_t n_reused;
    size_t n_recomputed;
    double prompt_seconds;
    double generate_seconds;
    /** With drafts: steps, tokens drafted and run, and those that were right. */
    bool drafts;
    size_t n_steps;
    size_t n_drafted;
    size_t n_accepted;
    /** Where the text goes as it comes, or NULL. */
    cli_wrap *out;
} cli_answer;

/** Append `prompt` to the session's cache, or with `reuse` bring the cache to it as the whole text, and generate at
 *  most max_tokens (0: no bound) more; adds to *answer, so that an answer can go on in a second call. */
hlm_status cli_generate(cli_session *s, hlm_sampler *sampler, const int32_t *prompt, size_t n_prompt, size_t max_tokens,
                        bool reuse, cli_answer *answer);

void cli_answer_free(cli_answer *answer);

/** "stop_token", "length", ... */
const char *cli_finish_name(const cli_answer *answer);

/** Put text, ids, counts and times into `object`. */
void cli_answer_json(const cli_answer *answer, json_t *object);

/** The counts and times as a remark. */
void cli_answer_stats(const cli_options *o, const cli_answer *answer);

#endif
