/* Weights of gated delta nets. References: transformers' modeling_qwen3_next, modeling_qwen3_5. */
#include "arch/delta_net.h"

#define LAYER "model.layers.%zu."

enum { MAX_HEADS = 1 << 16, MAX_DIM = 1 << 14, MAX_WINDOW = 1 << 10, MAX_LAYERS = 1 << 16 };

hlm_status hlmi_delta_net_read(const hlmi_config *c, hlmi_delta_net *out)
{
    hlm_status st;
    int64_t v = 0;
    HLMI_TRY(hlmi_config_int(c, (hlmi_key){"linear_num_key_heads", NULL}, 1, MAX_HEADS, 16, &v));
    out->key_heads = (size_t)v;
    HLMI_TRY(hlmi_config_int(c, (hlmi_key){"linear_num_value_heads", NULL}, 1, MAX_HEADS, 32, &v));
    out->value_heads = (size_t)v;
    HLMI_TRY(hlmi_config_int(c, (hlmi_key){"linear_key_head_dim", NULL}, 1, MAX_DIM, 128, &v));
    out->key_dim = (size_t)v;
    HLMI_TRY(hlmi_config_int(c, (hlmi_key){"linear_value_head_dim", NULL}, 1, MAX_DIM, 128, &v));
    out->value_dim = (size_t)v;
    HLMI_TRY(hlmi_config_int(c, (hlmi_key){"linear_conv_kernel_dim", NULL}, 1, MAX_WINDOW, 4, &v));
    out->window = (size_t)v;
    if (out->value_heads % out->key_heads)
        HLMI_TRY(hlmi_fail(HLM_E_FORMAT, "%s: %zu value heads (linear_num_value_heads) can not share %zu key heads",
                           hlmi_store_path(c->store), out->value_heads, out->key_heads));
done:
    return st;
}

/* Is the layer a delta net? */
static hlm_status is_delta(const hlmi_decoder *d, size_t layer, bool *out)
{
    static const char *const types[] = {"full_attention", "linear_attention"};
    hlm_status st;
    int64_t interval = 0;
    HLMI_TRY(hlmi_config_int(d->c, (hlmi_key){"full_attention_interval", NULL}, 1, MAX_LAYERS, 4, &interval));
    size_t type = (layer + 1) % (size_t)interval ? 1 : 0;
    HLMI_TRY(hlmi_config_choice_at(d->c, "layer_types", layer, d->layers, types, 2, &type));
    *out = type == 1;
done:
    return st;
}

/* `rows` rows for each head, from row `first` of its `period` in the file's tensor. */
static hlm_status part(const hlmi_decoder *d, const char *name, size_t layer, size_t heads, size_t rows, size_t first,
                       size_t period, hlmi_matrix *out)
{
    const hlmi_row_order o = {.head_dim = rows, .period = period, .first = first, .in_file = heads * period};
    const hlmi_name full = hlmi_decoder_name(d, (hlmi_key){name, NULL}, layer, ".weight");
    return hlmi_loader_matrix(d->l, full.text, heads * rows, d->hidden, &o, out);
}

/* [key head][q, k, v of its value heads, z of them] and [key head][b, a of them] */
static hlm_status load_fused(const hlmi_decoder *d, const hlmi_delta_net *n, size_t layer, hlmi_delta_params *p)
{
    static const char qkvz[] = LAYER "linear_attn.in_proj_qkvz", ba[] = LAYER "linear_attn.in_proj_ba";
    hlm_status st;
    const size_t share = n->value_heads / n->key_heads, h = n->key_heads, kd = n->key_dim;
    const size_t vd = share * n->value_dim, period = 2 * kd + 2 * vd;
    HLMI_TRY(part(d, qkvz, layer, h, kd, 0, period, &p->q));
    HLMI_TRY(part(d, qkvz, layer, h, kd, kd, period, &p->k));
    HLMI_TRY(part(d, qkvz, layer, h, vd, 2 * kd, period, &p->v));
    HLMI_TRY(part(d, qkvz, layer, h, vd, 2 * kd + vd, period, &p->z));
    HLMI_TRY(part(d, ba, layer, h, share, 0, 2 * share, &p->b));
    HLMI_TRY(part(d, ba, layer, h, share, share, 2 * share, &p->a));
done:
    return st;
}

/* [q, k, v], z, b and a */
static hlm_status load_apart(const hlmi_decoder *d, const hlmi_delta_net *n, size_t layer, hlmi_delta_params *p)
{
    static const char qkv[] = LAYER "linear_attn.in_proj_qkv";
    hlm_status st;
    const size_t keys = n->key_heads * n->key_dim, values = n->value_heads * n->value_dim;
    HLMI_TRY(part(d, qkv, layer, 1, keys, 0, 2 * keys + values, &p->q));
    HLMI_TRY(part(d, qkv, layer, 1, keys, keys, 2 * keys + values, &p->k));
    HLMI_TRY(part(d, qkv, layer, 1, values, 2 * keys, 2 * keys + values, &p->v));
    HLMI_TRY(part(d, LAYER "linear_attn.in_proj_z", layer, 1, values, 0, values, &p->z));
    HLMI_TRY(part(d, LAYER "linear_attn.in_proj_b", layer, 1, n->value_heads, 0, n->value_heads, &p->b));
    HLMI_TRY(part(d, LAYER "linear_attn.in_proj_a", layer, 1, n->value_heads, 0, n->value_heads, &p->a));
done:
    return st;
}

