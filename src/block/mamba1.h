/* The parts of a Mamba-1 mixer, for blocks that have it beside something else. */
#ifndef HLMI_BLOCK_MAMBA1_H
#define HLMI_BLOCK_MAMBA1_H

#include "block/block.h"

/** Where things lie in a row of a mixer: first what the recurrence reads, [u | dt | B | C] side by side, then the gate,
 *  the step before its projection, and from `end` on what the block adds. */
typedef struct hlmi_mamba1_row {
    size_t dt, b, c, z, low, end;
} hlmi_mamba1_row;

hlmi_mamba1_row hlmi_mamba1_layout(const hlmi_mamba1_params *p);
/** From rows that hold u and z: y = scan times silu(z). */
void hlmi_mamba1_mix(hlmi_builder *b, const hlmi_mamba1_params *p, hlmi_rows rows, hlmi_rows y);

#endif
