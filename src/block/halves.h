/* Blocks in two halves, for those that join them otherwise than one after the other: the first half computes rows from
 * the residual stream, the second adds their projection to it. And what several blocks emit alike. */
#ifndef HLMI_BLOCK_HALVES_H
#define HLMI_BLOCK_HALVES_H

#include "block/block.h"

typedef struct hlmi_half {
    hlmi_rows rows; /* scratch of the block */
    hlmi_dense w;
    bool wide; /* as of hlmi_linear */
} hlmi_half;

hlmi_half hlmi_attn_in(hlmi_builder *b, const hlmi_attn_params *p);
/** The same from rows [q | k | v | gate], which are turned in place. */
hlmi_half hlmi_attn_of(hlmi_builder *b, const hlmi_attn_params *p, hlmi_rows rows);
hlmi_half hlmi_mamba2_in(hlmi_builder *b, const hlmi_mamba2_params *p, hlmi_rows x);
hlmi_half hlmi_mlp_in(hlmi_builder *b, const hlmi_mlp_params *p);
/** y = scale * (W rows + bias), or added to y. */
void hlmi_half_project(hlmi_builder *b, hlmi_half h, hlmi_epilogue epilogue, hlmi_rows y);
/** x = x + scale * (W rows + bias) */
void hlmi_half_add(hlmi_builder *b, hlmi_half h);

/** The replays (hlmi_block_type) of blocks whose params are of these kinds, or begin with one. */
hlmi_record_fn hlmi_mamba1_replay, hlmi_mamba2_replay;

/** Columns of a product; 0 where there is none. */
static inline size_t hlmi_width(hlmi_dense d)
{
    return d.w ? d.w->rows : 0;
}

/** Emits l on norm(x) (or on x, for NULL): those of its matrices that are there, and their products side by side in y
 *  where l has no other place for them. */
void hlmi_project(hlmi_builder *b, hlmi_rows x, const hlmi_norm *norm, hlmi_linear l, hlmi_rows y);
/** y = y and z combined. */
void hlmi_combine_with(hlmi_builder *b, hlmi_combine_kind kind, size_t cols, hlmi_rows y, hlmi_rows z);
/** The convolution of a recurrence's inputs, in scratch. */
hlmi_rows hlmi_convolve(hlmi_builder *b, size_t rec, const float *taps, const float *bias, bool silu, hlmi_rows x);
/** What the undo log has of a recurrence's inputs, in scratch. */
hlmi_rows hlmi_logged(hlmi_builder *b, size_t rec);
/** What stands between the matrices of a feed-forward. */
hlmi_epilogue hlmi_activation(hlmi_mlp_kind kind);

#endif
