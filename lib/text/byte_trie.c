/* A trie over bytes in a hash table. */
#include "text/byte_trie.h"

static void put(hlmi_byte_edge *edges, size_t mask, hlmi_byte_edge e)
{
    size_t i = hlmi_byte_edge_slot(e.key, mask);
    while (edges[i].key) i = (i + 1) & mask;
    edges[i] = e;
}

static hlm_status grow_edges(hlmi_byte_trie *t, const hlmi_mem *mem)
{
    const size_t old = t->edges ? t->mask + 1 : 0, n = old ? 2 * old : 1024;
    hlmi_byte_edge *edges = hlmi_calloc(mem, n, sizeof *edges);
    if (!edges) return hlmi_nomem(n * sizeof *edges, "token trie");
    for (size_t i = 0; i < old; i++)
        if (t->edges[i].key) put(edges, n - 1, t->edges[i]);
    hlmi_free(mem, t->edges);
    t->edges = edges;
    t->mask = n - 1;
    return HLM_OK;
}

static hlm_status new_node(hlmi_byte_trie *t, const hlmi_mem *mem, uint32_t *out)
{
    if (t->n >= UINT32_MAX) return hlmi_fail(HLM_E_LIMIT, "too many bytes of tokens");
    HLMI_DO(HLMI_GROW(mem, t->id, t->cap, t->n + 1, "token trie"));
    *out = (uint32_t)t->n;
    t->id[t->n++] = -1;
    return HLM_OK;
}

hlm_status hlmi_byte_trie_add(hlmi_byte_trie *t, const hlmi_mem *mem, const char *s, size_t len, int32_t id)
{
    uint32_t node = 0;
    if (t->n == 0) HLMI_DO(new_node(t, mem, &node));
    for (size_t i = 0; i < len; i++) {
        uint32_t next = hlmi_byte_trie_step(t, node, (uint8_t)s[i]);
        if (!next) {
            if (!t->edges || 5 * t->n > 3 * t->mask) HLMI_DO(grow_edges(t, mem));
            HLMI_DO(new_node(t, mem, &next));
            put(t->edges, t->mask, (hlmi_byte_edge){((uint64_t)node << 8 | (uint8_t)s[i]) + 1, next});
        }
        node = next;
    }
    t->id[node] = id;
    return HLM_OK;
}

void hlmi_byte_trie_free(hlmi_byte_trie *t, const hlmi_mem *mem)
{
    hlmi_free(mem, t->edges);
    hlmi_free(mem, t->id);
    *t = (hlmi_byte_trie){0};
}
