/* Mixtral, Huozi 3.5: Mistral with sparse feed-forward blocks. Reference: transformers' modeling_mixtral.
 * GGUF files call it llama (llama.c sends them here). */
#include "arch/experts.h"

static hlm_status setup(hlmi_decoder *d)
{
    hlm_status st;
    int64_t n = 0, used = 0;
    hlmi_expert_set *s = hlmi_plan_alloc(d->plan, 1, sizeof *s);
    if (!s) return HLM_E_NOMEM;
    HLMI_TRY(hlmi_config_int(d->c, (hlmi_key){"num_local_experts", ".expert_count"}, 1, HLMI_MAX_EXPERTS,
                             d->gguf ? 0 : 8, &n));
    HLMI_TRY(
        hlmi_config_int(d->c, (hlmi_key){"num_experts_per_tok", ".expert_used_count"}, 1, n, d->gguf ? 0 : 2, &used));
    *s = (hlmi_expert_set){
        .gate = {"model.layers.%zu.block_sparse_moe.experts.%e.w1", "blk.%zu.ffn_gate.%e"},
        .up = {"model.layers.%zu.block_sparse_moe.experts.%e.w3", "blk.%zu.ffn_up.%e"},
        .down = {"model.layers.%zu.block_sparse_moe.experts.%e.w2", "blk.%zu.ffn_down.%e"},
        .all_gate = {NULL, "blk.%zu.ffn_gate_exps"},
        .all_up = {NULL, "blk.%zu.ffn_up_exps"},
        .all_down = {NULL, "blk.%zu.ffn_down_exps"},
        .n = (size_t)n,
        .used = (size_t)used,
        .width = d->hidden,
        .ff = d->ff,
    };
    d->family = s;
done:
    return st;
}

static hlm_status add_moe(const hlmi_decoder *d, size_t layer)
{
    hlm_status st;
    const hlmi_expert_set *s = d->family;
    const hlmi_key router = {"model.layers.%zu.block_sparse_moe.gate", "blk.%zu.ffn_gate_inp"};
    hlmi_moe_params p = {
        .kind = HLMI_MLP_SILU_GATED,
        .router = {.kind = HLMI_ROUTE_SOFTMAX, .n_experts = s->n, .top_k = s->used, .normalise = true, .scale = 1.0f}};
    HLMI_TRY(hlmi_decoder_norm(d, HLMI_PART_MLP_NORM, layer, d->hidden, &p.norm));
    HLMI_TRY(hlmi_loader_matrix(d->l, hlmi_decoder_name(d, router, layer, ".weight").text, s->n, d->hidden, NULL,
                                &p.logits));
    hlmi_expert *experts = hlmi_plan_alloc(d->plan, s->n, sizeof *experts);
    if (!experts) return HLM_E_NOMEM;
    HLMI_TRY(hlmi_experts_load(d, s, layer, experts));
    p.experts = experts;
    HLMI_TRY(hlmi_plan_add(d->plan, HLMI_BLOCK_MOE, &p, sizeof p));
done:
    return st;
}

static hlm_status layer(const hlmi_decoder *d, size_t i)
{
    hlm_status st;
    hlmi_attn_params attn;
    HLMI_TRY(hlmi_decoder_attention(d, i, &attn));
    HLMI_TRY(hlmi_plan_add(d->plan, HLMI_BLOCK_ATTN, &attn, sizeof attn));
    HLMI_TRY(add_moe(d, i));
done:
    return st;
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
                                           .eps = 1e-5,
                                           .theta = 1e6,
                                           .interleaved_gguf = true,
                                           .window = window,
                                           .setup = setup,
                                           .layer = layer};
    return hlmi_decoder_build(&spec, c, l, plan);
}

const hlmi_arch hlmi_arch_mixtral = {.hf = "mixtral", .classifies = true, .build = build};