/* The norm that gives n elements the length `length`: x * length / sqrt(sum x^2 + 1e-6), the references' eps. */
static hlm_status length_norm(const hlmi_decoder *d, size_t n, float length, hlmi_norm *out)
{
    *out = (hlmi_norm){.kind = HLMI_NORM_RMS, .size = n, .eps = (float)(1e-6 / (double)n)};
    out->weight = hlmi_plan_alloc(d->plan, n, sizeof *out->weight);
    if (!out->weight) return hlmi_nomem(n * sizeof *out->weight, "a norm");
    for (size_t i = 0; i < n; i++) out->weight[i] = length / __builtin_sqrtf((float)n);
    return HLM_OK;
}

/* Everything but the projections of the input. */
static hlm_status load_rest(const hlmi_decoder *d, const hlmi_delta_net *n, size_t layer, hlmi_delta_params *p)
{
    hlm_status st;
    const size_t values = n->value_heads * n->value_dim, channels = 2 * n->key_heads * n->key_dim + values;
    float *taps = NULL, *decay = NULL, *bias = NULL;
    p->head_norm = (hlmi_norm){.kind = HLMI_NORM_RMS, .size = n->value_dim, .eps = (float)d->eps};
    hlmi_name name = hlmi_decoder_name(d, (hlmi_key){LAYER "linear_attn.conv1d", NULL}, layer, ".weight");
    HLMI_TRY(hlmi_loader_taps(d->l, name.text, channels, n->window, &taps));
    name = hlmi_decoder_name(d, (hlmi_key){LAYER "linear_attn.A_log", NULL}, layer, "");
    HLMI_TRY(hlmi_loader_decay(d->l, name.text, n->value_heads, &decay));
    name = hlmi_decoder_name(d, (hlmi_key){LAYER "linear_attn.dt_bias", NULL}, layer, "");
    HLMI_TRY(hlmi_loader_vector(d->l, name.text, n->value_heads, NULL, &bias));
    name = hlmi_decoder_name(d, (hlmi_key){LAYER "linear_attn.norm", NULL}, layer, ".weight");
    HLMI_TRY(hlmi_loader_vector(d->l, name.text, n->value_dim, NULL, &p->head_norm.weight));
    name = hlmi_decoder_name(d, (hlmi_key){LAYER "linear_attn.out_proj", NULL}, layer, ".weight");
    HLMI_TRY(hlmi_loader_matrix(d->l, name.text, d->hidden, values, NULL, &p->out));
    HLMI_TRY(length_norm(d, n->key_dim, 1.0f / __builtin_sqrtf((float)n->key_dim), &p->q_norm));
    HLMI_TRY(length_norm(d, n->key_dim, 1.0f, &p->k_norm));
    p->taps = taps;
    p->decay = decay;
    p->dt_bias = bias;
done:
    return st;
}

static hlm_status add_delta(const hlmi_decoder *d, const hlmi_delta_net *n, size_t layer)
{
    hlm_status st;
    hlmi_delta_params p = {.layer = (int32_t)layer, .key_heads = n->key_heads};
    const hlmi_recurrence rec = {.layer = (int32_t)layer,
                                 .channels = 2 * n->key_heads * n->key_dim + n->value_heads * n->value_dim,
                                 .window = n->window,
                                 .heads = n->value_heads,
                                 .rows = n->key_dim,
                                 .cols = n->value_dim,
                                 .extra = 2 * n->value_heads};
    HLMI_TRY(hlmi_decoder_norm(d, HLMI_PART_ATTN_NORM, layer, d->hidden, &p.norm));
    HLMI_TRY(n->fused ? load_fused(d, n, layer, &p) : load_apart(d, n, layer, &p));
    HLMI_TRY(load_rest(d, n, layer, &p));
    HLMI_TRY(hlmi_plan_add_recurrence(d->plan, &rec, &p.rec));
    HLMI_TRY(hlmi_plan_add(d->plan, HLMI_BLOCK_DELTA, &p, sizeof p));
done:
    return st;
}

hlm_status hlmi_delta_net_layer(const hlmi_decoder *d, const hlmi_delta_net *n, size_t layer)
{
    hlm_status st;
    bool delta = false;
    hlmi_attn_params attn;
    HLMI_TRY(is_delta(d, layer, &delta));
    if (delta) return add_delta(d, n, layer);
    HLMI_TRY(hlmi_decoder_attention(d, layer, &attn));
    HLMI_TRY(hlmi_plan_add(d->plan, HLMI_BLOCK_ATTN, &attn, sizeof attn));
done:
    return st;
}

const hlmi_decoder_spec hlmi_delta_net_spec = {.names = hlmi_llama_names,
                                               .qkv_bias = HLMI_BIAS_ASKED,
                                               .o_bias = HLMI_BIAS_ASKED,
                                               .attn_bias_key = "attention_bias",
                                               .norm_plus_one = true,
                                               .eps_key = {"rms_norm_eps", NULL},
                                               .eps = 1e-6,
                                               .qk_norm = true,
                                               .gated_attention = true,
                                               .partial_rotary = 0.25};
