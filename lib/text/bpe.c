/* The tables of byte-pair encoding, from merge lists or from scores. */
#include "text/bpe.h"

#include <math.h>
#include <string.h>

#include "base/size.h"
#include "text/json_read.h"

void hlmi_byte_tokens(const hlmi_tokens *tokens, int32_t bytes[256])
{
    static const char hex[] = "0123456789ABCDEF";
    for (uint32_t i = 0; i < 256; i++) {
        const char text[6] = {'<', '0', 'x', hex[i >> 4], hex[i & 15], '>'};
        bytes[i] = hlmi_tokens_find_model(tokens, text, sizeof text);
    }
}

static void bpe_free(hlmi_token_model *m, const hlmi_mem *mem)
{
    hlmi_bpe *b = (hlmi_bpe *)m;
    hlmi_free(mem, b->merges);
    hlmi_free(mem, b->maybe);
    hlmi_free(mem, b->order);
    hlmi_free(mem, b->prefix);
    hlmi_free(mem, b->suffix);
    hlmi_free(mem, b);
}

/* The tokenizer's model from now on, which is freed with it. */
static hlm_status bpe_new(hlmi_bpe **out, hlmi_tokenizer *t)
{
    hlmi_bpe *b = hlmi_calloc(&t->mem, 1, sizeof *b);
    *out = b;
    if (!b) return hlmi_nomem(sizeof *b, "tokenizer");
    t->model = &b->base;
    b->base = (hlmi_token_model){.kind = &hlmi_model_bpe, .unk = -1};
    b->tokens = &t->tokens;
    hlmi_byte_tokens(b->tokens, b->bytes);
    for (uint32_t c = 0; c < 0x800; c++) {
        const char two[2] = {(char)(0xC0 | c >> 6), (char)(0x80 | (c & 0x3F))}, one = (char)c;
        b->chars[c] = hlmi_tokens_find_model(b->tokens, c < 0x80 ? &one : two, c < 0x80 ? 1 : 2);
    }
    return HLM_OK;
}

/* ---- merge lists ---- */

static hlm_status new_merges(hlmi_bpe *b, const hlmi_mem *mem, size_t n)
{
    size_t slots = 64;
    if (n > HLMI_MAX_TOKENS * (size_t)4) return hlmi_fail(HLM_E_LIMIT, "%zu merges", n);
    while (slots < n * 2) slots *= 2;
    b->merges = hlmi_alloc(mem, slots * sizeof *b->merges);
    if (!b->merges) return hlmi_nomem(slots * sizeof *b->merges, "merges");
    memset(b->merges, 0xFF, slots * sizeof *b->merges);
    b->mask = slots - 1;
    const size_t words = slots / 8; /* a bit in 16 is set, or fewer */
    b->maybe = hlmi_calloc(mem, words, sizeof *b->maybe);
    if (!b->maybe) return hlmi_nomem(words * sizeof *b->maybe, "merges");
    b->maybe_mask = words - 1;
    return HLM_OK;
}

