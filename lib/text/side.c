/* Tokens that the files beside a tokenizer add, and those that they give a part to play. */
#include "text/side.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/size.h"
#include "text/json_read.h"
#include "text/tokenizer_impl.h"

#define CONFIG "tokenizer_config.json"
#define MAP "special_tokens_map.json"
#define ADDED "added_tokens.json"
#define LIST "added_tokens_decoder"

/* In the order in which transformers adds those that are missing. */
static const char *const named_keys[] = {"bos_token", "eos_token", "unk_token", "sep_token",
                                         "pad_token", "cls_token", "mask_token"};
static const char *const list_keys[] = {"extra_special_tokens", "additional_special_tokens"};

/* ---- files ---- */

static hlm_status read_object(hlmi_json **out, const hlmi_mem *mem, const char *text, size_t len, const char *what)
{
    if (!text) return HLM_OK;
    const hlmi_json_use use = strcmp(what, ADDED) == 0 ? HLMI_JSON_IDS : HLMI_JSON_SETTINGS;
    const hlm_status st = hlmi_json_parse(out, mem, use, text, len, what);
    if (st != HLM_OK || hlmi_json_is(*out, HLMI_JSON_OBJECT)) return st;
    return hlmi_fail(HLM_E_FORMAT, "%s: is no object", what);
}

void hlmi_side_free(hlmi_side *s)
{
    hlmi_json_free(s->config);
    hlmi_json_free(s->map);
    hlmi_json_free(s->added);
    hlmi_json_free(s->special);
    *s = (hlmi_side){0};
}

/* ---- tokens with a part to play ---- */

/* A text, or {"content": text, ...}; null is none. */
static hlm_status read_text(const hlmi_json *v, const char *file, const char *key, hlmi_named *out)
{
    const hlmi_str text = hlmi_json_str(hlmi_json_is(v, HLMI_JSON_OBJECT) ? hlmi_json_get(v, "content") : v);
    if (hlmi_json_is(v, HLMI_JSON_NULL)) return HLM_OK;
    if (!text.s) return hlmi_fail(HLM_E_FORMAT, "%s: %s is neither a text nor null", file, key);
    out->text = text;
    out->flags = hlmi_json_added_flags(v, true);
    return HLM_OK;
}

static const char *supposed(const hlmi_token_class *c, const char *key)
{
    const char *const texts[] = {c->bos, c->eos, c->unk, c->sep, c->pad, c->cls, c->mask};
    for (size_t i = 0; i < sizeof named_keys / sizeof *named_keys; i++)
        if (strcmp(key, named_keys[i]) == 0) return texts[i];
    return NULL;
}

hlm_status hlmi_side_named(const hlmi_side *s, const char *key, hlmi_named *out)
{
    const hlmi_json *own = hlmi_json_get(s->map, key), *v = own ? own : hlmi_json_get(s->config, key);
    *out = (hlmi_named){.flags = HLMI_ADDED_SPECIAL, .said = v != NULL};
    if (v) return read_text(v, own ? MAP : CONFIG, key, out);
    const char *text = s->kind ? supposed(s->kind, key) : NULL;
    if (text) out->text = (hlmi_str){text, strlen(text)};
    if (text && s->kind->mask_lstrip && strcmp(key, "mask_token") == 0) out->flags |= HLMI_ADDED_LSTRIP;
    return HLM_OK;
}

hlm_status hlmi_side_special_id(const hlmi_tokenizer *t, const hlmi_side *side, const char *key, int32_t *id,
                                bool *said)
{
    hlmi_named n;
    HLMI_DO(hlmi_side_named(side, key, &n));
    if (said) *said = n.said;
    const int32_t found = n.text.s ? hlmi_tokens_find(&t->tokens, n.text.s, n.text.len) : -1;
    if (found >= 0) *id = found;
    return HLM_OK;
}

