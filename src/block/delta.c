/* Gated delta nets (Yang et al. 2024), as in Qwen3-Next. */
#include "block/halves.h"

/* Convolution and delta rule over rows of [q | k | v | a | b]: [value heads * value size]. */
static hlmi_rows recur(hlmi_builder *b, const hlmi_delta_params *p, hlmi_rows rows)
{
    const hlmi_recurrence *r = &b->plan->rec[p->rec];
    const size_t keys = p->key_heads * r->rows;
    const hlmi_rows y = hlmi_scratch_rows(b, b->max_rows, r->heads * r->cols);
    const hlmi_rows x = hlmi_convolve(b, p->rec, p->taps, NULL, true, rows);
    b->ops->delta(b,
                  &(hlmi_delta){.rec = p->rec,
                                .key_heads = p->key_heads,
                                .turned = p->turned,
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
    return y;
}

static void record(hlmi_builder *b, const void *params)
{
    const hlmi_delta_params *p = params;
    const hlmi_recurrence *r = &b->plan->rec[p->rec];
    if (b->taps) b->ops->tap(b, p->layer, NULL);
    const hlmi_rows rows = hlmi_scratch_rows(b, b->max_rows, r->channels + r->extra + r->heads * r->cols);
    const hlmi_rows z = hlmi_rows_from(rows, r->channels + r->extra), a = hlmi_rows_from(rows, r->channels);
    const hlmi_linear qkvz = {.w = {{.w = p->q}, {.w = p->k}, {.w = p->v}, {.w = p->z}}, .y = {[3] = z}};
    hlmi_project(b, b->x, &p->norm, qkvz, rows);
    hlmi_project(b, b->x, &p->norm, (hlmi_linear){.w = {{.w = p->a}, {.w = p->b}}, .exact = true}, a);
    b->ops->log_write(b, p->rec, rows);
    const hlmi_rows y = recur(b, p, rows);
    b->ops->norm_rows(
        b,
        &(hlmi_norm_rows){
            .norm = &p->head_norm, .groups = r->heads, .kind = HLMI_GATE_SILU_AFTER, .x = y, .g = z, .y = y});
    hlmi_half_add(b, (hlmi_half){.rows = y, .w = {.w = p->out}});
}

static void replay(hlmi_builder *b, const void *params)
{
    const hlmi_delta_params *p = params;
    recur(b, p, hlmi_logged(b, p->rec));
}

const hlmi_block_type hlmi_block_delta = {.record = record, .replay = replay};
