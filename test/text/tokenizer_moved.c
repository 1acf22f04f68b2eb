/* tokenizer_moved FOLDER...: what a tokenizer.json says, said by other files. The added tokens move into each of the
 * files that transformers reads for them, and vocabulary and merges into vocab.json and merges.txt: ids, special tokens
 * and ends stay as they are. Contradictions are refused. Texts: those of the folder's cases.jsonl. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text/cases.h"

typedef struct folder {
    const char *path;
    json_t *root, *config, *texts;
    hlmi_tokenizer *own;
    tally t;
} folder;

static void result(folder *f, bool passed, const char *how, const char *fmt, ...)
{
    va_list ap;
    if (passed) {
        f->t.passed++;
        return;
    }
    f->t.failed++;
    if (f->t.shown++ > 8) return;
    printf("    %s: ", how);
    va_start(ap, fmt);
    vprintf(fmt, ap);
    va_end(ap);
    putchar('\n');
}

/* ---- reading and writing ---- */

static json_t *read_json(const char *path, const char *name)
{
    size_t len = 0;
    char *s = cases_slurp(path, name, &len);
    json_t *v = s ? json_loadb(s, len, JSON_ALLOW_NUL, NULL) : NULL;
    free(s);
    return v;
}

static json_t *read_texts(const char *path)
{
    size_t len = 0;
    char *s = cases_slurp(path, "cases.jsonl", &len);
    json_t *list = json_array();
    for (char *line = s; line && *line;) {
        char *end = strchr(line, '\n');
        json_t *c = json_loadb(line, end ? (size_t)(end - line) : strlen(line), JSON_ALLOW_NUL, NULL);
        const json_t *text = json_object_get(c, "text");
        if (text && json_string_length(text) < 4096) json_array_append(list, (json_t *)(uintptr_t)text);
        json_decref(c);
        line = end ? end + 1 : NULL;
    }
    free(s);
    return list;
}

static char *dump(const json_t *v, size_t *len)
{
    char *s = v ? json_dumps(v, JSON_COMPACT) : NULL;
    *len = s ? strlen(s) : 0;
    return s;
}

typedef struct sides {
    json_t *config, *map, *added; /* owned; NULL: not there */
} sides;

static hlmi_tokenizer *load(const json_t *root, const char *merges, const sides *s)
{
    const hlmi_mem mem = hlmi_mem_default();
    hlmi_side_files side = {0};
    hlmi_tokenizer *t = NULL;
    size_t len;
    char *json = dump(root, &len), *config = dump(s->config, &side.config_len), *map = dump(s->map, &side.map_len),
         *added = dump(s->added, &side.added_len);
    side.config = config;
    side.map = map;
    side.added = added;
    if (merges) hlmi_tokenizer_from_merges(&t, &mem, (hlmi_str){json, len}, (hlmi_str){merges, strlen(merges)}, &side);
    else hlmi_tokenizer_from_json(&t, &mem, json, len, &side);
    free(json);
    free(config);
    free(map);
    free(added);
    return t;
}

static void free_sides(sides *s)
{
    json_decref(s->config);
    json_decref(s->map);
    json_decref(s->added);
}

/* ---- comparing ---- */

static bool same_text(const hlmi_tokenizer *a, const hlmi_tokenizer *b, const char *text, size_t len, uint32_t flags)
{
    const hlmi_mem mem = hlmi_mem_default();
    hlmi_ids x, y;
    hlmi_buf p, q;
    hlmi_ids_init(&x, &mem);
    hlmi_ids_init(&y, &mem);
    hlmi_buf_init(&p, &mem);
    hlmi_buf_init(&q, &mem);
    bool same = hlmi_tokenizer_encode(a, text, len, flags, &x) == HLM_OK &&
        hlmi_tokenizer_encode(b, text, len, flags, &y) == HLM_OK && x.n == y.n &&
        (x.n == 0 || memcmp(x.v, y.v, x.n * sizeof *x.v) == 0);
    for (uint32_t skip = 0; skip < 2 && same; skip++) {
        hlmi_buf_clear(&p);
        hlmi_buf_clear(&q);
        same = hlmi_tokenizer_decode(a, x.v, x.n, skip, &p) == HLM_OK &&
            hlmi_tokenizer_decode(b, x.v, x.n, skip, &q) == HLM_OK && p.len == q.len &&
            (p.len == 0 || memcmp(p.data, q.data, p.len) == 0);
    }
    hlmi_ids_free(&x);
    hlmi_ids_free(&y);
    hlmi_buf_free(&p);
    hlmi_buf_free(&q);
    return same;
}