hlm_status hlmi_side_special(hlmi_tokenizer *t, const hlmi_side *side, bool words)
{
    HLMI_DO(hlmi_side_special_id(t, side, "bos_token", &t->special.bos, &t->said.bos));
    HLMI_DO(hlmi_side_special_id(t, side, "eos_token", &t->special.eos, &t->said.eos));
    HLMI_DO(hlmi_side_special_id(t, side, "pad_token", &t->special.pad, &t->said.pad));
    HLMI_DO(hlmi_side_special_id(t, side, "unk_token", &t->special.unk, NULL));
    return hlmi_tokenizer_mark_ends(t, words);
}

/* ---- walking ---- */

typedef struct walk {
    const hlmi_side *s;
    hlm_status (*add)(void *user, const hlmi_side_token *token);
    void *user;
} walk;

static hlm_status give(const walk *w, const hlmi_named *n, const char *where)
{
    const hlmi_side_token t = {.text = n->text, .id = -1, .flags = n->flags, .supposed = !n->said, .where = where};
    return n->text.s ? w->add(w->user, &t) : HLM_OK;
}

/* A decimal id below HLMI_MAX_TOKENS, or -1. */
static int64_t id_of_key(const char *key)
{
    int64_t v = 0;
    for (const char *p = key; *p; p++) {
        if (*p < '0' || *p > '9' || p - key > 7) return -1;
        v = v * 10 + (*p - '0');
    }
    return *key && v < HLMI_MAX_TOKENS ? v : -1;
}

/* An entry {"32000": {"content": ..., "special": ...}} or {"<text>": 32000}. */
static hlm_status read_entry(const hlmi_side *s, hlmi_str key, const hlmi_json *v, hlmi_side_token *out)
{
    const bool listed = s->added == NULL;
    *out = (hlmi_side_token){.listed = listed, .where = listed ? CONFIG ": " LIST : ADDED};
    out->text = listed ? hlmi_json_str(hlmi_json_get(v, "content")) : key;
    if (!out->text.s) return hlmi_fail(HLM_E_FORMAT, "%s: %s: '%.40s' has no text \"content\"", CONFIG, LIST, key.s);
    out->id = listed ? id_of_key(key.s) : -1;
    if (listed && out->id < 0) return hlmi_fail(HLM_E_FORMAT, "%s: %s: '%.40s' is no id", CONFIG, LIST, key.s);
    if (!listed && !hlmi_json_int(v, 0, HLMI_MAX_TOKENS - 1, &out->id))
        return hlmi_fail(HLM_E_FORMAT, "%s: '%.80s' has no id below %d", ADDED, key.s, HLMI_MAX_TOKENS);
    const bool said = hlmi_json_flag(v, "special", false),
               special = said || hlmi_json_get(s->special, out->text.s) != NULL;
    out->flags = hlmi_json_added_flags(v, special);
    out->normalized = hlmi_json_flag(v, "normalized", listed ? !said : !special);
    return HLM_OK;
}

static int by_id(const void *a, const void *b)
{
    const hlmi_side_token *x = a, *y = b;
    return x->id < y->id ? -1 : x->id > y->id;
}

/* The list of added tokens, by id. */
static hlm_status each_listed(const walk *w)
{
    hlm_status st = HLM_OK;
    const hlmi_json *list = w->s->added ? w->s->added : hlmi_json_get(w->s->config, LIST);
    const size_t n = hlmi_json_count(list);
    if (n == 0) return HLM_OK;
    hlmi_side_token *tokens = hlmi_calloc(&w->s->mem, n, sizeof *tokens);
    if (!tokens) return hlmi_nomem(n * sizeof *tokens, "added tokens");
    for (hlmi_json_iter i = {0}; hlmi_json_next(list, &i);)
        HLMI_TRY(read_entry(w->s, i.key, i.value, &tokens[i.n - 1]));
    qsort(tokens, n, sizeof *tokens, by_id);
    for (size_t i = 0; i < n; i++) HLMI_TRY(w->add(w->user, &tokens[i]));
done:
    hlmi_free(&w->s->mem, tokens);
    return st;
}

