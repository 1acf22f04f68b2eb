/* The plan of a decoder. */
#include "arch/decoder.h"

#include <stdio.h>
#include <string.h>

#include "arch/rope.h"
#include "base/assert.h"
#include "base/size.h"

enum {
    MAX_HIDDEN = 1 << 20,
    MAX_FF = 1 << 24,
    MAX_LAYERS = 1 << 16,
    MAX_HEADS = 1 << 16,
    MAX_HEAD_DIM = 1 << 14,
    MAX_LABELS = 1 << 20
};

const hlmi_key hlmi_llama_names[HLMI_PARTS] = {
    HLMI_NAMES_ENDS("model.", "embed_tokens", "norm"),
    [HLMI_PART_ROPE_FREQS] = {NULL, "rope_freqs"},
    HLMI_NAMES_NORMS("input_layernorm", "post_attention_layernorm"),
    HLMI_NAMES_ATTENTION(HLMI_LAYER "self_attn."),
    HLMI_NAMES_QK_NORMS("self_attn.q_norm", "self_attn.k_norm"),
    HLMI_NAMES_MLP(HLMI_LAYER "mlp."),
    [HLMI_PART_ROUTER] = {HLMI_LAYER "block_sparse_moe.gate", "blk.%zu.ffn_gate_inp"},
    HLMI_NAMES_EXPERTS(HLMI_LAYER "block_sparse_moe.", "w1", "w3", "w2"),
};

hlmi_want hlmi_decoder_spell(const hlmi_decoder *d, hlmi_part p, size_t layer, hlmi_want want)
{
    const hlmi_part_info *info = &hlmi_part_infos[p];
    if (!want.name.hf && !want.name.gguf) want.name = d->names[p];
    want.role = info->role;
    want.layer = layer;
    if (!want.tail) want.tail = info->tail;
    for (size_t i = 0; i < HLMI_DIALECTS; i++) want.make[i] |= info->make[i];
    return want;
}

bool hlmi_decoder_has(const hlmi_decoder *d, hlmi_part p, size_t layer)
{
    const hlmi_want want = hlmi_decoder_spell(d, p, layer, (hlmi_want){0});
    return hlmi_wants_tensor(d->w, &want) != NULL;
}

const hlmi_matrix *hlmi_decoder_rows(const hlmi_decoder *d, hlmi_part p, size_t layer, hlmi_want want)
{
    want = hlmi_decoder_spell(d, p, layer, want);
    return hlmi_want_matrix(d->w, HLMI_USE_PRODUCT, &want);
}

const float *hlmi_decoder_numbers(const hlmi_decoder *d, hlmi_part p, size_t layer, hlmi_want want)
{
    want = hlmi_decoder_spell(d, p, layer, want);
    return hlmi_want_numbers(d->w, &want);
}

const hlmi_matrix *hlmi_decoder_matrix(const hlmi_decoder *d, hlmi_part p, size_t layer, size_t rows, size_t cols)
{
    return hlmi_decoder_rows(d, p, layer, (hlmi_want){.rows = rows, .cols = cols});
}

const float *hlmi_decoder_vector(const hlmi_decoder *d, hlmi_part p, size_t layer, size_t n)
{
    return hlmi_decoder_numbers(d, p, layer, (hlmi_want){.rows = n});
}

const float *hlmi_decoder_bias(const hlmi_decoder *d, hlmi_part p, size_t layer, size_t n)
{
    hlmi_want want = hlmi_decoder_spell(d, p, layer, (hlmi_want){.rows = n, .tail = ".bias"});
    memset(want.make, 0, sizeof want.make);
    return hlmi_want_numbers(d->w, &want);
}

hlmi_norm hlmi_decoder_norm(const hlmi_decoder *d, hlmi_part p, size_t layer, size_t n)
{
    const unsigned make = d->spec->norm_plus_one ? HLMI_MAKE_PLUS_ONE : 0;
    hlmi_norm norm = {.kind = d->spec->norm, .size = n, .eps = (float)d->eps};
    norm.weight = hlmi_decoder_numbers(d, p, layer, (hlmi_want){.rows = n, .make = {[HLMI_HF] = make}});
    if (norm.kind == HLMI_NORM_LAYER) norm.bias = hlmi_decoder_bias(d, p, layer, n);
    return norm;
}

