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
static void project(hlmi_builder *b, const hlmi_heads_params *p, const row_plan *at, hlmi_rows rows)
{
    hlmi_linear l = {.x = b->x,
                     .norm = &p->mamba.norm,
                     .n = 3,
                     .w = {p->mamba.u, p->mamba.z, p->q},
                     .bias = {p->mamba.u_bias, p->mamba.z_bias, p->q_bias},
                     .y = {rows, hlmi_rows_from(rows, at->mamba.z), hlmi_rows_from(rows, at->q)}};
    if (p->k) {
        l.n = 5;
        l.w[3] = p->k;
        l.w[4] = p->v;
        l.bias[3] = p->k_bias;
        l.bias[4] = p->v_bias;
        l.y[3] = hlmi_rows_from(rows, at->k);
        l.y[4] = hlmi_rows_from(rows, at->v);
    }
    b->ops->linear(b, &l);
}

static void attend(hlmi_builder *b, const hlmi_heads_params *p, const row_plan *at, hlmi_rows rows, hlmi_rows out)
{
    const bool own = p->k != NULL;
    const hlmi_attention a = {.n_heads = p->n_heads,
                              .kv = p->kv,
                              .window = p->window,
                              .pinned = p->pinned,
                              .scale = p->scale,
                              .q = hlmi_rows_from(rows, at->q),
                              .k = own ? hlmi_rows_from(rows, at->k) : (hlmi_rows){0},
                              .v = own ? hlmi_rows_from(rows, at->v) : (hlmi_rows){0},
                              .rope = p->rope,
                              .out = out};
    b->ops->rope_append(b, &a);
    if (b->taps) b->ops->attention_tap(b, p->mamba.layer, &a);
    b->ops->attention(b, &a);
}

/* A branch's result, for those who ask for it, and its norm. */
static void finish(hlmi_builder *b, const hlmi_heads_params *p, int32_t kind, const hlmi_norm *norm, hlmi_rows y)
{
    if (b->taps)
        b->ops->tap_branch(b, &(hlmi_branch){.layer = p->mamba.layer, .kind = kind, .cols = norm->size, .rows = y});
    b->ops->norm_rows(b, &(hlmi_norm_rows){.norm = norm, .groups = 1, .kind = HLMI_GATE_NONE, .x = y, .y = y});
}

static void record(hlmi_builder *b, const void *params)
{
    const hlmi_heads_params *p = params;
    const row_plan at = lay_out(b, p);
    const size_t inner = p->mamba.out->cols;
    const hlmi_rows rows = hlmi_scratch_rows(b, b->max_rows, at.end);
    const hlmi_rows attention = hlmi_scratch_rows(b, b->max_rows, inner);
    const hlmi_rows mamba = hlmi_scratch_rows(b, b->max_rows, inner);
    if (b->taps) b->ops->tap(b, p->mamba.layer, NULL);
    project(b, p, &at, rows);
    attend(b, p, &at, rows, attention);
    hlmi_mamba1_mix(b, &p->mamba, rows, mamba);
    finish(b, p, HLM_HIDDEN_ATTENTION, &p->attention_norm, attention);
    finish(b, p, HLM_HIDDEN_RECURRENCE, &p->mamba_norm, mamba);
    b->ops->combine(
        b, &(hlmi_combine){.kind = HLMI_COMBINE_MEAN, .cols = inner, .a = attention, .b = mamba, .y = attention});
    const hlmi_half h = {.rows = attention, .w = p->mamba.out, .bias = p->mamba.out_bias};
    hlmi_half_add(b, &h);
}

static void replay(hlmi_builder *b, const void *params)
{
    const hlmi_heads_params *p = params;
    hlmi_mamba1_replay(b, &p->mamba);
}

const hlmi_block_type hlmi_block_heads = {.record = record, .replay = replay};
