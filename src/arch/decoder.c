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

#define LAYER "model.layers.%zu."
const hlmi_key hlmi_llama_names[HLMI_PARTS] = {
    [HLMI_PART_EMBED] = {"model.embed_tokens", "token_embd"},
    [HLMI_PART_FINAL_NORM] = {"model.norm", "output_norm"},
    [HLMI_PART_HEAD] = {"lm_head", "output"},
    [HLMI_PART_ROPE_FREQS] = {NULL, "rope_freqs"},
    [HLMI_PART_ATTN_NORM] = {LAYER "input_layernorm", "blk.%zu.attn_norm"},
    [HLMI_PART_Q] = {LAYER "self_attn.q_proj", "blk.%zu.attn_q"},
    [HLMI_PART_K] = {LAYER "self_attn.k_proj", "blk.%zu.attn_k"},
    [HLMI_PART_V] = {LAYER "self_attn.v_proj", "blk.%zu.attn_v"},
    [HLMI_PART_O] = {LAYER "self_attn.o_proj", "blk.%zu.attn_output"},
    [HLMI_PART_Q_NORM] = {LAYER "self_attn.q_norm", "blk.%zu.attn_q_norm"},
    [HLMI_PART_K_NORM] = {LAYER "self_attn.k_norm", "blk.%zu.attn_k_norm"},
    [HLMI_PART_MLP_NORM] = {LAYER "post_attention_layernorm", "blk.%zu.ffn_norm"},
    [HLMI_PART_GATE] = {LAYER "mlp.gate_proj", "blk.%zu.ffn_gate"},
    [HLMI_PART_UP] = {LAYER "mlp.up_proj", "blk.%zu.ffn_up"},
    [HLMI_PART_DOWN] = {LAYER "mlp.down_proj", "blk.%zu.ffn_down"},
};

/* Bytes of the family's own root, with the dot: "model." or "backbone.", by which its keys begin. */
static size_t root_length(const hlmi_decoder *d)
{
    return strcspn(d->spec->names[HLMI_PART_EMBED].hf, ".") + 1;
}

hlmi_name hlmi_decoder_name(const hlmi_decoder *d, hlmi_key key, size_t layer, const char *suffix)
{
    hlmi_name n = {""};
    const char *fmt = d->gguf ? key.gguf : key.hf, *root = "";
    if (!fmt) return n;
    const size_t own = d->gguf ? 0 : root_length(d);
    if (own && strncmp(fmt, d->spec->names[HLMI_PART_EMBED].hf, own) == 0) {
        root = d->root;
        fmt += own;
    } else if (own) {
        root = d->outer;
    }
    const char *at = strstr(fmt, "%zu");
    if (at) snprintf(n.text, sizeof n.text, "%s%.*s%zu%s%s", root, (int)(at - fmt), fmt, layer, at + 3, suffix);
    else snprintf(n.text, sizeof n.text, "%s%s%s", root, fmt, suffix);
    return n;
}

static hlmi_name name_of(const hlmi_decoder *d, hlmi_part p, size_t layer, const char *suffix)
{
    return hlmi_decoder_name(d, d->spec->names[p], layer, suffix);
}

hlm_status hlmi_decoder_matrix(const hlmi_decoder *d, hlmi_part p, size_t layer, size_t rows, size_t cols,
                               const hlmi_row_order *order, hlmi_matrix *out)
{
    return hlmi_loader_matrix(d->l, name_of(d, p, layer, ".weight").text, rows, cols, order, out);
}

hlm_status hlmi_decoder_norm(const hlmi_decoder *d, hlmi_part p, size_t layer, size_t n, hlmi_norm *out)
{
    *out = (hlmi_norm){.kind = d->spec->norm, .size = n, .eps = (float)d->eps};
    const hlm_status st = hlmi_loader_vector(d->l, name_of(d, p, layer, ".weight").text, n, NULL, &out->weight);
    for (size_t i = 0; i < n && st == HLM_OK && d->spec->norm_plus_one; i++) out->weight[i] += 1.0f;
    if (st != HLM_OK || out->kind != HLMI_NORM_LAYER) return st;
    return hlmi_loader_vector(d->l, name_of(d, p, layer, ".bias").text, n, NULL, &out->bias);
}