hlmi_dense hlmi_decoder_linear(const hlmi_decoder *d, hlmi_part p, size_t layer, hlmi_want want, hlmi_has_bias has)
{
    hlmi_dense out = {.w = hlmi_decoder_rows(d, p, layer, want)};
    want.tail = ".bias";
    want.cols = 0;
    want = hlmi_decoder_spell(d, p, layer, want);
    bool wanted = has == HLMI_BIAS_ALWAYS;
    if (has > HLMI_BIAS_ALWAYS && d->w->st == HLM_OK) {
        const hlmi_key key = {has == HLMI_BIAS_MLP ? "mlp_bias" : "attention_bias", NULL};
        wanted = d->gguf && hlmi_wants_tensor(d->w, &want);
        d->w->st = hlmi_config_bool(d->c, key, wanted, &wanted);
    }
    if (wanted) out.bias = hlmi_want_numbers(d->w, &want);
    return out;
}

void hlmi_decoder_taps(const hlmi_decoder *d, size_t layer, size_t channels, size_t window, bool biased,
                       const float **taps, const float **bias)
{
    *taps = hlmi_decoder_numbers(d, HLMI_PART_SSM_TAPS, layer, (hlmi_want){.rows = channels, .cols = window});
    const hlmi_want own = hlmi_decoder_spell(d, HLMI_PART_SSM_TAPS, layer, (hlmi_want){.tail = ".bias"});
    if (bias && (d->gguf ? hlmi_wants_tensor(d->w, &own) != NULL : biased))
        *bias = hlmi_decoder_bias(d, HLMI_PART_SSM_TAPS, layer, channels);
}

const float *hlmi_decoder_fill(const hlmi_decoder *d, size_t n, double value)
{
    float *v = d->w->st == HLM_OK ? hlmi_plan_alloc(d->plan, n, sizeof *v) : NULL;
    if (!v && d->w->st == HLM_OK) d->w->st = HLM_E_NOMEM;
    for (size_t i = 0; v && i < n; i++) v[i] = (float)value;
    return v;
}

hlm_status hlmi_decoder_add(const hlmi_decoder *d, hlmi_block_kind kind, const void *params, size_t size)
{
    return d->w->st == HLM_OK ? hlmi_plan_add(d->plan, kind, params, size) : d->w->st;
}

/* A size of the reference's class, which GGUF files do not leave to it. */
static int64_t by_class(const hlmi_decoder *d, int64_t size)
{
    return d->gguf ? 0 : size;
}

static const hlmi_key heads_key = {"num_attention_heads", ".attention.head_count"};
static const hlmi_key kv_heads_key = {"num_key_value_heads", ".attention.head_count_kv"};

size_t hlmi_decoder_rows_of(const hlmi_decoder *d, hlmi_part p, size_t layer, size_t otherwise)
{
    const hlmi_want want = hlmi_decoder_spell(d, p, layer, (hlmi_want){0});
    const hlmi_tensor *t = d->gguf ? hlmi_wants_tensor(d->w, &want) : NULL;
    return t && t->n_dims > 1 && t->dims[t->n_dims - 2] <= MAX_FF ? (size_t)t->dims[t->n_dims - 2] : otherwise;
}

hlm_status hlmi_decoder_attends(const hlmi_decoder *d, size_t layer, bool *out)
{
    int64_t n = 0;
    const hlm_status st = hlmi_config_int_at(d->c, kv_heads_key, layer, d->layers, 0, MAX_HEADS, 1, &n);
    *out = n > 0;
    return st;
}

