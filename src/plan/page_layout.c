/* The layout of pages. */
#include "plan/page_layout.h"

#include "base/size.h"

enum { ALIGN = HLMI_ALIGN };

static const struct {
    int32_t type;
    hlmi_kv_format format;
    size_t item;
} kv_types[] = {
    {HLM_TYPE_DEFAULT, HLMI_KV_ROWS_F16, 2}, {HLM_TYPE_F32, HLMI_KV_ROWS_F32, 4},   {HLM_TYPE_F16, HLMI_KV_ROWS_F16, 2},
    {HLM_TYPE_BF16, HLMI_KV_ROWS_BF16, 2},   {HLM_TYPE_INT8, HLMI_KV_ROWS_INT8, 1},
};

static hlm_status find_type(hlmi_page_layout *l, int32_t kv_type)
{
    for (size_t i = 0; i < sizeof kv_types / sizeof *kv_types; i++) {
        if (kv_types[i].type != kv_type) continue;
        l->format = kv_types[i].format;
        l->item = kv_types[i].item;
        return HLM_OK;
    }
    return hlmi_fail(HLM_E_ARG, "kv_type %d is none of HLM_TYPE_...", (int)kv_type);
}

/* Bytes of a head: its rows and, for int8, their scales, which begin at *scales. False on overflow. */
static bool head_bytes(const hlmi_page_layout *l, size_t dim, size_t positions, size_t *scales, size_t *bytes)
{
    const size_t scale = l->format == HLMI_KV_ROWS_INT8 ? sizeof(float) : 0;
    if (!hlmi_mul_size(dim, positions * l->item, bytes) || *bytes > SIZE_MAX / 2) return false;
    *scales = hlmi_round_up(*bytes, sizeof(float));
    *bytes = hlmi_round_up(*scales + positions * scale, ALIGN);
    return true;
}

/* The track of a place's layers with a window, which is made if there is none. Each place that may come is left one. */
static size_t find_track(hlmi_page_layout *l, size_t place, size_t window)
{
    size_t last = 0;
    for (size_t t = HLMI_IDS + 1; t < l->n_tracks; t++) {
        if (l->tracks[t].place != place) continue;
        if (l->tracks[t].window == window) return t;
        last = t;
    }
    if (last && l->n_tracks + HLMI_PLACES - 1 >= HLMI_TRACKS) return last;
    l->tracks[l->n_tracks] = (hlmi_track_layout){.place = place, .window = window};
    return l->n_tracks++;
}

/* Lays out one layer in its track; false on overflow. */
static bool add_layer(hlmi_page_layout *l, size_t i, const hlmi_kv_layer *kv)
{
    const size_t scales = l->format == HLMI_KV_ROWS_INT8 ? 2 * sizeof(float) : 0;
    hlmi_track_layout *track = &l->tracks[l->track[i]];
    size_t all;
    if (!head_bytes(l, kv->head_dim, l->stride, &l->k_scale[i], &l->k_head[i])) return false;
    if (!head_bytes(l, kv->v_dim, l->tokens, &l->v_scale[i], &l->v_head[i])) return false;
    if (!hlmi_mul_size(l->k_head[i] + l->v_head[i], kv->n_kv_heads, &all)) return false;
    l->k_at[i] = track->bytes;
    l->v_at[i] = track->bytes + l->k_head[i] * kv->n_kv_heads;
    const size_t row = kv->n_kv_heads * ((kv->head_dim + kv->v_dim) * l->item + scales);
    track->per_token += row;
    if (l->windows) track->window = kv->window && track->window ? hlmi_max_size(track->window, kv->window) : 0;
    return hlmi_add_size(track->bytes, all, &track->bytes) && track->bytes <= SIZE_MAX / (2 * HLMI_TRACKS);
}

hlm_status hlmi_page_layout_init(hlmi_page_layout *l, const hlmi_plan *plan, int32_t kv_type, bool f32_activations,
                                 size_t tokens, bool windows, const hlmi_mem *mem)
{
    *l = (hlmi_page_layout){
        .tokens = tokens, .stride = hlmi_round_up(tokens, 16), .n_tracks = HLMI_IDS + 1, .windows = windows};
    l->tracks[HLMI_IDS] = (hlmi_track_layout){.bytes = tokens * sizeof(int32_t), .per_token = sizeof(int32_t)};
    const int32_t chosen = kv_type == HLM_TYPE_DEFAULT && f32_activations ? HLM_TYPE_F32 : kv_type;
    HLMI_DO(find_type(l, chosen));
    size_t *table = hlmi_calloc(mem, 7 * plan->n_kv + 1, sizeof *table);
    if (!table) return hlmi_nomem(7 * plan->n_kv * sizeof *table, "the page layout");
    l->k_at = table;
    l->k_head = table + plan->n_kv;
    l->v_at = table + 2 * plan->n_kv;
    l->v_head = table + 3 * plan->n_kv;
    l->k_scale = table + 4 * plan->n_kv;
    l->v_scale = table + 5 * plan->n_kv;
    l->track = table + 6 * plan->n_kv;
    bool fits = true;
    for (size_t i = 0; i < plan->n_kv && fits; i++) {
        l->track[i] = find_track(l, plan->kv[i].place, windows ? plan->kv[i].window : 0);
        fits = add_layer(l, i, &plan->kv[i]);
    }
    if (!fits) return hlmi_fail(HLM_E_FORMAT, "the KV rows of %zu tokens are larger than memory", tokens);
    for (size_t t = 0; t < l->n_tracks; t++) l->per_token += l->tracks[t].per_token;
    l->windows = false;
    for (size_t t = 0; t < l->n_tracks; t++) l->windows = l->windows || l->tracks[t].window;
    return HLM_OK;
}

void hlmi_page_layout_free(hlmi_page_layout *l, const hlmi_mem *mem)
{
    hlmi_free(mem, l->k_at);
    *l = (hlmi_page_layout){0};
}
