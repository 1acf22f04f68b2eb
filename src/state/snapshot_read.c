/* Bytes to a sequence: whole or not at all. Every number of the file is checked before it is used, since files are
 * hostile; what is read into is the sequence that will be given out, and it goes back to the pool when something is
 * wrong. */
#include "state/snapshot.h"

#include <string.h>

#include "plan/model.h"
#include "state/radix.h"

/* A sequence that is being read. */
typedef struct reading {
    hlmi_snapshot s;
    uint32_t flags; /* HLM_SNAPSHOT_... */
    bool known; /* pages may be left out */
    bool other; /* the file's pages are not as the pool's: */
    hlmi_page_layout layout; /* they are by this layout */
    const hlmi_page_layout *from; /* it, or the pool's */
    void *rows[HLMI_TRACKS]; /* of one of them */
    uint64_t n_rows[HLMI_TRACKS]; /* pages with rows so far */
} reading;

/* ---- the head ---- */

static hlm_status read_head(reading *r)
{
    hlmi_snapshot_head *h = &r->s.head;
    uint64_t total = 0;
    const char *name = r->s.io->name;
    /* the caller's function says nothing about the end; the head is all that is known to be there */
    if (r->s.io->reader) r->s.io->end = sizeof *h + HLMI_BLOCK_SUM;
    if (r->s.io->end < sizeof *h + HLMI_BLOCK_SUM)
        return hlmi_fail(HLM_E_FORMAT, "%s: %llu bytes are no snapshot%s", name, (unsigned long long)r->s.io->end,
                         hlmi_stream_looks(r->s.io).s);
    const hlm_status st = hlmi_stream_block(r->s.io, h, sizeof *h);
    if (st != HLM_OK && st != HLM_E_FORMAT) return st;
    if (memcmp(h->magic, HLMI_SNAPSHOT_MAGIC, sizeof h->magic) != 0)
        return hlmi_fail(HLM_E_FORMAT, "%s: no snapshot%s", name, hlmi_stream_looks(r->s.io).s);
    if (h->version != HLMI_SNAPSHOT_VERSION || h->head_bytes != sizeof *h)
        return hlmi_fail(HLM_E_UNSUPPORTED, "%s: a snapshot of version %u, this library reads version %d", name,
                         (unsigned)h->version, HLMI_SNAPSHOT_VERSION);
    if (st != HLM_OK) return st;
    const bool counts = h->length >= 0 && h->page_tokens > 0 && h->n_tracks <= HLMI_TRACKS &&
        hlmi_snapshot_bytes(h, &total) && total == h->total;
    if (!counts) return hlmi_fail(HLM_E_FORMAT, "%s: the head's numbers contradict each other", name);
    if (r->s.io->reader) r->s.io->end = total;
    if (r->s.io->end != total)
        return hlmi_fail(HLM_E_FORMAT, "%s: %llu bytes, the snapshot has %llu", name, (unsigned long long)r->s.io->end,
                         (unsigned long long)total);
    return HLM_OK;
}

static const char *type_name(int32_t type)
{
    static const char *const names[] = {"none", "f32", "f16", "bf16", "int8"};
    return type > 0 && (size_t)type < sizeof names / sizeof *names ? names[type] : "unknown";
}

