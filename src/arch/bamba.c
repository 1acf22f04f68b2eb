/* Bamba: Mamba-2 and attention layers, each with a feed-forward; attention turns half of each head. Reference:
 * transformers' modeling_bamba. */
#include "arch/mamba2_layer.h"

const hlmi_key hlmi_bamba_names[HLMI_PARTS] = {
    HLMI_NAMES_ENDS("model.", "final_layernorm"),
    [HLMI_PART_ATTN_NORM] = {HLMI_LAYER "input_layernorm", "blk.%zu.attn_norm"},
    HLMI_NAMES_ATTENTION(HLMI_LAYER "self_attn."),
    [HLMI_PART_MLP_NORM] = {HLMI_LAYER "pre_ff_layernorm", "blk.%zu.ffn_norm"},
    HLMI_NAMES_MLP(HLMI_LAYER "feed_forward."),
    HLMI_NAMES_MAMBA2(HLMI_LAYER "mamba."),
};

/* Every index must be a layer's. */
static hlm_status check_indices(const hlmi_decoder *d)
{
    const char *path = hlmi_store_path(d->c->store);
    const hlmi_json *list = hlmi_json_given(d->c->json, "attn_layer_indices");
    int64_t layer;
    if (list && !hlmi_json_is(list, HLMI_JSON_ARRAY))
        return hlmi_fail(HLM_E_FORMAT, "%s: attn_layer_indices is no array", path);
    for (hlmi_json_iter i = {0}; hlmi_json_next(list, &i);)
        if (!hlmi_json_int(i.value, 0, (int64_t)d->layers - 1, &layer))
            return hlmi_fail(HLM_E_FORMAT, "%s: attn_layer_indices[%zu] is no layer of %zu", path, i.n - 1, d->layers);
    return HLM_OK;
}

static bool has_attention(const hlmi_decoder *d, size_t layer)
{
    const hlmi_json *list = hlmi_json_get(d->c->json, "attn_layer_indices");
    int64_t found;
    for (hlmi_json_iter i = {0}; hlmi_json_next(list, &i);)
        if (hlmi_json_int(i.value, (int64_t)layer, (int64_t)layer, &found)) return true;
    return false;
}

const hlmi_mamba2_keys hlmi_bamba_keys = {.heads = "mamba_n_heads",
                                          .head_dim = "mamba_d_head",
                                          .state = "mamba_d_state",
                                          .groups = "mamba_n_groups",
                                          .window = "mamba_d_conv",
                                          .conv_bias = "mamba_conv_bias",
                                          .proj_bias = "mamba_proj_bias",
                                          .expand = "mamba_expand",
                                          .dt_limit = "time_step_limit"};

static hlm_status setup(hlmi_decoder *d)
{
    hlmi_mamba2 *m = hlmi_plan_alloc(d->plan, 1, sizeof *m);
    if (!m) return HLM_E_NOMEM;
    *m = (hlmi_mamba2){.heads = 128, .state = 256, .groups = 1, .window = 4, .conv_bias = true};
    d->family = m;
    HLMI_DO(check_indices(d));
    return hlmi_mamba2_read(d, &hlmi_bamba_keys, m);
}

static hlm_status layer(const hlmi_decoder *d, size_t i)
{
    if (has_attention(d, i)) HLMI_DO(hlmi_decoder_add_attention(d, i));
    else HLMI_DO(hlmi_mamba2_add(d, d->family, i));
    return hlmi_decoder_add_mlp(d, i);
}

static const hlmi_decoder_spec spec = {.names = hlmi_bamba_names,
                                       .qkv_bias = HLMI_BIAS_ASKED,
                                       .o_bias = HLMI_BIAS_ASKED,
                                       .mlp_bias = HLMI_BIAS_ASKED,
                                       .attn_bias_key = "attention_bias",
                                       .mlp_bias_key = "mlp_bias",
                                       .sizes = {128000, 4096, 14336, 32, 32, 8, 0, 262144},
                                       .eps_key = {"rms_norm_eps", NULL},
                                       .eps = 1e-5,
                                       .partial_rotary = 0.5,
                                       .setup = setup,
                                       .layer = layer};

const hlmi_arch hlmi_arch_bamba = {.hf = "bamba", .spec = &spec};
