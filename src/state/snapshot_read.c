/* Bytes to a sequence: whole or not at all. Every number of the file is checked before it is used, since files are
 * hostile; what is read into is the sequence that will be given out, and it goes back to the pool when something is
 * wrong. */
#include "state/snapshot.h"

#include <string.h>

#include "plan/model.h"
#include "state/radix.h"

/* A sequence that is being read. */
typedef struct reading {
    hlm_pool *pool;
    hlmi_inlet *in;
    uint32_t flags; /* HLM_SNAPSHOT_... */
    bool known; /* pages may be left out */
    hlmi_snapshot_head head;
    hlmi_snapshot_point *points;
    size_t cap_points;
    hlm_cache *cache;
    bool keep_log; /* the pool's log is of the same kind */
    bool other; /* the file's pages are not as the pool's: */
    hlmi_page_layout layout; /* they are by this layout */
    void *rows[HLMI_TRACKS]; /* of one of them */
    uint64_t n_rows[HLMI_TRACKS]; /* pages with rows so far */
    char *ids; /* head and tokens of a page */
    char *desk; /* a page's rows, a state or a row of the log, where they are not read to where they lie */
    uint32_t *numbers; /* in the pool, of the file's adapters, from 0 on */
} reading;

/* ---- the head ---- */

static hlm_status read_head(reading *r)
{
    hlmi_snapshot_head *h = &r->head;
    uint64_t total = 0;
    const char *name = r->in->name;
    /* the caller's function says nothing about the end; the head is all that is known to be there */
    if (r->in->reader) r->in->end = sizeof *h + HLMI_BLOCK_SUM;
    if (r->in->end < sizeof *h + HLMI_BLOCK_SUM)
        return hlmi_fail(HLM_E_FORMAT, "%s: %llu bytes are no snapshot%s", name, (unsigned long long)r->in->end,
                         hlmi_inlet_looks(r->in).s);
    const hlm_status st = hlmi_inlet_block(r->in, h, sizeof *h);
    if (st != HLM_OK && st != HLM_E_FORMAT) return st;
    if (memcmp(h->magic, HLMI_SNAPSHOT_MAGIC, sizeof h->magic) != 0)
        return hlmi_fail(HLM_E_FORMAT, "%s: no snapshot%s", name, hlmi_inlet_looks(r->in).s);
    if (h->version != HLMI_SNAPSHOT_VERSION || h->head_bytes != sizeof *h)
        return hlmi_fail(HLM_E_UNSUPPORTED, "%s: a snapshot of version %u, this library reads version %d", name,
                         (unsigned)h->version, HLMI_SNAPSHOT_VERSION);
    if (st != HLM_OK) return st;
    const bool counts = h->length >= 0 && h->page_tokens > 0 && h->n_tracks <= HLMI_TRACKS &&
        hlmi_snapshot_bytes(h, &total) && total == h->total;
    if (!counts) return hlmi_fail(HLM_E_FORMAT, "%s: the head's numbers contradict each other", name);
    if (r->in->reader) r->in->end = total;
    if (r->in->end != total)
        return hlmi_fail(HLM_E_FORMAT, "%s: %llu bytes, the snapshot has %llu", name, (unsigned long long)r->in->end,
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
    const hlmi_snapshot_head *h = &r->head;
    const char *name = r->in->name;
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
    const hlmi_snapshot_head *h = &r->head;
    const int64_t n_prefix = (int64_t)r->pool->plan->n_prefix;
    const char *name = r->in->name;
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

/* ---- layers and points ---- */

static hlm_status read_layers(reading *r, int64_t *now)
{
    const size_t n = (size_t)r->head.n_kv + r->head.n_rec;
    *now = 0;
    if (n == 0) return HLM_OK;
    int64_t *pos = hlmi_calloc(&r->pool->mem, n, sizeof *pos);
    if (!pos) return hlmi_nomem(n * sizeof *pos, "the layers' positions");
    hlm_status st = hlmi_inlet_block(r->in, pos, n * sizeof *pos);
    if (r->head.n_rec) *now = pos[n - 1];
    for (size_t i = 0; i < n && st == HLM_OK; i++) {
        const int64_t expected = i < r->head.n_kv ? r->head.length : *now;
        if (pos[i] != expected)
            st = hlmi_fail(HLM_E_FORMAT, "%s: %s number %zu is at position %lld, expected %lld", r->in->name,
                           i < r->head.n_kv ? "attention layer" : "recurrence", i < r->head.n_kv ? i : i - r->head.n_kv,
                           (long long)pos[i], (long long)expected);
    }
    hlmi_free(&r->pool->mem, pos);
    return st;
}

static hlm_status read_points(reading *r)
{
    hlm_status st = HLM_OK;
    size_t m;
    for (size_t i = 0; i < r->head.n_points && st == HLM_OK; i += m) {
        m = hlmi_min_size((size_t)(r->head.n_points - i), HLMI_POINTS_IN_BLOCK);
        st = HLMI_GROW(&r->pool->mem, r->points, r->cap_points, i + m, "a snapshot's points");
        if (st == HLM_OK) st = hlmi_inlet_block(r->in, r->points + i, m * sizeof *r->points);
    }
    return st;
}

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
    const hlmi_snapshot_head *h = &r->head;
    const hlmi_snapshot_point *p = &r->points[i];
    const uint32_t recurrent = HLMI_POINT_ANCHOR | HLMI_POINT_HIDDEN;
    if (p->pos > h->length || p->flags & ~(uint32_t)HLMI_SNAPSHOT_FLAGS || !(p->flags & HLMI_POINT_REASONS))
        return false;
    if (p->flags & recurrent && !h->n_rec) return false;
    if (p->flags & HLMI_POINT_HIDDEN && !hlmi_point_has_state(p, r->pool->plan)) return false;
    if (p->flags & HLMI_POINT_AGAIN && (!(p->flags & HLMI_POINT_NOW) || p->pos == h->length)) return false;
    if ((i == 0) != ((p->flags & HLMI_POINT_FIRST) != 0) || (i ? p->pos <= p[-1].pos : p->pos != h->prefix))
        return false;
    if (h->n_rec && (p->pos == now) != ((p->flags & HLMI_POINT_NOW) != 0)) return false;
    return is_stretch(h, p);
}

static hlm_status check_points(const reading *r, int64_t now)
{
    const hlmi_snapshot_head *h = &r->head;
    uint64_t states = 0, rows = 0, nows = 0, anchors = 0;
    bool fine = h->n_points > 0;
    for (size_t i = 0; i < h->n_points && fine; i++) {
        const hlmi_snapshot_point *p = &r->points[i];
        fine = is_point(r, i, now);
        states += hlmi_point_has_state(p, r->pool->plan);
        rows += p->rows;
        nows += (p->flags & HLMI_POINT_NOW) != 0;
        anchors += (p->flags & HLMI_POINT_ANCHOR) != 0;
    }
    if (fine && nows == 1 && anchors <= HLMI_UNDO_STRETCHES && states == h->n_states && rows == h->n_rows)
        return HLM_OK;
    return hlmi_fail(HLM_E_FORMAT, "%s: the positions of its states contradict each other", r->in->name);
}

/* ---- pages ---- */

/* May a page whose first position is `pos` lack its rows of a track? Not where all see them, and not in a pool that
 * keeps them. */
static bool may_lack(const reading *r, size_t track, int64_t pos)
{
    return r->head.tracks[track].window && r->pool->layout.windows && pos >= r->head.prefix;
}

/* The adapters of the file must be known to the pool. */
static hlm_status read_adapters(reading *r)
{
    const size_t n = (size_t)r->head.adapters;
    const hlmi_mem *mem = &r->pool->mem;
    r->numbers = hlmi_calloc(mem, n + 1, sizeof *r->numbers);
    if (!r->numbers) return hlmi_nomem(n * sizeof *r->numbers, "a snapshot's adapters");
    if (n == 0) return HLM_OK;
    hlmi_snapshot_adapter *all = hlmi_calloc(mem, n, sizeof *all);
    if (!all) return hlmi_nomem(n * sizeof *all, "a snapshot's adapters");
    hlm_status st = hlmi_inlet_block(r->in, all, n * sizeof *all);
    for (size_t i = 0; i < n && st == HLM_OK; i++) {
        r->numbers[i + 1] = hlmi_pool_find_adapter(r->pool, all[i].print);
        if (!r->numbers[i + 1])
            st = hlmi_fail(HLM_E_MISMATCH,
                           "%s: computed with an adapter (%016llx) that the pool does not know: hlm_pool_adapt first",
                           r->in->name, (unsigned long long)all[i].print[0]);
    }
    hlmi_free(mem, all);
    return st;
}

/* The file's symbols become the pool's. */
static hlm_status number_symbols(const reading *r, int64_t pos, int32_t *symbols, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const uint32_t number = hlmi_symbol_adapter(r->pool, symbols[i]);
        if (number > r->head.adapters)
            return hlmi_fail(HLM_E_FORMAT, "%s: token %d, the vocabulary has %zu, and there are %llu adapters",
                             r->in->name, (int)symbols[i], r->pool->plan->vocab_size,
                             (unsigned long long)r->head.adapters);
        if (pos + (int64_t)i < r->head.prefix && r->numbers[number] != r->pool->prefix_adapter)
            return hlmi_fail(HLM_E_MISMATCH,
                             "%s: the rows before the text were run with another adapter than the pool's", r->in->name);
        symbols[i] = hlmi_symbol(r->pool, hlmi_symbol_token(r->pool, symbols[i]), r->numbers[number]);
    }
    return HLM_OK;
}

