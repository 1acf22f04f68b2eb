/* Nemotron-H: each layer is one mixer, Mamba-2, attention without positions, or a feed-forward of squared ReLU.
 * Reference: transformers' modeling_nemotron_h. */
#include <string.h>

#include "arch/mamba2_layer.h"

/* Folders come from two classes, which name the trunk differently. */
#define NAMES(TRUNK)                                                                                                   \
  {                                                                                                                    \
    [HLMI_PART_EMBED] = {TRUNK "embeddings", NULL}, [HLMI_PART_FINAL_NORM] = {TRUNK "norm_f", NULL},                   \
    [HLMI_PART_HEAD] = {"lm_head", NULL}, [HLMI_PART_ATTN_NORM] = {TRUNK "layers.%zu.norm", NULL},                     \
    [HLMI_PART_Q] = {TRUNK "layers.%zu.mixer.q_proj", NULL}, [HLMI_PART_K] = {TRUNK "layers.%zu.mixer.k_proj", NULL},  \
    [HLMI_PART_V] = {TRUNK "layers.%zu.mixer.v_proj", NULL}, [HLMI_PART_O] = {TRUNK "layers.%zu.mixer.o_proj", NULL},  \
    [HLMI_PART_MLP_NORM] = {TRUNK "layers.%zu.norm", NULL}, [HLMI_PART_UP] = {TRUNK "layers.%zu.mixer.up_proj", NULL}, \
    [HLMI_PART_DOWN] = {                                                                                               \
        TRUNK "layers.%zu.mixer.down_proj",                                                                            \
        NULL                                                                                                           \
    }                                                                                                                  \
  }
static const hlmi_key backbone_names[HLMI_PARTS] = NAMES("backbone."), model_names[HLMI_PARTS] = NAMES("model.");

enum { MAX_LAYERS = 1 << 16 };

typedef enum kind { MAMBA, ATTENTION, MLP, MOE } kind;

static const char *list_key(const hlmi_config *c)
{
    return hlmi_config_has(c, (hlmi_key){"layers_block_type", NULL}) ? "layers_block_type" : "layer_types";
}

/* The layers as a list of names, or as a pattern of letters. */
static hlm_status count(hlmi_decoder *d)
{
    const char *path = hlmi_store_path(d->c->store), *pattern = NULL;
    const json_t *list = json_object_get(d->c->json, list_key(d->c));
    size_t n = json_array_size(list);
    if (!list || json_is_null(list)) {
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
    const char *pattern = json_string_value(json_object_get(d->c->json, "hybrid_override_pattern"));
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
    return json_object_get(d->c->json, older) ? older : name;
}

/* Weights of layers that predict further tokens are not used. */
static void ignore_mtp(const hlmi_decoder *d)
{
    for (size_t i = 0; i < hlmi_store_count(d->l->store); i++) {
        const char *name = hlmi_store_at(d->l->store, i)->name;
        if (strncmp(name, "mtp.", 4) == 0) hlmi_loader_ignore(d->l, name);
    }
}

static hlm_status check_mamba_activation(const hlmi_decoder *d)
{
    const char *act = NULL;
    size_t len = 0;
    const hlm_status st = hlmi_config_string(d->c, (hlmi_key){"mamba_hidden_act", NULL}, &act, &len);
    if (st != HLM_OK || !act || strcmp(act, "silu") == 0) return st;
    return hlmi_fail(HLM_E_UNSUPPORTED, "%s: mamba_hidden_act is \"%.40s\", expected \"silu\"",
                     hlmi_store_path(d->c->store), act);
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
    hlmi_mamba2 *m = hlmi_plan_alloc(d->plan, 1, sizeof *m);
    if (!m) return hlmi_nomem(sizeof *m, "settings");
    *m = (hlmi_mamba2){
        .heads = 128, .head_dim = 64, .state = 128, .groups = 8, .window = 4, .conv_bias = true, .dt_min = 0.001f};
    d->family = m;
    d->no_rope = true;
    ignore_mtp(d);
    const hlm_status st = check_mamba_activation(d);
    return st == HLM_OK ? hlmi_mamba2_read(d, &keys, m) : st;
}

static hlm_status add_mlp(const hlmi_decoder *d, size_t layer)
{
    const hlmi_tap_params tap = {.layer = (int32_t)layer};
    const hlm_status st = hlmi_plan_add(d->plan, &hlmi_block_tap, &tap, sizeof tap);
    return st == HLM_OK ? hlmi_decoder_add_mlp(d, layer) : st;
}

static hlm_status layer(const hlmi_decoder *d, size_t i)
{
    kind k = MAMBA;
    const bool backbone = d->spec->names == backbone_names;
    const hlm_status st = layer_kind(d, i, &k);
    if (st != HLM_OK) return st;
    switch (k) {
    case MAMBA:
        return hlmi_mamba2_add(d, d->family, backbone ? "backbone.layers.%zu.mixer." : "model.layers.%zu.mixer.", i);
    case ATTENTION: return hlmi_decoder_add_attention(d, i);
    case MLP: return add_mlp(d, i);
    case MOE: break;
    }
    return hlmi_fail(HLM_E_UNSUPPORTED, "%s: layer %zu has experts", hlmi_store_path(d->c->store), i);
}

static hlm_status build(const hlmi_config *c, hlmi_loader *l, hlmi_plan *plan)
{
    const bool backbone = hlmi_loader_has(l, "backbone.embeddings.weight");
    const hlmi_decoder_spec spec = {.names = backbone ? backbone_names : model_names,
                                    .mlp_bias = HLMI_BIAS_ASKED,
                                    .mlp_bias_key = "mlp_bias",
                                    .eps_key = {"layer_norm_epsilon", NULL},
                                    .eps = 1e-5,
                                    .mlp = HLMI_MLP_RELU2,
                                    .activation = "relu2",
                                    .activation_key = "mlp_hidden_act",
                                    .head_dim = 128,
                                    .count = count,
                                    .setup = setup,
                                    .layer = layer};
    return hlmi_decoder_build(&spec, c, l, plan);
}

const hlmi_arch hlmi_arch_nemotron_h = {.hf = "nemotron_h", .build = build};
