/* Which chat template a model's files give: a text, a list, a dictionary, files; with and without a default; what is
 * none is refused by name. The tokenizer has ChatML's markers, so that the built-in template would fit. */
#define _GNU_SOURCE 1
#include <stdbool.h>

#include "unit/folder.h"

static const char tokenizer[] =
    "{\"added_tokens\":[{\"id\":2,\"content\":\"<|im_start|>\",\"special\":true},{\"id\":3,\"content\":\"<|im_end|>\","
    "\"special\":true}],\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":1},\"merges\":[]}}";
static const char one[] = "[{\"role\":\"user\",\"content\":\"hi\"}]";
static const char bos_chatml[] = "<s><|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n";
static const char chatml[] = "<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n";

#define CONFIG "tokenizer_config.json"
#define CHAT "chat_template.json"
#define SUB "additional_chat_templates"

typedef struct want {
    const char *name, *tools;
    const char *text; /* or, with a status, words of the error */
    hlm_status status;
} want;

typedef struct case_ {
    const char *files[4][2];
    want want[6];
} case_;

static void check(const hlm_model *m, const want *w, const char *where)
{
    char out[256];
    size_t n = 0;
    const hlm_chat_params p = {.struct_size = sizeof p, .template_name = w->name, .tools_json = w->tools};
    const hlm_status st = hlm_chat_render(m, one, &p, out, sizeof out, &n);
    ck_assert_msg(st == w->status, "%s: %d, %s", where, (int)st, hlm_last_error());
    if (st != HLM_OK) ck_assert_msg(strstr(hlm_last_error(), w->text) != NULL, "%s: %s", where, hlm_last_error());
    else ck_assert_msg(n == strlen(w->text) && memcmp(out, w->text, n) == 0, "%s: %.*s", where, (int)n, out);
}

static void check_all(const hlm_model *m, const want *w, const char *where)
{
    for (size_t i = 0; i < 6 && w[i].text; i++) check(m, &w[i], where);
}

static hlm_model *load_case(folder *f, const char *const (*files)[2], hlm_status *st)
{
    folder_new(f);
    folder_text(f, "config.json", "{\"model_type\":\"qwen2\"}");
    folder_text(f, "tokenizer.json", tokenizer);
    for (size_t i = 0; i < 4 && files[i][0]; i++) {
        const bool sub = strncmp(files[i][0], SUB, sizeof SUB - 1) == 0;
        char path[128];
        snprintf(path, sizeof path, "%s/%s", f->path, SUB);
        if (sub && access(path, F_OK) != 0) folder_add(f, SUB, NULL, 0);
        folder_text(f, files[i][0], files[i][1]);
    }
    return load_vocab(f->path, st);
}

#define NO_DEFAULT "no default; name one"

