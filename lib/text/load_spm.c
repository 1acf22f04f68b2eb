/* A tokenizer from a SentencePiece model, as transformers makes one of it: the model's own normalisation, and
 * from tokenizer_config.json what stands around a text, the added tokens, and how spaces are put in front.
 * A folder with such a file alone is an older one; newer ones bring a tokenizer.json too. */
#include <string.h>

#include "base/json.h"
#include "text/charsmap.h"
#include "text/json_read.h"
#include "text/spm.h"
#include "text/tokenizer_impl.h"

#define SPACE "\xE2\x96\x81"

/* What the file and its neighbours say, while the tokenizer is built. */
typedef struct loader {
    hlmi_tokenizer *t;
    hlmi_spm spm;
    json_t *config, *added; /* tokenizer_config.json, added_tokens.json; NULL: not there */
} loader;

/* ---- tokens ---- */

/* Neighbours never merge into markers; the paths of Unigram, as the tokenizers package has them, run over all
 * pieces but the unused ones, which texts never become. */
static uint8_t piece_attr(const hlmi_spm *m, int32_t type)
{
    if (type == HLMI_TYPE_UNUSED) return HLMI_TOK_UNUSED;
    if (type != HLMI_TYPE_CONTROL && type != HLMI_TYPE_UNKNOWN) return HLMI_TOK_MODEL;
    return HLMI_TOK_SPECIAL | (m->kind == HLMI_SPM_UNIGRAM ? HLMI_TOK_MODEL : 0);
}

static hlm_status read_tokens(loader *l)
{
    const hlmi_spm *m = &l->spm;
    size_t bytes = 0;
    for (size_t i = 0; i < m->n; i++) bytes += m->pieces[i].len;
    const hlm_status st = hlmi_tokens_reserve(&l->t->tokens, m->n, bytes);
    if (st != HLM_OK) return st;
    for (size_t i = 0; i < m->n; i++)
        hlmi_tokens_set(&l->t->tokens, (int32_t)i, m->pieces[i], piece_attr(m, m->types[i]));
    return HLM_OK;
}

static bool is_marker(int32_t type)
{
    return type == HLMI_TYPE_CONTROL || type == HLMI_TYPE_UNKNOWN || type == HLMI_TYPE_USER_DEFINED;
}

/* Pieces that are cut out of texts: control and unknown ones when markers are wanted, user-defined ones always. What
 * the lists of added tokens say about them comes first. */
static hlm_status register_pieces(loader *l)
{
    for (size_t i = 0; i < l->spm.n; i++) {
        const int32_t type = l->spm.types[i];
        if (!is_marker(type) || l->t->tokens.attr[i] & HLMI_TOK_ADDED) continue;
        if (l->spm.pieces[i].len > 1024)
            return hlmi_fail(HLM_E_UNSUPPORTED, "piece %zu, a marker, has %zu bytes; at most 1024", i,
                             l->spm.pieces[i].len);
        const uint8_t flags = type == HLMI_TYPE_USER_DEFINED ? 0 : HLMI_ADDED_SPECIAL;
        const hlm_status st = hlmi_tokenizer_register_added(l->t, (int32_t)i, flags, false);
        if (st != HLM_OK) return st;
    }
    return HLM_OK;
}

/* Gives `text` an id: that of its piece, else `said`, whose piece it then replaces, or with -1 the next free one. */
static hlm_status place_token(hlmi_tokenizer *t, hlmi_str text, json_int_t said, int32_t *id)
{
    *id = hlmi_tokens_find(&t->tokens, text.s, text.len);
    if (*id >= 0) return HLM_OK;
    if (said >= HLMI_MAX_TOKENS) return hlmi_fail(HLM_E_FORMAT, "'%.80s' has the id %lld", text.s, (long long)said);
    *id = said >= 0 ? (int32_t)said : (int32_t)t->tokens.n;
    const size_t n = (size_t)*id + 1;
    const hlm_status st = hlmi_tokens_reserve(&t->tokens, n > t->tokens.n ? n : t->tokens.n, text.len);
    if (st == HLM_OK) hlmi_tokens_set(&t->tokens, *id, text, 0);
    return st;
}