/* Heads of a layer, and their sizes. */
static hlm_status read_heads(const hlmi_decoder *d, size_t layer, size_t *n_heads, hlmi_kv_layer *kv)
{
    int64_t heads = 0, kv_heads = 0, v_dim = 0;
    HLMI_DO(
        hlmi_config_int_at(d->c, heads_key, layer, d->layers, 1, MAX_HEADS, by_class(d, d->spec->sizes.heads), &heads));
    const int64_t shared = by_class(d, d->spec->sizes.kv_heads);
    const bool absent = !hlmi_json_get(d->c->json, kv_heads_key.hf); /* unlike null */
    HLMI_DO(hlmi_config_int_at(d->c, kv_heads_key, layer, d->layers, 1, MAX_HEADS, absent && shared ? shared : heads,
                               &kv_heads));
    if (heads % kv_heads)
        return hlmi_fail(HLM_E_FORMAT, "%s: %lld attention heads can not share %lld key/value heads evenly",
                         hlmi_store_path(d->c->store), (long long)heads, (long long)kv_heads);
    HLMI_DO(hlmi_config_int(d->c, (hlmi_key){NULL, ".attention.value_length"}, 1, MAX_HEAD_DIM, (int64_t)d->head_dim,
                            &v_dim));
    *n_heads = (size_t)heads;
    *kv = (hlmi_kv_layer){.n_kv_heads = (size_t)kv_heads, .head_dim = d->head_dim, .v_dim = (size_t)v_dim};
    return HLM_OK;
}

/* Rows of heads: their own tensor, or a part of one. `half` as in GGUF files. */
static hlmi_want want_heads(const hlmi_decoder *d, size_t heads, size_t size, size_t half, size_t parts, size_t part)
{
    const hlmi_row_order o = {.head_dim = size, .parts = parts, .part = part};
    hlmi_want w = {.rows = heads * size, .cols = d->hidden, .order = {o, o}, .divisor = d->qkv_divisor, .unit = size};
    w.order[HLMI_GGUF].half = half;
    return w;
}

/* In files with q, k and v in one tensor each is there as it would be alone, one under the other. */
static void fuse(const hlmi_decoder *d, size_t layer, hlmi_want *q, hlmi_want *k, hlmi_want *v)
{
    static const hlmi_part parts[] = {HLMI_PART_Q, HLMI_PART_K, HLMI_PART_V};
    hlmi_want *const all[] = {q, k, v};
    size_t first = 0;
    if (!d->gguf || !hlmi_decoder_has(d, HLMI_PART_QKV, layer)) return;
    for (size_t i = 0; i < 3; i++) {
        all[i]->name = (hlmi_key){d->names[parts[i]].hf, d->names[HLMI_PART_QKV].gguf};
        all[i]->order[HLMI_GGUF].first = first;
        first += hlmi_file_rows(&all[i]->order[HLMI_GGUF], all[i]->rows);
    }
    for (size_t i = 0; i < 3; i++) all[i]->order[HLMI_GGUF].in_file = first;
}

static hlm_status want_qkv(const hlmi_decoder *d, size_t layer, const hlmi_kv_layer *kv, hlmi_attn_params *p)
{
    const hlmi_decoder_spec *s = d->spec;
    const size_t n = p->n_heads, nk = kv->n_kv_heads, size = kv->head_dim;
    const size_t turned = s->gguf_pairs == HLMI_PAIRS_TURNED ? d->rope_dim : size;
    const size_t half = s->gguf_pairs ? turned / 2 : 0, parts = s->fused_qkv ? 3 : 0;
    if (parts && (nk != n || kv->v_dim != size))
        return hlmi_fail(HLM_E_FORMAT, "%s: fused q, k and v need as many key/value heads as heads",
                         hlmi_store_path(d->c->store));
    hlmi_want q = want_heads(d, n, size, half, s->gated_attention ? 2 : parts, 0);
    hlmi_want k = want_heads(d, nk, size, half, parts, 1), v = want_heads(d, nk, kv->v_dim, 0, parts, 2);
    q.unit = n / nk * size;
    fuse(d, layer, &q, &k, &v);
    p->q = hlmi_decoder_linear(d, HLMI_PART_Q, layer, q, s->qkv_bias);
    p->k = hlmi_decoder_linear(d, HLMI_PART_K, layer, k, s->qkv_bias);
    p->v = hlmi_decoder_linear(d, HLMI_PART_V, layer, v, s->qkv_bias);
    if (!s->gated_attention) return HLM_OK;
    hlmi_want gate = want_heads(d, n, size, 0, 2, 1);
    gate.unit = q.unit;
    p->gate = hlmi_decoder_linear(d, HLMI_PART_ATTN_GATE, layer, gate, s->qkv_bias);
    return HLM_OK;
}

