/* State blocks: what all recurrent layers of a model remember of a sequence at one position. A block is written by one
 * step and never changed after it, so that forks, marks and steps that fail share it by reference. Where things lie in
 * its rows says plan/state_layout.h. */
#ifndef HLMI_STATE_BLOCK_H
#define HLMI_STATE_BLOCK_H

#include <stdatomic.h>
#include <stdbool.h>

#include "plan/state_layout.h"
#include "state/item.h"

typedef struct hlmi_state {
    hlmi_item item;
    atomic_uint refs;
    unsigned held; /* by nodes of the prefix cache, which guards it (state/radix.h) */
    int64_t pos; /* tokens that went into it */
    bool hidden; /* the final hidden row is there: a step wrote the state, not a replay of the undo log */
} hlmi_state;

/** Bytes of a block; 0: the plan has no recurrence. */
static inline size_t hlmi_state_bytes(const hlmi_state_layout *l)
{
    size_t sum = l->bytes ? sizeof(hlmi_state) : 0;
    for (size_t i = 0; i < HLMI_PLACES; i++) sum += l->rows[i];
    return sum;
}

#endif