static bool same_token(const hlmi_tokenizer *a, const hlmi_tokenizer *b, int32_t id, bool special)
{
    const hlmi_str s = hlmi_tokenizer_text(a, id), t = hlmi_tokenizer_text(b, id);
    return s.len == t.len && memcmp(s.s, t.s, s.len) == 0 && hlmi_tokenizer_ends(a, id) == hlmi_tokenizer_ends(b, id) &&
        (!special || hlmi_tokenizer_is_special(a, id) == hlmi_tokenizer_is_special(b, id));
}

/* Takes `moved`. whole = false: flags were lost on the way, only ids and ends are compared. */
static void compare(folder *f, const char *how, const hlmi_tokenizer *own, hlmi_tokenizer *moved, bool whole)
{
    result(f, moved != NULL, how, "%s", hlmi_error());
    if (!moved) return;
    const hlmi_special_ids a = hlmi_tokenizer_special(own), b = hlmi_tokenizer_special(moved);
    result(f, a.bos == b.bos && a.eos == b.eos && a.pad == b.pad && a.unk == b.unk, how,
           "bos %d %d, eos %d %d, pad %d %d, unk %d %d", (int)a.bos, (int)b.bos, (int)a.eos, (int)b.eos, (int)a.pad,
           (int)b.pad, (int)a.unk, (int)b.unk);
    const int32_t n = hlmi_tokenizer_size(own), m = hlmi_tokenizer_size(moved);
    result(f, n == m, how, "%d tokens, not %d", (int)m, (int)n);
    for (int32_t id = 0; id < n && id < hlmi_tokenizer_size(moved); id++)
        if (!same_token(own, moved, id, whole)) result(f, false, how, "token %d is another", (int)id);
    for (size_t i = 0; whole && i < json_array_size(f->texts); i++)
        for (uint32_t flags = 0; flags < 4; flags++) {
            const json_t *text = json_array_get(f->texts, i);
            result(f, same_text(own, moved, json_string_value(text), json_string_length(text), flags), how,
                   "'%.100s', flags %u", json_string_value(text), flags);
        }
    hlmi_tokenizer_free(moved);
}

/* ---- added tokens ---- */

/* Its entry of added_tokens_decoder, and its id as the file says. */
static json_t *entry(const folder *f, size_t i, char key[16])
{
    json_t *v = json_copy(json_array_get(json_object_get(f->root, "added_tokens"), i));
    snprintf(key, 16, "%d", (int)json_integer_value(json_object_get(v, "id")));
    json_object_del(v, "id");
    return v;
}

/* Without the added tokens from number `from` on and below `to`, which go to decoder (or NULL). */
static json_t *root_without(const folder *f, size_t from, size_t to, json_t *decoder)
{
    json_t *root = json_copy(f->root), *kept = json_array();
    const json_t *list = json_object_get(root, "added_tokens");
    for (size_t i = 0; i < json_array_size(list); i++) {
        char key[16];
        json_t *v = entry(f, i, key);
        if (i < from || i >= to) json_array_append(kept, json_array_get(list, i));
        else if (decoder) json_object_set(decoder, key, v);
        json_decref(v);
    }
    json_object_set_new(root, "added_tokens", kept);
    return root;
}

static bool flag(const json_t *v, const char *key)
{
    return json_is_true(json_object_get(v, key));
}

/* Files that hold a text and an id only say nothing of these. */
static bool is_plain(const json_t *v)
{
    return !flag(v, "lstrip") && !flag(v, "rstrip") && !flag(v, "single_word") &&
        flag(v, "normalized") != flag(v, "special");
}

static void to_decoder(folder *f)
{
    const size_t n = json_array_size(json_object_get(f->root, "added_tokens"));
    const struct {
        const char *how;
        size_t from, to;
    } parts[] = {{"all in added_tokens_decoder", 0, n},
                 {"the later half in added_tokens_decoder", n / 2, n},
                 {"the first half in added_tokens_decoder", 0, n / 2},
                 {"all in both", n, n}};
    for (size_t i = 0; i < 4; i++) {
        sides s = {.config = json_copy(f->config), /* the others count for nothing */
                   .map = json_pack("{s:s}", "eos_token", "not this one"),
                   .added = json_pack("{s:i}", "nor this one", 0)};
        json_t *decoder = json_object(), *root = root_without(f, parts[i].from, parts[i].to, decoder);
        if (i == 3) json_decref(root_without(f, 0, n, decoder));
        json_object_set_new(s.config, "added_tokens_decoder", decoder);
        hlmi_tokenizer *t = load(root, NULL, &s);
        /* tokenizers give what is left in tokenizer.json the ids of the first half: that is a contradiction */
        if (i == 2 && !t) result(f, strstr(hlmi_error(), "which is that of") != NULL, parts[i].how, "%s", hlmi_error());
        else compare(f, parts[i].how, f->own, t, true);
        json_decref(root);
        free_sides(&s);
    }
}

