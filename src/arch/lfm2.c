/* LFM2: gated short convolutions and attention with normed q and k heads. Reference: transformers' modeling_lfm2. */
#include "arch/experts.h"

enum { MAX_FF = 1 << 24, MAX_LAYERS = 1 << 16, MAX_WINDOW = 1 << 10 };

static const hlmi_key names[HLMI_PARTS] = {
    [HLMI_PART_EMBED] = {"model.embed_tokens", "token_embd"},
    [HLMI_PART_FINAL_NORM] = {"model.embedding_norm", "token_embd_norm"},
    [HLMI_PART_HEAD] = {"lm_head", "output"},
    HLMI_NAMES_NORMS("operator_norm", "ffn_norm"),
    HLMI_NAMES_QKV(HLMI_LAYER "self_attn."),
    [HLMI_PART_O] = {HLMI_LAYER "self_attn.out_proj", "blk.%zu.attn_output"},
    HLMI_NAMES_QK_NORMS("self_attn.q_layernorm", "self_attn.k_layernorm"),
    [HLMI_PART_GATE] = {HLMI_LAYER "feed_forward.w1", "blk.%zu.ffn_gate"},
    [HLMI_PART_UP] = {HLMI_LAYER "feed_forward.w3", "blk.%zu.ffn_up"},
    [HLMI_PART_DOWN] = {HLMI_LAYER "feed_forward.w2", "blk.%zu.ffn_down"},
    [HLMI_PART_ROUTER] = {HLMI_LAYER "feed_forward.gate", "blk.%zu.ffn_gate_inp"},
    [HLMI_PART_ROUTER_BIAS] = {HLMI_LAYER "feed_forward.expert_bias", "blk.%zu.exp_probs_b.bias"},
    HLMI_NAMES_EXPERTS(HLMI_LAYER "feed_forward.", "w1", "w3", "w2"),
    [HLMI_PART_SSM_B] = {HLMI_LAYER "conv.in_proj", "blk.%zu.shortconv.in_proj"},
    [HLMI_PART_SSM_C] = {HLMI_LAYER "conv.in_proj", "blk.%zu.shortconv.in_proj"},
    [HLMI_PART_SSM_X] = {HLMI_LAYER "conv.in_proj", "blk.%zu.shortconv.in_proj"},
    [HLMI_PART_SSM_TAPS] = {HLMI_LAYER "conv.conv", "blk.%zu.shortconv.conv"},
    [HLMI_PART_SSM_OUT] = {HLMI_LAYER "conv.out_proj", "blk.%zu.shortconv.out_proj"},
};

/* What the feed-forward's width becomes when block_auto_adjust_ff_dim is true. */
static hlm_status adjust_ff(hlmi_decoder *d)
{
    double by = 1.0;
    size_t m = 0;
    HLMI_DO(hlmi_config_float(d->c, (hlmi_key){"block_ffn_dim_multiplier", NULL}, 1e-3, 1e3, 1.0, &by));
    HLMI_DO(hlmi_config_size(d->c, (hlmi_key){"block_multiple_of", NULL}, MAX_FF, 256, &m));
    size_t ff = 2 * d->ff / 3;
    /* null, unlike nothing, leaves it there */
    if (!hlmi_json_is(hlmi_json_get(d->c->json, "block_ffn_dim_multiplier"), HLMI_JSON_NULL)) {
        ff = (size_t)(by * (double)ff);
        ff = (ff + m - 1) / m * m;
    }
    if (ff == 0 || ff > MAX_FF)
        return hlmi_fail(HLM_E_FORMAT, "%s: the feed-forward's adjusted width is %zu, expected 1 to %d",
                         hlmi_store_path(d->c->store), ff, MAX_FF);
    d->ff = ff;
    return HLM_OK;
}

/* Of LFM2-MoE, which only GGUF files are read of. */
static hlm_status read_experts(const hlmi_decoder *d, hlmi_experts *e)
{
    int64_t n = 0, gating = 0;
    double scale = 1.0;
    HLMI_DO(hlmi_config_int(d->c, (hlmi_key){NULL, ".expert_count"}, 0, HLMI_MAX_EXPERTS, 0, &n));
    if (n == 0) return HLM_OK;
    HLMI_DO(hlmi_config_int(d->c, (hlmi_key){NULL, ".expert_gating_func"}, 1, 2, 2, &gating));
    HLMI_DO(hlmi_config_float(d->c, (hlmi_key){NULL, ".expert_weights_scale"}, -1e6, 1e6, scale, &scale));
    e->router = (hlmi_router){.kind = gating == 2 ? HLMI_ROUTE_SIGMOID : HLMI_ROUTE_SOFTMAX,
                              .n_experts = (size_t)n,
                              .normalise = true,
                              .scale = (float)scale};
    return hlmi_config_size(d->c, (hlmi_key){NULL, ".expert_used_count"}, n, 0, &e->router.top_k);
}