hlm_status hlmi_decoder_bias(const hlmi_decoder *d, hlmi_part p, size_t layer, size_t n, hlmi_has_bias has,
                             const char *key, const hlmi_row_order *order, const float **out)
{
    bool wanted = has == HLMI_BIAS_ALWAYS;
    const hlmi_name name = name_of(d, p, layer, ".bias");
    *out = NULL;
    if (has == HLMI_BIAS_ASKED) {
        wanted = d->gguf && hlmi_loader_has(d->l, name.text);
        const hlm_status st = hlmi_config_bool(d->c, (hlmi_key){key, NULL}, wanted, &wanted);
        if (st != HLM_OK) return st;
    }
    if (!wanted) return HLM_OK;
    float *v = NULL;
    const hlm_status st = hlmi_loader_vector(d->l, name.text, n, order, &v);
    *out = v;
    return st;
}

hlm_status hlmi_decoder_fill(const hlmi_decoder *d, size_t n, double value, const float **out)
{
    float *v = hlmi_plan_alloc(d->plan, n, sizeof *v);
    if (!v) return hlmi_nomem(n * sizeof *v, "a multiplier");
    for (size_t i = 0; i < n; i++) v[i] = (float)value;
    *out = v;
    return HLM_OK;
}

static bool has_part(const hlmi_decoder *d, hlmi_part p)
{
    return hlmi_loader_has(d->l, name_of(d, p, 0, ".weight").text);
}

/* The classes of one family, and those around them, write the same tensors under different roots: the model with a head
 * "model." or "backbone.", the model without one nothing, models with vision what holds the text. */
static void find_root(hlmi_decoder *d, char own[32])
{
    static const struct {
        const char *root, *outer;
    } roots[] = {{NULL, ""},
                 {"model.", ""},
                 {"backbone.", ""},
                 {"", ""},
                 {"model.language_model.", ""},
                 {"language_model.model.", "language_model."},
                 {"language_model.", ""},
                 {"transformer.", ""}};
    if (d->gguf) return;
    snprintf(own, 32, "%.*s", (int)root_length(d), d->spec->names[HLMI_PART_EMBED].hf);
    for (size_t i = 0; i < sizeof roots / sizeof *roots; i++) {
        d->root = roots[i].root ? roots[i].root : own;
        d->outer = roots[i].outer;
        if (has_part(d, HLMI_PART_EMBED) || has_part(d, HLMI_PART_FINAL_NORM)) return;
    }
    d->root = own; /* what is missing is named as usual */
    d->outer = "";
}

/* A size of the reference's class, which GGUF files do not leave to it. */
static int64_t by_class(const hlmi_decoder *d, int64_t size)
{
    return d->gguf ? 0 : size;
}

static const hlmi_key heads_key = {"num_attention_heads", ".attention.head_count"};
static const hlmi_key kv_heads_key = {"num_key_value_heads", ".attention.head_count_kv"};

/* Heads of a layer, and their sizes. */
static hlm_status read_heads(const hlmi_decoder *d, size_t layer, size_t *n_heads, hlmi_kv_layer *kv)
{
    hlm_status st;
    int64_t heads = 0, kv_heads = 0, v_dim = 0;
    HLMI_TRY(
        hlmi_config_int_at(d->c, heads_key, layer, d->layers, 1, MAX_HEADS, by_class(d, d->spec->sizes.heads), &heads));
    const int64_t shared = by_class(d, d->spec->sizes.kv_heads);
    const bool absent = !hlmi_json_get(d->c->json, kv_heads_key.hf); /* unlike null */
    HLMI_TRY(hlmi_config_int_at(d->c, kv_heads_key, layer, d->layers, 1, MAX_HEADS, absent && shared ? shared : heads,
                                &kv_heads));
    if (heads % kv_heads)
        HLMI_TRY(hlmi_fail(HLM_E_FORMAT, "%s: %lld attention heads can not share %lld key/value heads evenly",
                           hlmi_store_path(d->c->store), (long long)heads, (long long)kv_heads));
    HLMI_TRY(hlmi_config_int(d->c, (hlmi_key){NULL, ".attention.value_length"}, 1, MAX_HEAD_DIM, (int64_t)d->head_dim,
                             &v_dim));
    *n_heads = (size_t)heads;
    *kv = (hlmi_kv_layer){.n_kv_heads = (size_t)kv_heads, .head_dim = d->head_dim, .v_dim = (size_t)v_dim};
done:
    return st;
}