static hlm_status add_token(hlmi_tokenizer *t, const json_t *content, json_int_t said, uint8_t flags, bool normalized)
{
    const hlmi_str text = {json_string_value(content), json_string_length(content)};
    int32_t id = 0;
    if (!json_is_string(content)) return hlmi_fail(HLM_E_FORMAT, "an added token without text");
    if (text.len == 0) return HLM_OK;
    if (text.len > HLMI_ADDED_MAX)
        return hlmi_fail(HLM_E_UNSUPPORTED, "an added token of %zu bytes; at most %d", text.len, HLMI_ADDED_MAX);
    const hlm_status st = place_token(t, text, said, &id);
    if (st != HLM_OK) return st;
    if ((flags & HLMI_ADDED_SPECIAL) == 0) t->tokens.attr[id] &= (uint8_t) ~(unsigned)HLMI_TOK_SPECIAL;
    else t->tokens.attr[id] |= HLMI_TOK_SPECIAL;
    t->tokens.attr[id] |= HLMI_TOK_ADDED;
    return hlmi_tokenizer_register_added(t, id, flags, normalized);
}

/* A decimal id below HLMI_MAX_TOKENS, or -1. */
static json_int_t id_of_key(const char *key)
{
    json_int_t v = 0;
    for (const char *p = key; *p; p++) {
        if (*p < '0' || *p > '9' || p - key > 7) return -1;
        v = v * 10 + (*p - '0');
    }
    return *key && v < HLMI_MAX_TOKENS ? v : -1;
}

/* "added_tokens_decoder": {"32000": {"content": ..., "special": ...}}. */
static hlm_status read_decoder_list(loader *l, const json_t *list)
{
    const char *key;
    json_t *v;
    json_object_foreach((json_t *)(uintptr_t)list, key, v)
    {
        const json_int_t id = id_of_key(key);
        const bool special = hlmi_json_flag(v, "special", false);
        if (id < 0) return hlmi_fail(HLM_E_FORMAT, "added_tokens_decoder: '%.40s' is no id", key);
        const bool marker = (size_t)id < l->spm.n && is_marker(l->spm.types[id]); /* those are never normalized */
        const hlm_status st = add_token(l->t, json_object_get(v, "content"), id, hlmi_json_added_flags(v, special),
                                        !marker && hlmi_json_flag(v, "normalized", !special));
        if (st != HLM_OK) return hlmi_fail_prefix(st, "added_tokens_decoder, %.40s: ", key);
    }
    return HLM_OK;
}

static bool is_named_special(const loader *l, const char *text)
{
    static const char *const keys[] = {"bos_token", "eos_token", "pad_token", "unk_token"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const json_t *v = json_object_get(l->config, keys[i]);
        const char *s = json_string_value(json_is_object(v) ? json_object_get(v, "content") : v);
        if (s && strcmp(s, text) == 0) return true;
    }
    return false;
}

/* added_tokens.json of folders that have no such list: {"<text>": 32000}. */
static hlm_status read_added_file(loader *l)
{
    const char *key;
    json_t *v;
    json_object_foreach(l->added, key, v)
    {
        const json_int_t id = json_is_integer(v) ? json_integer_value(v) : -1;
        const bool special = is_named_special(l, key);
        if (id < 0) return hlmi_fail(HLM_E_FORMAT, "added_tokens.json: '%.80s' has no id", key);
        json_t *text = json_string(key);
        const hlm_status st = add_token(l->t, text, id, special ? HLMI_ADDED_SPECIAL : 0, !special);
        json_decref(text);
        if (st != HLM_OK) return hlmi_fail_prefix(st, "added_tokens.json: ");
    }
    return HLM_OK;
}

/* Special tokens that the configuration names and no list gives an id: the next ones. */
static hlm_status read_named_token(loader *l, const json_t *v)
{
    const json_t *text = json_is_object(v) ? json_object_get(v, "content") : v;
    if (!json_is_string(text)) return HLM_OK;
    return add_token(l->t, text, -1, hlmi_json_added_flags(v, true), false);
}