/* Is it of this model, and computed in this way? */
static hlm_status check_origin(const reading *r, const hlmi_snapshot_head *own)
{
    const hlmi_snapshot_head *h = &r->s.head;
    const char *name = r->s.io->name;
    if (memcmp(h->model, own->model, sizeof own->model) != 0)
        return hlmi_fail(HLM_E_MISMATCH, "%s: of another model (other %s)", name,
                         h->model[0] != own->model[0] ? "weights" : "settings");
    if (h->kv_type != own->kv_type)
        return hlmi_fail(HLM_E_MISMATCH, "%s: KV rows are %s, the pool's %s", name, type_name(h->kv_type),
                         type_name(own->kv_type));
    if (h->state_type != own->state_type)
        return hlmi_fail(HLM_E_MISMATCH, "%s: states are %s, the pool's %s", name, type_name(h->state_type),
                         type_name(own->state_type));
    if ((h->loaded ^ own->loaded) & HLMI_LOADED_F32)
        return hlmi_fail(HLM_E_MISMATCH, "%s: computed %s HLM_ACTIVATIONS_F32, the model is loaded %s it", name,
                         h->loaded & HLMI_LOADED_F32 ? "with" : "without",
                         own->loaded & HLMI_LOADED_F32 ? "with" : "without");
    if (r->flags & HLM_SNAPSHOT_OTHER_KERNELS) return HLM_OK;
    if (h->loaded != own->loaded)
        return hlmi_fail(HLM_E_MISMATCH, "%s: computed %s HLM_LOAD_PORTABLE, the model is loaded %s it", name,
                         h->loaded & HLMI_LOADED_PORTABLE ? "with" : "without",
                         own->loaded & HLMI_LOADED_PORTABLE ? "with" : "without");
    if (memcmp(h->kernels, own->kernels, sizeof own->kernels) != 0)
        return hlmi_fail(HLM_E_MISMATCH, "%s: computed with the kernels %.*s, here they are %s", name,
                         (int)sizeof h->kernels, h->kernels, own->kernels);
    return HLM_OK;
}

static bool is_page_size(uint32_t n)
{
    return n > 0 && n <= HLMI_MAX_PAGE_TOKENS && (n & (n - 1)) == 0;
}

/* The numbers of the head, as far as they can be right or wrong by themselves. */
static hlm_status check_counts(const reading *r, const hlmi_snapshot_head *own)
{
    const hlmi_snapshot_head *h = &r->s.head;
    const int64_t n_prefix = (int64_t)r->s.pool->plan->n_prefix;
    const char *name = r->s.io->name;
    if (h->n_kv != own->n_kv || h->n_rec != own->n_rec || h->state_bytes != own->state_bytes ||
        h->row_bytes != own->row_bytes)
        return hlmi_fail(HLM_E_MISMATCH,
                         "%s: %u layers with KV rows and %u with states of %llu bytes, the model has %u "
                         "and %u of %llu",
                         name, (unsigned)h->n_kv, (unsigned)h->n_rec, (unsigned long long)h->state_bytes,
                         (unsigned)own->n_kv, (unsigned)own->n_rec, (unsigned long long)own->state_bytes);
    if (h->prefix != n_prefix && (h->prefix != 0 || h->length != 0))
        return hlmi_fail(HLM_E_MISMATCH, "%s: %lld positions stand before the text, in the model %lld", name,
                         (long long)h->prefix, (long long)n_prefix);
    if (!is_page_size(h->page_tokens) || h->undo_tokens > HLMI_MAX_UNDO_TOKENS || h->max_tokens < 0 ||
        h->max_tokens > INT32_MAX || (h->left_out && !r->known) || h->length < h->prefix ||
        h->length - h->prefix > h->max_tokens)
        return hlmi_fail(HLM_E_FORMAT, "%s: %lld of at most %lld tokens in pages of %u", name,
                         (long long)(h->length - h->prefix), (long long)h->max_tokens, (unsigned)h->page_tokens);
    return HLM_OK;
}

/* ---- points ---- */

/* What a stretch of the undo log must be: it begins at a multiple of its length and reaches to its end, or the
 * text's. */
static bool is_stretch(const hlmi_snapshot_head *h, const hlmi_snapshot_point *p)
{
    if (!(p->flags & HLMI_POINT_ANCHOR)) return p->rows == 0;
    if (h->undo_tokens == 0 || p->pos % h->undo_tokens != 0) return false;
    return (int64_t)p->rows == (h->length - p->pos < h->undo_tokens ? h->length - p->pos : h->undo_tokens);
}

