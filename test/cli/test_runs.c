/* What the program and docs/cli.md say that this version runs is what the library's tables have: types of weights, and
 * architectures in folders and in GGUF files. docs/formats.md names them all, too. */
#include "../../src/arch/table.c"

#include <ctype.h>

#include "../../examples/cli/runs.h"
#include "quant/type.h"
#include "unit/suite.h"

enum { MOST = 64, LONGEST = 40 };

static const char *source_dir;

typedef struct names {
    char at[MOST][LONGEST];
    size_t n;
} names;

static void add(names *list, const char *name, size_t len)
{
    for (size_t i = 0; i < list->n; i++)
        if (strlen(list->at[i]) == len && memcmp(list->at[i], name, len) == 0) return;
    ck_assert(list->n < MOST && len < LONGEST);
    memcpy(list->at[list->n], name, len);
    list->at[list->n++][len] = 0;
}

static bool has(const names *list, const char *name)
{
    for (size_t i = 0; i < list->n; i++)
        if (strcmp(list->at[i], name) == 0) return true;
    return false;
}

static names split(const char *text)
{
    names list = {.n = 0};
    for (size_t len; *text; text += len + strspn(text + len, ", ")) {
        len = strcspn(text, ",");
        add(&list, text, len);
    }
    return list;
}

static void same(const names *said, const names *known, const char *what)
{
    for (size_t i = 0; i < known->n; i++)
        ck_assert_msg(has(said, known->at[i]), "examples/cli/runs.h names no %s %s", what, known->at[i]);
    for (size_t i = 0; i < said->n; i++)
        ck_assert_msg(has(known, said->at[i]), "examples/cli/runs.h names the %s %s, which the library does not run",
                      what, said->at[i]);
    ck_assert_uint_gt(known->n, 2);
}

/* The file's text; to be freed. */
static char *read_file(const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", source_dir, name);
    FILE *f = fopen(path, "rb");
    ck_assert_msg(f != NULL, "%s", path);
    char *text = calloc(1, 1 << 20);
    const size_t n = fread(text, 1, (1 << 20) - 1, f);
    fclose(f);
    ck_assert_uint_gt(n, 0);
    return text;
}

/* Whether a name stands in the text by itself, and not in a longer one. */
static bool mentions(const char *text, const char *name)
{
    const size_t n = strlen(name);
    for (const char *at = text; (at = strstr(at, name)); at += n) {
        const int before = at == text ? ' ' : (unsigned char)at[-1], behind = (unsigned char)at[n];
        if (!isalnum(before) && before != '_' && !isalnum(behind) && behind != '_') return true;
    }
    return false;
}

static names known_types(void)
{
    names list = {.n = 0};
    for (int t = 0; t < HLMI_TYPE_COUNT; t++) {
        const hlmi_type_info *info = hlmi_type_get((hlmi_type)t);
        const bool made = t >= HLMI_RUNS && t <= HLMI_F8_SCALED; /* HLMI_MADE_TYPES: no file has them */
        if (info->dequantise && !made) add(&list, info->name, strlen(info->name));
    }
    return list;
}

static names known_archs(bool gguf)
{
    names list = {.n = 0};
    for (size_t i = 0; i < sizeof archs / sizeof *archs; i++) {
        const char *name = gguf ? archs[i]->name.gguf : archs[i]->name.hf;
        if (name) add(&list, name, strlen(name));
    }
    return list;
}

START_TEST(the_program_says_what_runs)
{
    const names types = known_types(), folders = known_archs(false), gguf = known_archs(true);
    const names said_types = split(CLI_RUNS_TYPES), said_folders = split(CLI_RUNS_FOLDERS),
                said_gguf = split(CLI_RUNS_GGUF);
    same(&said_types, &types, "type");
    same(&said_folders, &folders, "architecture of folders");
    same(&said_gguf, &gguf, "architecture of GGUF files");
}
END_TEST

START_TEST(the_documents_say_the_same)
{
    static const char *const lists[] = {CLI_RUNS_TYPES, CLI_RUNS_FOLDERS, CLI_RUNS_GGUF};
    char *cli = read_file("docs/cli.md"), *formats = read_file("docs/formats.md");
    for (char *p = cli; *p; p++)
        if (*p == '\n') *p = ' '; /* lists go over lines */
    for (size_t i = 0; i < 3; i++) {
        char sentence[1024];
        snprintf(sentence, sizeof sentence, ": %s.", lists[i]); /* the whole list, and no more */
        ck_assert_msg(strstr(cli, sentence) != NULL, "docs/cli.md does not say%s", sentence);
        const names said = split(lists[i]);
        for (size_t j = 0; j < said.n; j++)
            ck_assert_msg(mentions(formats, said.at[j]), "docs/formats.md does not name %s", said.at[j]);
    }
    free(cli);
    free(formats);
}
END_TEST

int main(int argc, char **argv)
{
    if (argc != 2) return 2;
    source_dir = argv[1];
    const TTest *const tests[] = {the_program_says_what_runs, the_documents_say_the_same};
    return suite_run("runs", tests, sizeof tests / sizeof *tests);
}
