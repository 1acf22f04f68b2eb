/* The option parser: walks the words, finds each option in the command's groups, checks and stores its value; and the
 * --help text. */
#define _POSIX_C_SOURCE 200809L
#include "options.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "aliases.h"
#include "report.h"
#include "words.h"

enum { MAX_NAME = 63 };

static const cli_option *find_name(const cli_command *c, const char *name)
{
    for (const cli_group *const *g = c->groups; *g; g++)
        for (size_t i = 0; i < (*g)->n; i++)
            if (strcmp((*g)->options[i].name, name) == 0) return &(*g)->options[i];
    return NULL;
}

static const cli_option *find_letter(const cli_command *c, char letter)
{
    for (const cli_group *const *g = c->groups; *g; g++)
        for (size_t i = 0; i < (*g)->n; i++)
            if ((*g)->options[i].letter == letter) return &(*g)->options[i];
    return NULL;
}

/** The option of another program's name, or NULL. */
static const cli_option *find_alias(const cli_command *c, const char *name)
{
    const cli_alias *a = cli_alias_find(name, strlen(name));
    return a && a->option ? find_name(c, a->option) : NULL;
}

/** A name as the tables have it: --top_k is --top-k. */
static void plain_name(char *out, const char *name, size_t len)
{
    snprintf(out, MAX_NAME + 1, "%.*s", (int)(len < MAX_NAME ? len : MAX_NAME), name);
    for (char *p = out + (*out == '-'); *p; p++)
        if (*p == '_') *p = '-';
}

const cli_option *cli_option_find(const cli_command *c, const char *name, size_t len)
{
    char plain[MAX_NAME + 1];
    plain_name(plain, name, len);
    const cli_option *d = find_name(c, plain);
    return d ? d : find_alias(c, plain);
}

const char *cli_option_nearest(const cli_command *c, const char *word)
{
    cli_nearest near = {.word = word};
    size_t n;
    for (const cli_group *const *g = c->groups; *g; g++)
        for (size_t i = 0; i < (*g)->n; i++) cli_nearest_look(&near, (*g)->options[i].name);
    const cli_alias *all = cli_aliases(&n);
    for (size_t i = 0; i < n; i++)
        if (*all[i].name != '-' && all[i].option && find_name(c, all[i].option)) cli_nearest_look(&near, all[i].name);
    return near.best;
}

static int unknown(const cli_options *o, const cli_command *c, const char *word)
{
    char bare[MAX_NAME + 1], hint[200];
    const char *name = word + strspn(word, "-");
    plain_name(bare, name, strcspn(name, "="));
    const cli_alias *other = cli_alias_find(word, strlen(word));
    if (!other && word[1] == '-') other = cli_alias_find(bare, strlen(bare));
    const char *near = cli_option_nearest(c, bare);
    if (other && other->why) snprintf(hint, sizeof hint, "%s", other->why);
    else if (near) snprintf(hint, sizeof hint, "Did you mean --%s? All options: hybridlm %s --help", near, c->name);
    else snprintf(hint, sizeof hint, "All options: hybridlm %s --help", c->name);
    return cli_fail(o, CLI_USAGE, hint, "%s has no option '%s'", c->name, word);
}

static int store_int(cli_options *o, const cli_option *d, const char *value)
{
    char *end = NULL;
    errno = 0;
    const long long v = strtoll(value, &end, 10);
    if (end == value || *end)
        return cli_fail(o, CLI_USAGE, NULL, "--%s takes a whole number, not '%s'", d->name, value);
    if (errno || (double)v < d->min || (double)v > d->max)
        return cli_fail(o, CLI_USAGE, NULL, "--%s must be from %.0f to %.0f, not '%s'", d->name, d->min, d->max, value);
    const int64_t stored = v;
    memcpy((char *)o + d->at, &stored, sizeof stored);
    return CLI_OK;
}

static int read_real(const cli_options *o, const cli_option *d, const char *value, double *out)
{
    char *end = NULL;
    const double v = strtod(value, &end);
    if (end == value || *end || isnan(v))
        return cli_fail(o, CLI_USAGE, NULL, "--%s takes a number, not '%s'", d->name, value);
    if (v < d->min || v > d->max)
        return cli_fail(o, CLI_USAGE, NULL, "--%s must be from %g to %g, not '%s'", d->name, d->min, d->max, value);
    *out = v;
    return CLI_OK;
}