/* added_tokens.json gives ids; another file says which are special: a list or an object of it. */
static void to_pair(folder *f, const char *how, bool map, const char *key, bool object)
{
    sides s = {.config = json_copy(f->config), .added = json_object()};
    json_t *root = root_without(f, 0, SIZE_MAX, NULL), *list = object ? json_object() : json_array();
    bool plain = true;
    if (map) s.map = json_object();
    for (size_t i = 0; i < json_array_size(json_object_get(f->root, "added_tokens")); i++) {
        char id[16];
        json_t *v = entry(f, i, id), *text = json_object_get(v, "content");
        plain = plain && is_plain(v);
        json_object_set_new(s.added, json_string_value(text), json_integer(atoi(id)));
        if (flag(v, "special") && object) json_object_set(list, id, i % 2 ? v : text);
        else if (flag(v, "special")) json_array_append(list, i % 2 ? v : text);
        json_decref(v);
    }
    json_object_set_new(map ? s.map : s.config, key, list);
    compare(f, how, f->own, load(root, NULL, &s), plain);
    json_decref(root);
    free_sides(&s);
}

/* No file gives ids: bos, eos, ... and then the list, each the next. Where that is the order of their ids. */
static void to_names(folder *f)
{
    static const char *const keys[] = {"bos_token", "eos_token", "unk_token", "sep_token", "pad_token"};
    sides s = {.config = json_object(), .map = json_object()};
    json_t *root = root_without(f, 0, SIZE_MAX, NULL), *list = json_array();
    const json_t *vocab = json_object_get(json_object_get(root, "model"), "vocab"), *v;
    int32_t last = -1;
    bool fits = true;
    json_t *kind = json_object_get(f->config, "tokenizer_class");
    if (kind) json_object_set(s.config, "tokenizer_class", kind);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const json_t *said = json_object_get(f->config, keys[i]);
        if (!said) continue;
        json_object_set(s.map, keys[i], (json_t *)(uintptr_t)said);
        const char *text = json_string_value(said);
        const int32_t id = text ? hlmi_tokenizer_find(f->own, text, strlen(text)) : -1;
        if (id < 0 || json_object_get(vocab, text)) continue;
        fits = fits && id > last;
        last = id;
    }
    for (size_t i = 0; (v = json_array_get(json_object_get(f->root, "added_tokens"), i)) != NULL; i++) {
        fits = fits && flag(v, "special") && (json_is_array(vocab) || is_plain(v));
        json_t *copy = json_copy((json_t *)(uintptr_t)v);
        json_object_del(copy, "id");
        json_array_append_new(list, copy);
    }
    json_object_set_new(s.map, "additional_special_tokens", list);
    if (fits) compare(f, "special_tokens_map.json alone", f->own, load(root, NULL, &s), true);
    json_decref(root);
    free_sides(&s);
}

static void refused(folder *f, const char *how, const sides *s, const char *words)
{
    hlmi_tokenizer *t = load(f->root, NULL, s);
    result(f, !t && strstr(hlmi_error(), words) != NULL, how, "%s", t ? "taken" : hlmi_error());
    hlmi_tokenizer_free(t);
}

static void contradictions(folder *f)
{
    char id[16], words[64];
    json_t *v = entry(f, 0, id), *text = json_object_get(v, "content");
    const int n = hlmi_tokenizer_size(f->own);
    sides s = {.config = json_pack("{s:{s:{s:s}}}", "added_tokens_decoder", id, "content", "another text")};
    snprintf(words, sizeof words, "'another text' has the id %s, which is that of", id);
    refused(f, "two texts for one id", &s, words);
    free_sides(&s);
    s = (sides){.added = json_pack("{s:i}", "another text", atoi(id))};
    refused(f, "two texts for one id in added_tokens.json", &s, words);
    free_sides(&s);
    snprintf(id, sizeof id, "%d", n);
    s = (sides){.config = json_pack("{s:{s:O}}", "added_tokens_decoder", id, v)};
    snprintf(words, sizeof words, "has the id %d, and ", n);
    refused(f, "two ids for one text", &s, words);
    free_sides(&s);
    s = (sides){.added = json_pack("{s:i}", json_string_value(text), n)};
    refused(f, "two ids for one text in added_tokens.json", &s, words);
    free_sides(&s);
    s = (sides){.config = json_pack("{s:i}", "eos_token", 3)};
    refused(f, "an id as eos_token", &s, "tokenizer_config.json: eos_token is neither a text nor null");
    free_sides(&s);
    s = (sides){.map = json_pack("{s:[i]}", "additional_special_tokens", 3)};
    refused(f, "an id as special token", &s, "special_tokens_map.json: additional_special_tokens");
    free_sides(&s);
    json_decref(v);
}

