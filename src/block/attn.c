/* Grouped-query attention with its projections and residual. */
#include "block/halves.h"

static const hlmi_norm *present(const hlmi_norm *n)
{
    return n->weight ? n : NULL;
}

hlmi_half hlmi_attn_of(hlmi_builder *b, const hlmi_attn_params *p, hlmi_rows rows)
{
    const size_t width = p->n_heads * b->plan->kv[p->kv].v_dim;
    const hlmi_rows k = hlmi_rows_from(rows, hlmi_width(p->q)), v = hlmi_rows_from(k, hlmi_width(p->k));
    const hlmi_rows nowhere = {0}, out = hlmi_scratch_rows(b, b->max_rows, width);
    const hlmi_attention a = {.n_heads = p->n_heads,
                              .kv = p->kv,
                              .window = p->window,
                              .pinned = p->pinned,
                              .scale = p->scale,
                              .q = rows,
                              .k = p->k.w ? k : nowhere,
                              .v = p->v.w ? v : nowhere,
                              .q_norm = present(&p->q_norm),
                              .k_norm = present(&p->k_norm),
                              .rope = p->rope,
                              .out = out};
    b->ops->rope_append(b, &a);
    if (b->taps) b->ops->attention_tap(b, p->layer, &a);
    b->ops->attention(b, &a);
    if (p->gate.w) hlmi_combine_with(b, HLMI_COMBINE_SIGMOID, width, out, hlmi_rows_from(v, hlmi_width(p->v)));
    return (hlmi_half){.rows = out, .w = p->o};
}

hlmi_half hlmi_attn_in(hlmi_builder *b, const hlmi_attn_params *p)
{
    const size_t width = hlmi_width(p->q) + hlmi_width(p->k) + hlmi_width(p->v) + hlmi_width(p->gate);
    const hlmi_rows rows = hlmi_scratch_rows(b, b->max_rows, width);
    const hlmi_linear l = {.w = {p->q, p->k, p->v, p->gate}, .wide = {false, false, true}};
    hlmi_project(b, b->x, &p->norm, l, rows);
    return hlmi_attn_of(b, p, rows);
}

static void record(hlmi_builder *b, const void *params)
{
    const hlmi_attn_params *p = params;
    if (b->taps) b->ops->tap(b, p->layer, NULL);
    hlmi_half_add(b, hlmi_attn_in(b, p));
}

const hlmi_block_type hlmi_block_attn = {.record = record};