static const case_ cases[] = {
    {{{NULL, NULL}}, {{NULL, NULL, chatml, 0}, {NULL, "[1]", chatml, 0}, {"default", NULL, chatml, 0}}},
    {{{CONFIG, "{\"chat_template\":null}"}}, {{NULL, NULL, chatml, 0}}},
    /* a text */
    {{{CONFIG, "{\"chat_template\":\"S\"}"}},
     {{NULL, NULL, "S", 0},
      {NULL, "[1]", "S", 0},
      {"default", NULL, "S", 0},
      {"tool_use", NULL, "no chat template called 'tool_use'", HLM_E_UNSUPPORTED},
      {"chatml", NULL, chatml, 0}}},
    {{{CHAT, "{\"chat_template\":\"J\"}"}, {CONFIG, "{\"chat_template\":\"S\"}"}}, {{NULL, NULL, "J", 0}}},
    /* lists */
    {{{CONFIG,
       "{\"chat_template\":[{\"name\":\"tool_use\",\"template\":\"T\"},{\"name\":\"default\",\"template\":\"D\"}]}"}},
     {{NULL, NULL, "D", 0},
      {NULL, "[1]", "T", 0},
      {NULL, " null ", "D", 0},
      {NULL, "[]", "T", 0},
      {"default", "[1]", "D", 0},
      {"tool_use", NULL, "T", 0}}},
    {{{CONFIG, "{\"chat_template\":[{\"name\":\"rag\",\"template\":\"R\"}]}"}},
     {{NULL, NULL, "'rag' and " NO_DEFAULT, HLM_E_UNSUPPORTED},
      {NULL, "[1]", NO_DEFAULT, HLM_E_UNSUPPORTED},
      {"default", NULL, NO_DEFAULT, HLM_E_UNSUPPORTED},
      {"rag", NULL, "R", 0}}},
    {{{CONFIG, "{\"chat_template\":[{\"name\":\"a\",\"template\":\"1\"},{\"name\":\"a\",\"template\":\"2\"}]}"}},
     {{"a", NULL, "2", 0}}},
    {{{CONFIG, "{\"chat_template\":[]}"}}, {{NULL, NULL, "holds no template", HLM_E_UNSUPPORTED}}},
    /* dictionaries */
    {{{CONFIG, "{\"chat_template\":{\"default\":\"D\",\"tool_use\":\"T{{ tools|length }}\",\"own\":\"O\"}}"}},
     {{NULL, NULL, "D", 0},
      {NULL, "[1,2]", "T2", 0},
      {"default", "[1]", "D", 0},
      {"own", NULL, "O", 0},
      {"phi_chat", NULL, "Alice: hi\nBob:\n", 0}}},
    {{{CONFIG, "{\"chat_template\":{\"tool_use\":\"T\",\"own\":\"O\"}}"}},
     {{NULL, NULL, "'tool_use', 'own' and " NO_DEFAULT, HLM_E_UNSUPPORTED},
      {NULL, "[1]", "T", 0},
      {"own", "[1]", "O", 0}}},
    {{{CONFIG, "{\"chat_template\":{\"default\":\"D\"}}"}}, {{NULL, NULL, "D", 0}, {NULL, "[1]", "D", 0}}},
    {{{CONFIG, "{\"chat_template\":{}}"}}, {{NULL, NULL, "holds no template", HLM_E_UNSUPPORTED}}},
    {{{CHAT, "{\"chat_template\":{\"default\":\"D\",\"own\":\"O\"}}"}}, {{NULL, NULL, "D", 0}, {"own", NULL, "O", 0}}},
    {{{CHAT, "{\"chat_template\":[{\"name\":\"default\",\"template\":\"D\"}]}"}}, {{NULL, NULL, "D", 0}}},
    /* files */
    {{{"chat_template.jinja", "F"}, {CONFIG, "{\"chat_template\":{\"default\":\"D\",\"tool_use\":\"T\"}}"}},
     {{NULL, NULL, "F", 0}, {NULL, "[1]", "F", 0}, {"default", NULL, "F", 0}}},
    {{{"chat_template.jinja", "F"}, {CONFIG, "{\"chat_template\":7}"}}, {{NULL, NULL, "F", 0}}},
    {{{"chat_template.jinja", "F"}, {SUB "/tool_use.jinja", "T"}, {SUB "/my own.jinja", "O"}, {SUB "/not.txt", "{{"}},
     {{NULL, NULL, "F", 0},
      {NULL, "[1]", "T", 0},
      {"my own", NULL, "O", 0},
      {"not", NULL, "called 'not'", HLM_E_UNSUPPORTED}}},
    {{{SUB "/tool_use.jinja", "T"}, {SUB "/x.jinja", "X"}},
     {{NULL, NULL, NO_DEFAULT, HLM_E_UNSUPPORTED}, {NULL, "[1]", "T", 0}, {"x", NULL, "X", 0}}},
    {{{SUB "/default.jinja", "A"}}, {{NULL, NULL, "A", 0}}},
    {{{SUB "/rag.jinja", "R"}, {CONFIG, "{\"chat_template\":{\"default\":\"D\",\"rag\":\"no\"}}"}},
     {{NULL, NULL, "D", 0}, {"rag", NULL, "R", 0}}},
};

START_TEST(forms_of_folders)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        folder f;
        hlm_status st;
        char where[128];
        hlm_model *m = load_case(&f, cases[i].files, &st);
        snprintf(where, sizeof where, "case %zu: %.100s", i, cases[i].files[0][1] ? cases[i].files[0][1] : "");
        ck_assert_msg(st == HLM_OK, "%s: %s", where, hlm_last_error());
        check_all(m, cases[i].want, where);
        hlm_model_release(m);
        folder_free(&f);
    }
}
END_TEST

