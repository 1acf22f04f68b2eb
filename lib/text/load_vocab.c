/* A tokenizer from the facts that a GGUF file carries. What they leave open is as llama.cpp defines it, which is where
 * such files are made for. */
#include <string.h>

#include "text/pre.h"
#include "text/tokenizer_impl.h"

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
    size_t bytes = 0;
    if (v->n_tokens == 0) return hlmi_fail(HLM_E_FORMAT, "the vocabulary is empty");
    for (size_t i = 0; i < v->n_tokens; i++) bytes += v->tokens[i].len;
    HLMI_DO(hlmi_tokens_reserve(&t->tokens, v->n_tokens, bytes));
    for (size_t i = 0; i < v->n_tokens; i++) {
        const int32_t type = v->types ? v->types[i] : HLMI_TYPE_NORMAL;
        uint8_t attr = HLMI_TOK_MODEL;
        if (type == HLMI_TYPE_CONTROL || type == HLMI_TYPE_UNKNOWN) attr |= HLMI_TOK_SPECIAL;
        if (type == HLMI_TYPE_UNUSED) attr |= HLMI_TOK_UNUSED;
        if (type == HLMI_TYPE_USER_DEFINED) attr |= HLMI_TOK_ADDED;
        HLMI_DO(check_byte(v, i));
        hlmi_tokens_set(&t->tokens, (int32_t)i, v->tokens[i], attr);
    }
    return HLM_OK;
}

/* Control, unknown and user-defined tokens are found in texts. */
static hlm_status register_added(hlmi_tokenizer *t, const hlmi_vocab *v)
{
    for (size_t i = 0; v->types && i < v->n_tokens; i++) {
        const int32_t type = v->types[i];
        if (type != HLMI_TYPE_CONTROL && type != HLMI_TYPE_UNKNOWN && type != HLMI_TYPE_USER_DEFINED) continue;
        if (v->tokens[i].len > HLMI_ADDED_MAX)
            return hlmi_fail(HLM_E_UNSUPPORTED, "token %zu, a marker, has %zu bytes; at most %d", i, v->tokens[i].len,
                             HLMI_ADDED_MAX);
        const uint8_t flags = type == HLMI_TYPE_USER_DEFINED ? 0 : HLMI_ADDED_SPECIAL;
        HLMI_DO(hlmi_tokenizer_register_added(t, (int32_t)i, flags, false));
    }
    return HLM_OK;
}

/* Ids that the file gives a part to play are markers whatever their type. Some files name an ordinary character, such
 * as token 0, where they have no such token: a normal token must look like a marker. */
static hlm_status mark_named(hlmi_tokenizer *t, const hlmi_vocab *v)
{
    const int32_t ids[] = {v->bos, v->unk, v->pad};
    hlm_status st = HLM_OK;
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        if (ids[i] < 0 || (size_t)ids[i] >= v->n_tokens) continue;
        const bool own = v->types && v->types[ids[i]] == HLMI_TYPE_USER_DEFINED;
        if (own || hlmi_looks_like_marker(v->tokens[ids[i]])) HLMI_TRY(hlmi_tokenizer_make_special(t, ids[i]));
    }
    HLMI_TRY(hlmi_tokenizer_mark_ends(t, true));
    HLMI_TRY(hlmi_tokenizer_add_end(t, v->eot));
    HLMI_TRY(hlmi_tokenizer_add_end(t, v->eom));
done:
    return st;
}

/* ---- ids that have a part to play ---- */

static hlm_status check_id(const hlmi_vocab *v, const char *name, int32_t id)
{
    if (id < 0 || (size_t)id < v->n_tokens) return HLM_OK;
    return hlmi_fail(HLM_E_FORMAT, "the %s token is %d; the vocabulary has %zu tokens", name, (int)id, v->n_tokens);
}

static hlm_status read_special(hlmi_tokenizer *t, const hlmi_vocab *v, hlmi_special_ids missing)
{
    hlm_status st;
    t->special.bos = v->bos >= 0 ? v->bos : missing.bos;
    t->special.eos = v->eos >= 0 ? v->eos : missing.eos;
    t->special.unk = v->unk >= 0 ? v->unk : missing.unk;
    t->special.pad = v->pad;
    HLMI_TRY(check_id(v, "bos", t->special.bos));
    HLMI_TRY(check_id(v, "eos", t->special.eos));
    HLMI_TRY(check_id(v, "unk", t->special.unk));
    HLMI_TRY(check_id(v, "pad", t->special.pad));
    HLMI_TRY(check_id(v, "eot", v->eot));
    HLMI_TRY(check_id(v, "eom", v->eom));
done:
    return st;
}

