/* Vocabularies through the public API: tokens beyond the model's rows, vocab.json with merges.txt, files alone, and
 * what end an answer by files beside the tokenizer. */
#define _GNU_SOURCE 1
#include "unit/folder.h"

static const char *models = "test/data/models";

/* ---- a model whose tokenizer has more ids than rows: tiny-llama has 288 ---- */

typedef struct log_lines {
    char text[4096];
    int32_t worst;
} log_lines;

static void keep_line(void *user, int32_t level, const char *text)
{
    log_lines *l = user;
    if (level != HLM_LOG_WARN) return;
    strncat(l->text, text, sizeof l->text - strlen(l->text) - 2);
    strcat(l->text, "\n");
}

static char *slurp(const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/tiny-llama/%s", models, name);
    FILE *f = fopen(path, "rb");
    ck_assert_msg(f != NULL, "%s", path);
    char *s = calloc(1, 65536);
    ck_assert_uint_gt(fread(s, 1, 65535, f), 0);
    fclose(f);
    return s;
}

/* `at`, which is in the text, replaced. */
static char *replaced(char *text, const char *at, const char *by)
{
    char *p = strstr(text, at), *s = calloc(1, 65536);
    ck_assert_msg(p != NULL, "%s", at);
    snprintf(s, 65536, "%.*s%s%s", (int)(p - text), text, by, p + strlen(at));
    free(text);
    return s;
}

typedef struct beyond {
    const char *added; /* more entries of added_tokens */
    const char *config, *map, *generation; /* side files, or NULL */
    const char *log; /* words of it, divided by '|' */
    int32_t bos, eos, pad, unk;
} beyond;

#define PAD "{\"id\":288,\"content\":\"[PAD]\",\"special\":true}"
#define CONFIG(more) "{\"bos_token\":\"<|begin|>\"," more "}"

static const beyond cases[] = {
    {NULL, CONFIG("\"eos_token\":\"<|end|>\",\"pad_token\":\"[PAD]\""), NULL, NULL,
     "token 288, '[PAD]', is beyond the embedding's 288 rows|pad is the id 288", 286, 287, -1, -1},
    {PAD, CONFIG("\"eos_token\":\"<|end|>\",\"pad_token\":\"[PAD]\""), NULL, NULL, "'[PAD]'|pad is the id 288", 286,
     287, -1, -1},
    {PAD, NULL, NULL, "{\"pad_token_id\":288}", "'[PAD]'|pad is the id 288", 286, 287, -1, -1},
    {NULL, NULL, "{\"pad_token\":{\"content\":\"[PAD]\",\"lstrip\":true}}", NULL, "'[PAD]'|pad", 286, 287, -1, -1},
    {NULL, CONFIG("\"eos_token\":\"<|stop|>\",\"unk_token\":\"<unk>\""), NULL, NULL,
     "'<|stop|>'|'<unk>'|eos, which the model can not produce, is the id 288|unk is the id 289", 286, -1, -1, -1},
    {NULL, "{\"bos_token\":\"<s>\",\"eos_token\":\"<|end|>\"}", NULL, NULL, "'<s>'|bos is the id 288", -1, 287, -1, -1},
    {NULL, CONFIG("\"eos_token\":\"<|end|>\",\"additional_special_tokens\":[\"<a>\",\"<b>\"]"), NULL, NULL,
     "token 288, '<a>'|token 289, '<b>'", 286, 287, -1, -1},
    {NULL, CONFIG("\"eos_token\":\"<|end|>\",\"added_tokens_decoder\":{\"290\":{\"content\":\"<z>\"}}"), NULL, NULL,
     "token 290, '<z>'", 286, 287, -1, -1},
};

