/* Qwen3-Next: gated delta nets and attention with an output gate, sparse feed-forward with a shared expert.
 * Reference: transformers' modeling_qwen3_next. */
#include "arch/delta_net.h"
#include "arch/experts.h"

enum { MAX_FF = 1 << 24, MAX_LAYERS = 1 << 16 };

#define MLP "model.layers.%zu.mlp."

typedef struct family {
    hlmi_delta_net net;
    hlmi_expert_set experts; /* n 0: all layers are dense */
    size_t shared_ff, sparse_step;
    bool normalise;
} family;

static hlm_status read_experts(const hlmi_decoder *d, family *f)
{
    hlm_status st;
    const hlmi_config *c = d->c;
    int64_t n = 0, used = 0, ff = 0, shared = 0, step = 0;
    HLMI_TRY(hlmi_config_int(c, (hlmi_key){"num_experts", NULL}, 0, HLMI_MAX_EXPERTS, 512, &n));
    HLMI_TRY(hlmi_config_int(c, (hlmi_key){"num_experts_per_tok", NULL}, 1, n ? n : HLMI_MAX_EXPERTS, 10, &used));
    HLMI_TRY(hlmi_config_int(c, (hlmi_key){"moe_intermediate_size", NULL}, 1, MAX_FF, 512, &ff));
    HLMI_TRY(hlmi_config_int(c, (hlmi_key){"shared_expert_intermediate_size", NULL}, 1, MAX_FF, 512, &shared));
    HLMI_TRY(hlmi_config_int(c, (hlmi_key){"decoder_sparse_step", NULL}, 1, MAX_LAYERS, 1, &step));
    HLMI_TRY(hlmi_config_bool(c, (hlmi_key){"norm_topk_prob", NULL}, true, &f->normalise));
    f->shared_ff = (size_t)shared;
    f->sparse_step = (size_t)step;
    f->experts = (hlmi_expert_set){.gate = {MLP "experts.%e.gate_proj", NULL},
                                   .up = {MLP "experts.%e.up_proj", NULL},
                                   .down = {MLP "experts.%e.down_proj", NULL},
                                   .n = (size_t)n,
                                   .used = (size_t)used,
                                   .width = d->hidden,
                                   .ff = (size_t)ff};
done:
    return st;
}

static hlm_status setup(hlmi_decoder *d)
{
    hlm_status st;
    family *f = hlmi_plan_alloc(d->plan, 1, sizeof *f);
    if (!f) return hlmi_nomem(sizeof *f, "settings");
    HLMI_TRY(hlmi_delta_net_read(d->c, &f->net));
    f->net.fused = true;
    HLMI_TRY(read_experts(d, f));
    d->family = f;
done:
    return st;
}

static hlm_status matrix(const hlmi_decoder *d, const char *name, size_t layer, size_t rows, size_t cols,
                         hlmi_matrix *out)
{
    const hlmi_name full = hlmi_decoder_name(d, (hlmi_key){name, NULL}, layer, ".weight");
    return hlmi_loader_matrix(d->l, full.text, rows, cols, NULL, out);
}

static hlm_status add_sparse(const hlmi_decoder *d, const family *f, size_t layer)
{
    hlm_status st;
    const size_t n = f->experts.n;
    hlmi_moe_params p = {.kind = HLMI_MLP_SILU_GATED,
                         .router = {.kind = HLMI_ROUTE_SOFTMAX,
                                    .n_experts = n,
                                    .top_k = f->experts.used,
                                    .normalise = f->normalise,
                                    .scale = 1.0f,
                                    .shared = 1.0f,
                                    .shared_gated = true}};
    hlmi_expert *experts = hlmi_plan_alloc(d->plan, n + 1, sizeof *experts);
    if (!experts) return hlmi_nomem((n + 1) * sizeof *experts, "experts");
    HLMI_TRY(hlmi_decoder_norm(d, HLMI_PART_MLP_NORM, layer, d->hidden, &p.norm));
    HLMI_TRY(matrix(d, MLP "gate", layer, n, d->hidden, &p.logits));
    HLMI_TRY(matrix(d, MLP "shared_expert_gate", layer, 1, d->hidden, &p.shared_gate));
    HLMI_TRY(hlmi_experts_load(d, &f->experts, layer, experts));
    HLMI_TRY(matrix(d, MLP "shared_expert.gate_proj", layer, f->shared_ff, d->hidden, &experts[n].gate));
    HLMI_TRY(matrix(d, MLP "shared_expert.up_proj", layer, f->shared_ff, d->hidden, &experts[n].up));
    HLMI_TRY(matrix(d, MLP "shared_expert.down_proj", layer, d->hidden, f->shared_ff, &experts[n].down));
    p.experts = experts;
    HLMI_TRY(hlmi_plan_add(d->plan, HLMI_BLOCK_MOE, &p, sizeof p));
done:
    return st;
}

static hlm_status add_feed_forward(const hlmi_decoder *d, const family *f, size_t layer)
{
    hlm_status st;
    hlmi_mlp_params mlp;
    bool dense = false;
    HLMI_TRY(hlmi_config_list_has(d->c, "mlp_only_layers", 0, MAX_LAYERS, (int64_t)layer, &dense));
    if (!dense && f->experts.n && (layer + 1) % f->sparse_step == 0) return add_sparse(d, f, layer);
    HLMI_TRY(hlmi_decoder_mlp(d, layer, &mlp));
    HLMI_TRY(hlmi_plan_add(d->plan, HLMI_BLOCK_MLP, &mlp, sizeof mlp));
done:
    return st;
}

static hlm_status layer(const hlmi_decoder *d, size_t i)
{
    hlm_status st;
    const family *f = d->family;
    HLMI_TRY(hlmi_delta_net_layer(d, &f->net, i));
    HLMI_TRY(add_feed_forward(d, f, i));
done:
    return st;
}

static hlm_status build(const hlmi_config *c, hlmi_loader *l, hlmi_plan *plan)
{
    hlmi_decoder_spec spec = hlmi_delta_net_spec;
    spec.sizes = (hlmi_class_sizes){.vocab = 151936,
                                    .hidden = 2048,
                                    .ff = 5632,
                                    .layers = 48,
                                    .heads = 16,
                                    .kv_heads = 2,
                                    .head_dim = 256,
                                    .positions = 32768};
    spec.setup = setup;
    spec.layer = layer;
    return hlmi_decoder_build(&spec, c, l, plan);
}

static const char *const left_out[] = {"mtp.", "model.mtp.", NULL}; /* predict further tokens */

const hlmi_arch hlmi_arch_qwen3_next = {.hf = "qwen3_next", .classifies = true, .left_out = left_out, .build = build};