/* The ids of the n positions of page i, and which tracks' rows follow; left_out: none do. */
static hlm_status read_ids(reading *r, size_t i, size_t n, bool left_out, const int32_t **ids, uint32_t *tracks)
{
    const size_t bytes = sizeof(hlmi_snapshot_page) + r->head.page_tokens * sizeof(int32_t);
    const int64_t pos = (int64_t)(i * r->head.page_tokens);
    HLMI_DO(hlmi_inlet_block(r->in, r->ids, bytes));
    hlmi_snapshot_page page;
    memcpy(&page, r->ids, sizeof page);
    int32_t *symbols = (int32_t *)(void *)(r->ids + sizeof page);
    *ids = symbols;
    *tracks = page.tracks;
    if (page.n != n || page.tracks >> r->head.n_tracks || page.tracks & 1u << HLMI_IDS || (left_out && page.tracks))
        return hlmi_fail(HLM_E_FORMAT, "%s: a page of %u positions with rows 0x%x, expected %zu", r->in->name,
                         (unsigned)page.n, (unsigned)page.tracks, n);
    for (size_t t = HLMI_IDS + 1; t < r->head.n_tracks && !left_out; t++) {
        const bool has = page.tracks >> t & 1;
        if (!has && !may_lack(r, t, pos))
            return hlmi_fail(HLM_E_MISMATCH, "%s: lacks rows behind attention windows, the pool keeps all",
                             r->in->name);
        r->n_rows[t] += has;
    }
    return number_symbols(r, pos, symbols, n);
}