hlm_status hlmi_decoder_attention(const hlmi_decoder *d, size_t layer, hlmi_attn_params *p)
{
    const hlmi_decoder_spec *s = d->spec;
    hlmi_kv_layer kv;
    *p = (hlmi_attn_params){.layer = (int32_t)layer, .rope = d->no_rope ? HLMI_NO_ROPE : d->rope};
    HLMI_DO(read_heads(d, layer, &p->n_heads, &kv));
    p->scale = d->attn_scale != 0.0f ? d->attn_scale : 1.0f / __builtin_sqrtf((float)kv.head_dim);
    if (s->window) HLMI_DO(s->window(d->c, layer, d->layers, &p->window));
    p->norm = hlmi_decoder_norm(d, HLMI_PART_ATTN_NORM, layer, d->hidden);
    HLMI_DO(want_qkv(d, layer, &kv, p));
    const hlmi_want o = {.rows = d->hidden, .cols = p->n_heads * kv.v_dim};
    p->o = hlmi_decoder_linear(d, HLMI_PART_O, layer, o, s->o_bias);
    p->o.scale = d->residual;
    if (d->qk_norm) {
        p->q_norm = hlmi_decoder_norm(d, HLMI_PART_Q_NORM, layer, kv.head_dim);
        p->k_norm = hlmi_decoder_norm(d, HLMI_PART_K_NORM, layer, kv.head_dim);
    }
    HLMI_DO(d->w->st);
    HLMI_DO(hlmi_plan_add_kv(d->plan, &kv, &p->kv));
    hlmi_plan_read_kv(d->plan, p->kv, p->window);
    return hlmi_plan_set_heads(d->plan, layer, p->n_heads);
}

/* Rows of a layer's feed-forward in a GGUF file, which may list them. */
static hlm_status read_ff(const hlmi_decoder *d, size_t layer, size_t *out)
{
    int64_t ff = 0;
    const hlmi_key key = {NULL, ".feed_forward_length"};
    const hlm_status st = hlmi_config_int_at(d->c, key, layer, d->layers, 1, MAX_FF, 0, &ff);
    *out = (size_t)ff;
    return st;
}

void hlmi_decoder_mlp(const hlmi_decoder *d, size_t layer, hlmi_mlp_params *p)
{
    const hlmi_decoder_spec *s = d->spec;
    size_t ff = hlmi_decoder_rows_of(d, HLMI_PART_UP, layer, d->ff);
    if (d->gguf && !s->gguf_ff_by_tensor && d->w->st == HLM_OK) d->w->st = read_ff(d, layer, &ff);
    const size_t all = s->gate_in_up ? 2 * ff : 0;
    const hlmi_want gate = {.rows = ff, .cols = d->hidden, .order[HLMI_HF] = {.in_file = all}};
    const hlmi_want up = {.rows = ff, .cols = d->hidden, .order[HLMI_HF] = {.first = all / 2, .in_file = all}};
    const hlmi_want down = {.rows = d->hidden, .cols = ff};
    *p = (hlmi_mlp_params){.kind = s->mlp};
    if (!s->parallel) p->norm = hlmi_decoder_norm(d, HLMI_PART_MLP_NORM, layer, d->hidden);
    if (s->mlp == HLMI_MLP_SILU_GATED) p->gate = hlmi_decoder_linear(d, HLMI_PART_GATE, layer, gate, s->mlp_bias);
    p->up = hlmi_decoder_linear(d, HLMI_PART_UP, layer, up, s->mlp_bias);
    p->down = hlmi_decoder_linear(d, HLMI_PART_DOWN, layer, down, s->mlp_bias);
    p->down.scale = d->residual;
}

hlm_status hlmi_decoder_add_attention(const hlmi_decoder *d, size_t layer)
{
    hlmi_attn_params p;
    HLMI_DO(hlmi_decoder_attention(d, layer, &p));
    return hlmi_decoder_add(d, HLMI_BLOCK_ATTN, &p, sizeof p);
}