static int store_real(cli_options *o, const cli_option *d, const char *value)
{
    double v = 0;
    const int rc = read_real(o, d, value, &v);
    if (rc == CLI_OK) memcpy((char *)o + d->at, &v, sizeof v);
    return rc;
}

static int store_choice(cli_options *o, const cli_option *d, const char *value)
{
    char known[128] = "";
    for (const cli_choice *c = d->choices; c->name; c++) {
        if (strcmp(c->name, value) == 0) {
            memcpy((char *)o + d->at, &c->value, sizeof c->value);
            return CLI_OK;
        }
        const size_t used = strlen(known);
        snprintf(known + used, sizeof known - used, "%s%s", used ? ", " : "", c->name);
    }
    return cli_fail(o, CLI_USAGE, NULL, "--%s is one of %s, not '%s'", d->name, known, value);
}

static int add_text(const cli_options *o, const cli_option *d, const char *value, cli_texts *list)
{
    if (list->n == CLI_MAX_TEXTS)
        return cli_fail(o, CLI_USAGE, NULL, "--%s can be given %d times at most", d->name, CLI_MAX_TEXTS);
    if (!*value) return cli_fail(o, CLI_USAGE, NULL, "--%s takes a text that is not empty", d->name);
    list->items[list->n++] = value;
    return CLI_OK;
}

static int store_texts(cli_options *o, const cli_option *d, const char *value)
{
    return add_text(o, d, value, (cli_texts *)(void *)((char *)o + d->at));
}

static int store_adapter(cli_options *o, const cli_option *d, const char *value)
{
    cli_adapters *list = (cli_adapters *)(void *)((char *)o + d->at);
    const int rc = add_text(o, d, value, &list->paths);
    if (rc == CLI_OK) list->scales[list->paths.n - 1] = 1;
    return rc;
}

static int store_scale(cli_options *o, const cli_option *d, const char *value)
{
    cli_adapters *list = (cli_adapters *)(void *)((char *)o + d->at);
    if (list->paths.n == 0)
        return cli_fail(o, CLI_USAGE, NULL, "--%s %s comes before any --adapter; which one is it of?", d->name, value);
    return read_real(o, d, value, &list->scales[list->paths.n - 1]);
}

int cli_option_store(cli_options *o, const cli_option *d, const char *value)
{
    switch (d->kind) {
    case CLI_FLAG: *((bool *)((char *)o + d->at)) = true; return CLI_OK;
    case CLI_INT: return store_int(o, d, value);
    case CLI_REAL: return store_real(o, d, value);
    case CLI_TEXT: memcpy((char *)o + d->at, &value, sizeof value); return CLI_OK;
    case CLI_TEXTS: return store_texts(o, d, value);
    case CLI_ADAPTER: return store_adapter(o, d, value);
    case CLI_SCALE: return store_scale(o, d, value);
    case CLI_CHOICE: return store_choice(o, d, value);
    }
    return CLI_FAILED;
}

/** The option of a word with dashes; *value is what is written behind the name, or NULL. */
static const cli_option *find_option(const cli_command *c, const char *word, const char **value)
{
    *value = NULL;
    if (word[1] == '-') {
        const size_t len = strcspn(word + 2, "=");
        if (word[2 + len] == '=') *value = word + 3 + len;
        return cli_option_find(c, word + 2, len);
    }
    const bool named = word[2] && cli_alias_find(word, strlen(word)); /* -ngl is not -n gl */
    const cli_option *d = named ? NULL : find_letter(c, word[1]);
    if (!d) return find_alias(c, word);
    if (word[2]) *value = word + 2;
    return d;
}

/** One option, written "-x VALUE", "-xVALUE", "--name VALUE" or "--name=VALUE"; *i moves past what it used. */
static int take_option(cli_options *o, const cli_command *c, int argc, char **argv, int *i)
{
    const char *word = argv[*i], *value;
    const cli_option *d = find_option(c, word, &value);
    if (!d) return unknown(o, c, word);
    if (d->kind == CLI_FLAG && value) return cli_fail(o, CLI_USAGE, NULL, "--%s takes no value ('%s')", d->name, word);
    if (d->kind != CLI_FLAG && !value) {
        if (*i + 1 >= argc)
            return cli_fail(o, CLI_USAGE, NULL, "--%s needs a value: --%s %s", d->name, d->name, d->arg);
        value = argv[++*i];
    }
    return cli_option_store(o, d, value);
}