static hlm_status load_beyond(const beyond *c, folder *f, log_lines *log, hlm_model **m)
{
    char from[8192], to[256];
    char *json = slurp("tokenizer.json"), *at = strstr(json, "\"added_tokens\"");
    ck_assert_ptr_nonnull(at);
    if (c->added) {
        char *tail = strdup(strchr(at, ']')); /* at the end of the list */
        json = replaced(json, tail, ",");
        strcat(json, c->added);
        strcat(json, tail);
        free(tail);
    }
    folder_new(f);
    folder_text(f, "tokenizer.json", json);
    free(json);
    char *config = slurp("config.json");
    folder_text(f, "config.json", config);
    free(config);
    if (c->config) folder_text(f, "tokenizer_config.json", c->config);
    if (c->map) folder_text(f, "special_tokens_map.json", c->map);
    if (c->generation) folder_text(f, "generation_config.json", c->generation);
    ck_assert_ptr_nonnull(realpath(models, from));
    strcat(from, "/tiny-llama/model.safetensors");
    snprintf(to, sizeof to, "%s/model.safetensors", f->path);
    ck_assert_int_eq(symlink(from, to), 0);
    snprintf(f->names[f->n++], 64, "model.safetensors");
    const hlm_log lines = {.struct_size = sizeof lines, .user = log, .write = keep_line};
    const hlm_model_params p = {.struct_size = sizeof p, .log = &lines};
    *log = (log_lines){.text = ""};
    return hlm_model_load(m, f->path, &p);
}

START_TEST(tokens_beyond_the_rows)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        folder f;
        log_lines log;
        hlm_model *m = NULL;
        int32_t ids[64];
        size_t n = 0;
        char text[64];
        const hlm_status st = load_beyond(&cases[i], &f, &log, &m);
        ck_assert_msg(st == HLM_OK, "case %zu: %s", i, hlm_last_error());
        char *words = strdup(cases[i].log);
        for (char *w = strtok(words, "|"); w; w = strtok(NULL, "|"))
            ck_assert_msg(strstr(log.text, w) != NULL, "case %zu: '%s' lacks '%s'", i, log.text, w);
        free(words);
        hlm_model_info info = {.struct_size = sizeof info};
        ck_assert_int_eq(hlm_model_info_get(m, &info), HLM_OK);
        ck_assert_msg(info.bos_token == cases[i].bos && info.eos_token == cases[i].eos &&
                          info.pad_token == cases[i].pad && info.unk_token == cases[i].unk,
                      "case %zu: %d %d %d %d", i, info.bos_token, info.eos_token, info.pad_token, info.unk_token);
        static const char *const texts[] = {"a[PAD]b", "a<|stop|>b", "a<a><b><z><s><unk>b"};
        for (size_t k = 0; k < 3; k++) { /* no text, and no id, stands for it */
            ck_assert_int_eq(hlm_tokenize(m, texts[k], strlen(texts[k]), 3, ids, 64, &n), HLM_OK);
            for (size_t t = 0; t < n; t++) ck_assert_int_lt(ids[t], 288);
            ck_assert_int_eq(hlm_detokenize(m, ids, n, 1, text, sizeof text, &n), HLM_OK);
            ck_assert_msg(n == strlen(texts[k]) && memcmp(text, texts[k], n) == 0, "%.*s", (int)n, text);
        }
        ck_assert_int_eq(hlm_detokenize(m, (const int32_t[]){288}, 1, 0, text, sizeof text, &n), HLM_E_TOKEN);
        ck_assert_int_eq(hlm_model_token_ends(m, 288), 0);
        hlm_model_release(m);
        folder_free(&f);
    }
}
END_TEST

/* A word of the vocabulary beyond the rows: texts would fail now and then. */
START_TEST(words_beyond_the_rows)
{
    folder f;
    log_lines log;
    hlm_model *m = NULL;
    const beyond c = {.added = NULL};
    ck_assert_int_eq(load_beyond(&c, &f, &log, &m), HLM_OK);
    hlm_model_release(m);
    folder_free(&f);
    char *json = slurp("tokenizer.json");
    json = replaced(json, "\"vocab\": {", "\"vocab\": {\"word\": 300, ");
    folder_new(&f);
    folder_text(&f, "tokenizer.json", json);
    free(json);
    char *config = slurp("config.json"), from[8192], to[256];
    folder_text(&f, "config.json", config);
    free(config);
    ck_assert_ptr_nonnull(realpath(models, from));
    strcat(from, "/tiny-llama/model.safetensors");
    snprintf(to, sizeof to, "%s/model.safetensors", f.path);
    ck_assert_int_eq(symlink(from, to), 0);
    snprintf(f.names[f.n++], 64, "model.safetensors");
    ck_assert_int_eq(hlm_model_load(&m, f.path, NULL), HLM_E_FORMAT);
    ck_assert_msg(strstr(hlm_last_error(), "ids up to 300 ('word'), the embedding 288 rows") != NULL, "%s",
                  hlm_last_error());
    folder_free(&f);
}
END_TEST

