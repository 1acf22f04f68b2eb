/* TEMPLATE__TOKENIZER.jsonl: rendered chats and their tokens. Each text must give the recorded ids, and so must the
 * messages it was made from (the case of the same name in ../templates/TEMPLATE.cases.jsonl, where there is one) when
 * only the template's own markers may become special tokens. */
#include "text/template_cases.h"

#include <stdlib.h>

#include "text/cases.h"

typedef struct suite {
    const char *file;
    hlmi_tokenizer *tokenizer;
    hlmi_template *chat;
    char *cases; /* the template's, NULL: none */
} suite;

static void folder_file(char *out, size_t cap, const char *file, const char *sub, const char *name, size_t name_n,
                        const char *tail)
{
    const char *slash = strrchr(file, '/');
    const char *folder = slash ? file : "";
    snprintf(out, cap, "%.*s../%s/%.*s%s", slash ? (int)(slash - file + 1) : 0, folder, sub, (int)name_n, name, tail);
}

static hlmi_tokenizer *load_tokenizer(const char *file, const char *name, size_t n)
{
    char folder[4096];
    bool missing;
    folder_file(folder, sizeof folder, file, "tokenizers", name, n, "");
    hlmi_tokenizer *t = cases_load(folder, "tokenizer.json", &missing);
    if (!t) printf("%s/tokenizer.json: %s\n", folder, missing ? "can not be read" : hlmi_error());
    return t;
}

static bool load(suite *s, const char *file)
{
    char path[4096];
    const char *slash = strrchr(file, '/'), *name = slash ? slash + 1 : file;
    const char *bar = strstr(name, "__"), *dot = strstr(name, ".jsonl");
    size_t n;
    *s = (suite){.file = file};
    if (!bar || !dot) return false;
    s->tokenizer = load_tokenizer(file, bar + 2, (size_t)(dot - bar - 2));
    folder_file(path, sizeof path, file, "templates", name, (size_t)(bar - name), ".cases.jsonl");
    s->cases = tc_slurp(path, &n);
    if (s->cases) s->chat = tc_load_template(path, NULL);
    return s->tokenizer != NULL;
}

static bool is_same(span want, const hlmi_ids *got)
{
    json_t *list = json_loadb(want.p ? want.p : "", want.n, 0, NULL);
    bool same = json_is_array(list) && json_array_size(list) == got->n;
    for (size_t i = 0; same && i < got->n; i++) same = json_integer_value(json_array_get(list, i)) == got->v[i];
    json_decref(list);
    return same;
}

static bool same_ids(const suite *s, const char *id, const char *what, span want, const hlmi_ids *got)
{
    if (is_same(want, got)) return true;
    printf("%s: %s: other tokens of %s\n  want: %.*s\n  got:  [", s->file, id, what, (int)want.n, want.p);
    for (size_t i = 0; i < got->n; i++) printf("%s%d", i ? "," : "", (int)got->v[i]);
    printf("]\n");
    return false;
}

static bool text_gives(const suite *s, const char *id, const char *text, span want)
{
    const hlmi_mem mem = hlmi_mem_default();
    hlmi_ids ids;
    hlmi_ids_init(&ids, &mem);
    const hlm_status st = hlmi_tokenizer_encode(s->tokenizer, text, strlen(text), HLM_TOKENIZE_PARSE_SPECIAL, &ids);
    if (st != HLM_OK) printf("%s: %s: %s\n", s->file, id, hlmi_error());
    const bool same = st == HLM_OK && same_ids(s, id, "the text", want, &ids);
    hlmi_ids_free(&ids);
    return same;
}

/* Does a message spell one of the recorded special tokens? Then it must not become one. */
static bool spells_marker(const suite *s, const hlmi_buf *text, const hlmi_buf *trusted, span ids)
{
    json_t *list = json_loadb(ids.p ? ids.p : "", ids.n, 0, NULL);
    bool found = false;
    for (size_t i = 0; i < json_array_size(list) && !found; i++) {
        const int32_t id = (int32_t)json_integer_value(json_array_get(list, i));
        const hlmi_str marker = hlmi_tokenizer_text(s->tokenizer, id);
        if (!hlmi_tokenizer_is_special(s->tokenizer, id) || marker.len == 0) continue;
        for (size_t at = 0; at + marker.len <= text->len && !found; at++)
            found = memcmp(text->data + at, marker.s, marker.len) == 0 && memchr(trusted->data + at, 0, marker.len);
    }
    json_decref(list);
    return found;
}

static bool messages_give(const suite *s, const char *id, const char *text, span line, span want)
{
    const hlmi_mem mem = hlmi_mem_default();
    hlmi_buf out, trusted;
    hlmi_ids ids;
    tc_input in;
    bool same = true;
    hlmi_buf_init(&out, &mem);
    hlmi_buf_init(&trusted, &mem);
    hlmi_ids_init(&ids, &mem);
    tc_input_read(&in, line);
    hlm_status st = hlmi_template_render(s->chat, &mem, &in.chat, &out, &trusted);
    const bool as_recorded = st == HLM_OK && out.len == strlen(text) && memcmp(out.data, text, out.len) == 0;
    if (as_recorded) {
        st = hlmi_tokenizer_encode_traced(s->tokenizer, out.data, out.len, trusted.data, &ids);
        if (st != HLM_OK) same = false;
        else if (!spells_marker(s, &out, &trusted, want)) same = same_ids(s, id, "the messages", want, &ids);
        else if (is_same(want, &ids)) same = !printf("%s: %s: a message's marker became special\n", s->file, id);
    }
    if (st != HLM_OK) printf("%s: %s: %s\n", s->file, id, hlmi_error());
    tc_input_free(&in);
    hlmi_ids_free(&ids);
    hlmi_buf_free(&out);
    hlmi_buf_free(&trusted);
    return same && st == HLM_OK;
}

/* The template's case `id`, an empty span when there is none. */
static span find_case(const suite *s, const char *id)
{
    for (const char *line = s->chat ? s->cases : "", *end; *line; line = end) {
        end = line + strcspn(line, "\n");
        const span at = {line, (size_t)(end - line)};
        char *name = tc_text_member(at, "id");
        const bool hit = name && strcmp(name, id) == 0;
        free(name);
        if (hit) return at;
        end += *end == '\n';
    }
    return (span){0};
}

static bool run_line(const suite *s, span line)
{
    char *id = tc_text_member(line, "case"), *text = tc_text_member(line, "text");
    const span want = tc_member(line, "ids"), origin = id ? find_case(s, id) : (span){0};
    bool ok = id && text && text_gives(s, id, text, want);
    if (ok && origin.p) ok = messages_give(s, id, text, origin, want);
    free(id);
    free(text);
    return ok;
}

void tc_run_e2e(const char *path, tc_tally *all)
{
    size_t n;
    suite s;
    int passed = 0, failed = 0;
    char *lines = tc_slurp(path, &n);
    if (load(&s, path) && lines) {
        for (char *line = lines, *end; *line; line = end) {
            end = line + strcspn(line, "\n");
            if (end > line) *(run_line(&s, (span){line, (size_t)(end - line)}) ? &passed : &failed) += 1;
            end += *end == '\n';
        }
    }
    printf("%s: %d passed, %d failed\n", path, passed, failed);
    all->passed += passed;
    all->failed += failed + (passed + failed == 0);
    hlmi_tokenizer_free(s.tokenizer);
    hlmi_template_free(s.chat);
    free(s.cases);
    free(lines);
}