/* One of q, k and v: its own tensor, or a part of the fused one. */
static hlm_status projection(const hlmi_decoder *d, hlmi_part p, size_t layer, size_t rows, const hlmi_row_order *order,
                             hlmi_matrix *w, const float **b)
{
    const hlmi_decoder_spec *s = d->spec;
    hlm_status st = hlmi_decoder_matrix(d, p, layer, rows, d->hidden, order, w);
    if (st == HLM_OK) st = hlmi_decoder_bias(d, p, layer, rows, s->qkv_bias, s->attn_bias_key, order, b);
    return st;
}

static hlm_status load_qkv(const hlmi_decoder *d, size_t layer, const hlmi_kv_layer *kv, hlmi_attn_params *p)
{
    hlm_status st;
    const size_t nq = p->n_heads * kv->head_dim, nk = kv->n_kv_heads * kv->head_dim, nv = kv->n_kv_heads * kv->v_dim;
    const size_t half = d->gguf && d->spec->interleaved_gguf ? d->rope_dim / 2 : 0, parts = d->spec->fused_qkv ? 3 : 0;
    if (parts && (kv->n_kv_heads != p->n_heads || kv->v_dim != kv->head_dim))
        return hlmi_fail(HLM_E_FORMAT, "%s: fused q, k and v need as many key/value heads as heads",
                         hlmi_store_path(d->c->store));
    const size_t q_parts = d->spec->gated_attention ? 2 : parts;
    const hlmi_row_order q = {.head_dim = kv->head_dim, .half = half, .parts = q_parts, .part = 0};
    const hlmi_row_order gate = {.head_dim = kv->head_dim, .parts = q_parts, .part = 1};
    const hlmi_row_order k = {.head_dim = kv->head_dim, .half = half, .parts = parts, .part = 1};
    const hlmi_row_order v = {.head_dim = kv->v_dim, .parts = parts, .part = 2};
    HLMI_TRY(projection(d, HLMI_PART_Q, layer, nq, &q, &p->q, &p->q_bias));
    HLMI_TRY(projection(d, HLMI_PART_K, layer, nk, &k, &p->k, &p->k_bias));
    HLMI_TRY(projection(d, HLMI_PART_V, layer, nv, &v, &p->v, &p->v_bias));
    if (d->spec->gated_attention) HLMI_TRY(projection(d, HLMI_PART_Q, layer, nq, &gate, &p->gate, &p->gate_bias));
done:
    return st;
}

hlm_status hlmi_decoder_attention(const hlmi_decoder *d, size_t layer, hlmi_attn_params *p)
{
    hlm_status st;
    const hlmi_decoder_spec *s = d->spec;
    hlmi_kv_layer kv;
    *p = (hlmi_attn_params){.layer = (int32_t)layer, .rope = d->rope};
    HLMI_TRY(read_heads(d, layer, &p->n_heads, &kv));
    if (d->no_rope) p->rope = HLMI_NO_ROPE;
    p->scale = d->attn_scale != 0.0f ? d->attn_scale : 1.0f / __builtin_sqrtf((float)kv.head_dim);
    p->o_scale = d->residual;
    if (s->window) HLMI_TRY(s->window(d->c, layer, d->layers, &p->window));
    HLMI_TRY(hlmi_decoder_norm(d, HLMI_PART_ATTN_NORM, layer, d->hidden, &p->norm));
    HLMI_TRY(load_qkv(d, layer, &kv, p));
    HLMI_TRY(hlmi_decoder_matrix(d, HLMI_PART_O, layer, d->hidden, p->n_heads * kv.v_dim, NULL, &p->o));
    HLMI_TRY(hlmi_decoder_bias(d, HLMI_PART_O, layer, d->hidden, s->o_bias, s->attn_bias_key, NULL, &p->o_bias));
    if (d->qk_norm) {
        HLMI_TRY(hlmi_decoder_norm(d, HLMI_PART_Q_NORM, layer, kv.head_dim, &p->q_norm));
        HLMI_TRY(hlmi_decoder_norm(d, HLMI_PART_K_NORM, layer, kv.head_dim, &p->k_norm));
    }
    HLMI_TRY(hlmi_plan_add_kv(d->plan, &kv, &p->kv));
    hlmi_plan_read_kv(d->plan, p->kv, p->window);
    HLMI_TRY(hlmi_plan_set_heads(d->plan, layer, p->n_heads));
done:
    return st;
}