static hlm_status add_page(reading *r, size_t t, hlmi_page *page)
{
    hlmi_table *table = &r->cache->seq.tracks[t];
    return hlmi_table_put(r->pool, table, hlmi_table_pages(table), page);
}

/* A page of a track that has its first n positions. */
static hlm_status new_page(reading *r, size_t t, size_t n, hlmi_page **page)
{
    *page = hlmi_pool_take_page(r->pool, t);
    if (!*page) return HLM_E_NOMEM;
    atomic_store(&(*page)->filled, (unsigned)n);
    return add_page(r, t, *page);
}

/* The pages whose KV rows are not in the file: the prefix cache has them for the same ids. */
static hlm_status read_left_out(reading *r)
{
    const size_t per = r->head.page_tokens;
    const hlmi_mem *mem = &r->pool->mem;
    void *all = NULL;
    size_t cap = 0;
    hlm_status st = HLM_OK;
    if (r->head.left_out && per != r->pool->layout.tokens)
        return hlmi_fail(HLM_E_MISMATCH, "%s: saved with pages of %zu tokens, the pool's have %zu", r->in->name, per,
                         r->pool->layout.tokens);
    for (size_t i = 0; i < r->head.left_out && st == HLM_OK; i++) {
        const int32_t *ids = NULL;
        uint32_t tracks;
        st = read_ids(r, i, per, true, &ids, &tracks);
        if (st == HLM_OK) st = hlmi_grow(mem, &all, &cap, (i + 1) * per, sizeof *ids, "a snapshot's tokens");
        if (st == HLM_OK) memcpy((int32_t *)all + i * per, ids, per * sizeof *ids);
    }
    if (st == HLM_OK && r->head.left_out)
        st = hlmi_radix_share(r->pool, &r->cache->seq, all, (int64_t)(r->head.left_out * per), r->in->name);
    hlmi_free(mem, all);
    return st;
}

