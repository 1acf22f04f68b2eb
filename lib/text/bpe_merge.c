/* One word to ids. The word begins as its characters; of all neighbouring
 * symbols that may merge, the pair of lowest rank does, the leftmost of equals,
 * until none may. Short words scan for that pair; long ones keep a heap, so that
 * a word of a million characters takes n log n. Words seen before in the same
 * text come from a small cache. */
#include "text/bpe.h"

#include <string.h>

typedef struct symbol {
    int32_t id; /* -1: text without a token (merging by scores) */
    uint32_t begin, end;
} symbol;

/* Links of a long word. */
typedef struct link {
    uint32_t prev, next; /* UINT32_MAX: none */
    uint32_t rank, id; /* of merging with the next symbol */
} link;

enum { SHORT_WORD = 48, CACHE_KEY = 30, CACHE_IDS = 7 };

typedef struct cached {
    uint8_t len, n;
    char key[CACHE_KEY];
    uint32_t hash;
    int32_t ids[CACHE_IDS];
} cached;
_Static_assert(sizeof(cached) == 64, "a cache line each");

struct hlmi_bpe_scratch {
    hlmi_mem mem;
    symbol *symbols;
    size_t n, cap;
    link *links;
    size_t links_cap;
    uint64_t *heap; /* rank << 32 | position */
    size_t heap_n, heap_cap;
    cached *cache;
    size_t cache_mask;
};

hlm_status hlmi_bpe_begin(const hlmi_token_model *m, const hlmi_mem *mem, size_t text_len, bool plain, void **scratch)
{
    (void)m;
    (void)plain; /* merges do not end in markers */
    hlmi_bpe_scratch *sc = hlmi_calloc(mem, 1, sizeof *sc);
    *scratch = sc;
    if (!sc) return hlmi_nomem(sizeof *sc, "tokenizing");
    sc->mem = *mem;
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
    hlmi_free(&mem, sc->links);
    hlmi_free(&mem, sc->heap);
    hlmi_free(&mem, sc->cache);
    hlmi_free(&mem, sc);
}

/* ---- characters to symbols ---- */

static hlm_status add_symbol(hlmi_bpe_scratch *sc, int32_t id, size_t begin, size_t end)
{
    if (sc->n == sc->cap) {
        void *v = sc->symbols;
        const hlm_status st = hlmi_grow(&sc->mem, &v, &sc->cap, sc->n + 1, sizeof *sc->symbols, "tokenizing");
        sc->symbols = v;
        if (st != HLM_OK) return st;
    }
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
    for (size_t i = at; i < end; i++) {
        const hlm_status st = add_symbol(sc, b->bytes[(uint8_t)s[i]], i, i + 1);
        if (st != HLM_OK) return st;
    }
    return HLM_OK;
}

/* The word's characters as symbols. What has no token becomes byte tokens, or the unknown token, which is
 * added only before the next known character (byte tokens may come in between), or nothing. */
