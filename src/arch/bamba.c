/* Bamba: Mamba-2 and attention layers, each with a feed-forward; attention turns half of each head. Reference:
 * transformers' modeling_bamba. */
#include "arch/mamba2_layer.h"

const hlmi_key hlmi_bamba_names[HLMI_PARTS] = {
    HLMI_NAMES_ENDS("model.", "embed_tokens", "final_layernorm"),
    HLMI_NAMES_NORMS("input_layernorm", "pre_ff_layernorm"),
    HLMI_NAMES_ATTENTION(HLMI_LAYER "self_attn."),
    HLMI_NAMES_MLP(HLMI_LAYER "feed_forward."),
    HLMI_NAMES_MAMBA2(HLMI_LAYER "mamba."),
};

/* Every index must be a layer's. */
static hlm_status check_indices(const hlmi_decoder *d)
{
    const char *path = hlmi_store_path(d->c->store);
    const hlmi_json *list = NULL;
    int64_t layer;
    HLMI_DO(hlmi_config_array(d->c, "attn_layer_indices", HLMI_ANY, &list));
    for (hlmi_json_iter i = {0}; hlmi_json_next(list, &i);)
        if (!hlmi_json_int(i.value, 0, (int64_t)d->layers - 1, &layer))
            return hlmi_fail(HLM_E_FORMAT, "%s: attn_layer_indices[%zu] is no layer of %zu", path, i.n - 1, d->layers);
    return HLM_OK;
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
    HLMI_DO(check_indices(d));
    return hlmi_mamba2_read(d, &hlmi_bamba_keys, d->family);
}

static hlm_status layer(const hlmi_decoder *d, size_t i)
{
    bool attention = false;
    HLMI_DO(hlmi_config_list_has(d->c, "attn_layer_indices", 0, (int64_t)d->layers - 1, (int64_t)i, &attention));
    HLMI_DO(attention ? hlmi_decoder_add_attention(d, i) : hlmi_mamba2_add(d, d->family, i));
    return hlmi_decoder_add_mlp(d, i);
}

static const hlmi_mamba2 usual = {HLMI_BAMBA_USUAL};

static const hlmi_decoder_spec spec = {.names = hlmi_bamba_names,
                                       .qkv_bias = HLMI_BIAS_ATTENTION,
                                       .o_bias = HLMI_BIAS_ATTENTION,
                                       .mlp_bias = HLMI_BIAS_MLP,
                                       .sizes = {128000, 4096, 14336, 32, 32, 8, 0, 262144},
                                       .eps = 1e-5,
                                       .partial_rotary = 0.5,
                                       .gguf_pairs = HLMI_PAIRS_ALL,
                                       .family_size = sizeof usual,
                                       .usual = &usual,
                                       .setup = setup,
                                       .layer = layer};

const hlmi_arch hlmi_arch_bamba = {.name = {"bamba", NULL}, .also = {"granitehybrid"}, .spec = &spec};
