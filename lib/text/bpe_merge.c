/* One word to ids. The word begins as its characters; of all neighbouring symbols that may merge, the pair of lowest
 * rank does, the leftmost of equals, until none may. Short words scan for that pair; longer ones keep a tree of least
 * ranks. Words of thousands of characters are cut into chunks that fit the nearest cache (see merge_chunks). Words seen
 * before in the same text come from a small cache. */
#include "text/bpe.h"

#include <string.h>

#include "base/find.h"
#include "base/size.h"

typedef struct symbol {
    int32_t id; /* -1: text without a token (merging by scores) */
    uint32_t begin, end;
} symbol;

/* Links of a long word. */
typedef struct link {
    uint32_t prev, next; /* UINT32_MAX: none */
    uint32_t id; /* what it and the next symbol become */
} link;

/* Finds the least of many keys while keys change: each level holds the least of every FAN keys of the level below. */
typedef struct min_tree {
    uint64_t *keys; /* all levels, the lowest first */
    size_t cap;
    size_t level[12]; /* where each begins */
    size_t levels;
} min_tree;

/* OVERLAP: what neighbouring chunks share; tokens are rarely longer than a few characters. */
enum { SHORT_WORD = 48, CHUNK = 512, OVERLAP = 32, FAN = 8, CACHE_KEY = 30, CACHE_IDS = 7 };

typedef struct cached {
    uint8_t len, n;
    char key[CACHE_KEY];
    uint32_t hash;
    int32_t ids[CACHE_IDS];
} cached;
_Static_assert(sizeof(cached) == 64, "a cache line each");

struct hlmi_bpe_scratch {
    hlmi_mem mem;
    bool plain; /* what a word spells is no special token */
    symbol *symbols;
    size_t n, cap;
    symbol *chunk; /* [CHUNK] */
    link *links;
    size_t links_cap;
    min_tree tree; /* rank << 32 | position; UINT64_MAX: no merge */
    cached *cache;
    size_t cache_mask;
};

hlm_status hlmi_bpe_begin(const hlmi_mem *mem, size_t text_len, bool plain, void **scratch)
{
    hlmi_bpe_scratch *sc = hlmi_calloc(mem, 1, sizeof *sc);
    *scratch = sc;
    if (!sc) return hlmi_nomem(sizeof *sc, "tokenizing");
    sc->mem = *mem;
    sc->plain = plain;
    if (text_len < 512) return HLM_OK;
    size_t n = 256;
    while (n < 8192 && n < text_len / 16) n *= 2;
    sc->cache = hlmi_calloc(mem, n, sizeof *sc->cache);
    sc->cache_mask = n - 1;
    return HLM_OK; /* works without a cache too */
}

void hlmi_bpe_end(void *scratch)
{
    hlmi_bpe_scratch *sc = scratch;
    if (!sc) return;
    const hlmi_mem mem = sc->mem;
    hlmi_free(&mem, sc->symbols);
    hlmi_free(&mem, sc->chunk);
    hlmi_free(&mem, sc->links);
    hlmi_free(&mem, sc->tree.keys);
    hlmi_free(&mem, sc->cache);
    hlmi_free(&mem, sc);
}

/* ---- characters to symbols ---- */

static hlm_status add_symbol(hlmi_bpe_scratch *sc, int32_t id, size_t begin, size_t end)
{
    if (sc->n == sc->cap) HLMI_DO(HLMI_GROW(&sc->mem, sc->symbols, sc->cap, sc->n + 1, "tokenizing"));
    sc->symbols[sc->n++] = (symbol){id, (uint32_t)begin, (uint32_t)end};
    return HLM_OK;
}