/* Keys of a model's own, such as "image_token": those that have a text. */
static hlm_status each_own(const walk *w, const hlmi_json *root, const char *file)
{
    static const char suffix[] = "_token";
    for (hlmi_json_iter it = {0}; hlmi_json_next(root, &it);) {
        const size_t k = sizeof suffix - 1;
        bool known = false;
        for (size_t i = 0; i < sizeof named_keys / sizeof *named_keys; i++)
            known = known || strcmp(it.key.s, named_keys[i]) == 0;
        const bool text = hlmi_json_str(it.value).s || hlmi_json_string(it.value, "content");
        if (known || !text || it.key.len <= k || strcmp(it.key.s + it.key.len - k, suffix) != 0) continue;
        hlmi_named named = {.said = true};
        HLMI_DO(read_text(it.value, file, it.key.s, &named));
        HLMI_DO(give(w, &named, file));
    }
    return HLM_OK;
}

/* A list of tokens, or an object of names and tokens. */
static hlm_status each_more(const walk *w, const hlmi_json *root, const char *file, const char *key)
{
    hlmi_named named = {.said = true};
    const hlmi_json *list = hlmi_json_given(root, key);
    if (list && !hlmi_json_is(list, HLMI_JSON_ARRAY | HLMI_JSON_OBJECT))
        return hlmi_fail(HLM_E_FORMAT, "%s: %s is no list", file, key);
    for (hlmi_json_iter i = {0}; hlmi_json_next(list, &i);) {
        HLMI_DO(read_text(i.value, file, key, &named));
        HLMI_DO(give(w, &named, file));
    }
    return HLM_OK;
}

/* Those without an id. */
static hlm_status each_named(const walk *w)
{
    const hlmi_side *s = w->s;
    hlmi_named n;
    for (size_t i = 0; i < sizeof named_keys / sizeof *named_keys; i++) {
        HLMI_DO(hlmi_side_named(s, named_keys[i], &n));
        HLMI_DO(give(w, &n, hlmi_json_get(s->map, named_keys[i]) ? MAP : CONFIG));
    }
    HLMI_DO(each_own(w, s->config, CONFIG));
    HLMI_DO(each_own(w, s->map, MAP));
    for (size_t i = 0; i < sizeof list_keys / sizeof *list_keys; i++) {
        HLMI_DO(each_more(w, s->config, CONFIG, list_keys[i]));
        HLMI_DO(each_more(w, s->map, MAP, list_keys[i]));
    }
    return HLM_OK;
}

hlm_status hlmi_side_each(const hlmi_side *s, hlm_status (*add)(void *user, const hlmi_side_token *token), void *user)
{
    const walk w = {s, add, user};
    HLMI_DO(each_listed(&w));
    return each_named(&w);
}

/* ---- reading ---- */

static hlm_status note_special(void *user, const hlmi_side_token *token)
{
    if (hlmi_json_put_int(user, token->text.s, 1)) return HLM_OK;
    return hlmi_nomem(token->text.len, "special tokens");
}

hlm_status hlmi_side_read(hlmi_side *s, const hlmi_mem *mem, const hlmi_side_files *files)
{
    *s = (hlmi_side){.mem = *mem};
    if (!files) return HLM_OK;
    HLMI_DO(read_object(&s->config, mem, files->config, files->config_len, CONFIG));
    const char *kind = hlmi_json_string(s->config, "tokenizer_class");
    s->kind = hlmi_token_class_find(kind ? kind : files->class_name, files->model_type);
    const hlmi_json *list = hlmi_json_given(s->config, LIST);
    if (list && !hlmi_json_is(list, HLMI_JSON_OBJECT))
        return hlmi_fail(HLM_E_FORMAT, "%s: %s is no object", CONFIG, LIST);
    if (!list) {
        HLMI_DO(read_object(&s->map, mem, files->map, files->map_len, MAP));
        HLMI_DO(read_object(&s->added, mem, files->added, files->added_len, ADDED));
    }
    s->special = hlmi_json_object();
    if (!s->special) return hlmi_nomem(0, "special tokens");
    return each_named(&(walk){s, note_special, s->special});
}

/* ---- placing ---- */

static bool taken(const hlmi_tokens *t, int64_t id)
{
    return id >= 0 && (size_t)id < t->n && t->v[id].attr & HLMI_TOK_PRESENT;
}

/* May the file say this id of a text that has another one? As tokenizer.json does: its own statement about an added
 * token, or an id behind the vocabulary for one of the vocabulary's words. */
