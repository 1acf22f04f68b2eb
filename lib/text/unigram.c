/* The Unigram model: of all ways to cut a text into pieces the one with the largest sum of scores (Viterbi). A
 * character that is no piece by itself may stand as the unknown token at a penalty; neighbouring unknowns are one. */
#include <math.h>
#include <string.h>

#include "base/json.h"
#include "text/byte_trie.h"
#include "text/json_read.h"
#include "text/tokenizer_impl.h"

enum { PIECE_MAX = 1024 };

static const double unknown_penalty = 10.0;

typedef struct unigram {
    hlmi_token_model base;
    const hlmi_tokens *tokens;
    double *scores; /* [n] by id */
    size_t n;
    double unk_score;
    bool byte_fallback;
    int32_t bytes[256];
    hlmi_byte_trie trie;
} unigram;

static void unigram_free(hlmi_token_model *m, const hlmi_mem *mem)
{
    unigram *u = (unigram *)m;
    hlmi_byte_trie_free(&u->trie, mem);
    hlmi_free(mem, u->scores);
    hlmi_free(mem, u);
}

/* ---- encoding ---- */

/* The best way to get to a position. */
typedef struct place {
    double score;
    uint32_t start; /* of the last piece; UINT32_MAX: not reached yet */
    int32_t id; /* of the last piece; -1: the unknown token */
} place;

typedef struct work {
    hlmi_mem mem;
    place *v; /* places from `base` on */
    size_t cap;
    bool plain; /* pieces that are special tokens do not count */
    size_t unk_from, unk_to; /* a run of unknown characters that may go on */
} work;

static hlm_status unigram_begin(const hlmi_mem *mem, size_t text_len, bool plain, void **scratch)
{
    (void)text_len;
    work *w = hlmi_calloc(mem, 1, sizeof *w);
    *scratch = w;
    if (!w) return hlmi_nomem(sizeof *w, "tokenizing");
    w->mem = *mem;
    w->plain = plain;
    return HLM_OK;
}

static void unigram_end(void *scratch)
{
    work *w = scratch;
    if (!w) return;
    const hlmi_mem mem = w->mem;
    hlmi_free(&mem, w->v);
    hlmi_free(&mem, w);
}

static bool may_spell(const unigram *u, const work *w, int32_t id)
{
    return !w->plain || !(u->tokens->v[id].attr & HLMI_TOK_SPECIAL);
}

/* Ends the run of unknown characters: a token that has just this text, or its bytes, or one unknown token. */
static hlm_status flush_unknown(const unigram *u, work *w, const char *s, hlmi_ids *out)
{
    const size_t from = w->unk_from, to = w->unk_to;
    if (from == to) return HLM_OK;
    w->unk_from = w->unk_to = 0;
    const int32_t id = hlmi_tokens_find_model(u->tokens, s + from, to - from);
    if (id >= 0 && may_spell(u, w, id)) return hlmi_ids_push(out, id);
    bool bytes = u->byte_fallback;
    for (size_t i = from; i < to && bytes; i++) bytes = u->bytes[(uint8_t)s[i]] >= 0;
    if (!bytes) return u->base.unk >= 0 ? hlmi_ids_push(out, u->base.unk) : HLM_OK;
    for (size_t i = from; i < to; i++) HLMI_DO(hlmi_ids_push(out, u->bytes[(uint8_t)s[i]]));
    return HLM_OK;
}

/* Appends the best path from `base` to `end`. The links are turned round in place: afterwards the place at the
 * beginning of each piece tells its end and id. */
static hlm_status emit(const unigram *u, work *w, const char *s, size_t base, size_t end, hlmi_ids *out)
{
    uint32_t next_start = UINT32_MAX;
    int32_t next_id = 0;
    for (size_t at = end;;) { /* v[at] receives the piece that begins there */
        place *p = &w->v[at - base];
        const uint32_t start = p->start;
        const int32_t id = p->id;
        p->start = next_start;
        p->id = next_id;
        if (at == base) break;
        next_start = (uint32_t)at;
        next_id = id;
        at = start;
    }
    for (size_t at = base; at < end;) {
        const place p = w->v[at - base];
        if (p.id < 0 || p.id == u->base.unk) {
            if (w->unk_from == w->unk_to) w->unk_from = at;
            w->unk_to = p.start;
        } else {
            HLMI_DO(flush_unknown(u, w, s, out));
            HLMI_DO(hlmi_ids_push(out, p.id));
        }
        at = p.start;
    }
    return HLM_OK;
}

