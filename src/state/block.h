/* State blocks: what all recurrent layers of a model remember of a sequence at
 * one position. A block is written by one step and never changed after it, so
 * that forks, marks and steps that fail share it by reference. Where things lie in its rows says plan/state_layout.h. */
#ifndef HLMI_STATE_BLOCK_H
#define HLMI_STATE_BLOCK_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/fresh.h"
#include "plan/state_layout.h"

typedef struct hlmi_state {
    atomic_uint refs;
    unsigned held; /* by nodes of the prefix cache, which guards it (state/radix.h) */
    int64_t pos; /* tokens that went into it */
    hlmi_fresh fresh; /* pages that the block lacks */
    bool hidden; /* the final hidden row is there: a step wrote the state, not a replay of the undo log */
    void *rows;
} hlmi_state;

enum { HLMI_STATE_HEADER = HLMI_ALIGN /* bytes before the rows */ };

_Static_assert(sizeof(hlmi_state) <= HLMI_STATE_HEADER, "a state block begins with its fields");

/** Bytes of a block; 0: the plan has no recurrence. */
static inline size_t hlmi_state_bytes(const hlmi_state_layout *l)
{
    return l->bytes ? HLMI_STATE_HEADER + l->bytes : 0;
}

#endif
