/* The commands that are typed in a chat. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chat.h"
#include "report.h"
#include "words.h"

/** Temperature of /regen in a greedy chat, which would only repeat itself. */
#define REGENERATE_TEMPERATURE 0.8

static int do_help(cli_chat *c, const char *argument)
{
    (void)argument;
    FILE *to = c->o.json ? stderr : stdout;
    fputs("/clear         forget the conversation (/reset, /new)\n"
          "/undo          take the last message and its answer back\n"
          "/regen         answer the last message again (/retry)\n"
          "/set           list what can be set; /set NAME VALUE sets it (/set temp 0.8)\n"
          "/stats         tell what was reused so far\n"
          "/save FILE     keep the conversation in FILE, and its state in FILE.state\n"
          "/load FILE     go on with a conversation that was saved\n"
          "/system TEXT   a new system message, and forget the conversation\n"
          "/help          this text (/?)\n"
          "/bye           end (/quit, /exit, Ctrl-D)\n"
          "Ctrl-C stops an answer. A line that ends in \\ goes on in the next; text pasted over\n"
          "several lines is one message.\n",
          to);
    return CLI_OK;
}

int cli_chat_resample(cli_chat *c)
{
    hlm_sampler *made = NULL;
    const int rc = cli_session_sampler(&c->s, c->o.temperature, &made);
    if (rc != CLI_OK) return rc;
    hlm_sampler_free(c->s.sampler);
    hlm_sampler_free(c->warm);
    c->s.sampler = made;
    c->warm = NULL;
    return CLI_OK;
}

int cli_chat_reset(cli_chat *c)
{
    cli_conversation_reset(&c->conversation);
    cli_session_tell_seed(&c->s, c->drawn && c->terminal);
    cli_session_new_seed(&c->s);
    c->drawn = false;
    const int rc = cli_chat_resample(c);
    if (rc == CLI_OK) cli_remark(&c->o, "the conversation is forgotten");
    return rc;
}

static int do_reset(cli_chat *c, const char *argument)
{
    (void)argument;
    return cli_chat_reset(c);
}

static int do_system(cli_chat *c, const char *argument)
{
    cli_conversation_set_system(&c->conversation, argument, strlen(argument));
    return cli_chat_reset(c);
}

static int do_regenerate(cli_chat *c, const char *argument)
{
    (void)argument;
    if (!cli_conversation_take_last(&c->conversation, "assistant")) {
        cli_remark(&c->o, "there is no answer yet");
        return CLI_OK;
    }
    if (c->o.temperature > 0) return cli_chat_answer(c, c->s.sampler, NULL);
    int rc = CLI_OK;
    if (!c->warm) rc = cli_session_sampler(&c->s, REGENERATE_TEMPERATURE, &c->warm);
    if (rc != CLI_OK) return rc;
    cli_remark(&c->o, "drawn at temperature %g, as greedy would repeat itself", REGENERATE_TEMPERATURE);
    return cli_chat_answer(c, c->warm, NULL);
}

static int do_undo(cli_chat *c, const char *argument)
{
    (void)argument;
    cli_conversation_take_last(&c->conversation, "assistant");
    if (!cli_conversation_take_last(&c->conversation, "user")) cli_remark(&c->o, "there is nothing to take back");
    else cli_remark(&c->o, "the last message is taken back");
    return CLI_OK;
}

