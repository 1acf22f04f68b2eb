/* The text of a list of tokens does not depend on where it is cut: a stream that ends in a cut and one that begins
 * behind it give, joined, what the whole list gives. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text/cases.h"

enum { MOST = 48, LISTS = 150 };

static const char *const texts[] = {
    "h h h h",
    "  two  spaces   and\n\n\tmore  ",
    "The quick brown fox; it's 3.14 o'clock. Naïve café Ελληνικά русский",
    "日本語のテキスト 한국어 العربية עברית हिन्दी ไทย",
    "👩‍👩‍👧‍👦 🏳️‍🌈 e\xCC\x81\xCC\xA3 \xF0\x9D\x94\x98 \xE2\x96\x81x\xE2\x96\x81",
    "x",
    " ",
    "def f(x):\n    return {'a': [1, 2]}  # <s> </s> <|im_end|>\n",
};

static uint32_t below(uint64_t *seed, uint32_t n)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((*seed >> 33) % n);
}

/* Anything, with many tokens of one byte, which spell characters over several tokens. */
static size_t random_ids(const hlmi_tokenizer *tok, uint64_t *seed, int32_t ids[MOST])
{
    static const char hex[] = "0123456789ABCDEF";
    const size_t n = 1 + below(seed, MOST);
    for (size_t i = 0; i < n; i++) {
        const uint32_t byte = below(seed, 4) ? 0x80 + below(seed, 0x80) : below(seed, 256);
        const char text[6] = {'<', '0', 'x', hex[byte >> 4], hex[byte & 15], '>'};
        ids[i] = below(seed, 2) ? hlmi_tokenizer_find(tok, text, 6) : -1;
        if (ids[i] < 0) ids[i] = (int32_t)below(seed, (uint32_t)hlmi_tokenizer_size(tok));
        if (below(seed, 3) == 0) ids[i] = (int32_t)below(seed, 300) % hlmi_tokenizer_size(tok);
    }
    return n;
}

/* ids[from .. to) as one call gives them: behind what is before; whole at the end of all. */
static bool add_part(const hlmi_tokenizer *tok, const int32_t *ids, size_t from, size_t to, size_t n, uint32_t flags,
                     hlmi_buf *out)
{
    const hlmi_mem mem = hlmi_mem_default();
    hlmi_tstream *s;
    const char *text;
    size_t len;
    if (hlmi_tstream_new(&s, &mem, tok, flags) != HLM_OK) return false;
    hlm_status st = from ? hlmi_tstream_begin(s, ids, from) : HLM_OK;
    for (size_t i = from; i < to && st == HLM_OK; i++) {
        st = hlmi_tstream_push(s, ids[i], &text, &len);
        if (st == HLM_OK) hlmi_buf_add(out, text, len);
    }
    if (st == HLM_OK) st = to < n ? hlmi_tstream_cut(s, &text, &len) : hlmi_tstream_finish(s, &text, &len);
    if (st == HLM_OK) hlmi_buf_add(out, text, len);
    hlmi_tstream_free(s);
    return st == HLM_OK && !out->failed;
}

static bool same(const hlmi_buf *a, const hlmi_buf *b)
{
    return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

/* Every cut in two, and all cuts at once. */
static bool cuts_agree(const hlmi_tokenizer *tok, const int32_t *ids, size_t n, uint32_t flags)
{
    const hlmi_mem mem = hlmi_mem_default();
    hlmi_buf whole, parts;
    hlmi_buf_init(&whole, &mem);
    hlmi_buf_init(&parts, &mem);
    bool good = hlmi_tokenizer_decode(tok, ids, n, flags, &whole) == HLM_OK;
    for (size_t cut = 0; cut <= n && good; cut++) {
        hlmi_buf_clear(&parts);
        good = add_part(tok, ids, 0, cut, n, flags, &parts);
        if (good && cut < n) good = add_part(tok, ids, cut, n, n, flags, &parts);
        good = good && same(&whole, &parts);
    }
    hlmi_buf_clear(&parts);
    for (size_t i = 0; i < n && good; i++) good = add_part(tok, ids, i, i + 1, n, flags, &parts);
    good = good && same(&whole, &parts);
    hlmi_buf_free(&whole);
    hlmi_buf_free(&parts);
    return good;
}

static void check(tally *t, const char *group, const hlmi_tokenizer *tok, const int32_t *ids, size_t n)
{
    for (uint32_t flags = 0; flags < 2; flags++) {
        if (cuts_agree(tok, ids, n, flags)) {
            t->passed++;
            continue;
        }
        t->failed++;
        if (t->shown++ >= 5) continue;
        printf("    %s, flags %u: another text when cut:", group, flags);
        for (size_t i = 0; i < n; i++) printf(" %d", (int)ids[i]);
        printf("\n");
    }
}

void cases_cuts(tally *all, const char *group, const hlmi_tokenizer *tok)
{
    const hlmi_mem mem = hlmi_mem_default();
    tally t = {0};
    uint64_t seed = 7;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        hlmi_ids ids;
        hlmi_ids_init(&ids, &mem);
        if (hlmi_tokenizer_encode(tok, texts[i], strlen(texts[i]), 3, &ids) == HLM_OK)
            check(&t, group, tok, ids.v, ids.n);
        else t.failed++;
        hlmi_ids_free(&ids);
    }
    for (size_t i = 0; i < LISTS; i++) {
        int32_t ids[MOST];
        const size_t n = random_ids(tok, &seed, ids);
        check(&t, group, tok, ids, n);
    }
    printf("  %-16s %-26s %5zu cases, %6zu checks passed, %zu failed\n", group, "cuts",
           LISTS + sizeof texts / sizeof *texts, t.passed, t.failed);
    all->passed += t.passed;
    all->failed += t.failed;
}
