/* Attention and another half side by side: both read the residual stream before either adds to it. */
#include "block/halves.h"

static void record(hlmi_builder *b, const void *params)
{
    const hlmi_parallel_params *p = params;
    if (b->taps) b->ops->tap(b, p->attn.layer, NULL);
    const hlmi_half attn = hlmi_attn_in(b, &p->attn), mlp = hlmi_mlp_in(b, &p->mlp);
    hlmi_half_add(b, attn);
    hlmi_half_add(b, mlp);
}

static void record_hybrid2(hlmi_builder *b, const void *params)
{
    const hlmi_hybrid2_params *p = params;
    if (b->taps) b->ops->tap(b, p->attn.layer, NULL);
    const hlmi_half attn = hlmi_attn_in(b, &p->attn), ssm = hlmi_mamba2_in(b, &p->ssm, b->x);
    hlmi_half_add(b, attn);
    hlmi_half_add(b, ssm);
}

const hlmi_block_type hlmi_block_parallel = {.record = record};
const hlmi_block_type hlmi_block_hybrid2 = {.record = record_hybrid2, .replay = hlmi_mamba2_replay};
