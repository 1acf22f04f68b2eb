/* Feed-forward blocks, gated (SwiGLU) or not, with norm and residual. */
#include "block/halves.h"

hlmi_half hlmi_mlp_in(hlmi_builder *b, const hlmi_mlp_params *p)
{
    const bool gated = p->kind == HLMI_MLP_SILU_GATED;
    const hlmi_dense none = {0};
    const hlmi_linear l = {.w = {gated ? p->gate : p->up, gated ? p->up : none}, .epilogue = hlmi_activation(p->kind)};
    const hlmi_rows rows = hlmi_scratch_rows(b, b->max_rows, hlmi_width(p->up));
    hlmi_project(b, b->x, &p->norm, l, rows);
    return (hlmi_half){.rows = rows, .w = p->down, .wide = true};
}

static void record(hlmi_builder *b, const void *params)
{
    hlmi_half_add(b, hlmi_mlp_in(b, params));
}

const hlmi_block_type hlmi_block_mlp = {.record = record};
