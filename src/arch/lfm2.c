/* LFM2: gated short convolutions and attention with normed q and k heads. Reference: transformers' modeling_lfm2. */
#include "arch/decoder.h"

#define LAYER "model.layers.%zu."

enum { MAX_FF = 1 << 24, MAX_LAYERS = 1 << 16, MAX_WINDOW = 1 << 10 };

static const hlmi_key names[HLMI_PARTS] = {
    [HLMI_PART_EMBED] = {"model.embed_tokens", NULL},
    [HLMI_PART_FINAL_NORM] = {"model.embedding_norm", NULL},
    [HLMI_PART_HEAD] = {"lm_head", NULL},
    [HLMI_PART_ATTN_NORM] = {LAYER "operator_norm", NULL},
    [HLMI_PART_Q] = {LAYER "self_attn.q_proj", NULL},
    [HLMI_PART_K] = {LAYER "self_attn.k_proj", NULL},
    [HLMI_PART_V] = {LAYER "self_attn.v_proj", NULL},
    [HLMI_PART_O] = {LAYER "self_attn.out_proj", NULL},
    [HLMI_PART_Q_NORM] = {LAYER "self_attn.q_layernorm", NULL},
    [HLMI_PART_K_NORM] = {LAYER "self_attn.k_layernorm", NULL},
    [HLMI_PART_MLP_NORM] = {LAYER "ffn_norm", NULL},
    [HLMI_PART_GATE] = {LAYER "feed_forward.w1", NULL},
    [HLMI_PART_UP] = {LAYER "feed_forward.w3", NULL},
    [HLMI_PART_DOWN] = {LAYER "feed_forward.w2", NULL},
};

/* What the feed-forward's width becomes when block_auto_adjust_ff_dim is true. */
static hlm_status adjust_ff(hlmi_decoder *d)
{
    hlm_status st;
    double by = 1.0;
    int64_t multiple = 0;
    HLMI_TRY(hlmi_config_float(d->c, (hlmi_key){"block_ffn_dim_multiplier", NULL}, 1e-3, 1e3, 1.0, &by));
    HLMI_TRY(hlmi_config_int(d->c, (hlmi_key){"block_multiple_of", NULL}, 1, MAX_FF, 256, &multiple));
    size_t ff = 2 * d->ff / 3;
    /* null, unlike nothing, leaves it there */
    if (!hlmi_json_is(hlmi_json_get(d->c->json, "block_ffn_dim_multiplier"), HLMI_JSON_NULL)) {
        const size_t m = (size_t)multiple;
        ff = (size_t)(by * (double)ff);
        ff = (ff + m - 1) / m * m;
    }
    if (ff == 0 || ff > MAX_FF)
        HLMI_TRY(hlmi_fail(HLM_E_FORMAT, "%s: the feed-forward's adjusted width is %zu, expected 1 to %d",
                           hlmi_store_path(d->c->store), ff, MAX_FF));
    d->ff = ff;
done:
    return st;
}

static hlm_status setup(hlmi_decoder *d)
{
    bool adjust = true;
    const hlm_status st = hlmi_config_bool(d->c, (hlmi_key){"block_auto_adjust_ff_dim", NULL}, true, &adjust);
    return st == HLM_OK && adjust ? adjust_ff(d) : st;
}

/* Is the layer a convolution? layer_types says, or else full_attn_idxs. */
static hlm_status is_conv(const hlmi_decoder *d, size_t layer, bool *out)
{
    static const char *const types[] = {"full_attention", "conv"};
    hlm_status st;
    bool attention = true;
    HLMI_TRY(hlmi_config_list_has(d->c, "full_attn_idxs", 0, MAX_LAYERS, (int64_t)layer, &attention));
    size_t type = attention ? 0 : 1;
    HLMI_TRY(hlmi_config_choice_at(d->c, "layer_types", layer, d->layers, types, 2, &type));
    *out = type == 1;
done:
    return st;
}

/* Row third `part` of in_proj. */
static hlm_status load_in(const hlmi_decoder *d, size_t layer, size_t part, bool has_bias, hlmi_matrix *w,
                          const float **bias)
{
    const hlmi_key key = {LAYER "conv.in_proj", NULL};
    const size_t n = d->hidden;
    const hlmi_row_order o = {.first = part * n, .in_file = 3 * n};
    float *v = NULL;
    hlm_status st = hlmi_loader_matrix(d->l, hlmi_decoder_name(d, key, layer, ".weight").text, n, n, &o, w);
    if (st == HLM_OK && has_bias)
        st = hlmi_loader_vector(d->l, hlmi_decoder_name(d, key, layer, ".bias").text, n, &o, &v);
    *bias = v;
    return st;
}

