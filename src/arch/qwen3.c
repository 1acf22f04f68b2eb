/* Qwen3: each q and k head is normed before the rotation. Reference: transformers' modeling_qwen3. */
#include "arch/decoder.h"

static const hlmi_decoder_spec spec = {.names = hlmi_llama_names,
                                       .sizes = {151936, 4096, 22016, 32, 32, 32, 128, 32768},
                                       .eps = 1e-6,
                                       .qkv_bias = HLMI_BIAS_ATTENTION,
                                       .o_bias = HLMI_BIAS_ATTENTION,
                                       .qk_norm = true,
                                       .window = hlmi_window_upper};

const hlmi_arch hlmi_arch_qwen3 = {.name = {"qwen3", "qwen3"}, .classifies = true, .spec = &spec};
