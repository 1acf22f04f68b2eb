/* Granite 4: Mamba-2 and attention layers with a shared feed-forward (and experts), and multipliers of what goes in,
 * what is added, scores and logits. Reference: transformers' modeling_granitemoehybrid. */
#include <string.h>

#include "arch/experts.h"
#include "arch/mamba2_layer.h"

static const hlmi_key names[HLMI_PARTS] = {
    HLMI_NAMES_ENDS("model.", "embed_tokens", "norm"),
    HLMI_NAMES_NORMS("input_layernorm", "post_attention_layernorm"),
    HLMI_NAMES_ATTENTION(HLMI_LAYER "self_attn."),
    [HLMI_PART_GATE] = {HLMI_LAYER "shared_mlp.input_linear", "blk.%zu.ffn_gate"},
    [HLMI_PART_UP] = {HLMI_LAYER "shared_mlp.input_linear", "blk.%zu.ffn_up"},
    [HLMI_PART_DOWN] = {HLMI_LAYER "shared_mlp.output_linear", "blk.%zu.ffn_down"},
    [HLMI_PART_ROUTER] = {HLMI_LAYER "block_sparse_moe.router.layer", "blk.%zu.ffn_gate_inp"},
    [HLMI_PART_STACK_GATE] = {HLMI_LAYER "block_sparse_moe.input_linear", "blk.%zu.ffn_gate_exps"},
    [HLMI_PART_STACK_UP] = {HLMI_LAYER "block_sparse_moe.input_linear", "blk.%zu.ffn_up_exps"},
    [HLMI_PART_STACK_DOWN] = {HLMI_LAYER "block_sparse_moe.output_linear", "blk.%zu.ffn_down_exps"},
    HLMI_NAMES_MAMBA2(HLMI_LAYER "mamba."),
};

typedef struct granite {
    hlmi_mamba2 mamba;
    hlmi_experts experts;
} granite;

static hlm_status multiplier(const hlmi_decoder *d, const char *key, double *out)
{
    return hlmi_config_float(d->c, (hlmi_key){key, NULL}, 1e-6, 1e6, 1.0, out);
}

static hlm_status read_multipliers(hlmi_decoder *d, granite *g)
{
    double embed = 1, residual = 1, attention = 1, logits = 1;
    HLMI_DO(multiplier(d, "embedding_multiplier", &embed));
    HLMI_DO(multiplier(d, "residual_multiplier", &residual));
    HLMI_DO(multiplier(d, "attention_multiplier", &attention));
    HLMI_DO(multiplier(d, "logits_scaling", &logits));
    d->embed_scale = (float)embed;
    d->attn_scale = (float)attention;
    if (logits != 1.0) d->logit_scale = (float)(1.0 / logits);
    g->experts.router.scale = g->experts.router.shared = (float)residual;
    if (residual != 1.0) d->residual = hlmi_decoder_fill(d, d->hidden, residual);
    return HLM_OK;
}

/* Positions turn q and k only where the setting says "rope". */
static hlm_status read_positions(hlmi_decoder *d)
{
    hlmi_str kind;
    const hlm_status st = hlmi_config_string(d->c, (hlmi_key){"position_embedding_type", NULL}, &kind);
    d->no_rope = !kind.s || strcmp(kind.s, "rope") != 0;
    return st;
}

/* intermediate_size is the experts'; the shared feed-forward has a size of its own. */
static hlm_status read_experts(const hlmi_decoder *d, hlmi_experts *e)
{
    int64_t n = 0;
    e->ff = d->ff;
    HLMI_DO(hlmi_config_int(d->c, (hlmi_key){"num_local_experts", NULL}, 0, HLMI_MAX_EXPERTS, 8, &n));
    e->router.n_experts = (size_t)n;
    return n ? hlmi_config_size(d->c, (hlmi_key){"num_experts_per_tok", NULL}, n, 2, &e->router.top_k) : HLM_OK;
}

static hlm_status setup(hlmi_decoder *d)
{
    granite *g = d->family;
    HLMI_DO(read_experts(d, &g->experts));
    HLMI_DO(hlmi_config_size(d->c, (hlmi_key){"shared_intermediate_size", NULL}, 1 << 24, 1024, &d->ff));
    HLMI_DO(read_multipliers(d, g));
    HLMI_DO(read_positions(d));
    return hlmi_mamba2_read(d, &hlmi_bamba_keys, &g->mamba);
}

/* Does the layer have attention? Without the setting none has. */
static hlm_status has_attention(const hlmi_decoder *d, size_t layer, bool *out)
{
    static const char *const kinds[] = {"mamba", "linear_attention", "attention", "full_attention"};
    size_t kind = 0;
    const char *key = hlmi_config_has(d->c, (hlmi_key){"layer_types", NULL}) ? "layer_types" : "layers_block_type";
    const hlm_status st =
        hlmi_config_choice_at(d->c, key, layer, d->layers, kinds, sizeof kinds / sizeof *kinds, &kind);
    *out = kind >= 2;
    return st;
}

static hlm_status layer(const hlmi_decoder *d, size_t i)
{
    const granite *g = d->family;
    bool attention = false;
    hlmi_mlp_params shared;
    HLMI_DO(has_attention(d, i, &attention));
    HLMI_DO(attention ? hlmi_decoder_add_attention(d, i) : hlmi_mamba2_add(d, &g->mamba, i));
    if (!g->experts.router.n_experts) return hlmi_decoder_add_mlp(d, i);
    hlmi_decoder_mlp(d, i, &shared);
    return hlmi_experts_add(d, &g->experts, i, &shared);
}

static const granite usual = {.mamba = {HLMI_BAMBA_USUAL}, .experts = {.router = {.kind = HLMI_ROUTE_TOP_SOFTMAX}}};

static const hlmi_decoder_spec spec = {.names = names,
                                       .qkv_bias = HLMI_BIAS_ATTENTION,
                                       .o_bias = HLMI_BIAS_ATTENTION,
                                       .sizes = {32000, 4096, 11008, 32, 32, 0, 0, 2048},
                                       .eps = 1e-6,
                                       .gate_in_up = true,
                                       .family_size = sizeof usual,
                                       .usual = &usual,
                                       .setup = setup,
                                       .layer = layer};

const hlmi_arch hlmi_arch_granite_hybrid = {.name = {"granitemoehybrid", NULL}, .spec = &spec};
