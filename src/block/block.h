/* Block types: what the entries of a layer plan do, written once over the op table. A new one is a file here, a params
 * struct in plan/layers.h and a line in the list there. */
#ifndef HLMI_BLOCK_BLOCK_H
#define HLMI_BLOCK_BLOCK_H

#include "ops/ops.h"

/** Emits ops for a block with these params, the kind's struct of plan/layers.h. */
typedef void hlmi_record_fn(hlmi_builder *b, const void *params);

typedef struct hlmi_block_type {
    /** What the block computes. */
    hlmi_record_fn *record;
    /** What brings the block's recurrence from one state to another, fed from the undo log (ops->log_read). NULL: the
     *  block has none. */
    hlmi_record_fn *replay;
    /** What the out rows' logits are from the rows that states keep (ops->kept_rows). NULL: not the head. */
    hlmi_record_fn *from_kept;
} hlmi_block_type;

#define HLMI_BLOCK_DECLARE(kind, name) extern const hlmi_block_type hlmi_block_##name;
HLMI_BLOCKS(HLMI_BLOCK_DECLARE)
#undef HLMI_BLOCK_DECLARE

#endif