/* ---- vocab.json and merges.txt ---- */

#define SPLIT(letters, marks)                                                                                \
  "{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Split\",\"pattern\":{\"Regex\":\"(?i:'s|'t|'re|'ve" \
  "|'m|'ll|'d)|[^\\\\r\\\\n\\\\p{L}\\\\p{N}]?" letters "+|\\\\p{N}| ?[^\\\\s\\\\p{L}" marks                  \
  "\\\\p{N}]+[\\\\r\\\\n]*|\\\\s*[\\\\r\\\\n]+|\\\\s+(?!\\\\S)|\\\\s+\"},\"behavior\":\"Isolated\","         \
  "\"invert\":false},{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"trim_offsets\":true,\"use_regex\":false}]}"
#define BYTES "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"trim_offsets\":true,\"use_regex\":true}"

/* As transformers writes them into a tokenizer.json. */
static const struct {
    const char *name, *normalizer, *pre;
} classes[] = {
    {"GPT2Tokenizer", "null", BYTES},
    {"GPT2TokenizerFast", "null", BYTES},
    {"CodeGenTokenizer", "null", BYTES},
    {"GPTNeoXTokenizer", "{\"type\":\"NFC\"}", BYTES},
    {"Qwen2Tokenizer", "{\"type\":\"NFC\"}", SPLIT("\\\\p{L}", "")},
    {"Qwen3_5Tokenizer", "{\"type\":\"NFC\"}", SPLIT("[\\\\p{L}\\\\p{M}]", "\\\\p{M}")},
};

static char *merges_text(const json_t *merges)
{
    size_t cap = 64, len = 0;
    char *s = malloc(cap);
    len += (size_t)sprintf(s, "#version: 0.2\n");
    for (size_t i = 0; i < json_array_size(merges); i++) {
        const json_t *m = json_array_get(merges, i);
        const char *a = json_string_value(json_is_array(m) ? json_array_get(m, 0) : m);
        const char *b = json_string_value(json_array_get(m, 1));
        const size_t need = strlen(a) + (b ? strlen(b) : 0) + 4;
        while (len + need > cap) s = realloc(s, cap *= 2);
        len += (size_t)sprintf(s + len, b ? "%s %s%s" : "%s%.0s%s", a, b ? b : "", i % 7 ? "\n" : "\r\n");
    }
    return s;
}

static void to_merges(folder *f)
{
    const json_t *model = json_object_get(f->root, "model"), *decoder = json_object_get(f->root, "decoder");
    const char *kind = json_string_value(json_object_get(f->config, "tokenizer_class"));
    if (strcmp(json_string_value(json_object_get(decoder, "type")) ? json_string_value(json_object_get(decoder, "type"))
                                                                   : "",
               "ByteLevel") != 0)
        return;
    char *merges = merges_text(json_object_get(model, "merges"));
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        json_t *root = json_deep_copy(f->root), *list = json_object(), *without = root_without(f, 0, SIZE_MAX, list);
        json_t *pre = json_loads(classes[i].pre, 0, NULL),
               *norm = json_loads(classes[i].normalizer, JSON_DECODE_ANY, NULL);
        sides s = {.config = json_copy(f->config)};
        json_object_set_new(s.config, "tokenizer_class", json_string(classes[i].name));
        json_object_set_new(s.config, "added_tokens_decoder", list);
        const bool same =
            kind && strcmp(kind, classes[i].name) == 0 && json_equal(pre, json_object_get(f->root, "pre_tokenizer"));
        if (same) compare(f, "its own class", f->own, load(json_object_get(model, "vocab"), merges, &s), true);
        for (size_t k = 0; k < 4; k++) { /* what the files leave open is the class's to say */
            static const char *const keys[] = {"bos_token", "eos_token", "unk_token", "pad_token"};
            if (!json_object_get(s.config, keys[k])) json_object_set_new(s.config, keys[k], json_null());
        }
        json_object_set(root, "pre_tokenizer", pre);
        json_object_set(root, "normalizer", norm);
        json_object_del(root, "post_processor");
        json_object_del(json_object_get(root, "model"), "ignore_merges");
        hlmi_tokenizer *as_json = load(root, NULL, &s);
        if (as_json) compare(f, classes[i].name, as_json, load(json_object_get(model, "vocab"), merges, &s), true);
        else result(f, false, classes[i].name, "%s", hlmi_error());
        hlmi_tokenizer_free(as_json);
        json_decref(pre);
        json_decref(norm);
        json_decref(root);
        json_decref(without);
        free_sides(&s);
    }
    free(merges);
}

