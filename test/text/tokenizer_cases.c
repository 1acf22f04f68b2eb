/* tokenizer_cases FOLDER...: holds tokenizers against recorded answers.
 *
 * Each folder has a tokenizer (tokenizer.json or .json.xz, perhaps vocab.gguf and tokenizer.model) and cases, one JSON
 * object a line:
 *   cases.jsonl         text, ids, add_special, parse_special, decoded, decoded_skip_special
 *   decode_cases.jsonl  ids, decoded, decoded_skip_special
 *   bytes_cases.jsonl   hex, tokenizers_ids_of_replaced_text
 *   differs_sentencepiece.jsonl  text, tokenizers, sentencepiece: ids where SentencePiece itself differs
 *   differs_llama_cpp.jsonl  text, add_special, parse_special, llama_cpp: what a GGUF's tokenizer
 *                       answers where it differs from tokenizer.json's
 * The lists of differences leave out some long texts, and facts.json says how many: so many cases of a GGUF that agree
 * with no list are counted as undecided, neither passed nor failed.
 * A GGUF or .model carries no decoder: its texts are compared when tokenizer.json's decoder is the one that such
 * vocabularies imply (bytes from byte-level characters or from <0xNN> tokens).
 * Of a .model SentencePiece's own answers are right, too. Its list holds texts without special tokens in or around them
 * only: where there is a list, a case with them that differs is undecided. Cases that name tokens which tokenizer.json
 * adds and the .model does not have are left out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text/cases.h"

enum { MAX_SHOWN = 5 };

static void fail(tally *t, const char *group, size_t line, const char *what, const char *want, const char *got)
{
    t->failed++;
    if (t->shown++ < MAX_SHOWN)
        printf("    %s:%zu %s\n      want %.300s\n      got  %.300s\n", group, line, what, want, got);
}

/* ---- comparing ---- */

static char *ids_text(const int32_t *v, size_t n)
{
    char *s = malloc(n * 12 + 3), *p = s;
    *p++ = '[';
    for (size_t i = 0; i < n; i++) p += sprintf(p, i ? ",%d" : "%d", (int)v[i]);
    strcpy(p, "]");
    return s;
}

static bool same_ids(const json_t *want, const hlmi_ids *got)
{
    if (json_array_size(want) != got->n) return false;
    for (size_t i = 0; i < got->n; i++)
        if (json_integer_value(json_array_get(want, i)) != got->v[i]) return false;
    return true;
}

static bool same_text(const json_t *want, const hlmi_buf *got)
{
    return json_string_length(want) == got->len &&
        (got->len == 0 || memcmp(json_string_value(want), got->data, got->len) == 0);
}

/* One check is one passed or failed. */
static void check_ids(tally *t, const char *group, size_t line, const hlmi_tokenizer *tok, const char *text, size_t len,
                      uint32_t flags, const json_t *want, const json_t *also, size_t *undecided)
{
    const hlmi_mem mem = hlmi_mem_default();
    hlmi_ids ids;
    hlmi_ids_init(&ids, &mem);
    const hlm_status st = hlmi_tokenizer_encode(tok, text, len, flags, &ids);
    if (st == HLM_OK && (same_ids(want, &ids) || (also && same_ids(also, &ids)))) {
        t->passed++;
    } else if (st == HLM_OK && undecided && *undecided > 0) {
        (*undecided)--;
    } else {
        char *w = json_dumps(want, JSON_COMPACT), *g = ids_text(ids.v, st == HLM_OK ? ids.n : 0), what[400];
        snprintf(what, sizeof what, "ids of '%.200s'%s%s", text, st == HLM_OK ? "" : ": ",
                 st == HLM_OK ? "" : hlmi_error());
        fail(t, group, line, what, w, g);
        free(w);
        free(g);
    }
    hlmi_ids_free(&ids);
}

/* The pieces of a stream joined; false when one is not whole characters. */
static bool stream_text(const hlmi_tokenizer *tok, const int32_t *v, size_t n, uint32_t flags, hlmi_buf *out)
{
    const hlmi_mem mem = hlmi_mem_default();
    hlmi_tstream *s;
    bool whole = true;
    if (hlmi_tstream_new(&s, &mem, tok, flags) != HLM_OK) return false;
    for (size_t i = 0; i <= n && whole; i++) {
        const char *text;
        size_t len;
        const hlm_status st = i < n ? hlmi_tstream_push(s, v[i], &text, &len) : hlmi_tstream_finish(s, &text, &len);
        json_t *piece = st == HLM_OK ? json_stringn(text, len) : NULL; /* checks that it is UTF-8 */
        whole = piece != NULL;
        json_decref(piece);
        if (whole) hlmi_buf_add(out, text, len);
    }
    hlmi_tstream_free(s);
    return whole;
}