/* The token of the character s[at, end) of a word of len bytes, or -1. */
static int32_t char_token(const hlmi_bpe *b, const char *s, size_t at, size_t end, size_t len)
{
    const bool prefix = b->prefix && at > 0, suffix = b->suffix && end == len;
    if (!prefix && !suffix) {
        if (end - at <= 2) return b->chars[hlmi_utf8_get(s + at)];
        return hlmi_tokens_find_model(b->tokens, s + at, end - at);
    }
    char key[140]; /* prefix and suffix have at most 64 bytes each */
    size_t n = 0;
    if (prefix) memcpy(key, b->prefix, n = b->prefix_len);
    memcpy(key + n, s + at, end - at);
    n += end - at;
    if (suffix) {
        memcpy(key + n, b->suffix, b->suffix_len);
        n += b->suffix_len;
    }
    return hlmi_tokens_find_model(b->tokens, key, n);
}

/* Adds the byte tokens of s[at, end); *done false when one is missing. */
static hlm_status add_bytes(const hlmi_bpe *b, hlmi_bpe_scratch *sc, const char *s, size_t at, size_t end, bool *done)
{
    *done = false;
    for (size_t i = at; i < end; i++)
        if (b->bytes[(uint8_t)s[i]] < 0) return HLM_OK;
    *done = true;
    for (size_t i = at; i < end; i++) HLMI_DO(add_symbol(sc, b->bytes[(uint8_t)s[i]], i, i + 1));
    return HLM_OK;
}

/* The word's characters as symbols. What has no token becomes byte tokens, or the unknown token, which is added only
 * before the next known character (byte tokens may come in between), or nothing. */
static hlm_status split_chars(const hlmi_bpe *b, hlmi_bpe_scratch *sc, const char *s, size_t len)
{
    size_t unk_from = 0, unk_to = 0;
    sc->n = 0;
    for (size_t at = 0, end; at < len; at = end) {
        bool done = false;
        end = at + hlmi_utf8_len((unsigned char)s[at]);
        const int32_t id = char_token(b, s, at, end, len);
        if (id < 0 && b->order) {
            HLMI_DO(add_symbol(sc, -1, at, end));
            continue;
        }
        if (id < 0 && b->byte_fallback) HLMI_DO(add_bytes(b, sc, s, at, end, &done));
        if (done || (id < 0 && b->base.unk < 0)) continue;
        if (unk_to > unk_from && (id >= 0 || !b->fuse_unk)) {
            HLMI_DO(add_symbol(sc, b->base.unk, unk_from, unk_to));
            unk_to = unk_from;
        }
        if (id >= 0) {
            HLMI_DO(add_symbol(sc, id, at, end));
        } else {
            if (unk_to == unk_from) unk_from = at;
            unk_to = end;
        }
    }
    if (unk_to > unk_from) HLMI_DO(add_symbol(sc, b->base.unk, unk_from, unk_to));
    return HLM_OK;
}

/* ---- merging ---- */

/* Rank of merging two neighbours, and the token they become. */
static inline uint32_t pair_rank(const hlmi_bpe *b, const char *s, const symbol *l, const symbol *r, uint32_t *id)
{
    if (b->order) {
        const int32_t t = hlmi_tokens_find_model(b->tokens, s + l->begin, r->end - l->begin);
        *id = (uint32_t)t;
        return t < 0 ? HLMI_NO_RANK : b->order[t];
    }
    const hlmi_merge *m = hlmi_merge_find(b, (uint32_t)l->id, (uint32_t)r->id);
    if (!m) return HLMI_NO_RANK;
    *id = m->id;
    return m->rank;
}

/* Merges v [n]; the result is what is left. */
static size_t merge_short(const hlmi_bpe *b, const char *s, symbol *v, size_t n)
{
    uint32_t rank[SHORT_WORD], id[SHORT_WORD];
    for (size_t i = 0; i + 1 < n; i++) rank[i] = pair_rank(b, s, &v[i], &v[i + 1], &id[i]);
    while (n > 1) {
        size_t best = 0;
        for (size_t i = 1; i + 1 < n; i++)
            if (rank[i] < rank[best]) best = i;
        if (rank[best] == HLMI_NO_RANK) break;
        v[best].id = (int32_t)id[best];
        v[best].end = v[best + 1].end;
        n--;
        memmove(v + best + 1, v + best + 2, (n - best - 1) * sizeof *v);
        if (best + 1 < n) {
            memmove(rank + best + 1, rank + best + 2, (n - best - 2) * sizeof *rank);
            memmove(id + best + 1, id + best + 2, (n - best - 2) * sizeof *id);
            rank[best] = pair_rank(b, s, &v[best], &v[best + 1], &id[best]);
        }
        if (best > 0) rank[best - 1] = pair_rank(b, s, &v[best - 1], &v[best], &id[best - 1]);
    }
    return n;
}