/* Can it be point i of a sequence? */
static bool is_point(const reading *r, size_t i, int64_t now)
{
    const hlmi_snapshot_head *h = &r->s.head;
    const hlmi_snapshot_point *p = &r->s.points[i];
    const uint32_t recurrent = HLMI_POINT_ANCHOR | HLMI_POINT_HIDDEN;
    if (p->pos > h->length || p->flags & ~(uint32_t)HLMI_SNAPSHOT_FLAGS || !(p->flags & HLMI_POINT_REASONS))
        return false;
    if (p->flags & recurrent && !h->n_rec) return false;
    if (p->flags & HLMI_POINT_HIDDEN && !hlmi_point_has_state(p, r->s.pool->plan)) return false;
    if (p->flags & HLMI_POINT_AGAIN && (!(p->flags & HLMI_POINT_NOW) || p->pos == h->length)) return false;
    if ((i == 0) != ((p->flags & HLMI_POINT_FIRST) != 0) || (i ? p->pos <= p[-1].pos : p->pos != h->prefix))
        return false;
    if (h->n_rec && (p->pos == now) != ((p->flags & HLMI_POINT_NOW) != 0)) return false;
    return is_stretch(h, p);
}

static hlm_status check_points(const reading *r, int64_t now)
{
    const hlmi_snapshot_head *h = &r->s.head;
    uint64_t states = 0, rows = 0, nows = 0, anchors = 0;
    bool fine = h->n_points > 0;
    for (size_t i = 0; i < h->n_points && fine; i++) {
        const hlmi_snapshot_point *p = &r->s.points[i];
        fine = is_point(r, i, now);
        states += hlmi_point_has_state(p, r->s.pool->plan);
        rows += p->rows;
        nows += (p->flags & HLMI_POINT_NOW) != 0;
        anchors += (p->flags & HLMI_POINT_ANCHOR) != 0;
    }
    if (fine && nows == 1 && anchors <= HLMI_UNDO_STRETCHES && states == h->n_states && rows == h->n_rows)
        return HLM_OK;
    return hlmi_fail(HLM_E_FORMAT, "%s: the positions of its states contradict each other", r->s.io->name);
}

/* ---- pages ---- */

/* May a page whose first position is `pos` lack its rows of a track? Not where all see them, and not in a pool that
 * keeps them. */
static bool may_lack(const reading *r, size_t track, int64_t pos)
{
    return r->s.head.tracks[track].window && r->s.pool->layout.windows && pos >= r->s.head.prefix;
}

/* The adapters of the file must be known to the pool. */
static hlm_status number_adapters(hlmi_snapshot *s)
{
    const size_t n = (size_t)s->head.adapters;
    s->numbers = hlmi_calloc(&s->pool->mem, n + 1, sizeof *s->numbers);
    if (!s->numbers) return hlmi_nomem(n * sizeof *s->numbers, "a snapshot's adapters");
    for (size_t i = 0; i < n; i++) {
        s->numbers[i + 1] = hlmi_pool_find_adapter(s->pool, s->adapters[i].print);
        if (!s->numbers[i + 1])
            return hlmi_fail(HLM_E_MISMATCH,
                             "%s: computed with an adapter (%016llx) that the pool does not know: hlm_pool_adapt first",
                             s->io->name, (unsigned long long)s->adapters[i].print[0]);
    }
    return HLM_OK;
}

