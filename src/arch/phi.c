/* Phi-1, Phi-1.5 and Phi-2: attention and feed-forward side by side after one layer norm, biases everywhere.
 * Reference: transformers' modeling_phi. */
#include "arch/decoder.h"

#define LAYER "model.layers.%zu."
static const hlmi_key names[HLMI_PARTS] = {
    [HLMI_PART_EMBED] = {"model.embed_tokens", NULL},
    [HLMI_PART_FINAL_NORM] = {"model.final_layernorm", NULL},
    [HLMI_PART_HEAD] = {"lm_head", NULL},
    [HLMI_PART_ATTN_NORM] = {LAYER "input_layernorm", NULL},
    [HLMI_PART_Q] = {LAYER "self_attn.q_proj", NULL},
    [HLMI_PART_K] = {LAYER "self_attn.k_proj", NULL},
    [HLMI_PART_V] = {LAYER "self_attn.v_proj", NULL},
    [HLMI_PART_O] = {LAYER "self_attn.dense", NULL},
    [HLMI_PART_Q_NORM] = {LAYER "self_attn.q_layernorm", NULL},
    [HLMI_PART_K_NORM] = {LAYER "self_attn.k_layernorm", NULL},
    [HLMI_PART_UP] = {LAYER "mlp.fc1", NULL},
    [HLMI_PART_DOWN] = {LAYER "mlp.fc2", NULL},
};

static hlm_status build(const hlmi_config *c, hlmi_loader *l, hlmi_plan *plan)
{
    static const hlmi_decoder_spec spec = {
        .names = names,
        .qkv_bias = HLMI_BIAS_ALWAYS,
        .o_bias = HLMI_BIAS_ALWAYS,
        .mlp_bias = HLMI_BIAS_ALWAYS,
        .head_bias = HLMI_BIAS_ALWAYS,
        .norm = HLMI_NORM_LAYER,
        .sizes = {.vocab = 51200, .hidden = 2048, .ff = 8192, .layers = 24, .heads = 32, .positions = 2048},
        .eps_key = {"layer_norm_eps", NULL},
        .eps = 1e-5,
        .qk_norm_key = "qk_layernorm",
        .parallel = true,
        .mlp = HLMI_MLP_GELU,
        .activation = "gelu_new",
        .partial_rotary = 0.5};
    return hlmi_decoder_build(&spec, c, l, plan);
}

const hlmi_arch hlmi_arch_phi = {.hf = "phi", .classifies = true, .build = build};