static void check_text(tally *t, const char *group, size_t line, const hlmi_tokenizer *tok, const json_t *ids,
                       uint32_t flags, const json_t *want)
{
    const hlmi_mem mem = hlmi_mem_default();
    const size_t n = json_array_size(ids);
    int32_t *v = malloc((n + 1) * sizeof *v);
    hlmi_buf whole, joined;
    hlmi_buf_init(&whole, &mem);
    hlmi_buf_init(&joined, &mem);
    for (size_t i = 0; i < n; i++) v[i] = (int32_t)json_integer_value(json_array_get(ids, i));
    const hlm_status st = hlmi_tokenizer_decode(tok, v, n, flags, &whole);
    const bool streamed = stream_text(tok, v, n, flags, &joined);
    char *list = ids_text(v, n), what[300];
    snprintf(what, sizeof what, "%s of %.200s", flags ? "text without specials" : "text", list);
    if (st == HLM_OK && same_text(want, &whole)) t->passed++;
    else fail(t, group, line, what, json_string_value(want), whole.len ? whole.data : "");
    snprintf(what, sizeof what, "stream of %.200s", list);
    if (streamed && same_text(want, &joined)) t->passed++;
    else fail(t, group, line, what, json_string_value(want), joined.len ? joined.data : "");
    free(list);
    free(v);
    hlmi_buf_free(&whole);
    hlmi_buf_free(&joined);
}

/* ---- one line of each file ---- */

/* What a GGUF's tokenizer answers otherwise: [text, add_special, parse_special] to ids. */
typedef struct run {
    const hlmi_tokenizer *tok;
    const char *group;
    json_t *differs;
    json_t *own; /* of a .model: SentencePiece's own answers, by text */
    json_t *missing; /* of a .model: added tokens that it does not have */
    size_t *left_out;
    bool texts; /* compare decoded text */
    size_t *undecided; /* cases that may still be so */
} run;

static char *case_key(const json_t *c)
{
    const json_t *text = json_object_get(c, "text");
    char *key = malloc(json_string_length(text) + 3);
    key[0] = json_is_true(json_object_get(c, "add_special")) ? 'a' : '-';
    key[1] = json_is_true(json_object_get(c, "parse_special")) ? 'p' : '-';
    memcpy(key + 2, json_string_value(text), json_string_length(text) + 1);
    return key;
}

static const json_t *expected_ids(const run *r, const json_t *c)
{
    char *key = case_key(c);
    const json_t *other = json_object_getn(r->differs, key, json_string_length(json_object_get(c, "text")) + 2);
    free(key);
    return other ? other : json_object_get(c, "ids");
}

static void encode_case(const run *r, tally *t, size_t line, const json_t *c)
{
    const json_t *text = json_object_get(c, "text");
    uint32_t flags = 0;
    if (json_is_true(json_object_get(c, "add_special"))) flags |= HLM_TOKENIZE_ADD_SPECIAL;
    if (json_is_true(json_object_get(c, "parse_special"))) flags |= HLM_TOKENIZE_PARSE_SPECIAL;
    const json_t *want = expected_ids(r, c);
    const json_t *own = json_object_get(r->own, json_string_value(text));
    json_t *also =
        own ? cases_spliced(want, json_object_get(own, "tokenizers"), json_object_get(own, "sentencepiece")) : NULL;
    const bool open = want == json_object_get(c, "ids") &&
        (!r->own || (flags & HLM_TOKENIZE_ADD_SPECIAL) || cases_spells_special(r->tok, json_string_value(text)));
    check_ids(t, r->group, line, r->tok, json_string_value(text), json_string_length(text), flags, want, also,
              open ? r->undecided : NULL);
    json_decref(also);
}

static bool left_out(const run *r, const json_t *c)
{
    if (!cases_needs_missing(r->missing, r->tok, c)) return false;
    ++*r->left_out;
    return true;
}

