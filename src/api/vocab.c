/* From a store to its tokenizer: GGUF metadata or the side
 * files of a Hugging Face folder. */
#include "api/vocab.h"

#include <string.h>

#include "base/json.h"
#include "base/size.h"

/* Side files: the largest tokenizer.json in the wild has 40 MB. */
enum { SIDE_FILE_MAX = 256 << 20 };

/* ---- GGUF ---- */

/* Arrays that hlmi_vocab points to. */
typedef struct arrays {
    hlmi_str *tokens, *merges;
    float *scores;
    int32_t *types;
} arrays;

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

static hlm_status read_scores(const hlmi_store *s, const hlmi_mem *mem, size_t n, float **out)
{
    const char *key = "tokenizer.ggml.scores";
    const hlmi_kv *kv = hlmi_store_kv(s, key);
    *out = NULL;
    if (!kv || n == 0) return HLM_OK;
    if (kv->type != HLMI_KV_ARRAY || kv->item != HLMI_KV_F32) return bad_key(key, "is no array of f32");
    if (kv->count != n)
        return hlmi_fail(HLM_E_FORMAT, "%s has %llu items for %zu tokens", key, (unsigned long long)kv->count, n);
    *out = hlmi_alloc(mem, n * sizeof **out);
    if (!*out) return hlmi_nomem(n * sizeof **out, key);
    memcpy(*out, kv->data, n * sizeof **out);
    return HLM_OK;
}

static hlm_status read_types(const hlmi_store *s, const hlmi_mem *mem, size_t n, int32_t **out)
{
    const char *key = "tokenizer.ggml.token_type";
    const hlmi_kv *kv = hlmi_store_kv(s, key);
    *out = NULL;
    if (!kv || n == 0) return HLM_OK;
    if (kv->type != HLMI_KV_ARRAY || (kv->item != HLMI_KV_I32 && kv->item != HLMI_KV_U32))
        return bad_key(key, "is no array of i32");
    if (kv->count != n)
        return hlmi_fail(HLM_E_FORMAT, "%s has %llu items for %zu tokens", key, (unsigned long long)kv->count, n);
    *out = hlmi_alloc(mem, n * sizeof **out);
    if (!*out) return hlmi_nomem(n * sizeof **out, key);
    memcpy(*out, kv->data, n * sizeof **out);
    return HLM_OK;
}

static hlm_status read_id(const hlmi_store *s, const char *key, int32_t *out)
{
    const hlmi_kv *kv = hlmi_store_kv(s, key);
    int64_t v;
    *out = -1;
    if (!kv) return HLM_OK;
    if (!hlmi_kv_i64(kv, 0, &v)) return bad_key(key, "is no integer");
    if (v < -1 || v > INT32_MAX) {
        if (v == (int64_t)UINT32_MAX) return HLM_OK; /* -1 as some writers put it */
        return hlmi_fail(HLM_E_FORMAT, "%s is %lld", key, (long long)v);
    }
    *out = (int32_t)v;
    return HLM_OK;
}

static hlm_status read_flag(const hlmi_store *s, const char *key, int *out)
{
    const hlmi_kv *kv = hlmi_store_kv(s, key);
    int64_t v = -1;
    *out = -1;
    if (!kv) return HLM_OK;
    if (kv->type != HLMI_KV_BOOL || !hlmi_kv_i64(kv, 0, &v)) return bad_key(key, "is no bool");
    *out = v != 0;
    return HLM_OK;
}

