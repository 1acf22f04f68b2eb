/* Where things lie in the rows of a state block and of the undo log: pure geometry, for who keeps them (state/item.h,
 * state/undo.h) and who computes on them.
 *
 * In a block, for each recurrence of the plan: the newest inputs of the convolution [window][channels], oldest first,
 * then the scan's state [heads][rows][cols], all of the layout's type, each part 64-byte aligned. At the end stands the
 * final hidden row of the position, f32 before the last norm, from which the head alone makes the logits. Each of them
 * is at the place that computes on it. */
#ifndef HLMI_PLAN_STATE_LAYOUT_H
#define HLMI_PLAN_STATE_LAYOUT_H

#include "kernel/kernel.h"
#include "place/place.h"
#include "plan/plan.h"

/** What is at one place in the rows of a state, or of the undo log. */
typedef struct hlmi_field {
    size_t place, at, bytes;
    size_t side; /* where it is when all lie side by side, as in snapshots */
} hlmi_field;

/** Where things lie in a state block of one plan. */
typedef struct hlmi_state_layout {
    hlmi_state_type type;
    size_t item; /* bytes of an element */
    hlmi_field *fields; /* [2 * n_rec + 1] convolution and scan of each recurrence, and the final hidden row */
    hlmi_field *hidden;
    size_t n_fields, hidden_size; /* floats of the hidden row */
    size_t bytes; /* of all side by side; 0: the plan has no recurrence */
    size_t rows[HLMI_PLACES]; /* bytes at each place */
    hlmi_field *log; /* [n_rec] of each recurrence in a row of the undo log */
    size_t log_bytes, log_rows[HLMI_PLACES]; /* likewise */
} hlmi_state_layout;

/** state_type: HLM_TYPE_DEFAULT (f32), F32, F16 or BF16. */
hlm_status hlmi_state_layout_init(hlmi_state_layout *l, const hlmi_plan *plan, int32_t state_type, const hlmi_mem *mem);
void hlmi_state_layout_free(hlmi_state_layout *l, const hlmi_mem *mem);

static inline void *hlmi_field_of(void *const *rows, const hlmi_field *f)
{
    return (char *)rows[f->place] + f->at;
}

/** The convolution's inputs of recurrence `rec`; rows: addresses by place, as a state's or a row's header has them. */
static inline void *hlmi_state_conv(void *const *rows, const hlmi_state_layout *l, size_t rec)
{
    return hlmi_field_of(rows, &l->fields[2 * rec]);
}

/** The scan's state of recurrence `rec`. */
static inline void *hlmi_state_scan(void *const *rows, const hlmi_state_layout *l, size_t rec)
{
    return hlmi_field_of(rows, &l->fields[2 * rec + 1]);
}

/** The final hidden row; zeros where it is not there. */
static inline float *hlmi_state_hidden(void *const *rows, const hlmi_state_layout *l)
{
    return hlmi_field_of(rows, l->hidden);
}

#endif
