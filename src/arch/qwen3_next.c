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
    hlmi_experts experts;
    size_t sparse_step;
} family;

static hlm_status read_experts(const hlmi_decoder *d, family *f)
{
    const hlmi_config *c = d->c;
    int64_t n = 0;
    hlmi_experts *e = &f->experts;
    hlmi_router *r = &e->router;
    HLMI_DO(hlmi_config_int(c, (hlmi_key){"num_experts", NULL}, 0, HLMI_MAX_EXPERTS, 512, &n));
    r->n_experts = (size_t)n;
    HLMI_DO(hlmi_config_size(c, (hlmi_key){"num_experts_per_tok", NULL}, n ? n : HLMI_MAX_EXPERTS, 10, &r->top_k));
    HLMI_DO(hlmi_config_size(c, (hlmi_key){"moe_intermediate_size", NULL}, MAX_FF, 512, &e->ff));
    HLMI_DO(hlmi_config_size(c, (hlmi_key){"shared_expert_intermediate_size", NULL}, MAX_FF, 512, &e->shared_ff));
    HLMI_DO(hlmi_config_size(c, (hlmi_key){"decoder_sparse_step", NULL}, MAX_LAYERS, 1, &f->sparse_step));
    return hlmi_config_bool(c, (hlmi_key){"norm_topk_prob", NULL}, true, &r->normalise);
}

static hlm_status setup(hlmi_decoder *d)
{
    family *f = d->family;
    HLMI_DO(hlmi_delta_net_read(d->c, &f->net));
    return read_experts(d, f);
}

static hlm_status add_feed_forward(const hlmi_decoder *d, const family *f, size_t layer)
{
    bool dense = false;
    HLMI_DO(hlmi_config_list_has(d->c, "mlp_only_layers", 0, MAX_LAYERS, (int64_t)layer, &dense));
    const bool sparse = !dense && f->experts.router.n_experts && (layer + 1) % f->sparse_step == 0;
    return sparse ? hlmi_experts_add(d, &f->experts, layer, NULL) : hlmi_decoder_add_mlp(d, layer);
}

static hlm_status layer(const hlmi_decoder *d, size_t i)
{
    const family *f = d->family;
    HLMI_DO(hlmi_delta_net_layer(d, &f->net, i));
    return add_feed_forward(d, f, i);
}

static const family usual = {
    .net = {.fused = true},
    .experts = {.router = {.kind = HLMI_ROUTE_SOFTMAX, .scale = 1.0f, .shared = 1.0f, .shared_gated = true}}};

static const hlmi_decoder_spec spec = {HLMI_DELTA_NET_SPEC,
                                       .names = names,
                                       .sizes = {151936, 2048, 5632, 48, 16, 2, 256, 32768},
                                       .setup = setup,
                                       .family_size = sizeof usual,
                                       .usual = &usual,
                                       .layer = layer};

static const char *const left_out[] = {"mtp.", "model.mtp.", NULL}; /* predict further tokens */

const hlmi_arch hlmi_arch_qwen3_next = {
    .name = {"qwen3_next", NULL}, .classifies = true, .left_out = left_out, .spec = &spec};