hlm_status hlmi_decoder_mlp(const hlmi_decoder *d, size_t layer, hlmi_mlp_params *p)
{
    hlm_status st = HLM_OK;
    const hlmi_decoder_spec *s = d->spec;
    *p = (hlmi_mlp_params){.kind = s->mlp, .down_scale = d->residual};
    const hlmi_row_order gate = {.in_file = 2 * d->ff}, up = {.first = d->ff, .in_file = 2 * d->ff};
    const bool joined = s->gate_in_up;
    if (!s->parallel) HLMI_TRY(hlmi_decoder_norm(d, HLMI_PART_MLP_NORM, layer, d->hidden, &p->norm));
    if (s->mlp == HLMI_MLP_SILU_GATED) {
        HLMI_TRY(hlmi_decoder_matrix(d, joined ? HLMI_PART_UP : HLMI_PART_GATE, layer, d->ff, d->hidden,
                                     joined ? &gate : NULL, &p->gate));
        HLMI_TRY(hlmi_decoder_bias(d, HLMI_PART_GATE, layer, d->ff, s->mlp_bias, s->mlp_bias_key, NULL, &p->gate_bias));
    }
    HLMI_TRY(hlmi_decoder_matrix(d, HLMI_PART_UP, layer, d->ff, d->hidden, joined ? &up : NULL, &p->up));
    HLMI_TRY(hlmi_decoder_matrix(d, HLMI_PART_DOWN, layer, d->hidden, d->ff, NULL, &p->down));
    HLMI_TRY(hlmi_decoder_bias(d, HLMI_PART_UP, layer, d->ff, s->mlp_bias, s->mlp_bias_key, NULL, &p->up_bias));
    HLMI_TRY(hlmi_decoder_bias(d, HLMI_PART_DOWN, layer, d->hidden, s->mlp_bias, s->mlp_bias_key, NULL, &p->down_bias));
done:
    return st;
}

hlm_status hlmi_decoder_add_attention(const hlmi_decoder *d, size_t layer)
{
    hlmi_attn_params p;
    const hlm_status st = hlmi_decoder_attention(d, layer, &p);
    return st == HLM_OK ? hlmi_plan_add(d->plan, HLMI_BLOCK_ATTN, &p, sizeof p) : st;
}

hlm_status hlmi_decoder_add_mlp(const hlmi_decoder *d, size_t layer)
{
    hlmi_mlp_params p;
    const hlm_status st = hlmi_decoder_mlp(d, layer, &p);
    return st == HLM_OK ? hlmi_plan_add(d->plan, HLMI_BLOCK_MLP, &p, sizeof p) : st;
}

/* Attention and feed-forward, one after the other or side by side. */
static hlm_status add_layer(const hlmi_decoder *d, size_t layer)
{
    hlm_status st;
    if (d->spec->parallel) {
        hlmi_parallel_params p;
        HLMI_TRY(hlmi_decoder_attention(d, layer, &p.attn));
        HLMI_TRY(hlmi_decoder_mlp(d, layer, &p.mlp));
        p.mlp.norm = p.attn.norm;
        HLMI_TRY(hlmi_plan_add(d->plan, HLMI_BLOCK_PARALLEL, &p, sizeof p));
    } else {
        HLMI_TRY(hlmi_decoder_add_attention(d, layer));
        HLMI_TRY(hlmi_decoder_add_mlp(d, layer));
    }
done:
    return st;
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
    const char *act = NULL;
    size_t len = 0;
    const hlm_status st = hlmi_config_string(c, (hlmi_key){key, NULL}, &act, &len);
    if (st != HLM_OK || !act || strcmp(act, wanted) == 0) return st;
    if (activation_row(act) >= 0 && activation_row(act) == activation_row(wanted)) return HLM_OK;
    return hlmi_fail(HLM_E_UNSUPPORTED, "%s: %s is \"%.40s\", expected \"%s\"", hlmi_store_path(c->store), key, act,
                     wanted);
}

/* Rows of the embedding: config.json says; GGUF files may leave it to the tensor. */
static hlm_status read_vocab(hlmi_decoder *d)
{
    const hlmi_name embed = name_of(d, d->table, 0, ".weight");
    const hlmi_tensor *t = hlmi_store_find(d->l->store, embed.text);
    if (!t) return hlmi_fail(HLM_E_FORMAT, "%s: tensor %s is missing", hlmi_store_path(d->c->store), embed.text);
    int64_t vocab = 0;
    const int64_t rows = !d->gguf                   ? d->spec->sizes.vocab
        : t->n_dims == 2 && t->dims[0] <= INT32_MAX ? (int64_t)t->dims[0]
                                                    : 0;
    const hlm_status st = hlmi_config_int(d->c, (hlmi_key){"vocab_size", ".vocab_size"}, 1, INT32_MAX, rows, &vocab);
    d->vocab = (size_t)vocab;
    return st;
}