hlm_status hlmi_decoder_add_mlp(const hlmi_decoder *d, size_t layer)
{
    hlmi_mlp_params p;
    hlmi_decoder_mlp(d, layer, &p);
    return hlmi_decoder_add(d, HLMI_BLOCK_MLP, &p, sizeof p);
}

/* Attention and feed-forward, one after the other or side by side. */
static hlm_status add_layer(const hlmi_decoder *d, size_t layer)
{
    hlmi_parallel_params p;
    if (!d->spec->parallel) {
        HLMI_DO(hlmi_decoder_add_attention(d, layer));
        return hlmi_decoder_add_mlp(d, layer);
    }
    HLMI_DO(hlmi_decoder_attention(d, layer, &p.attn));
    hlmi_decoder_mlp(d, layer, &p.mlp);
    p.mlp.norm = p.attn.norm;
    return hlmi_decoder_add(d, HLMI_BLOCK_PARALLEL, &p, sizeof p);
}

/* The names that the reference has for one function. */
static const char *const activation_names[][6] = {
    {"silu", "swish"},
    {"gelu", "gelu_python"},
    {"gelu_new", "gelu_pytorch_tanh", "gelu_python_tanh", "gelu_fast", "gelu_accurate"},
};

/* The row of a name, or -1. */
static int activation_row(const char *name)
{
    for (size_t i = 0; i < sizeof activation_names / sizeof *activation_names; i++)
        for (size_t k = 0; k < 6 && activation_names[i][k]; k++)
            if (strcmp(activation_names[i][k], name) == 0) return (int)i;
    return -1;
}

hlm_status hlmi_check_activation(const hlmi_config *c, const char *key, const char *wanted)
{
    hlmi_str act;
    HLMI_DO(hlmi_config_string(c, (hlmi_key){key, NULL}, &act));
    if (!act.s || strcmp(act.s, wanted) == 0) return HLM_OK;
    if (activation_row(act.s) >= 0 && activation_row(act.s) == activation_row(wanted)) return HLM_OK;
    return hlmi_fail(HLM_E_UNSUPPORTED, "%s: %s is \"%.40s\", expected \"%s\"", hlmi_store_path(c->store), key, act.s,
                     wanted);
}

/* Rows of the embedding: config.json says; GGUF files may leave it to the tensor. */
static hlm_status read_vocab(hlmi_decoder *d)
{
    const hlmi_want embed = hlmi_decoder_spell(d, d->table, 0, (hlmi_want){0});
    const hlmi_tensor *t = hlmi_wants_tensor(d->w, &embed);
    if (!t)
        return hlmi_fail(HLM_E_FORMAT, "%s: tensor %s is missing", hlmi_store_path(d->c->store),
                         hlmi_wants_name(d->w, &embed).text);
    const int64_t rows = !d->gguf                   ? d->spec->sizes.vocab
        : t->n_dims == 2 && t->dims[0] <= INT32_MAX ? (int64_t)t->dims[0]
                                                    : 0;
    return hlmi_config_size(d->c, (hlmi_key){"vocab_size", ".vocab_size"}, INT32_MAX, rows, &d->vocab);
}

/* How many elements of a head are rotated. */
static hlm_status read_rope_dim(hlmi_decoder *d)
{
    int64_t v = 0;
    double part = !d->gguf && d->spec->partial_rotary > 0.0 ? d->spec->partial_rotary : 1.0;
    const hlmi_config *c = d->c;
    hlmi_config inner = *c;
    inner.json = hlmi_json_get(c->json, "rope_parameters");
    const hlmi_key key = {"partial_rotary_factor", NULL};
    HLMI_DO(hlmi_config_float(c, key, 1e-3, 1.0, part, &part));
    if (inner.json) HLMI_DO(hlmi_config_float(&inner, key, 1e-3, 1.0, part, &part));
    const int64_t dim = (int64_t)((double)d->head_dim * part);
    HLMI_DO(hlmi_config_int(c, (hlmi_key){NULL, ".rope.dimension_count"}, 2, (int64_t)d->head_dim, dim, &v));
    if (v % 2)
        return hlmi_fail(HLM_E_FORMAT, "%s: %lld rotated elements of a head, expected an even number",
                         hlmi_store_path(c->store), (long long)v);
    d->rope_dim = (size_t)v;
    return HLM_OK;
}

