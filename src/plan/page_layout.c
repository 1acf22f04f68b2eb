/* The layout of pages. */
#include "plan/page_layout.h"

#include "base/size.h"

static const struct {
    hlmi_kv_format format;
    size_t item;
} kv_types[] = {[HLM_TYPE_DEFAULT] = {HLMI_KV_ROWS_F16, 2},
                [HLM_TYPE_F32] = {HLMI_KV_ROWS_F32, 4},
                [HLM_TYPE_F16] = {HLMI_KV_ROWS_F16, 2},
                [HLM_TYPE_BF16] = {HLMI_KV_ROWS_BF16, 2},
                [HLM_TYPE_INT8] = {HLMI_KV_ROWS_INT8, 1}};

/* Bytes of a head: its rows and, for int8, their scales, which begin at *scales. False on overflow. */
static bool head_bytes(const hlmi_page_layout *l, size_t dim, size_t positions, size_t *scales, size_t *bytes)
{
    const size_t scale = l->format == HLMI_KV_ROWS_INT8 ? sizeof(float) : 0;
    if (!hlmi_mul_size(dim, positions * l->item, bytes) || *bytes > SIZE_MAX / 2) return false;
    *scales = hlmi_round_up(*bytes, sizeof(float));
    *bytes = hlmi_round_up(*scales + positions * scale, HLMI_ALIGN);
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
    hlmi_kv_place *at = &l->kv[i];
    hlmi_track_layout *track = &l->tracks[at->track];
    size_t all;
    if (!head_bytes(l, kv->head_dim, l->stride, &at->k_scale, &at->k_head)) return false;
    if (!head_bytes(l, kv->v_dim, l->tokens, &at->v_scale, &at->v_head)) return false;
    if (!hlmi_mul_size(at->k_head + at->v_head, kv->n_kv_heads, &all)) return false;
    at->k = track->bytes;
    at->v = track->bytes + at->k_head * kv->n_kv_heads;
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
    if (chosen < 0 || (size_t)chosen >= sizeof kv_types / sizeof *kv_types)
        return hlmi_fail(HLM_E_ARG, "kv_type %d is none of HLM_TYPE_...", (int)chosen);
    l->format = kv_types[chosen].format;
    l->item = kv_types[chosen].item;
    l->kv = hlmi_calloc(mem, plan->n_kv + 1, sizeof *l->kv);
    if (!l->kv) return hlmi_nomem(plan->n_kv * sizeof *l->kv, "the page layout");
    bool fits = true;
    for (size_t i = 0; i < plan->n_kv && fits; i++) {
        l->kv[i].track = find_track(l, plan->kv[i].place, windows ? plan->kv[i].window : 0);
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
    hlmi_free(mem, l->kv);
    *l = (hlmi_page_layout){0};
}
