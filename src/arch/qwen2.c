/* Qwen2 and Qwen2.5: biases on q, k and v. Reference: transformers' modeling_qwen2. */
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
                                                     .positions = 32768},
                                           .eps_key = {"rms_norm_eps", ".attention.layer_norm_rms_epsilon"},
                                           .eps = 1e-6,
                                           .qkv_bias = HLMI_BIAS_ALWAYS,
                                           .window = hlmi_window_upper};
    return hlmi_decoder_build(&spec, c, l, plan);
}

const hlmi_arch hlmi_arch_qwen2 = {.hf = "qwen2", .gguf = "qwen2", .classifies = true, .build = build};
