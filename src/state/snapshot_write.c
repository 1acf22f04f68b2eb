/* A sequence to bytes. Nothing is copied as a whole: pages and states go out as they lie in memory, but for pages that
 * are not full and blocks with gaps, whose unused bytes leave as zeros. */
#include "state/snapshot.h"

#include <string.h>

/* ---- points ---- */

/* One point as it goes out. */
static void put_point(hlmi_snapshot *s, size_t i)
{
    const hlmi_seq *seq = &s->cache->seq;
    const hlm_pool *pool = s->cache->pool;
    const hlmi_point *p = &seq->points.items[i];
    hlmi_snapshot_point *out = &s->points[i];
    *out = (hlmi_snapshot_point){.pos = p->pos, .flags = p->flags & (HLMI_POINT_REASONS | HLMI_POINT_AGAIN)};
    if (p->log) out->rows = (uint32_t)hlmi_min_size((size_t)(seq->length - p->pos), (size_t)pool->undo_tokens);
    if (hlmi_point_has_state(out, pool->plan)) s->head.n_states++;
    if (hlmi_point_has_state(out, pool->plan) && p->state->hidden) out->flags |= HLMI_POINT_HIDDEN;
    s->head.n_rows += out->rows;
}

/* Positions of page i that a track has computed. */
static size_t computed(const hlmi_snapshot *s, size_t track, size_t i)
{
    const hlm_pool *pool = s->cache->pool;
    const size_t end = (size_t)hlmi_seq_end(pool, &s->cache->seq, track), at = i * pool->layout.tokens;
    return end > at ? hlmi_min_size(end - at, pool->layout.tokens) : 0;
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
    hlm_pool *pool = s->cache->pool;
    const hlmi_seq *seq = &s->cache->seq;
    hlmi_lock_take(&pool->lock);
    const size_t n = pool->n_adapters; /* those of this text are among them */
    hlmi_lock_drop(&pool->lock);
    if (n == 0) return HLM_OK;
    s->numbers = hlmi_calloc(&pool->mem, n + 1, sizeof *s->numbers);
    s->adapters = hlmi_calloc(&pool->mem, n, sizeof *s->adapters);
    if (!s->numbers || !s->adapters) return hlmi_nomem(n * sizeof *s->adapters, "a snapshot's adapters");
    for (int64_t pos = 0; pos < seq->length; pos++) {
        const uint32_t number = hlmi_symbol_adapter(pool, hlmi_seq_symbol(pool, seq, pos));
        if (number == 0 || s->numbers[number]) continue;
        s->adapters[s->head.adapters++] = hlmi_pool_adapter(pool, number);
        s->numbers[number] = (uint32_t)s->head.adapters;
    }
    return HLM_OK;
}

hlm_status hlmi_snapshot_begin(hlmi_snapshot *s, hlm_cache *cache, uint32_t left_out)
{
    const hlm_pool *pool = cache->pool;
    const size_t n = cache->seq.points.n;
    *s = (hlmi_snapshot){.cache = cache};
    hlmi_snapshot_head_of(&s->head, pool);
    s->head.length = cache->seq.length;
    s->head.prefix = cache->seq.prefix;
    s->head.max_tokens = cache->max_tokens;
    s->head.left_out = left_out;
    s->head.n_points = n;
    s->points = hlmi_calloc(&pool->mem, n, sizeof *s->points);
    hlm_status st = s->points ? number_adapters(s) : hlmi_nomem(n * sizeof *s->points, "a snapshot's points");
    if (st == HLM_OK) {
        for (size_t i = 0; i < n; i++) put_point(s, i);
        count_pages(s);
        if (!hlmi_snapshot_bytes(&s->head, &s->head.total))
            st = hlmi_fail(HLM_E_INTERNAL, "a snapshot of %lld tokens has no size", (long long)cache->seq.length);
    }
    if (st != HLM_OK) hlmi_snapshot_end(s);
    return st;
}

void hlmi_snapshot_end(hlmi_snapshot *s)
{
    const hlmi_mem *mem = &s->cache->pool->mem;
    hlmi_free(mem, s->points);
    hlmi_free(mem, s->numbers);
    hlmi_free(mem, s->adapters);
    s->numbers = NULL;
    s->adapters = NULL;
    s->points = NULL;
}

/* ---- blocks ---- */

static hlm_status write_layers(const hlmi_snapshot *s, hlmi_outlet *o)
{
    const hlmi_mem *mem = &s->cache->pool->mem;
    const int64_t now = hlmi_points_now(&s->cache->seq.points)->pos;
    const size_t n_kv = s->head.n_kv, n = n_kv + s->head.n_rec;
    if (n == 0) return HLM_OK;
    int64_t *pos = hlmi_calloc(mem, n, sizeof *pos);
    if (!pos) return hlmi_nomem(n * sizeof *pos, "the layers' positions");
    for (size_t i = 0; i < n; i++) pos[i] = i < n_kv ? s->head.length : now;
    const hlm_status st = hlmi_outlet_block(o, pos, n * sizeof *pos);
    hlmi_free(mem, pos);
    return st;
}

