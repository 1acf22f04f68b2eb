/* A tokenizer from the facts that a GGUF file carries. What they leave open is as llama.cpp defines it, which is where
 * such files are made for. */
#include <string.h>

#include "text/pre.h"
#include "text/tokenizer_impl.h"

#define BYTE_LEVEL                                                                                    \
  "{\"pre_tokenizer\": {\"type\": \"ByteLevel\", \"add_prefix_space\": false, \"use_regex\": false}," \
  "\"decoder\": {\"type\": \"ByteLevel\"}}"

/* Byte-level vocabularies spell bytes as characters; in the others a byte is <0xHH>. */
static hlm_status check_byte(const hlmi_vocab *v, size_t i)
{
    const hlmi_str s = v->tokens[i];
    if (!v->types || v->types[i] != HLMI_TYPE_BYTE || hlmi_byte_piece(s) >= 0) return HLM_OK;
    if (v->model.len == 4 && memcmp(v->model.s, "gpt2", 4) == 0) return HLM_OK;
    return hlmi_fail(HLM_E_FORMAT, "token %zu, '%.*s', is a byte, but not spelled <0xHH>", i,
                     (int)(s.len < 80 ? s.len : 80), s.s);
}

static hlm_status read_tokens(hlmi_tokenizer *t, const hlmi_vocab *v)
{
    if (v->n_tokens == 0) return hlmi_fail(HLM_E_FORMAT, "the vocabulary is empty");
    HLMI_DO(hlmi_tokens_reserve(&t->tokens, v->n_tokens));
    for (size_t i = 0; i < v->n_tokens; i++) {
        const int32_t type = v->types ? v->types[i] : HLMI_TYPE_NORMAL;
        uint8_t attr = HLMI_TOK_MODEL;
        if (type == HLMI_TYPE_CONTROL || type == HLMI_TYPE_UNKNOWN) attr |= HLMI_TOK_SPECIAL;
        if (type == HLMI_TYPE_UNUSED) attr |= HLMI_TOK_UNUSED;
        if (type == HLMI_TYPE_USER_DEFINED) attr |= HLMI_TOK_ADDED;
        HLMI_DO(check_byte(v, i));
        HLMI_DO(hlmi_tokens_add(&t->tokens, (int32_t)i, v->tokens[i], attr));
    }
    return HLM_OK;
}

/* Ids that the file gives a part to play are markers whatever their type. Some files name an ordinary character, such
 * as token 0, where they have no such token: a normal token must look like a marker. */
static hlm_status mark_named(hlmi_tokenizer *t, const hlmi_vocab *v)
{
    const int32_t ids[] = {v->bos, v->unk, v->pad};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        if (ids[i] < 0 || (size_t)ids[i] >= v->n_tokens) continue;
        const bool own = v->types && v->types[ids[i]] == HLMI_TYPE_USER_DEFINED;
        if (own || hlmi_looks_like_marker(v->tokens[ids[i]])) HLMI_DO(hlmi_tokenizer_make_special(t, ids[i]));
    }
    HLMI_DO(hlmi_tokenizer_mark_ends(t, true));
    HLMI_DO(hlmi_tokenizer_add_end(t, v->eot));
    return hlmi_tokenizer_add_end(t, v->eom);
}

/* ---- ids that have a part to play ---- */

static hlm_status check_id(const hlmi_vocab *v, const char *name, int32_t id)
{
    if (id < 0 || (size_t)id < v->n_tokens) return HLM_OK;
    return hlmi_fail(HLM_E_FORMAT, "the %s token is %d; the vocabulary has %zu tokens", name, (int)id, v->n_tokens);
}

static hlm_status read_special(hlmi_tokenizer *t, const hlmi_vocab *v, hlmi_special_ids missing)
{
    t->special.bos = v->bos >= 0 ? v->bos : missing.bos;
    t->special.eos = v->eos >= 0 ? v->eos : missing.eos;
    t->special.unk = v->unk >= 0 ? v->unk : missing.unk;
    t->special.pad = v->pad;
    HLMI_DO(check_id(v, "bos", t->special.bos));
    HLMI_DO(check_id(v, "eos", t->special.eos));
    HLMI_DO(check_id(v, "unk", t->special.unk));
    HLMI_DO(check_id(v, "pad", t->special.pad));
    HLMI_DO(check_id(v, "eot", v->eot));
    return check_id(v, "eom", v->eom);
}

