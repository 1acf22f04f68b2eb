/* What writers and readers of snapshots agree on. */
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
