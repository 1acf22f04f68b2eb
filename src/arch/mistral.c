/* Mistral: Llama with a sliding window. Reference: transformers' modeling_mistral. GGUF files call it llama, newer ones
 * mistral3. */
#include "arch/decoder.h"

/* Files that scale queries by position (Ministral 3) would come out wrong, not refused. */
static hlm_status setup(hlmi_decoder *d)
{
    static const char *const keys[] = {".attention.temperature_scale", ".rope.scaling.yarn_log_multiplier"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        double v = 0;
        HLMI_DO(hlmi_config_float(d->c, (hlmi_key){NULL, keys[i]}, -1e9, 1e9, 0.0, &v));
        if (v != 0.0)
            return hlmi_fail(HLM_E_UNSUPPORTED, "%s: %s%s is %g, expected 0: this version does not know it",
                             hlmi_store_path(d->c->store), d->c->arch, keys[i], v);
    }
    return HLM_OK;
}

static const hlmi_decoder_spec spec = {.names = hlmi_llama_names,
                                       .sizes = {32000, 4096, 14336, 32, 32, 8, 0, 131072},
                                       .eps = 1e-6,
                                       .gguf_pairs = HLMI_PAIRS_TURNED,
                                       .window = hlmi_window_all,
                                       .setup = setup};

const hlmi_arch hlmi_arch_mistral = {
    .name = {"mistral", "mistral3"}, .also = {"llama"}, .classifies = true, .spec = &spec};
