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

hlmi_half hlmi_attn_of(hlmi_builder *b, const hlmi_attn_params *p, float *rows, size_t ld)
{
    const widths w = widths_of(b, p);
    const size_t ldo = hlmi_ld(w.out);
    float *k = rows + w.q, *v = k + w.k, *out = hlmi_scratch_rows(b, b->max_rows, w.out);
    const hlmi_attention a = {.n_heads = p->n_heads,
                              .kv = p->kv,
                              .window = p->window,
                              .scale = p->scale,
                              .q = rows,
                              .k = k,
                              .v = v,
                              .ldq = ld,
                              .q_norm = present(&p->q_norm),
                              .k_norm = present(&p->k_norm),
                              .rope = p->rope,
                              .out = out,
                              .ldo = ldo};
    b->ops->rope_append(b, &a);
    if (b->taps) b->ops->attention_tap(b, p->layer, &a);
    b->ops->attention(b, &a);
    if (w.gate)
        b->ops->combine(b,
                        &(hlmi_combine){.kind = HLMI_COMBINE_SIGMOID,
                                        .cols = w.out,
                                        .a = out,
                                        .lda = ldo,
                                        .b = v + w.v,
                                        .ldb = ld,
                                        .y = out,
                                        .ldy = ldo});
    return (hlmi_half){.rows = out, .ld = ldo, .w = p->o, .bias = p->o_bias, .scale = p->o_scale};
}

hlmi_half hlmi_attn_in(hlmi_builder *b, const hlmi_attn_params *p)
{
    const widths w = widths_of(b, p);
    const size_t width = w.q + w.k + w.v + w.gate, ld = hlmi_ld(width);
    float *q = hlmi_scratch_rows(b, b->max_rows, width), *k = q + w.q, *v = k + w.k;
    b->ops->linear(b,
                   &(hlmi_linear){.x = b->x,
                                  .ldx = b->ldx,
                                  .norm = &p->norm,
                                  .n = w.gate ? 4 : 3,
                                  .w = {p->q, p->k, p->v, p->gate},
                                  .bias = {p->q_bias, p->k_bias, p->v_bias, p->gate_bias},
                                  .scale = {p->q_scale, p->k_scale, p->v_scale},
                                  .wide = {false, false, true},
                                  .y = {q, k, v, v + w.v},
                                  .ldy = ld});
    return hlmi_attn_of(b, p, q, ld);
}

void hlmi_half_project(hlmi_builder *b, const hlmi_half *h, hlmi_epilogue epilogue, float *y, size_t ldy)
{
    b->ops->linear(b,
                   &(hlmi_linear){.x = h->rows,
                                  .ldx = h->ld,
                                  .n = 1,
                                  .w = {h->w},
                                  .bias = {h->bias},
                                  .scale = {h->scale},
                                  .wide = {h->wide},
                                  .epilogue = epilogue,
                                  .y = {y},
                                  .ldy = ldy});
}

void hlmi_half_add(hlmi_builder *b, const hlmi_half *h)
{
    hlmi_half_project(b, h, HLMI_EP_ADD, b->x, b->ldx);
}

static void record(hlmi_builder *b, const void *params)
{
    const hlmi_attn_params *p = params;
    if (b->taps) b->ops->tap(b, p->layer, NULL);
    const hlmi_half h = hlmi_attn_in(b, p);
    hlmi_half_add(b, &h);
}

const hlmi_block_type hlmi_block_attn = {.record = record};