static hlm_status split_chars(const hlmi_bpe *b, hlmi_bpe_scratch *sc, const char *s, size_t len)
{
    hlm_status st = HLM_OK;
    size_t unk_from = 0, unk_to = 0;
    sc->n = 0;
    for (size_t at = 0, end; at < len; at = end) {
        bool done = false;
        end = at + hlmi_utf8_len((unsigned char)s[at]);
        const int32_t id = char_token(b, s, at, end, len);
        if (id < 0 && b->order) {
            HLMI_TRY(add_symbol(sc, -1, at, end));
            continue;
        }
        if (id < 0 && b->byte_fallback) HLMI_TRY(add_bytes(b, sc, s, at, end, &done));
        if (done || (id < 0 && b->base.unk < 0)) continue;
        if (unk_to > unk_from && (id >= 0 || !b->fuse_unk)) {
            HLMI_TRY(add_symbol(sc, b->base.unk, unk_from, unk_to));
            unk_to = unk_from;
        }
        if (id >= 0) {
            HLMI_TRY(add_symbol(sc, id, at, end));
        } else {
            if (unk_to == unk_from) unk_from = at;
            unk_to = end;
        }
    }
    if (unk_to > unk_from) HLMI_TRY(add_symbol(sc, b->base.unk, unk_from, unk_to));
done:
    return st;
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

static void merge_short(const hlmi_bpe *b, hlmi_bpe_scratch *sc, const char *s)
{
    uint32_t rank[SHORT_WORD], id[SHORT_WORD];
    symbol *v = sc->symbols;
    size_t n = sc->n;
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
    sc->n = n;
}

static void heap_push(hlmi_bpe_scratch *sc, uint64_t x)
{
    size_t i = sc->heap_n++;
    while (i > 0 && sc->heap[(i - 1) / 4] > x) {
        sc->heap[i] = sc->heap[(i - 1) / 4];
        i = (i - 1) / 4;
    }
    sc->heap[i] = x;
}

static uint64_t heap_pop(hlmi_bpe_scratch *sc)
{
    uint64_t *h = sc->heap;
    const uint64_t top = h[0], x = h[--sc->heap_n];
    const size_t n = sc->heap_n;
    size_t i = 0;
    for (;;) {
        const size_t first = 4 * i + 1;
        if (first >= n) break;
        size_t least = first;
        for (size_t k = first + 1; k < n && k < first + 4; k++)
            if (h[k] < h[least]) least = k;
        if (h[least] >= x) break;
        h[i] = h[least];
        i = least;
    }
    h[i] = x;
    return top;
}

/* Looks at the pair that begins at position i and queues it when it may merge. */
static void queue_pair(const hlmi_bpe *b, hlmi_bpe_scratch *sc, const char *s, uint32_t i)
{
    link *l = &sc->links[i];
    l->rank = HLMI_NO_RANK;
    if (l->next == UINT32_MAX) return;
    l->rank = pair_rank(b, s, &sc->symbols[i], &sc->symbols[l->next], &l->id);
    if (l->rank != HLMI_NO_RANK) heap_push(sc, (uint64_t)l->rank << 32 | i);
}

static hlm_status reserve_long(hlmi_bpe_scratch *sc)
{
    hlm_status st;
    void *links = sc->links, *heap = sc->heap;
    st = hlmi_grow(&sc->mem, &links, &sc->links_cap, sc->n, sizeof *sc->links, "tokenizing");
    sc->links = links;
    if (st != HLM_OK) return st;
    /* n - 1 pairs at first, and each of at most n - 1 merges takes one out and puts two in */
    st = hlmi_grow(&sc->mem, &heap, &sc->heap_cap, 2 * sc->n, sizeof *sc->heap, "tokenizing");
    sc->heap = heap;
    return st;
}

static hlm_status merge_long(const hlmi_bpe *b, hlmi_bpe_scratch *sc, const char *s)
{
    const hlm_status st = reserve_long(sc);
    if (st != HLM_OK) return st;
    symbol *v = sc->symbols;
    link *l = sc->links;
    const uint32_t n = (uint32_t)sc->n;
    sc->heap_n = 0;
    for (uint32_t i = 0; i < n; i++) {
        l[i].prev = i - 1; /* of the first: UINT32_MAX */
        l[i].next = i + 1 < n ? i + 1 : UINT32_MAX;
        queue_pair(b, sc, s, i);
    }
    while (sc->heap_n > 0) {
        const uint64_t top = heap_pop(sc);
        const uint32_t i = (uint32_t)top, next = l[i].next;
        if (l[i].rank != (uint32_t)(top >> 32)) continue; /* the pair is no more */
        v[i].id = (int32_t)l[i].id;
        v[i].end = v[next].end;
        l[next].rank = HLMI_NO_RANK;
        l[i].next = l[next].next;
        if (l[i].next != UINT32_MAX) l[l[i].next].prev = i;
        queue_pair(b, sc, s, i);
        if (l[i].prev != UINT32_MAX) queue_pair(b, sc, s, l[i].prev);
    }
    size_t m = 0;
    for (uint32_t i = 0; i != UINT32_MAX; i = l[i].next) v[m++] = v[i];
    sc->n = m;
    return HLM_OK;
}

/* ---- a word ---- */

static hlm_status emit(const hlmi_bpe *b, const hlmi_bpe_scratch *sc, const char *s, hlmi_ids *out)
{
    hlm_status st = HLM_OK;
    for (size_t i = 0; i < sc->n && st == HLM_OK; i++) {
        const symbol v = sc->symbols[i];
        if (v.id >= 0) {
            st = hlmi_ids_push(out, v.id);
            continue;
        }
        for (uint32_t k = v.begin; k < v.end && st == HLM_OK; k++) {
            const int32_t byte = b->bytes[(uint8_t)s[k]], id = byte >= 0 ? byte : b->base.unk;
            if (id >= 0) st = hlmi_ids_push(out, id);
        }
    }
    return st;
}

static hlm_status merge_word(const hlmi_bpe *b, hlmi_bpe_scratch *sc, const char *s, size_t len, hlmi_ids *out)
{
    hlm_status st;
    const int32_t whole = b->ignore_merges ? hlmi_tokens_find_model(b->tokens, s, len) : -1;
    if (whole >= 0) return hlmi_ids_push(out, whole);
    HLMI_TRY(split_chars(b, sc, s, len));
    if (sc->n <= SHORT_WORD) merge_short(b, sc, s);
    else HLMI_TRY(merge_long(b, sc, s));
    HLMI_TRY(emit(b, sc, s, out));
done:
    return st;
}

static hlm_status encode_word(const hlmi_bpe *b, hlmi_bpe_scratch *sc, const char *s, size_t len, hlmi_ids *out)
{
    if (!sc->cache || len > CACHE_KEY) return merge_word(b, sc, s, len, out);
    const uint32_t hash = hlmi_text_hash(s, len);
    cached *c = &sc->cache[hash & sc->cache_mask];
    hlm_status st;
    if (c->hash == hash && c->len == len && memcmp(c->key, s, len) == 0) {
        st = hlmi_ids_reserve(out, c->n);
        if (st != HLM_OK) return st;
        memcpy(out->v + out->n, c->ids, c->n * sizeof *c->ids);
        out->n += c->n;
        return HLM_OK;
    }
    const size_t before = out->n;
    st = merge_word(b, sc, s, len, out);
    const size_t n = out->n - before;
    if (st != HLM_OK || n > CACHE_IDS) return st;
    c->hash = hash;
    c->len = (uint8_t)len;
    c->n = (uint8_t)n;
    memcpy(c->key, s, len);
    if (n) memcpy(c->ids, out->v + before, n * sizeof *c->ids);
    return HLM_OK;
}

/* End of the stretch from `at` that no merge leaves: up to a U+2581 that follows another character. */
static size_t stretch_end(const char *s, size_t len, size_t at)
{
    static const char space[] = "\xE2\x96\x81";
    bool word = false;
    while (at < len) {
        const char *q = memchr(s + at, space[0], len - at);
        if (!q) return len;
        const size_t p = (size_t)(q - s);
        word = word || p > at;
        if (len - p >= 3 && memcmp(q, space, 3) == 0) {
            if (word) return p;
            at = p + 3;
        } else {
            word = true;
            at = p + 1;
        }
    }
    return len;
}

hlm_status hlmi_bpe_encode(const hlmi_token_model *m, void *scratch, const char *s, size_t len, hlmi_ids *out)
{
    const hlmi_bpe *b = (const hlmi_bpe *)m;
    hlmi_bpe_scratch *sc = scratch;
    if (!b->cut_at_space) return encode_word(b, sc, s, len, out);
    for (size_t at = 0, end; at < len; at = end) {
        end = stretch_end(s, len, at);
        const hlm_status st = encode_word(b, sc, s + at, end - at, out);
        if (st != HLM_OK) return st;
    }
    return HLM_OK;
}