/* Room for the largest of what is not on the host; NULL (sentence set). */
static char *take_desk(reading *r)
{
    const hlm_pool *pool = r->pool;
    size_t bytes = hlmi_max_size(pool->states.bytes, pool->states.log_bytes);
    for (size_t t = 0; t < pool->layout.n_tracks; t++) bytes = hlmi_max_size(bytes, pool->layout.tracks[t].bytes);
    if (!r->desk) r->desk = hlmi_alloc(&pool->mem, bytes);
    if (!r->desk) hlmi_nomem(bytes, "what a snapshot is read to");
    return r->desk;
}

/* The next block as the rows of a page. */
static hlm_status read_track(reading *r, const hlmi_page *page)
{
    const size_t bytes = r->pool->layout.tracks[page->track].bytes;
    hlmi_place *place = hlmi_pool_place(r->pool, page);
    char *rows = place->host ? hlmi_page_rows(page) : take_desk(r);
    const hlm_status st = rows ? hlmi_inlet_block(r->in, rows, bytes) : HLM_E_NOMEM;
    if (st == HLM_OK && !place->host) place->put(place, hlmi_page_rows(page), rows, bytes);
    return st;
}

/* Page i, with rows of these tracks, where the pool's pages are the same: straight to its place. */
static hlm_status read_same_page(reading *r, const int32_t *ids, size_t n, uint32_t tracks)
{
    hlmi_page *page;
    hlm_status st = new_page(r, HLMI_IDS, n, &page);
    if (st == HLM_OK) memcpy(hlmi_page_symbols(page), ids, n * sizeof *ids);
    for (size_t t = HLMI_IDS + 1; t < r->head.n_tracks && st == HLM_OK; t++) {
        const bool has = tracks >> t & 1;
        st = has ? new_page(r, t, n, &page) : add_page(r, t, NULL);
        if (st == HLM_OK && has) st = read_track(r, page);
    }
    return st;
}

/* Has a page of the file all rows that a track of the pool wants? */
static bool has_rows(const reading *r, size_t track, uint32_t tracks)
{
    for (size_t kv = 0; kv < r->pool->plan->n_kv; kv++)
        if (r->pool->layout.track[kv] == track && !(tracks >> r->layout.track[kv] & 1)) return false;
    return true;
}

/* Rows from .. from+m-1 of the file's page to rows `at` on of one of the pool's. */
static hlm_status spread_rows(reading *r, const hlmi_page *page, size_t at, size_t from, size_t m)
{
    hlm_pool *pool = r->pool;
    hlmi_place *place = hlmi_pool_place(pool, page);
    const size_t bytes = pool->layout.tracks[page->track].bytes;
    char *rows = place->host ? hlmi_page_rows(page) : take_desk(r);
    if (!rows) return HLM_E_NOMEM;
    if (!place->host) place->get(place, rows, hlmi_page_rows(page), bytes);
    for (size_t kv = 0; kv < pool->plan->n_kv; kv++)
        if (pool->layout.track[kv] == page->track)
            hlmi_page_copy_rows(rows, &pool->layout, at, r->rows[r->layout.track[kv]], &r->layout, from, m, pool->plan,
                                kv, pool->places[0]);
    if (!place->host) place->put(place, hlmi_page_rows(page), rows, bytes);
    return HLM_OK;
}

