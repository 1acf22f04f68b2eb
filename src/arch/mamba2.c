/* Mamba-2 and Codestral-Mamba: Mamba-2 layers and nothing else. Reference: transformers' modeling_mamba2. */
#include "arch/mamba2_layer.h"

#define LAYER "backbone.layers.%zu."
static const hlmi_key names[HLMI_PARTS] = {
    HLMI_NAMES_ENDS("backbone.", "embeddings", "norm_f"),
    [HLMI_PART_ATTN_NORM] = {LAYER "norm", "blk.%zu.attn_norm"},
    HLMI_NAMES_MAMBA2(LAYER "mixer."),
};

static hlm_status setup(hlmi_decoder *d)
{
    static const hlmi_mamba2_keys keys = {.heads = "num_heads",
                                          .head_dim = "head_dim",
                                          .state = "state_size",
                                          .groups = "n_groups",
                                          .window = "conv_kernel",
                                          .conv_bias = "use_conv_bias",
                                          .proj_bias = "use_bias",
                                          .expand = "expand",
                                          .dt_limit = "time_step_limit"};
    return hlmi_mamba2_read(d, &keys, d->family);
}

static hlm_status layer(const hlmi_decoder *d, size_t i)
{
    return hlmi_mamba2_add(d, d->family, i);
}

static const hlmi_mamba2 usual = {
    .heads = 128, .head_dim = 64, .state = 128, .groups = 8, .window = 4, .conv_bias = true};

static const hlmi_decoder_spec spec = {.names = names,
                                       .sizes = {32768, 4096, 0, 64, 0, 0, 0, 0},
                                       .eps_key = "layer_norm_epsilon",
                                       .eps = 1e-5,
                                       .recurrent_only = true,
                                       .family_size = sizeof usual,
                                       .usual = &usual,
                                       .setup = setup,
                                       .layer = layer};

const hlmi_arch hlmi_arch_mamba2 = {.name = {"mamba2", "mamba2"}, .spec = &spec};
