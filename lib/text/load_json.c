/* A tokenizer from tokenizer.json. */
#include <string.h>

#include "base/json.h"
#include "text/json_read.h"
#include "text/side.h"
#include "text/tokenizer_impl.h"

static const hlmi_model_kind *const models[] = {&hlmi_model_bpe, &hlmi_model_unigram};

static hlm_status read_model(hlmi_tokenizer *t, const hlmi_json *def)
{
    const char *kind = hlmi_json_string(def, "type");
    if (!hlmi_json_is(def, HLMI_JSON_OBJECT)) return hlmi_fail(HLM_E_FORMAT, "\"model\" is no object");
    if (!kind) kind = hlmi_json_get(def, "merges") ? "BPE" : "Unigram"; /* older files */
    for (size_t i = 0; i < sizeof models / sizeof *models; i++)
        if (strcmp(models[i]->name, kind) == 0) return models[i]->read(t, def);
    return hlmi_fail(HLM_E_UNSUPPORTED, "model type '%.40s' is not supported; BPE and Unigram are", kind);
}

/* ---- added tokens ---- */

/* The id of an added token. As in the reference, the file's own id counts for nothing: the id is that of the text in
 * the model's vocabulary, else the next one behind it. Yet ids up to the file's stay valid, because templates name
 * them. `last` is the largest id of the added tokens so far, or -1. */
static hlm_status added_id(hlmi_tokenizer *t, const hlmi_json *def, hlmi_str text, int32_t last, int32_t *out)
{
    int64_t said;
    if (!hlmi_json_int(hlmi_json_get(def, "id"), 0, HLMI_MAX_TOKENS - 1, &said))
        return hlmi_fail(HLM_E_FORMAT, "'%.80s' has no id below %d", text.s, HLMI_MAX_TOKENS);
    *out = hlmi_tokens_find(&t->tokens, text.s, text.len);
    const bool known = *out >= 0;
    const int32_t size = (int32_t)t->tokens.n_model;
    if (!known) *out = last >= size ? last + 1 : size;
    const size_t most = (size_t)(said > *out ? said : *out) + 1;
    HLMI_DO(hlmi_tokens_reserve(&t->tokens, most));
    if (known) return HLM_OK;
    if (t->tokens.v[*out].attr) {
        const hlmi_str other = hlmi_tokens_text(&t->tokens, *out);
        return hlmi_fail(HLM_E_FORMAT, "'%.80s' gets the id %d of '%.*s'", text.s, (int)*out,
                         (int)(other.len < 80 ? other.len : 80), other.s);
    }
    return hlmi_tokens_add(&t->tokens, *out, text, 0);
}

uint8_t hlmi_json_added_flags(const hlmi_json *def, bool special)
{
    uint8_t flags = special ? HLMI_ADDED_SPECIAL : 0;
    if (hlmi_json_flag(def, "single_word", false)) flags |= HLMI_ADDED_SINGLE_WORD;
    if (hlmi_json_flag(def, "lstrip", false)) flags |= HLMI_ADDED_LSTRIP;
    if (hlmi_json_flag(def, "rstrip", false)) flags |= HLMI_ADDED_RSTRIP;
    return flags;
}

static hlm_status read_added(hlmi_tokenizer *t, const hlmi_json *def, int32_t *last)
{
    int32_t id = 0;
    const hlmi_str text = hlmi_json_str(hlmi_json_get(def, "content"));
    if (!text.s) return hlmi_fail(HLM_E_FORMAT, "\"content\" is no string");
    if (text.len == 0) return HLM_OK;
    if (text.len > HLMI_ADDED_MAX)
        return hlmi_fail(HLM_E_UNSUPPORTED, "an added token of %zu bytes; at most %d", text.len, HLMI_ADDED_MAX);
    HLMI_DO(added_id(t, def, text, *last, &id));
    if (id > *last) *last = id;
    const bool special = hlmi_json_flag(def, "special", false);
    t->tokens.v[id].attr |= (uint8_t)(HLMI_TOK_ADDED | (special ? HLMI_TOK_SPECIAL : 0));
    return hlmi_tokenizer_register_added(t, id, hlmi_json_added_flags(def, special),
                                         hlmi_json_flag(def, "normalized", !special));
}

