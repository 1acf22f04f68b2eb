/* The gated feed-forward block (SwiGLU) with its norm and residual. */
#include "block/block.h"

static void record(hlmi_builder *b, const void *params)
{
    const hlmi_mlp_params *p = params;
    const size_t n = p->gate.rows;
    float *h = hlmi_scratch_rows(b, b->max_rows, n);
    b->ops->linear(b, &(hlmi_linear){.x = b->x,
                                     .ldx = b->ldx,
                                     .norm = &p->norm,
                                     .n = 2,
                                     .w = {&p->gate, &p->up},
                                     .bias = {p->gate_bias, p->up_bias},
                                     .epilogue = HLMI_EP_SILU_MUL,
                                     .y = {h},
                                     .ldy = hlmi_ld(n)});
    b->ops->linear(b, &(hlmi_linear){.x = h,
                                     .ldx = hlmi_ld(n),
                                     .n = 1,
                                     .w = {&p->down},
                                     .bias = {p->down_bias},
                                     .epilogue = HLMI_EP_ADD,
                                     .y = {b->x},
                                     .ldy = b->ldx});
}

const hlmi_block_type hlmi_block_mlp = {.name = "mlp", .record = record};
