/* Mixtral, Huozi 3.5: Mistral with sparse feed-forward blocks. Reference: transformers' modeling_mixtral. GGUF files
 * call it llama (llama.c sends them here). */
#include "arch/experts.h"

static hlm_status setup(hlmi_decoder *d)
{
    hlmi_experts *e = d->family;
    const hlmi_key all = {"num_local_experts", ".expert_count"}, used = {"num_experts_per_tok", ".expert_used_count"};
    e->ff = d->ff;
    HLMI_DO(hlmi_config_size(d->c, all, HLMI_MAX_EXPERTS, d->gguf ? 0 : 8, &e->router.n_experts));
    return hlmi_config_size(d->c, used, (int64_t)e->router.n_experts, d->gguf ? 0 : 2, &e->router.top_k);
}

static hlm_status layer(const hlmi_decoder *d, size_t i)
{
    HLMI_DO(hlmi_decoder_add_attention(d, i));
    return hlmi_experts_add(d, d->family, i, NULL);
}

/* Mixtral without the setting has no window, unlike Mistral. */
static hlm_status window(const hlmi_config *c, size_t i, size_t n_layers, size_t *out)
{
    int64_t w = 0;
    (void)i;
    (void)n_layers;
    const hlm_status st =
        hlmi_config_int(c, (hlmi_key){"sliding_window", ".attention.sliding_window"}, 0, INT32_MAX, 0, &w);
    *out = (size_t)w;
    return st;
}

static const hlmi_experts usual = {.router = {.kind = HLMI_ROUTE_SOFTMAX, .normalise = true, .scale = 1.0f}};

static const hlmi_decoder_spec spec = {.names = hlmi_llama_names,
                                       .sizes = {32000, 4096, 14336, 32, 32, 8, 0, 131072},
                                       .eps = 1e-5,
                                       .theta = 1e6,
                                       .gguf_pairs = HLMI_PAIRS_TURNED,
                                       .window = window,
                                       .family_size = sizeof usual,
                                       .usual = &usual,
                                       .setup = setup,
                                       .layer = layer};

const hlmi_arch hlmi_arch_mixtral = {.name = {"mixtral", NULL}, .also = {"llama"}, .classifies = true, .spec = &spec};
