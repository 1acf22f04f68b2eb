/* Mistral: Llama with a sliding window. Reference: transformers' modeling_mistral. GGUF files call it llama, newer ones mistral3. */
#include "arch/decoder.h"

/* Files that scale queries by position (Ministral 3) would come out wrong, not refused. */
static hlm_status check_plain(const hlmi_config *c)
{
    static const char *const keys[] = {".attention.temperature_scale", ".rope.scaling.yarn_log_multiplier"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        double v = 0;
        const hlm_status st = hlmi_config_float(c, (hlmi_key){NULL, keys[i]}, -1e9, 1e9, 0.0, &v);
        if (st != HLM_OK) return st;
        if (v != 0.0)
            return hlmi_fail(HLM_E_UNSUPPORTED, "%s: %s%s is %g, expected 0: this version does not know it",
                             hlmi_store_path(c->store), c->arch, keys[i], v);
    }
    return HLM_OK;
}

static hlm_status build(const hlmi_config *c, hlmi_loader *l, hlmi_plan *plan)
{
    static const hlmi_decoder_spec spec = {.names = hlmi_llama_names,
                                           .sizes = {.vocab = 32000,
                                                     .hidden = 4096,
                                                     .ff = 14336,
                                                     .layers = 32,
                                                     .heads = 32,
                                                     .kv_heads = 8,
                                                     .positions = 131072},
                                           .eps_key = {"rms_norm_eps", ".attention.layer_norm_rms_epsilon"},
                                           .eps = 1e-6,
                                           .interleaved_gguf = true,
                                           .window = hlmi_window_all};
    const hlm_status st = check_plain(c);
    return st == HLM_OK ? hlmi_decoder_build(&spec, c, l, plan) : st;
}

const hlmi_arch hlmi_arch_mistral = {.hf = "mistral", .gguf = "mistral3", .classifies = true, .build = build};
