/* SentencePiece's precompiled normalisation map. A unit of the double array (Darts' layout) holds a label, an offset to
 * its children and whether one of them is a value:
 *   bits 0-7 label, bit 8 "has a value child", bit 9 "offset is << 8",
 *   bits 10-30 offset; of a value: bit 31 and the value below. */
#include "text/charsmap.h"

#include <string.h>
#include <utf8proc.h>

#include "text/unicode.h"

/* No key is so long, but in a trie that leads back into itself. */
enum { KEY_MAX = 256 };

struct hlmi_charsmap {
    size_t n_units, n_text;
    const char *text; /* replacements, each ended by 0 */
    uint32_t units[];
};

static size_t unit_offset(uint32_t u)
{
    return (size_t)(u >> 10) << ((u & 0x200u) >> 6);
}

/* ---- reading ---- */

/* May a key's value be this? Replacements are whole characters, ended by 0. */
static bool good_value(const hlmi_charsmap *m, uint32_t value)
{
    return value < m->n_text && ((unsigned char)m->text[value] & 0xC0) != 0x80;
}

static hlm_status broken(const char *what)
{
    return hlmi_fail(HLM_E_FORMAT, "precompiled_charsmap: %s", what);
}

/* Visits all nodes that searches can reach. A node is the place its children's labels are combined with; keys may share
 * nodes, and a trie that leads back into itself ends at the nodes seen. seen [n_units] zeroes, queue [n_units]. */
static hlm_status check_trie(const hlmi_charsmap *m, uint8_t *seen, uint32_t *queue)
{
    size_t n = 0;
    const size_t root = unit_offset(m->units[0]);
    if (m->units[0] & 0x80000000u || (root | 0xFF) >= m->n_units) return broken("the root of its trie points outside");
    queue[n++] = (uint32_t)root;
    seen[root] = 1;
    while (n > 0) {
        const size_t node = queue[--n];
        for (size_t label = 1; label < 256; label++) {
            const size_t at = node ^ label;
            const uint32_t u = m->units[at];
            if ((u & 0x800000FFu) != label) continue;
            const size_t child = at ^ unit_offset(u);
            if (child >= m->n_units || (child | 0xFF) >= m->n_units) return broken("its trie points outside the blob");
            if (u & 0x100u && !good_value(m, m->units[child] & 0x7FFFFFFFu))
                return broken("a key of its trie has no replacement");
            if (!seen[child]) queue[n++] = (uint32_t)child;
            seen[child] = 1;
        }
    }
    return HLM_OK;
}

static hlm_status check(const hlmi_charsmap *m, const hlmi_mem *mem)
{
    if (m->n_text && m->text[m->n_text - 1] != '\0') return broken("its last replacement is not ended by 0");
    if (hlmi_utf8_valid(m->text, m->n_text) != m->n_text) return broken("a replacement is not UTF-8");
    uint8_t *seen = hlmi_calloc(mem, m->n_units, 1);
    uint32_t *queue = hlmi_calloc(mem, m->n_units, sizeof *queue);
    const hlm_status st =
        seen && queue ? check_trie(m, seen, queue) : hlmi_nomem(m->n_units * 5, "precompiled_charsmap");
    hlmi_free(mem, seen);
    hlmi_free(mem, queue);
    return st;
}

