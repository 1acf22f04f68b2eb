/* Mamba-2 (Dao and Gu 2024) with its projections and residual. */
#include "block/halves.h"

/* The recurrent part, from rows [convolution inputs | dt] alone: y = scan(convolution(rows)). */
static void recur(hlmi_builder *b, const hlmi_mamba2_params *p, hlmi_rows rows, hlmi_rows y)
{
    const hlmi_recurrence *r = &b->plan->rec[p->rec];
    const size_t inner = r->heads * r->cols;
    const hlmi_rows u = hlmi_scratch_rows(b, b->max_rows, r->channels);
    b->ops->conv(b,
                 &(hlmi_conv){.rec = p->rec, .weight = p->taps, .bias = p->taps_bias, .silu = true, .x = rows, .y = u});
    b->ops->scan2(b,
                  &(hlmi_scan2){.rec = p->rec,
                                .groups = p->groups,
                                .a = p->a,
                                .dt_bias = p->dt_bias,
                                .d = p->d,
                                .dt_min = p->dt_min,
                                .dt_max = p->dt_max,
                                .x = u,
                                .dt = hlmi_rows_from(rows, r->channels),
                                .b = hlmi_rows_from(u, inner),
                                .c = hlmi_rows_from(u, inner + p->groups * r->rows),
                                .y = y});
}

/* y = g(y, z) */
static void gate(hlmi_builder *b, const hlmi_mamba2_params *p, hlmi_rows y, hlmi_rows z)
{
    const size_t inner = p->out->cols;
    if (!p->gate_norm.weight) {
        b->ops->combine(b, &(hlmi_combine){.kind = HLMI_COMBINE_SILU, .cols = inner, .a = y, .b = z, .y = y});
        return;
    }
    b->ops->norm_rows(
        b,
        &(hlmi_norm_rows){
            .norm = &p->gate_norm, .groups = p->norm_groups, .wide = true, .kind = p->gate, .x = y, .g = z, .y = y});
}

hlmi_half hlmi_mamba2_in(hlmi_builder *b, const hlmi_mamba2_params *p, hlmi_rows x)
{
    const hlmi_recurrence *r = &b->plan->rec[p->rec];
    const size_t inner = p->out->cols;
    const hlmi_rows z = hlmi_scratch_rows(b, b->max_rows, inner + r->channels + r->extra),
                    rows = hlmi_rows_from(z, inner);
    const hlmi_rows y = hlmi_scratch_rows(b, b->max_rows, inner);
    hlmi_linear in = {.x = x, .norm = &p->norm, .n = HLMI_SSM_PARTS};
    for (size_t i = 0, at = 0; i < HLMI_SSM_PARTS; at += p->in[i++]->rows) {
        in.w[i] = p->in[i];
        in.bias[i] = p->in_bias[i];
        in.scale[i] = p->in_scale[i];
        in.y[i] = hlmi_rows_from(z, at);
    }
    b->ops->linear(b, &in);
    b->ops->log_write(b, p->rec, rows);
    recur(b, p, rows, y);
    gate(b, p, y, z);
    return (hlmi_half){.rows = y, .w = p->out, .bias = p->out_bias, .scale = p->out_scale};
}

void hlmi_mamba2_replay(hlmi_builder *b, const hlmi_mamba2_params *p)
{
    const hlmi_recurrence *r = &b->plan->rec[p->rec];
    const hlmi_rows rows = hlmi_scratch_rows(b, b->max_rows, r->channels + r->extra);
    b->ops->log_read(b, p->rec, rows);
    recur(b, p, rows, hlmi_scratch_rows(b, b->max_rows, r->heads * r->cols));
}

static void replay(hlmi_builder *b, const void *params)
{
    hlmi_mamba2_replay(b, params);
}

static void record(hlmi_builder *b, const void *params)
{
    const hlmi_mamba2_params *p = params;
    if (b->taps) b->ops->tap(b, p->layer, NULL);
    const hlmi_half h = hlmi_mamba2_in(b, p, b->x);
    hlmi_half_add(b, &h);
}

const hlmi_block_type hlmi_block_mamba2 = {.record = record, .replay = replay};