/* ---- long words ---- */

static hlm_status tree_reserve(min_tree *t, const hlmi_mem *mem, size_t n)
{
    size_t total = 0;
    t->levels = 0;
    do {
        n = (n + FAN - 1) / FAN;
        t->level[t->levels++] = total;
        total += n * FAN;
    } while (n > 1);
    t->level[t->levels] = total; /* one key, the least of all */
    HLMI_DO(HLMI_GROW(mem, t->keys, t->cap, total + 1, "tokenizing"));
    memset(t->keys, 0xFF, (total + 1) * sizeof *t->keys);
    return HLM_OK;
}

static inline uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static inline uint64_t least_of_fan(const uint64_t *k)
{
    return least(least(least(k[0], k[1]), least(k[2], k[3])), least(least(k[4], k[5]), least(k[6], k[7])));
}

/* Tells the levels above that keys among the FAN around position i have changed. */
static inline void tree_update(min_tree *t, size_t i)
{
    for (size_t l = 0; l < t->levels; l++) {
        i /= FAN;
        t->keys[t->level[l + 1] + i] = least_of_fan(t->keys + t->level[l] + i * FAN);
    }
}

static void tree_build(min_tree *t)
{
    for (size_t l = 0; l < t->levels; l++)
        for (size_t i = 0; t->level[l] + i * FAN < t->level[l + 1]; i++)
            t->keys[t->level[l + 1] + i] = least_of_fan(t->keys + t->level[l] + i * FAN);
}

/* Sets the key of the pair that begins at position i. */
static inline void rank_pair(const hlmi_bpe *b, hlmi_bpe_scratch *sc, const char *s, const symbol *v, uint32_t i)
{
    link *l = &sc->links[i];
    const uint32_t rank = l->next == UINT32_MAX ? HLMI_NO_RANK : pair_rank(b, s, &v[i], &v[l->next], &l->id);
    sc->tree.keys[i] = rank == HLMI_NO_RANK ? UINT64_MAX : (uint64_t)rank << 32 | i;
}

static hlm_status reserve_long(hlmi_bpe_scratch *sc, size_t n)
{
    HLMI_DO(HLMI_GROW(&sc->mem, sc->links, sc->links_cap, n, "tokenizing"));
    return tree_reserve(&sc->tree, &sc->mem, n);
}

/* Merges v [n]; *left receives how many are left. */
static hlm_status merge_long(const hlmi_bpe *b, hlmi_bpe_scratch *sc, const char *s, symbol *v, size_t n, size_t *left)
{
    HLMI_DO(reserve_long(sc, n));
    link *l = sc->links;
    min_tree *t = &sc->tree;
    for (uint32_t i = 0; i < n; i++) {
        l[i].prev = i - 1; /* of the first: UINT32_MAX */
        l[i].next = i + 1 < n ? i + 1 : UINT32_MAX;
        rank_pair(b, sc, s, v, i);
    }
    tree_build(t);
    const uint64_t *top = &t->keys[t->level[t->levels]];
    while (*top != UINT64_MAX) {
        const uint32_t i = (uint32_t)*top, next = l[i].next, prev = l[i].prev;
        v[i].id = (int32_t)l[i].id;
        v[i].end = v[next].end;
        t->keys[next] = UINT64_MAX;
        l[i].next = l[next].next;
        if (l[i].next != UINT32_MAX) l[l[i].next].prev = i;
        rank_pair(b, sc, s, v, i);
        if (prev != UINT32_MAX) rank_pair(b, sc, s, v, prev);
        if (next / FAN != i / FAN) tree_update(t, next);
        if (prev != UINT32_MAX && prev / FAN != i / FAN) tree_update(t, prev);
        tree_update(t, i);
    }
    *left = 0;
    for (uint32_t i = 0; i != UINT32_MAX; i = l[i].next) v[(*left)++] = v[i];
    return HLM_OK;
}

