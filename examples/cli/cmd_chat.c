/* hybridlm chat: a conversation. Every turn renders and tokenizes the whole
 * history, and runs only what neither the cache nor the prefix cache has of it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "conversation.h"
#include "generate.h"
#include "interrupt.h"
#include "line.h"
#include "report.h"

/** Of a context, the part kept free for the answer when there are turns to drop: 1 / ROOM_SHARE. */
enum { ROOM_SHARE = 4 };
/** Temperature of /regen in a greedy chat, which would only repeat itself. */
#define REGENERATE_TEMPERATURE 0.8

typedef struct chat {
    cli_session s;
    cli_conversation conversation;
    /** Turns that the latest one dropped. */
    size_t n_dropped;
    bool terminal;
    bool end;
} chat;

/* ---- one turn ------------------------------------------------------------------ */

/** Make the conversation, with what is already answered, fit the context with
 *  `room` tokens to spare; whole turns go, the oldest first. *ids is set. */
static int fit(chat *c, const cli_answer *answer, size_t room, cli_ids *ids)
{
    const size_t max = (size_t)c->s.max_tokens;
    for (;;) {
        ids->n = 0;
        const hlm_status st = cli_conversation_tokens(&c->conversation, c->s.model, ids);
        if (st != HLM_OK) return cli_fail_status(c->s.o, st, "the messages could not be rendered");
        const size_t used = ids->n + answer->ids.n;
        if (used <= max && room <= max - used) break;
        if (!cli_conversation_drop_oldest(&c->conversation)) break;
        c->n_dropped++;
    }
    if (ids->n + answer->ids.n < max && ids->n) return CLI_OK;
    if (answer->ids.n) return CLI_FAILED; /* an answer that fills the context: it ends here */
    return cli_fail(c->s.o, CLI_FAILED, "Give more room with --ctx, or say less.",
                    "the message takes %zu tokens; the context has %zu", ids->n, max);
}

/** Generate from where *answer stands; HLM_FINISH_FULL asks for another round with fewer turns. */
static int answer_part(chat *c, hlm_sampler *sampler, size_t room, cli_ids *ids, cli_answer *answer)
{
    const cli_options *o = c->s.o;
    const size_t before = c->n_dropped;
    const int rc = fit(c, answer, room, ids);
    if (rc != CLI_OK) return rc;
    if (c->n_dropped > before && c->terminal)
        cli_remark(o, "context full: dropped the oldest %zu turn%s", c->n_dropped - before,
                   c->n_dropped - before == 1 ? "" : "s");
    cli_ids_add(ids, answer->ids.data, answer->ids.n);
    const size_t left = o->max_tokens ? (size_t)o->max_tokens - answer->ids.n : 0;
    const hlm_status st = cli_generate(&c->s, sampler, ids->data, ids->n, left, true, answer);
    hlm_prefix_add(c->s.cache); /* what there is of an interrupted answer, too */
    if (st == HLM_OK || st == HLM_E_CANCELLED) return CLI_OK;
    return cli_fail_status(o, st, "the answer failed");
}

static bool goes_on(const chat *c, const cli_answer *answer)
{
    if (answer->interrupted || answer->finish != HLM_FINISH_FULL) return false;
    return !c->s.o->max_tokens || answer->ids.n < (size_t)c->s.o->max_tokens;
}

/** Answer the last message. The answer, also a partial one, joins the conversation. */
static int take_turn(chat *c, hlm_sampler *sampler, cli_answer *answer)
{
    const cli_options *o = c->s.o;
    const size_t quarter = (size_t)c->s.max_tokens / ROOM_SHARE;
    size_t room = o->max_tokens && (size_t)o->max_tokens < quarter ? (size_t)o->max_tokens : quarter;
    cli_ids ids = {0};
    c->n_dropped = 0;
    cli_interrupt_clear();
    int rc = answer_part(c, sampler, room, &ids, answer);
    while (rc == CLI_OK && goes_on(c, answer)) {
        const size_t turns = json_array_size(c->conversation.messages);
        rc = answer_part(c, sampler, room, &ids, answer);
        if (json_array_size(c->conversation.messages) == turns) break; /* nothing left to drop */
    }
    cli_ids_free(&ids);
    if (rc != CLI_OK && answer->ids.n == 0) return rc;
    cli_conversation_add(&c->conversation, "assistant", answer->text.data ? answer->text.data : "", answer->text.len);
    return CLI_OK;
}