/* The file's symbols become the pool's. */
static hlm_status number_symbols(const reading *r, int64_t pos, int32_t *symbols, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const uint32_t number = hlmi_symbol_adapter(r->s.pool, symbols[i]);
        if (number > r->s.head.adapters)
            return hlmi_fail(HLM_E_FORMAT, "%s: token %d, the vocabulary has %zu, and there are %llu adapters",
                             r->s.io->name, (int)symbols[i], r->s.pool->plan->vocab_size,
                             (unsigned long long)r->s.head.adapters);
        if (pos + (int64_t)i < r->s.head.prefix && r->s.numbers[number] != r->s.pool->prefix_adapter)
            return hlmi_fail(HLM_E_MISMATCH,
                             "%s: the rows before the text were run with another adapter than the pool's",
                             r->s.io->name);
        symbols[i] = hlmi_symbol(r->s.pool, hlmi_symbol_token(r->s.pool, symbols[i]), r->s.numbers[number]);
    }
    return HLM_OK;
}

/* A page of the file. */
typedef struct filed {
    int64_t pos; /* its first position */
    size_t n; /* positions */
    const int32_t *symbols; /* [n] */
    uint32_t tracks; /* bit t: its rows of track t follow */
} filed;

/* Page i, but for its rows; left_out: it has none. */
static hlm_status read_ids(reading *r, size_t i, bool left_out, filed *f)
{
    const size_t per = r->s.head.page_tokens;
    int32_t *symbols = (int32_t *)(void *)(r->s.ids + sizeof(hlmi_snapshot_page));
    HLMI_DO(hlmi_stream_block(r->s.io, r->s.ids, sizeof(hlmi_snapshot_page) + per * sizeof *symbols));
    hlmi_snapshot_page page;
    memcpy(&page, r->s.ids, sizeof page);
    *f = (filed){.pos = (int64_t)(i * per), .symbols = symbols, .tracks = page.tracks};
    f->n = hlmi_min_size((size_t)r->s.head.length - i * per, per);
    if (page.n != f->n || page.tracks >> r->s.head.n_tracks || page.tracks & 1u << HLMI_IDS ||
        (left_out && page.tracks))
        return hlmi_fail(HLM_E_FORMAT, "%s: a page of %u positions with rows 0x%x, expected %zu", r->s.io->name,
                         (unsigned)page.n, (unsigned)page.tracks, f->n);
    for (size_t t = HLMI_IDS + 1; t < r->s.head.n_tracks && !left_out; t++) {
        const bool has = page.tracks >> t & 1;
        if (!has && !may_lack(r, t, f->pos))
            return hlmi_fail(HLM_E_MISMATCH, "%s: lacks rows behind attention windows, the pool keeps all",
                             r->s.io->name);
        r->n_rows[t] += has;
    }
    return number_symbols(r, f->pos, symbols, f->n);
}

/* The pages whose KV rows are not in the file: the prefix cache has them for the same ids. */
static hlm_status read_left_out(reading *r)
{
    const size_t per = r->s.head.page_tokens, n = r->s.head.left_out;
    int32_t *all = NULL;
    size_t cap = 0;
    hlm_status st = HLM_OK;
    if (n && per != r->s.pool->layout.tokens)
        return hlmi_fail(HLM_E_MISMATCH, "%s: saved with pages of %zu tokens, the pool's have %zu", r->s.io->name, per,
                         r->s.pool->layout.tokens);
    for (size_t i = 0; i < n && st == HLM_OK; i++) {
        filed f;
        st = read_ids(r, i, true, &f);
        if (st == HLM_OK) st = HLMI_GROW(&r->s.pool->mem, all, cap, (i + 1) * per, "a snapshot's tokens");
        if (st == HLM_OK) memcpy(all + i * per, f.symbols, per * sizeof *all);
    }
    if (st == HLM_OK && n) st = hlmi_radix_share(r->s.pool, &r->s.cache->seq, all, (int64_t)(n * per), r->s.io->name);
    hlmi_free(&r->s.pool->mem, all);
    return st;
}

/* Has a page of the file all rows that a track of the pool wants? */
static bool has_rows(const reading *r, size_t track, const filed *f)
{
    for (size_t kv = 0; kv < r->s.pool->plan->n_kv; kv++)
        if (r->s.pool->layout.kv[kv].track == track && !(f->tracks >> r->from->kv[kv].track & 1)) return false;
    return true;
}

