/* Nemotron-H: each layer is one mixer, Mamba-2, attention without positions, or a feed-forward of squared ReLU, dense or
 * with experts.
 * Reference: transformers' modeling_nemotron_h. */
#include <stdio.h>
#include <string.h>

#include "arch/experts.h"
#include "arch/mamba2_layer.h"

#define LAYER "model.layers.%zu."
static const hlmi_key parts[HLMI_PARTS] = {
    [HLMI_PART_EMBED] = {"model.embeddings", NULL},
    [HLMI_PART_FINAL_NORM] = {"model.norm_f", NULL},
    [HLMI_PART_HEAD] = {"lm_head", NULL},
    [HLMI_PART_ATTN_NORM] = {LAYER "norm", NULL},
    [HLMI_PART_Q] = {LAYER "mixer.q_proj", NULL},
    [HLMI_PART_K] = {LAYER "mixer.k_proj", NULL},
    [HLMI_PART_V] = {LAYER "mixer.v_proj", NULL},
    [HLMI_PART_O] = {LAYER "mixer.o_proj", NULL},
    [HLMI_PART_MLP_NORM] = {LAYER "norm", NULL},
    [HLMI_PART_UP] = {LAYER "mixer.up_proj", NULL},
    [HLMI_PART_DOWN] = {LAYER "mixer.down_proj", NULL},
};

#define MIXER LAYER "mixer."

enum { MAX_LAYERS = 1 << 16 };

typedef struct nemotron {
    hlmi_mamba2 mamba;
    hlmi_expert_set experts;
    hlmi_router router;
    size_t shared_ff, latent; /* latent 0: experts read the hidden size */
} nemotron;

typedef enum kind { MAMBA, ATTENTION, MLP, MOE } kind;

static const char *list_key(const hlmi_config *c)
{
    return hlmi_config_has(c, (hlmi_key){"layers_block_type", NULL}) ? "layers_block_type" : "layer_types";
}

