/* hybridlm run: goes on with a raw prompt, without any chat template. */
#include <stdio.h>

#include "commands.h"
#include "generate.h"
#include "report.h"

static int read_prompt(const cli_session *s, cli_ids *ids)
{
    const int rc = cli_session_input(s, ids);
    if (rc != CLI_OK || ids->n) return rc;
    return cli_fail(s->o, CLI_FAILED, "Give at least one word; this model puts no token before a text.",
                    "the prompt is empty");
}

/** Before anything is computed: a prompt that has no room gives no token. */
static int check_room(const cli_session *s, const cli_ids *ids)
{
    const int64_t room = s->max_tokens;
    if (room <= 0 || ids->n <= (uint64_t)room) return CLI_OK;
    char hint[160];
    const uint64_t enough = ids->n + (s->o->max_tokens ? (uint64_t)s->o->max_tokens : 128);
    snprintf(hint, sizeof hint, "--ctx %llu has room for it and what is to be written%s.", (unsigned long long)enough,
             s->o->ctx ? "" : "; the model was made for less, so what it writes may make no sense");
    return cli_fail(s->o, CLI_FAILED, hint,
                    "the prompt does not fit: it takes %zu tokens, and the context has room for %lld", ids->n,
                    (long long)room);
}

static int print_echo(const cli_session *s, const cli_ids *prompt, cli_wrap *out)
{
    cli_text text = {0};
    const hlm_status st = cli_detokenize(s->model, prompt->data, prompt->n,
                                         s->o->show_special ? 0 : (uint32_t)HLM_DETOKENIZE_SKIP_SPECIAL, &text);
    if (st == HLM_OK) cli_wrap_write(out, text.data, text.len);
    cli_text_free(&text);
    return st == HLM_OK ? CLI_OK : cli_fail_status(s->o, st, "the prompt could not be shown");
}

static int report(const cli_session *s, const cli_answer *answer, hlm_status st)
{
    const cli_options *o = s->o;
    if (st != HLM_OK && st != HLM_E_CANCELLED) return cli_fail_status(o, st, "the text could not be continued");
    if (o->json) {
        json_t *result = json_object();
        cli_answer_json(answer, result);
        const int rc = cli_print_json(result);
        if (rc != CLI_OK) return rc;
    } else {
        putchar('\n');
    }
    if (answer->finish == HLM_FINISH_FULL && !answer->interrupted)
        cli_remark(o, "the context of %lld tokens is full; --ctx makes it larger", (long long)s->max_tokens);
    if (o->stats) cli_answer_stats(o, answer);
    if (!o->json) cli_session_tell_seed(s, o->temperature > 0);
    return answer->interrupted ? CLI_INTERRUPTED : CLI_OK;
}

/** Generate, with --prefix-cache from what is known of the prompt. */
static hlm_status answer_prompt(cli_session *s, const cli_ids *prompt, cli_answer *answer)
{
    const bool reuse = s->o->prefix_folder != NULL;
    if (reuse) cli_session_recall(s);
    const hlm_status st = cli_generate(s, s->sampler, prompt->data, prompt->n, (size_t)s->o->max_tokens, reuse, answer);
    if (!reuse) return st;
    const hlm_status kept = hlm_prefix_add(s->cache); /* what there is of an interrupted text, too */
    if (kept != HLM_OK) cli_remark(s->o, "the text is not remembered: %s", hlm_last_error());
    cli_session_keep(s);
    return st;
}

static int run(const cli_options *o)
{
    cli_session s;
    cli_ids prompt = {0};
    cli_wrap out;
    cli_wrap_begin(&out, o, stdout);
    cli_answer answer = {.out = o->json ? NULL : &out};
    int rc = cli_session_open(&s, o, CLI_NEED_SAMPLER);
    if (rc == CLI_OK) rc = read_prompt(&s, &prompt);
    if (rc == CLI_OK) rc = check_room(&s, &prompt);
    if (rc == CLI_OK && o->echo && !o->json) rc = print_echo(&s, &prompt, &out);
    if (rc == CLI_OK) {
        const hlm_status st = answer_prompt(&s, &prompt, &answer);
        cli_wrap_flush(&out);
        rc = report(&s, &answer, st);
    }
    cli_wrap_end(&out);
    cli_answer_free(&answer);
    cli_ids_free(&prompt);
    cli_session_close(&s);
    return rc;
}

static const cli_option options[] = {
    CLI_OPT_TEXT("ids", 0, ids, "LIST", "token ids instead: 1,2,3 or a file of them"),
    CLI_OPT_INT("max-tokens", 'n', max_tokens, 0, 1 << 30, "tokens to generate (default 128; 0: until full)"),
    CLI_OPT_FLAG("echo", 0, echo, "print the prompt, too"),
    CLI_OPT_FLAG("show-special", 0, show_special, "print special tokens"),
    CLI_OPT_FLAG("ignore-eos", 0, ignore_eos, "go on past the end of the text"),
    CLI_OPT_TEXT("prefix-cache", 0, prefix_folder, "FOLDER", "keep what was read in a folder, from run to run"),
    CLI_OPT_FLAG("no-wrap", 0, no_wrap, "on a terminal: lines as they come, not wrapped at its width"),
    CLI_OPT_FLAG("stats", 0, stats, "tell counts and times at the end"),
};
static const cli_group group = {"Generation", options, CLI_COUNT(options)};
static const cli_group *const groups[] = {&cli_group_input,
                                          &group,
                                          &cli_group_sampling,
                                          &cli_group_speculation,
                                          &cli_group_model,
                                          &cli_group_adapters,
                                          &cli_group_context,
                                          &cli_group_common,
                                          NULL};

const cli_command cli_command_run = {
    .name = "run",
    .summary = "go on with a text",
    .usage = "MODEL [TEXT | -f FILE | --ids LIST] [OPTIONS]",
    .notes = "With -m PATH or $HYBRIDLM_MODEL the text stands alone.\n\n"
             "Examples:\n"
             "  hybridlm run model.gguf -n 32 \"The capital of France is\"\n"
             "  hybridlm run -m model.gguf -f story.txt --temp 0.8 --top-p 0.95 --seed 1\n"
             "  hybridlm run -m model.gguf --ids 1,2,3 -n 8 --json\n"
             "  hybridlm run -m model.gguf -f list.json --draft-ngram 8 --stats\n"
             "  hybridlm run -m folder --adapter lora --adapter-scale 0.5 \"Once upon a time\"\n",
    .groups = groups,
    .takes_argument = true,
    .takes_model = true,
    .argument_at = offsetof(cli_options, prompt),
    .defaults = {.max_tokens = 128, .seed = -1},
    .run = run,
};
