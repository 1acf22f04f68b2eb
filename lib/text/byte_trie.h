/* A trie over bytes as one hash table of edges: any number of keys, one probe a step. */
#ifndef HLMI_TEXT_BYTE_TRIE_H
#define HLMI_TEXT_BYTE_TRIE_H

#include "base/mem.h"

typedef struct hlmi_byte_edge {
    uint64_t key; /* (node << 8 | byte) + 1; 0: empty */
    uint32_t to;
} hlmi_byte_edge;

typedef struct hlmi_byte_trie {
    hlmi_byte_edge *edges; /* [mask + 1] */
    size_t mask;
    int32_t *id; /* [n] of the key that ends at the node, or -1; node 0 is the root */
    size_t n, cap;
} hlmi_byte_trie;

/** A key that is there already takes the new id. */
hlm_status hlmi_byte_trie_add(hlmi_byte_trie *t, const hlmi_mem *mem, const char *s, size_t len, int32_t id);
void hlmi_byte_trie_free(hlmi_byte_trie *t, const hlmi_mem *mem);

static inline size_t hlmi_byte_edge_slot(uint64_t key, size_t mask)
{
    key *= 0x9E3779B97F4A7C15u;
    return (size_t)(key >> 32 ^ key >> 13) & mask;
}

/** The node behind `node` by `byte`, 0 when there is none. */
static inline uint32_t hlmi_byte_trie_step(const hlmi_byte_trie *t, uint32_t node, uint8_t byte)
{
    if (!t->edges) return 0;
    const uint64_t key = ((uint64_t)node << 8 | byte) + 1;
    size_t i = hlmi_byte_edge_slot(key, t->mask);
    while (t->edges[i].key != key) {
        if (t->edges[i].key == 0) return 0;
        i = (i + 1) & t->mask;
    }
    return t->edges[i].to;
}

#endif