hlm_status hlmi_charsmap_new(hlmi_charsmap **out, const hlmi_mem *mem, const void *blob, size_t len)
{
    const unsigned char *b = blob;
    *out = NULL;
    if (len < 4) return hlmi_fail(HLM_E_FORMAT, "precompiled_charsmap has %zu bytes, needs at least 4", len);
    const uint32_t trie = (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
    if (trie > len - 4 || trie % 4 != 0 || trie == 0)
        return hlmi_fail(HLM_E_FORMAT, "precompiled_charsmap: its trie claims %u bytes, the blob has %zu more", trie,
                         len - 4);
    hlmi_charsmap *m = hlmi_alloc(mem, sizeof *m + len);
    if (!m) return hlmi_nomem(sizeof *m + len, "precompiled_charsmap");
    m->n_units = trie / 4;
    m->n_text = len - 4 - trie;
    for (size_t i = 0; i < m->n_units; i++) {
        const unsigned char *u = b + 4 + 4 * i;
        m->units[i] = (uint32_t)u[0] | (uint32_t)u[1] << 8 | (uint32_t)u[2] << 16 | (uint32_t)u[3] << 24;
    }
    char *text = (char *)(m->units + m->n_units);
    if (m->n_text) memcpy(text, b + 4 + trie, m->n_text);
    m->text = text;
    const hlm_status st = check(m, mem);
    if (st == HLM_OK) *out = m;
    else hlmi_free(mem, m);
    return st;
}

static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

hlm_status hlmi_charsmap_base64(hlmi_charsmap **out, const hlmi_mem *mem, const char *s, size_t len)
{
    hlm_status st = HLM_OK;
    hlmi_buf b;
    hlmi_buf_init(&b, mem);
    *out = NULL;
    while (len > 0 && s[len - 1] == '=') len--;
    uint32_t acc = 0;
    for (size_t i = 0; i < len; i++) {
        const int v = base64_value(s[i]);
        if (v < 0) HLMI_TRY(hlmi_fail(HLM_E_FORMAT, "precompiled_charsmap: no base64 at byte %zu", i));
        acc = acc << 6 | (uint32_t)v;
        /* the k-th sextet of four completes a byte for k = 1, 2, 3 */
        const unsigned k = i % 4;
        if (k > 0) hlmi_buf_char(&b, (char)(uint8_t)(acc >> (6 - 2 * k)));
    }
    HLMI_TRY(hlmi_buf_status(&b, "precompiled_charsmap"));
    HLMI_TRY(hlmi_charsmap_new(out, mem, b.data, b.len));
done:
    hlmi_buf_free(&b);
    return st;
}

/* ---- looking up ---- */

/* Walks the trie along s: the bytes of the key found (the first, or the longest) that ends where a character does, 0
 * for none; *to receives what it becomes. check() has seen to it that no walk leaves the blob. */
static size_t search(const hlmi_charsmap *m, const char *s, size_t len, bool first, const char **to)
{
    size_t node = unit_offset(m->units[0]), best = 0;
    if (len > KEY_MAX) len = KEY_MAX;
    for (size_t i = 0; i < len; i++) {
        const unsigned char c = (unsigned char)s[i];
        const uint32_t u = m->units[node ^ c];
        if (c == 0 || (u & 0x800000FFu) != c) break; /* 0 is the label of values */
        node ^= c ^ unit_offset(u);
        if (!(u & 0x100u) || (i + 1 < len && ((unsigned char)s[i + 1] & 0xC0) == 0x80)) continue;
        *to = m->text + (m->units[node] & 0x7FFFFFFFu);
        best = i + 1;
        if (first) break;
    }
    return best;
}

size_t hlmi_charsmap_longest(const hlmi_charsmap *m, const char *s, size_t len, hlmi_str *to)
{
    const size_t n = search(m, s, len, false, &to->s);
    if (n > 0) to->len = strlen(to->s);
    return n;
}

/* Appends what s [len] becomes; false when no key begins it. */
static bool transform(const hlmi_charsmap *m, const char *s, size_t len, hlmi_buf *out)
{
    const char *to = NULL;
    if (search(m, s, len, true, &to) == 0) return false;
    hlmi_buf_str(out, to);
    return true;
}

/* End of the grapheme cluster that begins at `at`. */
static size_t cluster_end(const char *s, size_t len, size_t at)
{
    utf8proc_int32_t state = 0;
    uint32_t prev = hlmi_utf8_get(s + at);
    at += hlmi_utf8_len((unsigned char)s[at]);
    while (at < len) {
        const uint32_t c = hlmi_utf8_get(s + at);
        if (utf8proc_grapheme_break_stateful((utf8proc_int32_t)prev, (utf8proc_int32_t)c, &state)) break;
        prev = c;
        at += hlmi_utf8_len((unsigned char)s[at]);
    }
    return at;
}

void hlmi_charsmap_graphemes(const hlmi_charsmap *m, const char *s, size_t len, hlmi_buf *out)
{
    for (size_t at = 0; at < len && !out->failed;) {
        const size_t end = cluster_end(s, len, at);
        if (end - at < 6 && transform(m, s + at, end - at, out)) {
            at = end;
            continue;
        }
        for (size_t k; at < end; at += k) {
            k = hlmi_utf8_len((unsigned char)s[at]);
            if (!transform(m, s + at, k, out)) hlmi_buf_add(out, s + at, k);
        }
    }
}
