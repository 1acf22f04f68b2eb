/* Gated short convolutions, as in LFM2. */
#include "block/halves.h"

static void multiply(hlmi_builder *b, hlmi_rows y, hlmi_rows by, size_t cols)
{
    b->ops->combine(b, &(hlmi_combine){.kind = HLMI_COMBINE_MUL, .cols = cols, .a = y, .b = by, .y = y});
}

static void convolve(hlmi_builder *b, const hlmi_short_conv_params *p, hlmi_rows rows, hlmi_rows y)
{
    b->ops->conv(b, &(hlmi_conv){.rec = p->rec, .weight = p->taps, .bias = p->bias, .x = rows, .y = y});
}

static void replay(hlmi_builder *b, const void *params)
{
    const hlmi_short_conv_params *p = params;
    const size_t n = b->plan->rec[p->rec].channels;
    const hlmi_rows rows = hlmi_scratch_rows(b, b->max_rows, n);
    b->ops->log_read(b, p->rec, rows);
    convolve(b, p, rows, hlmi_scratch_rows(b, b->max_rows, n));
}

static void record(hlmi_builder *b, const void *params)
{
    const hlmi_short_conv_params *p = params;
    const size_t n = b->plan->rec[p->rec].channels;
    if (b->taps) b->ops->tap(b, p->layer, NULL);
    const hlmi_rows rows = hlmi_scratch_rows(b, b->max_rows, 3 * n), y = hlmi_scratch_rows(b, b->max_rows, n);
    const hlmi_rows c = hlmi_rows_from(rows, n), v = hlmi_rows_from(c, n);
    b->ops->linear(b,
                   &(hlmi_linear){.x = b->x,
                                  .norm = &p->norm,
                                  .n = 3,
                                  .w = {p->b, p->c, p->v},
                                  .bias = {p->b_bias, p->c_bias, p->v_bias},
                                  .y = {rows, c, v}});
    multiply(b, rows, v, n);
    b->ops->log_write(b, p->rec, rows);
    convolve(b, p, rows, y);
    multiply(b, y, c, n);
    hlmi_half_add(b, &(hlmi_half){.rows = y, .w = p->out, .bias = p->out_bias});
}

const hlmi_block_type hlmi_block_short_conv = {.record = record, .replay = replay};
