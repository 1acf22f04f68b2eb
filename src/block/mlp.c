/* Feed-forward blocks, gated (SwiGLU) or not, with norm and residual. */
#include "block/halves.h"

static hlmi_linear gated(const hlmi_mlp_params *p)
{
    return (hlmi_linear){.n = 2,
                         .w = {p->gate, p->up},
                         .bias = {p->gate_bias, p->up_bias},
                         .scale = {p->gate_scale},
                         .epilogue = HLMI_EP_SILU_MUL};
}

static hlmi_linear plain(const hlmi_mlp_params *p)
{
    return (hlmi_linear){.n = 1,
                         .w = {p->up},
                         .bias = {p->up_bias},
                         .epilogue = p->kind == HLMI_MLP_GELU ? HLMI_EP_GELU : HLMI_EP_RELU2};
}

hlmi_half hlmi_mlp_in(hlmi_builder *b, const hlmi_mlp_params *p)
{
    hlmi_linear l = p->kind == HLMI_MLP_SILU_GATED ? gated(p) : plain(p);
    l.x = b->x;
    l.norm = &p->norm;
    l.y[0] = hlmi_scratch_rows(b, b->max_rows, p->up->rows);
    b->ops->linear(b, &l);
    return (hlmi_half){.rows = l.y[0], .w = p->down, .bias = p->down_bias, .scale = p->down_scale, .wide = true};
}

static void record(hlmi_builder *b, const void *params)
{
    const hlmi_half h = hlmi_mlp_in(b, params);
    hlmi_half_add(b, &h);
}

const hlmi_block_type hlmi_block_mlp = {.record = record};