static hlm_status add_conv(const hlmi_decoder *d, size_t layer)
{
    static const hlmi_key conv = {LAYER "conv.conv", NULL}, out = {LAYER "conv.out_proj", NULL};
    hlm_status st;
    hlmi_short_conv_params p = {.layer = (int32_t)layer};
    const size_t n = d->hidden;
    bool has_bias = false;
    int64_t window = 0;
    float *taps = NULL, *bias = NULL, *out_bias = NULL;
    HLMI_TRY(hlmi_config_bool(d->c, (hlmi_key){"conv_bias", NULL}, false, &has_bias));
    HLMI_TRY(hlmi_config_int(d->c, (hlmi_key){"conv_L_cache", NULL}, 1, MAX_WINDOW, 3, &window));
    HLMI_TRY(hlmi_decoder_norm(d, HLMI_PART_ATTN_NORM, layer, n, &p.norm));
    HLMI_TRY(load_in(d, layer, 0, has_bias, &p.b, &p.b_bias));
    HLMI_TRY(load_in(d, layer, 1, has_bias, &p.c, &p.c_bias));
    HLMI_TRY(load_in(d, layer, 2, has_bias, &p.v, &p.v_bias));
    HLMI_TRY(hlmi_loader_taps(d->l, hlmi_decoder_name(d, conv, layer, ".weight").text, n, (size_t)window, &taps));
    HLMI_TRY(hlmi_loader_matrix(d->l, hlmi_decoder_name(d, out, layer, ".weight").text, n, n, NULL, &p.out));
    if (has_bias) {
        HLMI_TRY(hlmi_loader_vector(d->l, hlmi_decoder_name(d, conv, layer, ".bias").text, n, NULL, &bias));
        HLMI_TRY(hlmi_loader_vector(d->l, hlmi_decoder_name(d, out, layer, ".bias").text, n, NULL, &out_bias));
    }
    p.taps = taps;
    p.bias = bias;
    p.out_bias = out_bias;
    const hlmi_recurrence rec = {.layer = (int32_t)layer, .channels = n, .window = (size_t)window};
    HLMI_TRY(hlmi_plan_add_recurrence(d->plan, &rec, &p.rec));
    HLMI_TRY(hlmi_plan_add(d->plan, HLMI_BLOCK_SHORT_CONV, &p, sizeof p));
done:
    return st;
}

static hlm_status layer(const hlmi_decoder *d, size_t i)
{
    hlm_status st;
    bool conv = false;
    hlmi_attn_params attn;
    hlmi_mlp_params mlp;
    HLMI_TRY(is_conv(d, i, &conv));
    if (conv) {
        HLMI_TRY(add_conv(d, i));
    } else {
        HLMI_TRY(hlmi_decoder_attention(d, i, &attn));
        HLMI_TRY(hlmi_plan_add(d->plan, HLMI_BLOCK_ATTN, &attn, sizeof attn));
    }
    HLMI_TRY(hlmi_decoder_mlp(d, i, &mlp));
    HLMI_TRY(hlmi_plan_add(d->plan, HLMI_BLOCK_MLP, &mlp, sizeof mlp));
done:
    return st;
}

static hlm_status build(const hlmi_config *c, hlmi_loader *l, hlmi_plan *plan)
{
    hlmi_decoder_spec spec = {.names = names,
                              .tied = true,
                              .tied_key = "tie_embedding",
                              .sizes = {.vocab = 65536,
                                        .hidden = 2560,
                                        .ff = 12288,
                                        .layers = 32,
                                        .heads = 32,
                                        .kv_heads = 8,
                                        .positions = 128000},
                              .eps_key = {"norm_eps", NULL},
                              .eps = 1e-5,
                              .qk_norm = true,
                              .theta = 1e6,
                              .setup = setup,
                              .layer = layer};
    if (hlmi_config_has(c, (hlmi_key){"block_ff_dim", NULL})) spec.ff_key = "block_ff_dim";
    return hlmi_decoder_build(&spec, c, l, plan);
}

const hlmi_arch hlmi_arch_lfm2 = {.hf = "lfm2", .build = build};
