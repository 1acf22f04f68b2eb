/* Persimmon-8B: layer norms, also of q and k heads, fused q, k and v, squared ReLU. Reference: transformers'
 * modeling_persimmon. */
#include "arch/decoder.h"

#define QKV HLMI_LAYER "self_attn.query_key_value"
static const hlmi_key names[HLMI_PARTS] = {
    HLMI_NAMES_ENDS("model.", "embed_tokens", "final_layernorm"),
    HLMI_NAMES_NORMS("input_layernorm", "post_attention_layernorm"),
    [HLMI_PART_Q] = {QKV, NULL},
    [HLMI_PART_K] = {QKV, NULL},
    [HLMI_PART_V] = {QKV, NULL},
    [HLMI_PART_O] = {HLMI_LAYER "self_attn.dense", NULL},
    HLMI_NAMES_QK_NORMS("self_attn.q_layernorm", "self_attn.k_layernorm"),
    [HLMI_PART_UP] = {HLMI_LAYER "mlp.dense_h_to_4h", NULL},
    [HLMI_PART_DOWN] = {HLMI_LAYER "mlp.dense_4h_to_h", NULL},
};

static const hlmi_decoder_spec spec = {.names = names,
                                       .qkv_bias = HLMI_BIAS_ALWAYS,
                                       .o_bias = HLMI_BIAS_ALWAYS,
                                       .mlp_bias = HLMI_BIAS_ALWAYS,
                                       .norm = HLMI_NORM_LAYER,
                                       .sizes = {262144, 4096, 16384, 36, 64, 0, 0, 16384},
                                       .eps_key = "layer_norm_eps",
                                       .eps = 1e-5,
                                       .qk_norm = true,
                                       .qk_norm_key = "qk_layernorm",
                                       .fused_qkv = true,
                                       .mlp = HLMI_MLP_RELU2,
                                       .activation = "relu2",
                                       .partial_rotary = 0.5};

const hlmi_arch hlmi_arch_persimmon = {.name = {"persimmon", NULL}, .classifies = true, .spec = &spec};
