/* Where the KV rows of consecutive positions lie: pure geometry, for who keeps them (state/page.h) and who computes on
 * them.
 *
 * A *track* is what a sequence keeps at a place for a window: each track has pages of its own. Track 0 is the host's,
 * of ids, one int32 for a position; the others hold rows: of all layers, or, in pools that give rows behind attention
 * windows back (state/window.h), of the layers with the same window. Layers of two places are in two tracks.
 *
 * Rows of a page, for each attention layer of the track and KV head: K transposed [head_dim][stride] with positions
 * side by side, then V [page_tokens][v_dim]. Where rows are int8, the f32 scales of the head's positions follow
 * each. */
#ifndef HLMI_PLAN_PAGE_LAYOUT_H
#define HLMI_PLAN_PAGE_LAYOUT_H

#include "kernel/kernel.h"
#include "place/place.h"
#include "plan/plan.h"

enum {
    HLMI_LEAF_PAGES = 64,
    HLMI_IDS = 0, /* the first track */
    HLMI_TRACKS = 8 /* most; layers with other windows than that many share the last of their place */
};

typedef struct hlmi_track_layout {
    size_t place; /* that computes its layers (place/place.h) */
    size_t window; /* the widest of its layers; 0: its rows stay */
    size_t bytes; /* of a page's rows */
    size_t per_token; /* bytes of a position that are used */
} hlmi_track_layout;

/** Where the rows of an attention layer lie. */
typedef struct hlmi_kv_place {
    size_t track, k, v; /* offsets of its first K and V head in a page of its track */
    size_t k_head, v_head; /* bytes of a head */
    size_t k_scale, v_scale; /* where in a head its scales are; int8 only */
} hlmi_kv_place;

/** Where things lie in a page of one pool. */
typedef struct hlmi_page_layout {
    hlmi_kv_format format;
    size_t item; /* bytes of a KV element */
    size_t tokens; /* positions */
    size_t stride; /* positions rounded up to a multiple of 16: row stride of K */
    hlmi_kv_place *kv; /* [n_kv] */
    hlmi_track_layout tracks[HLMI_TRACKS];
    size_t n_tracks;
    bool windows; /* tracks may have one */
    size_t per_token; /* bytes of one position in all of them */
} hlmi_page_layout;

/** Addresses of the rows of a track's pages side by side in a sequence; NULL: given back. */
typedef struct hlmi_leaf_rows {
    char *at[HLMI_LEAF_PAGES];
} hlmi_leaf_rows;

/** kv_type HLM_TYPE_DEFAULT: f16, or f32 where activations are not to be rounded. windows: rows behind them are given
 *  back. */
hlm_status hlmi_page_layout_init(hlmi_page_layout *l, const hlmi_plan *plan, int32_t kv_type, bool f32_activations,
                                 size_t tokens, bool windows, const hlmi_mem *mem);
void hlmi_page_layout_free(hlmi_page_layout *l, const hlmi_mem *mem);

/** The page's rows of a layer and a position, by the leaves of a sequence: those of all tracks side by side. */
static inline char *hlmi_rows_of(const hlmi_leaf_rows *const *leaves, const hlmi_page_layout *l, size_t kv, int64_t pos)
{
    const size_t i = (size_t)pos / l->tokens;
    return leaves[i / HLMI_LEAF_PAGES * l->n_tracks + l->kv[kv].track]->at[i % HLMI_LEAF_PAGES];
}

/** In the rows of a page of the layer's track. */
static inline void *hlmi_page_k(char *rows, const hlmi_page_layout *l, size_t kv, size_t head)
{
    return rows + l->kv[kv].k + head * l->kv[kv].k_head;
}

static inline void *hlmi_page_v(char *rows, const hlmi_page_layout *l, size_t kv, size_t head)
{
    return rows + l->kv[kv].v + head * l->kv[kv].v_head;
}

/** The scales of a head's positions, or NULL where rows have none. */
static inline float *hlmi_page_k_scale(char *rows, const hlmi_page_layout *l, size_t kv, size_t head)
{
    if (l->format != HLMI_KV_ROWS_INT8) return NULL;
    return (float *)(void *)((char *)hlmi_page_k(rows, l, kv, head) + l->kv[kv].k_scale);
}

static inline float *hlmi_page_v_scale(char *rows, const hlmi_page_layout *l, size_t kv, size_t head)
{
    if (l->format != HLMI_KV_ROWS_INT8) return NULL;
    return (float *)(void *)((char *)hlmi_page_v(rows, l, kv, head) + l->kv[kv].v_scale);
}

#endif
