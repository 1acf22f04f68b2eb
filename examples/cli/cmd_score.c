/* hybridlm score: how likely a model finds a text. The text is cut into chunks, each scored from an empty cache; the
 * first token of a chunk has no probability, so a last chunk of one token counts nothing. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "commands.h"
#include "interrupt.h"
#include "report.h"
#include "session.h"
#include "text.h"

enum { DEFAULT_CHUNK = 512 };

typedef struct score {
    cli_ids ids;
    size_t chunk;
    size_t chunks;
    /** Tokens that have a probability, and the sum of its logarithms. */
    size_t scored;
    double sum;
    double seconds;
    /** [ids.n] with --tokens; NaN for the first token of a chunk. */
    float *logprobs;
} score;

static int prepare(const cli_session *s, score *r)
{
    const int rc = cli_session_input(s, &r->ids);
    if (rc != CLI_OK) return rc;
    if (r->ids.n < 2)
        return cli_fail(s->o, CLI_FAILED, "Give a longer text.", "%zu tokens; a score needs at least 2", r->ids.n);
    const size_t most = s->info.max_positions > 1 ? (size_t)s->info.max_positions : DEFAULT_CHUNK;
    r->chunk = s->o->chunk ? (size_t)s->o->chunk : DEFAULT_CHUNK < most ? DEFAULT_CHUNK : most;
    if (s->o->per_token) {
        r->logprobs = cli_alloc(r->ids.n, sizeof *r->logprobs);
        for (size_t i = 0; i < r->ids.n; i++) r->logprobs[i] = NAN;
    }
    return CLI_OK;
}

static int score_chunks(cli_session *s, score *r)
{
    cli_progress progress;
    cli_progress_start(&progress, s->o, "scoring");
    const double started = cli_seconds();
    hlm_status st = HLM_OK;
    for (size_t at = 0; st == HLM_OK && at + 1 < r->ids.n; at += r->chunk) {
        const size_t n = r->ids.n - at < r->chunk ? r->ids.n - at : r->chunk;
        const hlm_score_params params = {.struct_size = sizeof params,
                                         .tokens = r->ids.data + at,
                                         .n_tokens = n,
                                         .logprobs = r->logprobs ? r->logprobs + at + 1 : NULL};
        hlm_score_result result = {.struct_size = sizeof result};
        st = cli_interrupted() ? HLM_E_CANCELLED : hlm_score(s->ctx, &params, &result);
        r->sum += result.sum;
        r->scored += n - 1;
        r->chunks++;
        cli_progress_show(&progress, (double)(at + n), (double)r->ids.n);
    }
    r->seconds = cli_seconds() - started;
    cli_progress_end(&progress);
    return st == HLM_OK ? CLI_OK : cli_fail_status(s->o, st, "the text could not be scored");
}

static int print_json(const score *r)
{
    const double mean = -r->sum / (double)r->scored;
    json_t *result = json_object();
    json_object_set_new(result, "tokens", json_integer((json_int_t)r->ids.n));
    json_object_set_new(result, "scored", json_integer((json_int_t)r->scored));
    json_object_set_new(result, "chunk", json_integer((json_int_t)r->chunk));
    json_object_set_new(result, "chunks", json_integer((json_int_t)r->chunks));
    json_object_set_new(result, "sum_logprob", cli_json_real(r->sum));
    json_object_set_new(result, "mean_nll", cli_json_real(mean));
    json_object_set_new(result, "perplexity", cli_json_real(exp(mean)));
    json_object_set_new(result, "seconds", cli_json_real(r->seconds));
    json_object_set_new(result, "tokens_per_second", cli_json_real((double)r->ids.n / r->seconds));
    if (r->logprobs) {
        json_t *array = json_array();
        for (size_t i = 0; i < r->ids.n; i++) json_array_append_new(array, cli_json_real((double)r->logprobs[i]));
        json_object_set_new(result, "ids", cli_json_ids(r->ids.data, r->ids.n));
        json_object_set_new(result, "logprobs", array);
    }
    return cli_print_json(result);
}

static void print_token(const cli_session *s, const int32_t *ids, size_t i, float logprob)
{
    cli_text text = {0}, clean = {0};
    const int32_t id = ids[i];
    cli_piece(s->model, ids, i, &text);
    cli_text_add_clean(&clean, text.data ? text.data : "", text.len);
    json_t *string = json_stringn(clean.data, clean.len);
    if (isnan(logprob)) printf("%7d          -  ", id);
    else printf("%7d %10.5f  ", id, (double)logprob);
    json_dumpf(string, stdout, JSON_ENCODE_ANY);
    putchar('\n');
    json_decref(string);
    cli_text_free(&text);
    cli_text_free(&clean);
}

static int print_text(const cli_session *s, const score *r)
{
    const double mean = -r->sum / (double)r->scored;
    for (size_t i = 0; r->logprobs && i < r->ids.n; i++) print_token(s, r->ids.data, i, r->logprobs[i]);
    printf("tokens      %zu in %zu chunks of %zu, %zu scored\n", r->ids.n, r->chunks, r->chunk, r->scored);
    printf("mean nll    %.6f\n", mean);
    printf("perplexity  %.4f\n", exp(mean));
    if (s->o->stats) cli_remark(s->o, "%.3f s, %.0f tokens a second", r->seconds, (double)r->ids.n / r->seconds);
    return CLI_OK;
}

static int run(const cli_options *o)
{
    cli_session s;
    score r = {0};
    int rc = cli_session_open(&s, o, CLI_NEED_CONTEXT);
    if (rc == CLI_OK) rc = prepare(&s, &r);
    if (rc == CLI_OK) rc = score_chunks(&s, &r);
    if (rc == CLI_OK) rc = o->json ? print_json(&r) : print_text(&s, &r);
    free(r.logprobs);
    cli_ids_free(&r.ids);
    cli_session_close(&s);
    return rc;
}

static const cli_option options[] = {
    CLI_OPT_TEXT("ids", 0, ids, "LIST", "token ids instead: 1,2,3 or a file of them"),
    CLI_OPT_INT("chunk", 0, chunk, 2, 1 << 30, "tokens scored together (default 512)"),
    CLI_OPT_FLAG("tokens", 0, per_token, "the log-probability of each token"),
    CLI_OPT_FLAG("stats", 0, stats, "tell the time at the end"),
};
static const cli_group group = {"Score", options, CLI_COUNT(options)};
static const cli_group *const groups[] = {&cli_group_input,  &group, &cli_group_model, &cli_group_context,
                                          &cli_group_common, NULL};

const cli_command cli_command_score = {
    .name = "score",
    .summary = "log-probabilities and perplexity of a text",
    .usage = "MODEL [TEXT | -f FILE | --ids LIST] [OPTIONS]",
    .notes = "With -m PATH or $HYBRIDLM_MODEL the text stands alone.\n\n"
             "Examples:\n"
             "  hybridlm score -m model.gguf -f book.txt\n"
             "  hybridlm score -m model.gguf --ids tokens.txt --chunk 512 --activations f32 --json\n"
             "  hybridlm score -m model.gguf --tokens \"Paris is the capital of France\"\n",
    .groups = groups,
    .takes_argument = true,
    .takes_model = true,
    .argument_at = offsetof(cli_options, prompt),
    .run = run,
};
