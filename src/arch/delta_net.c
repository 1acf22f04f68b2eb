/* Weights of gated delta nets. References: transformers' modeling_qwen3_next, modeling_qwen3_5. */
#include "arch/delta_net.h"

enum { MAX_HEADS = 1 << 16, MAX_DIM = 1 << 14, MAX_WINDOW = 1 << 10, MAX_LAYERS = 1 << 16 };

static hlm_status read_gguf(const hlmi_config *c, hlmi_delta_net *out)
{
    size_t inner = 0;
    HLMI_DO(hlmi_config_size(c, (hlmi_key){NULL, ".ssm.group_count"}, MAX_HEADS, 0, &out->key_heads));
    HLMI_DO(hlmi_config_size(c, (hlmi_key){NULL, ".ssm.time_step_rank"}, MAX_HEADS, 0, &out->value_heads));
    HLMI_DO(hlmi_config_size(c, (hlmi_key){NULL, ".ssm.state_size"}, MAX_DIM, 0, &out->key_dim));
    HLMI_DO(hlmi_config_size(c, (hlmi_key){NULL, ".ssm.conv_kernel"}, MAX_WINDOW, 0, &out->window));
    HLMI_DO(hlmi_config_size(c, (hlmi_key){NULL, ".ssm.inner_size"}, MAX_HEADS * MAX_DIM, 0, &inner));
    out->value_dim = inner / out->value_heads;
    if (inner % out->value_heads || out->value_dim > MAX_DIM || out->value_heads % out->key_heads)
        return hlmi_fail(HLM_E_FORMAT, "%s: %s.ssm.inner_size is %zu, which %zu heads of %zu groups can not share",
                         hlmi_store_path(c->store), c->arch, inner, out->value_heads, out->key_heads);
    return HLM_OK;
}

hlm_status hlmi_delta_net_read(const hlmi_decoder *d, hlmi_delta_net *out)
{
    const hlmi_config *c = d->c;
    out->turned = out->turns && d->gguf;
    if (d->gguf) return read_gguf(c, out);
    HLMI_DO(hlmi_config_size(c, (hlmi_key){"linear_num_key_heads", NULL}, MAX_HEADS, 16, &out->key_heads));
    HLMI_DO(hlmi_config_size(c, (hlmi_key){"linear_num_value_heads", NULL}, MAX_HEADS, 32, &out->value_heads));
    HLMI_DO(hlmi_config_size(c, (hlmi_key){"linear_key_head_dim", NULL}, MAX_DIM, 128, &out->key_dim));
    HLMI_DO(hlmi_config_size(c, (hlmi_key){"linear_value_head_dim", NULL}, MAX_DIM, 128, &out->value_dim));
    HLMI_DO(hlmi_config_size(c, (hlmi_key){"linear_conv_kernel_dim", NULL}, MAX_WINDOW, 4, &out->window));
    if (out->value_heads % out->key_heads)
        return hlmi_fail(HLM_E_FORMAT, "%s: %zu value heads (linear_num_value_heads) can not share %zu key heads",
                         hlmi_store_path(c->store), out->value_heads, out->key_heads);
    return HLM_OK;
}

/* Is the layer a delta net? */
static hlm_status is_delta(const hlmi_decoder *d, size_t layer, bool *out)
{
    static const char *const types[] = {"full_attention", "linear_attention"};
    int64_t interval = 0, recurrent = 0;
    const hlmi_key every = {"full_attention_interval", ".full_attention_interval"};
    const hlmi_key flags = {NULL, ".attention.recurrent_layers"};
    HLMI_DO(hlmi_config_int(d->c, every, 1, MAX_LAYERS, 4, &interval));
    HLMI_DO(hlmi_config_int_at(d->c, flags, layer, d->layers, 0, 1, (layer + 1) % (size_t)interval != 0, &recurrent));
    size_t type = (size_t)recurrent;
    HLMI_DO(hlmi_config_choice_at(d->c, "layer_types", layer, d->layers, types, 2, &type));
    *out = type == 1;
    return HLM_OK;
}

/* `rows` rows for each head, from row `first` of its `period` in the tensor. */
typedef struct in_part {
    hlmi_part part;
    size_t heads, rows, first, period, unit;
    size_t value; /* of values: rows of one of their heads */
} in_part;

static hlmi_row_order order_of(const in_part *p)
{
    return (hlmi_row_order){
        .head_dim = p->rows, .period = p->period, .first = p->first, .in_file = p->heads * p->period};
}

/* The order of value heads of `size` numbers in files of the other kind than this one. */
static void turn(const hlmi_decoder *d, const hlmi_delta_net *n, size_t size, hlmi_row_order *orders)
{
    const size_t share = n->value_heads / n->key_heads;
    hlmi_row_order *o = &orders[d->gguf ? HLMI_HF : HLMI_GGUF];
    if (!n->turns || share == 1) return;
    o->head_dim = o->period = size;
    o->turn = n->turned ? n->key_heads : share;
    o->turns = n->turned ? share : n->key_heads;
}

/* gguf: where it is in files of that kind, or NULL: as in folders. */
static const hlmi_matrix *want_part(const hlmi_decoder *d, const hlmi_delta_net *n, size_t layer, const in_part *p,
                                    const in_part *gguf)
{
    hlmi_want want = {.rows = p->heads * p->rows,
                      .cols = d->hidden,
                      .order = {order_of(p), order_of(gguf ? gguf : p)},
                      .unit = p->unit};
    if (p->value) turn(d, n, p->value, want.order);
    if (d->gguf && !hlmi_decoder_has(d, p->part, layer)) want.name = (hlmi_key){d->names[p->part].hf, "blk.%zu.ssm_in"};
    return hlmi_decoder_rows(d, p->part, layer, want);
}

