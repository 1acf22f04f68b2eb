/* Granite 4: Mamba-2 and attention layers with a shared feed-forward (and experts), and multipliers of what goes in, what
 * is added, scores and logits. Reference: transformers' modeling_granitemoehybrid. */
#include <string.h>

#include "arch/experts.h"
#include "arch/mamba2_layer.h"

#define LAYER "model.layers.%zu."
static const hlmi_key names[HLMI_PARTS] = {
    [HLMI_PART_EMBED] = {"model.embed_tokens", NULL},
    [HLMI_PART_FINAL_NORM] = {"model.norm", NULL},
    [HLMI_PART_HEAD] = {"lm_head", NULL},
    [HLMI_PART_ATTN_NORM] = {LAYER "input_layernorm", NULL},
    [HLMI_PART_Q] = {LAYER "self_attn.q_proj", NULL},
    [HLMI_PART_K] = {LAYER "self_attn.k_proj", NULL},
    [HLMI_PART_V] = {LAYER "self_attn.v_proj", NULL},
    [HLMI_PART_O] = {LAYER "self_attn.o_proj", NULL},
    [HLMI_PART_MLP_NORM] = {LAYER "post_attention_layernorm", NULL},
    [HLMI_PART_UP] = {LAYER "shared_mlp.input_linear", NULL},
    [HLMI_PART_DOWN] = {LAYER "shared_mlp.output_linear", NULL},
};

typedef struct granite {
    hlmi_mamba2 mamba;
    hlmi_expert_set experts; /* n 0: none */
    float residual; /* multiplier of what blocks add */
} granite;

static hlm_status multiplier(const hlmi_decoder *d, const char *key, double *out)
{
    return hlmi_config_float(d->c, (hlmi_key){key, NULL}, 1e-6, 1e6, 1.0, out);
}

static hlm_status read_multipliers(hlmi_decoder *d, granite *g)
{
    hlm_status st;
    double embed = 1, residual = 1, attention = 1, logits = 1;
    HLMI_TRY(multiplier(d, "embedding_multiplier", &embed));
    HLMI_TRY(multiplier(d, "residual_multiplier", &residual));
    HLMI_TRY(multiplier(d, "attention_multiplier", &attention));
    HLMI_TRY(multiplier(d, "logits_scaling", &logits));
    d->embed_scale = (float)embed;
    d->attn_scale = (float)attention;
    if (logits != 1.0) d->logit_scale = (float)(1.0 / logits);
    g->residual = (float)residual;
    if (residual != 1.0) HLMI_TRY(hlmi_decoder_fill(d, d->hidden, residual, &d->residual));
done:
    return st;
}

/* Positions turn q and k only where the setting says "rope". */
static hlm_status read_positions(hlmi_decoder *d)
{
    const char *kind = NULL;
    size_t len = 0;
    const hlm_status st = hlmi_config_string(d->c, (hlmi_key){"position_embedding_type", NULL}, &kind, &len);
    d->no_rope = !kind || strcmp(kind, "rope") != 0;
    return st;
}

/* intermediate_size is the experts'; the shared feed-forward has a size of its own. */
static hlm_status read_experts(const hlmi_decoder *d, hlmi_expert_set *s)
{
    hlm_status st;
    int64_t n = 0, used = 0;
    HLMI_TRY(hlmi_config_int(d->c, (hlmi_key){"num_local_experts", NULL}, 0, HLMI_MAX_EXPERTS, 8, &n));
    if (n) HLMI_TRY(hlmi_config_int(d->c, (hlmi_key){"num_experts_per_tok", NULL}, 1, n, 2, &used));
    *s = (hlmi_expert_set){.all_up = {LAYER "block_sparse_moe.input_linear", NULL},
                           .all_down = {LAYER "block_sparse_moe.output_linear", NULL},
                           .gate_in_up = true,
                           .n = (size_t)n,
                           .used = (size_t)used,
                           .width = d->hidden,
                           .ff = d->ff};
done:
    return st;
}