static bool said(int flag, bool missing)
{
    return flag < 0 ? missing : flag > 0;
}

/* ---- kinds of vocabularies ---- */

static hlm_status build_gpt2(hlmi_tokenizer *t, const hlmi_vocab *v)
{
    const hlmi_pre *pre = NULL;
    HLMI_DO(hlmi_pre_find(v->pre, &pre));
    HLMI_DO(read_special(t, v, (hlmi_special_ids){-1, -1, -1, -1}));
    for (size_t i = 0; i < HLMI_PRE_PATTERNS && pre->pattern[i]; i++)
        HLMI_DO(hlmi_pretoks_add_regex(&t->pretoks, &t->mem, pre->pattern[i]));
    HLMI_DO(hlmi_stages_read(t, BYTE_LEVEL));
    HLMI_DO(mark_named(t, v));
    HLMI_DO(hlmi_bpe_from_merges(t, v->merges, v->n_merges, pre->ignore_merges));
    return hlmi_tokenizer_put_around(t, said(v->add_bos, pre->add_bos), said(v->add_eos, false));
}

static hlm_status build_llama(hlmi_tokenizer *t, const hlmi_vocab *v)
{
    const bool prefix = said(v->add_space_prefix, true);
    HLMI_DO(read_special(t, v, (hlmi_special_ids){.bos = 1, .eos = 2, .unk = 0, .pad = -1}));
    HLMI_DO(hlmi_stages_mark_spaces(t, prefix));
    HLMI_DO(hlmi_stages_decode_spaces(t, prefix));
    HLMI_DO(mark_named(t, v));
    HLMI_DO(hlmi_bpe_from_scores(t, v->scores, t->tokens.n));
    return hlmi_tokenizer_put_around(t, said(v->add_bos, true), said(v->add_eos, false));
}

static hlm_status build_t5(hlmi_tokenizer *t, const hlmi_vocab *v)
{
    const bool prefix = said(v->add_space_prefix, true);
    HLMI_DO(read_special(t, v, (hlmi_special_ids){.bos = -1, .eos = 1, .unk = 2, .pad = -1}));
    HLMI_DO(hlmi_norms_add_sentencepiece(&t->norms, &t->mem, v->charsmap, v->charsmap_len, prefix,
                                         said(v->remove_extra_whitespaces, false)));
    HLMI_DO(hlmi_stages_decode_spaces(t, prefix));
    HLMI_DO(mark_named(t, v));
    HLMI_DO(hlmi_unigram_from_scores(t, v->scores, v->types));
    return hlmi_tokenizer_put_around(t, said(v->add_bos, false), said(v->add_eos, true));
}

static const struct {
    const char *name;
    hlm_status (*build)(hlmi_tokenizer *t, const hlmi_vocab *v);
} kinds[] = {
    {"gpt2", build_gpt2},
    {"llama", build_llama},
    {"t5", build_t5},
};

static hlm_status build(hlmi_tokenizer *t, const hlmi_vocab *v)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strlen(kinds[i].name) == v->model.len && memcmp(kinds[i].name, v->model.s, v->model.len) == 0)
            return kinds[i].build(t, v);
    return hlmi_fail(HLM_E_UNSUPPORTED, "tokenizer model '%.*s' is not supported; gpt2, llama and t5 are",
                     (int)(v->model.len < 40 ? v->model.len : 40), v->model.s ? v->model.s : "");
}

hlm_status hlmi_tokenizer_from_vocab(hlmi_tokenizer **out, const hlmi_mem *mem, const hlmi_vocab *v)
{
    hlm_status st;
    hlmi_tokenizer *t = NULL;
    *out = NULL;
    HLMI_TRY(hlmi_tokenizer_alloc(&t, mem));
    HLMI_TRY(read_tokens(t, v));
    HLMI_TRY(build(t, v));
    if (v->types) HLMI_TRY(hlmi_tokenizer_register_types(t, v->types, v->n_tokens, "token", 0));
    *out = t;
    t = NULL;
done:
    hlmi_tokenizer_free(t);
    return st;
}