static hlm_status write_adapters(const hlmi_snapshot *s, hlmi_outlet *o)
{
    const size_t n = (size_t)s->head.adapters;
    const hlmi_mem *mem = &s->cache->pool->mem;
    if (n == 0) return HLM_OK;
    hlmi_snapshot_adapter *all = hlmi_calloc(mem, n, sizeof *all);
    if (!all) return hlmi_nomem(n * sizeof *all, "a snapshot's adapters");
    for (size_t i = 0; i < n; i++) memcpy(all[i].print, s->adapters[i]->print, sizeof all[i].print);
    const hlm_status st = hlmi_outlet_block(o, all, n * sizeof *all);
    hlmi_free(mem, all);
    return st;
}

static hlm_status write_points(const hlmi_snapshot *s, hlmi_outlet *o)
{
    hlm_status st = HLM_OK;
    size_t m;
    for (size_t i = 0; i < s->head.n_points && st == HLM_OK; i += m) {
        m = hlmi_min_size((size_t)s->head.n_points - i, HLMI_POINTS_IN_BLOCK);
        st = hlmi_outlet_block(o, s->points + i, m * sizeof *s->points);
    }
    return st;
}

/* Memory for what does not go out as it lies. */
typedef struct desk {
    char *ids; /* a page's head and tokens */
    char *rows; /* of a state, of the undo log, or of a page that is not on the host */
    hlmi_page *pages
        [HLMI_TRACKS]; /* the first page that needs it takes it, as others are: from the pool, else from the allocator */
    bool pooled[HLMI_TRACKS];
} desk;

static void desk_free(desk *d, hlm_pool *pool)
{
    hlmi_free(&pool->mem, d->ids);
    hlmi_free(&pool->mem, d->rows);
    for (size_t t = 0; t < HLMI_TRACKS; t++) {
        if (d->pooled[t]) hlmi_pool_drop(pool, d->pages[t]);
        else hlmi_free(&pool->mem, d->pages[t]);
    }
}

static size_t ids_bytes(const hlmi_page_layout *l)
{
    return sizeof(hlmi_snapshot_page) + l->tokens * sizeof(int32_t);
}

/* A page of a track to write into: pages of the pool are in memory already. */
static hlmi_page *take_page(desk *d, hlm_pool *pool, const hlmi_page *like)
{
    const size_t header = hlmi_round_up(sizeof *like, HLMI_ALIGN),
                 bytes = header + pool->layout.tracks[like->track].bytes;
    hlmi_page **page = &d->pages[like->track];
    if (*page) return *page;
    *page = hlmi_pool_take_page(pool, like->track);
    d->pooled[like->track] = *page != NULL;
    if (*page || !hlmi_pool_place(pool, like)->host) return *page;
    *page = hlmi_calloc(&pool->mem, 1, bytes);
    if (!*page) {
        hlmi_nomem(bytes, "a snapshot's page");
        return NULL;
    }
    (*page)->track = like->track;
    (*page)->place = like->place;
    (*page)->item.rows[like->place] = (char *)*page + header;
    return *page;
}

/* Rows of n positions of a page. Bytes that no position uses go out as zeros. */
static hlm_status write_track(const hlmi_snapshot *s, hlmi_outlet *o, desk *d, const hlmi_page *page, size_t n)
{
    hlm_pool *pool = s->cache->pool;
    const hlmi_page_layout *l = &pool->layout;
    const hlmi_track_layout *track = &l->tracks[page->track];
    hlmi_place *place = hlmi_pool_place(pool, page);
    if (n < l->tokens || track->per_token * l->tokens != track->bytes) {
        hlmi_page *copy = take_page(d, pool, page);
        if (!copy) return HLM_E_NOMEM;
        place->zero(place, hlmi_page_rows(copy), track->bytes);
        hlmi_page_copy(copy, page, l, pool->plan, n, place);
        page = copy;
    }
    if (place->host) return hlmi_outlet_block(o, hlmi_page_rows(page), track->bytes);
    place->get(place, d->rows, hlmi_page_rows(page), track->bytes);
    return hlmi_outlet_block(o, d->rows, track->bytes);
}

