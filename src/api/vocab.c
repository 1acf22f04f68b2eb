/* From a store to its tokenizer: GGUF metadata or the side files of a Hugging Face folder. */
#include "api/vocab.h"

#include <stddef.h>
#include <string.h>

#include "base/json.h"
#include "base/size.h"

/* Side files: the largest tokenizer.json in the wild has 40 MB. */
enum { SIDE_FILE_MAX = 256 << 20 };

/* ---- GGUF ---- */

static hlm_status bad_key(const char *key, const char *what)
{
    return hlmi_fail(HLM_E_FORMAT, "%s: %s", key, what);
}

static hlm_status read_strings(const hlmi_store *s, const hlmi_mem *mem, const char *key, hlmi_str **out, size_t *n)
{
    const hlmi_kv *kv = hlmi_store_kv(s, key);
    *out = NULL;
    *n = 0;
    if (!kv) return HLM_OK;
    if (kv->type != HLMI_KV_ARRAY || kv->item != HLMI_KV_STRING) return bad_key(key, "is no array of strings");
    size_t bytes, cursor = 0, count = 0;
    if (!hlmi_mul_size((size_t)kv->count, sizeof **out, &bytes)) return hlmi_nomem(SIZE_MAX, key);
    if (kv->count == 0) return HLM_OK;
    hlmi_str *v = hlmi_alloc(mem, bytes);
    *out = v;
    if (!v) return hlmi_nomem(bytes, key);
    while (count < kv->count && hlmi_kv_next_string(kv, &cursor, &v[count].s, &v[count].len)) count++;
    *n = count;
    return count == kv->count ? HLM_OK : bad_key(key, "ends before its last string");
}

/* A number of 4 bytes for each token. */
static hlm_status read_numbers(const hlmi_store *s, const hlmi_mem *mem, const char *key, bool floats, size_t n,
                               void **out)
{
    const hlmi_kv *kv = hlmi_store_kv(s, key);
    if (!kv || n == 0) return HLM_OK;
    const bool fits = floats ? kv->item == HLMI_KV_F32 : kv->item == HLMI_KV_I32 || kv->item == HLMI_KV_U32;
    if (kv->type != HLMI_KV_ARRAY || !fits) return bad_key(key, floats ? "is no array of f32" : "is no array of i32");
    if (kv->count != n)
        return hlmi_fail(HLM_E_FORMAT, "%s has %llu items for %zu tokens", key, (unsigned long long)kv->count, n);
    *out = hlmi_alloc(mem, 4 * n);
    if (!*out) return hlmi_nomem(4 * n, key);
    memcpy(*out, kv->data, 4 * n);
    return HLM_OK;
}

/* Ids, and what the file says yes or no to. Without the key: -1. */
typedef struct fact {
    const char *key;
    size_t field; /* of hlmi_vocab */
    bool flag;
} fact;

static const fact facts[] = {
    {"tokenizer.ggml.bos_token_id", offsetof(hlmi_vocab, bos), false},
    {"tokenizer.ggml.eos_token_id", offsetof(hlmi_vocab, eos), false},
    {"tokenizer.ggml.unknown_token_id", offsetof(hlmi_vocab, unk), false},
    {"tokenizer.ggml.padding_token_id", offsetof(hlmi_vocab, pad), false},
    {"tokenizer.ggml.eot_token_id", offsetof(hlmi_vocab, eot), false},
    {"tokenizer.ggml.eom_token_id", offsetof(hlmi_vocab, eom), false},
    {"tokenizer.ggml.add_bos_token", offsetof(hlmi_vocab, add_bos), true},
    {"tokenizer.ggml.add_eos_token", offsetof(hlmi_vocab, add_eos), true},
    {"tokenizer.ggml.add_space_prefix", offsetof(hlmi_vocab, add_space_prefix), true},
    {"tokenizer.ggml.remove_extra_whitespaces", offsetof(hlmi_vocab, remove_extra_whitespaces), true},
};

enum { FACTS = sizeof facts / sizeof *facts };

static int32_t *field_of(hlmi_vocab *v, const fact *f)
{
    return (int32_t *)(void *)((char *)v + f->field);
}

static hlm_status read_fact(const hlmi_store *s, const fact *f, int32_t *out)
{
    const hlmi_kv *kv = hlmi_store_kv(s, f->key);
    int64_t v = -1;
    if (kv && ((f->flag && kv->type != HLMI_KV_BOOL) || !hlmi_kv_i64(kv, 0, &v)))
        return bad_key(f->key, f->flag ? "is no bool" : "is no integer");
    if (v == (int64_t)UINT32_MAX) v = -1; /* as some writers put it */
    if (v < -1 || v > INT32_MAX) return hlmi_fail(HLM_E_FORMAT, "%s is %lld", f->key, (long long)v);
    *out = (int32_t)v;
    return HLM_OK;
}

