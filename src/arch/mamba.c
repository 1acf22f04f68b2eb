/* Mamba and Falcon-Mamba: Mamba-1 layers and nothing else. Falcon's norm dt, B and C, without weights.
 * Reference: transformers' modeling_mamba, modeling_falcon_mamba. */
#include "arch/mamba1_layer.h"

#define LAYER "backbone.layers.%zu."
static const hlmi_key names[HLMI_PARTS] = {
    [HLMI_PART_EMBED] = {"backbone.embeddings", NULL},
    [HLMI_PART_FINAL_NORM] = {"backbone.norm_f", NULL},
    [HLMI_PART_HEAD] = {"lm_head", NULL},
    [HLMI_PART_ATTN_NORM] = {LAYER "norm", NULL},
};

static const hlmi_mamba1_keys keys = {.inner = "intermediate_size",
                                      .expand = "expand",
                                      .state = "state_size",
                                      .window = "conv_kernel",
                                      .dt_rank = "time_step_rank",
                                      .conv_bias = "use_conv_bias",
                                      .proj_bias = "use_bias"};

static hlm_status setup(hlmi_decoder *d)
{
    hlmi_mamba1 *m = hlmi_plan_alloc(d->plan, 1, sizeof *m);
    if (!m) return hlmi_nomem(sizeof *m, "settings");
    m->names = &hlmi_mamba1_plain_names;
    d->family = m;
    return hlmi_mamba1_read(d, &keys, m);
}

static hlm_status falcon_setup(hlmi_decoder *d)
{
    const hlm_status st = setup(d);
    if (st != HLM_OK) return st;
    hlmi_mamba1 *m = d->family;
    return hlmi_config_float(d->c, (hlmi_key){"mixer_rms_eps", NULL}, 1e-12, 1.0, 1e-6, &m->norm_eps);
}

static hlm_status layer(const hlmi_decoder *d, size_t i)
{
    return hlmi_mamba1_add(d, d->family, LAYER "mixer.", i);
}

static hlmi_decoder_spec spec_of(hlm_status (*family)(hlmi_decoder *d))
{
    return (hlmi_decoder_spec){.names = names,
                               .sizes = {.vocab = 50280, .hidden = 768, .layers = 32},
                               .eps_key = {"layer_norm_epsilon", NULL},
                               .eps = 1e-5,
                               .tied = true,
                               .recurrent_only = true,
                               .setup = family,
                               .layer = layer};
}

static hlm_status build(const hlmi_config *c, hlmi_loader *l, hlmi_plan *plan)
{
    const hlmi_decoder_spec spec = spec_of(setup);
    return hlmi_decoder_build(&spec, c, l, plan);
}

static hlm_status falcon_build(const hlmi_config *c, hlmi_loader *l, hlmi_plan *plan)
{
    const hlmi_decoder_spec spec = spec_of(falcon_setup);
    return hlmi_decoder_build(&spec, c, l, plan);
}

const hlmi_arch hlmi_arch_mamba = {.hf = "mamba", .build = build};
const hlmi_arch hlmi_arch_falcon_mamba = {.hf = "falcon_mamba", .build = falcon_build};