/* The sizes of attention and feed-forward. */
static hlm_status read_attention(hlmi_decoder *d)
{
    int64_t heads = 0;
    const hlmi_config *c = d->c;
    const hlmi_key ff_key = {d->spec->ff_key ? d->spec->ff_key : "intermediate_size", NULL};
    if (!d->gguf) HLMI_DO(hlmi_config_size(c, ff_key, MAX_FF, d->spec->sizes.ff, &d->ff));
    else if (!d->spec->gguf_ff_by_tensor) HLMI_DO(read_ff(d, 0, &d->ff));
    HLMI_DO(hlmi_config_int_at(c, heads_key, 0, d->layers, 1, MAX_HEADS, by_class(d, d->spec->sizes.heads), &heads));
    const int64_t share = (int64_t)d->hidden % heads ? 0 : (int64_t)d->hidden / heads;
    const int64_t size = by_class(d, d->spec->sizes.head_dim), derived = size ? size : share;
    const hlmi_key dim_key = {"head_dim", ".attention.key_length"};
    if (!derived && !hlmi_config_has(c, dim_key))
        return hlmi_fail(HLM_E_FORMAT, "%s: hidden size %zu is not divisible by %lld heads", hlmi_store_path(c->store),
                         d->hidden, (long long)heads);
    HLMI_DO(hlmi_config_size(c, dim_key, MAX_HEAD_DIM, derived, &d->head_dim));
    d->qk_norm = d->spec->qk_norm;
    if (d->spec->qk_norm_key)
        HLMI_DO(hlmi_config_bool(c, (hlmi_key){d->spec->qk_norm_key, NULL}, d->qk_norm, &d->qk_norm));
    return HLM_OK;
}

hlm_status hlmi_decoder_count_layers(hlmi_decoder *d)
{
    int64_t next = 0;
    HLMI_DO(hlmi_config_size(d->c, (hlmi_key){"num_hidden_layers", ".block_count"}, MAX_LAYERS,
                             by_class(d, d->spec->sizes.layers), &d->layers));
    HLMI_DO(hlmi_config_int(d->c, (hlmi_key){NULL, ".nextn_predict_layers"}, 0, (int64_t)d->layers - 1, 0, &next));
    d->layers -= (size_t)next;
    if (next) hlmi_wants_leave_out_layers(d->w, d->layers);
    return HLM_OK;
}

static hlm_status read_sizes(hlmi_decoder *d)
{
    const hlmi_config *c = d->c;
    const hlmi_key rms_key = {NULL, ".attention.layer_norm_rms_epsilon"};
    const bool rms = d->spec->norm == HLMI_NORM_RMS && hlmi_config_has(c, rms_key); /* Nemotron-H has either */
    const hlmi_key eps_key = {d->spec->eps_key ? d->spec->eps_key : "rms_norm_eps",
                              rms ? rms_key.gguf : ".attention.layer_norm_epsilon"};
    HLMI_DO(hlmi_check_activation(c, d->spec->activation_key ? d->spec->activation_key : "hidden_act",
                                  d->spec->activation ? d->spec->activation : "silu"));
    HLMI_DO(hlmi_config_size(c, (hlmi_key){"hidden_size", ".embedding_length"}, MAX_HIDDEN,
                             by_class(d, d->spec->sizes.hidden), &d->hidden));
    HLMI_DO(d->spec->count ? d->spec->count(d) : hlmi_decoder_count_layers(d));
    HLMI_DO(hlmi_config_float(c, eps_key, 1e-12, 1.0, d->gguf ? 0.0 : d->spec->eps, &d->eps));
    if (!d->spec->recurrent_only) HLMI_DO(read_attention(d));
    return read_vocab(d);
}

/* How far positions go; where only recurrences know the past, nothing ends them. */
static hlm_status read_positions(hlmi_decoder *d)
{
    const int64_t endless = d->spec->recurrent_only ? INT32_MAX : by_class(d, d->spec->sizes.positions);
    return hlmi_config_int(d->c, (hlmi_key){"max_position_embeddings", ".context_length"}, 1, INT32_MAX, endless,
                           &d->plan->max_positions);
}