/* Ids of a GGUF file that no token has. */
START_TEST(ids_beyond_the_vocabulary)
{
    static const char *const keys[] = {"bos", "eos", "unknown", "padding", "eot", "eom"};
    static const char *const tokens[] = {"<unk>", "<s>", "</s>", "\u2581a", "a"};
    for (size_t i = 0; i < 6; i++) {
        static gguf g;
        folder f;
        log_lines log = {.text = ""};
        hlm_model *m = NULL;
        char path[128], key[160];
        snprintf(key, sizeof key, "tokenizer.ggml.%s_token_id", keys[i]);
        gguf_begin(&g);
        gguf_text(&g, "general.architecture", "llama");
        gguf_text(&g, "tokenizer.ggml.model", "llama");
        gguf_texts(&g, "tokenizer.ggml.tokens", tokens, 5);
        gguf_number(&g, key, 5);
        folder_new(&f);
        folder_add(&f, "a.gguf", g.data, g.n);
        snprintf(path, sizeof path, "%s/a.gguf", f.path);
        const hlm_log lines = {.struct_size = sizeof lines, .user = &log, .write = keep_line};
        const hlm_model_params p = {.struct_size = sizeof p, .flags = HLM_LOAD_VOCAB_ONLY, .log = &lines};
        ck_assert_msg(hlm_model_load(&m, path, &p) == HLM_OK, "%s", hlm_last_error());
        strcat(key, " is 5, the vocabulary has 5 tokens: unset");
        ck_assert_msg(strstr(log.text, key) != NULL, "'%s' lacks '%s'", log.text, key);
        hlm_model_release(m);
        folder_free(&f);
    }
}
END_TEST

/* ---- vocab.json and merges.txt ---- */

static const char words[] =
    "{\"a\":0,\"b\":1,\"ab\":2,\"\u0120\":3,\"\u0120a\":4,\"1\":5,\"<|endoftext|>\":6,\"\u00c4\":7}";
static const char pairs[] = "#version: 0.2\na b\n\u0120 a\n";

/* Ids of a text as digits. */
static void ids_are(const hlm_model *m, const char *text, uint32_t flags, const char *want)
{
    int32_t ids[64];
    char got[128] = "";
    size_t n = 0;
    ck_assert_msg(hlm_tokenize(m, text, strlen(text), flags, ids, 64, &n) == HLM_OK, "%s", hlm_last_error());
    for (size_t i = 0; i < n; i++) snprintf(got + strlen(got), 16, i ? " %d" : "%d", (int)ids[i]);
    ck_assert_str_eq(got, want);
}

