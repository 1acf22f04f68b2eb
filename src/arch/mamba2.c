/* Mamba-2 and Codestral-Mamba: Mamba-2 layers and nothing else. Reference: transformers' modeling_mamba2. */
#include "arch/mamba2_layer.h"

#define LAYER "backbone.layers.%zu."
static const hlmi_key names[HLMI_PARTS] = {
    [HLMI_PART_EMBED] = {"backbone.embeddings", NULL},
    [HLMI_PART_FINAL_NORM] = {"backbone.norm_f", NULL},
    [HLMI_PART_HEAD] = {"lm_head", NULL},
    [HLMI_PART_ATTN_NORM] = {LAYER "norm", NULL},
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
    hlmi_mamba2 *m = hlmi_plan_alloc(d->plan, 1, sizeof *m);
    if (!m) return hlmi_nomem(sizeof *m, "settings");
    *m = (hlmi_mamba2){.heads = 128, .head_dim = 64, .state = 128, .groups = 8, .window = 4, .conv_bias = true};
    d->family = m;
    return hlmi_mamba2_read(d, &keys, m);
}

static hlm_status layer(const hlmi_decoder *d, size_t i)
{
    return hlmi_mamba2_add(d, d->family, LAYER "mixer.", i);
}

static hlm_status build(const hlmi_config *c, hlmi_loader *l, hlmi_plan *plan)
{
    static const hlmi_decoder_spec spec = {.names = names,
                                           .sizes = {.vocab = 32768, .hidden = 4096, .layers = 64},
                                           .eps_key = {"layer_norm_epsilon", NULL},
                                           .eps = 1e-5,
                                           .recurrent_only = true,
                                           .setup = setup,
                                           .layer = layer};
    return hlmi_decoder_build(&spec, c, l, plan);
}

const hlmi_arch hlmi_arch_mamba2 = {.hf = "mamba2", .build = build};
