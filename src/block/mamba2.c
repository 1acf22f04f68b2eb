/* Mamba-2 (Dao and Gu 2024) with its projections and residual. */
#include <string.h>

#include "block/halves.h"

/* The recurrent part, from rows [convolution inputs | dt] alone: scan(convolution(rows)). */
static hlmi_rows recur(hlmi_builder *b, const hlmi_mamba2_params *p, hlmi_rows rows)
{
    const hlmi_recurrence *r = &b->plan->rec[p->rec];
    const size_t inner = r->heads * r->cols;
    const hlmi_rows y = hlmi_scratch_rows(b, b->max_rows, inner);
    const hlmi_rows u = hlmi_convolve(b, p->rec, p->taps, p->taps_bias, true, rows);
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
    return y;
}

/* y = g(y, z) */
static void gate(hlmi_builder *b, const hlmi_mamba2_params *p, hlmi_rows y, hlmi_rows z)
{
    const hlmi_norm_rows n = {
        .norm = &p->gate_norm, .groups = p->norm_groups, .wide = true, .kind = p->gate, .x = y, .g = z, .y = y};
    if (p->gate_norm.weight) b->ops->norm_rows(b, &n);
    else hlmi_combine_with(b, HLMI_COMBINE_SILU, p->out.w->cols, y, z);
}

hlmi_half hlmi_mamba2_in(hlmi_builder *b, const hlmi_mamba2_params *p, hlmi_rows x)
{
    const hlmi_recurrence *r = &b->plan->rec[p->rec];
    const size_t inner = p->out.w->cols;
    const hlmi_rows z = hlmi_scratch_rows(b, b->max_rows, inner + r->channels + r->extra);
    const hlmi_rows rows = hlmi_rows_from(z, inner);
    hlmi_linear in = {0};
    memcpy(in.w, p->in, sizeof p->in);
    hlmi_project(b, x, &p->norm, in, z);
    b->ops->log_write(b, p->rec, rows);
    const hlmi_rows y = recur(b, p, rows);
    gate(b, p, y, z);
    return (hlmi_half){.rows = y, .w = p->out};
}

void hlmi_mamba2_replay(hlmi_builder *b, const void *params)
{
    const hlmi_mamba2_params *p = params;
    recur(b, p, hlmi_logged(b, p->rec));
}

static void record(hlmi_builder *b, const void *params)
{
    const hlmi_mamba2_params *p = params;
    if (b->taps) b->ops->tap(b, p->layer, NULL);
    hlmi_half_add(b, hlmi_mamba2_in(b, p, b->x));
}

const hlmi_block_type hlmi_block_mamba2 = {.record = record, .replay = hlmi_mamba2_replay};