static hlm_status read_added(loader *l)
{
    static const char *const keys[] = {"bos_token", "eos_token", "unk_token", "sep_token", "pad_token"};
    hlm_status st;
    const json_t *list = json_object_get(l->config, "added_tokens_decoder");
    const json_t *more = json_object_get(l->config, "additional_special_tokens");
    HLMI_TRY(json_is_object(list) ? read_decoder_list(l, list) : read_added_file(l));
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        HLMI_TRY(read_named_token(l, json_object_get(l->config, keys[i])));
    for (size_t i = 0; i < json_array_size(more); i++) HLMI_TRY(read_named_token(l, json_array_get(more, i)));
    st = register_pieces(l);
done:
    return st;
}

/* ---- around a text ---- */

static hlm_status read_special(loader *l)
{
    hlmi_special_ids *ids = &l->t->special;
    ids->bos = hlmi_json_token_id(l->t, l->config, "bos_token", l->spm.bos);
    ids->eos = hlmi_json_token_id(l->t, l->config, "eos_token", l->spm.eos);
    ids->pad = hlmi_json_token_id(l->t, l->config, "pad_token", l->spm.pad);
    ids->unk = hlmi_json_token_id(l->t, l->config, "unk_token", l->spm.unk);
    return hlmi_tokenizer_mark_ends(l->t);
}

/* Without a word about it Llama's and the many classes made after it put bos in front, T5's eos behind, and the
 * class that knows no model nothing. */
static hlm_status read_post(loader *l)
{
    hlm_status st = HLM_OK;
    const char *kind = json_string_value(json_object_get(l->config, "tokenizer_class"));
    const bool t5 = kind && (strncmp(kind, "T5", 2) == 0 || strncmp(kind, "MT5", 3) == 0);
    const bool plain =
        kind && (strncmp(kind, "PreTrainedTokenizer", 19) == 0 || strcmp(kind, "TokenizersBackend") == 0);
    const hlmi_special_ids ids = l->t->special;
    if (hlmi_json_flag(l->config, "add_bos_token", !t5 && !plain) && ids.bos >= 0)
        HLMI_TRY(hlmi_ids_push(&l->t->post.prefix, ids.bos));
    if (hlmi_json_flag(l->config, "add_eos_token", t5) && ids.eos >= 0)
        HLMI_TRY(hlmi_ids_push(&l->t->post.suffix, ids.eos));
done:
    return st;
}

/* ---- stages ---- */

/* A stage written as tokenizer.json has it. */
static hlm_status read_norms(hlmi_tokenizer *t, const char *json)
{
    json_t *def;
    hlm_status st = hlmi_json_parse(&t->mem, json, strlen(json), false, "normalizer", &def);
    if (st == HLM_OK) st = hlmi_norms_read(&t->norms, &t->mem, def);
    json_decref(def);
    return st;
}

static hlm_status read_pretoks(hlmi_tokenizer *t, const char *json)
{
    json_t *def;
    hlm_status st = hlmi_json_parse(&t->mem, json, strlen(json), false, "pre_tokenizer", &def);
    if (st == HLM_OK) st = hlmi_pretoks_read(&t->pretoks, &t->mem, def);
    json_decref(def);
    return st;
}

static hlm_status add_charsmap(loader *l)
{
    hlmi_norm *n = NULL;
    const hlmi_mem *mem = &l->t->mem;
    if (l->spm.charsmap.len == 0) return HLM_OK;
    const hlm_status st = hlmi_norms_add(&l->t->norms, mem, "Precompiled", &n);
    return st == HLM_OK ? hlmi_charsmap_new(&n->charsmap, mem, l->spm.charsmap.s, l->spm.charsmap.len) : st;
}

/* Spaces kept as they are: U+2581 for each, one in front of each stretch between added tokens, or, by the newer
 * rule ("legacy": false), in front of the whole text when it does not begin with a space. */
static hlm_status keep_spaces(loader *l, bool prefix, bool legacy)
{
    hlm_status st;
    hlmi_tokenizer *t = l->t;
    if (!l->spm.escape_whitespaces) {
        HLMI_TRY(prefix ? hlmi_norms_add_text(&t->norms, &t->mem, NULL, " ") : HLM_OK);
        goto done;
    }
    if (!legacy) {
        HLMI_TRY(read_pretoks(t,
                              prefix ? "{\"type\": \"Metaspace\", \"replacement\": \"" SPACE
                                       "\", \"prepend_scheme\": \"first\", \"split\": false}"
                                     : "{\"type\": \"Metaspace\", \"replacement\": \"" SPACE
                                       "\", \"prepend_scheme\": \"never\", \"split\": false}"));
        goto done;
    }
    if (prefix) HLMI_TRY(hlmi_norms_add_text(&t->norms, &t->mem, NULL, SPACE));
    HLMI_TRY(hlmi_norms_add_text(&t->norms, &t->mem, " ", SPACE));
done:
    return st;
}