/* m rows of the file's page, from row `from` on, to rows `at` on of one of the pool's. */
static void spread_rows(reading *r, const hlmi_page *page, size_t at, size_t from, size_t m)
{
    hlm_pool *pool = r->s.pool;
    hlmi_place *place = hlmi_pool_place(pool, page);
    const size_t bytes = pool->layout.tracks[page->track].bytes;
    char *rows = place->host ? hlmi_page_rows(page) : r->s.desk;
    if (!place->host) place->get(place, rows, hlmi_page_rows(page), bytes);
    for (size_t kv = 0; kv < pool->plan->n_kv; kv++)
        if (pool->layout.kv[kv].track == page->track)
            hlmi_page_copy_rows(rows, &pool->layout, at, r->rows[r->from->kv[kv].track], r->from, from, m, pool->plan,
                                kv, pool->places[0]);
    if (!place->host) place->put(place, hlmi_page_rows(page), rows, bytes);
}

/* m positions of the file's page, from number `from` on, to where a track of the sequence has them. Rows that lie as
 * the pool's are the next block, all others have been read. */
static hlm_status put_track(reading *r, size_t t, const filed *f, size_t from, size_t m)
{
    const size_t pos = (size_t)f->pos + from, per = r->s.pool->layout.tokens, i = pos / per, at = pos % per;
    const bool rows = has_rows(r, t, f);
    hlmi_page *page = at ? hlmi_table_page(&r->s.cache->seq.tracks[t], i) : NULL;
    if (!rows && page && (int64_t)(pos - at) < r->s.head.prefix)
        return hlmi_fail(HLM_E_MISMATCH, "%s: pages of %u tokens do not fill the first of the pool's, of %zu",
                         r->s.io->name, (unsigned)r->s.head.page_tokens, per);
    if (!rows) return hlmi_table_put(r->s.pool, &r->s.cache->seq.tracks[t], i, NULL);
    if (at == 0) {
        page = hlmi_pool_take_page(r->s.pool, t);
        if (!page) return HLM_E_NOMEM;
        HLMI_DO(hlmi_table_put(r->s.pool, &r->s.cache->seq.tracks[t], i, page));
    }
    if (!page) return HLM_OK; /* its beginning was not there */
    atomic_store(&page->filled, (unsigned)(at + m));
    if (t == HLMI_IDS) memcpy(hlmi_page_symbols(page) + at, f->symbols + from, m * sizeof *f->symbols);
    else if (r->other) spread_rows(r, page, at, from, m);
    else return hlmi_snapshot_rows(&r->s, page);
    return HLM_OK;
}

/* Page i of the file to where the pool has its positions. */
static hlm_status read_page(reading *r, size_t i)
{
    filed f;
    size_t m;
    HLMI_DO(read_ids(r, i, false, &f));
    for (size_t t = HLMI_IDS + 1; t < r->s.head.n_tracks && r->other; t++)
        if (f.tracks >> t & 1) HLMI_DO(hlmi_stream_block(r->s.io, r->rows[t], r->from->tracks[t].bytes));
    for (size_t from = 0; from < f.n; from += m) {
        const size_t per = r->s.pool->layout.tokens;
        m = hlmi_min_size(f.n - from, per - ((size_t)f.pos + from) % per);
        for (size_t t = 0; t < r->s.pool->layout.n_tracks; t++) HLMI_DO(put_track(r, t, &f, from, m));
    }
    return HLM_OK;
}

static hlm_status read_pages(reading *r)
{
    for (size_t i = r->s.head.left_out; i * r->s.head.page_tokens < (size_t)r->s.head.length; i++)
        HLMI_DO(read_page(r, i));
    for (size_t t = 0; t < HLMI_TRACKS; t++)
        if (r->n_rows[t] != r->s.head.tracks[t].n)
            return hlmi_fail(HLM_E_FORMAT, "%s: %llu pages have rows of track %zu, the head says %llu", r->s.io->name,
                             (unsigned long long)r->n_rows[t], t, (unsigned long long)r->s.head.tracks[t].n);
    return HLM_OK;
}

