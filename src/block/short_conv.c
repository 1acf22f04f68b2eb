/* Gated short convolutions, as in LFM2. */
#include "block/halves.h"

static void multiply(hlmi_builder *b, float *y, size_t ldy, const float *by, size_t ldb, size_t cols)
{
    b->ops->combine(
        b,
        &(hlmi_combine){
            .kind = HLMI_COMBINE_MUL, .cols = cols, .a = y, .lda = ldy, .b = by, .ldb = ldb, .y = y, .ldy = ldy});
}

static void convolve(hlmi_builder *b, const hlmi_short_conv_params *p, const float *rows, size_t ld, float *y,
                     size_t ldy)
{
    b->ops->conv(
        b, &(hlmi_conv){.rec = p->rec, .weight = p->taps, .bias = p->bias, .x = rows, .ldx = ld, .y = y, .ldy = ldy});
}

static void replay(hlmi_builder *b, const void *params)
{
    const hlmi_short_conv_params *p = params;
    const size_t n = b->plan->rec[p->rec].channels, ld = hlmi_ld(n);
    float *rows = hlmi_scratch_rows(b, b->max_rows, n), *y = hlmi_scratch_rows(b, b->max_rows, n);
    b->ops->log_read(b, p->rec, rows, ld);
    convolve(b, p, rows, ld, y, ld);
}

static void record(hlmi_builder *b, const void *params)
{
    const hlmi_short_conv_params *p = params;
    const size_t n = b->plan->rec[p->rec].channels, ld = hlmi_ld(3 * n), ldy = hlmi_ld(n);
    if (b->taps) b->ops->tap(b, p->layer, NULL);
    float *rows = hlmi_scratch_rows(b, b->max_rows, 3 * n), *y = hlmi_scratch_rows(b, b->max_rows, n);
    float *c = rows + n, *v = rows + 2 * n;
    b->ops->linear(b,
                   &(hlmi_linear){.x = b->x,
                                  .ldx = b->ldx,
                                  .norm = &p->norm,
                                  .n = 3,
                                  .w = {p->b, p->c, p->v},
                                  .bias = {p->b_bias, p->c_bias, p->v_bias},
                                  .y = {rows, c, v},
                                  .ldy = ld});
    multiply(b, rows, ld, v, ld, n);
    b->ops->log_write(b, p->rec, rows, ld);
    convolve(b, p, rows, ld, y, ldy);
    multiply(b, y, ldy, c, ld, n);
    hlmi_half_add(b, &(hlmi_half){.rows = y, .ld = ldy, .w = p->out, .bias = p->out_bias});
}

const hlmi_block_type hlmi_block_short_conv = {.record = record, .replay = replay};
