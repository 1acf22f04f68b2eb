/* /set: options of the answers, changed in the middle of a chat. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chat.h"
#include "commands.h"
#include "report.h"

static const cli_option options[] = {
    CLI_OPT_INT("max-tokens", 'n', max_tokens, 0, 1 << 30, "tokens of an answer (default 512; 0: no bound)"),
    CLI_OPT_FLAG("ignore-eos", 0, ignore_eos, "go on past the end of an answer"),
    CLI_OPT_FLAG("no-wrap", 0, no_wrap, "on a terminal: lines as they come, not wrapped at its width"),
    CLI_OPT_FLAG("stats", 0, stats, "tell counts and times after each answer"),
};
const cli_group cli_group_answers = {"Answers", options, CLI_COUNT(options)};

/* What /set takes, for the calls that look through the options of a command. */
static const cli_group *const groups[] = {&cli_group_answers, &cli_group_sampling, NULL};
static const cli_command settable = {.name = "/set", .groups = groups};

static void show_option(FILE *to, const cli_chat *c, const cli_option *d)
{
    const char *at = (const char *)&c->o + d->at;
    fprintf(to, "  %-18s ", d->name);
    if (d->kind == CLI_FLAG) fputs(*(const bool *)(const void *)at ? "on" : "off", to);
    if (d->kind == CLI_INT) fprintf(to, "%lld", (long long)*(const int64_t *)(const void *)at);
    if (d->kind == CLI_REAL) fprintf(to, "%g", *(const double *)(const void *)at);
    if (d->kind == CLI_TEXTS) {
        const cli_texts *list = (const cli_texts *)(const void *)at;
        for (size_t i = 0; i < list->n; i++) fprintf(to, "%s'%s'", i ? " " : "", list->items[i]);
    }
    if (d->at == offsetof(cli_options, seed) && c->o.seed < 0)
        fprintf(to, " (now %llu)", (unsigned long long)c->s.seed);
    fputc('\n', to);
}

static int list(const cli_chat *c, const cli_option *one)
{
    FILE *to = c->o.json ? stderr : stdout;
    for (const cli_group *const *g = groups; *g; g++)
        for (size_t i = 0; i < (*g)->n; i++)
            if (!one || one == &(*g)->options[i]) show_option(to, c, &(*g)->options[i]);
    if (!one) fputs("/set NAME VALUE sets one; their meaning: hybridlm chat --help\n", to);
    return CLI_OK;
}

/** A text that lives as long as the chat; NULL: there are too many. */
static const char *keep(cli_chat *c, const char *value)
{
    if (c->n_texts == CLI_CHAT_TEXTS) return NULL;
    const size_t n = strlen(value) + 1;
    char *copy = cli_alloc(n, 1);
    memcpy(copy, value, n);
    return c->texts[c->n_texts++] = copy;
}

static int unknown(const cli_chat *c, const char *name, size_t len)
{
    char word[40], hint[160];
    snprintf(word, sizeof word, "%.*s", (int)(len < sizeof word ? len : sizeof word - 1), name);
    const cli_option *fixed = cli_option_find(&cli_command_chat, word, strlen(word));
    if (fixed) {
        snprintf(hint, sizeof hint, "Give it then: hybridlm chat --%s %s", fixed->name, fixed->arg ? fixed->arg : "");
        return cli_fail(&c->o, CLI_USAGE, hint, "--%s is settled when a chat begins", fixed->name);
    }
    const char *near = cli_option_nearest(&settable, word);
    if (near) snprintf(hint, sizeof hint, "Did you mean /set %s? /set alone lists all.", near);
    return cli_fail(&c->o, CLI_USAGE, near ? hint : "/set alone lists what can be set.", "/set knows no '%s'", word);
}

static int set_flag(cli_chat *c, const cli_option *d, const char *value)
{
    const bool on = !*value || strcmp(value, "on") == 0 || strcmp(value, "1") == 0 || strcmp(value, "true") == 0;
    const bool off = strcmp(value, "off") == 0 || strcmp(value, "0") == 0 || strcmp(value, "false") == 0;
    if (!on && !off) return cli_fail(&c->o, CLI_USAGE, NULL, "/set %s is on or off, not '%s'", d->name, value);
    *(bool *)((char *)&c->o + d->at) = on;
    return CLI_OK;
}

static int set_value(cli_chat *c, const cli_option *d, const char *value)
{
    if (d->kind == CLI_FLAG) return set_flag(c, d, value);
    const char *kept = d->kind == CLI_TEXTS ? keep(c, value) : value;
    if (!kept) return cli_fail(&c->o, CLI_USAGE, NULL, "/set %s was used %d times; no more", d->name, CLI_CHAT_TEXTS);
    if (d->kind == CLI_TEXTS) ((cli_texts *)(void *)((char *)&c->o + d->at))->n = 0; /* in place of what was there */
    return cli_option_store(&c->o, d, kept);
}

static int set(cli_chat *c, const cli_option *d, const char *value)
{
    const cli_options before = c->o;
    const uint64_t seed = c->s.seed;
    int rc = set_value(c, d, value);
    if (rc == CLI_OK && d->at == offsetof(cli_options, seed)) cli_session_new_seed(&c->s);
    const bool draws = d >= cli_group_sampling.options && d < cli_group_sampling.options + cli_group_sampling.n;
    if (rc == CLI_OK && draws) rc = cli_chat_resample(c);
    if (rc == CLI_OK) return list(c, d);
    c->o = before;
    c->s.seed = seed;
    return rc;
}

/** As ollama writes them: "parameter NAME VALUE", "verbose", "quiet", "wordwrap", "system TEXT". */
static int set_as_elsewhere(cli_chat *c, const char *name, size_t len, const char *value, bool *taken)
{
    static const struct {
        const char *name, *option, *value;
    } words[] = {{"verbose", "stats", "on"},
                 {"quiet", "stats", "off"},
                 {"wordwrap", "no-wrap", "off"},
                 {"nowordwrap", "no-wrap", "on"}};
    *taken = true;
    if (len == 6 && memcmp(name, "system", 6) == 0) {
        const size_t n = strlen(value);
        const bool quoted = n > 1 && value[0] == '"' && value[n - 1] == '"';
        cli_conversation_set_system(&c->conversation, value + quoted, n - 2 * (size_t)quoted);
        return cli_chat_reset(c);
    }
    for (size_t i = 0; i < CLI_COUNT(words) && !*value; i++)
        if (strlen(words[i].name) == len && memcmp(words[i].name, name, len) == 0)
            return set(c, cli_option_find(&settable, words[i].option, strlen(words[i].option)), words[i].value);
    *taken = false;
    return CLI_OK;
}

int cli_chat_set(cli_chat *c, const char *words)
{
    static const char parameter[] = "parameter";
    const char *name = words;
    size_t len = strcspn(name, " \t=");
    if (len == sizeof parameter - 1 && memcmp(name, parameter, len) == 0) {
        name += len + strspn(name + len, " \t");
        len = strcspn(name, " \t=");
    }
    const size_t dashes = strspn(name, "-");
    if (dashes < len) {
        name += dashes;
        len -= dashes;
    }
    if (!len) return list(c, NULL);
    const char *value = name + len + strspn(name + len, " \t=");
    bool taken;
    const int rc = set_as_elsewhere(c, name, len, value, &taken);
    if (taken) return rc;
    const cli_option *d = cli_option_find(&settable, name, len);
    if (!d) return unknown(c, name, len);
    return *value || d->kind == CLI_FLAG ? set(c, d, value) : list(c, d);
}
