/* Memory that a tile writes for the first time, in a step that runs in slices. */
#include "api/context.h"
#include "base/os.h"

static bool touch(const hlm_pool *pool, hlmi_fresh *f, void *block, hlmi_slice *slice)
{
    if (f->size) slice->parts++;
    return hlmi_fresh_touch(f, block, &pool->mem, slice->until);
}

/* The pages of a span's new positions; the page that its sequence's last token is in may be another's too. */
static bool touch_pages(const hlm_pool *pool, const hlmi_span *span, const hlm_cache *cache, hlmi_slice *slice)
{
    const int64_t tokens = (int64_t)pool->layout.tokens, end = span->pos + (int64_t)span->n;
    const int64_t from = span->pos > cache->seq.length ? span->pos : cache->seq.length;
    for (int64_t at = (from + tokens - 1) / tokens * tokens; at < end; at += tokens) {
        hlmi_page *page = hlmi_cache_page(cache, at);
        if (!touch(pool, &page->item.fresh, page->item.rows[0], slice)) return false;
        if (page->part && !touch(pool, &page->part->fresh, page->part->rows[0], slice)) return false;
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