/* Fused: [key head][q, k, v of its value heads, z of them] and [key head][b, a of them]. Else [q, k, v], z, b and a. */
static void want_in(const hlmi_decoder *d, const hlmi_delta_net *n, size_t layer, hlmi_delta_params *p)
{
    const size_t h = n->fused ? n->key_heads : 1; /* parts of each tensor that lie one behind the other */
    const size_t share = n->value_heads / h, kd = n->key_heads / h * n->key_dim, vd = share * n->value_dim;
    const size_t all = 2 * kd + vd + (n->fused ? vd : 0), ba = n->fused ? 2 * share : share;
    const size_t z = n->fused ? 2 * kd + vd : 0, group = n->turned ? 1 : n->value_heads / n->key_heads;
    /* GGUF files have q, k and v one under the other, and z apart; but for the first of Qwen3-Next, which are as
     * folders */
    const size_t keys = n->key_heads * n->key_dim, values = n->value_heads * n->value_dim;
    const bool apart = !n->fused || hlmi_decoder_has(d, HLMI_PART_SSM_Z, layer);
    const in_part q = {HLMI_PART_DELTA_Q, 1, keys, 0, 2 * keys + values, 0, 0};
    const in_part k = {HLMI_PART_DELTA_K, 1, keys, keys, q.period, 0, 0};
    const in_part v = {HLMI_PART_DELTA_V, 1, values, 2 * keys, q.period, 0, 0};
    const in_part gate = {HLMI_PART_SSM_Z, 1, values, 0, values, 0, 0};
    const in_part own[] = {{HLMI_PART_DELTA_Q, h, kd, 0, all, n->key_dim, 0},
                           {HLMI_PART_DELTA_K, h, kd, kd, all, n->key_dim, 0},
                           {HLMI_PART_DELTA_V, h, vd, 2 * kd, all, group * n->value_dim, n->value_dim},
                           {HLMI_PART_SSM_Z, h, vd, z, z + vd, group * n->value_dim, n->value_dim},
                           {HLMI_PART_DELTA_B, h, share, 0, ba, group, 1},
                           {HLMI_PART_DELTA_A, h, share, ba - share, ba, group, 1}};
    p->q = want_part(d, n, layer, &own[0], apart ? &q : NULL);
    p->k = want_part(d, n, layer, &own[1], apart ? &k : NULL);
    p->v = want_part(d, n, layer, &own[2], apart ? &v : NULL);
    p->z = want_part(d, n, layer, &own[3], apart ? &gate : NULL);
    p->b = want_part(d, n, layer, &own[4], NULL);
    p->a = want_part(d, n, layer, &own[5], NULL);
}

/* The norm that gives n elements the length `length`: x * length / sqrt(sum x^2 + 1e-6), the references' eps. */
static hlmi_norm length_norm(const hlmi_decoder *d, size_t n, float length)
{
    return (hlmi_norm){.kind = HLMI_NORM_RMS,
                       .weight = hlmi_decoder_fill(d, n, (double)(length / __builtin_sqrtf((float)n))),
                       .size = n,
                       .eps = (float)(1e-6 / (double)n)};
}

static hlm_status add_delta(const hlmi_decoder *d, const hlmi_delta_net *n, size_t layer)
{
    const size_t values = n->value_heads * n->value_dim;
    hlmi_delta_params p = {.layer = (int32_t)layer, .key_heads = n->key_heads, .turned = n->turned};
    const hlmi_recurrence rec = {.layer = (int32_t)layer,
                                 .channels = 2 * n->key_heads * n->key_dim + values,
                                 .window = n->window,
                                 .heads = n->value_heads,
                                 .rows = n->key_dim,
                                 .cols = n->value_dim,
                                 .extra = 2 * n->value_heads};
    p.norm = hlmi_decoder_norm(d, HLMI_PART_ATTN_NORM, layer, d->hidden);
    want_in(d, n, layer, &p);
    hlmi_decoder_taps(d, layer, rec.channels, n->window, false, &p.taps, NULL);
    p.decay = hlmi_decoder_vector(d, HLMI_PART_SSM_DECAY, layer, n->value_heads);
    p.dt_bias = hlmi_decoder_vector(d, HLMI_PART_SSM_DT_BIAS, layer, n->value_heads);
    p.head_norm = (hlmi_norm){.kind = HLMI_NORM_RMS,
                              .weight = hlmi_decoder_vector(d, HLMI_PART_SSM_NORM, layer, n->value_dim),
                              .size = n->value_dim,
                              .eps = (float)d->eps};
    hlmi_want out = {.rows = d->hidden, .cols = values};
    turn(d, n, n->value_dim, out.columns);
    p.out = hlmi_decoder_rows(d, HLMI_PART_SSM_OUT, layer, out);
    p.q_norm = length_norm(d, n->key_dim, 1.0f / __builtin_sqrtf((float)n->key_dim));
    p.k_norm = length_norm(d, n->key_dim, 1.0f);
    HLMI_DO(hlmi_plan_add_recurrence(d->plan, &rec, &p.rec));
    return hlmi_decoder_add(d, HLMI_BLOCK_DELTA, &p, sizeof p);
}

hlm_status hlmi_delta_net_layer(const hlmi_decoder *d, const hlmi_delta_net *n, size_t layer)
{
    bool delta = false;
    HLMI_DO(is_delta(d, layer, &delta));
    return delta ? add_delta(d, n, layer) : hlmi_decoder_add_attention(d, layer);
}