/* Positions from .. from+m-1 of the file's page to position `pos` on of a track of the sequence. */
static hlm_status spread_track(reading *r, size_t t, int64_t pos, const int32_t *ids, size_t from, size_t m,
                               uint32_t tracks)
{
    const hlmi_page_layout *to = &r->pool->layout;
    const size_t i = (size_t)pos / to->tokens, at = (size_t)pos % to->tokens;
    const bool rows = has_rows(r, t, tracks);
    hlmi_page *page = at ? hlmi_table_page(&r->cache->seq.tracks[t], i) : NULL;
    hlm_status st = HLM_OK;
    if (!rows && page && pos - (int64_t)at < r->head.prefix)
        return hlmi_fail(HLM_E_MISMATCH, "%s: pages of %u tokens do not fill the first of the pool's, of %zu",
                         r->in->name, (unsigned)r->head.page_tokens, to->tokens);
    if (!rows) return at ? hlmi_table_put(r->pool, &r->cache->seq.tracks[t], i, NULL) : add_page(r, t, NULL);
    if (at == 0) st = new_page(r, t, m, &page);
    if (st != HLM_OK || !page) return st; /* its beginning was not there */
    if (t == HLMI_IDS) memcpy(hlmi_page_symbols(page) + at, ids + from, m * sizeof *ids);
    else st = spread_rows(r, page, at, from, m);
    atomic_store(&page->filled, (unsigned)(at + m));
    return st;
}

/* Page i of the file to where the pool has its positions. */
static hlm_status spread_page(reading *r, size_t i, const int32_t *ids, size_t n, uint32_t tracks)
{
    const size_t per = r->pool->layout.tokens;
    int64_t pos = (int64_t)(i * r->head.page_tokens);
    hlm_status st = HLM_OK;
    size_t m;
    for (size_t t = HLMI_IDS + 1; t < r->head.n_tracks && st == HLM_OK; t++)
        if (tracks >> t & 1) st = hlmi_inlet_block(r->in, r->rows[t], r->layout.tracks[t].bytes);
    for (size_t from = 0; from < n && st == HLM_OK; from += m, pos += (int64_t)m) {
        m = hlmi_min_size(n - from, per - (size_t)pos % per);
        for (size_t t = 0; t < r->pool->layout.n_tracks && st == HLM_OK; t++)
            st = spread_track(r, t, pos, ids, from, m, tracks);
    }
    return st;
}

static hlm_status read_pages(reading *r)
{
    const size_t per = r->head.page_tokens, length = (size_t)r->head.length;
    hlm_status st = HLM_OK;
    for (size_t i = r->head.left_out; i * per < length && st == HLM_OK; i++) {
        const size_t n = hlmi_min_size(length - i * per, per);
        const int32_t *ids = NULL;
        uint32_t tracks = 0;
        st = read_ids(r, i, n, false, &ids, &tracks);
        if (st == HLM_OK) st = r->other ? spread_page(r, i, ids, n, tracks) : read_same_page(r, ids, n, tracks);
    }
    for (size_t t = 0; t < HLMI_TRACKS && st == HLM_OK; t++)
        if (r->n_rows[t] != r->head.tracks[t].n)
            st = hlmi_fail(HLM_E_FORMAT, "%s: %llu pages have rows of track %zu, the head says %llu", r->in->name,
                           (unsigned long long)r->n_rows[t], t, (unsigned long long)r->head.tracks[t].n);
    return st;
}