static hlm_status read_charsmap(const hlmi_store *s, hlmi_vocab *v)
{
    const char *key = "tokenizer.ggml.precompiled_charsmap";
    const hlmi_kv *kv = hlmi_store_kv(s, key);
    if (!kv) return HLM_OK;
    if (kv->type != HLMI_KV_ARRAY || (kv->item != HLMI_KV_U8 && kv->item != HLMI_KV_I8))
        return bad_key(key, "is no array of bytes");
    v->charsmap = (const char *)kv->data;
    v->charsmap_len = (size_t)kv->count;
    return HLM_OK;
}

/* Ids that are no token's are unset, as llama.cpp does: some converters write an id that was added after the
 * vocabulary. */
static void drop_outside(hlmi_vocab *v, const hlmi_logger *log)
{
    for (size_t i = 0; i < FACTS; i++) {
        int32_t *id = field_of(v, &facts[i]);
        if (facts[i].flag || *id < 0 || (size_t)*id < v->n_tokens) continue;
        hlmi_log_line(log, HLM_LOG_WARN, "%s is %d, the vocabulary has %zu tokens: unset", facts[i].key, (int)*id,
                      v->n_tokens);
        *id = -1;
    }
}

static hlm_status load_keys(hlmi_tokenizer **out, const hlmi_mem *mem, const hlmi_store *s, const hlmi_logger *log)
{
    hlm_status st;
    hlmi_str *tokens = NULL, *merges = NULL;
    void *scores = NULL, *types = NULL;
    hlmi_vocab v = {0};
    HLMI_TRY(hlmi_store_kv_text(s, "tokenizer.ggml.model", &v.model));
    if (v.model.len == 0 || (v.model.len == 4 && memcmp(v.model.s, "none", 4) == 0)) goto done; /* ids only */
    HLMI_TRY(hlmi_store_kv_text(s, "tokenizer.ggml.pre", &v.pre));
    for (size_t i = 0; i < FACTS; i++) HLMI_TRY(read_fact(s, &facts[i], field_of(&v, &facts[i])));
    HLMI_TRY(read_charsmap(s, &v));
    HLMI_TRY(read_strings(s, mem, "tokenizer.ggml.tokens", &tokens, &v.n_tokens));
    HLMI_TRY(read_strings(s, mem, "tokenizer.ggml.merges", &merges, &v.n_merges));
    HLMI_TRY(read_numbers(s, mem, "tokenizer.ggml.scores", true, v.n_tokens, &scores));
    HLMI_TRY(read_numbers(s, mem, "tokenizer.ggml.token_type", false, v.n_tokens, &types));
    drop_outside(&v, log);
    v.tokens = tokens;
    v.merges = merges;
    v.scores = scores;
    v.types = types;
    HLMI_TRY(hlmi_tokenizer_from_vocab(out, mem, &v));
done:
    hlmi_free(mem, tokens);
    hlmi_free(mem, merges);
    hlmi_free(mem, scores);
    hlmi_free(mem, types);
    return st;
}

/* ---- Hugging Face folders ---- */

/* Id number i of a list of them, or the one id; -1: none. */
static int32_t id_at(const hlmi_json *v, size_t i)
{
    int64_t id = -1;
    hlmi_json_int(hlmi_json_is(v, HLMI_JSON_ARRAY) ? hlmi_json_at(v, i) : v, 0, INT32_MAX - 1, &id);
    return (int32_t)id;
}

/* A key of generation_config.json, else of config.json. */
static const hlmi_json *setting(const hlmi_json *generation, const hlmi_store *s, const char *key)
{
    const hlmi_json *own = hlmi_json_given(generation, key);
    return own ? own : hlmi_json_get(hlmi_store_config(s), key);
}

/* The ids of the model's configuration: all that end an answer, and those about which the tokenizer's files are
 * silent. */
static hlm_status read_ids(hlmi_tokenizer *t, const hlmi_mem *mem, const hlmi_store *s)
{
    char *text = NULL;
    size_t len;
    hlmi_json *root = NULL;
    hlm_status st = hlmi_store_side_file(s, "generation_config.json", SIDE_FILE_MAX, &text, &len);
    if (st == HLM_OK && text) st = hlmi_json_parse(&root, mem, HLMI_JSON_SETTINGS, text, len, "generation_config.json");
    if (st == HLM_OK) {
        const hlmi_json *eos = setting(root, s, "eos_token_id");
        const size_t n_ends = hlmi_json_is(eos, HLMI_JSON_ARRAY) ? hlmi_json_count(eos) : 1;
        for (size_t i = 0; i < n_ends && st == HLM_OK; i++) st = hlmi_tokenizer_add_end(t, id_at(eos, i));
        hlmi_tokenizer_suppose(t,
                               (hlmi_special_ids){.bos = id_at(setting(root, s, "bos_token_id"), 0),
                                                  .eos = id_at(eos, 0),
                                                  .pad = id_at(setting(root, s, "pad_token_id"), 0),
                                                  .unk = -1});
    }
    hlmi_json_free(root);
    hlmi_free(mem, text);
    return st;
}

