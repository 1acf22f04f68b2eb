/* Blocks in two halves, for those that join them otherwise than one after the other: the first half computes rows from
 * the residual stream, the second adds their projection to it. */
#ifndef HLMI_BLOCK_HALVES_H
#define HLMI_BLOCK_HALVES_H

#include "block/block.h"

typedef struct hlmi_half {
    hlmi_rows rows; /* scratch of the block */
    const hlmi_matrix *w;
    const float *bias, *scale; /* or NULL */
    bool wide; /* as of hlmi_linear */
} hlmi_half;

hlmi_half hlmi_attn_in(hlmi_builder *b, const hlmi_attn_params *p);
/** The same from rows [q | k | v | gate], which are turned in place. */
hlmi_half hlmi_attn_of(hlmi_builder *b, const hlmi_attn_params *p, hlmi_rows rows);
/** The replay of a block with this part (hlmi_block_type). */
void hlmi_mamba1_replay(hlmi_builder *b, const hlmi_mamba1_params *p);
hlmi_half hlmi_mamba1_in(hlmi_builder *b, const hlmi_mamba1_params *p);

/** The replay of a block with this part (hlmi_block_type). */
void hlmi_mamba2_replay(hlmi_builder *b, const hlmi_mamba2_params *p);
hlmi_half hlmi_mamba2_in(hlmi_builder *b, const hlmi_mamba2_params *p, hlmi_rows x);
hlmi_half hlmi_mlp_in(hlmi_builder *b, const hlmi_mlp_params *p);
/** y = scale * (W rows + bias), or added to y. */
void hlmi_half_project(hlmi_builder *b, const hlmi_half *h, hlmi_epilogue epilogue, hlmi_rows y);
/** x = x + scale * (W rows + bias) */
void hlmi_half_add(hlmi_builder *b, const hlmi_half *h);

#endif
