/* A tokenizer from a SentencePiece model, as transformers makes one of it: the model's own normalisation, and from
 * tokenizer_config.json what stands around a text, the added tokens, and how spaces are put in front.
 * A folder with such a file alone is an older one; newer ones bring a tokenizer.json too. */
#include <string.h>

#include "base/json.h"
#include "text/charsmap.h"
#include "text/json_read.h"
#include "text/side.h"
#include "text/spm.h"
#include "text/tokenizer_impl.h"

#define SPACE "\xE2\x96\x81"

/* What the file and its neighbours say, while the tokenizer is built. */
typedef struct loader {
    hlmi_tokenizer *t;
    hlmi_spm spm;
    hlmi_side side;
} loader;

/* ---- tokens ---- */

/* Neighbours never merge into markers; the paths of Unigram, as the tokenizers package has them, run over all pieces
 * but the unused ones, which texts never become. */
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
    HLMI_DO(hlmi_tokens_reserve(&l->t->tokens, m->n, bytes));
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
        HLMI_DO(hlmi_tokenizer_register_added(l->t, (int32_t)i, flags, false));
    }
    return HLM_OK;
}

static hlm_status read_added(loader *l)
{
    hlmi_placer p = {.t = l->t,
                     .vocabulary = "tokenizer.model",
                     .last = -1,
                     .takes_pieces = true,
                     .piece_types = l->spm.types,
                     .n_pieces = l->spm.n};
    return hlmi_side_each(&l->side, hlmi_place_token, &p);
}

/* ---- around a text ---- */

static hlm_status read_special(loader *l)
{
    hlm_status st;
    hlmi_tokenizer *t = l->t;
    t->special = (hlmi_special_ids){.bos = l->spm.bos, .eos = l->spm.eos, .pad = l->spm.pad, .unk = l->spm.unk};
    HLMI_TRY(hlmi_json_special_id(t, &l->side, "bos_token", &t->special.bos, &t->said.bos));
    HLMI_TRY(hlmi_json_special_id(t, &l->side, "eos_token", &t->special.eos, &t->said.eos));
    HLMI_TRY(hlmi_json_special_id(t, &l->side, "pad_token", &t->special.pad, &t->said.pad));
    HLMI_TRY(hlmi_json_special_id(t, &l->side, "unk_token", &t->special.unk, NULL));
    HLMI_TRY(hlmi_tokenizer_mark_ends(t, true));
done:
    return st;
}

/* Without a word about it Llama's and the many classes made after it put bos in front, T5's eos behind, and the class
 * that knows no model nothing. */
static hlm_status read_post(loader *l)
{
    hlm_status st = HLM_OK;
    const char *kind = hlmi_json_string(l->side.config, "tokenizer_class");
    const bool t5 = kind && (strncmp(kind, "T5", 2) == 0 || strncmp(kind, "MT5", 3) == 0);
    const bool plain =
        kind && (strncmp(kind, "PreTrainedTokenizer", 19) == 0 || strcmp(kind, "TokenizersBackend") == 0);
    const hlmi_special_ids ids = l->t->special;
    if (hlmi_json_flag(l->side.config, "add_bos_token", !t5 && !plain) && ids.bos >= 0)
        HLMI_TRY(hlmi_ids_push(&l->t->post.prefix, ids.bos));
    if (hlmi_json_flag(l->side.config, "add_eos_token", t5) && ids.eos >= 0)
        HLMI_TRY(hlmi_ids_push(&l->t->post.suffix, ids.eos));
done:
    return st;
}

/* ---- stages ---- */

