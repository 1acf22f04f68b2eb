/* Where things lie in the rows of a state block and of the undo log: pure geometry, for who keeps them (state/block.h,
 * state/undo.h) and who computes on them.
 *
 * In a block, for each recurrence of the plan: the newest inputs of the convolution [window][channels], oldest first,
 * then the scan's state [heads][rows][cols], all of the layout's type, each part 64-byte aligned. At the end stands the final
 * hidden row of the position, f32 before the last norm, from which the head alone makes the logits. */
#ifndef HLMI_PLAN_STATE_LAYOUT_H
#define HLMI_PLAN_STATE_LAYOUT_H

#include "kernel/kernel.h"
#include "plan/plan.h"

/** Where things lie in a state block of one plan. */
typedef struct hlmi_state_layout {
    hlmi_state_type type;
    size_t item; /* bytes of an element */
    size_t *conv_at, *scan_at; /* [n_rec] offsets in the rows of a block */
    size_t hidden_at, hidden_size; /* offset of the final hidden row; its floats */
    size_t bytes; /* of the rows of a block; 0: the plan has no recurrence */
    size_t *log_at; /* [n_rec] where a recurrence's floats are in a row of the undo log */
    size_t log_width; /* floats of such a row */
} hlmi_state_layout;

/** state_type: HLM_TYPE_DEFAULT (f32), F32, F16 or BF16. */
hlm_status hlmi_state_layout_init(hlmi_state_layout *l, const hlmi_plan *plan, int32_t state_type, const hlmi_mem *mem);
void hlmi_state_layout_free(hlmi_state_layout *l, const hlmi_mem *mem);

/** The convolution's inputs of recurrence `rec`. */
static inline void *hlmi_state_conv(const void *rows, const hlmi_state_layout *l, size_t rec)
{
    return (char *)(uintptr_t)rows + l->conv_at[rec];
}

/** The scan's state of recurrence `rec`. */
static inline void *hlmi_state_scan(const void *rows, const hlmi_state_layout *l, size_t rec)
{
    return (char *)(uintptr_t)rows + l->scan_at[rec];
}

/** The final hidden row; zeros where it is not there. */
static inline float *hlmi_state_hidden(const void *rows, const hlmi_state_layout *l)
{
    return (float *)(void *)((char *)(uintptr_t)rows + l->hidden_at);
}

#endif
