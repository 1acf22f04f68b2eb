/* Nemotron-H: each layer is one mixer, Mamba-2, attention without positions, or a feed-forward of squared ReLU, dense
 * or with experts.
 * Reference: transformers' modeling_nemotron_h. */
#include <string.h>

#include "arch/experts.h"
#include "arch/mamba2_layer.h"

#define MIXER HLMI_LAYER "mixer."
static const hlmi_key parts[HLMI_PARTS] = {
    HLMI_NAMES_ENDS("model.", "embeddings", "norm_f"),
    [HLMI_PART_ATTN_NORM] = {HLMI_LAYER "norm", "blk.%zu.attn_norm"},
    HLMI_NAMES_ATTENTION(MIXER),
    [HLMI_PART_MLP_NORM] = {HLMI_LAYER "norm", "blk.%zu.attn_norm"},
    HLMI_NAMES_MLP(MIXER),
    [HLMI_PART_ROUTER] = {MIXER "gate", "blk.%zu.ffn_gate_inp"},
    [HLMI_PART_ROUTER_BIAS] = {MIXER "gate.e_score_correction_bias", "blk.%zu.exp_probs_b.bias"},
    HLMI_NAMES_EXPERTS(MIXER, "gate_proj", "up_proj", "down_proj"),
    [HLMI_PART_SHARED_UP] = {MIXER "shared_experts.up_proj", "blk.%zu.ffn_up_shexp"},
    [HLMI_PART_SHARED_DOWN] = {MIXER "shared_experts.down_proj", "blk.%zu.ffn_down_shexp"},
    [HLMI_PART_LATENT_IN] = {MIXER "fc1_latent_proj", "blk.%zu.ffn_latent_down"},
    [HLMI_PART_LATENT_OUT] = {MIXER "fc2_latent_proj", "blk.%zu.ffn_latent_up"},
    HLMI_NAMES_MAMBA2(MIXER),
};

enum { MAX_LAYERS = 1 << 16 };

typedef struct nemotron {
    hlmi_mamba2 mamba;
    hlmi_experts experts;
} nemotron;

typedef enum kind { MAMBA, ATTENTION, MLP, MOE } kind;

static const char *list_key(const hlmi_config *c)
{
    return hlmi_config_has(c, (hlmi_key){"layers_block_type", NULL}) ? "layers_block_type" : "layer_types";
}

/* The layers as a list of names, or as a pattern of letters. */
static hlm_status count(hlmi_decoder *d)
{
    const char *path = hlmi_store_path(d->c->store);
    hlmi_str pattern = {0};
    if (d->gguf) return hlmi_decoder_count_layers(d);
    const hlmi_json *list = hlmi_json_given(d->c->json, list_key(d->c));
    size_t n = hlmi_json_is(list, HLMI_JSON_ARRAY) ? hlmi_json_count(list) : 0;
    if (!list) {
        HLMI_DO(hlmi_config_string(d->c, (hlmi_key){"hybrid_override_pattern", NULL}, &pattern));
        n = pattern.len;
        if (!pattern.s)
            return hlmi_fail(HLM_E_FORMAT, "%s: neither layers_block_type nor hybrid_override_pattern is there", path);
    }
    if (n == 0 || n > MAX_LAYERS)
        return hlmi_fail(HLM_E_FORMAT, "%s: %s has %zu layers, expected 1 to %d", path,
                         pattern.s ? "hybrid_override_pattern" : list_key(d->c), n, MAX_LAYERS);
    d->layers = n;
    return HLM_OK;
}

static hlm_status letter_kind(const hlmi_decoder *d, size_t layer, kind *out)
{
    static const char letters[] = "M*-E";
    const char *pattern = hlmi_json_string(d->c->json, "hybrid_override_pattern");
    const char *at = pattern ? strchr(letters, pattern[layer]) : NULL;
    if (!at || !*at)
        return hlmi_fail(HLM_E_UNSUPPORTED, "%s: hybrid_override_pattern has an unknown letter at layer %zu",
                         hlmi_store_path(d->c->store), layer);
    *out = (kind)(at - letters);
    return HLM_OK;
}