START_TEST(folders_of_old_files)
{
    static const struct {
        const char *config, *model; /* tokenizer_config.json or NULL, config.json */
        const char *plain, *all; /* ids of "ab a1<|endoftext|>", with both flags; or words of the error */
        hlm_status st;
    } files[] = {
        {"{\"tokenizer_class\":\"GPT2Tokenizer\"}", "{}", "2 4 5 0 0", "2 4 5 6", HLM_OK},
        {"{\"tokenizer_class\":\"GPT2TokenizerFast\",\"add_prefix_space\":true}", "{}", NULL, "3 2 4 5 6", HLM_OK},
        {"{\"tokenizer_class\":\"GPT2Tokenizer\",\"add_bos_token\":true}", "{}", NULL, "6 2 4 5 6", HLM_OK},
        {"{\"tokenizer_class\":\"CodeGenTokenizer\",\"add_eos_token\":true}", "{}", NULL, "2 4 5 6 6", HLM_OK},
        {"{\"tokenizer_class\":\"Qwen2Tokenizer\"}", "{\"model_type\":\"mamba\"}", NULL, "2 4 5 6", HLM_OK},
        {NULL, "{\"tokenizer_class\":\"Qwen2Tokenizer\",\"model_type\":\"unheard\"}", NULL, "2 4 5 6", HLM_OK},
        {NULL, "{\"model_type\":\"gpt2\"}", NULL, "2 4 5 6", HLM_OK},
        {NULL, "{\"model_type\":\"qwen3\"}", NULL, "2 4 5 6", HLM_OK},
        {NULL, "{\"model_type\":\"phi\"}", NULL, "2 4 5 6", HLM_OK},
        {"{\"tokenizer_class\":\"RobertaTokenizer\"}", "{}", NULL, "8 2 4 5 9", HLM_OK},
        {"{\"tokenizer_class\":\"WhisperTokenizer\"}", "{\"model_type\":\"qwen2\"}",
         "tokenizer_class 'WhisperTokenizer'", NULL, HLM_E_UNSUPPORTED},
        {"{\"tokenizer_class\":\"LlamaTokenizer\"}", "{}", "tokenizer_class 'LlamaTokenizer'", NULL, HLM_E_UNSUPPORTED},
        {NULL, "{\"model_type\":\"unheard\"}", "model_type 'unheard'", NULL, HLM_E_UNSUPPORTED},
        {NULL, "{}", "no file names a tokenizer_class", NULL, HLM_E_UNSUPPORTED},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        folder f;
        hlm_status st;
        folder_new(&f);
        folder_text(&f, "config.json", files[i].model);
        if (files[i].config) folder_text(&f, "tokenizer_config.json", files[i].config);
        folder_text(&f, "vocab.json", words);
        folder_text(&f, "merges.txt", pairs);
        static const char *const ways[] = {"", "/vocab.json", "/merges.txt"};
        for (size_t k = 0; k < 3; k++) { /* the folder, and one of the files alone */
            char path[128];
            snprintf(path, sizeof path, "%s%s", f.path, ways[k]);
            hlm_model *m = load_vocab(path, &st);
            ck_assert_msg(st == files[i].st, "%zu, %s: %s", i, ways[k], hlm_last_error());
            if (!m) ck_assert_msg(strstr(hlm_last_error(), files[i].plain) != NULL, "%s", hlm_last_error());
            if (m && files[i].all) ids_are(m, "ab a1<|endoftext|>", 3, files[i].all);
            hlm_model_release(m);
        }
        folder_free(&f);
    }
}
END_TEST

START_TEST(broken_old_files)
{
    static const struct {
        const char *vocab, *merges, *error;
    } files[] = {
        {words, "a b\nab\n", "merges.txt, line 2: 'ab' is not two tokens"},
        {words, "a b c\n", "merges.txt, line 1: 'a b c' is not two tokens"},
        {words, "a \n", "merges.txt, line 1"},
        {words, " a\n", "merges.txt, line 1"},
        {words, "\xff\xff b\n", "merges.txt, line 1 is not UTF-8"},
        {"[1]", pairs, "vocab.json: "},
        {"{\"a\":-1}", pairs, "vocab.json: "},
        {"{\"a\":1,\"b\":1}", "", "two tokens have the id 1"},
        {"{", pairs, "vocab.json"},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        folder f;
        hlm_status st;
        folder_new(&f);
        folder_text(&f, "config.json", "{\"model_type\":\"gpt2\"}");
        folder_text(&f, "vocab.json", files[i].vocab);
        folder_text(&f, "merges.txt", files[i].merges);
        ck_assert_ptr_null(load_vocab(f.path, &st));
        ck_assert_msg(st == HLM_E_FORMAT && strstr(hlm_last_error(), files[i].error), "%zu: %d %s", i, (int)st,
                      hlm_last_error());
        folder_free(&f);
    }
}
END_TEST

