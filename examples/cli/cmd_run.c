/* hybridlm run: goes on with a raw prompt, without any chat template. */
#include <stdio.h>

#include "commands.h"
#include "generate.h"
#include "report.h"

#define AT(field) offsetof(cli_options, field)

static int read_prompt(const cli_session *s, cli_ids *ids)
{
    const cli_options *o = s->o;
    if (o->ids) {
        if (o->prompt || o->file) return cli_fail(o, CLI_USAGE, NULL, "give a prompt or --ids, not both");
        return cli_read_ids(o, o->ids, ids);
    }
    cli_text text = {0};
    int rc = cli_read_input(o, &text);
    if (rc == CLI_OK) {
        const hlm_status st = cli_tokenize(s->model, text.data, text.len, cli_tokenize_flags(o), ids);
        if (st != HLM_OK) rc = cli_fail_status(o, st, "the prompt could not be tokenized");
    }
    cli_text_free(&text);
    if (rc == CLI_OK && ids->n == 0)
        rc = cli_fail(o, CLI_FAILED, "Give at least one word; this model puts no token before a text.", "the prompt is empty");
    return rc;
}

static int print_echo(const cli_session *s, const cli_ids *prompt)
{
    cli_text text = {0};
    const hlm_status st = cli_detokenize(s->model, prompt->data, prompt->n,
                                         s->o->show_special ? 0 : (uint32_t)HLM_DETOKENIZE_SKIP_SPECIAL, &text);
    if (st == HLM_OK) fwrite(text.data, 1, text.len, stdout);
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
    return answer->interrupted ? CLI_INTERRUPTED : CLI_OK;
}

static int run(const cli_options *o)
{
    cli_session s;
    cli_ids prompt = {0};
    cli_answer answer = {.stream = o->json ? NULL : stdout};
    int rc = cli_session_open(&s, o, CLI_NEED_SAMPLER);
    if (rc == CLI_OK) rc = read_prompt(&s, &prompt);
    if (rc == CLI_OK && o->echo && !o->json) rc = print_echo(&s, &prompt);
    if (rc == CLI_OK) {
        const hlm_status st = cli_generate(&s, s.sampler, prompt.data, prompt.n, (size_t)o->max_tokens, &answer);
        rc = report(&s, &answer, st);
    }
    cli_answer_free(&answer);
    cli_ids_free(&prompt);
    cli_session_close(&s);
    return rc;
}

static const cli_option options[] = {
    {.name = "prompt", .letter = 'p', .kind = CLI_TEXT, .arg = "TEXT", .at = AT(prompt), .help = "the text to go on with"},
    {.name = "file", .letter = 'f', .kind = CLI_TEXT, .arg = "FILE", .at = AT(file), .help = "read it from a file (-: standard input)"},
    {.name = "ids", .kind = CLI_TEXT, .arg = "LIST", .at = AT(ids), .help = "token ids instead: 1,2,3 or a file of them"},
    {.name = "max-tokens", .letter = 'n', .kind = CLI_INT, .arg = "N", .at = AT(max_tokens), .max = 1 << 30,
     .help = "tokens to generate (default 128; 0: until full)"},
    {.name = "echo", .kind = CLI_FLAG, .at = AT(echo), .help = "print the prompt, too"},
    {.name = "no-special", .kind = CLI_FLAG, .at = AT(no_special), .help = "do not add the tokenizer's bos and eos"},
    {.name = "parse-special", .kind = CLI_FLAG, .at = AT(parse_special), .help = "markers such as <|im_end|> become special tokens"},
    {.name = "show-special", .kind = CLI_FLAG, .at = AT(show_special), .help = "print special tokens"},
    {.name = "ignore-eos", .kind = CLI_FLAG, .at = AT(ignore_eos), .help = "go on past the end of the text"},
    {.name = "stats", .kind = CLI_FLAG, .at = AT(stats), .help = "tell counts and times at the end"},
};
static const cli_group group = {"Text", options, CLI_COUNT(options)};
static const cli_group *const groups[] = {&group,
                                          &cli_group_sampling,
                                          &cli_group_model,
                                          &cli_group_context,
                                          &cli_group_common,
                                          NULL};

const cli_command cli_command_run = {
    .name = "run",
    .summary = "go on with a text",
    .usage = "-m PATH [-p TEXT | -f FILE | --ids LIST] [OPTIONS]",
    .notes = "Examples:\n"
             "  hybridlm run -m model.gguf -n 32 \"The capital of France is\"\n"
             "  hybridlm run -m model.gguf -f story.txt --temp 0.8 --top-p 0.95 --seed 1\n"
             "  hybridlm run -m model.gguf --ids 1,2,3 -n 8 --json\n",
    .groups = groups,
    .takes_argument = true,
    .argument_at = AT(prompt),
    .defaults = {.max_tokens = 128},
    .run = run,
};