static hlm_status read_rope(hlmi_decoder *d)
{
    if (d->no_rope || d->spec->recurrent_only) return HLM_OK;
    HLMI_DO(read_rope_dim(d));
    const float *divisors = NULL;
    if (hlmi_decoder_has(d, HLMI_PART_ROPE_FREQS, 0))
        divisors = hlmi_decoder_vector(d, HLMI_PART_ROPE_FREQS, 0, d->rope_dim / 2);
    if (d->w->st != HLM_OK) return d->w->st;
    const double theta = d->spec->theta > 0.0 ? d->spec->theta : 10000.0;
    return hlmi_rope_read(d->c, d->plan, d->rope_dim, theta, divisors, &d->rope);
}

/* The embedding, tiled when it is the head too. */
static hlm_status add_embed(const hlmi_decoder *d)
{
    const hlmi_want table = hlmi_decoder_spell(
        d, d->table, 0, (hlmi_want){.rows = d->vocab, .cols = d->hidden, .fixed = !d->plan->quantise_tied});
    const hlmi_embed_params p = {.table = hlmi_want_matrix(d->w, d->tied ? HLMI_USE_PRODUCT : HLMI_USE_ROWS, &table),
                                 .scale = d->embed_scale};
    return hlmi_decoder_add(d, HLMI_BLOCK_EMBED, &p, sizeof p);
}

/* The head of text is not needed. */
static void ignore_head(const hlmi_decoder *d)
{
    hlmi_want head = hlmi_decoder_spell(d, HLMI_PART_HEAD, 0, (hlmi_want){0});
    hlmi_wants_ignore(d->w, &head);
    head.tail = ".bias";
    hlmi_wants_ignore(d->w, &head);
}

/* "score" of transformers' GenericFor...Classification: over classes of a text without bias, of tokens with one. */
static hlm_status class_head(const hlmi_decoder *d, hlmi_head_params *p)
{
    size_t n = 0;
    const hlmi_json *names = hlmi_json_get(d->c->json, "id2label");
    const int64_t fallback = hlmi_json_is(names, HLMI_JSON_OBJECT) ? (int64_t)hlmi_json_count(names) : 2;
    HLMI_DO(hlmi_config_size(d->c, (hlmi_key){"num_labels", NULL}, MAX_LABELS, fallback, &n));
    const hlmi_want score = {.rows = n, .cols = d->hidden};
    p->w = hlmi_decoder_linear(d, HLMI_PART_SCORE, 0, score, d->head == HLM_HEAD_TOKEN);
    d->plan->n_out = n;
    return HLM_OK;
}

/* The matrix that only the head multiplies goes by its name to adapters, also when it is the embedding's. */
static hlm_status text_head(const hlmi_decoder *d, hlmi_head_params *p)
{
    hlm_status st = HLM_OK;
    hlmi_assert(d->plan->blocks[0].kind == HLMI_BLOCK_EMBED);
    const hlmi_embed_params *embed = d->plan->blocks[0].params;
    hlmi_want head = {.rows = d->vocab, .cols = d->hidden};
    if (d->tied) {
        head = hlmi_decoder_spell(d, HLMI_PART_HEAD, 0, head);
        p->w.w = embed->table;
        st = hlmi_plan_name_weight(d->plan, p->w.w, head.name, hlmi_wants_name(d->w, &head).text);
        if (d->spec->head_bias == HLMI_BIAS_ALWAYS) p->w.bias = hlmi_decoder_bias(d, HLMI_PART_HEAD, 0, d->vocab);
    } else {
        p->w = hlmi_decoder_linear(d, HLMI_PART_HEAD, 0, head, d->spec->head_bias);
    }
    if (d->logit_scale != 0.0f) p->w.scale = hlmi_decoder_fill(d, d->vocab, (double)d->logit_scale);
    return st;
}