/* ---- what is shown of it --------------------------------------------------------- */

static int print_json(const chat *c, const cli_answer *answer)
{
    json_t *result = json_object();
    cli_answer_json(answer, result);
    json_object_set_new(result, "reused_tokens", json_integer((json_int_t)answer->n_reused));
    json_object_set_new(result, "recomputed_tokens", json_integer((json_int_t)answer->n_recomputed));
    json_object_set_new(result, "dropped_turns", json_integer((json_int_t)c->n_dropped));
    return cli_print_json(result);
}

static void print_remarks(const chat *c, const cli_answer *answer)
{
    const cli_options *o = c->s.o;
    if (c->n_dropped && !c->terminal)
        cli_remark(o, "context full: dropped the oldest %zu turn%s", c->n_dropped, c->n_dropped == 1 ? "" : "s");
    if (answer->interrupted) cli_remark(o, "stopped");
    else if (answer->finish == HLM_FINISH_FULL)
        cli_remark(o, "the context of %lld tokens is full; --ctx makes it larger", (long long)c->s.max_tokens);
    else if (answer->finish == HLM_FINISH_LENGTH)
        cli_remark(o, "stopped after %zu tokens; -n allows more", answer->ids.n);
    if (o->stats) {
        cli_answer_stats(o, answer);
        cli_remark(o, "%zu tokens reused, %zu of them computed again", answer->n_reused, answer->n_recomputed);
    }
}

/** Answer and show it. *interrupted (may be NULL) tells of Ctrl-C. */
static int answer_last(chat *c, hlm_sampler *sampler, bool *interrupted)
{
    const cli_options *o = c->s.o;
    cli_answer answer = {.stream = o->json ? NULL : stdout};
    int rc = take_turn(c, sampler, &answer);
    if (rc == CLI_OK && o->json) rc = print_json(c, &answer);
    else if (answer.text.len) putchar('\n');
    if (rc == CLI_OK) print_remarks(c, &answer);
    if (interrupted) *interrupted = answer.interrupted;
    cli_answer_free(&answer);
    return rc;
}

/** A message that could not be answered is taken back, so that the chat can go on. */
static int say(chat *c, const char *text, size_t len, bool *interrupted)
{
    cli_conversation_add(&c->conversation, "user", text, len);
    const int rc = answer_last(c, c->s.sampler, interrupted);
    if (rc != CLI_OK) cli_conversation_take_last(&c->conversation, "user");
    return rc;
}

/* ---- commands -------------------------------------------------------------------- */

static int do_help(chat *c, const char *argument)
{
    (void)argument;
    FILE *to = c->s.o->json ? stderr : stdout;
    fputs("/reset         forget the conversation\n"
          "/undo          take the last message and its answer back\n"
          "/regen         answer the last message again\n"
          "/stats         tell what was reused so far\n"
          "/save FILE     keep the conversation in FILE, and its state in FILE.state\n"
          "/load FILE     go on with a conversation that was saved\n"
          "/system TEXT   a new system message, and forget the conversation\n"
          "/help          this text\n"
          "/quit          end (Ctrl-D too)\n"
          "Ctrl-C stops an answer; a line that ends in \\ goes on in the next.\n",
          to);
    return CLI_OK;
}

static int do_reset(chat *c, const char *argument)
{
    (void)argument;
    cli_conversation_reset(&c->conversation);
    hlm_sampler_free(c->s.sampler);
    c->s.sampler = NULL;
    const int rc = cli_session_sampler(&c->s, c->s.o->temperature, &c->s.sampler);
    if (rc == CLI_OK) cli_remark(c->s.o, "the conversation is forgotten");
    return rc;
}

static int do_system(chat *c, const char *argument)
{
    cli_conversation_set_system(&c->conversation, argument, strlen(argument));
    return do_reset(c, argument);
}

static int do_regenerate(chat *c, const char *argument)
{
    (void)argument;
    if (!cli_conversation_take_last(&c->conversation, "assistant")) {
        cli_remark(c->s.o, "there is no answer yet");
        return CLI_OK;
    }
    if (c->s.o->temperature > 0) return answer_last(c, c->s.sampler, NULL);
    hlm_sampler *warm = NULL;
    int rc = cli_session_sampler(&c->s, REGENERATE_TEMPERATURE, &warm);
    if (rc == CLI_OK)
        cli_remark(c->s.o, "drawn at temperature %g, as greedy would repeat itself", REGENERATE_TEMPERATURE);
    if (rc == CLI_OK) rc = answer_last(c, warm, NULL);
    hlm_sampler_free(warm);
    return rc;
}

