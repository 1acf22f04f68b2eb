/* Attention and Mamba-1 heads side by side (Dong et al. 2024, Hymba): one projection feeds both, their normed results
 * are averaged and projected together. */
#include "base/size.h"
#include "block/halves.h"
#include "block/mamba1.h"

/* Where things lie in a row: the mixer's part, then q, k and v. */
typedef struct row_plan {
    hlmi_mamba1_row mamba;
    size_t q, k, v, end;
} row_plan;

static row_plan lay_out(const hlmi_builder *b, const hlmi_heads_params *p)
{
    const hlmi_kv_layer *kv = &b->plan->kv[p->kv];
    row_plan r = {.mamba = hlmi_mamba1_layout(&p->mamba)};
    r.q = r.mamba.end;
    r.k = r.q + p->n_heads * kv->head_dim;
    r.v = r.k + (p->k ? kv->n_kv_heads * kv->head_dim : 0);
    r.end = r.v + (p->k ? kv->n_kv_heads * kv->v_dim : 0);
    return r;
}

/* Rows of everything that both read. */
static void project(hlmi_builder *b, const hlmi_heads_params *p, const row_plan *at, float *rows, size_t ld)
{
    hlmi_linear l = {.x = b->x,
                     .ldx = b->ldx,
                     .norm = &p->mamba.norm,
                     .n = 3,
                     .w = {p->mamba.u, p->mamba.z, p->q},
                     .bias = {p->mamba.u_bias, p->mamba.z_bias, p->q_bias},
                     .y = {rows, rows + at->mamba.z, rows + at->q},
                     .ldy = ld};
    if (p->k) {
        l.n = 5;
        l.w[3] = p->k;
        l.w[4] = p->v;
        l.bias[3] = p->k_bias;
        l.bias[4] = p->v_bias;
        l.y[3] = rows + at->k;
        l.y[4] = rows + at->v;
    }
    b->ops->linear(b, &l);
}

static void attend(hlmi_builder *b, const hlmi_heads_params *p, const row_plan *at, float *rows, size_t ld, float *out,
                   size_t ldo)
{
    const bool own = p->k != NULL;
    const hlmi_attention a = {.n_heads = p->n_heads,
                              .kv = p->kv,
                              .window = p->window,
                              .pinned = p->pinned,
                              .scale = p->scale,
                              .q = rows + at->q,
                              .k = own ? rows + at->k : NULL,
                              .v = own ? rows + at->v : NULL,
                              .ldq = ld,
                              .rope = p->rope,
                              .out = out,
                              .ldo = ldo};
    b->ops->rope_append(b, &a);
    if (b->taps) b->ops->attention_tap(b, p->mamba.layer, &a);
    b->ops->attention(b, &a);
}

/* A branch's result, for those who ask for it, and its norm. */
static void finish(hlmi_builder *b, const hlmi_heads_params *p, int32_t kind, const hlmi_norm *norm, float *y,
                   size_t ld)
{
    if (b->taps)
        b->ops->tap_branch(
            b, &(hlmi_branch){.layer = p->mamba.layer, .kind = kind, .cols = norm->size, .rows = y, .ld = ld});
    b->ops->norm_rows(
        b, &(hlmi_norm_rows){.norm = norm, .groups = 1, .kind = HLMI_GATE_NONE, .x = y, .ldx = ld, .y = y, .ldy = ld});
}

static void record(hlmi_builder *b, const void *params)
{
    const hlmi_heads_params *p = params;
    const row_plan at = lay_out(b, p);
    const size_t inner = p->mamba.out->cols, ld = hlmi_ld(at.end), ldo = hlmi_ld(inner);
    float *rows = hlmi_scratch_rows(b, b->max_rows, at.end);
    float *attention = hlmi_scratch_rows(b, b->max_rows, inner);
    float *mamba = hlmi_scratch_rows(b, b->max_rows, inner);
    if (b->taps) b->ops->tap(b, p->mamba.layer, NULL);
    project(b, p, &at, rows, ld);
    attend(b, p, &at, rows, ld, attention, ldo);
    hlmi_mamba1_mix(b, &p->mamba, rows, ld, mamba, ldo);
    finish(b, p, HLM_HIDDEN_ATTENTION, &p->attention_norm, attention, ldo);
    finish(b, p, HLM_HIDDEN_RECURRENCE, &p->mamba_norm, mamba, ldo);
    b->ops->combine(b,
                    &(hlmi_combine){.kind = HLMI_COMBINE_MEAN,
                                    .cols = inner,
                                    .a = attention,
                                    .lda = ldo,
                                    .b = mamba,
                                    .ldb = ldo,
                                    .y = attention,
                                    .ldy = ldo});
    const hlmi_half h = {.rows = attention, .ld = ldo, .w = p->mamba.out, .bias = p->mamba.out_bias};
    hlmi_half_add(b, &h);
}

static void replay(hlmi_builder *b, const void *params)
{
    const hlmi_heads_params *p = params;
    hlmi_mamba1_replay(b, &p->mamba);
}

const hlmi_block_type hlmi_block_heads = {.record = record, .replay = replay};
