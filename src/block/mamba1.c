/* Mamba-1 (Gu and Dao 2023) with its projections and residual. */
#include "block/mamba1.h"

#include "base/size.h"
#include "block/halves.h"

enum { LINE = 16 /* floats of a cache line */ };

hlmi_mamba1_row hlmi_mamba1_layout(const hlmi_mamba1_params *p)
{
    const size_t inner = p->u->rows, state = p->b->rows;
    hlmi_mamba1_row r = {.dt = inner, .b = 2 * inner, .c = 2 * inner + state};
    r.z = hlmi_round_up(r.c + state, LINE);
    r.low = hlmi_round_up(r.z + inner, LINE);
    r.end = hlmi_round_up(r.low + p->dt->cols, LINE);
    return r;
}

/* v = convolution of the rows' u */
static void convolve(hlmi_builder *b, const hlmi_mamba1_params *p, const float *rows, size_t ld, float *v, size_t ldv)
{
    b->ops->conv(b,
                 &(hlmi_conv){.rec = p->rec,
                              .weight = p->taps,
                              .bias = p->taps_bias,
                              .silu = true,
                              .x = rows,
                              .ldx = ld,
                              .y = v,
                              .ldy = ldv});
}

static void norm_in_place(hlmi_builder *b, const hlmi_norm *norm, float *x, size_t ld)
{
    if (!norm->weight) return;
    b->ops->norm_rows(
        b, &(hlmi_norm_rows){.norm = norm, .groups = 1, .x = x, .ldx = ld, .y = x, .ldy = ld, .kind = HLMI_GATE_NONE});
}

/* The rows' dt, B and C from v. */
static void select_rows(hlmi_builder *b, const hlmi_mamba1_params *p, const float *v, size_t ldv, float *rows,
                        size_t ld)
{
    const hlmi_mamba1_row at = hlmi_mamba1_layout(p);
    b->ops->linear(b,
                   &(hlmi_linear){.x = v,
                                  .ldx = ldv,
                                  .n = 3,
                                  .w = {p->low, p->b, p->c},
                                  .y = {rows + at.low, rows + at.b, rows + at.c},
                                  .ldy = ld});
    norm_in_place(b, &p->b_norm, rows + at.b, ld);
    norm_in_place(b, &p->c_norm, rows + at.c, ld);
    b->ops->linear(b,
                   &(hlmi_linear){.x = rows + at.low,
                                  .ldx = ld,
                                  .norm = p->low_norm.weight ? &p->low_norm : NULL,
                                  .n = 1,
                                  .w = {p->dt},
                                  .y = {rows + at.dt},
                                  .ldy = ld});
}

/* y = the scan of v by the rows' dt, B and C, gated by z unless that is NULL. */
static void scan(hlmi_builder *b, const hlmi_mamba1_params *p, const float *rows, size_t ld, const float *v, size_t ldv,
                 const float *z, float *y, size_t ldy)
{
    const hlmi_mamba1_row at = hlmi_mamba1_layout(p);
    b->ops->scan1(b,
                  &(hlmi_scan1){.rec = p->rec,
                                .a = p->a,
                                .dt_bias = p->dt_bias,
                                .d = p->d,
                                .x = v,
                                .ldx = ldv,
                                .dt = rows + at.dt,
                                .lddt = ld,
                                .b = rows + at.b,
                                .c = rows + at.c,
                                .ldbc = ld,
                                .z = z,
                                .ldz = ld,
                                .y = y,
                                .ldy = ldy});
}

void hlmi_mamba1_mix(hlmi_builder *b, const hlmi_mamba1_params *p, float *rows, size_t ld, float *y, size_t ldy)
{
    const size_t inner = p->u->rows, ldv = hlmi_ld(inner);
    float *v = hlmi_scratch_rows(b, b->max_rows, inner);
    convolve(b, p, rows, ld, v, ldv);
    select_rows(b, p, v, ldv, rows, ld);
    b->ops->log_write(b, p->rec, rows, ld);
    scan(b, p, rows, ld, v, ldv, rows + hlmi_mamba1_layout(p).z, y, ldy);
}

void hlmi_mamba1_replay(hlmi_builder *b, const hlmi_mamba1_params *p)
{
    const hlmi_recurrence *r = &b->plan->rec[p->rec];
    const size_t ld = hlmi_ld(r->channels + r->extra), ldv = hlmi_ld(r->channels);
    float *rows = hlmi_scratch_rows(b, b->max_rows, r->channels + r->extra);
    float *v = hlmi_scratch_rows(b, b->max_rows, r->channels), *y = hlmi_scratch_rows(b, b->max_rows, r->channels);
    b->ops->log_read(b, p->rec, rows, ld);
    convolve(b, p, rows, ld, v, ldv);
    scan(b, p, rows, ld, v, ldv, NULL, y, ldv);
}

hlmi_half hlmi_mamba1_in(hlmi_builder *b, const hlmi_mamba1_params *p)
{
    const hlmi_mamba1_row at = hlmi_mamba1_layout(p);
    const size_t inner = p->u->rows, ld = hlmi_ld(at.end), ldy = hlmi_ld(inner);
    float *rows = hlmi_scratch_rows(b, b->max_rows, at.end);
    float *y = hlmi_scratch_rows(b, b->max_rows, inner);
    b->ops->linear(b,
                   &(hlmi_linear){.x = b->x,
                                  .ldx = b->ldx,
                                  .norm = &p->norm,
                                  .n = 2,
                                  .w = {p->u, p->z},
                                  .bias = {p->u_bias, p->z_bias},
                                  .y = {rows, rows + at.z},
                                  .ldy = ld});
    hlmi_mamba1_mix(b, p, rows, ld, y, ldy);
    return (hlmi_half){.rows = y, .ld = ldy, .w = p->out, .bias = p->out_bias};
}

static void replay(hlmi_builder *b, const void *params)
{
    hlmi_mamba1_replay(b, params);
}

static void record(hlmi_builder *b, const void *params)
{
    const hlmi_mamba1_params *p = params;
    if (b->taps) b->ops->tap(b, p->layer, NULL);
    const hlmi_half h = hlmi_mamba1_in(b, p);
    hlmi_half_add(b, &h);
}

const hlmi_block_type hlmi_block_mamba1 = {.record = record, .replay = replay};
