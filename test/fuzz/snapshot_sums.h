/* Makes the checksums of a snapshot right again, so that what was changed in it is looked at by the code behind
 * them. */
#ifndef SNAPSHOT_SUMS_H
#define SNAPSHOT_SUMS_H

#include "kernel/kernel.h"
#include "state/snapshot.h"

/* Where the sums are being written. */
typedef struct sums {
    const hlmi_kernels *k;
    uint8_t *at, *end;
    uint64_t sum;
} sums;

/* The next block, if it is all there. */
static inline int sums_block(sums *s, uint64_t n)
{
    if (n == 0) return 1;
    if (n > (uint64_t)(s->end - s->at) || (uint64_t)(s->end - s->at) - n < sizeof s->sum) return 0;
    s->sum = s->k->hash(s->at, (size_t)n, s->sum);
    memcpy(s->at + n, &s->sum, sizeof s->sum);
    s->at += n + sizeof s->sum;
    return 1;
}

static inline int sums_blocks(sums *s, uint64_t count, uint64_t n)
{
    for (uint64_t i = 0; i < count && n; i++)
        if (!sums_block(s, n)) return 0;
    return 1;
}

static inline void sums_fix(const hlmi_kernels *k, uint8_t *data, size_t size)
{
    hlmi_snapshot_head h;
    sums s = {.k = k, .at = data, .end = data + size};
    if (size < sizeof h) return;
    memcpy(&h, data, sizeof h);
    const uint64_t point = sizeof(hlmi_snapshot_point), ids = sizeof(hlmi_snapshot_page) + 4 * (uint64_t)h.page_tokens;
    if (!sums_block(&s, sizeof h) || !sums_block(&s, 8 * ((uint64_t)h.n_kv + h.n_rec))) return;
    if (!sums_blocks(&s, h.n_points / HLMI_POINTS_IN_BLOCK, HLMI_POINTS_IN_BLOCK * point)) return;
    if (!sums_block(&s, h.n_points % HLMI_POINTS_IN_BLOCK * point)) return;
    for (int64_t pos = 0; pos < h.length && h.page_tokens; pos += h.page_tokens) {
        hlmi_snapshot_page page = {0};
        if ((uint64_t)(s.end - s.at) >= sizeof page) memcpy(&page, s.at, sizeof page);
        if (!sums_block(&s, ids)) return;
        for (size_t t = 0; t < HLMI_TRACKS; t++)
            if (page.tracks >> t & 1 && !sums_block(&s, h.tracks[t].bytes)) return;
    }
    if (sums_blocks(&s, h.n_states, h.state_bytes)) sums_blocks(&s, h.n_rows, h.row_bytes);
}

#endif