/* Stages written as tokenizer.json has them. */
static hlm_status read_stages(hlmi_tokenizer *t, const char *json)
{
    hlmi_json *root;
    hlm_status st = hlmi_json_parse(&root, &t->mem, HLMI_JSON_SETTINGS, json, strlen(json), "stages");
    if (st == HLM_OK) st = hlmi_norms_read(&t->norms, &t->mem, hlmi_json_get(root, "normalizer"));
    if (st == HLM_OK) st = hlmi_pretoks_read(&t->pretoks, &t->mem, hlmi_json_get(root, "pre_tokenizer"));
    hlmi_json_free(root);
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

/* Spaces kept as they are: U+2581 for each, one in front of each stretch between added tokens, or, by the newer rule
 * ("legacy": false), in front of the whole text when it does not begin with a space. */
static hlm_status keep_spaces(loader *l, bool prefix, bool legacy)
{
    hlm_status st;
    hlmi_tokenizer *t = l->t;
    if (!l->spm.escape_whitespaces) {
        HLMI_TRY(prefix ? hlmi_norms_add_text(&t->norms, &t->mem, NULL, " ") : HLM_OK);
        goto done;
    }
    if (!legacy) {
        HLMI_TRY(read_stages(t,
                             prefix ? "{\"pre_tokenizer\": {\"type\": \"Metaspace\", \"replacement\": \"" SPACE
                                      "\", \"prepend_scheme\": \"first\", \"split\": false}}"
                                    : "{\"pre_tokenizer\": {\"type\": \"Metaspace\", \"replacement\": \"" SPACE
                                      "\", \"prepend_scheme\": \"never\", \"split\": false}}"));
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
    HLMI_TRY(read_stages(l->t,
                         "{\"normalizer\": {\"type\": \"Sequence\", \"normalizers\": ["
                         "{\"type\": \"Strip\", \"strip_left\": false, \"strip_right\": true},"
                         "{\"type\": \"Replace\", \"pattern\": {\"Regex\": \" {2,}\"}, \"content\": \" \"}]}}"));
    if (!prefix || !l->spm.escape_whitespaces)
        HLMI_TRY(
            read_stages(l->t, "{\"normalizer\": {\"type\": \"Strip\", \"strip_left\": true, \"strip_right\": false}}"));
    if (!prefix || !legacy || !l->spm.escape_whitespaces) {
        st = keep_spaces(l, prefix, legacy);
        goto done;
    }
    HLMI_TRY(read_stages(l->t,
                         "{\"pre_tokenizer\": {\"type\": \"Metaspace\", \"replacement\": \"" SPACE
                         "\", \"prepend_scheme\": \"always\", \"split\": true}}"));
done:
    return st;
}

static hlm_status build_stages(loader *l)
{
    hlm_status st;
    const hlmi_spm *m = &l->spm;
    const bool prefix = hlmi_json_flag(l->side.config, "add_prefix_space", m->add_dummy_prefix);
    const bool legacy = hlmi_json_flag(l->side.config, "legacy", true);
    HLMI_TRY(add_charsmap(l));
    HLMI_TRY(m->remove_extra_whitespaces ? squeeze_spaces(l, prefix, legacy) : keep_spaces(l, prefix, legacy));
    HLMI_TRY(read_tokens(l));
done:
    return st;
}

/* What needs the tokens. */
static hlm_status build_model(loader *l)
{
    hlm_status st;
    hlmi_tokenizer *t = l->t;
    const hlmi_spm *m = &l->spm;
    const bool prefix = hlmi_json_flag(l->side.config, "add_prefix_space", m->add_dummy_prefix);
    HLMI_TRY(register_pieces(l));
    if (m->kind == HLMI_SPM_BPE)
        HLMI_TRY(hlmi_bpe_from_scores(&t->model, &t->tokens, &t->mem, m->scores, m->n, m->unk));
    else HLMI_TRY(hlmi_unigram_from_pieces(&t->model, &t->tokens, &t->mem, m->scores, m->n, m->unk, m->byte_fallback));
    HLMI_TRY(hlmi_decode_steps_spm(&t->decode, &t->mem, prefix));
done:
    return st;
}

hlm_status hlmi_tokenizer_from_spm(hlmi_tokenizer **out, const hlmi_mem *mem, const char *model, size_t len,
                                   const hlmi_side_files *side)
{
    hlm_status st;
    loader l = {0};
    *out = NULL;
    HLMI_TRY(hlmi_side_read(&l.side, mem, side));
    HLMI_TRY(hlmi_tokenizer_alloc(&l.t, mem));
    st = hlmi_spm_read(&l.spm, mem, model, len);
    if (st == HLM_OK) st = build_stages(&l);
    if (st != HLM_OK) HLMI_TRY(hlmi_fail_prefix(st, "tokenizer.model: "));
    HLMI_TRY(read_added(&l));
    st = build_model(&l);
    if (st != HLM_OK) HLMI_TRY(hlmi_fail_prefix(st, "tokenizer.model: "));
    HLMI_TRY(read_special(&l));
    HLMI_TRY(read_post(&l));
    *out = l.t;
    l.t = NULL;
done:
    hlmi_spm_free(&l.spm, mem);
    hlmi_side_free(&l.side);
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