/* PREFIX-vocab.json has its merges beside it, and neither stands alone. */
START_TEST(pairs_of_files)
{
    folder f;
    hlm_status st;
    char path[128];
    folder_new(&f);
    folder_text(&f, "tokenizer_config.json", "{\"tokenizer_class\":\"GPT2Tokenizer\"}");
    folder_text(&f, "gpt2-vocab.json", words);
    snprintf(path, sizeof path, "%s/gpt2-vocab.json", f.path);
    ck_assert_ptr_null(load_vocab(path, &st));
    ck_assert_int_eq(st, HLM_E_IO);
    ck_assert_msg(strstr(hlm_last_error(), "gpt2-vocab.json is there without gpt2-merges.txt") != NULL, "%s",
                  hlm_last_error());
    folder_text(&f, "gpt2-merges.txt", pairs);
    hlm_model *m = load_vocab(path, &st);
    ck_assert_msg(m != NULL, "%s", hlm_last_error());
    ids_are(m, "ab a", 0, "2 4");
    hlm_model_release(m);
    folder_free(&f);
}
END_TEST

/* ---- files beside a tokenizer ---- */

static const char tokenizer[] =
    "{\"added_tokens\":[{\"id\":3,\"content\":\"<x>\",\"special\":true},{\"id\":4,\"content\":\"<y>\",\"special\":"
    "false},"
    "{\"id\":5,\"content\":\"<z>\",\"special\":true}],\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":1,\"ab\":2},"
    "\"merges\":[\"a b\"]}}";

START_TEST(ids_of_configurations)
{
    static const struct {
        const char *config, *generation, *tokenizer;
        int32_t bos, eos, pad;
        const char *ends; /* a digit for each of the six ids */
    } files[] = {
        {"{}", NULL, NULL, -1, -1, -1, "000000"},
        {"{\"eos_token_id\":3,\"bos_token_id\":5,\"pad_token_id\":4}", NULL, NULL, 5, 3, 4, "000100"},
        {"{\"eos_token_id\":3}", "{\"eos_token_id\":[4,5],\"bos_token_id\":3}", NULL, 3, 4, -1, "000011"},
        {"{\"eos_token_id\":3}", "{\"eos_token_id\":null}", NULL, -1, 3, -1, "000100"},
        {"{\"eos_token_id\":3}", NULL, "{\"eos_token\":\"<z>\"}", -1, 5, -1, "000101"},
        {"{\"eos_token_id\":3,\"bos_token_id\":4}", NULL, "{\"eos_token\":null,\"bos_token\":null}", -1, -1, -1,
         "000100"},
        {"{\"eos_token_id\":99,\"bos_token_id\":4294967299}", "{\"pad_token_id\":-1}", NULL, -1, -1, -1, "000000"},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        folder f;
        hlm_status st;
        folder_new(&f);
        folder_text(&f, "config.json", files[i].config);
        folder_text(&f, "tokenizer.json", tokenizer);
        if (files[i].generation) folder_text(&f, "generation_config.json", files[i].generation);
        if (files[i].tokenizer) folder_text(&f, "tokenizer_config.json", files[i].tokenizer);
        hlm_model *m = load_vocab(f.path, &st);
        ck_assert_msg(m != NULL, "%s", hlm_last_error());
        hlm_model_info info = {.struct_size = sizeof info};
        ck_assert_int_eq(hlm_model_info_get(m, &info), HLM_OK);
        ck_assert_msg(info.bos_token == files[i].bos && info.eos_token == files[i].eos &&
                          info.pad_token == files[i].pad,
                      "case %zu: %d %d %d", i, info.bos_token, info.eos_token, info.pad_token);
        for (int32_t id = 0; id < 6; id++)
            ck_assert_msg(hlm_model_token_ends(m, id) == files[i].ends[id] - '0', "case %zu: %d", i, (int)id);
        hlm_model_release(m);
        folder_free(&f);
    }
}
END_TEST

int main(int argc, char **argv)
{
    const TTest *const tests[] = {tokens_beyond_the_rows, words_beyond_the_rows, ids_beyond_the_vocabulary,
                                  folders_of_old_files,   broken_old_files,      pairs_of_files,
                                  ids_of_configurations};
    if (argc > 1) models = argv[1];
    return suite_run("vocab", tests, sizeof tests / sizeof *tests);
}