/* Makes places up to `to` exist; those behind *far are new. */
static hlm_status reach(work *w, size_t base, size_t to, size_t *far)
{
    HLMI_DO(HLMI_GROW(&w->mem, w->v, w->cap, to - base + 1, "tokenizing"));
    while (*far < to) w->v[++*far - base].start = UINT32_MAX;
    return HLM_OK;
}

static void offer(place *p, double score, size_t start, int32_t id)
{
    if (p->start != UINT32_MAX && !(score > p->score)) return;
    *p = (place){score, (uint32_t)start, id};
}

/* Offers every piece that begins at `at`. */
static hlm_status step(const unigram *u, work *w, const char *s, size_t len, size_t base, size_t at, size_t *far)
{
    const double here = w->v[at - base].score;
    const size_t one = hlmi_utf8_len((unsigned char)s[at]);
    bool single = false;
    uint32_t node = 0;
    HLMI_DO(reach(w, base, at + one, far));
    for (size_t i = at; i < len;) {
        node = hlmi_byte_trie_step(&u->trie, node, (uint8_t)s[i++]);
        if (!node) break;
        const int32_t id = u->trie.id[node];
        if (id < 0 || !may_spell(u, w, id)) continue;
        HLMI_DO(reach(w, base, i, far));
        offer(&w->v[i - base], u->scores[id] + here, at, id);
        single = single || i == at + one;
    }
    if (!single) offer(&w->v[at + one - base], u->unk_score + here, at, -1);
    return HLM_OK;
}

static hlm_status unigram_encode(const hlmi_token_model *m, void *scratch, const char *s, size_t len, hlmi_ids *out)
{
    const unigram *u = (const unigram *)m;
    work *w = scratch;
    size_t base = 0, far = 0;
    w->unk_from = w->unk_to = 0;
    HLMI_DO(reach(w, 0, 0, &far));
    w->v[0] = (place){0.0, 0, 0};
    for (size_t at = 0; at < len; at += hlmi_utf8_len((unsigned char)s[at])) {
        if (at > base && far == at) { /* no piece reaches over this place: what is before is settled */
            const double score = w->v[at - base].score;
            HLMI_DO(emit(u, w, s, base, at, out));
            base = at;
            w->v[0] = (place){score, 0, 0};
        }
        HLMI_DO(step(u, w, s, len, base, at, &far));
    }
    HLMI_DO(emit(u, w, s, base, len, out));
    return flush_unknown(u, w, s, out);
}

/* ---- tables ---- */

/* The tokenizer's model from now on, which is freed with it. */
static hlm_status unigram_new(unigram **out, hlmi_tokenizer *t)
{
    unigram *u = hlmi_calloc(&t->mem, 1, sizeof *u);
    *out = u;
    if (!u) return hlmi_nomem(sizeof *u, "tokenizer");
    t->model = &u->base;
    u->base = (hlmi_token_model){.kind = &hlmi_model_unigram, .unk = -1};
    u->tokens = &t->tokens;
    u->n = t->tokens.n;
    u->unk_score = HUGE_VAL;
    hlmi_byte_tokens(u->tokens, u->bytes);
    u->scores = hlmi_calloc(&t->mem, u->n ? u->n : 1, sizeof *u->scores);
    return u->scores ? HLM_OK : hlmi_nomem(u->n * sizeof *u->scores, "scores");
}

/* The unknown token scores less than any piece that is offered here. */
static void offer_least(unigram *u, double score)
{
    if (score - unknown_penalty < u->unk_score) u->unk_score = score - unknown_penalty;
}

static hlm_status add_piece(unigram *u, const hlmi_mem *mem, size_t id)
{
    const hlmi_str s = hlmi_tokens_text(u->tokens, (int32_t)id);
    if (s.len > PIECE_MAX) /* every place of a text may look so far ahead */
        return hlmi_fail(HLM_E_UNSUPPORTED, "token %zu has %zu bytes; at most %d", id, s.len, PIECE_MAX);
    return s.len ? hlmi_byte_trie_add(&u->trie, mem, s.s, s.len, (int32_t)id) : HLM_OK;
}

