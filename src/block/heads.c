/* Attention and Mamba-1 heads side by side (Dong et al. 2024, Hymba): one projection feeds both, their normed results
 * are averaged and projected together. */
#include "block/halves.h"
#include "block/mamba1.h"

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
    const hlmi_attn_params *a = &p->attn;
    const hlmi_mamba1_row at = hlmi_mamba1_layout(&p->mamba);
    const size_t inner = p->mamba.out.w->cols;
    const hlmi_rows rows = hlmi_scratch_rows(b, b->max_rows,
                                             at.end + hlmi_width(a->q) + hlmi_width(a->k) +
                                                 hlmi_width(a->v)); /* the mixer's, then q, k, v */
    const hlmi_rows q = hlmi_rows_from(rows, at.end), mamba = hlmi_scratch_rows(b, b->max_rows, inner);
    const hlmi_linear in = {.w = {p->mamba.u, p->mamba.z, a->q, a->k, a->v},
                            .y = {[1] = hlmi_rows_from(rows, at.z), [2] = q}};
    if (b->taps) b->ops->tap(b, p->mamba.layer, NULL);
    hlmi_project(b, b->x, &p->mamba.norm, in, rows);
    const hlmi_rows attention = hlmi_attn_of(b, a, q).rows;
    hlmi_mamba1_mix(b, &p->mamba, rows, mamba);
    finish(b, p, HLM_HIDDEN_ATTENTION, &p->attention_norm, attention);
    finish(b, p, HLM_HIDDEN_RECURRENCE, &p->mamba_norm, mamba);
    hlmi_combine_with(b, HLMI_COMBINE_MEAN, inner, attention, mamba);
    hlmi_half_add(b, (hlmi_half){.rows = attention, .w = p->mamba.out});
}

const hlmi_block_type hlmi_block_heads = {.record = record, .replay = hlmi_mamba1_replay};
