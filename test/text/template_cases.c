/* Renders every case of *.cases.jsonl files and compares: the text must be equal, the message of raise_exception must
 * be the one expected, and other errors must be errors. NAME.jinja lies beside NAME.cases.jsonl. */
#define _POSIX_C_SOURCE 200809L
#include "text/template_cases.h"

#include <stdlib.h>

/* The clock of the cases: 2024-07-26 09:05:03. */
static const int64_t frozen_now = 1721984703;

char *tc_slurp(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    if (!f) return NULL;
    char *p = NULL;
    size_t cap = 0;
    *n = 0;
    for (;;) {
        if (*n + 1 >= cap) {
            cap = cap ? cap * 2 : 1 << 16;
            char *q = realloc(p, cap);
            if (!q) break;
            p = q;
        }
        const size_t got = fread(p + *n, 1, cap - *n - 1, f);
        if (got == 0) break;
        *n += got;
    }
    fclose(f);
    if (p) p[*n] = '\0';
    return p;
}

/* ---- the members of a case, as the text that stands in the file: jansson has no integers past 64 bits, and the cases
 * do */

static const char *skip_string(const char *p, const char *end)
{
    for (p++; p < end && *p != '"'; p++)
        if (*p == '\\') p++;
    return p < end ? p + 1 : end;
}

static const char *skip_value(const char *p, const char *end)
{
    int depth = 0;
    while (p < end) {
        if (*p == '"') {
            p = skip_string(p, end);
            continue;
        }
        if (depth == 0 && (*p == ',' || *p == '}')) break;
        depth += (*p == '{' || *p == '[') - (*p == '}' || *p == ']');
        p++;
    }
    return p;
}

span tc_member(span line, const char *name)
{
    const char *p = line.p + 1, *end = line.p + line.n;
    while (p < end && *p != '}') {
        while (p < end && (*p == ',' || *p == ' ')) p++;
        const char *key = p + 1;
        p = skip_string(p, end);
        const size_t key_n = (size_t)(p - 1 - key);
        while (p < end && (*p == ':' || *p == ' ')) p++;
        const char *value = p;
        p = skip_value(p, end);
        if (key_n != strlen(name) || memcmp(key, name, key_n) != 0) continue;
        while (p > value && p[-1] == ' ') p--;
        return p - value == 4 && memcmp(value, "null", 4) == 0 ? (span){0} : (span){value, (size_t)(p - value)};
    }
    return (span){0};
}

char *tc_text_member(span line, const char *name)
{
    const span s = tc_member(line, name);
    json_t *v = s.p ? json_loadb(s.p, s.n, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL) : NULL;
    char *copy = v && json_is_string(v) ? strdup(json_string_value(v)) : NULL;
    json_decref(v);
    return copy;
}

typedef struct expectation {
    char *id, *text, *error, *kind;
} expectation;

static void complain(const char *file, const expectation *e, const char *what, const char *want, const char *got)
{
    printf("%s: %s: %s\n  want: %.2000s\n  got:  %.2000s\n", file, e->id ? e->id : "?", what, want, got);
}

/* The sentence ends with the message, or as much of it as a sentence holds. */
static bool says(const char *sentence, const char *message)
{
    const char *colon = strstr(sentence, ": ");
    return colon && strncmp(colon + 2, message, strlen(colon + 2)) == 0 &&
        (strlen(colon + 2) == strlen(message) || strlen(sentence) + 1 >= 500);
}

static bool judge(const char *file, const expectation *e, hlm_status st, const char *text)
{
    const char *sentence = hlmi_error();
    if (e->text) {
        if (st == HLM_OK && strcmp(text, e->text) == 0) return true;
        complain(file, e, st == HLM_OK ? "other text" : "an error", e->text, st == HLM_OK ? text : sentence);
        return false;
    }
    if (!e->error || !e->kind) {
        complain(file, e, "a case without expected and error", "", "");
        return false;
    }
    const bool refused = st == HLM_E_TEMPLATE || st == HLM_E_LIMIT;
    if (refused && (strcmp(e->kind, "raise_exception") != 0 || says(sentence, e->error))) return true;
    complain(file, e, st == HLM_OK ? "no error" : "another error", e->error, st == HLM_OK ? text : sentence);
    return false;
}

