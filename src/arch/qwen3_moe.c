/* Qwen3 with experts. Reference: transformers' modeling_qwen3_moe. */
#include "arch/qwen_experts.h"

static const hlmi_key names[HLMI_PARTS] = {
    HLMI_NAMES_ENDS("model.", "embed_tokens", "norm"),
    HLMI_NAMES_NORMS("input_layernorm", "post_attention_layernorm"),
    HLMI_NAMES_ATTENTION(HLMI_LAYER "self_attn."),
    HLMI_NAMES_QK_NORMS("self_attn.q_norm", "self_attn.k_norm"),
    HLMI_NAMES_MLP(HLMI_LAYER "mlp."),
    HLMI_NAMES_QWEN_EXPERTS(HLMI_LAYER "mlp."),
};

static hlm_status setup(hlmi_decoder *d)
{
    static const hlmi_qwen_usual usual = {128, 8, 768, false, false};
    return hlmi_qwen_experts_read(d, &usual, d->family);
}

static hlm_status layer(const hlmi_decoder *d, size_t i)
{
    HLMI_DO(hlmi_decoder_add_attention(d, i));
    return hlmi_qwen_experts_add(d, d->family, i);
}

static const hlmi_decoder_spec spec = {.names = names,
                                       .sizes = {151936, 2048, 6144, 24, 32, 4, 128, 32768},
                                       .eps = 1e-6,
                                       .qkv_bias = HLMI_BIAS_ATTENTION,
                                       .o_bias = HLMI_BIAS_ATTENTION,
                                       .qk_norm = true,
                                       .window = hlmi_window_upper,
                                       .family_size = sizeof(hlmi_qwen_experts),
                                       .setup = setup,
                                       .layer = layer};

const hlmi_arch hlmi_arch_qwen3_moe = {.name = {"qwen3_moe", "qwen3moe"}, .classifies = true, .spec = &spec};
