/* hybridlm chat: a conversation, line by line, or one answer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chat.h"
#include "commands.h"
#include "interrupt.h"
#include "line.h"
#include "report.h"

/** Pasted lines are a message whatever they begin with, and several typed ones unless they begin with a command. */
static bool is_command(const cli_text *line, bool pasted)
{
    if (line->data[0] != '/' || pasted || line->len != strlen(line->data)) return false;
    return !strchr(line->data, '\n') || cli_chat_knows(line->data);
}

static int on_line(cli_chat *c, const cli_text *line, bool pasted)
{
    if (strspn(line->data, " \t\r\n") == line->len) return CLI_OK;
    const int rc =
        is_command(line, pasted) ? cli_chat_command(c, line->data) : cli_chat_say(c, line->data, line->len, NULL);
    /* A person sees the error and goes on; a script must not take the next answer for this one. */
    return c->terminal ? CLI_OK : rc;
}

static int talk(cli_chat *c)
{
    cli_line *input = cli_line_open("> ");
    cli_text line = {0};
    int rc = CLI_OK;
    bool warned = false, pasted = false;
    c->terminal = cli_line_is_terminal(input);
    const char *name = *c->s.info.name ? c->s.info.name : c->s.info.arch;
    if (c->terminal) cli_remark(&c->o, "%s, %s; /help for commands", name, c->s.info.kernel_class);
    while (rc == CLI_OK && !c->end) {
        cli_interrupt_clear();
        const cli_line_event event = cli_line_read(input, &line, &pasted);
        if (event == CLI_LINE_END) {
            if (c->terminal) putchar('\n');
            break;
        }
        if (event == CLI_LINE_INTERRUPTED) {
            if (c->terminal) putchar('\n');
            if (warned || !c->terminal) rc = CLI_INTERRUPTED;
            else cli_remark(&c->o, "Ctrl-C again or Ctrl-D ends the chat");
            warned = true;
            continue;
        }
        warned = false;
        rc = on_line(c, &line, pasted);
    }
    cli_text_free(&line);
    cli_line_close(input);
    return rc;
}

/** --prompt or --file: one answer, and Ctrl-C ends the program. */
static int answer_once(cli_chat *c)
{
    cli_text text = {0};
    bool interrupted = false;
    int rc = cli_read_input(&c->o, &text);
    if (rc == CLI_OK) rc = cli_chat_say(c, text.data, text.len, &interrupted);
    cli_text_free(&text);
    return rc == CLI_OK && interrupted ? CLI_INTERRUPTED : rc;
}

static int converse(cli_chat *c)
{
    cli_session_recall(&c->s);
    const int rc = c->o.prompt || c->o.file ? answer_once(c) : talk(c);
    cli_session_keep(&c->s);
    if (!c->o.json) cli_session_tell_seed(&c->s, c->drawn);
    return rc;
}

static void close_chat(cli_chat *c)
{
    hlm_sampler_free(c->warm);
    cli_conversation_close(&c->conversation);
    cli_session_close(&c->s);
    for (size_t i = 0; i < c->n_texts; i++) free(c->texts[i]);
}

static int run(const cli_options *o)
{
    cli_chat c = {.o = *o};
    int rc = cli_session_open(&c.s, &c.o, CLI_NEED_SAMPLER);
    if (rc == CLI_OK) rc = cli_conversation_open(&c.conversation, o);
    if (rc == CLI_OK && !c.s.info.has_chat_template && !o->template_file)
        rc = cli_fail(o, CLI_FAILED, "Use `hybridlm run`, or give a template with --chat-template FILE.",
                      "this model has no chat template");
    if (rc == CLI_OK) rc = converse(&c);
    close_chat(&c);
    return rc;
}

static const cli_option options[] = {
    CLI_OPT_TEXT("prompt", 'p', prompt, "TEXT", "answer this message and end"),
    CLI_OPT_TEXT("file", 'f', file, "FILE", "answer the text of a file (-: standard input) and end"),
    CLI_OPT_TEXT("system", 's', system, "TEXT", "system message"),
    CLI_OPT_TEXT("chat-template", 0, template_file, "FILE", "a Jinja template instead of the model's"),
    CLI_OPT_TEXT("prefix-cache", 0, prefix_folder, "FOLDER", "keep what was read in a folder, from chat to chat"),
};
static const cli_group group = {"Chat", options, CLI_COUNT(options)};
static const cli_group *const groups[] = {&group,
                                          &cli_group_answers,
                                          &cli_group_sampling,
                                          &cli_group_speculation,
                                          &cli_group_model,
                                          &cli_group_adapters,
                                          &cli_group_context,
                                          &cli_group_common,
                                          NULL};

const cli_command cli_command_chat = {
    .name = "chat",
    .summary = "talk with a model",
    .usage = "MODEL [TEXT | -f FILE] [OPTIONS]",
    .notes = "Without a text and -f every line of standard input is a message; /help lists what else\n"
             "can be typed. With --json every answer is one line of JSON. With -m PATH or\n"
             "$HYBRIDLM_MODEL the text stands alone.\n\n"
             "Examples:\n"
             "  hybridlm chat model.gguf\n"
             "  hybridlm chat model.gguf \"Why is the sky blue?\"\n"
             "  hybridlm chat model.gguf --system \"Answer in one sentence.\" --temp 0.7\n",
    .groups = groups,
    .takes_argument = true,
    .takes_model = true,
    .argument_at = offsetof(cli_options, prompt),
    .defaults = {.max_tokens = 512, .seed = -1},
    .run = run,
};
