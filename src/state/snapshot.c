/* What writers and readers of snapshots agree on: the head, and the blocks that are the same in both directions. */
#include "state/snapshot.h"

#include <string.h>

#include "plan/model.h"

static const int32_t kv_types[HLMI_KV_FORMATS] = {[HLMI_KV_ROWS_F32] = HLM_TYPE_F32,
                                                  [HLMI_KV_ROWS_F16] = HLM_TYPE_F16,
                                                  [HLMI_KV_ROWS_BF16] = HLM_TYPE_BF16,
                                                  [HLMI_KV_ROWS_INT8] = HLM_TYPE_INT8};
static const int32_t state_types[] = {
    [HLMI_STATE_F32] = HLM_TYPE_F32, [HLMI_STATE_F16] = HLM_TYPE_F16, [HLMI_STATE_BF16] = HLM_TYPE_BF16};

void hlmi_snapshot_head_of(hlmi_snapshot_head *h, const hlm_pool *pool)
{
    hlm_model *model = pool->model;
    *h = (hlmi_snapshot_head){
        .magic = HLMI_SNAPSHOT_MAGIC,
        .version = HLMI_SNAPSHOT_VERSION,
        .head_bytes = sizeof *h,
        .loaded = (model->f32_activations ? HLMI_LOADED_F32 : 0u) |
            (model->flags & HLM_LOAD_PORTABLE ? HLMI_LOADED_PORTABLE : 0u),
        .kv_type = kv_types[pool->layout.format],
        .state_type = state_types[pool->states.type],
        .page_tokens = (uint32_t)pool->layout.tokens,
        .undo_tokens = (uint32_t)pool->undo_tokens,
        .n_kv = (uint32_t)pool->plan->n_kv,
        .n_rec = (uint32_t)pool->plan->n_rec,
        .n_tracks = pool->layout.n_tracks,
        .state_bytes = pool->states.bytes,
        .row_bytes = pool->states.log_bytes,
    };
    for (size_t t = HLMI_IDS + 1; t < h->n_tracks; t++)
        h->tracks[t] =
            (hlmi_snapshot_track){.window = pool->layout.tracks[t].window, .bytes = pool->layout.tracks[t].bytes};
    hlmi_fingerprint_get(&model->fingerprint, h->model);
    const char *name = model->kernels.name;
    memcpy(h->kernels, name, hlmi_min_size(strlen(name), sizeof h->kernels - 1));
}

/* *sum += n blocks of `bytes` bytes each; blocks of nothing are left out. */
static bool add_blocks(uint64_t *sum, uint64_t n, uint64_t bytes)
{
    const uint64_t most = (uint64_t)1 << 62;
    if (bytes == 0 || n == 0) return true;
    if (bytes > most - HLMI_BLOCK_SUM || n > (most - *sum) / (bytes + HLMI_BLOCK_SUM)) return false;
    *sum += n * (bytes + HLMI_BLOCK_SUM);
    return true;
}

bool hlmi_snapshot_bytes(const hlmi_snapshot_head *h, uint64_t *bytes)
{
    const uint64_t tokens = h->page_tokens, pages = (uint64_t)h->length / tokens + ((uint64_t)h->length % tokens != 0);
    const uint64_t layers = ((uint64_t)h->n_kv + h->n_rec) * sizeof(int64_t);
    const uint64_t point = sizeof(hlmi_snapshot_point);
    *bytes = 0;
    if (h->adapters > HLMI_MOST_ADAPTERS) return false;
    if ((uint64_t)h->left_out * tokens > (uint64_t)h->length) return false;
    for (size_t t = 0; t < HLMI_TRACKS; t++)
        if (h->tracks[t].n > pages - h->left_out || !add_blocks(bytes, h->tracks[t].n, h->tracks[t].bytes))
            return false;
    return add_blocks(bytes, 1, sizeof *h) && add_blocks(bytes, 1, layers) &&
        add_blocks(bytes, 1, h->adapters * sizeof(hlmi_snapshot_adapter)) &&
        add_blocks(bytes, h->n_points / HLMI_POINTS_IN_BLOCK, HLMI_POINTS_IN_BLOCK * point) &&
        add_blocks(bytes, 1, h->n_points % HLMI_POINTS_IN_BLOCK * point) &&
        add_blocks(bytes, pages, sizeof(hlmi_snapshot_page) + tokens * sizeof(int32_t)) &&
        add_blocks(bytes, h->n_states, h->state_bytes) && add_blocks(bytes, h->n_rows, h->row_bytes);
}

/* ---- blocks in both directions ---- */

hlm_status hlmi_snapshot_memory(hlmi_snapshot *s)
{
    const hlm_pool *pool = s->pool;
    const size_t ids = sizeof(hlmi_snapshot_page) + s->head.page_tokens * sizeof(int32_t);
    size_t desk = hlmi_max_size(pool->states.bytes, pool->states.log_bytes);
    for (size_t t = HLMI_IDS + 1; t < pool->layout.n_tracks; t++)
        if (!pool->places[pool->layout.tracks[t].place]->host) desk = hlmi_max_size(desk, pool->layout.tracks[t].bytes);
    s->ids = hlmi_alloc(&pool->mem, ids);
    s->desk = hlmi_alloc(&pool->mem, desk);
    return s->ids && (s->desk || !desk) ? HLM_OK : hlmi_nomem(ids + desk, "a snapshot");
}