void tc_input_read(tc_input *in, span line)
{
    const span messages = tc_member(line, "messages"), tools = tc_member(line, "tools"),
               extra = tc_member(line, "extra");
    in->bos = tc_text_member(line, "bos_token");
    in->eos = tc_text_member(line, "eos_token");
    in->chat = (hlmi_chat_input){.messages = {messages.p, messages.n},
                                 .tools = {tools.p, tools.n},
                                 .extra = {extra.p, extra.n},
                                 .bos = {in->bos, in->bos ? strlen(in->bos) : 0},
                                 .eos = {in->eos, in->eos ? strlen(in->eos) : 0},
                                 .add_generation_prompt = tc_member(line, "add_generation_prompt").n == 4,
                                 .now = frozen_now};
}

void tc_input_free(tc_input *in)
{
    free(in->bos);
    free(in->eos);
}

static bool run_case(const char *file, const hlmi_template *t, span line)
{
    const hlmi_mem mem = hlmi_mem_default();
    tc_input in;
    expectation e = {tc_text_member(line, "id"), tc_text_member(line, "expected"), tc_text_member(line, "error"),
                     tc_text_member(line, "error_kind")};
    hlmi_buf out;
    hlmi_buf_init(&out, &mem);
    tc_input_read(&in, line);
    const hlm_status st = hlmi_template_render(t, &mem, &in.chat, &out, NULL);
    const bool ok = judge(file, &e, st, out.data ? out.data : "");
    hlmi_buf_free(&out);
    tc_input_free(&in);
    char *const owned[] = {e.id, e.text, e.error, e.kind};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) free(owned[i]);
    return ok;
}

hlmi_template *tc_load_template(const char *cases_path, const char *folder)
{
    static const char tail[] = ".cases.jsonl";
    const size_t n = strlen(cases_path), k = sizeof tail - 1;
    if (n <= k || strcmp(cases_path + n - k, tail) != 0) return NULL;
    const char *slash = strrchr(cases_path, '/');
    const char *name = folder && slash ? slash + 1 : cases_path;
    char path[4096];
    snprintf(path, sizeof path, "%s%s%.*s.jinja", folder ? folder : "", folder ? "/" : "",
             (int)(n - k - (size_t)(name - cases_path)), name);
    size_t len;
    char *text = tc_slurp(path, &len);
    hlmi_template *t = NULL;
    const hlmi_mem mem = hlmi_mem_default();
    if (!text) printf("%s: can not be read\n", path);
    else if (hlmi_template_new(&mem, text, len, &t) != HLM_OK) printf("%s: %s\n", path, hlmi_error());
    free(text);
    return t;
}

static void run_file(const char *path, const char *folder, tc_tally *all)
{
    size_t n;
    char *text = tc_slurp(path, &n);
    hlmi_template *t = tc_load_template(path, folder);
    int passed = 0, failed = 0;
    if (!text || !t) {
        printf("%s: no cases were run\n", path);
        all->failed++;
        free(text);
        hlmi_template_free(t);
        return;
    }
    for (char *line = text, *end; *line; line = end) {
        end = line + strcspn(line, "\n");
        if (end > line) *(run_case(path, t, (span){line, (size_t)(end - line)}) ? &passed : &failed) += 1;
        end += *end == '\n';
    }
    printf("%s: %d passed, %d failed\n", path, passed, failed);
    all->passed += passed;
    all->failed += failed + (passed + failed == 0);
    hlmi_template_free(t);
    free(text);
}

int main(int argc, char **argv)
{
    tc_tally all = {0};
    if (argc < 2 || strcmp(argv[1], "--help") == 0) {
        printf("usage: %s [--templates FOLDER] NAME.cases.jsonl|TEMPLATE__TOKENIZER.jsonl...\n"
               "Renders the cases of each file with NAME.jinja beside it (or in FOLDER) and compares\n"
               "text and errors; of the others, compares the tokens of rendered chats (the\n"
               "tokenizer is ../tokenizers/TOKENIZER/tokenizer.json). The clock stands at 2024-07-26 09:05:03.\n",
               argv[0]);
        return argc < 2 ? 2 : 0;
    }
    const char *folder = NULL;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--templates") == 0 && i + 1 < argc) folder = argv[++i];
        else if (strstr(argv[i], ".cases.jsonl")) run_file(argv[i], folder, &all);
        else tc_run_e2e(argv[i], &all);
    }
    printf("%d passed, %d failed\n", all.passed, all.failed);
    return all.failed || !all.passed ? EXIT_FAILURE : EXIT_SUCCESS;
}