/* What the pages of the file look like, and memory to read them. */
static hlm_status prepare_pages(reading *r, const hlmi_snapshot_head *own)
{
    const hlmi_mem *mem = &r->pool->mem;
    const hlmi_snapshot_head *h = &r->head;
    const hlmi_page_layout *l = &r->pool->layout;
    const size_t ids = sizeof(hlmi_snapshot_page) + h->page_tokens * sizeof(int32_t);
    bool windows = false, same = true;
    for (size_t t = 0; t < HLMI_TRACKS; t++) windows = windows || h->tracks[t].window;
    r->other = h->page_tokens != own->page_tokens || windows != l->windows;
    if (r->other) {
        HLMI_DO(hlmi_page_layout_init(&r->layout, r->pool->plan, own->kv_type, false, h->page_tokens, windows, mem));
        l = &r->layout;
    }
    for (size_t t = HLMI_IDS + 1; t < HLMI_TRACKS; t++)
        same = same && h->tracks[t].window == l->tracks[t].window && h->tracks[t].bytes == l->tracks[t].bytes;
    if (!same || h->n_tracks != l->n_tracks)
        return hlmi_fail(HLM_E_MISMATCH, "%s: the KV rows of %u positions are %llu bytes, expected %zu", r->in->name,
                         (unsigned)h->page_tokens, (unsigned long long)h->tracks[HLMI_IDS + 1].bytes,
                         l->tracks[HLMI_IDS + 1].bytes);
    for (size_t t = HLMI_IDS + 1; t < l->n_tracks && r->other; t++) {
        r->rows[t] = hlmi_calloc(mem, 1, l->tracks[t].bytes);
        if (!r->rows[t]) return hlmi_nomem(l->tracks[t].bytes, "a snapshot's page");
    }
    r->ids = hlmi_alloc(mem, ids);
    return r->ids ? HLM_OK : hlmi_nomem(ids, "a snapshot's page");
}

/* ---- states and the log ---- */

/* The points that the pool keeps, states and rows to come: automatic marks as many as it has room for. */
static hlm_status place_points(reading *r)
{
    hlmi_points *points = &r->cache->seq.points;
    hlmi_points_free(r->pool, points);
    hlm_status st = hlmi_points_room(r->pool, points, (size_t)r->head.n_points);
    for (size_t i = 0; i < r->head.n_points && st == HLM_OK; i++) {
        const hlmi_snapshot_point *p = &r->points[i];
        const uint32_t flags = p->flags & HLMI_POINT_REASONS & ~(r->keep_log ? 0u : (uint32_t)HLMI_POINT_ANCHOR);
        if (!flags) continue;
        hlmi_point *point = hlmi_points_put(points, p->pos, NULL, flags | (p->flags & HLMI_POINT_AGAIN));
        if (flags & HLMI_POINT_ANCHOR) point->log = hlmi_undo_new(r->pool, p->rows);
        if (flags & HLMI_POINT_ANCHOR && !point->log) st = HLM_E_NOMEM;
        if (flags & HLMI_POINT_AUTOMATIC) hlmi_points_thin(r->pool, points); /* at once: a file may have many */
    }
    return st;
}

/* The next block, of `bytes`, to rows at their places. */
static hlm_status read_rows(reading *r, void *const *rows, const hlmi_field *fields, size_t n, size_t bytes)
{
    const hlm_pool *pool = r->pool;
    if (hlmi_rows_plain(pool)) return hlmi_inlet_block(r->in, rows[0], bytes);
    const hlm_status st = take_desk(r) ? hlmi_inlet_block(r->in, r->desk, bytes) : HLM_E_NOMEM;
    for (size_t i = 0; i < n && st == HLM_OK; i++) {
        hlmi_place *place = pool->places[fields[i].place];
        place->put(place, hlmi_field_of(rows, &fields[i]), r->desk + fields[i].side, fields[i].bytes);
    }
    return st;
}

static hlm_status read_state(reading *r, const hlmi_snapshot_point *p, hlmi_point *point)
{
    hlmi_state *s = hlmi_pool_take_state(r->pool);
    point->state = s;
    if (!s) return HLM_E_NOMEM;
    s->pos = p->pos;
    s->hidden = (p->flags & HLMI_POINT_HIDDEN) != 0;
    return read_rows(r, s->item.rows, r->pool->states.fields, r->pool->states.n_fields, r->pool->states.bytes);
}

static hlm_status read_states(reading *r)
{
    hlm_status st = HLM_OK;
    for (size_t i = 0; i < r->head.n_points && st == HLM_OK && r->head.n_rec; i++) {
        const hlmi_snapshot_point *p = &r->points[i];
        hlmi_point *point = hlmi_points_find(&r->cache->seq.points, p->pos);
        if (p->pos == 0) point->state = hlmi_item_retain(r->pool->origin);
        else if (point) st = read_state(r, p, point);
        else st = hlmi_inlet_skip(r->in, (size_t)r->head.state_bytes);
    }
    return st;
}