START_TEST(no_templates)
{
    static const struct {
        const char *value, *words;
    } bad[] = {
        {"7", "chat_template is neither a text nor a list nor an object"},
        {"true", "chat_template is neither a text nor a list nor an object"},
        {"[\"a\"]", "chat_template[0] is no object with texts \"name\" and \"template\""},
        {"[{\"name\":\"default\",\"template\":\"D\"},{\"name\":\"b\"}]", "chat_template[1] is no object"},
        {"[{\"name\":7,\"template\":\"D\"}]", "chat_template[0] is no object"},
        {"[{\"name\":\"\",\"template\":\"D\"}]", "chat_template[0]: a chat template is called ''"},
        {"{\"default\":\"D\",\"tool_use\":7}", "chat_template: 'tool_use' is no text"},
        {"{\"default\":{\"template\":\"D\"}}", "chat_template: 'default' is no text"},
        {"{\"default\":null}", "chat_template: 'default' is no text"},
        {"{\"default\":\"{% if %}\"}", "line 1"},
        {"{\"aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggggggg\":\"D\"}",
         "67 bytes; expected 1 to 64"},
    };
    for (size_t i = 0; i < 2 * sizeof bad / sizeof *bad; i++) {
        folder f;
        hlm_status st;
        char json[512];
        const char *file = i % 2 ? CHAT : CONFIG;
        const char *const files[4][2] = {{file, json}};
        snprintf(json, sizeof json, "{\"chat_template\":%s}", bad[i / 2].value);
        ck_assert_ptr_null(load_case(&f, files, &st));
        ck_assert_msg(st == HLM_E_FORMAT || st == HLM_E_TEMPLATE, "%s: %d", json, (int)st);
        ck_assert_msg(strstr(hlm_last_error(), bad[i / 2].words) != NULL, "%s: %s", json, hlm_last_error());
        if (st == HLM_E_FORMAT) ck_assert_msg(strstr(hlm_last_error(), file) != NULL, "%s: %s", json, hlm_last_error());
        folder_free(&f);
    }
}
END_TEST

START_TEST(too_many)
{
    folder f;
    hlm_status st;
    char json[4096] = "{\"chat_template\":{\"default\":\"D\"";
    for (int i = 0; i < 64; i++) snprintf(json + strlen(json), 32, ",\"n%d\":\"x\"", i);
    strcat(json, "}}");
    const char *const files[4][2] = {{CONFIG, json}};
    ck_assert_ptr_null(load_case(&f, files, &st));
    ck_assert_int_eq(st, HLM_E_LIMIT);
    ck_assert_msg(strstr(hlm_last_error(), "'n63': more than 64") != NULL, "%s", hlm_last_error());
    folder_free(&f);
}
END_TEST

/* ---- the caller's files, which have no lists of names ---- */

static int32_t vfs_open(void *user, const char *path, void **file)
{
    (void)user;
    struct stat s;
    if (stat(path, &s) != 0) return 1;
    *file = S_ISREG(s.st_mode) ? fopen(path, "rb") : NULL;
    return *file ? 0 : 2;
}

static int32_t vfs_size(void *user, void *file, uint64_t *size)
{
    (void)user;
    fseek(file, 0, SEEK_END);
    *size = (uint64_t)ftell(file);
    return 0;
}

static int32_t vfs_read(void *user, void *file, uint64_t offset, void *out, size_t n)
{
    (void)user;
    return fseek(file, (long)offset, SEEK_SET) == 0 && fread(out, 1, n, file) == n ? 0 : 2;
}

static void vfs_close(void *user, void *file)
{
    (void)user;
    fclose(file);
}