static hlm_status read_all_added(hlmi_tokenizer *t, const hlmi_json *list, int32_t *last, hlmi_json *said)
{
    if (list && !hlmi_json_is(list, HLMI_JSON_ARRAY)) return hlmi_fail(HLM_E_FORMAT, "added_tokens is no list");
    for (hlmi_json_iter i = {0}; hlmi_json_next(list, &i);) {
        const hlm_status st = read_added(t, i.value, last);
        if (st != HLM_OK) return hlmi_fail_prefix(st, "added_tokens[%zu]: ", i.n - 1);
        if (!hlmi_json_put(said, hlmi_json_string(i.value, "content"), hlmi_json_get(i.value, "id")))
            return hlmi_nomem(0, "added tokens");
    }
    return HLM_OK;
}

/* ---- the whole ---- */

hlm_status hlmi_json_build(hlmi_tokenizer *t, const hlmi_json *root, const hlmi_side *side, const char *vocabulary,
                           bool supposes)
{
    hlm_status st;
    hlmi_placer placer = {
        .t = t, .vocabulary = vocabulary, .last = -1, .said = hlmi_json_object(), .supposes = supposes};
    if (!placer.said) return hlmi_nomem(0, "added tokens");
    st = read_model(t, hlmi_json_get(root, "model"));
    if (st == HLM_OK) st = hlmi_norms_read(&t->norms, &t->mem, hlmi_json_get(root, "normalizer"));
    if (st == HLM_OK) st = read_all_added(t, hlmi_json_given(root, "added_tokens"), &placer.last, placer.said);
    if (st != HLM_OK) hlmi_fail_prefix(st, "%s: ", vocabulary);
    else st = hlmi_side_each(side, hlmi_place_token, &placer);
    hlmi_json_free(placer.said);
    if (st != HLM_OK) return st;
    HLMI_TRY(hlmi_pretoks_read(&t->pretoks, &t->mem, hlmi_json_get(root, "pre_tokenizer")));
    HLMI_TRY(hlmi_post_read(t, hlmi_json_get(root, "post_processor")));
    HLMI_TRY(hlmi_decode_steps_read(&t->decode, &t->mem, hlmi_json_get(root, "decoder")));
    t->join_spaces = !hlmi_json_given(root, "decoder");
done:
    if (st != HLM_OK) return hlmi_fail_prefix(st, "%s: ", vocabulary);
    if (t->post.prefix.n) t->special.bos = t->post.prefix.v[0];
    if (t->post.suffix.n) t->special.eos = t->post.suffix.v[t->post.suffix.n - 1];
    t->special.unk = t->model->unk;
    return hlmi_side_special(t, side, false);
}

hlm_status hlmi_tokenizer_from_json(hlmi_tokenizer **out, const hlmi_mem *mem, const char *json, size_t len,
                                    const hlmi_side_files *files)
{
    static const char name[] = "tokenizer.json";
    hlm_status st;
    hlmi_tokenizer *t = NULL;
    hlmi_json *root = NULL;
    hlmi_side side = {0};
    *out = NULL;
    HLMI_TRY(hlmi_json_parse(&root, mem, HLMI_JSON_TOKENIZER, json, len, name));
    HLMI_TRY(hlmi_side_read(&side, mem, files));
    HLMI_TRY(hlmi_tokenizer_alloc(&t, mem));
    HLMI_TRY(hlmi_json_build(t, root, &side, name, false));
    *out = t;
    t = NULL;
done:
    hlmi_json_free(root);
    hlmi_side_free(&side);
    hlmi_tokenizer_free(t);
    return st;
}
