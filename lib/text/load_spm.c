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
    for (size_t i = 0; i < m->n; i++)
        HLMI_DO(hlmi_tokens_add(&l->t->tokens, (int32_t)i, m->pieces[i], piece_attr(m, m->types[i])));
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

/* Without a word about it Llama's and the many classes made after it put bos in front, T5's eos behind, and the class
 * that knows no model nothing. */
static hlm_status read_post(loader *l)
{
    const char *kind = hlmi_json_string(l->side.config, "tokenizer_class");
    const bool t5 = kind && (strncmp(kind, "T5", 2) == 0 || strncmp(kind, "MT5", 3) == 0);
    const bool plain =
        kind && (strncmp(kind, "PreTrainedTokenizer", 19) == 0 || strcmp(kind, "TokenizersBackend") == 0);
    return hlmi_tokenizer_put_around(l->t, hlmi_json_flag(l->side.config, "add_bos_token", !t5 && !plain),
                                     hlmi_json_flag(l->side.config, "add_eos_token", t5));
}

/* ---- stages ---- */

static hlm_status add_charsmap(loader *l)
{
    hlmi_norm *n = NULL;
    const hlmi_mem *mem = &l->t->mem;
    if (l->spm.charsmap.len == 0) return HLM_OK;
    HLMI_DO(hlmi_norms_add(&l->t->norms, mem, "Precompiled", &n));
    return hlmi_charsmap_new(&n->charsmap, mem, l->spm.charsmap.s, l->spm.charsmap.len);
}

#define METASPACE(scheme, split)                                                                                   \
  "{\"pre_tokenizer\": {\"type\": \"Metaspace\", \"replacement\": \"\xE2\x96\x81\", \"prepend_scheme\": \"" scheme \
  "\", \"split\": " split "}}"
#define STRIP(left) "{\"normalizer\": {\"type\": \"Strip\", \"strip_left\": " left ", \"strip_right\": true}}"
#define SINGLE_SPACES \
  "{\"normalizer\": {\"type\": \"Replace\", \"pattern\": {\"Regex\": \" {2,}\"}, \"content\": \" \"}}"

/* Spaces kept as they are: U+2581 for each, one in front of each stretch between added tokens, or, by the newer rule
 * ("legacy": false), in front of the whole text when it does not begin with a space. */
static hlm_status keep_spaces(loader *l, bool prefix, bool legacy)
{
    if (!l->spm.escape_whitespaces)
        return prefix ? hlmi_stages_read(l->t, "{\"normalizer\": {\"type\": \"Prepend\", \"prepend\": \" \"}}")
                      : HLM_OK;
    if (legacy) return hlmi_stages_mark_spaces(l->t, prefix);
    return hlmi_stages_read(l->t, prefix ? METASPACE("first", "false") : METASPACE("never", "false"));
}

/* Spaces at the ends go, runs of them become one. */
static hlm_status squeeze_spaces(loader *l, bool prefix, bool legacy)
{
    const bool words = prefix && l->spm.escape_whitespaces; /* spaces in front stand for the prefix */
    HLMI_DO(hlmi_stages_read(l->t, words ? STRIP("false") : STRIP("true")));
    HLMI_DO(hlmi_stages_read(l->t, SINGLE_SPACES));
    return words && legacy ? hlmi_stages_read(l->t, METASPACE("always", "true")) : keep_spaces(l, prefix, legacy);
}

static hlm_status build_stages(loader *l, bool prefix)
{
    const bool legacy = hlmi_json_flag(l->side.config, "legacy", true);
    HLMI_DO(add_charsmap(l));
    HLMI_DO(l->spm.remove_extra_whitespaces ? squeeze_spaces(l, prefix, legacy) : keep_spaces(l, prefix, legacy));
    return read_tokens(l);
}

/* What needs the tokens. Pieces that are cut out of texts: control and unknown ones when markers are wanted,
 * user-defined ones always. What the lists of added tokens say about them comes first. */
static hlm_status build_model(loader *l, bool prefix)
{
    hlmi_tokenizer *t = l->t;
    const hlmi_spm *m = &l->spm;
    t->special = (hlmi_special_ids){.bos = m->bos, .eos = m->eos, .pad = m->pad, .unk = m->unk};
    HLMI_DO(hlmi_tokenizer_register_types(t, m->types, m->n, "piece", HLMI_TOK_ADDED));
    HLMI_DO(m->kind == HLMI_SPM_BPE ? hlmi_bpe_from_scores(t, m->scores, m->n)
                                    : hlmi_unigram_from_pieces(t, m->scores, m->n, m->byte_fallback));
    return hlmi_stages_decode_spaces(t, prefix);
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
    const bool prefix = hlmi_json_flag(l.side.config, "add_prefix_space", l.spm.add_dummy_prefix);
    if (st == HLM_OK) st = build_stages(&l, prefix);
    if (st != HLM_OK) HLMI_TRY(hlmi_fail_prefix(st, "tokenizer.model: "));
    HLMI_TRY(read_added(&l));
    st = build_model(&l, prefix);
    if (st != HLM_OK) HLMI_TRY(hlmi_fail_prefix(st, "tokenizer.model: "));
    HLMI_TRY(hlmi_side_special(l.t, &l.side, true));
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