/* In GGUF files numbers of heads and of the feed-forward's rows say, each 0 where there are none. */
static hlm_status gguf_kind(const hlmi_decoder *d, size_t layer, kind *out)
{
    bool attends = false;
    int64_t ff = 0;
    const hlmi_key key = {NULL, ".feed_forward_length"};
    HLMI_DO(hlmi_decoder_attends(d, layer, &attends));
    HLMI_DO(hlmi_config_int_at(d->c, key, layer, d->layers, 0, INT32_MAX, 0, &ff));
    *out = hlmi_decoder_has(d, HLMI_PART_ROUTER, layer) ? MOE : attends ? ATTENTION : ff ? MLP : MAMBA;
    return HLM_OK;
}

static hlm_status layer_kind(const hlmi_decoder *d, size_t layer, kind *out)
{
    if (d->gguf) return gguf_kind(d, layer, out);
    static const char *const names[] = {"mamba", "attention", "mlp", "moe", "linear_attention", "full_attention"};
    if (!hlmi_config_has(d->c, (hlmi_key){list_key(d->c), NULL})) return letter_kind(d, layer, out);
    size_t i = 0;
    const hlm_status st =
        hlmi_config_choice_at(d->c, list_key(d->c), layer, d->layers, names, sizeof names / sizeof *names, &i);
    *out = (kind)(i % 4);
    return st;
}

/* The name of a setting that has two: the older one goes first where it is there. */
static const char *either(const hlmi_decoder *d, const char *older, const char *name)
{
    return hlmi_json_get(d->c->json, older) ? older : name;
}

/* Is there a layer with experts? The settings of models without may be anything. */
static bool has_experts(const hlmi_decoder *d)
{
    kind k = MAMBA;
    for (size_t i = 0; i < d->layers; i++)
        if (layer_kind(d, i, &k) == HLM_OK && k == MOE) return true;
    return false;
}

static hlm_status read_router(const hlmi_decoder *d, hlmi_router *r)
{
    int64_t experts = 0, used = 0, groups = 0, best = 0;
    double scale = 1.0;
    bool normalise = true;
    const hlmi_config *c = d->c;
    const hlmi_key all = {either(d, "num_local_experts", "n_routed_experts"), ".expert_count"};
    const hlmi_key weights = {"routed_scaling_factor", ".expert_weights_scale"};
    HLMI_DO(hlmi_config_int(c, all, 1, HLMI_MAX_EXPERTS, d->gguf ? 0 : 8, &experts));
    HLMI_DO(hlmi_config_int(c, (hlmi_key){"num_experts_per_tok", ".expert_used_count"}, 1, experts, 2, &used));
    HLMI_DO(hlmi_config_int(c, (hlmi_key){"n_group", ".expert_group_count"}, 1, experts, 1, &groups));
    HLMI_DO(hlmi_config_int(c, (hlmi_key){"topk_group", ".expert_group_used_count"}, 1, groups, 1, &best));
    HLMI_DO(hlmi_config_float(c, weights, -1e6, 1e6, scale, &scale));
    HLMI_DO(hlmi_config_bool(c, (hlmi_key){"norm_topk_prob", ".expert_weights_norm"}, normalise, &normalise));
    if (groups > 1 && (experts % groups || experts / groups < 2 || best * (experts / groups) < used))
        return hlmi_fail(HLM_E_FORMAT, "%s: %lld experts of a token can not be in %lld of %lld groups of %lld experts",
                         hlmi_store_path(c->store), (long long)used, (long long)best, (long long)groups,
                         (long long)experts);
    *r = (hlmi_router){.kind = HLMI_ROUTE_SIGMOID,
                       .n_experts = (size_t)experts,
                       .top_k = (size_t)used,
                       .groups = groups > 1 ? (size_t)groups : 0,
                       .best_groups = (size_t)best,
                       .normalise = normalise,
                       .scale = (float)scale,
                       .shared = 1.0f};
    return HLM_OK;
}

