/* Phi-1, Phi-1.5 and Phi-2: attention and feed-forward side by side after one layer norm, biases everywhere. Reference:
 * transformers' modeling_phi. */
#include "arch/decoder.h"

static const hlmi_key names[HLMI_PARTS] = {
    HLMI_NAMES_ENDS("model.", "embed_tokens", "final_layernorm"),
    [HLMI_PART_ATTN_NORM] = {HLMI_LAYER "input_layernorm", "blk.%zu.attn_norm"},
    HLMI_NAMES_QKV(HLMI_LAYER "self_attn."),
    [HLMI_PART_O] = {HLMI_LAYER "self_attn.dense", "blk.%zu.attn_output"},
    HLMI_NAMES_QK_NORMS("self_attn.q_layernorm", "self_attn.k_layernorm"),
    [HLMI_PART_UP] = {HLMI_LAYER "mlp.fc1", "blk.%zu.ffn_up"},
    [HLMI_PART_DOWN] = {HLMI_LAYER "mlp.fc2", "blk.%zu.ffn_down"},
};

static const hlmi_decoder_spec spec = {.names = names,
                                       .gguf_ff_by_tensor = true,
                                       .qkv_bias = HLMI_BIAS_ALWAYS,
                                       .o_bias = HLMI_BIAS_ALWAYS,
                                       .mlp_bias = HLMI_BIAS_ALWAYS,
                                       .head_bias = HLMI_BIAS_ALWAYS,
                                       .norm = HLMI_NORM_LAYER,
                                       .sizes = {51200, 2048, 8192, 24, 32, 0, 0, 2048},
                                       .eps_key = "layer_norm_eps",
                                       .eps = 1e-5,
                                       .qk_norm_key = "qk_layernorm",
                                       .parallel = true,
                                       .mlp = HLMI_MLP_GELU,
                                       .activation = "gelu_new",
                                       .partial_rotary = 0.5};

const hlmi_arch hlmi_arch_phi = {.name = {"phi", "phi2"}, .classifies = true, .spec = &spec};
