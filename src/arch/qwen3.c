/* Qwen3: each q and k head is normed before the rotation. Reference: transformers' modeling_qwen3. */
#include "arch/decoder.h"

static hlm_status build(const hlmi_config *c, hlmi_loader *l, hlmi_plan *plan)
{
    static const hlmi_decoder_spec spec = {.names = hlmi_llama_names,
                                           .sizes = {.vocab = 151936,
                                                     .hidden = 4096,
                                                     .ff = 22016,
                                                     .layers = 32,
                                                     .heads = 32,
                                                     .kv_heads = 32,
                                                     .head_dim = 128,
                                                     .positions = 32768},
                                           .eps_key = {"rms_norm_eps", ".attention.layer_norm_rms_epsilon"},
                                           .eps = 1e-6,
                                           .qkv_bias = HLMI_BIAS_ASKED,
                                           .o_bias = HLMI_BIAS_ASKED,
                                           .attn_bias_key = "attention_bias",
                                           .qk_norm = true,
                                           .window = hlmi_window_upper};
    return hlmi_decoder_build(&spec, c, l, plan);
}

const hlmi_arch hlmi_arch_qwen3 = {.hf = "qwen3", .gguf = "qwen3", .classifies = true, .build = build};
