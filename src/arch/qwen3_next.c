/* Qwen3-Next: gated delta nets and attention with an output gate, sparse feed-forward with a shared expert. Reference:
 * transformers' modeling_qwen3_next. */
#include "arch/delta_net.h"
#include "arch/experts.h"

enum { MAX_FF = 1 << 24, MAX_LAYERS = 1 << 16 };

#define MLP HLMI_LAYER "mlp."
#define NET HLMI_LAYER "linear_attn."
static const hlmi_key names[HLMI_PARTS] = {
    HLMI_NAMES_DELTA(NET),
    [HLMI_PART_DELTA_Q] = {NET "in_proj_qkvz", "blk.%zu.attn_qkv"},
    [HLMI_PART_DELTA_K] = {NET "in_proj_qkvz", "blk.%zu.attn_qkv"},
    [HLMI_PART_DELTA_V] = {NET "in_proj_qkvz", "blk.%zu.attn_qkv"},
    [HLMI_PART_SSM_Z] = {NET "in_proj_qkvz", "blk.%zu.attn_gate"},
    [HLMI_PART_DELTA_B] = {NET "in_proj_ba", "blk.%zu.ssm_ba"},
    [HLMI_PART_DELTA_A] = {NET "in_proj_ba", "blk.%zu.ssm_ba"},
    [HLMI_PART_ROUTER] = {MLP "gate", "blk.%zu.ffn_gate_inp"},
    HLMI_NAMES_EXPERTS(MLP, "gate_proj", "up_proj", "down_proj"),
    [HLMI_PART_SHARED_SCALE] = {MLP "shared_expert_gate", "blk.%zu.ffn_gate_inp_shexp"},
    [HLMI_PART_SHARED_GATE] = {MLP "shared_expert.gate_proj", "blk.%zu.ffn_gate_shexp"},
    [HLMI_PART_SHARED_UP] = {MLP "shared_expert.up_proj", "blk.%zu.ffn_up_shexp"},
    [HLMI_PART_SHARED_DOWN] = {MLP "shared_expert.down_proj", "blk.%zu.ffn_down_shexp"},
};

typedef struct family {
    hlmi_delta_net net;
    hlmi_expert_set experts; /* n 0: all layers are dense */
    size_t shared_ff, sparse_step;
    bool normalise;
} family;

static hlm_status read_experts(const hlmi_decoder *d, family *f)
{
    const hlmi_config *c = d->c;
    int64_t n = 0;
    hlmi_expert_set *s = &f->experts;
    *s = (hlmi_expert_set){.gated = true, .width = d->hidden};
    HLMI_DO(hlmi_config_int(c, (hlmi_key){"num_experts", NULL}, 0, HLMI_MAX_EXPERTS, 512, &n));
    s->n = (size_t)n;
    HLMI_DO(hlmi_config_size(c, (hlmi_key){"num_experts_per_tok", NULL}, n ? n : HLMI_MAX_EXPERTS, 10, &s->used));
    HLMI_DO(hlmi_config_size(c, (hlmi_key){"moe_intermediate_size", NULL}, MAX_FF, 512, &s->ff));
    HLMI_DO(hlmi_config_size(c, (hlmi_key){"shared_expert_intermediate_size", NULL}, MAX_FF, 512, &f->shared_ff));
    HLMI_DO(hlmi_config_size(c, (hlmi_key){"decoder_sparse_step", NULL}, MAX_LAYERS, 1, &f->sparse_step));
    return hlmi_config_bool(c, (hlmi_key){"norm_topk_prob", NULL}, true, &f->normalise);
}

static hlm_status setup(hlmi_decoder *d)
{
    family *f = hlmi_plan_alloc(d->plan, 1, sizeof *f);
    if (!f) return HLM_E_NOMEM;
    HLMI_DO(hlmi_delta_net_read(d->c, &f->net));
    f->net.fused = true;
    HLMI_DO(read_experts(d, f));
    d->family = f;
    return HLM_OK;
}

static hlm_status add_sparse(const hlmi_decoder *d, const family *f, size_t layer)
{
    const size_t n = f->experts.n;
    hlmi_moe_params p = {.kind = HLMI_MLP_SILU_GATED,
                         .router = {.kind = HLMI_ROUTE_SOFTMAX,
                                    .n_experts = n,
                                    .top_k = f->experts.used,
                                    .normalise = f->normalise,
                                    .scale = 1.0f,
                                    .shared = 1.0f,
                                    .shared_gated = true}};
    p.norm = hlmi_decoder_norm(d, HLMI_PART_MLP_NORM, layer, d->hidden);
    p.logits = hlmi_decoder_matrix(d, HLMI_PART_ROUTER, layer, n, d->hidden);
    p.shared_gate = hlmi_decoder_matrix(d, HLMI_PART_SHARED_SCALE, layer, 1, d->hidden);
    const hlmi_expert shared = {.gate = hlmi_decoder_matrix(d, HLMI_PART_SHARED_GATE, layer, f->shared_ff, d->hidden),
                                .up = hlmi_decoder_matrix(d, HLMI_PART_SHARED_UP, layer, f->shared_ff, d->hidden),
                                .down = hlmi_decoder_matrix(d, HLMI_PART_SHARED_DOWN, layer, d->hidden, f->shared_ff)};
    p.experts = hlmi_experts_want(d, &f->experts, layer, &shared);
    return hlmi_decoder_add(d, HLMI_BLOCK_MOE, &p, sizeof p);
}

static hlm_status add_feed_forward(const hlmi_decoder *d, const family *f, size_t layer)
{
    bool dense = false;
    HLMI_DO(hlmi_config_list_has(d->c, "mlp_only_layers", 0, MAX_LAYERS, (int64_t)layer, &dense));
    const bool sparse = !dense && f->experts.n && (layer + 1) % f->sparse_step == 0;
    return sparse ? add_sparse(d, f, layer) : hlmi_decoder_add_mlp(d, layer);
}

static hlm_status layer(const hlmi_decoder *d, size_t i)
{
    const family *f = d->family;
    HLMI_DO(hlmi_delta_net_layer(d, &f->net, i));
    return add_feed_forward(d, f, i);
}

static const hlmi_decoder_spec spec = {HLMI_DELTA_NET_SPEC, .names = names,
                                       .sizes = {151936, 2048, 5632, 48, 16, 2, 256, 32768}, .setup = setup,
                                       .layer = layer};

static const char *const left_out[] = {"mtp.", "model.mtp.", NULL}; /* predict further tokens */

const hlmi_arch hlmi_arch_qwen3_next = {.hf = "qwen3_next", .classifies = true, .left_out = left_out, .spec = &spec};