static void decode_case(const run *r, tally *t, size_t line, const json_t *c)
{
    const json_t *ids = json_object_get(c, "ids"), *want = json_object_get(c, "decoded");
    if (!want || !r->texts || left_out(r, c)) return;
    check_text(t, r->group, line, r->tok, ids, 0, want);
    check_text(t, r->group, line, r->tok, ids, HLM_DETOKENIZE_SKIP_SPECIAL, json_object_get(c, "decoded_skip_special"));
}

static void text_case(const run *r, tally *t, size_t line, const json_t *c)
{
    if (left_out(r, c)) return;
    encode_case(r, t, line, c);
    decode_case(r, t, line, c);
}

static int hex_value(char c)
{
    return c <= '9' ? c - '0' : c - 'a' + 10;
}

static void bytes_case(const run *r, tally *t, size_t line, const json_t *c)
{
    const char *hex = json_string_value(json_object_get(c, "hex"));
    const size_t n = strlen(hex) / 2;
    char *bytes = malloc(n + 1);
    for (size_t i = 0; i < n; i++) bytes[i] = (char)(hex_value(hex[2 * i]) * 16 + hex_value(hex[2 * i + 1]));
    bytes[n] = '\0';
    const json_t *want = json_object_get(c, "tokenizers_ids_of_replaced_text");
    const json_t *own = r->own ? json_object_get(c, "sentencepiece_ids") : NULL;
    check_ids(t, r->group, line, r->tok, bytes, n, 0, want, own, NULL);
    free(bytes);
}

static void differs_case(const run *r, tally *t, size_t line, const json_t *c)
{
    (void)t;
    (void)line;
    char *key = case_key(c);
    json_object_setn(r->differs, key, json_string_length(json_object_get(c, "text")) + 2,
                     json_object_get(c, "llama_cpp"));
    free(key);
}

static void own_case(const run *r, tally *t, size_t line, const json_t *c)
{
    (void)t;
    (void)line;
    json_object_set(r->own, json_string_value(json_object_get(c, "text")), (json_t *)(uintptr_t)c);
}

typedef void case_fn(const run *r, tally *t, size_t line, const json_t *c);

/* Runs every line of a file; 0 when it is not there. */
static size_t each_line(const run *r, tally *t, const char *folder, const char *name, case_fn *fn)
{
    size_t len, lines = 0;
    char *text = cases_slurp(folder, name, &len);
    if (!text) return 0;
    for (char *p = text, *end; p < text + len; p = end + 1) {
        json_error_t err;
        end = memchr(p, '\n', (size_t)(text + len - p));
        if (!end) end = text + len;
        if (end == p) continue;
        json_t *c = json_loadb(p, (size_t)(end - p), JSON_ALLOW_NUL, &err);
        lines++;
        if (c) fn(r, t, lines, c);
        else fail(t, name, lines, err.text, "JSON", "");
        json_decref(c);
    }
    free(text);
    return lines;
}

/* ---- folders ---- */

static void run_group(const run *r, tally *all, const char *folder, const char *file, case_fn *fn)
{
    tally t = {0};
    const size_t lines = each_line(r, &t, folder, file, fn);
    if (lines)
        printf("  %-16s %-26s %5zu cases, %6zu checks passed, %zu failed\n", r->group, file, lines, t.passed, t.failed);
    all->passed += t.passed;
    all->failed += t.failed;
}

/* Differences to llama.cpp that facts.json counts and the list leaves out. */
static size_t count_undecided(const char *folder, size_t listed)
{
    size_t len;
    char *text = cases_slurp(folder, "facts.json", &len);
    json_t *facts = text ? json_loadb(text, len, 0, NULL) : NULL;
    const json_int_t n = json_integer_value(json_object_get(facts, "differs_from_llama_cpp"));
    json_decref(facts);
    free(text);
    return n > (json_int_t)listed ? (size_t)n - listed : 0;
}

/* Is tokenizer.json's decoder the one that the kind of vocabulary implies? */
static bool implied_decoder(const char *folder)
{
    size_t len;
    char *text = cases_slurp(folder, "tokenizer.json", &len);
    json_t *root = text ? json_loadb(text, len, JSON_ALLOW_NUL, NULL) : NULL;
    char *decoder = json_dumps(json_object_get(root, "decoder"), 0);
    const bool alike = decoder && (strstr(decoder, "ByteLevel") || strstr(decoder, "ByteFallback"));
    free(decoder);
    json_decref(root);
    free(text);
    return alike;
}

