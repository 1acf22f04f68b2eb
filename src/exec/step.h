/* The step descriptor: what one tile of a step computes. Built once a tile, read by every op; programs hold no data of
 * a step. It is numbers and addresses: of pages' rows, states and rows of the undo log (where things lie in them say
 * the layouts); whose they are, and why these, knows who fills it (api/decode.c).
 *
 * Words: a *tile* is up to max_rows rows (tokens) of one or more sequences; a *span* is the consecutive rows of one
 * sequence; an *out row* is a row whose logits are wanted. */
#ifndef HLMI_EXEC_STEP_H
#define HLMI_EXEC_STEP_H

#include "plan/adapter.h"
#include "plan/page_layout.h"

typedef struct hlmi_span {
    size_t row, n; /* first row in the tile, number of rows */
    int64_t pos; /* position of the first row */
    const hlmi_leaf_rows *const *pages; /* [n_leaves] of the sequence's positions: leaf by leaf those of all tracks */
    size_t n_leaves;
    /* rows by place of the state before the first row, and of the one after the last; may be the same. NULL without
     * recurrence */
    void *const *in, *const *out;
} hlmi_span;

/** Hidden states wanted of a span's rows. */
typedef struct hlmi_tap {
    int32_t layer, kind; /* kind: HLM_HIDDEN_... */
    size_t row, n;
    float *out; /* [n, hidden_size], or as wide as the branch */
} hlmi_tap;

/** Attention weights wanted of a span's rows. */
typedef struct hlmi_attn_tap {
    int32_t layer;
    size_t row, n; /* in the tile */
    float *out; /* of the first row and head; rows follow one another */
    size_t keys, head_stride; /* floats of a row, and from head to head */
    int64_t hidden; /* positions before the first one that `out` has a place for */
} hlmi_attn_tap;

_Static_assert(HLMI_TRACKS <= 8, "hlmi_tile.keep has a bit for each track");

typedef struct hlmi_tile {
    size_t n_rows;
    int32_t *tokens; /* [n_rows]; HLM_TOKEN_NONE: a row of `embed` */
    const float **embed; /* [n_rows] */
    const hlm_adapter **adapter; /* [n_rows] what each row is run with, or NULL */
    bool adapted; /* one of them is not NULL */
    int64_t *pos; /* [n_rows] */
    uint32_t *span_of; /* [n_rows] */
    uint8_t *keep; /* [n_rows] bit i: K and V go into track i; else they are there already */
    void *const **log; /* [n_rows] by place: the row of the undo log that is written, or read by a replay; NULL: none */
    hlmi_span *spans; /* [n_spans] */
    size_t n_spans;
    uint32_t *out_row; /* [n_out] rows whose logits are wanted, ascending */
    float **out; /* [n_out] where each one's logits go */
    size_t n_out;
    const hlmi_tap *taps; /* [n_taps] */
    size_t n_taps;
    const hlmi_attn_tap *attn_taps; /* [n_attn_taps] */
    size_t n_attn_taps;
    uint8_t *worker_scratch; /* worker w's at w * worker_stride */
    size_t worker_stride, workers; /* workers: that share the region (hlmi_work.workers) */
} hlmi_tile;

#endif