/* What the pages of the file look like, and memory to read them. */
static hlm_status prepare_pages(reading *r, const hlmi_snapshot_head *own)
{
    const hlmi_mem *mem = &r->s.pool->mem;
    const hlmi_snapshot_head *h = &r->s.head;
    const hlmi_page_layout *l = &r->s.pool->layout;
    bool windows = false, same = true;
    for (size_t t = 0; t < HLMI_TRACKS; t++) windows = windows || h->tracks[t].window;
    r->other = h->page_tokens != own->page_tokens || windows != l->windows;
    if (r->other) {
        HLMI_DO(hlmi_page_layout_init(&r->layout, r->s.pool->plan, own->kv_type, false, h->page_tokens, windows, mem));
        l = &r->layout;
    }
    r->from = l;
    for (size_t t = HLMI_IDS + 1; t < HLMI_TRACKS; t++)
        same = same && h->tracks[t].window == l->tracks[t].window && h->tracks[t].bytes == l->tracks[t].bytes;
    if (!same || h->n_tracks != l->n_tracks)
        return hlmi_fail(HLM_E_MISMATCH, "%s: the KV rows of %u positions are %llu bytes, expected %zu", r->s.io->name,
                         (unsigned)h->page_tokens, (unsigned long long)h->tracks[HLMI_IDS + 1].bytes,
                         l->tracks[HLMI_IDS + 1].bytes);
    for (size_t t = HLMI_IDS + 1; t < l->n_tracks && r->other; t++) {
        r->rows[t] = hlmi_calloc(mem, 1, l->tracks[t].bytes);
        if (!r->rows[t]) return hlmi_nomem(l->tracks[t].bytes, "a snapshot's page");
    }
    return HLM_OK;
}

/* ---- states and the log ---- */

/* The points that the pool keeps, their states and rows to be read: automatic marks as many as it has room for. */
static hlm_status place_points(reading *r)
{
    hlmi_points *points = &r->s.cache->seq.points;
    const bool log = r->s.head.undo_tokens == (uint64_t)r->s.pool->undo_tokens; /* the pool's is of the same kind */
    hlmi_points_free(r->s.pool, points);
    HLMI_DO(hlmi_points_room(r->s.pool, points, (size_t)r->s.head.n_points));
    for (size_t i = 0; i < r->s.head.n_points; i++) {
        const hlmi_snapshot_point *p = &r->s.points[i];
        const uint32_t flags = p->flags & HLMI_POINT_REASONS & ~(log ? 0u : (uint32_t)HLMI_POINT_ANCHOR);
        if (!flags) continue;
        hlmi_point *point = hlmi_points_put(points, p->pos, NULL, flags | (p->flags & HLMI_POINT_AGAIN));
        if (flags & HLMI_POINT_ANCHOR) point->log = hlmi_undo_new(r->s.pool, p->rows);
        if (flags & HLMI_POINT_ANCHOR && !point->log) return HLM_E_NOMEM;
        if (flags & HLMI_POINT_AUTOMATIC) hlmi_points_thin(r->s.pool, points); /* at once: a file may have many */
    }
    return HLM_OK;
}

static hlm_status place_states(reading *r)
{
    for (size_t i = 0; i < r->s.head.n_points && r->s.head.n_rec; i++) {
        const hlmi_snapshot_point *p = &r->s.points[i];
        hlmi_point *point = hlmi_points_find(&r->s.cache->seq.points, p->pos);
        if (point && p->pos == 0) point->state = hlmi_item_retain(r->s.pool->origin);
        if (!point || p->pos == 0) continue;
        point->state = hlmi_pool_take_state(r->s.pool);
        if (!point->state) return HLM_E_NOMEM;
        point->state->pos = p->pos;
        point->state->hidden = (p->flags & HLMI_POINT_HIDDEN) != 0;
    }
    return HLM_OK;
}