static hlm_status read_log(reading *r)
{
    const size_t bytes = (size_t)r->head.row_bytes;
    hlm_status st = HLM_OK;
    for (size_t i = 0; i < r->head.n_points; i++) {
        const hlmi_snapshot_point *p = &r->points[i];
        for (int64_t pos = p->pos; pos < p->pos + p->rows && st == HLM_OK; pos++) {
            void *const *row = r->keep_log ? hlmi_undo_find(r->pool, &r->cache->seq.points, pos) : NULL;
            const hlmi_state_layout *l = &r->pool->states;
            st = row ? read_rows(r, row, l->log, r->pool->plan->n_rec, l->log_bytes) : hlmi_inlet_skip(r->in, bytes);
        }
    }
    return st;
}

/* ---- all of it ---- */

/* A snapshot that the pool has no room for is refused before anything is taken. */
static hlm_status check_cap(const reading *r)
{
    hlm_pool *pool = r->pool;
    uint64_t bytes;
    hlm_pool_info info = {.struct_size = sizeof info};
    if (!pool->max_bytes) return HLM_OK;
    const hlm_status st = hlm_pool_info_get(pool, &info);
    const hlmi_page_layout *l = &pool->layout;
    const uint64_t pages = hlmi_div_up((size_t)r->head.length, l->tokens);
    bytes = r->head.n_rec ? hlmi_state_bytes(&pool->states) : 0;
    for (size_t t = 0; t < l->n_tracks; t++) { /* of windows what there may be */
        const uint64_t there = r->head.page_tokens == l->tokens ? r->head.tracks[t].n : 0;
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
    int64_t now;
    hlmi_snapshot_head_of(&own, r->pool);
    hlm_status st = read_head(r);
    if (st == HLM_OK) st = check_origin(r, &own);
    if (st == HLM_OK) st = check_counts(r, &own);
    if (st == HLM_OK) st = check_cap(r);
    if (st == HLM_OK) st = read_layers(r, &now);
    if (st == HLM_OK) st = read_adapters(r);
    if (st == HLM_OK) st = read_points(r);
    if (st == HLM_OK) st = check_points(r, now);
    if (st == HLM_OK) st = prepare_pages(r, &own);
    if (st == HLM_OK) st = hlmi_cache_make(&r->cache, r->pool, r->head.max_tokens);
    if (st != HLM_OK) return st;
    r->keep_log = r->head.undo_tokens == (uint64_t)r->pool->undo_tokens;
    st = read_left_out(r);
    if (st == HLM_OK) st = read_pages(r);
    if (st != HLM_OK) return st;
    r->cache->seq.length = r->head.length;
    r->cache->seq.prefix = r->head.prefix;
    st = place_points(r);
    if (st == HLM_OK) st = read_states(r);
    if (st == HLM_OK) st = read_log(r);
    if (st == HLM_OK) hlmi_seq_restore(r->pool, &r->cache->seq, r->head.length);
    return st;
}

hlm_status hlmi_snapshot_read(hlm_cache **out, hlm_pool *pool, hlmi_inlet *in, uint32_t flags, bool known)
{
    reading r = {.pool = pool, .in = in, .flags = flags, .known = known};
    hlm_status st = hlmi_inlet_open(in, &pool->mem);
    if (st == HLM_OK) st = read_all(&r);
    hlmi_inlet_close(in, &pool->mem);
    hlmi_free(&pool->mem, r.numbers);
    hlmi_free(&pool->mem, r.points);
    hlmi_free(&pool->mem, r.ids);
    hlmi_free(&pool->mem, r.desk);
    for (size_t t = 0; t < HLMI_TRACKS; t++) hlmi_free(&pool->mem, r.rows[t]);
    hlmi_page_layout_free(&r.layout, &pool->mem);
    if (st == HLM_OK) *out = r.cache;
    else hlm_cache_free(r.cache);
    return st;
}