hlm_status hlmi_unigram_from_scores(hlmi_tokenizer *t, const float *scores, const int32_t *types)
{
    unigram *u;
    HLMI_DO(unigram_new(&u, t));
    u->base.unk = t->special.unk;
    for (size_t i = 0; i < u->n; i++) {
        const int32_t type = types ? types[i] : HLMI_TYPE_NORMAL;
        const double score = scores ? (double)scores[i] : 0.0;
        if (scores && isnan(scores[i])) return hlmi_fail(HLM_E_FORMAT, "the score of token %zu is not a number", i);
        u->scores[i] = type == HLMI_TYPE_USER_DEFINED ? 0.0 : score;
        if (type == HLMI_TYPE_NORMAL) offer_least(u, score);
        if (t->tokens.v[i].attr & HLMI_TOK_SPECIAL) continue; /* a marker, whatever its type */
        if (type == HLMI_TYPE_NORMAL || type == HLMI_TYPE_USER_DEFINED || type == HLMI_TYPE_UNUSED)
            HLMI_DO(add_piece(u, &t->mem, i));
    }
    if (u->unk_score == HUGE_VAL) u->unk_score = -unknown_penalty;
    return HLM_OK;
}

hlm_status hlmi_unigram_from_pieces(hlmi_tokenizer *t, const float *scores, size_t n, bool byte_fallback)
{
    unigram *u;
    HLMI_DO(unigram_new(&u, t));
    u->base.unk = t->special.unk;
    u->byte_fallback = byte_fallback;
    for (size_t i = 0; i < n; i++) {
        u->scores[i] = (double)scores[i];
        offer_least(u, u->scores[i]);
        if (t->tokens.v[i].attr & HLMI_TOK_MODEL) HLMI_DO(add_piece(u, &t->mem, i));
    }
    if (u->unk_score == HUGE_VAL) u->unk_score = -unknown_penalty;
    return HLM_OK;
}

/* "vocab": [[piece, score], ...]; the ids are the places in the list. */
static hlm_status read_vocab(hlmi_tokens *tokens, const hlmi_json *vocab)
{
    HLMI_DO(hlmi_tokens_reserve(tokens, hlmi_json_count(vocab)));
    for (size_t i = 0; i < hlmi_json_count(vocab); i++) {
        const hlmi_str piece = hlmi_json_str(hlmi_json_at(hlmi_json_at(vocab, i), 0));
        if (!piece.s) return hlmi_fail(HLM_E_FORMAT, "model.vocab[%zu] is not [piece, score]", i);
        HLMI_DO(hlmi_tokens_add(tokens, (int32_t)i, piece, HLMI_TOK_MODEL));
    }
    return HLM_OK;
}

static hlm_status read_scores(unigram *u, const hlmi_mem *mem, const hlmi_json *vocab)
{
    for (size_t i = 0; i < u->n; i++) {
        if (!hlmi_json_number(hlmi_json_at(hlmi_json_at(vocab, i), 1), &u->scores[i]) ||
            !(u->scores[i] <= HUGE_VAL)) /* NaN; mingw's isnan warns of doubles */
            return hlmi_fail(HLM_E_FORMAT, "model.vocab[%zu] has no score", i);
        offer_least(u, u->scores[i]);
        HLMI_DO(add_piece(u, mem, i));
    }
    return HLM_OK;
}

static hlm_status unigram_read(hlmi_tokenizer *t, const hlmi_json *def)
{
    unigram *u;
    int64_t unk;
    const hlmi_json *vocab = hlmi_json_get(def, "vocab");
    if (!hlmi_json_is(vocab, HLMI_JSON_ARRAY) || hlmi_json_count(vocab) == 0)
        return hlmi_fail(HLM_E_FORMAT, "model.vocab is no list of pieces");
    HLMI_DO(read_vocab(&t->tokens, vocab));
    HLMI_DO(unigram_new(&u, t));
    if (hlmi_json_int(hlmi_json_get(def, "unk_id"), INT64_MIN, INT64_MAX, &unk)) {
        if (unk < 0 || (size_t)unk >= u->n)
            return hlmi_fail(HLM_E_FORMAT, "model.unk_id is %lld; the vocabulary has %zu pieces", (long long)unk, u->n);
        u->base.unk = (int32_t)unk;
    }
    u->byte_fallback = hlmi_json_flag(def, "byte_fallback", false);
    return read_scores(u, &t->mem, vocab);
}

const hlmi_model_kind hlmi_model_unigram = {"Unigram",      unigram_read, unigram_begin,
                                            unigram_encode, unigram_end,  unigram_free};