START_TEST(files_of_callbacks)
{
    folder f;
    hlm_status st;
    const char *const files[4][2] = {
        {SUB "/tool_use.jinja", "T"}, {SUB "/default.jinja", "D"}, {SUB "/rag.jinja", "R"}};
    const want wanted[6] = {{NULL, NULL, "D", 0}, {NULL, "[1]", "T", 0}, {"rag", NULL, "R", 0}};
    const hlm_vfs vfs = {
        .struct_size = sizeof vfs, .open = vfs_open, .size = vfs_size, .read_at = vfs_read, .close = vfs_close};
    const hlm_model_params p = {.struct_size = sizeof p, .flags = HLM_LOAD_VOCAB_ONLY, .vfs = &vfs};
    hlm_model_release(load_case(&f, files, &st));
    hlm_model *m = NULL;
    ck_assert_msg(hlm_model_load(&m, f.path, &p) == HLM_OK, "%s", hlm_last_error());
    check_all(m, wanted, "callbacks");
    hlm_model_release(m);
    folder_free(&f);
}
END_TEST

/* ---- GGUF ---- */

static hlm_model *load_gguf(folder *f, const char *const (*keys)[2], hlm_status *st)
{
    static gguf g;
    static const char *const tokens[] = {"<unk>", "<s>", "</s>", "<|im_start|>", "<|im_end|>"};
    char path[128];
    gguf_begin(&g);
    gguf_text(&g, "general.architecture", "llama");
    gguf_text(&g, "tokenizer.ggml.model", "llama");
    gguf_texts(&g, "tokenizer.ggml.tokens", tokens, 5);
    for (size_t i = 0; i < 4 && keys[i][0]; i++) {
        if (keys[i][1]) gguf_text(&g, keys[i][0], keys[i][1]);
        else gguf_number(&g, keys[i][0], 7);
    }
    folder_new(f);
    folder_add(f, "a.gguf", g.data, g.n);
    snprintf(path, sizeof path, "%s/a.gguf", f->path);
    return load_vocab(path, st);
}

#define KEY "tokenizer.chat_template"

START_TEST(forms_of_gguf)
{
    static const case_ files[] = {
        {{{NULL, NULL}}, {{NULL, NULL, bos_chatml, 0}}},
        {{{KEY, ""}}, {{NULL, NULL, bos_chatml, 0}}},
        {{{KEY, "D"}}, {{NULL, NULL, "D", 0}, {NULL, "[1]", "D", 0}, {"default", NULL, "D", 0}}},
        {{{KEY, "D"}, {KEY ".tool_use", "T"}, {KEY ".own", "O"}},
         {{NULL, NULL, "D", 0}, {NULL, "[1]", "T", 0}, {"own", NULL, "O", 0}, {"default", "[1]", "D", 0}}},
        {{{KEY ".tool_use", "T"}, {KEY ".own", "O"}},
         {{NULL, NULL, "'tool_use', 'own' and " NO_DEFAULT, HLM_E_UNSUPPORTED}, {NULL, "[1]", "T", 0}}},
        {{{KEY ".default", "D"}, {KEY ".own", "O"}}, {{NULL, NULL, "D", 0}, {"own", NULL, "O", 0}}},
    };
    static const char *const bad[][4][2] = {
        {{KEY, NULL}}, {{KEY, "D"}, {KEY ".tool_use", NULL}}, {{KEY ".", "D"}}, {{"tokenizer.chat_templates", "own"}}};
    static const char *const words[] = {KEY ": is no string", KEY ".tool_use: is no string", "called ''",
                                        "tokenizer.chat_templates: is no array of strings"};
    folder f;
    hlm_status st;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        hlm_model *m = load_gguf(&f, files[i].files, &st);
        ck_assert_msg(st == HLM_OK, "%zu: %s", i, hlm_last_error());
        check_all(m, files[i].want, "gguf");
        hlm_model_release(m);
        folder_free(&f);
    }
    for (size_t i = 0; i < 4; i++) {
        ck_assert_ptr_null(load_gguf(&f, bad[i], &st));
        ck_assert_int_eq(st, HLM_E_FORMAT);
        ck_assert_msg(strstr(hlm_last_error(), words[i]) != NULL, "%s", hlm_last_error());
        folder_free(&f);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {forms_of_folders, no_templates, too_many, files_of_callbacks, forms_of_gguf};
    return suite_run("templates", tests, sizeof tests / sizeof *tests);
}
