/* Added tokens: texts that are cut out of the input before anything else reads it. Found by a trie over bytes, the
 * longest at the leftmost place; what matches but is passed over (a special token where markers are not wanted, a word
 * inside a longer word) hides its bytes from other added tokens, as in the reference. */
#include <string.h>

#include "text/tokenizer_impl.h"

struct hlmi_added_node {
    uint32_t child, sibling; /* 0: none */
    int32_t id; /* of the text that ends here, or -1 */
    uint8_t byte, flags;
};

static uint32_t find_child(const hlmi_added *a, uint32_t node, uint8_t byte)
{
    uint32_t c = a->nodes[node].child;
    while (c && a->nodes[c].byte != byte) c = a->nodes[c].sibling;
    return c;
}

static hlm_status new_node(hlmi_added *a, const hlmi_mem *mem, uint8_t byte, uint32_t *out)
{
    if (a->n >= UINT32_MAX) return hlmi_fail(HLM_E_LIMIT, "too many added tokens");
    HLMI_DO(HLMI_GROW(mem, a->nodes, a->cap, a->n + 1, "added tokens"));
    *out = (uint32_t)a->n++;
    a->nodes[*out] = (struct hlmi_added_node){.id = -1, .byte = byte};
    return HLM_OK;
}

hlm_status hlmi_added_insert(hlmi_added *a, const hlmi_mem *mem, const char *s, size_t len, int32_t id, uint8_t flags)
{
    hlm_status st = HLM_OK;
    uint32_t node = 0;
    if (len == 0) return HLM_OK;
    if (a->n == 0) HLMI_TRY(new_node(a, mem, 0, &node));
    for (size_t i = 0; i < len; i++) {
        uint32_t c = find_child(a, node, (uint8_t)s[i]);
        if (!c) {
            HLMI_TRY(new_node(a, mem, (uint8_t)s[i], &c));
            a->nodes[c].sibling = a->nodes[node].child;
            a->nodes[node].child = c;
        }
        node = c;
    }
    a->begins[(uint8_t)s[0]] = true;
    if (a->nodes[node].id < 0) {
        a->nodes[node].id = id;
        a->nodes[node].flags = flags;
    }
done:
    return st;
}

/* The node of a text that stands for the id, or NULL. */
static struct hlmi_added_node *node_of(const hlmi_added *a, const char *s, size_t len, int32_t id)
{
    uint32_t node = 0;
    if (a->n == 0 || len == 0) return NULL;
    for (size_t i = 0; i < len; i++) {
        node = find_child(a, node, (uint8_t)s[i]);
        if (!node) return NULL;
    }
    return a->nodes[node].id == id ? &a->nodes[node] : NULL;
}

uint8_t hlmi_added_add_flags(hlmi_added *a, const char *s, size_t len, int32_t id, uint8_t flags)
{
    struct hlmi_added_node *node = node_of(a, s, len, id);
    if (node) node->flags |= flags;
    return node ? node->flags : 0;
}

void hlmi_added_remove(hlmi_added *a, const char *s, size_t len, int32_t id)
{
    struct hlmi_added_node *node = node_of(a, s, len, id);
    if (node) node->id = -1;
}

void hlmi_added_free(hlmi_added *a, const hlmi_mem *mem)
{
    hlmi_free(mem, a->nodes);
    a->nodes = NULL;
}

/* The node of the longest text that begins at s, 0 for none; *end is set behind it. */
static uint32_t longest(const hlmi_added *a, const char *s, size_t len, size_t at, size_t *end)
{
    uint32_t node = 0, best = 0;
    for (size_t i = at; i < len; i++) {
        node = find_child(a, node, (uint8_t)s[i]);
        if (!node) break;
        if (a->nodes[node].id >= 0) {
            best = node;
            *end = i + 1;
        }
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
    if (a->n == 0) return false;
    while (c->at < len) {
        size_t end = 0;
        const uint32_t node = a->begins[(uint8_t)s[c->at]] ? longest(a, s, len, c->at, &end) : 0;
        if (!node) {
            c->at++;
            continue;
        }
        const size_t begin = c->at;
        const uint8_t flags = a->nodes[node].flags;
        c->at = end;
        const bool own = !c->trusted || !memchr(c->trusted + begin, 0, end - begin);
        if (flags & HLMI_ADDED_SPECIAL && !(special && own)) {
            c->at = hidden_end(c->trusted, begin, end);
            continue;
        }
        if (flags & HLMI_ADDED_SINGLE_WORD && !stands_alone(s, len, begin, end)) continue;
        m->begin = flags & HLMI_ADDED_LSTRIP ? skip_space_left(s, begin, c->taken) : begin;
        m->end = flags & HLMI_ADDED_RSTRIP ? skip_space_right(s, len, end, c) : end;
        m->id = a->nodes[node].id;
        c->taken = m->end;
        return true;
    }
    return false;
}
