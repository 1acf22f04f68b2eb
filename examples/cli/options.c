/* The option parser: walks the words, finds each option in the command's
 * groups, checks and stores its value; and the --help text. */
#include "options.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"

enum { MAX_WORD = 63 };

size_t cli_word_distance(const char *a, const char *b)
{
    const size_t na = strlen(a), nb = strlen(b);
    if (na > MAX_WORD || nb > MAX_WORD) return MAX_WORD;
    size_t row[MAX_WORD + 1];
    for (size_t j = 0; j <= nb; j++) row[j] = j;
    for (size_t i = 1; i <= na; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= nb; j++) {
            const size_t above = row[j];
            size_t best = diagonal + (a[i - 1] != b[j - 1]);
            if (above + 1 < best) best = above + 1;
            if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
            row[j] = best;
            diagonal = above;
        }
    }
    return row[nb];
}

static const cli_option *find_long(const cli_command *c, const char *name, size_t len)
{
    for (const cli_group *const *g = c->groups; *g; g++)
        for (size_t i = 0; i < (*g)->n; i++) {
            const cli_option *o = &(*g)->options[i];
            if (strlen(o->name) == len && memcmp(o->name, name, len) == 0) return o;
        }
    return NULL;
}

static const cli_option *find_letter(const cli_command *c, char letter)
{
    for (const cli_group *const *g = c->groups; *g; g++)
        for (size_t i = 0; i < (*g)->n; i++)
            if ((*g)->options[i].letter == letter) return &(*g)->options[i];
    return NULL;
}

/** The option whose name is most like `word`, or NULL when none is near. */
static const char *nearest(const cli_command *c, const char *word)
{
    const char *best = NULL;
    size_t best_distance = strlen(word) / 2 + 1;
    for (const cli_group *const *g = c->groups; *g; g++)
        for (size_t i = 0; i < (*g)->n; i++) {
            const char *name = (*g)->options[i].name;
            const size_t d = cli_word_distance(word, name);
            if (d < best_distance) {
                best = name;
                best_distance = d;
            }
        }
    return best;
}

static int unknown(const cli_options *o, const cli_command *c, const char *word)
{
    char bare[MAX_WORD + 1];
    const char *name = word + strspn(word, "-");
    snprintf(bare, sizeof bare, "%.*s", (int)strcspn(name, "="), name);
    const char *near = nearest(c, bare);
    char hint[160];
    if (near) snprintf(hint, sizeof hint, "Did you mean --%s? All options: hybridlm %s --help", near, c->name);
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

static int store(cli_options *o, const cli_option *d, const char *value)
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

/** One option, written "-x VALUE", "-xVALUE", "--name VALUE" or "--name=VALUE"; *i moves past what it used. */
static int take_option(cli_options *o, const cli_command *c, int argc, char **argv, int *i)
{
    const char *word = argv[*i];
    const char *value = NULL;
    const cli_option *d;
    if (word[1] == '-') {
        const size_t len = strcspn(word + 2, "=");
        d = find_long(c, word + 2, len);
        if (word[2 + len] == '=') value = word + 3 + len;
    } else {
        d = find_letter(c, word[1]);
        if (word[2]) value = word + 2;
    }
    if (!d) return unknown(o, c, word);
    if (d->kind == CLI_FLAG && value) return cli_fail(o, CLI_USAGE, NULL, "--%s takes no value ('%s')", d->name, word);
    if (d->kind != CLI_FLAG && !value) {
        if (*i + 1 >= argc)
            return cli_fail(o, CLI_USAGE, NULL, "--%s needs a value: --%s %s", d->name, d->name, d->arg);
        value = argv[++*i];
    }
    return store(o, d, value);
}

/** The word that is no option; after the options, so that "given twice" is seen whatever the order. */
static int store_argument(cli_options *o, const cli_command *c, const char *word)
{
    char *slot = (char *)o + c->argument_at;
    const char *given;
    memcpy(&given, slot, sizeof given);
    if (given)
        return cli_fail(o, CLI_USAGE, NULL, "%s: both '%s' and '%s' are given; which one?", c->name, given, word);
    memcpy(slot, &word, sizeof word);
    return CLI_OK;
}

static int unexpected(const cli_options *o, const cli_command *c, const char *word)
{
    char hint[128];
    snprintf(hint, sizeof hint, "Usage: hybridlm %s %s", c->name, c->usage);
    return cli_fail(o, CLI_USAGE, hint, "%s: unexpected argument '%s'", c->name, word);
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
    const char *argument = NULL;
    bool options_end = false;
    for (int i = 0; i < argc; i++) {
        if (!options_end && strcmp(argv[i], "--") == 0) {
            options_end = true;
        } else if (!options_end && argv[i][0] == '-' && argv[i][1]) {
            const int rc = take_option(o, c, argc, argv, &i);
            if (rc != CLI_OK || o->help) return rc;
        } else if (argument || !c->takes_argument) {
            return unexpected(o, c, argv[i]);
        } else {
            argument = argv[i];
        }
    }
    return argument ? store_argument(o, c, argument) : CLI_OK;
}

static void help_option(const cli_option *d)
{
    char left[64];
    const char letter[] = {'-', d->letter, ',', ' ', 0};
    snprintf(left, sizeof left, "%s--%s%s%s", d->letter ? letter : "    ", d->name, d->kind == CLI_FLAG ? "" : " ",
             d->kind == CLI_FLAG ? "" : d->arg);
    printf("  %-28s %s\n", left, d->help);
}

void cli_options_help(const cli_command *c)
{
    printf("hybridlm %s: %s\n\nUsage: hybridlm %s %s\n", c->name, c->summary, c->name, c->usage);
    for (const cli_group *const *g = c->groups; *g; g++) {
        printf("\n%s:\n", (*g)->title);
        for (size_t i = 0; i < (*g)->n; i++) help_option(&(*g)->options[i]);
    }
    printf("\n%s", c->notes);
}
