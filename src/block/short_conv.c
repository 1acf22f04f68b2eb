/* Gated short convolutions, as in LFM2. */
#include "block/halves.h"

static void replay(hlmi_builder *b, const void *params)
{
    const hlmi_short_conv_params *p = params;
    hlmi_convolve(b, p->rec, p->taps, p->bias, false, hlmi_logged(b, p->rec));
}

static void record(hlmi_builder *b, const void *params)
{
    const hlmi_short_conv_params *p = params;
    const size_t n = b->plan->rec[p->rec].channels;
    if (b->taps) b->ops->tap(b, p->layer, NULL);
    const hlmi_rows rows = hlmi_scratch_rows(b, b->max_rows, 3 * n);
    hlmi_project(b, b->x, &p->norm, (hlmi_linear){.w = {p->b, p->c, p->v}}, rows);
    hlmi_combine_with(b, HLMI_COMBINE_MUL, n, rows, hlmi_rows_from(rows, 2 * n));
    b->ops->log_write(b, p->rec, rows);
    const hlmi_rows y = hlmi_convolve(b, p->rec, p->taps, p->bias, false, rows);
    hlmi_combine_with(b, HLMI_COMBINE_MUL, n, y, hlmi_rows_from(rows, n));
    hlmi_half_add(b, (hlmi_half){.rows = y, .w = p->out});
}

const hlmi_block_type hlmi_block_short_conv = {.record = record, .replay = replay};