static hlm_status setup(hlmi_decoder *d)
{
    hlm_status st;
    int64_t ff = 0;
    granite *g = hlmi_plan_alloc(d->plan, 1, sizeof *g);
    if (!g) return hlmi_nomem(sizeof *g, "settings");
    g->mamba = (hlmi_mamba2){.heads = 128, .state = 256, .groups = 1, .window = 4, .conv_bias = true};
    d->family = g;
    HLMI_TRY(read_experts(d, &g->experts));
    HLMI_TRY(hlmi_config_int(d->c, (hlmi_key){"shared_intermediate_size", NULL}, 1, 1 << 24, 1024, &ff));
    d->ff = (size_t)ff;
    HLMI_TRY(read_multipliers(d, g));
    HLMI_TRY(read_positions(d));
    HLMI_TRY(hlmi_mamba2_read(d, &hlmi_bamba_keys, &g->mamba));
done:
    return st;
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

/* The shared feed-forward is one more expert, which every token chooses. */
static hlm_status add_moe(const hlmi_decoder *d, size_t layer)
{
    hlm_status st;
    const granite *g = d->family;
    const size_t n = g->experts.n;
    const hlmi_key router = {LAYER "block_sparse_moe.router.layer", NULL};
    hlmi_mlp_params shared;
    hlmi_moe_params p = {.kind = HLMI_MLP_SILU_GATED,
                         .router = {.kind = HLMI_ROUTE_TOP_SOFTMAX,
                                    .n_experts = n,
                                    .top_k = g->experts.used,
                                    .scale = g->residual,
                                    .shared = g->residual}};
    hlmi_expert *experts = hlmi_plan_alloc(d->plan, n + 1, sizeof *experts);
    if (!experts) return hlmi_nomem((n + 1) * sizeof *experts, "experts");
    HLMI_TRY(hlmi_decoder_mlp(d, layer, &shared));
    HLMI_TRY(
        hlmi_loader_matrix(d->l, hlmi_decoder_name(d, router, layer, ".weight").text, n, d->hidden, NULL, &p.logits));
    HLMI_TRY(hlmi_experts_load(d, &g->experts, layer, experts));
    experts[n] = (hlmi_expert){.gate = shared.gate, .up = shared.up, .down = shared.down};
    p.norm = shared.norm;
    p.experts = experts;
    HLMI_TRY(hlmi_plan_add(d->plan, HLMI_BLOCK_MOE, &p, sizeof p));
done:
    return st;
}

static hlm_status layer(const hlmi_decoder *d, size_t i)
{
    hlm_status st;
    const granite *g = d->family;
    bool attention = false;
    HLMI_TRY(has_attention(d, i, &attention));
    if (attention) HLMI_TRY(hlmi_decoder_add_attention(d, i));
    else HLMI_TRY(hlmi_mamba2_add(d, &g->mamba, LAYER "mamba.", i));
    HLMI_TRY(g->experts.n ? add_moe(d, i) : hlmi_decoder_add_mlp(d, i));
done:
    return st;
}

static hlm_status build(const hlmi_config *c, hlmi_loader *l, hlmi_plan *plan)
{
    static const hlmi_decoder_spec spec = {
        .names = names,
        .qkv_bias = HLMI_BIAS_ASKED,
        .o_bias = HLMI_BIAS_ASKED,
        .attn_bias_key = "attention_bias",
        .sizes = {.vocab = 32000, .hidden = 4096, .ff = 11008, .layers = 32, .heads = 32, .positions = 2048},
        .eps_key = {"rms_norm_eps", NULL},
        .eps = 1e-6,
        .gate_in_up = true,
        .setup = setup,
        .layer = layer};
    return hlmi_decoder_build(&spec, c, l, plan);
}

const hlmi_arch hlmi_arch_granite_hybrid = {.hf = "granitemoehybrid", .build = build};
