/* Mamba-2 (Dao and Gu 2024) with its projections and residual. */
#include "block/halves.h"

/* The recurrent part, from rows [convolution inputs | dt] alone: y = scan(convolution(rows)). */
static void recur(hlmi_builder *b, const hlmi_mamba2_params *p, const float *rows, size_t ld, float *y, size_t ldy)
{
    const hlmi_recurrence *r = &b->plan->rec[p->rec];
    const size_t inner = r->heads * r->cols, ldu = hlmi_ld(r->channels);
    float *u = hlmi_scratch_rows(b, b->max_rows, r->channels);
    b->ops->conv(b,
                 &(hlmi_conv){.rec = p->rec,
                              .weight = p->taps,
                              .bias = p->taps_bias,
                              .silu = true,
                              .x = rows,
                              .ldx = ld,
                              .y = u,
                              .ldy = ldu});
    b->ops->scan2(b,
                  &(hlmi_scan2){.rec = p->rec,
                                .groups = p->groups,
                                .a = p->a,
                                .dt_bias = p->dt_bias,
                                .d = p->d,
                                .dt_min = p->dt_min,
                                .dt_max = p->dt_max,
                                .x = u,
                                .ldx = ldu,
                                .dt = rows + r->channels,
                                .lddt = ld,
                                .b = u + inner,
                                .c = u + inner + p->groups * r->rows,
                                .ldbc = ldu,
                                .y = y,
                                .ldy = ldy});
}

/* y = g(y, z) */
static void gate(hlmi_builder *b, const hlmi_mamba2_params *p, float *y, size_t ldy, const float *z, size_t ldz)
{
    const size_t inner = p->out->cols;
    if (!p->gate_norm.weight) {
        b->ops->combine(
            b,
            &(hlmi_combine){
                .kind = HLMI_COMBINE_SILU, .cols = inner, .a = y, .lda = ldy, .b = z, .ldb = ldz, .y = y, .ldy = ldy});
        return;
    }
    b->ops->norm_rows(b,
                      &(hlmi_norm_rows){.norm = &p->gate_norm,
                                        .groups = p->norm_groups,
                                        .wide = true,
                                        .kind = p->gate,
                                        .x = y,
                                        .ldx = ldy,
                                        .g = z,
                                        .ldg = ldz,
                                        .y = y,
                                        .ldy = ldy});
}

hlmi_half hlmi_mamba2_in(hlmi_builder *b, const hlmi_mamba2_params *p, const float *x, size_t ldx)
{
    const hlmi_recurrence *r = &b->plan->rec[p->rec];
    const size_t inner = p->out->cols, width = inner + r->channels + r->extra, ld = hlmi_ld(width),
                 ldy = hlmi_ld(inner);
    float *z = hlmi_scratch_rows(b, b->max_rows, width), *at = z;
    float *y = hlmi_scratch_rows(b, b->max_rows, inner);
    hlmi_linear in = {.x = x, .ldx = ldx, .norm = &p->norm, .n = HLMI_SSM_PARTS, .ldy = ld};
    for (size_t i = 0; i < HLMI_SSM_PARTS; at += p->in[i++]->rows) {
        in.w[i] = p->in[i];
        in.bias[i] = p->in_bias[i];
        in.scale[i] = p->in_scale[i];
        in.y[i] = at;
    }
    b->ops->linear(b, &in);
    b->ops->log_write(b, p->rec, z + inner, ld);
    recur(b, p, z + inner, ld, y, ldy);
    gate(b, p, y, ldy, z, ld);
    return (hlmi_half){.rows = y, .ld = ldy, .w = p->out, .bias = p->out_bias, .scale = p->out_scale};
}

void hlmi_mamba2_replay(hlmi_builder *b, const hlmi_mamba2_params *p)
{
    const hlmi_recurrence *r = &b->plan->rec[p->rec];
    const size_t ld = hlmi_ld(r->channels + r->extra), inner = r->heads * r->cols;
    float *rows = hlmi_scratch_rows(b, b->max_rows, r->channels + r->extra);
    float *y = hlmi_scratch_rows(b, b->max_rows, inner);
    b->ops->log_read(b, p->rec, rows, ld);
    recur(b, p, rows, ld, y, hlmi_ld(inner));
}

static void replay(hlmi_builder *b, const void *params)
{
    hlmi_mamba2_replay(b, params);
}

static void record(hlmi_builder *b, const void *params)
{
    const hlmi_mamba2_params *p = params;
    if (b->taps) b->ops->tap(b, p->layer, NULL);
    const hlmi_half h = hlmi_mamba2_in(b, p, b->x, b->ldx);
    hlmi_half_add(b, &h);
}

const hlmi_block_type hlmi_block_mamba2 = {.record = record, .replay = replay};
