/* Settings and layers of the Qwen family's sparse feed-forward. References: transformers' modeling_qwen3_moe,
 * modeling_qwen3_next. */
#include "arch/qwen_experts.h"

enum { MAX_FF = 1 << 24, MAX_LAYERS = 1 << 16 };

hlm_status hlmi_qwen_experts_read(const hlmi_decoder *d, const hlmi_qwen_usual *usual, hlmi_qwen_experts *out)
{
    const hlmi_config *c = d->c;
    int64_t n = 0;
    hlmi_experts *e = &out->all;
    hlmi_router *r = &e->router;
    const hlmi_key all = {"num_experts", ".expert_count"}, used = {"num_experts_per_tok", ".expert_used_count"};
    const hlmi_key ff = {"moe_intermediate_size", NULL}, shared = {"shared_expert_intermediate_size", NULL};
    *r = (hlmi_router){.kind = HLMI_ROUTE_SOFTMAX, .scale = 1.0f, .shared = 1.0f, .shared_gated = usual->shared};
    HLMI_DO(hlmi_config_int(c, all, 0, HLMI_MAX_EXPERTS, d->gguf ? 0 : usual->n, &n));
    r->n_experts = (size_t)n;
    HLMI_DO(hlmi_config_size(c, used, n ? n : HLMI_MAX_EXPERTS, usual->used, &r->top_k));
    HLMI_DO(hlmi_config_size(c, ff, MAX_FF, usual->ff, &e->ff));
    if (usual->shared) HLMI_DO(hlmi_config_size(c, shared, MAX_FF, usual->ff, &e->shared_ff));
    HLMI_DO(hlmi_config_size(c, (hlmi_key){"decoder_sparse_step", NULL}, MAX_LAYERS, 1, &out->step));
    return hlmi_config_bool(c, (hlmi_key){"norm_topk_prob", NULL}, d->gguf || usual->normalise, &r->normalise);
}

hlm_status hlmi_qwen_experts_add(const hlmi_decoder *d, const hlmi_qwen_experts *e, size_t layer)
{
    bool dense = false;
    HLMI_DO(hlmi_config_list_has(d->c, "mlp_only_layers", 0, MAX_LAYERS, (int64_t)layer, &dense));
    const bool sparse = !dense && e->all.router.n_experts && (layer + 1) % e->step == 0;
    return sparse ? hlmi_experts_add(d, &e->all, layer, NULL) : hlmi_decoder_add_mlp(d, layer);
}