static void put_merge(hlmi_bpe *b, int32_t left, int32_t right, uint32_t rank, int32_t id)
{
    const uint64_t key = (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
    const uint64_t hash = hlmi_merge_hash(key);
    size_t i = hlmi_merge_slot(hash, b->mask);
    *hlmi_merge_maybe(b, hash) |= hlmi_merge_bit(hash);
    while (b->merges[i].key != key && b->merges[i].key != UINT64_MAX) i = (i + 1) & b->mask;
    b->merges[i] = (hlmi_merge){key, rank, (uint32_t)id};
}

/* The token whose text is left and right joined, or -1. Vocabularies mostly list tokens in the order of their merges:
 * `guess`, the token behind the latest one found, saves the search. `joined` is scratch. */
static int32_t find_joined(const hlmi_bpe *b, hlmi_str left, hlmi_str right, int32_t guess, hlmi_buf *joined)
{
    if ((size_t)guess < b->tokens->n && (b->tokens->v[guess].attr & HLMI_TOK_MODEL)) {
        const hlmi_str s = hlmi_tokens_text(b->tokens, guess);
        if (s.len == left.len + right.len && memcmp(s.s, left.s, left.len) == 0 &&
            memcmp(s.s + left.len, right.s, right.len) == 0)
            return guess;
    }
    hlmi_buf_clear(joined);
    hlmi_buf_add(joined, left.s, left.len);
    hlmi_buf_add(joined, right.s, right.len);
    return joined->failed ? -1 : hlmi_tokens_find_model(b->tokens, joined->data ? joined->data : "", joined->len);
}

/* Adds "left right" when all three tokens exist; *id, the joined token of the merge before, receives this one's, or -1
 * when one is missing. */
static hlm_status add_merge(hlmi_bpe *b, hlmi_str left, hlmi_str right, size_t rank, hlmi_buf *joined, int32_t *id)
{
    const int32_t l = hlmi_tokens_find_model(b->tokens, left.s, left.len);
    const int32_t r = hlmi_tokens_find_model(b->tokens, right.s, right.len);
    const size_t cut = right.len < b->prefix_len ? right.len : b->prefix_len;
    const int32_t guess = *id + 1;
    *id = -1;
    if (l < 0 || r < 0) return HLM_OK;
    *id = find_joined(b, left, (hlmi_str){right.s + cut, right.len - cut}, guess, joined);
    if (joined->failed) return hlmi_buf_status(joined, "merges");
    if (*id >= 0) put_merge(b, l, r, (uint32_t)rank, *id);
    return HLM_OK;
}

/* Texts may be cut before a U+2581 that follows another character when no merge joins across that place: no token holds
 * such a sequence, so no merge can make one; and the character has a token, so that nothing else stands for it. What
 * has no token must become bytes, which do not merge across either. */
static void find_cut(hlmi_bpe *b)
{
    const int32_t space = hlmi_tokens_find_model(b->tokens, "\xE2\x96\x81", 3);
    if (space < 0 || b->ignore_merges || b->prefix || b->suffix || (!b->byte_fallback && !b->order)) return;
    for (size_t i = 0; i < 256; i++)
        if (b->bytes[i] < 0) return;
    for (size_t i = 0; i < b->tokens->n; i++) {
        const hlmi_str s = hlmi_tokens_text(b->tokens, (int32_t)i);
        if ((b->tokens->v[i].attr & HLMI_TOK_MODEL) && hlmi_bpe_stretch(s.s, s.len, 0) < s.len) return;
    }
    b->cut_at_space = true;
}

/* Takes the two parts of merge i of a list; left->s = NULL: there are none, and none are missing. */
typedef hlm_status parts_fn(const void *list, size_t i, hlmi_str *left, hlmi_str *right);

/* Adds n merges; `whole`: all their tokens must be there. */
static hlm_status add_merges(hlmi_bpe *b, const hlmi_mem *mem, const void *list, size_t n, parts_fn *parts, bool whole)
{
    hlm_status st;
    hlmi_buf joined;
    hlmi_str left = {"", 0}, right = {"", 0};
    int32_t id = -1;
    hlmi_buf_init(&joined, mem);
    HLMI_TRY(new_merges(b, mem, n));
    for (size_t i = 0; i < n; i++) {
        HLMI_TRY(parts(list, i, &left, &right));
        if (!left.s) continue;
        HLMI_TRY(add_merge(b, left, right, i, &joined, &id));
        if (whole && id < 0)
            HLMI_TRY(hlmi_fail(HLM_E_FORMAT, "model.merges[%zu], '%.80s' and '%.80s': not in the vocabulary", i, left.s,
                               right.s));
    }
done:
    hlmi_buf_free(&joined);
    return st;
}

static hlm_status text_parts(const void *list, size_t i, hlmi_str *left, hlmi_str *right)
{
    const hlmi_str m = ((const hlmi_str *)list)[i];
    const char *space = m.len > 1 ? memchr(m.s + 1, ' ', m.len - 1) : NULL;
    if (!space)
        return hlmi_fail(HLM_E_FORMAT, "merge %zu, '%.*s', has no space between its parts", i,
                         (int)hlmi_min_size(m.len, 80), m.s);
    *left = (hlmi_str){m.s, (size_t)(space - m.s)};
    *right = (hlmi_str){space + 1, m.len - left->len - 1};
    return HLM_OK;
}

hlm_status hlmi_bpe_from_merges(hlmi_tokenizer *t, const hlmi_str *merges, size_t n, bool ignore_merges)
{
    hlmi_bpe *b;
    HLMI_DO(bpe_new(&b, t));
    b->ignore_merges = ignore_merges;
    return add_merges(b, &t->mem, merges, n, text_parts, false);
}

/* ---- scores ---- */

/* Ascending integers for descending scores. */
static uint32_t descending(float score)
{
    uint32_t u;
    score += 0.0f; /* no negative zero */
    memcpy(&u, &score, sizeof u);
    return ~(u >> 31 ? ~u : u | 0x80000000u);
}

hlm_status hlmi_bpe_from_scores(hlmi_tokenizer *t, const float *scores, size_t n)
{
    hlmi_bpe *b;
    HLMI_DO(bpe_new(&b, t));
    b->base.unk = t->special.unk;
    b->order = hlmi_calloc(&t->mem, t->tokens.n, sizeof *b->order);
    if (!b->order) return hlmi_nomem(t->tokens.n * sizeof *b->order, "scores");
    for (size_t i = 0; i < n; i++) {
        if (scores && isnan(scores[i])) return hlmi_fail(HLM_E_FORMAT, "the score of token %zu is not a number", i);
        b->order[i] = descending(scores ? scores[i] : 0.0f);
    }
    find_cut(b);
    return HLM_OK;
}

/* ---- tokenizer.json ---- */

static hlm_status read_vocab(hlmi_tokens *tokens, const hlmi_json *vocab)
{
    int64_t id = 0;
    for (hlmi_json_iter i = {0}; hlmi_json_next(vocab, &i);) {
        if (!hlmi_json_int(i.value, 0, HLMI_MAX_TOKENS - 1, &id))
            return hlmi_fail(HLM_E_FORMAT, "model.vocab: token '%.80s' has no id below %d", i.key.s, HLMI_MAX_TOKENS);
        if ((size_t)id < tokens->n && tokens->v[id].attr)
            return hlmi_fail(HLM_E_FORMAT, "model.vocab: two tokens have the id %d, one is '%.80s'", (int)id, i.key.s);
        HLMI_DO(hlmi_tokens_add(tokens, (int32_t)id, i.key, HLMI_TOK_MODEL));
    }
    return HLM_OK;
}

/* The two parts of a merge, in either spelling. */
static bool merge_parts(const hlmi_json *m, hlmi_str *left, hlmi_str *right)
{
    if (hlmi_json_is(m, HLMI_JSON_ARRAY) && hlmi_json_count(m) == 2) {
        *left = hlmi_json_str(hlmi_json_at(m, 0));
        *right = hlmi_json_str(hlmi_json_at(m, 1));
        return left->s && right->s;
    }
    const hlmi_str both = hlmi_json_str(m);
    const char *space = both.s ? memchr(both.s, ' ', both.len) : NULL;
    if (!space) return false;
    *left = (hlmi_str){both.s, (size_t)(space - both.s)};
    *right = (hlmi_str){space + 1, both.len - left->len - 1};
    return !memchr(right->s, ' ', right->len);
}

static hlm_status json_parts(const void *list, size_t i, hlmi_str *left, hlmi_str *right)
{
    const hlmi_json *m = hlmi_json_at(list, i);
    const char *text = hlmi_json_str(m).s;
    *left = (hlmi_str){NULL, 0};
    if (text && strncmp(text, "#version", 8) == 0) return HLM_OK; /* a line of merges.txt */
    if (merge_parts(m, left, right)) return HLM_OK;
    return hlmi_fail(HLM_E_FORMAT, "model.merges[%zu], '%.80s', is not two tokens", i, text ? text : "(list)");
}

static hlm_status read_affix(const hlmi_mem *mem, const hlmi_json *def, const char *key, char **s, size_t *len)
{
    const hlmi_json *v = hlmi_json_given(def, key);
    const hlmi_str text = hlmi_json_str(v);
    if (!v || (text.s && text.len == 0)) return HLM_OK;
    if (text.len > 64) return hlmi_fail(HLM_E_UNSUPPORTED, "model.%s has more than 64 bytes", key);
    return hlmi_json_text(mem, def, key, s, len);
}

static hlm_status bpe_read(hlmi_tokenizer *t, const hlmi_json *def)
{
    hlmi_bpe *b;
    const hlmi_json *vocab = hlmi_json_get(def, "vocab"), *merges = hlmi_json_get(def, "merges");
    const hlmi_str unk = hlmi_json_str(hlmi_json_get(def, "unk_token"));
    if (!hlmi_json_is(vocab, HLMI_JSON_OBJECT)) return hlmi_fail(HLM_E_FORMAT, "model.vocab is no object");
    HLMI_DO(read_vocab(&t->tokens, vocab));
    HLMI_DO(bpe_new(&b, t));
    if (unk.s) b->base.unk = hlmi_tokens_find_model(&t->tokens, unk.s, unk.len);
    b->fuse_unk = hlmi_json_flag(def, "fuse_unk", false);
    b->byte_fallback = hlmi_json_flag(def, "byte_fallback", false);
    b->ignore_merges = hlmi_json_flag(def, "ignore_merges", false);
    HLMI_DO(read_affix(&t->mem, def, "continuing_subword_prefix", &b->prefix, &b->prefix_len));
    HLMI_DO(read_affix(&t->mem, def, "end_of_word_suffix", &b->suffix, &b->suffix_len));
    if (merges && !hlmi_json_is(merges, HLMI_JSON_ARRAY)) return hlmi_fail(HLM_E_FORMAT, "model.merges is no list");
    HLMI_DO(add_merges(b, &t->mem, merges, hlmi_json_count(merges), json_parts, true));
    find_cut(b);
    return HLM_OK;
}

const hlmi_model_kind hlmi_model_bpe = {"BPE", bpe_read, hlmi_bpe_begin, hlmi_bpe_encode, hlmi_bpe_end, bpe_free};