/* ids[0], ids[1], ... as JSON has them */
static bool are_ids(const json_t *want, const int32_t *ids, size_t n)
{
    bool same = json_array_size(want) == n;
    for (size_t i = 0; same && i < n; i++) same = json_integer_value(json_array_get(want, i)) == ids[i];
    return same;
}

/* What transformers makes of these files (data/tokenizers/make_classes.py). */
static void golden_classes(folder *f, const char *merges)
{
    const hlmi_mem mem = hlmi_mem_default();
    const json_t *vocab = json_object_get(json_object_get(f->root, "model"), "vocab");
    size_t len = 0;
    char *all = cases_slurp(f->path, "classes.jsonl", &len), *line = all;
    for (char *end; line && *line; line = end ? end + 1 : NULL) {
        end = strchr(line, '\n');
        json_t *c = json_loadb(line, end ? (size_t)(end - line) : strlen(line), 0, NULL);
        sides s = {.config = json_incref(json_object_get(c, "config"))};
        char *how = json_dumps(s.config, JSON_COMPACT);
        const json_t *cases = json_object_get(c, "cases");
        hlmi_tokenizer *t = load(vocab, merges, &s);
        const hlmi_special_ids ids = t ? hlmi_tokenizer_special(t) : (hlmi_special_ids){0};
        result(f, t && are_ids(json_object_get(c, "special"), (const int32_t[]){ids.bos, ids.eos, ids.pad, ids.unk}, 4),
               how, "bos %d, eos %d, pad %d, unk %d", (int)ids.bos, (int)ids.eos, (int)ids.pad, (int)ids.unk);
        for (size_t i = 0; t && i < json_array_size(cases); i++) {
            const char *text = json_string_value(json_array_get(json_array_get(cases, i), 0));
            hlmi_ids got;
            hlmi_ids_init(&got, &mem);
            const hlm_status st = hlmi_tokenizer_encode(t, text, strlen(text),
                                                        HLM_TOKENIZE_ADD_SPECIAL | HLM_TOKENIZE_PARSE_SPECIAL, &got);
            result(f, st == HLM_OK && are_ids(json_array_get(json_array_get(cases, i), 1), got.v, got.n), how,
                   "ids of '%s'", text);
            hlmi_ids_free(&got);
        }
        hlmi_tokenizer_free(t);
        free(how);
        json_decref(c);
        free_sides(&s);
    }
    free(all);
}

/* ---- the whole ---- */

static void run(folder *f)
{
    sides own = {.config = f->config};
    f->own = f->root ? load(f->root, NULL, &own) : NULL;
    result(f, f->own && json_array_size(f->texts) > 0, "tokenizer.json", "%s", hlmi_error());
    if (!f->own) return;
    to_decoder(f);
    to_pair(f, "added_tokens.json and special_tokens_map.json", true, "additional_special_tokens", false);
    to_pair(f, "added_tokens.json and tokenizer_config.json", false, "additional_special_tokens", false);
    to_pair(f, "added_tokens.json and extra_special_tokens", false, "extra_special_tokens", true);
    to_names(f);
    contradictions(f);
    to_merges(f);
    char *merges = merges_text(json_object_get(json_object_get(f->root, "model"), "merges"));
    golden_classes(f, merges);
    free(merges);
    hlmi_tokenizer_free(f->own);
}

int main(int argc, char **argv)
{
    size_t passed = 0, failed = 0;
    for (int i = 1; i < argc; i++) {
        folder f = {.path = argv[i],
                    .root = read_json(argv[i], "tokenizer.json"),
                    .config = read_json(argv[i], "tokenizer_config.json"),
                    .texts = read_texts(argv[i])};
        run(&f);
        printf("%s: %zu passed, %zu failed\n", argv[i], f.t.passed, f.t.failed);
        passed += f.t.passed;
        failed += f.t.failed;
        json_decref(f.root);
        json_decref(f.config);
        json_decref(f.texts);
    }
    printf("%zu passed, %zu failed\n", passed, failed);
    return failed > 0 || passed == 0;
}