static hlm_status read_experts(const hlmi_decoder *d, hlmi_experts *e)
{
    HLMI_DO(read_router(d, &e->router));
    const hlmi_key shared = {"moe_shared_expert_intermediate_size", NULL},
                   latent = {"moe_latent_size", ".moe_latent_size"};
    HLMI_DO(hlmi_config_size(d->c, (hlmi_key){"moe_intermediate_size", NULL}, 1 << 24, 7688, &e->ff));
    HLMI_DO(hlmi_config_size(d->c, shared, 1 << 24, 7688, &e->shared_ff));
    return hlmi_config_has(d->c, latent) ? hlmi_config_size(d->c, latent, 1 << 20, 0, &e->latent) : HLM_OK;
}

/* The reference takes no notice of time_step_limit: steps are at least time_step_min. */
static hlm_status setup(hlmi_decoder *d)
{
    const hlmi_mamba2_keys keys = {.heads = "mamba_num_heads",
                                   .head_dim = "mamba_head_dim",
                                   .state = "ssm_state_size",
                                   .groups = either(d, "mamba_n_groups", "n_groups"),
                                   .window = either(d, "mamba_d_conv", "conv_kernel"),
                                   .conv_bias = either(d, "mamba_conv_bias", "use_conv_bias"),
                                   .proj_bias = "use_bias",
                                   .dt_min = either(d, "mamba_dt_min", "time_step_min")};
    nemotron *n = d->family;
    d->no_rope = true;
    HLMI_DO(hlmi_check_activation(d->c, "mamba_hidden_act", "silu"));
    HLMI_DO(hlmi_mamba2_read(d, &keys, &n->mamba));
    return has_experts(d) ? read_experts(d, &n->experts) : HLM_OK;
}

static hlm_status layer(const hlmi_decoder *d, size_t i)
{
    kind k = MAMBA;
    const nemotron *n = d->family;
    const hlmi_tap_params tap = {.layer = (int32_t)i};
    HLMI_DO(layer_kind(d, i, &k));
    if (k == MAMBA) return hlmi_mamba2_add(d, &n->mamba, i);
    if (k == ATTENTION) return hlmi_decoder_add_attention(d, i);
    HLMI_DO(hlmi_decoder_add(d, HLMI_BLOCK_TAP, &tap, sizeof tap));
    return k == MLP ? hlmi_decoder_add_mlp(d, i) : hlmi_experts_add(d, &n->experts, i, NULL);
}

static const nemotron usual = {
    .mamba = {
        .heads = 128, .head_dim = 64, .state = 128, .groups = 8, .window = 4, .conv_bias = true, .dt_min = 0.001f}};

static const hlmi_decoder_spec spec = {.names = parts,
                                       .gguf_ff_by_tensor = true,
                                       .mlp_bias = HLMI_BIAS_MLP,
                                       .sizes = {131072, 4096, 21504, 0, 32, 8, 128, 4096},
                                       .eps_key = "layer_norm_epsilon",
                                       .eps = 1e-5,
                                       .mlp = HLMI_MLP_RELU2,
                                       .activation = "relu2",
                                       .activation_key = "mlp_hidden_act",
                                       .count = count,
                                       .family_size = sizeof usual,
                                       .usual = &usual,
                                       .setup = setup,
                                       .layer = layer};

static const char *const left_out[] = {"mtp.", NULL}; /* predicts further tokens */

const hlmi_arch hlmi_arch_nemotron_h = {.name = {"nemotron_h", "nemotron_h"}, .left_out = left_out, .spec = &spec};
const hlmi_arch hlmi_arch_nemotron_h_moe = {.name = {NULL, "nemotron_h_moe"}, .spec = &spec};
