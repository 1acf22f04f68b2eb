/* Jamba: Mamba-1 layers and some of attention without positions, each with a feed-forward, some of which are sparse.
 * Reference: transformers' modeling_jamba. */
#include "arch/experts.h"
#include "arch/mamba1_layer.h"

#define FF HLMI_LAYER "feed_forward."
#define MIXER HLMI_LAYER "mamba."
static const hlmi_key names[HLMI_PARTS] = {
    HLMI_NAMES_ENDS("model.", "final_layernorm"),
    [HLMI_PART_ATTN_NORM] = {HLMI_LAYER "input_layernorm", "blk.%zu.attn_norm"},
    HLMI_NAMES_ATTENTION(HLMI_LAYER "self_attn."),
    [HLMI_PART_MLP_NORM] = {HLMI_LAYER "pre_ff_layernorm", "blk.%zu.ffn_norm"},
    HLMI_NAMES_MLP(FF),
    [HLMI_PART_ROUTER] = {FF "router", "blk.%zu.ffn_gate_inp"},
    HLMI_NAMES_EXPERTS(FF, "gate_proj", "up_proj", "down_proj"),
    HLMI_NAMES_MAMBA1(MIXER),
    [HLMI_PART_SSM_LOW_NORM] = {MIXER "dt_layernorm", "blk.%zu.ssm_dt_norm"},
    [HLMI_PART_SSM_B_NORM] = {MIXER "b_layernorm", "blk.%zu.ssm_b_norm"},
    [HLMI_PART_SSM_C_NORM] = {MIXER "c_layernorm", "blk.%zu.ssm_c_norm"},
};

enum { MAX_PERIOD = 1 << 16 };

/* Layers offset, offset + period, ... */
typedef struct every {
    size_t period, offset;
} every;

typedef struct family {
    hlmi_mamba1 mamba;
    every attention, sparse;
    hlmi_expert_set experts;
} family;

static bool is_in(const every *e, size_t layer)
{
    return layer % e->period == e->offset;
}

static hlm_status read_every(const hlmi_decoder *d, const char *period, int64_t every_default, const char *offset,
                             int64_t offset_default, every *e)
{
    int64_t p = 0, o = 0;
    HLMI_DO(hlmi_config_int(d->c, (hlmi_key){period, NULL}, 1, MAX_PERIOD, every_default, &p));
    HLMI_DO(hlmi_config_int(d->c, (hlmi_key){offset, NULL}, 0, p - 1, offset_default, &o));
    *e = (every){(size_t)p, (size_t)o};
    return HLM_OK;
}

static hlm_status read_experts(const hlmi_decoder *d, hlmi_expert_set *s)
{
    *s = (hlmi_expert_set){.gated = true, .width = d->hidden, .ff = d->ff};
    HLMI_DO(hlmi_config_size(d->c, (hlmi_key){"num_experts", NULL}, HLMI_MAX_EXPERTS, 16, &s->n));
    const int64_t most = s->n > 1 ? (int64_t)s->n : HLMI_MAX_EXPERTS;
    return hlmi_config_size(d->c, (hlmi_key){"num_experts_per_tok", NULL}, most, 2, &s->used);
}

static hlm_status setup(hlmi_decoder *d)
{
    static const hlmi_mamba1_keys keys = {.expand = "mamba_expand",
                                          .state = "mamba_d_state",
                                          .window = "mamba_d_conv",
                                          .dt_rank = "mamba_dt_rank",
                                          .conv_bias = "mamba_conv_bias",
                                          .proj_bias = "mamba_proj_bias"};
    int64_t window = 0;
    family *f = hlmi_plan_alloc(d->plan, 1, sizeof *f);
    if (!f) return HLM_E_NOMEM;
    d->family = f;
    d->no_rope = true;
    f->mamba.norm_eps = d->eps;
    HLMI_DO(hlmi_mamba1_read(d, &keys, &f->mamba));
    HLMI_DO(read_every(d, "attn_layer_period", 8, "attn_layer_offset", 4, &f->attention));
    HLMI_DO(read_every(d, "expert_layer_period", 2, "expert_layer_offset", 1, &f->sparse));
    HLMI_DO(read_experts(d, &f->experts));
    HLMI_DO(hlmi_config_int(d->c, (hlmi_key){"sliding_window", NULL}, 0, INT32_MAX, 0, &window));
    if (window)
        return hlmi_fail(HLM_E_UNSUPPORTED, "%s: sliding_window is %lld, expected none", hlmi_store_path(d->c->store),
                         (long long)window);
    return HLM_OK;
}

static hlm_status add_experts(const hlmi_decoder *d, size_t layer)
{
    const family *f = d->family;
    const hlmi_expert_set *s = &f->experts;
    hlmi_moe_params p = {.kind = HLMI_MLP_SILU_GATED,
                         .router = {.kind = HLMI_ROUTE_SOFTMAX, .n_experts = s->n, .top_k = s->used, .scale = 1.0f}};
    p.norm = hlmi_decoder_norm(d, HLMI_PART_MLP_NORM, layer, d->hidden);
    p.logits = hlmi_decoder_matrix(d, HLMI_PART_ROUTER, layer, s->n, d->hidden);
    p.experts = hlmi_experts_want(d, s, layer, NULL);
    return hlmi_decoder_add(d, HLMI_BLOCK_MOE, &p, sizeof p);
}

static hlm_status layer(const hlmi_decoder *d, size_t i)
{
    const family *f = d->family;
    if (is_in(&f->attention, i)) HLMI_DO(hlmi_decoder_add_attention(d, i));
    else HLMI_DO(hlmi_mamba1_add(d, &f->mamba, i));
    if (is_in(&f->sparse, i) && f->experts.n > 1) HLMI_DO(add_experts(d, i));
    else HLMI_DO(hlmi_decoder_add_mlp(d, i));
    return HLM_OK;
}

static const hlmi_decoder_spec spec = {.names = names,
                                       .sizes = {65536, 4096, 14336, 32, 32, 8, 0, 262144},
                                       .eps_key = {"rms_norm_eps", NULL},
                                       .eps = 1e-6,
                                       .setup = setup,
                                       .layer = layer};

const hlmi_arch hlmi_arch_jamba = {.hf = "jamba", .classifies = true, .spec = &spec};
