/* A sequence to bytes. Nothing is copied as a whole: pages and states go out as they lie in memory, but for pages that
 * are not full and blocks with gaps, whose unused bytes leave as zeros. */
#include "state/snapshot.h"

#include <string.h>

#include "plan/model.h"

/* ---- what there is ---- */

/* One point as it goes out. */
static void put_point(hlmi_snapshot *s, size_t i)
{
    const hlmi_point *p = &s->cache->seq.points.items[i];
    hlmi_snapshot_point *out = &s->points[i];
    *out = (hlmi_snapshot_point){.pos = p->pos, .flags = p->flags & (HLMI_POINT_REASONS | HLMI_POINT_AGAIN)};
    if (p->log)
        out->rows = (uint32_t)hlmi_min_size((size_t)(s->cache->seq.length - p->pos), (size_t)s->pool->undo_tokens);
    if (hlmi_point_has_state(out, s->pool->plan)) s->head.n_states++;
    if (hlmi_point_has_state(out, s->pool->plan) && p->state->hidden) out->flags |= HLMI_POINT_HIDDEN;
    s->head.n_rows += out->rows;
}

/* Positions of page i that a track has computed. */
static size_t computed(const hlmi_snapshot *s, size_t track, size_t i)
{
    const size_t end = (size_t)hlmi_seq_end(s->pool, &s->cache->seq, track), at = i * s->pool->layout.tokens;
    return end > at ? hlmi_min_size(end - at, s->pool->layout.tokens) : 0;
}

/* The page of a track whose rows go out as those of page i, or NULL. */
static const hlmi_page *rows_of(const hlmi_snapshot *s, size_t track, size_t i)
{
    if (track == HLMI_IDS || i < s->head.left_out || computed(s, track, i) == 0) return NULL;
    return hlmi_table_page(&s->cache->seq.tracks[track], i);
}

static size_t n_pages(const hlmi_snapshot *s)
{
    return hlmi_div_up((size_t)s->head.length, s->head.page_tokens);
}

static void count_pages(hlmi_snapshot *s)
{
    for (size_t t = 0; t < s->head.n_tracks; t++)
        for (size_t i = 0; i < n_pages(s); i++) s->head.tracks[t].n += rows_of(s, t, i) != NULL;
}

/* Numbers the adapters of the text in the order of their first positions. */
static hlm_status number_adapters(hlmi_snapshot *s)
{
    hlm_pool *pool = s->pool;
    const hlmi_seq *seq = &s->cache->seq;
    hlmi_lock_take(&pool->lock);
    const size_t n = pool->n_adapters; /* those of this text are among them */
    hlmi_lock_drop(&pool->lock);
    if (n == 0) return HLM_OK;
    HLMI_DO(HLMI_GROW(&pool->mem, s->adapters, s->cap_adapters, n, "a snapshot's adapters"));
    s->numbers = hlmi_calloc(&pool->mem, n + 1, sizeof *s->numbers);
    if (!s->numbers) return hlmi_nomem(n * sizeof *s->numbers, "a snapshot's adapters");
    for (int64_t pos = 0; pos < seq->length; pos++) {
        const uint32_t number = hlmi_symbol_adapter(pool, hlmi_seq_symbol(pool, seq, pos));
        if (number == 0 || s->numbers[number]) continue;
        memcpy(s->adapters[s->head.adapters++].print, hlmi_pool_adapter(pool, number)->print,
               sizeof s->adapters->print);
        s->numbers[number] = (uint32_t)s->head.adapters;
    }
    return HLM_OK;
}

hlm_status hlmi_snapshot_begin(hlmi_snapshot *s, hlm_cache *cache, uint32_t left_out)
{
    const size_t n = cache->seq.points.n;
    *s = (hlmi_snapshot){.pool = cache->pool, .cache = cache};
    hlmi_snapshot_head_of(&s->head, s->pool);
    s->head.length = cache->seq.length;
    s->head.prefix = cache->seq.prefix;
    s->head.max_tokens = cache->max_tokens;
    s->head.left_out = left_out;
    s->head.n_points = n;
    HLMI_DO(HLMI_GROW(&s->pool->mem, s->points, s->cap_points, n, "a snapshot's points"));
    HLMI_DO(number_adapters(s));
    for (size_t i = 0; i < n; i++) put_point(s, i);
    count_pages(s);
    if (hlmi_snapshot_bytes(&s->head, &s->head.total)) return HLM_OK;
    return hlmi_fail(HLM_E_INTERNAL, "a snapshot of %lld tokens has no size", (long long)cache->seq.length);
}

/* ---- pages ---- */

/* Pages to write into, one for a track: from the pool, whose pages are in memory already, else from their place. */
typedef struct spares {
    hlmi_page pages[HLMI_TRACKS], *pooled[HLMI_TRACKS];
} spares;