static hlm_status write_page(const hlmi_snapshot *s, hlmi_outlet *o, desk *d, size_t i)
{
    hlm_pool *pool = s->cache->pool;
    const hlmi_page_layout *l = &pool->layout;
    const size_t n = hlmi_min_size((size_t)s->head.length - i * l->tokens, l->tokens);
    hlmi_snapshot_page head = {.n = (uint32_t)n};
    for (size_t t = 0; t < l->n_tracks; t++) head.tracks |= rows_of(s, t, i) ? 1u << t : 0;
    memset(d->ids, 0, ids_bytes(l));
    memcpy(d->ids, &head, sizeof head);
    int32_t *symbols = (int32_t *)(void *)(d->ids + sizeof head);
    memcpy(symbols, hlmi_page_symbols(hlmi_table_page(&s->cache->seq.tracks[HLMI_IDS], i)), n * sizeof *symbols);
    for (size_t k = 0; k < n && s->numbers; k++)
        symbols[k] =
            hlmi_symbol(pool, hlmi_symbol_token(pool, symbols[k]), s->numbers[hlmi_symbol_adapter(pool, symbols[k])]);
    hlm_status st = hlmi_outlet_block(o, d->ids, ids_bytes(l));
    for (size_t t = 0; t < l->n_tracks && st == HLM_OK; t++)
        if (rows_of(s, t, i)) st = write_track(s, o, d, rows_of(s, t, i), computed(s, t, i));
    return st;
}

/* Rows as they go out: fields side by side, and zeros between them. */
static hlm_status write_rows(const hlm_pool *pool, hlmi_outlet *o, const desk *d, void *const *rows,
                             const hlmi_field *fields, size_t n, size_t bytes)
{
    size_t used = 0;
    for (size_t i = 0; i < n; i++) used += fields[i].bytes;
    if (used == bytes && hlmi_rows_plain(pool)) return hlmi_outlet_block(o, rows[0], bytes);
    memset(d->rows, 0, bytes);
    for (size_t i = 0; i < n; i++) {
        hlmi_place *place = pool->places[fields[i].place];
        place->get(place, d->rows + fields[i].side, hlmi_field_of(rows, &fields[i]), fields[i].bytes);
    }
    return hlmi_outlet_block(o, d->rows, bytes);
}

static hlm_status write_state(const hlmi_snapshot *s, hlmi_outlet *o, const desk *d, const hlmi_state *state)
{
    const hlmi_state_layout *l = &s->cache->pool->states;
    return write_rows(s->cache->pool, o, d, state->item.rows, l->fields, l->n_fields, l->bytes);
}

static hlm_status write_stretch(const hlmi_snapshot *s, hlmi_outlet *o, const desk *d, const hlmi_snapshot_point *p)
{
    const hlm_cache *c = s->cache;
    const hlmi_state_layout *l = &c->pool->states;
    hlm_status st = HLM_OK;
    for (int64_t pos = p->pos; pos < p->pos + p->rows && st == HLM_OK; pos++)
        st = write_rows(c->pool, o, d, hlmi_undo_find(c->pool, &c->seq.points, pos), l->log, c->pool->plan->n_rec,
                        l->log_bytes);
    return st;
}

static hlm_status write_blocks(const hlmi_snapshot *s, hlmi_outlet *o, desk *d)
{
    const hlm_cache *c = s->cache;
    const size_t pages = n_pages(s), points = (size_t)s->head.n_points;
    hlm_status st = hlmi_outlet_block(o, &s->head, sizeof s->head);
    if (st == HLM_OK) st = write_layers(s, o);
    if (st == HLM_OK) st = write_adapters(s, o);
    if (st == HLM_OK) st = write_points(s, o);
    for (size_t i = 0; i < pages && st == HLM_OK; i++) st = write_page(s, o, d, i);
    for (size_t i = 0; i < points && st == HLM_OK; i++)
        if (hlmi_point_has_state(&s->points[i], c->pool->plan)) st = write_state(s, o, d, c->seq.points.items[i].state);
    for (size_t i = 0; i < points && st == HLM_OK; i++) st = write_stretch(s, o, d, &s->points[i]);
    return st == HLM_OK ? hlmi_outlet_flush(o) : st;
}

/* desk_free is for the caller, also when it fails. */
static hlm_status desk_init(desk *d, const hlm_pool *pool)
{
    const size_t ids = ids_bytes(&pool->layout);
    size_t rows = hlmi_max_size(pool->states.bytes, pool->states.log_bytes);
    for (size_t t = HLMI_IDS + 1; t < pool->layout.n_tracks; t++)
        if (!pool->places[pool->layout.tracks[t].place]->host) rows = hlmi_max_size(rows, pool->layout.tracks[t].bytes);
    *d = (desk){.ids = hlmi_alloc(&pool->mem, ids), .rows = rows ? hlmi_alloc(&pool->mem, rows) : NULL};
    return d->ids && (d->rows || !rows) ? HLM_OK : hlmi_nomem(ids + rows, "a snapshot");
}

hlm_status hlmi_snapshot_write(const hlmi_snapshot *s, hlmi_outlet *o)
{
    hlm_pool *pool = s->cache->pool;
    desk d;
    hlm_status st = hlmi_outlet_open(o, &pool->mem);
    if (st != HLM_OK) return st;
    st = desk_init(&d, pool);
    if (st == HLM_OK) st = write_blocks(s, o, &d);
    desk_free(&d, pool);
    hlmi_outlet_close(o, &pool->mem);
    return st;
}
