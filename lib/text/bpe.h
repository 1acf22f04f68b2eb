/* Byte-pair encoding: the tables (bpe.c) and the merging of one word (bpe_merge.c). */
#ifndef HLMI_TEXT_BPE_H
#define HLMI_TEXT_BPE_H

#include "text/tokenizer_impl.h"

/** No merge. */
#define HLMI_NO_RANK UINT32_MAX

typedef struct hlmi_merge {
    uint64_t key; /* left id << 32 | right id; UINT64_MAX: empty */
    uint32_t rank, id;
} hlmi_merge;

typedef struct hlmi_bpe {
    hlmi_token_model base;
    const hlmi_tokens *tokens;
    hlmi_merge *merges; /* [mask + 1] hash table; NULL: merge by scores */
    size_t mask;
    uint64_t *maybe; /* [maybe_mask + 1] bits by hash: 0 when no merge has it. Most pairs do not merge, and these
                        bits fit where the table does not, the processor's nearer caches */
    size_t maybe_mask;
    uint32_t *order; /* [tokens->n] by scores: rank of each token, lower is better */
    bool ignore_merges; /* a word that is a token is that token, whatever the merges say */
    bool fuse_unk, byte_fallback;
    bool cut_at_space; /* nothing merges across the beginning of a U+2581 run: see hlmi_bpe_finish */
    char *prefix, *suffix; /* continuing_subword_prefix, end_of_word_suffix, or NULL */
    size_t prefix_len, suffix_len;
    int32_t bytes[256]; /* tokens <0xNN>, or -1 */
    int32_t chars[0x800]; /* tokens of the characters below U+0800, or -1 */
} hlmi_bpe;

/** One encode call's memory. */
typedef struct hlmi_bpe_scratch hlmi_bpe_scratch;

hlm_status hlmi_bpe_begin(const hlmi_mem *mem, size_t text_len, bool plain, void **scratch);
hlm_status hlmi_bpe_encode(const hlmi_token_model *m, void *scratch, const char *s, size_t len, hlmi_ids *out);
void hlmi_bpe_end(void *scratch);
/** End of the stretch from `at` that no merge leaves when texts are cut at spaces: up to a U+2581 that follows another
 *  character. */
size_t hlmi_bpe_stretch(const char *s, size_t len, size_t at);

static inline uint64_t hlmi_merge_hash(uint64_t key)
{
    key *= 0x9E3779B97F4A7C15u;
    return key ^ key >> 29;
}

static inline size_t hlmi_merge_slot(uint64_t hash, size_t mask)
{
    return (size_t)(hash >> 6) & mask;
}

/* The word and the bit of `maybe`. */
static inline uint64_t *hlmi_merge_maybe(const hlmi_bpe *b, uint64_t hash)
{
    return &b->maybe[(size_t)(hash >> 6) & b->maybe_mask];
}

static inline uint64_t hlmi_merge_bit(uint64_t hash)
{
    return (uint64_t)1 << (hash & 63);
}

static inline const hlmi_merge *hlmi_merge_find(const hlmi_bpe *b, uint32_t left, uint32_t right)
{
    const uint64_t key = (uint64_t)left << 32 | right, hash = hlmi_merge_hash(key);
    if (!(*hlmi_merge_maybe(b, hash) & hlmi_merge_bit(hash))) return NULL;
    size_t i = hlmi_merge_slot(hash, b->mask);
    while (b->merges[i].key != key) {
        if (b->merges[i].key == UINT64_MAX) return NULL;
        i = (i + 1) & b->mask;
    }
    return &b->merges[i];
}

#endif
