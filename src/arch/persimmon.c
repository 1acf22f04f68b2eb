/* Persimmon-8B: layer norms, also of q and k heads, fused q, k and v, squared ReLU.
 * Reference: transformers' modeling_persimmon. */
#include "arch/decoder.h"

#define LAYER "model.layers.%zu."
static const hlmi_key names[HLMI_PARTS] = {
    [HLMI_PART_EMBED] = {"model.embed_tokens", NULL},
    [HLMI_PART_FINAL_NORM] = {"model.final_layernorm", NULL},
    [HLMI_PART_HEAD] = {"lm_head", NULL},
    [HLMI_PART_ATTN_NORM] = {LAYER "input_layernorm", NULL},
    [HLMI_PART_Q] = {LAYER "self_attn.query_key_value", NULL},
    [HLMI_PART_K] = {LAYER "self_attn.query_key_value", NULL},
    [HLMI_PART_V] = {LAYER "self_attn.query_key_value", NULL},
    [HLMI_PART_O] = {LAYER "self_attn.dense", NULL},
    [HLMI_PART_Q_NORM] = {LAYER "self_attn.q_layernorm", NULL},
    [HLMI_PART_K_NORM] = {LAYER "self_attn.k_layernorm", NULL},
    [HLMI_PART_MLP_NORM] = {LAYER "post_attention_layernorm", NULL},
    [HLMI_PART_UP] = {LAYER "mlp.dense_h_to_4h", NULL},
    [HLMI_PART_DOWN] = {LAYER "mlp.dense_4h_to_h", NULL},
};

static hlm_status build(const hlmi_config *c, hlmi_loader *l, hlmi_plan *plan)
{
    static const hlmi_decoder_spec spec = {
        .names = names,
        .qkv_bias = HLMI_BIAS_ALWAYS,
        .o_bias = HLMI_BIAS_ALWAYS,
        .mlp_bias = HLMI_BIAS_ALWAYS,
        .norm = HLMI_NORM_LAYER,
        .sizes = {.vocab = 262144, .hidden = 4096, .ff = 16384, .layers = 36, .heads = 64, .positions = 16384},
        .eps_key = {"layer_norm_eps", NULL},
        .eps = 1e-5,
        .qk_norm = true,
        .qk_norm_key = "qk_layernorm",
        .fused_qkv = true,
        .mlp = HLMI_MLP_RELU2,
        .activation = "relu2",
        .partial_rotary = 0.5};
    return hlmi_decoder_build(&spec, c, l, plan);
}

const hlmi_arch hlmi_arch_persimmon = {.hf = "persimmon", .classifies = true, .build = build};
