/* Mixtral, Huozi 3.5: Mistral with sparse feed-forward blocks. Reference: transformers' modeling_mixtral. GGUF files
 * call it llama (llama.c sends them here). */
#include "arch/experts.h"

#define MOE HLMI_LAYER "block_sparse_moe."
static const hlmi_key names[HLMI_PARTS] = {
    HLMI_NAMES_ENDS("model.", "norm"),
    [HLMI_PART_ROPE_FREQS] = {NULL, "rope_freqs"},
    [HLMI_PART_ATTN_NORM] = {HLMI_LAYER "input_layernorm", "blk.%zu.attn_norm"},
    HLMI_NAMES_ATTENTION(HLMI_LAYER "self_attn."),
    [HLMI_PART_MLP_NORM] = {HLMI_LAYER "post_attention_layernorm", "blk.%zu.ffn_norm"},
    [HLMI_PART_ROUTER] = {MOE "gate", "blk.%zu.ffn_gate_inp"},
    HLMI_NAMES_EXPERTS(MOE, "w1", "w3", "w2"),
};

static hlm_status setup(hlmi_decoder *d)
{
    hlmi_expert_set *s = hlmi_plan_alloc(d->plan, 1, sizeof *s);
    if (!s) return HLM_E_NOMEM;
    *s = (hlmi_expert_set){.gated = true, .width = d->hidden, .ff = d->ff};
    HLMI_DO(hlmi_config_size(d->c, (hlmi_key){"num_local_experts", ".expert_count"}, HLMI_MAX_EXPERTS, d->gguf ? 0 : 8,
                             &s->n));
    HLMI_DO(hlmi_config_size(d->c, (hlmi_key){"num_experts_per_tok", ".expert_used_count"}, (int64_t)s->n,
                             d->gguf ? 0 : 2, &s->used));
    d->family = s;
    return HLM_OK;
}

static hlm_status layer(const hlmi_decoder *d, size_t i)
{
    const hlmi_expert_set *s = d->family;
    hlmi_moe_params p = {
        .kind = HLMI_MLP_SILU_GATED,
        .router = {.kind = HLMI_ROUTE_SOFTMAX, .n_experts = s->n, .top_k = s->used, .normalise = true, .scale = 1.0f}};
    HLMI_DO(hlmi_decoder_add_attention(d, i));
    p.norm = hlmi_decoder_norm(d, HLMI_PART_MLP_NORM, i, d->hidden);
    p.logits = hlmi_decoder_matrix(d, HLMI_PART_ROUTER, i, s->n, d->hidden);
    p.experts = hlmi_experts_want(d, s, i, NULL);
    return hlmi_decoder_add(d, HLMI_BLOCK_MOE, &p, sizeof p);
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

static const hlmi_decoder_spec spec = {.names = names,
                                       .sizes = {32000, 4096, 14336, 32, 32, 8, 0, 131072},
                                       .eps_key = {"rms_norm_eps", ".attention.layer_norm_rms_epsilon"},
                                       .eps = 1e-5,
                                       .theta = 1e6,
                                       .interleaved_gguf = true,
                                       .window = window,
                                       .setup = setup,
                                       .layer = layer};

const hlmi_arch hlmi_arch_mixtral = {.hf = "mixtral", .classifies = true, .spec = &spec};
