/* Llama 1 to 3.x and the models that share its form (SmolLM2, Hermes 3). Reference: transformers' modeling_llama. */
#include "arch/decoder.h"

static hlm_status build(const hlmi_config *c, hlmi_wants *w)
{
    static const hlmi_decoder_spec spec = {.names = hlmi_llama_names,
                                           .sizes = {32000, 4096, 11008, 32, 32, 0, 0, 2048},
                                           .eps = 1e-6,
                                           .qkv_bias = HLMI_BIAS_ATTENTION,
                                           .o_bias = HLMI_BIAS_ATTENTION,
                                           .mlp_bias = HLMI_BIAS_MLP,
                                           .gguf_pairs = HLMI_PAIRS_TURNED};
    int64_t experts = 0; /* GGUF files of Mixtral are called llama too */
    HLMI_DO(hlmi_config_int(c, (hlmi_key){NULL, ".expert_count"}, 0, INT32_MAX, 0, &experts));
    return experts ? hlmi_decoder_build(hlmi_arch_mixtral.spec, c, w) : hlmi_decoder_build(&spec, c, w);
}

const hlmi_arch hlmi_arch_llama = {.name = {"llama", "llama"}, .classifies = true, .build = build};