/* How many elements of a head are rotated. */
static hlm_status read_rope_dim(hlmi_decoder *d)
{
    hlm_status st;
    int64_t v = 0;
    double part = d->spec->partial_rotary > 0.0 ? d->spec->partial_rotary : 1.0;
    const hlmi_config *c = d->c;
    const hlmi_config inner = {.store = c->store, .json = hlmi_json_get(c->json, "rope_parameters"), .arch = c->arch};
    const hlmi_key key = {"partial_rotary_factor", NULL};
    HLMI_TRY(hlmi_config_float(c, key, 1e-3, 1.0, part, &part));
    if (inner.json) HLMI_TRY(hlmi_config_float(&inner, key, 1e-3, 1.0, part, &part));
    const int64_t dim = (int64_t)((double)d->head_dim * part);
    HLMI_TRY(hlmi_config_int(c, (hlmi_key){NULL, ".rope.dimension_count"}, 2, (int64_t)d->head_dim, dim, &v));
    if (v % 2)
        HLMI_TRY(hlmi_fail(HLM_E_FORMAT, "%s: %lld rotated elements of a head, expected an even number",
                           hlmi_store_path(c->store), (long long)v));
    d->rope_dim = (size_t)v;
done:
    return st;
}

/* The sizes of attention and feed-forward. */
static hlm_status read_attention(hlmi_decoder *d)
{
    hlm_status st;
    int64_t v = 0, heads = 0;
    const hlmi_config *c = d->c;
    const hlmi_key ff_key = {d->spec->ff_key ? d->spec->ff_key : "intermediate_size", ".feed_forward_length"};
    HLMI_TRY(hlmi_config_int(c, ff_key, 1, MAX_FF, by_class(d, d->spec->sizes.ff), &v));
    d->ff = (size_t)v;
    HLMI_TRY(hlmi_config_int_at(c, heads_key, 0, d->layers, 1, MAX_HEADS, by_class(d, d->spec->sizes.heads), &heads));
    const int64_t share = (int64_t)d->hidden % heads ? 0 : (int64_t)d->hidden / heads;
    const int64_t size = by_class(d, d->spec->sizes.head_dim), derived = size ? size : share;
    const hlmi_key dim_key = {"head_dim", ".attention.key_length"};
    if (!derived && !hlmi_config_has(c, dim_key))
        HLMI_TRY(hlmi_fail(HLM_E_FORMAT, "%s: hidden size %zu is not divisible by %lld heads",
                           hlmi_store_path(c->store), d->hidden, (long long)heads));
    HLMI_TRY(hlmi_config_int(c, dim_key, 1, MAX_HEAD_DIM, derived, &v));
    d->head_dim = (size_t)v;
    d->qk_norm = d->spec->qk_norm;
    if (d->spec->qk_norm_key)
        HLMI_TRY(hlmi_config_bool(c, (hlmi_key){d->spec->qk_norm_key, NULL}, d->qk_norm, &d->qk_norm));
done:
    return st;
}

static hlm_status count_layers(hlmi_decoder *d)
{
    int64_t v = 0;
    const hlm_status st = hlmi_config_int(d->c, (hlmi_key){"num_hidden_layers", ".block_count"}, 1, MAX_LAYERS,
                                          by_class(d, d->spec->sizes.layers), &v);
    d->layers = (size_t)v;
    return st;
}