/* tokenizer.model beside a tokenizer.json is another spelling of the same vocabulary: a damaged one, or one with more
 * pieces than the model has rows, means that the folder is not what it claims to be. Some folders have a file of that
 * name in another format; SentencePiece's begin with a piece (field 1, its bytes). */
static hlm_status check_other_spelling(const hlmi_mem *mem, const hlmi_store *s)
{
    char *model = NULL;
    size_t len = 0, pieces = 0;
    int64_t rows;
    const bool sized = hlmi_json_int(hlmi_json_get(hlmi_store_config(s), "vocab_size"), INT64_MIN, INT64_MAX, &rows);
    hlm_status st = hlmi_store_side_file_any(s, "tokenizer.model", SIDE_FILE_MAX, &model, &len);
    if (st == HLM_OK && model && len > 0 && model[0] == (1 << 3 | 2)) {
        st = hlmi_spm_check(mem, model, len, &pieces);
        if (st == HLM_OK && sized && (int64_t)pieces > rows)
            st = hlmi_fail(HLM_E_FORMAT, "tokenizer.model has %zu pieces, config.json a vocab_size of %lld", pieces,
                           (long long)rows);
    }
    hlmi_free(mem, model);
    return st;
}

/* ---- the tokenizer's files, of an open folder or beside one of them ---- */

typedef struct files {
    const hlmi_mem *mem;
    const hlmi_store *store; /* NULL: what stands beside a file: */
    const hlmi_vfs *vfs;
    const char *path;
    size_t folder, stem; /* bytes of the path before the names of files; before vocab.json and merges.txt */
    char *config, *map, *added; /* what hlmi_side_files points to */
    hlmi_side_files side;
} files;

/* *data is NULL when there is no such file. at: f->folder or f->stem. */
static hlm_status slurp(const files *f, size_t at, const char *name, char **data, size_t *len)
{
    hlmi_buf path;
    bool missing = false;
    if (f->store) return hlmi_store_side_file(f->store, name, SIDE_FILE_MAX, data, len);
    hlmi_buf_init(&path, f->mem);
    hlmi_buf_add(&path, f->path, at);
    hlmi_buf_str(&path, name);
    hlm_status st = hlmi_buf_status(&path, "a path");
    if (st == HLM_OK) st = hlmi_source_slurp(f->mem, f->vfs, path.data, SIDE_FILE_MAX, false, data, len, &missing);
    hlmi_buf_free(&path);
    return missing ? HLM_OK : st;
}

/* config: the model's, or NULL. It tells the class where tokenizer_config.json does not. */
static hlm_status read_side(files *f, const hlmi_json *config)
{
    f->side.class_name = hlmi_json_string(config, "tokenizer_class");
    f->side.model_type = hlmi_json_string(config, "model_type");
    HLMI_DO(slurp(f, f->folder, "tokenizer_config.json", &f->config, &f->side.config_len));
    HLMI_DO(slurp(f, f->folder, "special_tokens_map.json", &f->map, &f->side.map_len));
    HLMI_DO(slurp(f, f->folder, "added_tokens.json", &f->added, &f->side.added_len));
    f->side.config = f->config;
    f->side.map = f->map;
    f->side.added = f->added;
    return HLM_OK;
}

static void free_files(files *f)
{
    hlmi_free(f->mem, f->config);
    hlmi_free(f->mem, f->map);
    hlmi_free(f->mem, f->added);
}

typedef hlm_status read_tokenizer(hlmi_tokenizer **out, const hlmi_mem *mem, const char *data, size_t len,
                                  const hlmi_side_files *side);

/* By `read`, from a file that may be missing. */
static hlm_status load_file(hlmi_tokenizer **out, const files *f, const char *name, read_tokenizer *read)
{
    char *data = NULL;
    size_t len;
    hlm_status st = slurp(f, f->folder, name, &data, &len);
    if (st == HLM_OK && data) st = read(out, f->mem, data, len, &f->side);
    hlmi_free(f->mem, data);
    return st;
}

