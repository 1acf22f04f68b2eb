/* Mamba and Falcon-Mamba: Mamba-1 layers and nothing else. Falcon's norm dt, B and C, without weights. Reference:
 * transformers' modeling_mamba, modeling_falcon_mamba. */
#include "arch/mamba1_layer.h"

#define LAYER "backbone.layers.%zu."
static const hlmi_key names[HLMI_PARTS] = {
    HLMI_NAMES_ENDS("backbone.", "embeddings", "norm_f"),
    [HLMI_PART_ATTN_NORM] = {LAYER "norm", "blk.%zu.attn_norm"},
    HLMI_NAMES_MAMBA1(LAYER "mixer.", ""),
};

static const hlmi_mamba1_keys keys = {.inner = "intermediate_size",
                                      .expand = "expand",
                                      .state = "state_size",
                                      .window = "conv_kernel",
                                      .dt_rank = "time_step_rank",
                                      .conv_bias = "use_conv_bias",
                                      .proj_bias = "use_bias"};

/* GGUF files of Falcon-Mamba are called mamba, too; the epsilon of its norms is not in them. */
static hlm_status setup(hlmi_decoder *d)
{
    bool normed = false;
    hlmi_mamba1 *m = d->family;
    HLMI_DO(hlmi_config_bool(d->c, (hlmi_key){NULL, ".ssm.dt_b_c_rms"}, false, &normed));
    if (normed) m->norm_eps = d->eps;
    return hlmi_mamba1_read(d, &keys, m);
}

static hlm_status falcon_setup(hlmi_decoder *d)
{
    HLMI_DO(setup(d));
    hlmi_mamba1 *m = d->family;
    return hlmi_config_float(d->c, (hlmi_key){"mixer_rms_eps", NULL}, 1e-12, 1.0, 1e-6, &m->norm_eps);
}

static hlm_status layer(const hlmi_decoder *d, size_t i)
{
    return hlmi_mamba1_add(d, d->family, i);
}

#define SPEC                                                                                              \
  .names = names, .sizes = {50280, 768, 0, 32, 0, 0, 0, 0}, .eps_key = "layer_norm_epsilon", .eps = 1e-5, \
  .tied = true, .recurrent_only = true, .family_size = sizeof(hlmi_mamba1), .layer = layer
static const hlmi_decoder_spec spec = {SPEC, .setup = setup}, falcon_spec = {SPEC, .setup = falcon_setup};

const hlmi_arch hlmi_arch_mamba = {.name = {"mamba", "mamba"}, .spec = &spec};
const hlmi_arch hlmi_arch_falcon_mamba = {.name = {"falcon_mamba", NULL}, .spec = &falcon_spec};