static hlm_status setup(hlmi_decoder *d)
{
    bool adjust = true;
    if (d->gguf) return read_experts(d, d->family); /* files have the width itself */
    const hlm_status st = hlmi_config_bool(d->c, (hlmi_key){"block_auto_adjust_ff_dim", NULL}, true, &adjust);
    return st == HLM_OK && adjust ? adjust_ff(d) : st;
}

/* Is the layer a convolution? layer_types says, or else full_attn_idxs. */
static hlm_status is_conv(const hlmi_decoder *d, size_t layer, bool *out)
{
    static const char *const types[] = {"full_attention", "conv"};
    bool attention = true;
    HLMI_DO(hlmi_decoder_attends(d, layer, &attention));
    HLMI_DO(hlmi_config_list_has(d->c, "full_attn_idxs", 0, MAX_LAYERS, (int64_t)layer, &attention));
    size_t type = attention ? 0 : 1;
    HLMI_DO(hlmi_config_choice_at(d->c, "layer_types", layer, d->layers, types, 2, &type));
    *out = type == 1;
    return HLM_OK;
}

static hlm_status add_conv(const hlmi_decoder *d, size_t layer)
{
    hlmi_short_conv_params p = {.layer = (int32_t)layer};
    const size_t n = d->hidden;
    bool biased = false;
    size_t window = 0;
    HLMI_DO(hlmi_config_bool(d->c, (hlmi_key){"conv_bias", NULL}, false, &biased));
    HLMI_DO(hlmi_config_size(d->c, (hlmi_key){"conv_L_cache", ".shortconv.l_cache"}, MAX_WINDOW, 3, &window));
    const hlmi_has_bias has = hlmi_bias_by(d, biased);
    const hlmi_want whole = {.rows = n, .cols = n};
    p.norm = hlmi_decoder_norm(d, HLMI_PART_ATTN_NORM, layer, n);
    p.b = hlmi_decoder_linear(d, HLMI_PART_SSM_B, layer, hlmi_want_rows(whole, 0, 3 * n), has);
    p.c = hlmi_decoder_linear(d, HLMI_PART_SSM_C, layer, hlmi_want_rows(whole, n, 3 * n), has);
    p.v = hlmi_decoder_linear(d, HLMI_PART_SSM_X, layer, hlmi_want_rows(whole, 2 * n, 3 * n), has);
    hlmi_decoder_taps(d, layer, n, window, biased, &p.taps, &p.bias);
    p.out = hlmi_decoder_linear(d, HLMI_PART_SSM_OUT, layer, whole, has);
    const hlmi_recurrence rec = {.layer = (int32_t)layer, .channels = n, .window = window};
    HLMI_DO(hlmi_plan_add_recurrence(d->plan, &rec, &p.rec));
    return hlmi_decoder_add(d, HLMI_BLOCK_SHORT_CONV, &p, sizeof p);
}

static hlm_status layer(const hlmi_decoder *d, size_t i)
{
    bool conv = false;
    const hlmi_experts *e = d->family;
    const bool sparse = e->router.n_experts && hlmi_decoder_has(d, HLMI_PART_ROUTER, i);
    HLMI_DO(is_conv(d, i, &conv));
    HLMI_DO(conv ? add_conv(d, i) : hlmi_decoder_add_attention(d, i));
    return sparse ? hlmi_experts_add(d, e, i, NULL) : hlmi_decoder_add_mlp(d, i);
}

static hlm_status build(const hlmi_config *c, hlmi_wants *w)
{
    hlmi_decoder_spec spec = {.names = names,
                              .tied = true,
                              .tied_key = "tie_embedding",
                              .sizes = {65536, 2560, 12288, 32, 32, 8, 0, 128000},
                              .eps_key = "norm_eps",
                              .eps = 1e-5,
                              .qk_norm = true,
                              .theta = 1e6,
                              .family_size = sizeof(hlmi_experts),
                              .setup = setup,
                              .layer = layer};
    if (hlmi_config_has(c, (hlmi_key){"block_ff_dim", NULL})) spec.ff_key = "block_ff_dim";
    return hlmi_decoder_build(&spec, c, w);
}

const hlmi_arch hlmi_arch_lfm2 = {.name = {"lfm2", "lfm2"}, .build = build};
const hlmi_arch hlmi_arch_lfm2_moe = {.name = {NULL, "lfm2moe"}, .build = build};