static hlm_status add_head(const hlmi_decoder *d)
{
    hlm_status st = HLM_OK;
    hlmi_head_params p = {.norm = hlmi_decoder_norm(d, HLMI_PART_FINAL_NORM, 0, d->hidden)};
    d->plan->head = d->head;
    if (d->head != HLM_HEAD_TEXT) ignore_head(d);
    if (d->head == HLM_HEAD_NONE) d->plan->n_out = 0; /* the norm alone */
    else st = d->head == HLM_HEAD_TEXT ? text_head(d, &p) : class_head(d, &p);
    return st == HLM_OK ? hlmi_decoder_add(d, HLMI_BLOCK_HEAD, &p, sizeof p) : st;
}

/* Are embedding and head one matrix, and where is it? config.json may say so of a file that holds both: then, as in
 * transformers, the file is right, and where it holds the head alone, that is the embedding. */
static hlm_status read_tied(hlmi_decoder *d)
{
    const bool embed = hlmi_decoder_has(d, HLMI_PART_EMBED, 0), head = hlmi_decoder_has(d, HLMI_PART_HEAD, 0);
    bool tied = d->gguf || d->spec->tied;
    HLMI_DO(hlmi_config_bool(d->c, (hlmi_key){"tie_word_embeddings", NULL}, tied, &tied));
    HLMI_DO(hlmi_config_bool(d->c, (hlmi_key){d->spec->tied_key, NULL}, tied, &tied));
    /* a folder that does not say its class and has no head is that of the model without one */
    const bool named = hlmi_json_at(hlmi_json_get(d->c->json, "architectures"), 0) != NULL;
    if (d->head == HLM_HEAD_TEXT && !d->gguf && !named && !tied && !head) d->head = HLM_HEAD_NONE;
    d->tied = tied && !(embed && head) && d->head == HLM_HEAD_TEXT;
    d->table = d->tied && head && !d->gguf ? HLMI_PART_HEAD : HLMI_PART_EMBED; /* GGUF: one name for the shared one */
    return HLM_OK;
}

hlm_status hlmi_decoder_build(const hlmi_decoder_spec *spec, const hlmi_config *c, hlmi_wants *w)
{
    hlmi_plan *plan = w->plan;
    hlmi_decoder d = {.spec = spec,
                      .c = c,
                      .w = w,
                      .plan = plan,
                      .names = spec->names,
                      .head = c->head,
                      .gguf = w->dialect == HLMI_GGUF};
    hlmi_wants_find_root(w, d.names[HLMI_PART_EMBED], d.names[HLMI_PART_FINAL_NORM]);
    HLMI_DO(read_tied(&d));
    HLMI_DO(read_sizes(&d));
    HLMI_DO(read_positions(&d));
    if (spec->family_size) {
        d.family = hlmi_plan_alloc(plan, 1, spec->family_size);
        if (!d.family) return HLM_E_NOMEM;
        if (spec->usual) memcpy(d.family, spec->usual, spec->family_size);
    }
    if (spec->setup) HLMI_DO(spec->setup(&d));
    plan->hidden_size = d.hidden;
    plan->vocab_size = plan->n_out = d.vocab;
    plan->n_layers = d.layers;
    HLMI_DO(read_rope(&d));
    HLMI_DO(add_embed(&d));
    for (size_t i = 0; i < d.layers; i++) HLMI_DO((spec->layer ? spec->layer : add_layer)(&d, i));
    HLMI_DO(add_head(&d));
    if (spec->recurrent_only) return HLM_OK;
    hlmi_kv_layer kv = {0};
    size_t first = 0; /* layer with attention */
    bool attends = !d.gguf;
    while (!attends && first < d.layers) {
        HLMI_DO(hlmi_decoder_attends(&d, first, &attends));
        first += !attends;
    }
    if (first < d.layers) HLMI_DO(read_heads(&d, first, &plan->n_heads, &kv));
    for (size_t i = 0; i < d.layers; i++) /* the largest: callers make room by it */
        plan->n_heads = hlmi_max_size(plan->n_heads, hlmi_plan_layer_heads(plan, (int32_t)i));
    plan->n_kv_heads = kv.n_kv_heads;
    plan->head_dim = kv.head_dim;
    return HLM_OK;
}