/* vocab.json without merges.txt is some other model's; `needed`: it was asked for. */
static hlm_status load_merges(hlmi_tokenizer **out, const files *f, bool needed)
{
    static const char vocab[] = "vocab.json", merges[] = "merges.txt";
    hlm_status st;
    char *words = NULL, *pairs = NULL;
    size_t n_words, n_pairs;
    HLMI_TRY(slurp(f, f->stem, vocab, &words, &n_words));
    if (words || needed) HLMI_TRY(slurp(f, f->stem, merges, &pairs, &n_pairs));
    const int prefix = (int)(f->stem - f->folder);
    if (words && pairs)
        st = hlmi_tokenizer_from_merges(out, f->mem, (hlmi_str){words, n_words}, (hlmi_str){pairs, n_pairs}, &f->side);
    else if (needed)
        st = hlmi_fail(HLM_E_IO, "%.*s%s is there without %.*s%s", prefix, f->path + f->folder, words ? vocab : merges,
                       prefix, f->path + f->folder, words ? merges : vocab);
done:
    hlmi_free(f->mem, words);
    hlmi_free(f->mem, pairs);
    return st;
}

static hlm_status load_folder(hlmi_tokenizer **out, const hlmi_mem *mem, const hlmi_store *s)
{
    hlm_status st;
    files f = {.mem = mem, .store = s};
    HLMI_TRY(read_side(&f, hlmi_store_config(s)));
    HLMI_TRY(load_file(out, &f, "tokenizer.json", hlmi_tokenizer_from_json));
    if (*out) HLMI_TRY(check_other_spelling(mem, s));
    if (!*out) HLMI_TRY(load_file(out, &f, "tokenizer.model", hlmi_tokenizer_from_spm));
    if (!*out) HLMI_TRY(load_merges(out, &f, false));
    if (*out) HLMI_TRY(read_ids(*out, mem, s));
done:
    free_files(&f);
    return st;
}

/* ---- both: a GGUF file has no files beside it, and a folder no keys ---- */

hlm_status hlmi_vocab_load(hlmi_tokenizer **out, const hlmi_mem *mem, const hlmi_store *store, const hlmi_logger *log)
{
    *out = NULL;
    hlm_status st = load_keys(out, mem, store, log);
    if (st == HLM_OK && !*out) st = load_folder(out, mem, store);
    if (st == HLM_OK) return st;
    hlmi_tokenizer_free(*out);
    *out = NULL;
    return hlmi_fail_prefix(st, "%s: ", hlmi_store_path(store));
}

/* ---- a tokenizer's file alone ---- */

static bool ends_with(const char *s, const char *end)
{
    const size_t n = strlen(s), k = strlen(end);
    return n >= k && strcmp(s + n - k, end) == 0;
}

bool hlmi_vocab_is_file(const char *path)
{
    if (strcmp(path, ".json") == 0 || strcmp(path, ".model") == 0) return false; /* folders may be called so */
    return ends_with(path, ".json") || ends_with(path, ".model") || ends_with(path, "merges.txt");
}

/* One of vocab.json and merges.txt, which may have a prefix in common (as transformers names them), or a whole
 * tokenizer. */
static hlm_status load_named(hlmi_tokenizer **out, files *f)
{
    static const char *const pair[] = {"vocab.json", "merges.txt"};
    const char *name = f->path + f->folder;
    for (size_t i = 0; i < 2; i++) {
        if (!ends_with(name, pair[i])) continue;
        f->stem = strlen(f->path) - strlen(pair[i]);
        return load_merges(out, f, true);
    }
    return load_file(out, f, name, ends_with(name, ".json") ? hlmi_tokenizer_from_json : hlmi_tokenizer_from_spm);
}

hlm_status hlmi_vocab_load_file(hlmi_tokenizer **out, const hlmi_mem *mem, const hlmi_vfs *vfs, const char *path)
{
    hlm_status st;
    const char *slash = strrchr(path, '/');
    files f = {.mem = mem, .vfs = vfs, .path = path, .folder = slash ? (size_t)(slash + 1 - path) : 0};
    hlmi_source source;
    hlmi_json *root = NULL;
    char *config = NULL;
    size_t len;
    *out = NULL;
    HLMI_TRY(hlmi_source_open(&source, mem, vfs, path, NULL)); /* the reason when it can not */
    hlmi_source_close(&source);
    st = slurp(&f, f.folder, "config.json", &config, &len);
    if (st == HLM_OK && config) st = hlmi_json_parse(&root, mem, HLMI_JSON_SETTINGS, config, len, "config.json");
    if (st == HLM_OK) st = read_side(&f, root);
    if (st == HLM_OK) st = load_named(out, &f);
    if (st != HLM_OK) hlmi_fail_prefix(st, "%s: ", path);
done:
    hlmi_json_free(root);
    hlmi_free(mem, config);
    free_files(&f);
    return st;
}