static int unexpected(const cli_options *o, const cli_command *c, const char *word)
{
    char hint[128];
    snprintf(hint, sizeof hint, "Usage: hybridlm %s %s", c->name, c->usage);
    return cli_fail(o, CLI_USAGE, hint, "%s: unexpected argument '%s'", c->name, word);
}

/** Whether a word that may be a text is the path of a model: a file or folder that is there, or what is written like
 *  one. */
static bool is_path(const char *word)
{
    const size_t n = strlen(word);
    if (access(word, F_OK) == 0 || (n > 5 && strcmp(word + n - 5, ".gguf") == 0)) return true;
    const bool rooted = word[0] == '/' || strncmp(word, "./", 2) == 0 || strncmp(word, "../", 3) == 0;
    return rooted && !strpbrk(word, " \t\n");
}

/** The words that are no options, after these, so that "given twice" is seen whatever the order: [MODEL] [TEXT]. */
static int store_arguments(cli_options *o, const cli_command *c, const char *const *words, size_t n)
{
    const bool has_text = o->prompt || o->file || o->ids;
    if (n && c->takes_model && !o->model && (n == 2 || has_text || is_path(words[0]))) {
        o->model = words[0];
        words++;
        n--;
    }
    if (n == 0) return CLI_OK;
    if (n == 2) return unexpected(o, c, words[1]);
    char *slot = (char *)o + c->argument_at;
    const char *given;
    memcpy(&given, slot, sizeof given);
    if (given)
        return cli_fail(o, CLI_USAGE, NULL, "%s: both '%s' and '%s' are given; which one?", c->name, given, words[0]);
    memcpy(slot, &words[0], sizeof words[0]);
    o->argument = words[0];
    return CLI_OK;
}

/** So that an error in the options themselves is also told as JSON. */
static bool wants_json(int argc, char **argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--json") == 0) return true;
    return false;
}

int cli_options_parse(cli_options *o, const cli_command *c, int argc, char **argv)
{
    *o = c->defaults;
    o->json = wants_json(argc, argv);
    const char *words[2] = {NULL, NULL};
    size_t n = 0;
    bool options_end = false;
    for (int i = 0; i < argc; i++) {
        if (!options_end && strcmp(argv[i], "--") == 0) {
            options_end = true;
        } else if (!options_end && argv[i][0] == '-' && argv[i][1]) {
            const int rc = take_option(o, c, argc, argv, &i);
            if (rc != CLI_OK || o->help) return rc;
        } else if (!c->takes_argument || n == 1 + (size_t)c->takes_model) {
            return unexpected(o, c, argv[i]);
        } else {
            words[n++] = argv[i];
        }
    }
    return store_arguments(o, c, words, n);
}

static void help_option(const cli_option *d)
{
    char left[64];
    const char letter[] = {'-', d->letter, ',', ' ', 0};
    snprintf(left, sizeof left, "%s--%s%s%s", d->letter ? letter : "    ", d->name, d->kind == CLI_FLAG ? "" : " ",
             d->kind == CLI_FLAG ? "" : d->arg);
    printf("  %-28s %s\n", left, d->help);
}

/** The names of other programs that the command knows, each option's on a line. */
static void help_aliases(const cli_command *c)
{
    size_t n;
    const cli_alias *all = cli_aliases(&n);
    const char *last = NULL;
    printf("\nAlso understood:");
    for (size_t i = 0; i < n; i++) {
        if (!all[i].option || !find_name(c, all[i].option)) continue;
        const bool same = last && strcmp(last, all[i].option) == 0, letter = *all[i].name == '-';
        if (same) printf(", ");
        else printf("\n  --%s: ", all[i].option);
        printf("%s%s", letter ? "" : "--", all[i].name);
        last = all[i].option;
    }
    printf("\n  _ for - in names (--top_k)\n");
}

void cli_options_help(const cli_command *c)
{
    printf("hybridlm %s: %s\n\nUsage: hybridlm %s %s\n", c->name, c->summary, c->name, c->usage);
    for (const cli_group *const *g = c->groups; *g; g++) {
        printf("\n%s:\n", (*g)->title);
        for (size_t i = 0; i < (*g)->n; i++) help_option(&(*g)->options[i]);
    }
    help_aliases(c);
    printf("\n%s", c->notes);
}