/* Spaces at the ends go, runs of them become one. */
static hlm_status squeeze_spaces(loader *l, bool prefix, bool legacy)
{
    hlm_status st;
    HLMI_TRY(read_norms(l->t,
                        "{\"type\": \"Sequence\", \"normalizers\": ["
                        "{\"type\": \"Strip\", \"strip_left\": false, \"strip_right\": true},"
                        "{\"type\": \"Replace\", \"pattern\": {\"Regex\": \" {2,}\"}, \"content\": \" \"}]}"));
    if (!prefix || !l->spm.escape_whitespaces)
        HLMI_TRY(read_norms(l->t, "{\"type\": \"Strip\", \"strip_left\": true, \"strip_right\": false}"));
    if (!prefix || !legacy || !l->spm.escape_whitespaces) {
        st = keep_spaces(l, prefix, legacy);
        goto done;
    }
    HLMI_TRY(read_pretoks(l->t,
                          "{\"type\": \"Metaspace\", \"replacement\": \"" SPACE
                          "\", \"prepend_scheme\": \"always\", \"split\": true}"));
done:
    return st;
}

static hlm_status build_stages(loader *l)
{
    hlm_status st;
    hlmi_tokenizer *t = l->t;
    const hlmi_spm *m = &l->spm;
    const bool prefix = hlmi_json_flag(l->config, "add_prefix_space", m->add_dummy_prefix);
    const bool legacy = hlmi_json_flag(l->config, "legacy", true);
    HLMI_TRY(add_charsmap(l));
    HLMI_TRY(m->remove_extra_whitespaces ? squeeze_spaces(l, prefix, legacy) : keep_spaces(l, prefix, legacy));
    HLMI_TRY(read_tokens(l));
    HLMI_TRY(read_added(l));
    if (m->kind == HLMI_SPM_BPE)
        HLMI_TRY(hlmi_bpe_from_scores(&t->model, &t->tokens, &t->mem, m->scores, m->n, m->unk));
    else HLMI_TRY(hlmi_unigram_from_pieces(&t->model, &t->tokens, &t->mem, m->scores, m->n, m->unk, m->byte_fallback));
    HLMI_TRY(hlmi_decode_steps_spm(&t->decode, &t->mem, prefix));
    HLMI_TRY(read_special(l));
    HLMI_TRY(read_post(l));
done:
    return st;
}

hlm_status hlmi_tokenizer_from_spm(hlmi_tokenizer **out, const hlmi_mem *mem, const hlmi_spm_files *files)
{
    hlm_status st;
    loader l = {0};
    *out = NULL;
    if (files->config)
        HLMI_TRY(hlmi_json_parse(mem, files->config, files->config_len, false, "tokenizer_config.json", &l.config));
    if (files->added)
        HLMI_TRY(hlmi_json_parse(mem, files->added, files->added_len, false, "added_tokens.json", &l.added));
    HLMI_TRY(hlmi_tokenizer_alloc(&l.t, mem));
    st = hlmi_spm_read(&l.spm, mem, files->model, files->model_len);
    if (st == HLM_OK) st = build_stages(&l);
    if (st != HLM_OK) HLMI_TRY(hlmi_fail_prefix(st, "tokenizer.model: "));
    *out = l.t;
    l.t = NULL;
done:
    hlmi_spm_free(&l.spm, mem);
    json_decref(l.config);
    json_decref(l.added);
    hlmi_tokenizer_free(l.t);
    return st;
}

hlm_status hlmi_spm_check(const hlmi_mem *mem, const char *data, size_t len, size_t *n_pieces)
{
    hlmi_spm m = {0};
    const hlm_status st = hlmi_spm_read(&m, mem, data, len);
    *n_pieces = m.n;
    hlmi_spm_free(&m, mem);
    return st == HLM_OK ? st : hlmi_fail_prefix(st, "tokenizer.model: ");
}
