/* Grouped-query attention with its projections and residual. */
#include "block/halves.h"

static const hlmi_norm *present(const hlmi_norm *n)
{
    return n->weight ? n : NULL;
}

/* Floats of a row of each part. */
typedef struct widths {
    size_t q, k, v, out, gate;
} widths;

static widths widths_of(const hlmi_builder *b, const hlmi_attn_params *p)
{
    const hlmi_kv_layer *kv = &b->plan->kv[p->kv];
    const size_t out = p->n_heads * kv->v_dim;
    return (widths){.q = p->n_heads * kv->head_dim,
                    .k = kv->n_kv_heads * kv->head_dim,
                    .v = kv->n_kv_heads * kv->v_dim,
                    .out = out,
                    .gate = p->gate ? out : 0};
}

hlmi_half hlmi_attn_of(hlmi_builder *b, const hlmi_attn_params *p, hlmi_rows rows)
{
    const widths w = widths_of(b, p);
    const hlmi_rows k = hlmi_rows_from(rows, w.q), v = hlmi_rows_from(k, w.k),
                    out = hlmi_scratch_rows(b, b->max_rows, w.out);
    const hlmi_attention a = {.n_heads = p->n_heads,
                              .kv = p->kv,
                              .window = p->window,
                              .scale = p->scale,
                              .q = rows,
                              .k = k,
                              .v = v,
                              .q_norm = present(&p->q_norm),
                              .k_norm = present(&p->k_norm),
                              .rope = p->rope,
                              .out = out};
    b->ops->rope_append(b, &a);
    if (b->taps) b->ops->attention_tap(b, p->layer, &a);
    b->ops->attention(b, &a);
    if (w.gate)
        b->ops->combine(
            b,
            &(hlmi_combine){
                .kind = HLMI_COMBINE_SIGMOID, .cols = w.out, .a = out, .b = hlmi_rows_from(v, w.v), .y = out});
    return (hlmi_half){.rows = out, .w = p->o, .bias = p->o_bias, .scale = p->o_scale};
}

hlmi_half hlmi_attn_in(hlmi_builder *b, const hlmi_attn_params *p)
{
    const widths w = widths_of(b, p);
    const hlmi_rows q = hlmi_scratch_rows(b, b->max_rows, w.q + w.k + w.v + w.gate);
    const hlmi_rows k = hlmi_rows_from(q, w.q), v = hlmi_rows_from(k, w.k);
    b->ops->linear(b,
                   &(hlmi_linear){.x = b->x,
                                  .norm = &p->norm,
                                  .n = w.gate ? 4 : 3,
                                  .w = {p->q, p->k, p->v, p->gate},
                                  .bias = {p->q_bias, p->k_bias, p->v_bias, p->gate_bias},
                                  .scale = {p->q_scale, p->k_scale, p->v_scale},
                                  .wide = {false, false, true},
                                  .y = {q, k, v, hlmi_rows_from(v, w.v)}});
    return hlmi_attn_of(b, p, q);
}

void hlmi_half_project(hlmi_builder *b, const hlmi_half *h, hlmi_epilogue epilogue, hlmi_rows y)
{
    b->ops->linear(b,
                   &(hlmi_linear){.x = h->rows,
                                  .n = 1,
                                  .w = {h->w},
                                  .bias = {h->bias},
                                  .scale = {h->scale},
                                  .wide = {h->wide},
                                  .epilogue = epilogue,
                                  .y = {y}});
}

void hlmi_half_add(hlmi_builder *b, const hlmi_half *h)
{
    hlmi_half_project(b, h, HLMI_EP_ADD, b->x);
}

static void record(hlmi_builder *b, const void *params)
{
    const hlmi_attn_params *p = params;
    if (b->taps) b->ops->tap(b, p->layer, NULL);
    const hlmi_half h = hlmi_attn_in(b, p);
    hlmi_half_add(b, &h);
}

const hlmi_block_type hlmi_block_attn = {.record = record};