static hlm_status read_post(hlmi_tokenizer *t, bool add_bos, bool add_eos)
{
    hlm_status st = HLM_OK;
    if (add_bos && t->special.bos >= 0) HLMI_TRY(hlmi_ids_push(&t->post.prefix, t->special.bos));
    if (add_eos && t->special.eos >= 0) HLMI_TRY(hlmi_ids_push(&t->post.suffix, t->special.eos));
done:
    return st;
}

static bool said(int flag, bool missing)
{
    return flag < 0 ? missing : flag > 0;
}

/* ---- kinds of vocabularies ---- */

static hlm_status build_gpt2(hlmi_tokenizer *t, const hlmi_vocab *v)
{
    hlm_status st;
    hlmi_pretok *p = NULL;
    const hlmi_pre *pre = NULL;
    HLMI_TRY(hlmi_pre_find(v->pre, &pre));
    HLMI_TRY(read_special(t, v, (hlmi_special_ids){-1, -1, -1, -1}));
    for (size_t i = 0; i < HLMI_PRE_PATTERNS && pre->pattern[i]; i++)
        HLMI_TRY(hlmi_pretoks_add_regex(&t->pretoks, &t->mem, pre->pattern[i]));
    HLMI_TRY(hlmi_pretoks_add(&t->pretoks, &t->mem, "byte map", &p));
    HLMI_TRY(hlmi_decode_steps_add(&t->decode, &t->mem, "ByteLevel"));
    HLMI_TRY(mark_named(t, v));
    HLMI_TRY(hlmi_bpe_from_merges(&t->model, &t->tokens, &t->mem, v->merges, v->n_merges, pre->ignore_merges));
    HLMI_TRY(read_post(t, said(v->add_bos, pre->add_bos), said(v->add_eos, false)));
done:
    return st;
}

static hlm_status build_llama(hlmi_tokenizer *t, const hlmi_vocab *v)
{
    hlm_status st;
    const bool prefix = said(v->add_space_prefix, true);
    HLMI_TRY(read_special(t, v, (hlmi_special_ids){.bos = 1, .eos = 2, .unk = 0, .pad = -1}));
    if (prefix) HLMI_TRY(hlmi_norms_add_text(&t->norms, &t->mem, NULL, "\xE2\x96\x81"));
    HLMI_TRY(hlmi_norms_add_text(&t->norms, &t->mem, " ", "\xE2\x96\x81"));
    HLMI_TRY(hlmi_decode_steps_spm(&t->decode, &t->mem, prefix));
    HLMI_TRY(mark_named(t, v));
    HLMI_TRY(hlmi_bpe_from_scores(&t->model, &t->tokens, &t->mem, v->scores, t->tokens.n, t->special.unk));
    HLMI_TRY(read_post(t, said(v->add_bos, true), said(v->add_eos, false)));
done:
    return st;
}

static hlm_status build_t5(hlmi_tokenizer *t, const hlmi_vocab *v)
{
    hlm_status st;
    const bool prefix = said(v->add_space_prefix, true);
    HLMI_TRY(read_special(t, v, (hlmi_special_ids){.bos = -1, .eos = 1, .unk = 2, .pad = -1}));
    HLMI_TRY(hlmi_norms_add_sentencepiece(&t->norms, &t->mem, v->charsmap, v->charsmap_len, prefix,
                                          said(v->remove_extra_whitespaces, false)));
    HLMI_TRY(hlmi_decode_steps_spm(&t->decode, &t->mem, prefix));
    HLMI_TRY(mark_named(t, v));
    HLMI_TRY(hlmi_unigram_from_scores(&t->model, &t->tokens, &t->mem, v->scores, v->types, t->special.unk));
    HLMI_TRY(read_post(t, said(v->add_bos, false), said(v->add_eos, true)));
done:
    return st;
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
    HLMI_TRY(register_added(t, v));
    *out = t;
    t = NULL;
done:
    hlmi_tokenizer_free(t);
    return st;
}
