/* Mistral: Llama with a sliding window. Reference: transformers' modeling_mistral. GGUF files call it llama. */
#include "arch/decoder.h"

static hlm_status build(const hlmi_config *c, hlmi_loader *l, hlmi_plan *plan)
{
    static const hlmi_decoder_spec spec = {.names = hlmi_llama_names,
                                           .eps_key = {"rms_norm_eps", ".attention.layer_norm_rms_epsilon"},
                                           .eps = 1e-6,
                                           .window = hlmi_window_all};
    return hlmi_decoder_build(&spec, c, l, plan);
}

const hlmi_arch hlmi_arch_mistral = {.hf = "mistral", .build = build};