/* The layers as a list of names, or as a pattern of letters. */
static hlm_status count(hlmi_decoder *d)
{
    const char *path = hlmi_store_path(d->c->store), *pattern = NULL;
    size_t n = hlmi_json_count(hlmi_json_list(d->c->json, list_key(d->c)));
    if (!hlmi_json_given(d->c->json, list_key(d->c))) {
        const hlm_status st = hlmi_config_string(d->c, (hlmi_key){"hybrid_override_pattern", NULL}, &pattern, &n);
        if (st != HLM_OK) return st;
        if (!pattern)
            return hlmi_fail(HLM_E_FORMAT, "%s: neither layers_block_type nor hybrid_override_pattern is there", path);
    }
    if (n == 0 || n > MAX_LAYERS)
        return hlmi_fail(HLM_E_FORMAT, "%s: %s has %zu layers, expected 1 to %d", path,
                         pattern ? "hybrid_override_pattern" : list_key(d->c), n, MAX_LAYERS);
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

static hlm_status layer_kind(const hlmi_decoder *d, size_t layer, kind *out)
{
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

static hlm_status read_router(const hlmi_decoder *d, nemotron *n)
{
    hlm_status st;
    int64_t experts = 0, used = 0, groups = 0, best = 0;
    double scale = 1.0;
    bool normalise = true;
    const hlmi_config *c = d->c;
    HLMI_TRY(hlmi_config_int(c, (hlmi_key){either(d, "num_local_experts", "n_routed_experts"), NULL}, 1,
                             HLMI_MAX_EXPERTS, 8, &experts));
    HLMI_TRY(hlmi_config_int(c, (hlmi_key){"num_experts_per_tok", NULL}, 1, experts, 2, &used));
    HLMI_TRY(hlmi_config_int(c, (hlmi_key){"n_group", NULL}, 1, experts, 1, &groups));
    HLMI_TRY(hlmi_config_int(c, (hlmi_key){"topk_group", NULL}, 1, groups, 1, &best));
    HLMI_TRY(hlmi_config_float(c, (hlmi_key){"routed_scaling_factor", NULL}, -1e6, 1e6, scale, &scale));
    HLMI_TRY(hlmi_config_bool(c, (hlmi_key){"norm_topk_prob", NULL}, normalise, &normalise));
    if (groups > 1 && (experts % groups || experts / groups < 2 || best * (experts / groups) < used))
        HLMI_TRY(hlmi_fail(
            HLM_E_FORMAT, "%s: %lld experts of a token can not be in %lld of %lld groups of %lld experts",
            hlmi_store_path(c->store), (long long)used, (long long)best, (long long)groups, (long long)experts));
    n->router = (hlmi_router){.kind = HLMI_ROUTE_SIGMOID,
                              .n_experts = (size_t)experts,
                              .top_k = (size_t)used,
                              .groups = groups > 1 ? (size_t)groups : 0,
                              .best_groups = (size_t)best,
                              .normalise = normalise,
                              .scale = (float)scale,
                              .shared = 1.0f};
done:
    return st;
}

static hlm_status read_experts(const hlmi_decoder *d, nemotron *n)
{
    hlm_status st;
    int64_t ff = 0, shared = 0, latent = 0;
    HLMI_TRY(read_router(d, n));
    HLMI_TRY(hlmi_config_int(d->c, (hlmi_key){"moe_intermediate_size", NULL}, 1, 1 << 24, 7688, &ff));
    HLMI_TRY(hlmi_config_int(d->c, (hlmi_key){"moe_shared_expert_intermediate_size", NULL}, 1, 1 << 24, 7688, &shared));
    if (hlmi_config_has(d->c, (hlmi_key){"moe_latent_size", NULL}))
        HLMI_TRY(hlmi_config_int(d->c, (hlmi_key){"moe_latent_size", NULL}, 1, 1 << 20, 0, &latent));
    n->shared_ff = (size_t)shared;
    n->latent = (size_t)latent;
    n->experts = (hlmi_expert_set){.up = {MIXER "experts.%e.up_proj", NULL},
                                   .down = {MIXER "experts.%e.down_proj", NULL},
                                   .n = n->router.n_experts,
                                   .used = n->router.top_k,
                                   .width = latent ? (size_t)latent : d->hidden,
                                   .ff = (size_t)ff};
done:
    return st;
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
    hlm_status st;
    nemotron *n = hlmi_plan_alloc(d->plan, 1, sizeof *n);
    if (!n) return hlmi_nomem(sizeof *n, "settings");
    n->mamba = (hlmi_mamba2){
        .heads = 128, .head_dim = 64, .state = 128, .groups = 8, .window = 4, .conv_bias = true, .dt_min = 0.001f};
    d->family = n;
    d->no_rope = true;
    HLMI_TRY(hlmi_check_activation(d->c, "mamba_hidden_act", "silu"));
    HLMI_TRY(hlmi_mamba2_read(d, &keys, &n->mamba));
    if (has_experts(d)) HLMI_TRY(read_experts(d, n));
done:
    return st;
}

/* A tensor of the layer's mixer. */
static hlmi_name tensor(const hlmi_decoder *d, size_t layer, const char *name)
{
    return hlmi_decoder_name(d, (hlmi_key){MIXER, NULL}, layer, name);
}

/* A matrix and, where feed-forwards have biases, its bias. */
static hlm_status load_linear(const hlmi_decoder *d, size_t layer, const char *name, size_t rows, size_t cols,
                              hlmi_matrix *w, const float **bias)
{
    hlm_status st;
    bool wanted = false;
    char full[64];
    float *v = NULL;
    snprintf(full, sizeof full, "%s.weight", name);
    HLMI_TRY(hlmi_loader_matrix(d->l, tensor(d, layer, full).text, rows, cols, NULL, w));
    HLMI_TRY(hlmi_config_bool(d->c, (hlmi_key){"mlp_bias", NULL}, false, &wanted));
    snprintf(full, sizeof full, "%s.bias", name);
    if (wanted) HLMI_TRY(hlmi_loader_vector(d->l, tensor(d, layer, full).text, rows, NULL, &v));
    *bias = v;
done:
    return st;
}

static hlm_status load_moe(const hlmi_decoder *d, size_t layer, hlmi_moe_params *p)
{
    hlm_status st;
    const nemotron *s = d->family;
    const size_t n = s->experts.n;
    float *bias = NULL;
    hlmi_expert *experts = hlmi_plan_alloc(d->plan, n + 1, sizeof *experts);
    if (!experts) return hlmi_nomem((n + 1) * sizeof *experts, "experts");
    *p = (hlmi_moe_params){.kind = HLMI_MLP_RELU2, .router = s->router, .experts = experts};
    HLMI_TRY(hlmi_decoder_norm(d, HLMI_PART_MLP_NORM, layer, d->hidden, &p->norm));
    HLMI_TRY(hlmi_loader_matrix(d->l, tensor(d, layer, "gate.weight").text, n, d->hidden, NULL, &p->logits));
    HLMI_TRY(hlmi_loader_vector(d->l, tensor(d, layer, "gate.e_score_correction_bias").text, n, NULL, &bias));
    p->router.bias = bias;
    HLMI_TRY(hlmi_experts_load(d, &s->experts, layer, experts));
    HLMI_TRY(
        load_linear(d, layer, "shared_experts.up_proj", s->shared_ff, d->hidden, &experts[n].up, &experts[n].up_bias));
    HLMI_TRY(load_linear(d, layer, "shared_experts.down_proj", d->hidden, s->shared_ff, &experts[n].down,
                         &experts[n].down_bias));
    if (!s->latent) goto done;
    HLMI_TRY(load_linear(d, layer, "fc1_latent_proj", s->latent, d->hidden, &p->latent_in, &p->latent_in_bias));
    HLMI_TRY(load_linear(d, layer, "fc2_latent_proj", d->hidden, s->latent, &p->latent_out, &p->latent_out_bias));
done:
    return st;
}

static hlm_status add_feed_forward(const hlmi_decoder *d, size_t layer, kind k)
{
    hlm_status st;
    hlmi_moe_params p;
    const hlmi_tap_params tap = {.layer = (int32_t)layer};
    HLMI_TRY(hlmi_plan_add(d->plan, HLMI_BLOCK_TAP, &tap, sizeof tap));
    if (k == MLP) {
        HLMI_TRY(hlmi_decoder_add_mlp(d, layer));
        goto done;
    }
    HLMI_TRY(load_moe(d, layer, &p));
    HLMI_TRY(hlmi_plan_add(d->plan, HLMI_BLOCK_MOE, &p, sizeof p));
done:
    return st;
}

static hlm_status layer(const hlmi_decoder *d, size_t i)
{
    kind k = MAMBA;
    const nemotron *n = d->family;
    const hlm_status st = layer_kind(d, i, &k);
    if (st != HLM_OK) return st;
    if (k == MAMBA) return hlmi_mamba2_add(d, &n->mamba, MIXER, i);
    return k == ATTENTION ? hlmi_decoder_add_attention(d, i) : add_feed_forward(d, i, k);
}

static hlm_status build(const hlmi_config *c, hlmi_loader *l, hlmi_plan *plan)
{
    static const hlmi_decoder_spec spec = {.names = parts,
                                           .mlp_bias = HLMI_BIAS_ASKED,
                                           .mlp_bias_key = "mlp_bias",
                                           .sizes = {.vocab = 131072,
                                                     .hidden = 4096,
                                                     .ff = 21504,
                                                     .heads = 32,
                                                     .kv_heads = 8,
                                                     .head_dim = 128,
                                                     .positions = 4096},
                                           .eps_key = {"layer_norm_epsilon", NULL},
                                           .eps = 1e-5,
                                           .mlp = HLMI_MLP_RELU2,
                                           .activation = "relu2",
                                           .activation_key = "mlp_hidden_act",
                                           .count = count,
                                           .setup = setup,
                                           .layer = layer};
    return hlmi_decoder_build(&spec, c, l, plan);
}

static const char *const left_out[] = {"mtp.", NULL}; /* predicts further tokens */

const hlmi_arch hlmi_arch_nemotron_h = {.hf = "nemotron_h", .left_out = left_out, .build = build};