static hlm_status read_sizes(hlmi_decoder *d)
{
    hlm_status st;
    int64_t v = 0;
    const hlmi_config *c = d->c;
    HLMI_TRY(hlmi_check_activation(c, d->spec->activation_key ? d->spec->activation_key : "hidden_act",
                                   d->spec->activation ? d->spec->activation : "silu"));
    HLMI_TRY(hlmi_config_int(c, (hlmi_key){"hidden_size", ".embedding_length"}, 1, MAX_HIDDEN,
                             by_class(d, d->spec->sizes.hidden), &v));
    d->hidden = (size_t)v;
    HLMI_TRY(d->spec->count ? d->spec->count(d) : count_layers(d));
    HLMI_TRY(hlmi_config_float(c, d->spec->eps_key, 1e-12, 1.0, d->gguf ? 0.0 : d->spec->eps, &d->eps));
    if (!d->spec->recurrent_only) HLMI_TRY(read_attention(d));
    HLMI_TRY(read_vocab(d));
done:
    return st;
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
    const hlm_status sized = read_rope_dim(d);
    if (sized != HLM_OK) return sized;
    float *divisors = NULL;
    const hlmi_name freqs = name_of(d, HLMI_PART_ROPE_FREQS, 0, ".weight");
    if (freqs.text[0] && hlmi_loader_has(d->l, freqs.text)) {
        const hlm_status st = hlmi_loader_vector(d->l, freqs.text, d->rope_dim / 2, NULL, &divisors);
        if (st != HLM_OK) return st;
    }
    const double theta = d->spec->theta > 0.0 ? d->spec->theta : 10000.0;
    return hlmi_rope_read(d->c, d->plan, d->rope_dim, theta, divisors, &d->rope);
}

/* The embedding, tiled when it is the head too; the tiled matrix stays in the embed block. */
static hlm_status add_embed(const hlmi_decoder *d)
{
    hlmi_embed_params p = {.scale = d->embed_scale};
    const hlmi_name name = name_of(d, d->table, 0, ".weight");
    const hlm_status st = d->tied ? hlmi_loader_matrix(d->l, name.text, d->vocab, d->hidden, NULL, &p.table)
                                  : hlmi_loader_table(d->l, name.text, d->vocab, d->hidden, &p.table);
    return st == HLM_OK ? hlmi_plan_add(d->plan, HLMI_BLOCK_EMBED, &p, sizeof p) : st;
}

/* Adds a head block whose matrix is its own. */
static hlm_status add_own_head(const hlmi_decoder *d, const hlmi_head_params *p)
{
    const hlm_status st = hlmi_plan_add(d->plan, HLMI_BLOCK_HEAD, p, sizeof *p);
    if (st != HLM_OK) return st;
    hlmi_head_params *kept = (hlmi_head_params *)(uintptr_t)d->plan->blocks[d->plan->n_blocks - 1].params;
    kept->w = &kept->own;
    return HLM_OK;
}

/* The head of text is not needed. */
static void ignore_head(const hlmi_decoder *d)
{
    hlmi_loader_ignore(d->l, name_of(d, HLMI_PART_HEAD, 0, ".weight").text);
    hlmi_loader_ignore(d->l, name_of(d, HLMI_PART_HEAD, 0, ".bias").text);
}

/* "score" of transformers' GenericFor...Classification: over classes of a text without bias, of tokens with one. */
static hlm_status class_head(const hlmi_decoder *d, hlmi_head_params *p)
{
    hlm_status st;
    float *bias = NULL;
    int64_t n = 0;
    const hlmi_json *names = hlmi_json_get(d->c->json, "id2label");
    const int64_t fallback = hlmi_json_is(names, HLMI_JSON_OBJECT) ? (int64_t)hlmi_json_count(names) : 2;
    HLMI_TRY(hlmi_config_int(d->c, (hlmi_key){"num_labels", NULL}, 1, MAX_LABELS, fallback, &n));
    const hlmi_key score = {"score", NULL};
    HLMI_TRY(
        hlmi_loader_matrix(d->l, hlmi_decoder_name(d, score, 0, ".weight").text, (size_t)n, d->hidden, NULL, &p->own));
    if (d->head == HLM_HEAD_TOKEN)
        HLMI_TRY(hlmi_loader_vector(d->l, hlmi_decoder_name(d, score, 0, ".bias").text, (size_t)n, NULL, &bias));
    p->bias = bias;
    ignore_head(d);
    d->plan->head = d->head;
    d->plan->n_out = (size_t)n;
    HLMI_TRY(add_own_head(d, p));
done:
    return st;
}

