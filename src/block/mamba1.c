/* Mamba-1 (Gu and Dao 2023) with its projections and residual. */
#include "block/mamba1.h"

#include "base/size.h"
#include "block/halves.h"

enum { LINE = 16 /* floats of a cache line */ };

hlmi_mamba1_row hlmi_mamba1_layout(const hlmi_mamba1_params *p)
{
    const size_t inner = p->u.w->rows, state = p->b->rows;
    hlmi_mamba1_row r = {.dt = inner, .b = 2 * inner, .c = 2 * inner + state};
    r.z = hlmi_round_up(r.c + state, LINE);
    r.low = hlmi_round_up(r.z + inner, LINE);
    r.end = hlmi_round_up(r.low + p->dt->cols, LINE);
    return r;
}

static void norm_in_place(hlmi_builder *b, const hlmi_norm *norm, hlmi_rows x)
{
    if (!norm->weight) return;
    b->ops->norm_rows(b, &(hlmi_norm_rows){.norm = norm, .groups = 1, .x = x, .y = x, .kind = HLMI_GATE_NONE});
}

/* The rows' dt, B and C from v. */
static void select_rows(hlmi_builder *b, const hlmi_mamba1_params *p, hlmi_rows v, hlmi_rows rows)
{
    const hlmi_mamba1_row at = hlmi_mamba1_layout(p);
    const hlmi_rows low = hlmi_rows_from(rows, at.low), in = hlmi_rows_from(rows, at.b);
    const hlmi_linear dt = {.w = {{.w = p->dt}}};
    hlmi_project(b, v, NULL, (hlmi_linear){.w = {{.w = p->low}, {.w = p->b}, {.w = p->c}}, .y = {[1] = in}}, low);
    norm_in_place(b, &p->b_norm, in);
    norm_in_place(b, &p->c_norm, hlmi_rows_from(rows, at.c));
    hlmi_project(b, low, p->low_norm.weight ? &p->low_norm : NULL, dt, hlmi_rows_from(rows, at.dt));
}

/* y = the scan of v by the rows' dt, B and C, gated by z unless that is nowhere. */
static void scan(hlmi_builder *b, const hlmi_mamba1_params *p, hlmi_rows rows, hlmi_rows v, hlmi_rows z, hlmi_rows y)
{
    const hlmi_mamba1_row at = hlmi_mamba1_layout(p);
    b->ops->scan1(b,
                  &(hlmi_scan1){.rec = p->rec,
                                .a = p->a,
                                .dt_bias = p->dt_bias,
                                .d = p->d,
                                .x = v,
                                .dt = hlmi_rows_from(rows, at.dt),
                                .b = hlmi_rows_from(rows, at.b),
                                .c = hlmi_rows_from(rows, at.c),
                                .z = z,
                                .y = y});
}

void hlmi_mamba1_mix(hlmi_builder *b, const hlmi_mamba1_params *p, hlmi_rows rows, hlmi_rows y)
{
    const hlmi_rows v = hlmi_convolve(b, p->rec, p->taps, p->taps_bias, true, rows);
    select_rows(b, p, v, rows);
    b->ops->log_write(b, p->rec, rows);
    scan(b, p, rows, v, hlmi_rows_from(rows, hlmi_mamba1_layout(p).z), y);
}

void hlmi_mamba1_replay(hlmi_builder *b, const void *params)
{
    const hlmi_mamba1_params *p = params;
    const hlmi_rows rows = hlmi_logged(b, p->rec), y = hlmi_scratch_rows(b, b->max_rows, hlmi_width(p->u));
    scan(b, p, rows, hlmi_convolve(b, p->rec, p->taps, p->taps_bias, true, rows), (hlmi_rows){0}, y);
}

static void record(hlmi_builder *b, const void *params)
{
    const hlmi_mamba1_params *p = params;
    const hlmi_mamba1_row at = hlmi_mamba1_layout(p);
    if (b->taps) b->ops->tap(b, p->layer, NULL);
    const hlmi_rows rows = hlmi_scratch_rows(b, b->max_rows, at.end);
    const hlmi_rows y = hlmi_scratch_rows(b, b->max_rows, hlmi_width(p->u));
    const hlmi_linear in = {.w = {p->u, p->z}, .y = {[1] = hlmi_rows_from(rows, at.z)}};
    hlmi_project(b, b->x, &p->norm, in, rows);
    hlmi_mamba1_mix(b, p, rows, y);
    hlmi_half_add(b, (hlmi_half){.rows = y, .w = p->out});
}

const hlmi_block_type hlmi_block_mamba1 = {.record = record, .replay = hlmi_mamba1_replay};