hlm_status hlmi_snapshot_layers(hlmi_snapshot *s, int64_t *now)
{
    const size_t n_kv = s->head.n_kv, n = n_kv + s->head.n_rec;
    if (n == 0) return HLM_OK;
    int64_t *pos = hlmi_calloc(&s->pool->mem, n, sizeof *pos);
    if (!pos) return hlmi_nomem(n * sizeof *pos, "the layers' positions");
    for (size_t i = 0; i < n; i++) pos[i] = i < n_kv ? s->head.length : *now;
    hlm_status st = hlmi_stream_block(s->io, pos, n * sizeof *pos);
    if (s->head.n_rec) *now = pos[n - 1];
    for (size_t i = 0; i < n && st == HLM_OK; i++) {
        const int64_t expected = i < n_kv ? s->head.length : *now;
        if (pos[i] != expected)
            st = hlmi_fail(HLM_E_FORMAT, "%s: %s number %zu is at position %lld, expected %lld", s->io->name,
                           i < n_kv ? "attention layer" : "recurrence", i < n_kv ? i : i - n_kv, (long long)pos[i],
                           (long long)expected);
    }
    hlmi_free(&s->pool->mem, pos);
    return st;
}

hlm_status hlmi_snapshot_adapters(hlmi_snapshot *s)
{
    const size_t n = (size_t)s->head.adapters;
    HLMI_DO(HLMI_GROW(&s->pool->mem, s->adapters, s->cap_adapters, n, "a snapshot's adapters"));
    return n ? hlmi_stream_block(s->io, s->adapters, n * sizeof *s->adapters) : HLM_OK;
}

hlm_status hlmi_snapshot_points(hlmi_snapshot *s)
{
    size_t m;
    for (size_t i = 0; i < s->head.n_points; i += m) {
        m = hlmi_min_size((size_t)s->head.n_points - i, HLMI_POINTS_IN_BLOCK);
        HLMI_DO(HLMI_GROW(&s->pool->mem, s->points, s->cap_points, i + m, "a snapshot's points"));
        HLMI_DO(hlmi_stream_block(s->io, s->points + i, m * sizeof *s->points));
    }
    return HLM_OK;
}

hlm_status hlmi_snapshot_rows(hlmi_snapshot *s, const hlmi_page *page)
{
    hlmi_place *place = hlmi_pool_place(s->pool, page);
    const size_t bytes = s->pool->layout.tracks[page->track].bytes;
    if (place->host) return hlmi_stream_block(s->io, hlmi_page_rows(page), bytes);
    if (s->io->out) place->get(place, s->desk, hlmi_page_rows(page), bytes);
    HLMI_DO(hlmi_stream_block(s->io, s->desk, bytes));
    if (!s->io->out) place->put(place, hlmi_page_rows(page), s->desk, bytes);
    return HLM_OK;
}

/* The next block: fields side by side, with zeros between them. rows NULL: it is passed over. */
static hlm_status fields_block(hlmi_snapshot *s, void *const *rows, const hlmi_field *fields, size_t n, size_t bytes)
{
    const hlm_pool *pool = s->pool;
    const bool as_they_lie = pool->places[0]->host && pool->states.rows[0] == pool->states.bytes;
    size_t used = 0;
    for (size_t i = 0; i < n; i++) used += fields[i].bytes;
    if (!rows || (as_they_lie && used == bytes)) return hlmi_stream_block(s->io, rows ? rows[0] : NULL, bytes);
    memset(s->desk, 0, bytes);
    for (size_t i = 0; i < n && s->io->out; i++) {
        hlmi_place *place = pool->places[fields[i].place];
        place->get(place, s->desk + fields[i].side, hlmi_field_of(rows, &fields[i]), fields[i].bytes);
    }
    HLMI_DO(hlmi_stream_block(s->io, s->desk, bytes));
    for (size_t i = 0; i < n && !s->io->out; i++) {
        hlmi_place *place = pool->places[fields[i].place];
        place->put(place, hlmi_field_of(rows, &fields[i]), s->desk + fields[i].side, fields[i].bytes);
    }
    return HLM_OK;
}

hlm_status hlmi_snapshot_states(hlmi_snapshot *s)
{
    const hlmi_state_layout *l = &s->pool->states;
    const hlmi_points *points = &s->cache->seq.points;
    for (size_t i = 0; i < s->head.n_points; i++) {
        const hlmi_point *p = hlmi_points_find(points, s->points[i].pos);
        if (hlmi_point_has_state(&s->points[i], s->pool->plan))
            HLMI_DO(fields_block(s, p ? p->state->item.rows : NULL, l->fields, l->n_fields, l->bytes));
    }
    for (size_t i = 0; i < s->head.n_points; i++)
        for (uint32_t k = 0; k < s->points[i].rows; k++)
            HLMI_DO(fields_block(s, hlmi_undo_find(s->pool, points, s->points[i].pos + k), l->log, s->pool->plan->n_rec,
                                 l->log_bytes));
    return HLM_OK;
}

void hlmi_snapshot_end(hlmi_snapshot *s)
{
    const hlmi_mem *mem = &s->pool->mem;
    hlmi_free(mem, s->points);
    hlmi_free(mem, s->adapters);
    hlmi_free(mem, s->numbers);
    hlmi_free(mem, s->ids);
    hlmi_free(mem, s->desk);
}