static void spares_free(spares *s, hlm_pool *pool)
{
    for (size_t t = 0; t < HLMI_TRACKS; t++) {
        hlmi_place *place = hlmi_pool_place(pool, &s->pages[t]);
        hlmi_pool_drop(pool, s->pooled[t]);
        if (hlmi_page_rows(&s->pages[t])) place->give(place, hlmi_page_rows(&s->pages[t]));
    }
}

/* One like another page. */
static hlmi_page *spare_like(spares *s, hlm_pool *pool, const hlmi_page *like)
{
    const size_t t = like->track, bytes = pool->layout.tracks[t].bytes;
    hlmi_place *place = hlmi_pool_place(pool, like);
    hlmi_page *page = &s->pages[t];
    if (hlmi_page_rows(page)) return page;
    if (!s->pooled[t]) s->pooled[t] = hlmi_pool_take_page(pool, t);
    if (s->pooled[t]) return s->pooled[t];
    page->track = like->track;
    page->place = like->place;
    page->item.rows[page->place] = place->take(place, bytes);
    if (hlmi_page_rows(page)) return page;
    hlmi_nomem(bytes, "a snapshot's page");
    return NULL;
}

/* Rows of n positions of a page. Bytes that no position uses go out as zeros. */
static hlm_status write_track(hlmi_snapshot *s, spares *spare, const hlmi_page *page, size_t n)
{
    const hlmi_page_layout *l = &s->pool->layout;
    const hlmi_track_layout *track = &l->tracks[page->track];
    hlmi_place *place = hlmi_pool_place(s->pool, page);
    if (n == l->tokens && track->per_token * n == track->bytes) return hlmi_snapshot_rows(s, page);
    hlmi_page *copy = spare_like(spare, s->pool, page);
    if (!copy) return HLM_E_NOMEM;
    place->zero(place, hlmi_page_rows(copy), track->bytes);
    hlmi_page_copy(copy, page, l, s->pool->plan, n, place);
    return hlmi_snapshot_rows(s, copy);
}

static hlm_status write_page(hlmi_snapshot *s, spares *spare, size_t i)
{
    hlm_pool *pool = s->pool;
    const hlmi_page_layout *l = &pool->layout;
    const size_t n = hlmi_min_size((size_t)s->head.length - i * l->tokens, l->tokens);
    const size_t bytes = sizeof(hlmi_snapshot_page) + l->tokens * sizeof(int32_t);
    hlmi_snapshot_page head = {.n = (uint32_t)n};
    for (size_t t = 0; t < l->n_tracks; t++) head.tracks |= rows_of(s, t, i) ? 1u << t : 0;
    memset(s->ids, 0, bytes);
    memcpy(s->ids, &head, sizeof head);
    int32_t *symbols = (int32_t *)(void *)(s->ids + sizeof head);
    memcpy(symbols, hlmi_page_symbols(hlmi_table_page(&s->cache->seq.tracks[HLMI_IDS], i)), n * sizeof *symbols);
    for (size_t k = 0; k < n && s->numbers; k++)
        symbols[k] =
            hlmi_symbol(pool, hlmi_symbol_token(pool, symbols[k]), s->numbers[hlmi_symbol_adapter(pool, symbols[k])]);
    HLMI_DO(hlmi_stream_block(s->io, s->ids, bytes));
    for (size_t t = 0; t < l->n_tracks; t++)
        if (rows_of(s, t, i)) HLMI_DO(write_track(s, spare, rows_of(s, t, i), computed(s, t, i)));
    return HLM_OK;
}

static hlm_status write_pages(hlmi_snapshot *s)
{
    spares spare = {0};
    hlm_status st = HLM_OK;
    for (size_t i = 0; i < n_pages(s) && st == HLM_OK; i++) st = write_page(s, &spare, i);
    spares_free(&spare, s->pool);
    return st;
}

/* ---- all of it ---- */

static hlm_status write_blocks(hlmi_snapshot *s)
{
    int64_t now = hlmi_points_now(&s->cache->seq.points)->pos;
    HLMI_DO(hlmi_snapshot_memory(s));
    HLMI_DO(hlmi_stream_block(s->io, &s->head, sizeof s->head));
    HLMI_DO(hlmi_snapshot_layers(s, &now));
    HLMI_DO(hlmi_snapshot_adapters(s));
    HLMI_DO(hlmi_snapshot_points(s));
    HLMI_DO(write_pages(s));
    return hlmi_snapshot_states(s);
}

hlm_status hlmi_snapshot_write(hlmi_snapshot *s, hlmi_stream *io)
{
    s->io = io;
    io->out = true;
    io->kernels = &s->pool->model->kernels;
    io->mem = &s->pool->mem;
    hlm_status st = hlmi_stream_open(io);
    if (st == HLM_OK) st = write_blocks(s);
    return hlmi_stream_close(io, st);
}
