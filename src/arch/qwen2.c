/* Qwen2 and Qwen2.5: biases on q, k and v. Reference: transformers' modeling_qwen2. */
#include "arch/decoder.h"

static const hlmi_decoder_spec spec = {.names = hlmi_llama_names,
                                       .sizes = {151936, 4096, 22016, 32, 32, 32, 0, 32768},
                                       .eps = 1e-6,
                                       .qkv_bias = HLMI_BIAS_ALWAYS,
                                       .window = hlmi_window_upper};

const hlmi_arch hlmi_arch_qwen2 = {.name = {"qwen2", "qwen2"}, .classifies = true, .spec = &spec};
