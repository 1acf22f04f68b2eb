/* Added tokens: texts that are cut out of the input before anything else reads it. Found by a trie over bytes, the
 * longest at the leftmost place; what matches but is passed over (a special token where markers are not wanted, a word
 * inside a longer word) hides its bytes from other added tokens, as in the reference. */
#include <string.h>

#include "text/tokenizer_impl.h"

/* A text's value in the trie is its id and, in the low bits, its HLMI_ADDED_... */
enum { FLAG_BITS = 4, FLAGS = (1 << FLAG_BITS) - 1 };

/* The value of a text, or NULL. */
static int32_t *find(const hlmi_added *a, const char *s, size_t len)
{
    uint32_t node = 0;
    if (len == 0) return NULL;
    for (size_t i = 0; i < len; i++) {
        node = hlmi_byte_trie_step(&a->trie, node, (uint8_t)s[i]);
        if (!node) return NULL;
    }
    return a->trie.id[node] >= 0 ? &a->trie.id[node] : NULL;
}

hlm_status hlmi_added_insert(hlmi_added *a, const hlmi_mem *mem, const char *s, size_t len, int32_t id, uint8_t flags)
{
    if (len == 0 || find(a, s, len)) return HLM_OK;
    a->begins[(uint8_t)s[0]] = true;
    return hlmi_byte_trie_add(&a->trie, mem, s, len, id << FLAG_BITS | flags);
}

uint8_t hlmi_added_add_flags(hlmi_added *a, const char *s, size_t len, int32_t id, uint8_t flags)
{
    int32_t *v = find(a, s, len);
    if (!v || *v >> FLAG_BITS != id) return 0;
    *v |= flags;
    return *v & FLAGS;
}

void hlmi_added_remove(hlmi_added *a, const char *s, size_t len, int32_t id)
{
    int32_t *v = find(a, s, len);
    if (v && *v >> FLAG_BITS == id) *v = -1;
}

/* The value of the longest text that begins at s[at], -1 for none; *end is set behind it. */
static int32_t longest(const hlmi_added *a, const char *s, size_t len, size_t at, size_t *end)
{
    int32_t best = -1;
    for (uint32_t node = 0; at < len; at++) {
        node = hlmi_byte_trie_step(&a->trie, node, (uint8_t)s[at]);
        if (!node) break;
        if (a->trie.id[node] < 0) continue;
        best = a->trie.id[node];
        *end = at + 1;
    }
    return best;
}

/* Where the character that ends at `at` begins. */
static size_t char_before(const char *s, size_t at)
{
    do at--;
    while (at > 0 && ((unsigned char)s[at] & 0xC0) == 0x80);
    return at;
}

static bool stands_alone(const char *s, size_t len, size_t begin, size_t end)
{
    if (begin > 0 && hlmi_char_class(hlmi_utf8_get(s + char_before(s, begin))) & HLMI_CC_WORD) return false;
    return end == len || !(hlmi_char_class(hlmi_utf8_get(s + end)) & HLMI_CC_WORD);
}

static size_t skip_space_left(const char *s, size_t begin, size_t stop)
{
    while (begin > stop) {
        const size_t p = char_before(s, begin);
        if (!(hlmi_char_class(hlmi_utf8_get(s + p)) & HLMI_CC_SPACE)) break;
        begin = p;
    }
    return begin < stop ? stop : begin;
}

static size_t skip_space_right(const char *s, size_t len, size_t end, hlmi_added_cursor *c)
{
    if (end >= c->space_from && end < c->space_end) return c->space_end;
    c->space_from = end;
    while (end < len && hlmi_char_class(hlmi_utf8_get(s + end)) & HLMI_CC_SPACE)
        end += hlmi_utf8_len((unsigned char)s[end]);
    return c->space_end = end;
}

/* Where a match that may not become a token has hidden text up to: its end, or where the template's own text begins
 * again behind foreign bytes, so that no message hides the beginning of a marker. */
static size_t hidden_end(const char *trusted, size_t begin, size_t end)
{
    if (!trusted) return end;
    const char *foreign = memchr(trusted + begin, 0, end - begin);
    const char *own = foreign ? memchr(foreign, 1, (size_t)(trusted + end - foreign)) : NULL;
    return own ? (size_t)(own - trusted) : end;
}

bool hlmi_added_next(const hlmi_added *a, const char *s, size_t len, bool special, hlmi_added_cursor *c,
                     hlmi_added_match *m)
{
    if (a->trie.n == 0) return false;
    while (c->at < len) {
        size_t end = 0;
        const int32_t found = a->begins[(uint8_t)s[c->at]] ? longest(a, s, len, c->at, &end) : -1;
        if (found < 0) {
            c->at++;
            continue;
        }
        const size_t begin = c->at;
        const int flags = found & FLAGS;
        c->at = end;
        const bool own = !c->trusted || !memchr(c->trusted + begin, 0, end - begin);
        if (flags & HLMI_ADDED_SPECIAL && !(special && own)) {
            c->at = hidden_end(c->trusted, begin, end);
            continue;
        }
        if (flags & HLMI_ADDED_SINGLE_WORD && !stands_alone(s, len, begin, end)) continue;
        m->begin = flags & HLMI_ADDED_LSTRIP ? skip_space_left(s, begin, c->taken) : begin;
        m->end = flags & HLMI_ADDED_RSTRIP ? skip_space_right(s, len, end, c) : end;
        m->id = found >> FLAG_BITS;
        c->taken = m->end;
        return true;
    }
    return false;
}
