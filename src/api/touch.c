/* Memory that a tile writes for the first time, in a step that runs in slices. */
#include "api/context.h"
#include "base/os.h"

static bool touch(const hlm_pool *pool, hlmi_fresh *f, void *block, hlmi_slice *slice)
{
    if (f->size) slice->parts++;
    return hlmi_fresh_touch(f, block, &pool->mem, slice->until);
}

/* The pages of a span's new positions; the page in which its sequence's track ends may be another's too. */
static bool touch_pages(const hlm_pool *pool, const hlmi_span *span, const hlm_cache *cache, hlmi_slice *slice)
{
    const int64_t tokens = (int64_t)pool->layout.tokens, end = span->pos + (int64_t)span->n;
    for (size_t t = 0; t < pool->layout.n_tracks; t++) {
        const int64_t had = hlmi_seq_end(pool, &cache->seq, t), from = span->pos > had ? span->pos : had;
        for (int64_t at = (from + tokens - 1) / tokens * tokens; at < end; at += tokens) {
            hlmi_page *page = hlmi_claim_page(cache, t, at);
            if (!touch(pool, &page->item.fresh, page->item.rows[0], slice)) return false;
        }
    }
    return true;
}

bool hlmi_tile_touch(const hlm_context *c, hlmi_slice *slice)
{
    const hlm_pool *pool = c->pool;
    for (size_t i = 0; i < c->tile.n_spans; i++) {
        hlmi_state *out = c->caches[i]->claim.now; /* the span's, the last of its sequence in the tile */
        if (out && !touch(pool, &out->item.fresh, out->item.rows[0], slice)) return false;
        if (!touch_pages(pool, &c->tile.spans[i], c->caches[i], slice)) return false;
    }
    return true;
}