static bool agrees(hlmi_placer *p, const hlmi_side_token *token, int32_t known)
{
    const hlmi_tokens *t = &p->t->tokens;
    int64_t said;
    if (known == token->id) return true;
    if (hlmi_json_int(hlmi_json_get(p->said, token->text.s), 0, INT64_MAX, &said) && said == token->id) return true;
    if (p->takes_pieces || t->v[known].attr & HLMI_TOK_ADDED) return false;
    if ((uint64_t)token->id < t->n_model || taken(t, token->id)) return false;
    p->skipped++;
    return true;
}

static hlm_status check_known(hlmi_placer *p, const hlmi_side_token *token, int32_t known)
{
    if (agrees(p, token, known)) return HLM_OK;
    return hlmi_fail(HLM_E_FORMAT, "%s: '%.80s' has the id %lld, and %d in %s", token->where, token->text.s,
                     (long long)token->id, (int)known, p->vocabulary);
}

static hlm_status check_free(const hlmi_placer *p, const hlmi_side_token *token)
{
    const hlmi_tokens *t = &p->t->tokens;
    if (!taken(t, token->id) || (p->takes_pieces && !(t->v[token->id].attr & HLMI_TOK_ADDED))) return HLM_OK;
    const hlmi_str other = hlmi_tokens_text(t, (int32_t)token->id);
    return hlmi_fail(HLM_E_FORMAT, "%s: '%.80s' has the id %lld, which is that of '%.*s'", token->where, token->text.s,
                     (long long)token->id, (int)hlmi_min_size(other.len, 80), other.s);
}

/* An id for a text that has none: what the file says. Where it says ids on for words that have their own, the next one,
 * as tokenizers give it. */
static hlm_status give_id(const hlmi_placer *p, const hlmi_side_token *token, int32_t *out)
{
    hlmi_tokens *t = &p->t->tokens;
    int64_t id = (int64_t)hlmi_max_size((size_t)p->last + 1, t->n_model);
    const bool next = !p->takes_pieces && !taken(t, id);
    if (token->id < 0 && !next) id = (int64_t)t->n;
    if (token->id >= 0 && !(next && id + p->skipped == token->id)) {
        HLMI_DO(check_free(p, token));
        id = token->id;
    }
    const size_t most = (size_t)(id > token->id ? id : token->id) + 1;
    HLMI_DO(hlmi_tokens_reserve(t, most));
    *out = (int32_t)id;
    return hlmi_tokens_add(t, *out, token->text, 0);
}

static bool is_marker_piece(const hlmi_placer *p, int32_t id)
{
    return p->piece_types && (size_t)id < p->n_pieces && hlmi_type_is_marker(p->piece_types[id]);
}

hlm_status hlmi_place_token(void *user, const hlmi_side_token *token)
{
    hlmi_placer *p = user;
    hlmi_tokenizer *t = p->t;
    int32_t id = hlmi_tokens_find(&t->tokens, token->text.s, token->text.len);
    if (token->text.len == 0 || (token->supposed && id < 0 && !p->supposes)) return HLM_OK;
    if (token->text.len > HLMI_ADDED_MAX)
        return hlmi_fail(HLM_E_UNSUPPORTED, "%s: an added token of %zu bytes; at most %d", token->where,
                         token->text.len, HLMI_ADDED_MAX);
    if (token->id >= 0 && id >= 0) HLMI_DO(check_known(p, token, id));
    if (id < 0) HLMI_DO(give_id(p, token, &id));
    uint8_t *attr = &t->tokens.v[id].attr;
    if (*attr & HLMI_TOK_ADDED) {
        if (!token->listed) return HLM_OK; /* the list that it is in has said how */
        hlmi_tokenizer_forget_added(t, id);
    }
    *attr = (uint8_t)((*attr & ~(unsigned)HLMI_TOK_SPECIAL) | HLMI_TOK_ADDED |
                      (token->flags & HLMI_ADDED_SPECIAL ? HLMI_TOK_SPECIAL : 0u));
    if (id > p->last) p->last = id;
    return hlmi_tokenizer_register_added(t, id, token->flags, token->normalized && !is_marker_piece(p, id));
}
