/* Gated delta nets (Yang et al. 2024), as in Qwen3-Next. */
#include "block/halves.h"

/* Convolution and delta rule over rows of [q | k | v | a | b], into y [value heads * value size]. */
static void recur(hlmi_builder *b, const hlmi_delta_params *p, hlmi_rows rows, hlmi_rows y)
{
    const hlmi_recurrence *r = &b->plan->rec[p->rec];
    const size_t keys = p->key_heads * r->rows;
    const hlmi_rows x = hlmi_scratch_rows(b, b->max_rows, r->channels);
    b->ops->conv(b, &(hlmi_conv){.rec = p->rec, .weight = p->taps, .silu = true, .x = rows, .y = x});
    b->ops->delta(b,
                  &(hlmi_delta){.rec = p->rec,
                                .key_heads = p->key_heads,
                                .a = p->decay,
                                .dt_bias = p->dt_bias,
                                .q_norm = &p->q_norm,
                                .k_norm = &p->k_norm,
                                .q = x,
                                .k = hlmi_rows_from(x, keys),
                                .v = hlmi_rows_from(x, 2 * keys),
                                .xa = hlmi_rows_from(rows, r->channels),
                                .xb = hlmi_rows_from(rows, r->channels + r->heads),
                                .y = y});
}

static void record(hlmi_builder *b, const void *params)
{
    const hlmi_delta_params *p = params;
    const hlmi_recurrence *r = &b->plan->rec[p->rec];
    const size_t keys = p->key_heads * r->rows, values = r->heads * r->cols, width = r->channels + r->extra + values;
    if (b->taps) b->ops->tap(b, p->layer, NULL);
    const hlmi_rows rows = hlmi_scratch_rows(b, b->max_rows, width), y = hlmi_scratch_rows(b, b->max_rows, values);
    const hlmi_rows z = hlmi_rows_from(rows, r->channels + r->extra), a = hlmi_rows_from(rows, r->channels);
    b->ops->linear(b,
                   &(hlmi_linear){.x = b->x,
                                  .norm = &p->norm,
                                  .n = 4,
                                  .w = {p->q, p->k, p->v, p->z},
                                  .y = {rows, hlmi_rows_from(rows, keys), hlmi_rows_from(rows, 2 * keys), z}});
    b->ops->linear(b,
                   &(hlmi_linear){.x = b->x,
                                  .norm = &p->norm,
                                  .n = 2,
                                  .w = {p->a, p->b},
                                  .exact = true,
                                  .y = {a, hlmi_rows_from(a, r->heads)}});
    b->ops->log_write(b, p->rec, rows);
    recur(b, p, rows, y);
    b->ops->norm_rows(
        b,
        &(hlmi_norm_rows){
            .norm = &p->head_norm, .groups = r->heads, .kind = HLMI_GATE_SILU_AFTER, .x = y, .g = z, .y = y});
    hlmi_half_add(b, &(hlmi_half){.rows = y, .w = p->out});
}

static void replay(hlmi_builder *b, const void *params)
{
    const hlmi_delta_params *p = params;
    const hlmi_recurrence *r = &b->plan->rec[p->rec];
    const hlmi_rows rows = hlmi_scratch_rows(b, b->max_rows, r->channels + r->extra);
    b->ops->log_read(b, p->rec, rows);
    recur(b, p, rows, hlmi_scratch_rows(b, b->max_rows, r->heads * r->cols));
}

const hlmi_block_type hlmi_block_delta = {.record = record, .replay = replay};