/* ---- all of it ---- */

/* A snapshot that the pool has no room for is refused before anything is taken. */
static hlm_status check_cap(const reading *r)
{
    hlm_pool *pool = r->s.pool;
    uint64_t bytes;
    hlm_pool_info info = {.struct_size = sizeof info};
    if (!pool->max_bytes) return HLM_OK;
    const hlm_status st = hlm_pool_info_get(pool, &info);
    const hlmi_page_layout *l = &pool->layout;
    const uint64_t pages = hlmi_div_up((size_t)r->s.head.length, l->tokens);
    bytes = r->s.head.n_rec ? hlmi_state_bytes(&pool->states) : 0;
    for (size_t t = 0; t < l->n_tracks; t++) { /* of windows what there may be */
        const uint64_t there = r->s.head.page_tokens == l->tokens ? r->s.head.tracks[t].n : 0;
        bytes += (l->tracks[t].window ? there : pages) * hlmi_page_bytes(l, t);
    }
    if (st != HLM_OK || bytes <= pool->max_bytes - hlmi_min_size((size_t)info.used_bytes, (size_t)pool->max_bytes))
        return st;
    return hlmi_fail(HLM_E_NOMEM, "the pool's cap of %llu bytes is reached (a snapshot takes %llu)",
                     (unsigned long long)pool->max_bytes, (unsigned long long)bytes);
}

static hlm_status read_all(reading *r)
{
    hlmi_snapshot_head own;
    int64_t now = 0;
    hlmi_snapshot_head_of(&own, r->s.pool);
    HLMI_DO(read_head(r));
    HLMI_DO(check_origin(r, &own));
    HLMI_DO(check_counts(r, &own));
    HLMI_DO(check_cap(r));
    HLMI_DO(hlmi_snapshot_layers(&r->s, &now));
    HLMI_DO(hlmi_snapshot_adapters(&r->s));
    HLMI_DO(number_adapters(&r->s));
    HLMI_DO(hlmi_snapshot_points(&r->s));
    HLMI_DO(check_points(r, now));
    HLMI_DO(prepare_pages(r, &own));
    HLMI_DO(hlmi_snapshot_memory(&r->s));
    HLMI_DO(hlmi_cache_make(&r->s.cache, r->s.pool, r->s.head.max_tokens));
    HLMI_DO(read_left_out(r));
    HLMI_DO(read_pages(r));
    r->s.cache->seq.length = r->s.head.length;
    r->s.cache->seq.prefix = r->s.head.prefix;
    HLMI_DO(place_points(r));
    HLMI_DO(place_states(r));
    HLMI_DO(hlmi_snapshot_states(&r->s));
    hlmi_seq_restore(r->s.pool, &r->s.cache->seq, r->s.head.length);
    return HLM_OK;
}

hlm_status hlmi_snapshot_read(hlm_cache **out, hlm_pool *pool, hlmi_stream *io, uint32_t flags, bool known)
{
    reading r = {.s = {.pool = pool, .io = io}, .flags = flags, .known = known};
    io->kernels = &pool->model->kernels;
    io->mem = &pool->mem;
    hlm_status st = hlmi_stream_open(io);
    if (st == HLM_OK) st = read_all(&r);
    hlmi_stream_close(io, st);
    hlmi_snapshot_end(&r.s);
    for (size_t t = 0; t < HLMI_TRACKS; t++) hlmi_free(&pool->mem, r.rows[t]);
    hlmi_page_layout_free(&r.layout, &pool->mem);
    if (st == HLM_OK) *out = r.s.cache;
    else hlm_cache_free(r.s.cache);
    return st;
}
