/* Jamba: Mamba-1 layers and some of attention without positions, each with a feed-forward, some of which are sparse.
 * Reference: transformers' modeling_jamba. */
#include "arch/experts.h"
#include "arch/mamba1_layer.h"

#define LAYER "model.layers.%zu."

static const hlmi_mamba1_names mixer_names = {.in = "in_proj",
                                              .conv = "conv1d",
                                              .select = "x_proj",
                                              .dt = "dt_proj",
                                              .decay = "A_log",
                                              .skip = "D",
                                              .out = "out_proj",
                                              .low_norm = "dt_layernorm",
                                              .b_norm = "b_layernorm",
                                              .c_norm = "c_layernorm"};

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
    hlm_status st;
    int64_t p = 0, o = 0;
    HLMI_TRY(hlmi_config_int(d->c, (hlmi_key){period, NULL}, 1, MAX_PERIOD, every_default, &p));
    HLMI_TRY(hlmi_config_int(d->c, (hlmi_key){offset, NULL}, 0, p - 1, offset_default, &o));
    *e = (every){(size_t)p, (size_t)o};
done:
    return st;
}

static hlm_status read_experts(const hlmi_decoder *d, hlmi_expert_set *s)
{
    hlm_status st;
    int64_t n = 0, used = 0;
    HLMI_TRY(hlmi_config_int(d->c, (hlmi_key){"num_experts", NULL}, 1, HLMI_MAX_EXPERTS, 16, &n));
    HLMI_TRY(hlmi_config_int(d->c, (hlmi_key){"num_experts_per_tok", NULL}, 1, n > 1 ? n : HLMI_MAX_EXPERTS, 2, &used));
    *s = (hlmi_expert_set){.gate = {LAYER "feed_forward.experts.%e.gate_proj", NULL},
                           .up = {LAYER "feed_forward.experts.%e.up_proj", NULL},
                           .down = {LAYER "feed_forward.experts.%e.down_proj", NULL},
                           .n = (size_t)n,
                           .used = (size_t)used,
                           .width = d->hidden,
                           .ff = d->ff};
done:
    return st;
}

static hlm_status setup(hlmi_decoder *d)
{
    static const hlmi_mamba1_keys keys = {.expand = "mamba_expand",
                                          .state = "mamba_d_state",
                                          .window = "mamba_d_conv",
                                          .dt_rank = "mamba_dt_rank",
                                          .conv_bias = "mamba_conv_bias",
                                          .proj_bias = "mamba_proj_bias"};
    hlm_status st;
    int64_t window = 0;
    family *f = hlmi_plan_alloc(d->plan, 1, sizeof *f);
    if (!f) return hlmi_nomem(sizeof *f, "settings");
    d->family = f;
    d->no_rope = true;
    f->mamba = (hlmi_mamba1){.names = &mixer_names, .norm_eps = d->eps};
    HLMI_TRY(hlmi_mamba1_read(d, &keys, &f->mamba));
    HLMI_TRY(read_every(d, "attn_layer_period", 8, "attn_layer_offset", 4, &f->attention));
    HLMI_TRY(read_every(d, "expert_layer_period", 2, "expert_layer_offset", 1, &f->sparse));
    HLMI_TRY(read_experts(d, &f->experts));
    HLMI_TRY(hlmi_config_int(d->c, (hlmi_key){"sliding_window", NULL}, 0, INT32_MAX, 0, &window));
    if (window)
        HLMI_TRY(hlmi_fail(HLM_E_UNSUPPORTED, "%s: sliding_window is %lld, expected none", hlmi_store_path(d->c->store),
                           (long long)window));
done:
    return st;
}

static hlm_status add_experts(const hlmi_decoder *d, size_t layer)
{
    hlm_status st;
    const family *f = d->family;
    const hlmi_expert_set *s = &f->experts;
    const hlmi_key router = {LAYER "feed_forward.router", NULL};
    hlmi_moe_params p = {.kind = HLMI_MLP_SILU_GATED,
                         .router = {.kind = HLMI_ROUTE_SOFTMAX, .n_experts = s->n, .top_k = s->used, .scale = 1.0f}};
    HLMI_TRY(hlmi_decoder_norm(d, HLMI_PART_MLP_NORM, layer, d->hidden, &p.norm));
    HLMI_TRY(hlmi_loader_matrix(d->l, hlmi_decoder_name(d, router, layer, ".weight").text, s->n, d->hidden, NULL,
                                &p.logits));
    hlmi_expert *experts = hlmi_plan_alloc(d->plan, s->n, sizeof *experts);
    if (!experts) HLMI_TRY(hlmi_nomem(s->n * sizeof *experts, "experts"));
    HLMI_TRY(hlmi_experts_load(d, s, layer, experts));
    p.experts = experts;
    HLMI_TRY(hlmi_plan_add(d->plan, HLMI_BLOCK_MOE, &p, sizeof p));
done:
    return st;
}

static hlm_status layer(const hlmi_decoder *d, size_t i)
{
    hlm_status st;
    const family *f = d->family;
    if (is_in(&f->attention, i)) HLMI_TRY(hlmi_decoder_add_attention(d, i));
    else HLMI_TRY(hlmi_mamba1_add(d, &f->mamba, LAYER "mamba.", i));
    if (is_in(&f->sparse, i) && f->experts.n > 1) HLMI_TRY(add_experts(d, i));
    else HLMI_TRY(hlmi_decoder_add_mlp(d, i));
done:
    return st;
}

static hlm_status build(const hlmi_config *c, hlmi_loader *l, hlmi_plan *plan)
{
    static const hlmi_decoder_spec spec = {.names = hlmi_bamba_names,
                                           .sizes = {.vocab = 65536,
                                                     .hidden = 4096,
                                                     .ff = 14336,
                                                     .layers = 32,
                                                     .heads = 32,
                                                     .kv_heads = 8,
                                                     .positions = 262144},
                                           .eps_key = {"rms_norm_eps", NULL},
                                           .eps = 1e-6,
                                           .setup = setup,
                                           .layer = layer};
    return hlmi_decoder_build(&spec, c, l, plan);
}

const hlmi_arch hlmi_arch_jamba = {.hf = "jamba", .classifies = true, .build = build};