static hlm_status read_string(const hlmi_store *s, const char *key, hlmi_str *out)
{
    const hlmi_kv *kv = hlmi_store_kv(s, key);
    size_t cursor = 0;
    *out = (hlmi_str){"", 0};
    if (!kv) return HLM_OK;
    if (kv->type != HLMI_KV_STRING || !hlmi_kv_next_string(kv, &cursor, &out->s, &out->len))
        return bad_key(key, "is no string");
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

static hlm_status read_facts(const hlmi_store *s, hlmi_vocab *v)
{
    hlm_status st;
    HLMI_TRY(read_string(s, "tokenizer.ggml.pre", &v->pre));
    HLMI_TRY(read_id(s, "tokenizer.ggml.bos_token_id", &v->bos));
    HLMI_TRY(read_id(s, "tokenizer.ggml.eos_token_id", &v->eos));
    HLMI_TRY(read_id(s, "tokenizer.ggml.unknown_token_id", &v->unk));
    HLMI_TRY(read_id(s, "tokenizer.ggml.padding_token_id", &v->pad));
    HLMI_TRY(read_id(s, "tokenizer.ggml.eot_token_id", &v->eot));
    HLMI_TRY(read_id(s, "tokenizer.ggml.eom_token_id", &v->eom));
    HLMI_TRY(read_flag(s, "tokenizer.ggml.add_bos_token", &v->add_bos));
    HLMI_TRY(read_flag(s, "tokenizer.ggml.add_eos_token", &v->add_eos));
    HLMI_TRY(read_flag(s, "tokenizer.ggml.add_space_prefix", &v->add_space_prefix));
    HLMI_TRY(read_flag(s, "tokenizer.ggml.remove_extra_whitespaces", &v->remove_extra_whitespaces));
    HLMI_TRY(read_charsmap(s, v));
done:
    return st;
}

static hlm_status load_gguf(hlmi_tokenizer **out, const hlmi_mem *mem, const hlmi_store *s)
{
    hlm_status st;
    arrays a = {0};
    hlmi_vocab v = {0};
    HLMI_TRY(read_string(s, "tokenizer.ggml.model", &v.model));
    if (v.model.len == 0 || (v.model.len == 4 && memcmp(v.model.s, "none", 4) == 0)) goto done; /* ids only */
    HLMI_TRY(read_facts(s, &v));
    HLMI_TRY(read_strings(s, mem, "tokenizer.ggml.tokens", &a.tokens, &v.n_tokens));
    HLMI_TRY(read_strings(s, mem, "tokenizer.ggml.merges", &a.merges, &v.n_merges));
    HLMI_TRY(read_scores(s, mem, v.n_tokens, &a.scores));
    HLMI_TRY(read_types(s, mem, v.n_tokens, &a.types));
    v.tokens = a.tokens;
    v.merges = a.merges;
    v.scores = a.scores;
    v.types = a.types;
    HLMI_TRY(hlmi_tokenizer_from_vocab(out, mem, &v));
done:
    hlmi_free(mem, a.tokens);
    hlmi_free(mem, a.merges);
    hlmi_free(mem, a.scores);
    hlmi_free(mem, a.types);
    return st;
}

/* ---- Hugging Face folders ---- */

/* An id or a list of them. */
static hlm_status add_ends(hlmi_tokenizer *t, const json_t *v)
{
    hlm_status st = HLM_OK;
    const json_int_t id = json_is_integer(v) ? json_integer_value(v) : -1;
    if (id >= 0 && id < INT32_MAX) st = hlmi_tokenizer_add_end(t, (int32_t)id);
    for (size_t i = 0; i < json_array_size(v) && st == HLM_OK; i++) {
        const json_t *item = json_array_get(v, i);
        if (json_is_integer(item)) st = add_ends(t, item);
    }
    return st;
}

/* Ids that end an answer: generation_config.json's, else config.json's. */
static hlm_status read_ends(hlmi_tokenizer *t, const hlmi_mem *mem, const hlmi_store *s)
{
    char *text = NULL;
    size_t len;
    json_t *root = NULL;
    const json_t *ids = json_object_get(hlmi_store_config(s), "eos_token_id");
    hlm_status st = hlmi_store_side_file(s, "generation_config.json", SIDE_FILE_MAX, &text, &len);
    if (st == HLM_OK && text) st = hlmi_json_parse(mem, text, len, false, "generation_config.json", &root);
    const json_t *own = json_object_get(root, "eos_token_id");
    if (st == HLM_OK) st = add_ends(t, own && !json_is_null(own) ? own : ids);
    json_decref(root);
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
    const json_t *rows = json_object_get(hlmi_store_config(s), "vocab_size");
    hlm_status st = hlmi_store_side_file_any(s, "tokenizer.model", SIDE_FILE_MAX, &model, &len);
    if (st == HLM_OK && model && len > 0 && model[0] == (1 << 3 | 2)) {
        st = hlmi_spm_check(mem, model, len, &pieces);
        if (st == HLM_OK && json_is_integer(rows) && (json_int_t)pieces > json_integer_value(rows))
            st = hlmi_fail(HLM_E_FORMAT, "tokenizer.model has %zu pieces, config.json a vocab_size of %lld", pieces,
                           (long long)json_integer_value(rows));
    }
    hlmi_free(mem, model);
    return st;
}

static hlm_status folder_spm(hlmi_tokenizer **out, const hlmi_mem *mem, const hlmi_store *s, const char *config,
                             size_t config_len)
{
    hlm_status st;
    char *model = NULL, *added = NULL;
    hlmi_spm_files files = {.config = config, .config_len = config_len};
    HLMI_TRY(hlmi_store_side_file(s, "tokenizer.model", SIDE_FILE_MAX, &model, &files.model_len));
    if (!model) goto done;
    HLMI_TRY(hlmi_store_side_file(s, "added_tokens.json", SIDE_FILE_MAX, &added, &files.added_len));
    files.model = model;
    files.added = added;
    st = hlmi_tokenizer_from_spm(out, mem, &files);
done:
    hlmi_free(mem, model);
    hlmi_free(mem, added);
    return st;
}

static hlm_status load_folder(hlmi_tokenizer **out, const hlmi_mem *mem, const hlmi_store *s)
{
    hlm_status st;
    char *json = NULL, *config = NULL;
    size_t len = 0, config_len = 0;
    HLMI_TRY(hlmi_store_side_file(s, "tokenizer.json", SIDE_FILE_MAX, &json, &len));
    HLMI_TRY(hlmi_store_side_file(s, "tokenizer_config.json", SIDE_FILE_MAX, &config, &config_len));
    if (json) {
        HLMI_TRY(hlmi_tokenizer_from_json(out, mem, json, len, config, config_len));
        HLMI_TRY(check_other_spelling(mem, s));
    } else {
        HLMI_TRY(folder_spm(out, mem, s, config, config_len));
        if (!*out) goto done;
    }
    HLMI_TRY(read_ends(*out, mem, s));
done:
    hlmi_free(mem, json);
    hlmi_free(mem, config);
    return st;
}

/* ---- both ---- */

hlm_status hlmi_vocab_load(hlmi_tokenizer **out, const hlmi_mem *mem, const hlmi_store *store)
{
    *out = NULL;
    const bool gguf = hlmi_store_container(store) == HLMI_STORE_GGUF;
    const hlm_status st = gguf ? load_gguf(out, mem, store) : load_folder(out, mem, store);
    if (st == HLM_OK) return st;
    hlmi_tokenizer_free(*out);
    *out = NULL;
    return hlmi_fail_prefix(st, "%s: ", hlmi_store_path(store));
}

/* `name` in the folder of `path`, when there is one. */
static hlm_status slurp_beside(const hlmi_mem *mem, const hlmi_vfs *vfs, const char *path, const char *name,
                               char **data, size_t *len)
{
    const char *slash = strrchr(path, '/');
    const size_t folder = slash ? (size_t)(slash - path) + 1 : 0;
    hlmi_buf b;
    bool missing = false;
    hlmi_buf_init(&b, mem);
    hlmi_buf_add(&b, path, folder);
    hlmi_buf_str(&b, name);
    hlm_status st = hlmi_buf_status(&b, "a path");
    if (st == HLM_OK) st = hlmi_source_slurp(mem, vfs, b.data, SIDE_FILE_MAX, data, len, &missing);
    hlmi_buf_free(&b);
    return missing ? HLM_OK : st;
}

bool hlmi_vocab_is_file(const char *path)
{
    static const char *const suffixes[] = {".json", ".model"};
    const size_t n = strlen(path);
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        const size_t k = strlen(suffixes[i]);
        if (n > k && strcmp(path + n - k, suffixes[i]) == 0) return true;
    }
    return false;
}

hlm_status hlmi_vocab_load_file(hlmi_tokenizer **out, const hlmi_mem *mem, const hlmi_vfs *vfs, const char *path)
{
    hlm_status st;
    char *text = NULL, *config = NULL, *added = NULL;
    size_t len = 0, config_len = 0, added_len = 0;
    const bool json = strcmp(path + strlen(path) - 5, ".json") == 0;
    *out = NULL;
    HLMI_TRY(hlmi_source_slurp(mem, vfs, path, SIDE_FILE_MAX, &text, &len, NULL));
    HLMI_TRY(slurp_beside(mem, vfs, path, "tokenizer_config.json", &config, &config_len));
    if (!json) HLMI_TRY(slurp_beside(mem, vfs, path, "added_tokens.json", &added, &added_len));
    const hlmi_spm_files files = {text, len, config, config_len, added, added_len};
    st = json ? hlmi_tokenizer_from_json(out, mem, text, len, config, config_len)
              : hlmi_tokenizer_from_spm(out, mem, &files);
    if (st != HLM_OK) hlmi_fail_prefix(st, "%s: ", path);
done:
    hlmi_free(mem, text);
    hlmi_free(mem, config);
    hlmi_free(mem, added);
    return st;
}
