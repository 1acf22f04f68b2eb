/* Grouped-query attention with its projections and residual. */
#include "block/halves.h"

static const hlmi_norm *present(const hlmi_norm *n)
{
    return n->weight ? n : NULL;
}

hlmi_half hlmi_attn_in(hlmi_builder *b, const hlmi_attn_params *p)
{
    const hlmi_kv_layer *kv = &b->plan->kv[p->kv];
    const size_t nq = p->n_heads * kv->head_dim, nk = kv->n_kv_heads * kv->head_dim;
    const size_t nv = kv->n_kv_heads * kv->v_dim, no = p->n_heads * kv->v_dim;
    const size_t gated = p->gate.rows ? 1 : 0, ld = hlmi_ld(nq + nk + nv + gated * no);
    float *q = hlmi_scratch_rows(b, b->max_rows, nq + nk + nv + gated * no);
    float *k = q + nq, *v = k + nk, *gate = v + nv;
    float *out = hlmi_scratch_rows(b, b->max_rows, no);

    b->ops->linear(b,
                   &(hlmi_linear){.x = b->x,
                                  .ldx = b->ldx,
                                  .norm = &p->norm,
                                  .n = 3 + gated,
                                  .w = {&p->q, &p->k, &p->v, &p->gate},
                                  .bias = {p->q_bias, p->k_bias, p->v_bias, p->gate_bias},
                                  .scale = {p->q_scale, p->k_scale, p->v_scale},
                                  .wide = {false, false, true},
                                  .y = {q, k, v, gate},
                                  .ldy = ld});
    const hlmi_attention a = {.n_heads = p->n_heads,
                              .kv = p->kv,
                              .window = p->window,
                              .scale = p->scale,
                              .q = q,
                              .k = k,
                              .v = v,
                              .ldq = ld,
                              .q_norm = present(&p->q_norm),
                              .k_norm = present(&p->k_norm),
                              .rope = p->rope,
                              .out = out,
                              .ldo = hlmi_ld(no)};
    b->ops->rope_append(b, &a);
    if (b->taps) b->ops->attention_tap(b, p->layer, &a);
    b->ops->attention(b, &a);
    if (gated)
        b->ops->combine(b,
                        &(hlmi_combine){.kind = HLMI_COMBINE_SIGMOID,
                                        .cols = no,
                                        .a = out,
                                        .lda = hlmi_ld(no),
                                        .b = gate,
                                        .ldb = ld,
                                        .y = out,
                                        .ldy = hlmi_ld(no)});
    return (hlmi_half){.rows = out, .ld = hlmi_ld(no), .w = &p->o, .bias = p->o_bias, .scale = p->o_scale};
}

void hlmi_half_add(hlmi_builder *b, const hlmi_half *h)
{
    b->ops->linear(b,
                   &(hlmi_linear){.x = h->rows,
                                  .ldx = h->ld,
                                  .n = 1,
                                  .w = {h->w},
                                  .bias = {h->bias},
                                  .scale = {h->scale},
                                  .wide = {h->wide},
                                  .epilogue = HLMI_EP_ADD,
                                  .y = {b->x},
                                  .ldy = b->ldx});
}

static void record(hlmi_builder *b, const void *params)
{
    const hlmi_attn_params *p = params;
    if (b->taps) b->ops->tap(b, p->layer, NULL);
    const hlmi_half h = hlmi_attn_in(b, p);
    hlmi_half_add(b, &h);
}

const hlmi_block_type hlmi_block_attn = {.name = "attention", .record = record};