static int do_stats(cli_chat *c, const char *argument)
{
    (void)argument;
    hlm_prefix_info info = {.struct_size = sizeof info};
    const hlm_status st = hlm_prefix_info_get(c->s.pool, &info);
    if (st != HLM_OK) return cli_fail_status(&c->o, st, "there are no counts");
    cli_remark(&c->o, "the cache holds %lld tokens; of %llu tokens in %llu texts %llu were reused, %llu computed again",
               (long long)hlm_cache_length(c->s.cache), (unsigned long long)info.tokens_asked,
               (unsigned long long)info.lookups, (unsigned long long)info.tokens_reused,
               (unsigned long long)info.tokens_recomputed);
    cli_remark(&c->o, "the prefix cache holds %llu tokens and %llu states in %.1f of %.0f MiB",
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

static int do_save(cli_chat *c, const char *argument)
{
    char *path = state_path(argument);
    if (!*argument) cli_remark(&c->o, "/save needs the name of a file");
    else if (!cli_conversation_save(&c->conversation, argument))
        cli_remark(&c->o, "%s can not be written: %s", argument, strerror(errno));
    else if (hlm_cache_save(c->s.cache, path) != HLM_OK) cli_remark(&c->o, "%s", hlm_last_error());
    else cli_remark(&c->o, "saved, with the state of %lld tokens", (long long)hlm_cache_length(c->s.cache));
    free(path);
    return CLI_OK;
}

/** The state goes into the prefix cache, where the next turn finds what fits of it; without it the conversation is read
 *  again. */
static int do_load(cli_chat *c, const char *argument)
{
    char *path = state_path(argument);
    hlm_cache *cache = NULL;
    char why[256];
    if (!*argument) {
        cli_remark(&c->o, "/load needs the name of a file");
    } else if (!cli_conversation_load(&c->conversation, argument, why, sizeof why)) {
        cli_remark(&c->o, "no conversation is loaded: %s: %s", argument, why);
    } else if (hlm_cache_load(&cache, c->s.pool, path, 0) != HLM_OK || hlm_prefix_add(cache) != HLM_OK) {
        cli_remark(&c->o, "loaded without its state: %s", hlm_last_error());
    } else {
        cli_remark(&c->o, "loaded, with the state of %lld tokens", (long long)hlm_cache_length(cache));
    }
    hlm_cache_free(cache);
    free(path);
    return CLI_OK;
}

static int do_quit(cli_chat *c, const char *argument)
{
    (void)argument;
    c->end = true;
    return CLI_OK;
}

typedef struct chat_command {
    const char *name;
    int (*run)(cli_chat *c, const char *argument);
} chat_command;

static const chat_command chat_commands[] = {
    {"/reset", do_reset},      {"/clear", do_reset},      {"/new", do_reset},     {"/undo", do_undo},
    {"/regen", do_regenerate}, {"/retry", do_regenerate}, {"/system", do_system}, {"/set", cli_chat_set},
    {"/stats", do_stats},      {"/save", do_save},        {"/load", do_load},     {"/help", do_help},
    {"/?", do_help},           {"/quit", do_quit},        {"/exit", do_quit},     {"/bye", do_quit},
};

static size_t word_length(const char *line)
{
    return strcspn(line, " \t\r\n");
}

static const chat_command *find(const char *line)
{
    const size_t len = word_length(line);
    for (size_t i = 0; i < CLI_COUNT(chat_commands); i++)
        if (strlen(chat_commands[i].name) == len && memcmp(chat_commands[i].name, line, len) == 0)
            return &chat_commands[i];
    return NULL;
}

bool cli_chat_knows(const char *line)
{
    return find(line) != NULL;
}

static int unknown(const cli_chat *c, const char *line)
{
    char word[40];
    const size_t len = word_length(line);
    snprintf(word, sizeof word, "%.*s", (int)(len < sizeof word ? len : sizeof word - 1), line);
    cli_nearest near = {.word = word};
    for (size_t i = 0; i < CLI_COUNT(chat_commands); i++) cli_nearest_look(&near, chat_commands[i].name);
    if (near.best && len > 1)
        cli_remark(&c->o, "there is no command %s; did you mean %s? /help lists them", word, near.best);
    else cli_remark(&c->o, "there is no command %s; /help lists them", word);
    return CLI_OK;
}

int cli_chat_command(cli_chat *c, const char *line)
{
    const chat_command *command = find(line);
    if (!command) return unknown(c, line);
    const char *argument = line + word_length(line);
    cli_text text = {0};
    cli_text_add(&text, argument + strspn(argument, " \t\r\n"), strlen(argument + strspn(argument, " \t\r\n")));
    while (text.len && strchr(" \t\r\n", text.data[text.len - 1])) text.data[--text.len] = 0;
    const int rc = command->run(c, text.data);
    cli_text_free(&text);
    return rc;
}