/* ---- chunks ---- */

/* The first token that two neighbouring chunks have in common: t[*i] and u[*k]. */
static bool find_common(const symbol *t, size_t nt, const symbol *u, size_t nu, size_t *i, size_t *k)
{
    *i = *k = 0;
    while (*i < nt && *k < nu) {
        if (t[*i].begin == u[*k].begin && t[*i].end == u[*k].end && t[*i].id == u[*k].id) return true;
        if (t[*i].begin < u[*k].begin) ++*i;
        else ++*k;
    }
    return false;
}

/* Where in tokens [n], from k on, begins what the next chunk shall do again: the first token that begins at or behind
 * the byte `from`. */
static size_t overlap_start(const symbol *v, size_t n, size_t k, uint32_t from)
{
    while (k < n && v[k].begin < from) k++;
    return k;
}

/* Merges chunk by chunk. A sequence of tokens is the result of merging the whole when of any two neighbours the text
 * merges to just these two: before the first merge across a boundary between tokens, what is left and right of it
 * merges as if it stood alone, so that merge would happen in the two tokens' text, too. Neighbours within a chunk are
 * such. So two chunks that share a token are joined at it. *joined is false when two do not. */
static hlm_status merge_chunks(const hlmi_bpe *b, hlmi_bpe_scratch *sc, const char *s, bool *joined)
{
    symbol *v = sc->symbols, tail[OVERLAP];
    size_t kept = 0, n_tail = 0, i = 0, k = 0, m, next;
    *joined = false;
    if (!sc->chunk) sc->chunk = hlmi_alloc(&sc->mem, CHUNK * sizeof *sc->chunk);
    if (!sc->chunk) return hlmi_nomem(CHUNK * sizeof *sc->chunk, "tokenizing");
    for (size_t at = 0;; at = next) {
        const size_t n = sc->n - at < CHUNK ? sc->n - at : CHUNK;
        const bool last = at + n == sc->n;
        const uint32_t from = last ? UINT32_MAX : v[at + n - OVERLAP].begin;
        memcpy(sc->chunk, v + at, n * sizeof *v);
        HLMI_DO(merge_long(b, sc, s, sc->chunk, n, &m));
        if (n_tail > 0 && !find_common(tail, n_tail, sc->chunk, m, &i, &k)) return HLM_OK;
        /* kept tokens lie before the symbols that they are made of */
        memcpy(v + kept, tail, i * sizeof *v);
        kept += i;
        const size_t end = overlap_start(sc->chunk, m, k, from);
        memcpy(v + kept, sc->chunk + k, (end - k) * sizeof *v);
        kept += end - k;
        if (last) break;
        n_tail = m - end;
        if (n_tail == 0) return HLM_OK; /* one token to the end: no place to go on from */
        memcpy(tail, sc->chunk + end, n_tail * sizeof *v);
        for (next = at + n - OVERLAP; v[next].begin < tail[0].begin;) next++;
    }
    sc->n = kept;
    *joined = true;
    return HLM_OK;
}

/* ---- a word ---- */

static bool may_spell(const hlmi_bpe *b, const hlmi_bpe_scratch *sc, int32_t id)
{
    return !sc->plain || id == b->base.unk || !(b->tokens->v[id].attr & HLMI_TOK_SPECIAL);
}

/* Text without a token as bytes, or as the unknown token. */
static hlm_status emit_bytes(const hlmi_bpe *b, const char *s, size_t begin, size_t end, hlmi_ids *out)
{
    for (size_t k = begin; k < end; k++) {
        const int32_t byte = b->bytes[(uint8_t)s[k]], id = byte >= 0 ? byte : b->base.unk;
        if (id >= 0) HLMI_DO(hlmi_ids_push(out, id));
    }
    return HLM_OK;
}