static int do_undo(chat *c, const char *argument)
{
    (void)argument;
    cli_conversation_take_last(&c->conversation, "assistant");
    if (!cli_conversation_take_last(&c->conversation, "user")) cli_remark(c->s.o, "there is nothing to take back");
    else cli_remark(c->s.o, "the last message is taken back");
    return CLI_OK;
}

static int do_stats(chat *c, const char *argument)
{
    (void)argument;
    hlm_prefix_info info = {.struct_size = sizeof info};
    const hlm_status st = hlm_prefix_info_get(c->s.pool, &info);
    if (st != HLM_OK) return cli_fail_status(c->s.o, st, "there are no counts");
    cli_remark(c->s.o,
               "the cache holds %lld tokens; of %llu tokens in %llu texts %llu were reused, %llu computed again",
               (long long)hlm_cache_length(c->s.cache), (unsigned long long)info.tokens_asked,
               (unsigned long long)info.lookups, (unsigned long long)info.tokens_reused,
               (unsigned long long)info.tokens_recomputed);
    cli_remark(c->s.o, "the prefix cache holds %llu tokens and %llu states in %.1f of %.0f MiB",
               (unsigned long long)info.tokens, (unsigned long long)info.states, (double)info.bytes / (1 << 20),
               (double)info.max_bytes / (1 << 20));
    return CLI_OK;
}

/** FILE.state; to be freed. */
static char *state_path(const char *file)
{
    static const char suffix[] = ".state";
    const size_t n = strlen(file);
    char *path = cli_alloc(n + sizeof suffix, 1);
    memcpy(path, file, n);
    memcpy(path + n, suffix, sizeof suffix);
    return path;
}

static int do_save(chat *c, const char *argument)
{
    char *path = state_path(argument);
    if (!*argument) cli_remark(c->s.o, "/save needs the name of a file");
    else if (!cli_conversation_save(&c->conversation, argument))
        cli_remark(c->s.o, "%s can not be written: %s", argument, strerror(errno));
    else if (hlm_cache_save(c->s.cache, path) != HLM_OK) cli_remark(c->s.o, "%s", hlm_last_error());
    else cli_remark(c->s.o, "saved, with the state of %lld tokens", (long long)hlm_cache_length(c->s.cache));
    free(path);
    return CLI_OK;
}

/** The state goes into the prefix cache, where the next turn finds what fits of it; without it the conversation is read again. */
static int do_load(chat *c, const char *argument)
{
    char *path = state_path(argument);
    hlm_cache *cache = NULL;
    if (!cli_conversation_load(&c->conversation, argument)) {
        cli_remark(c->s.o, "%s holds no conversation", *argument ? argument : "a file without a name");
    } else if (hlm_cache_load(&cache, c->s.pool, path, 0) != HLM_OK || hlm_prefix_add(cache) != HLM_OK) {
        cli_remark(c->s.o, "loaded without its state: %s", hlm_last_error());
    } else {
        cli_remark(c->s.o, "loaded, with the state of %lld tokens", (long long)hlm_cache_length(cache));
    }
    hlm_cache_free(cache);
    free(path);
    return CLI_OK;
}

static int do_quit(chat *c, const char *argument)
{
    (void)argument;
    c->end = true;
    return CLI_OK;
}

static const struct {
    const char *name;
    int (*run)(chat *c, const char *argument);
} chat_commands[] = {
    {"/reset", do_reset}, {"/undo", do_undo}, {"/regen", do_regenerate}, {"/system", do_system}, {"/stats", do_stats},
    {"/save", do_save},   {"/load", do_load}, {"/help", do_help},        {"/quit", do_quit},     {"/exit", do_quit},
};

static int run_chat_command(chat *c, const char *line)
{
    const size_t len = strcspn(line, " \t");
    const char *argument = line + len + strspn(line + len, " \t");
    for (size_t i = 0; i < CLI_COUNT(chat_commands); i++)
        if (strlen(chat_commands[i].name) == len && memcmp(chat_commands[i].name, line, len) == 0)
            return chat_commands[i].run(c, argument);
    cli_remark(c->s.o, "there is no command %.*s; /help lists them", (int)(len < 40 ? len : 40), line);
    return CLI_OK;
}

/* ---- the loop ---------------------------------------------------------------------- */