static hlm_status add_head(const hlmi_decoder *d)
{
    hlm_status st;
    hlmi_assert(d->plan->blocks[0].kind == HLMI_BLOCK_EMBED);
    const hlmi_embed_params *embed = d->plan->blocks[0].params;
    const hlmi_name name = name_of(d, HLMI_PART_HEAD, 0, ".weight");
    hlmi_head_params p = {.w = &embed->table};
    /* only the head multiplies the matrix that it shares with the embedding */
    if (d->tied) HLMI_TRY(hlmi_plan_name_slot(d->plan, &embed->table, name.text));
    HLMI_TRY(hlmi_decoder_norm(d, HLMI_PART_FINAL_NORM, 0, d->hidden, &p.norm));
    if (d->head == HLM_HEAD_NONE) { /* the norm alone */
        p.w = NULL;
        ignore_head(d);
        d->plan->head = d->head;
        d->plan->n_out = 0;
        HLMI_TRY(hlmi_plan_add(d->plan, HLMI_BLOCK_HEAD, &p, sizeof p));
        goto done;
    }
    if (d->head != HLM_HEAD_TEXT) {
        HLMI_TRY(class_head(d, &p));
        goto done;
    }
    if (!d->tied) HLMI_TRY(hlmi_decoder_matrix(d, HLMI_PART_HEAD, 0, d->vocab, d->hidden, NULL, &p.own));
    HLMI_TRY(hlmi_decoder_bias(d, HLMI_PART_HEAD, 0, d->vocab, d->spec->head_bias, NULL, NULL, &p.bias));
    if (d->logit_scale != 0.0f) HLMI_TRY(hlmi_decoder_fill(d, d->vocab, (double)d->logit_scale, &p.scale));
    HLMI_TRY(d->tied ? hlmi_plan_add(d->plan, HLMI_BLOCK_HEAD, &p, sizeof p) : add_own_head(d, &p));
done:
    return st;
}

/* Are embedding and head one matrix, and where is it? config.json may say so of a file that holds both: then, as in
 * transformers, the file is right, and where it holds the head alone, that is the embedding. */
static hlm_status read_tied(hlmi_decoder *d)
{
    const bool embed = has_part(d, HLMI_PART_EMBED), head = has_part(d, HLMI_PART_HEAD);
    bool tied = d->gguf || d->spec->tied;
    hlm_status st = hlmi_config_bool(d->c, (hlmi_key){"tie_word_embeddings", NULL}, tied, &tied);
    if (st == HLM_OK) st = hlmi_config_bool(d->c, (hlmi_key){d->spec->tied_key, NULL}, tied, &tied);
    /* a folder that does not say its class and has no head is that of the model without one */
    const bool named = hlmi_json_count(hlmi_json_list(d->c->json, "architectures")) > 0;
    if (d->head == HLM_HEAD_TEXT && !d->gguf && !named && !tied && !head) d->head = HLM_HEAD_NONE;
    d->tied = tied && !(embed && head) && d->head == HLM_HEAD_TEXT;
    d->table = d->tied && head && !d->gguf ? HLMI_PART_HEAD : HLMI_PART_EMBED; /* GGUF: one name for the shared one */
    return st;
}

hlm_status hlmi_decoder_build(const hlmi_decoder_spec *spec, const hlmi_config *c, hlmi_loader *l, hlmi_plan *plan)
{
    hlm_status st;
    char own[32];
    hlmi_decoder d = {.spec = spec,
                      .c = c,
                      .l = l,
                      .plan = plan,
                      .head = c->head,
                      .gguf = hlmi_store_container(c->store) == HLMI_STORE_GGUF};
    find_root(&d, own);
    HLMI_TRY(read_tied(&d));
    HLMI_TRY(read_sizes(&d));
    HLMI_TRY(read_positions(&d));
    if (spec->setup) HLMI_TRY(spec->setup(&d));
    plan->hidden_size = d.hidden;
    plan->vocab_size = plan->n_out = d.vocab;
    plan->n_layers = d.layers;
    HLMI_TRY(read_rope(&d));
    HLMI_TRY(add_embed(&d));
    for (size_t i = 0; i < d.layers; i++) HLMI_TRY((spec->layer ? spec->layer : add_layer)(&d, i));
    HLMI_TRY(add_head(&d));
    if (spec->recurrent_only) goto done;
    hlmi_kv_layer kv;
    HLMI_TRY(read_heads(&d, 0, &plan->n_heads, &kv));
    for (size_t i = 0; i < d.layers; i++) /* the largest: callers make room by it */
        plan->n_heads = hlmi_max_size(plan->n_heads, hlmi_plan_layer_heads(plan, (int32_t)i));
    plan->n_kv_heads = kv.n_kv_heads;
    plan->head_dim = kv.head_dim;
done:
    return st;
}