/* Text that merged into a special token where none is wanted, character by character. */
static hlm_status emit_chars(const hlmi_bpe *b, const char *s, size_t begin, size_t end, hlmi_ids *out)
{
    for (size_t at = begin, next; at < end; at = next) {
        next = at + hlmi_utf8_len((unsigned char)s[at]);
        const int32_t id = char_token(b, s, at, next, SIZE_MAX);
        HLMI_DO(id >= 0 ? hlmi_ids_push(out, id) : emit_bytes(b, s, at, next, out));
    }
    return HLM_OK;
}

static hlm_status emit(const hlmi_bpe *b, const hlmi_bpe_scratch *sc, const char *s, hlmi_ids *out)
{
    for (size_t i = 0; i < sc->n; i++) {
        const symbol v = sc->symbols[i];
        if (v.id < 0) HLMI_DO(emit_bytes(b, s, v.begin, v.end, out));
        else if (may_spell(b, sc, v.id)) HLMI_DO(hlmi_ids_push(out, v.id));
        else HLMI_DO(emit_chars(b, s, v.begin, v.end, out));
    }
    return HLM_OK;
}

static hlm_status merge_symbols(const hlmi_bpe *b, hlmi_bpe_scratch *sc, const char *s, size_t len)
{
    bool joined = false;
    if (sc->n <= SHORT_WORD) {
        sc->n = merge_short(b, s, sc->symbols, sc->n);
        return HLM_OK;
    }
    if (sc->n > 2 * CHUNK) {
        HLMI_DO(merge_chunks(b, sc, s, &joined));
        if (joined) return HLM_OK;
        HLMI_DO(split_chars(b, sc, s, len)); /* the chunks have overwritten some */
    }
    return merge_long(b, sc, s, sc->symbols, sc->n, &sc->n);
}

static hlm_status merge_word(const hlmi_bpe *b, hlmi_bpe_scratch *sc, const char *s, size_t len, hlmi_ids *out)
{
    const int32_t whole = b->ignore_merges ? hlmi_tokens_find_model(b->tokens, s, len) : -1;
    if (whole >= 0 && may_spell(b, sc, whole)) return hlmi_ids_push(out, whole);
    HLMI_DO(split_chars(b, sc, s, len));
    HLMI_DO(merge_symbols(b, sc, s, len));
    return emit(b, sc, s, out);
}

static hlm_status encode_word(const hlmi_bpe *b, hlmi_bpe_scratch *sc, const char *s, size_t len, hlmi_ids *out)
{
    if (!sc->cache || len > CACHE_KEY) return merge_word(b, sc, s, len, out);
    const uint32_t hash = hlmi_text_hash(s, len);
    cached *c = &sc->cache[hash & sc->cache_mask];
    if (c->hash == hash && c->len == len && memcmp(c->key, s, len) == 0) return hlmi_ids_append(out, c->ids, c->n);
    const size_t before = out->n;
    HLMI_DO(merge_word(b, sc, s, len, out));
    const size_t n = out->n - before;
    if (n > CACHE_IDS) return HLM_OK;
    c->hash = hash;
    c->len = (uint8_t)len;
    c->n = (uint8_t)n;
    memcpy(c->key, s, len);
    if (n) memcpy(c->ids, out->v + before, n * sizeof *c->ids);
    return HLM_OK;
}

size_t hlmi_bpe_stretch(const char *s, size_t len, size_t at)
{
    static const char space[] = "\xE2\x96\x81";
    while (len - at >= 3 && memcmp(s + at, space, 3) == 0) at += 3;
    return at + hlmi_min_size(hlmi_find(s + at, len - at, space, 3, false, NULL), len - at);
}

hlm_status hlmi_bpe_encode(const hlmi_token_model *m, void *scratch, const char *s, size_t len, hlmi_ids *out)
{
    const hlmi_bpe *b = (const hlmi_bpe *)m;
    hlmi_bpe_scratch *sc = scratch;
    if (!b->cut_at_space) return encode_word(b, sc, s, len, out);
    for (size_t at = 0, end; at < len; at = end) {
        end = hlmi_bpe_stretch(s, len, at);
        HLMI_DO(encode_word(b, sc, s + at, end - at, out));
    }
    return HLM_OK;
}