static int on_line(chat *c, const cli_text *line)
{
    const char *text = line->data;
    const size_t blank = strspn(text, " \t\r");
    if (blank == line->len) return CLI_OK;
    if (text[0] == '/' && line->len == strlen(text)) return run_chat_command(c, text);
    const int rc = say(c, text, line->len, NULL);
    /* A person sees the error and goes on; a script must not take the next answer for this one. */
    return c->terminal ? CLI_OK : rc;
}

static int talk(chat *c)
{
    cli_line *input = cli_line_open("> ");
    cli_text line = {0};
    int rc = CLI_OK;
    bool warned = false;
    c->terminal = cli_line_is_terminal(input);
    const char *name = *c->s.info.name ? c->s.info.name : c->s.info.arch;
    if (c->terminal) cli_remark(c->s.o, "%s, %s; /help for commands", name, c->s.info.kernel_class);
    while (rc == CLI_OK && !c->end) {
        cli_interrupt_clear();
        const cli_line_event event = cli_line_read(input, &line);
        if (event == CLI_LINE_END) {
            if (c->terminal) putchar('\n');
            break;
        }
        if (event == CLI_LINE_INTERRUPTED) {
            if (c->terminal) putchar('\n');
            if (warned || !c->terminal) rc = CLI_INTERRUPTED;
            else cli_remark(c->s.o, "Ctrl-C again or Ctrl-D ends the chat");
            warned = true;
            continue;
        }
        warned = false;
        rc = on_line(c, &line);
    }
    cli_text_free(&line);
    cli_line_close(input);
    return rc;
}

/** --prompt or --file: one answer, and Ctrl-C ends the program. */
static int answer_once(chat *c)
{
    cli_text text = {0};
    bool interrupted = false;
    int rc = cli_read_input(c->s.o, &text);
    if (rc == CLI_OK) rc = say(c, text.data, text.len, &interrupted);
    cli_text_free(&text);
    return rc == CLI_OK && interrupted ? CLI_INTERRUPTED : rc;
}

static int run(const cli_options *o)
{
    chat c = {0};
    int rc = cli_session_open(&c.s, o, CLI_NEED_SAMPLER);
    if (rc == CLI_OK) rc = cli_conversation_open(&c.conversation, o);
    if (rc == CLI_OK && !c.s.info.has_chat_template && !o->template_file)
        rc = cli_fail(o, CLI_FAILED, "Use `hybridlm run`, or give a template with --chat-template FILE.",
                      "this model has no chat template");
    if (rc == CLI_OK) {
        cli_session_recall(&c.s);
        rc = o->prompt || o->file ? answer_once(&c) : talk(&c);
        cli_session_keep(&c.s);
    }
    cli_conversation_close(&c.conversation);
    cli_session_close(&c.s);
    return rc;
}

static const cli_option options[] = {
    CLI_OPT_TEXT("prompt", 'p', prompt, "TEXT", "answer this message and end"),
    CLI_OPT_TEXT("file", 'f', file, "FILE", "answer the text of a file (-: standard input) and end"),
    CLI_OPT_TEXT("system", 's', system, "TEXT", "system message"),
    CLI_OPT_TEXT("chat-template", 0, template_file, "FILE", "a Jinja template instead of the model's"),
    CLI_OPT_INT("max-tokens", 'n', max_tokens, 0, 1 << 30, "tokens of an answer (default 512; 0: no bound)"),
    CLI_OPT_FLAG("ignore-eos", 0, ignore_eos, "go on past the end of an answer"),
    CLI_OPT_TEXT("prefix-cache", 0, prefix_folder, "FOLDER", "keep what was read in a folder, from chat to chat"),
    CLI_OPT_FLAG("stats", 0, stats, "tell counts and times after each answer"),
};
static const cli_group group = {"Chat", options, CLI_COUNT(options)};
static const cli_group *const groups[] = {&group,
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
    .usage = "-m PATH [-p TEXT | -f FILE] [OPTIONS]",
    .notes = "Without -p and -f every line of standard input is a message; /help lists what else\n"
             "can be typed. With --json every answer is one line of JSON.\n\n"
             "Examples:\n"
             "  hybridlm chat -m model.gguf\n"
             "  hybridlm chat -m model.gguf -p \"Why is the sky blue?\"\n"
             "  hybridlm chat -m model.gguf --system \"Answer in one sentence.\" --temp 0.7\n",
    .groups = groups,
    .defaults = {.max_tokens = 512},
    .run = run,
};
