/* Qwen2 and Qwen2.5: biases on q, k and v. Reference: transformers' modeling_qwen2. */
#include "arch/decoder.h"

static hlm_status build(const hlmi_config *c, hlmi_loader *l, hlmi_plan *plan)
{
    static const hlmi_decoder_spec spec = {.qkv_bias = HLMI_BIAS_ALWAYS, .window = hlmi_window_upper};
    return hlmi_decoder_build(&spec, c, l, plan);
}

const hlmi_arch hlmi_arch_qwen2 = {.hf = "qwen2", .gguf = "qwen2", .build = build};