/* The cases of one tokenizer file. */
static void run_cases(run *r, tally *t, const char *folder, const char *cases)
{
    const bool json = strstr(r->group, ".json") != NULL, gguf = strstr(r->group, ".gguf") != NULL;
    const bool main_cases = strcmp(cases, "cases.jsonl") == 0;
    size_t undecided = 0, left = 0;
    r->left_out = &left;
    if (gguf && main_cases) {
        undecided = count_undecided(folder, each_line(r, t, folder, "differs_llama_cpp.jsonl", differs_case));
        r->undecided = &undecided;
    }
    if (r->own && each_line(r, t, folder, "differs_sentencepiece.jsonl", own_case)) {
        undecided = SIZE_MAX;
        r->undecided = &undecided;
    }
    r->texts = json || implied_decoder(folder);
    const size_t before = undecided;
    run_group(r, t, folder, cases, text_case);
    if (undecided < before) printf("  %-16s %zu cases undecided\n", r->group, before - undecided);
    if (main_cases && r->texts) run_group(r, t, folder, "decode_cases.jsonl", decode_case);
    if (main_cases && !gguf) run_group(r, t, folder, "bytes_cases.jsonl", bytes_case);
    if (left) printf("  %-16s %zu cases name tokens that are not in it: left out\n", r->group, left);
}

/* One tokenizer file of a folder against `cases`; false when the file is not there. */
static bool run_file(tally *t, const char *folder, const char *file, const char *cases)
{
    bool missing;
    hlmi_tokenizer *tok = cases_load(folder, file, &missing);
    if (!tok && missing) return false;
    if (!tok) {
        printf("  %s: %s\n", file, hlmi_error());
        t->failed++;
        return true;
    }
    const bool spm = strstr(file, ".model") != NULL;
    run r = {.tok = tok, .group = file, .differs = json_object()};
    r.own = spm ? json_object() : NULL;
    r.missing = spm ? cases_missing_tokens(folder, tok) : NULL;
    run_cases(&r, t, folder, cases);
    cases_cuts(t, file, tok);
    json_decref(r.differs);
    json_decref(r.own);
    json_decref(r.missing);
    hlmi_tokenizer_free(tok);
    return true;
}

static void run_folder(tally *t, const char *folder)
{
    const size_t before = t->passed, failed = t->failed;
    printf("%s\n", folder);
    bool any = run_file(t, folder, "tokenizer.json", "cases.jsonl");
    any |= run_file(t, folder, "vocab.gguf", "cases.jsonl");
    any |= run_file(t, folder, "tokenizer.model", "cases.jsonl");
    run_file(t, folder, "vocab_as_llama.gguf", "cases_gguf_as_llama.jsonl");
    if (any && t->passed + t->failed > before + failed) return;
    printf("  no tokenizer with cases is there\n");
    t->failed++;
}

static const char help[] = "usage: tokenizer_cases FOLDER...          check tokenizers against recorded answers\n"
                           "       tokenizer_cases --bench FOLDER TEXT   speed of a folder's tokenizer on a text file\n"
                           "\n"
                           "A folder holds tokenizer.json (or .json.xz), perhaps vocab.gguf and tokenizer.model, and\n"
                           "cases.jsonl, decode_cases.jsonl, bytes_cases.jsonl, differs_llama_cpp.jsonl.\n"
                           "Ends with 'N passed, N failed', exit status 1 when something failed or nothing ran.\n";

int main(int argc, char **argv)
{
    tally t = {0};
    if (argc == 4 && strcmp(argv[1], "--bench") == 0) return cases_bench(argv[2], argv[3]);
    if (argc < 2 || argv[1][0] == '-') {
        fputs(help, argc >= 2 && strcmp(argv[1], "--help") == 0 ? stdout : stderr);
        return argc >= 2 && strcmp(argv[1], "--help") == 0 ? 0 : 2;
    }
    for (int i = 1; i < argc; i++) run_folder(&t, argv[i]);
    printf("%zu passed, %zu failed\n", t.passed, t.failed);
    return t.failed || !t.passed;
}
