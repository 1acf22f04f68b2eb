/* The final norm and the logits of the rows that were asked for. */
#include "block/halves.h"

/* Logits of rows that wait for the last norm. */
static void emit_logits(hlmi_builder *b, const hlmi_head_params *p, hlmi_rows rows)
{
    const hlmi_linear l = {.w = {p->w}, .wide = {true}, .epilogue = HLMI_EP_OUT};
    hlmi_project(b, rows, &p->norm, l, (hlmi_rows){0});
}

static void record(hlmi_builder *b, const void *params)
{
    const hlmi_head_params *p = params;
    if (b->taps) {
        b->ops->tap(b, HLM_HIDDEN_PRE_NORM, NULL);
        b->ops->tap(b, (int32_t)b->plan->n_layers, &p->norm);
    }
    if (!p->w.w) return; /* a model without a head */
    const hlmi_rows rows = hlmi_scratch_rows(b, b->max_out, b->plan->hidden_size);
    b->ops->pick_rows(b, rows);
    emit_logits(b, p, rows);
}

static void from_kept(hlmi_builder *b, const void *params)
{
    if (!((const hlmi_head_params *)params)->w.w) return;
    const hlmi_rows rows = hlmi_scratch_rows(b, b->max_out, b->plan->hidden_size);
    b->ops->kept_rows(b, rows);
    emit_logits(b, params, rows);
}

const hlmi_block_type hlmi_block_head = {.record = record, .from_kept = from_kept};
