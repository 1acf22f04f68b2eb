/* The plan of a Llama-like decoder. */
#include "arch/decoder.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "arch/rope.h"
#include "base/size.h"
#include "block/block.h"

enum { MAX_HIDDEN = 1 << 20, MAX_FF = 1 << 24, MAX_LAYERS = 1 << 16, MAX_HEADS = 1 << 16, MAX_HEAD_DIM = 1 << 14 };

/* Tensor names of both containers; %zu is the layer. */
typedef enum part {
    EMBED, FINAL_NORM, HEAD, ROPE_FREQS,
    ATTN_NORM, Q, K, V, O, Q_BIAS, K_BIAS, V_BIAS, O_BIAS, Q_NORM, K_NORM,
    MLP_NORM, GATE, UP, DOWN, GATE_BIAS, UP_BIAS, DOWN_BIAS, ROTARY,
    PARTS
} part;

typedef struct decoder {
    const hlmi_decoder_spec *spec;
    const hlmi_config *c;
    hlmi_loader *l;
    hlmi_plan *plan;
    bool gguf, tied;
    part table; /* the tensor of the embedding */
    size_t hidden, ff, layers, vocab;
    double eps;
    size_t rope, rope_dim, head_dim;
} decoder;

#define LAYER "model.layers.%zu."
static const hlmi_key names[PARTS] = {
    [EMBED] = {"model.embed_tokens.weight", "token_embd.weight"},
    [FINAL_NORM] = {"model.norm.weight", "output_norm.weight"},
    [HEAD] = {"lm_head.weight", "output.weight"},
    [ROPE_FREQS] = {NULL, "rope_freqs.weight"},
    [ATTN_NORM] = {LAYER "input_layernorm.weight", "blk.%zu.attn_norm.weight"},
    [Q] = {LAYER "self_attn.q_proj.weight", "blk.%zu.attn_q.weight"},
    [K] = {LAYER "self_attn.k_proj.weight", "blk.%zu.attn_k.weight"},
    [V] = {LAYER "self_attn.v_proj.weight", "blk.%zu.attn_v.weight"},
    [O] = {LAYER "self_attn.o_proj.weight", "blk.%zu.attn_output.weight"},
    [Q_BIAS] = {LAYER "self_attn.q_proj.bias", "blk.%zu.attn_q.bias"},
    [K_BIAS] = {LAYER "self_attn.k_proj.bias", "blk.%zu.attn_k.bias"},
    [V_BIAS] = {LAYER "self_attn.v_proj.bias", "blk.%zu.attn_v.bias"},
    [O_BIAS] = {LAYER "self_attn.o_proj.bias", "blk.%zu.attn_output.bias"},
    [Q_NORM] = {LAYER "self_attn.q_norm.weight", "blk.%zu.attn_q_norm.weight"},
    [K_NORM] = {LAYER "self_attn.k_norm.weight", "blk.%zu.attn_k_norm.weight"},
    [MLP_NORM] = {LAYER "post_attention_layernorm.weight", "blk.%zu.ffn_norm.weight"},
    [GATE] = {LAYER "mlp.gate_proj.weight", "blk.%zu.ffn_gate.weight"},
    [UP] = {LAYER "mlp.up_proj.weight", "blk.%zu.ffn_up.weight"},
    [DOWN] = {LAYER "mlp.down_proj.weight", "blk.%zu.ffn_down.weight"},
    [GATE_BIAS] = {LAYER "mlp.gate_proj.bias", "blk.%zu.ffn_gate.bias"},
    [UP_BIAS] = {LAYER "mlp.up_proj.bias", "blk.%zu.ffn_up.bias"},
    [DOWN_BIAS] = {LAYER "mlp.down_proj.bias", "blk.%zu.ffn_down.bias"},
    [ROTARY] = {LAYER "self_attn.rotary_emb.inv_freq", NULL},
};

typedef struct tensor_name {
    char text[96];
} tensor_name;

static tensor_name name_of(const decoder *d, part p, size_t layer)
{
    tensor_name n = {""};
    const char *fmt = d->gguf ? names[p].gguf : names[p].hf;
    if (!fmt) return n;
    const char *at = strstr(fmt, "%zu");
    if (at) snprintf(n.text, sizeof n.text, "%.*s%zu%s", (int)(at - fmt), fmt, layer, at + 3);
    else snprintf(n.text, sizeof n.text, "%s", fmt);
    return n;
}

static hlm_status matrix(const decoder *d, part p, size_t layer, size_t rows, size_t cols,
                         const hlmi_row_order *order, hlmi_matrix *out)
{
    return hlmi_loader_matrix(d->l, name_of(d, p, layer).text, rows, cols, order, out);
}

static hlm_status norm(const decoder *d, part p, size_t layer, size_t n, hlmi_norm *out)
{
    out->size = n;
    out->eps = (float)d->eps;
    return hlmi_loader_vector(d->l, name_of(d, p, layer).text, n, NULL, &out->weight);
}

static hlm_status bias(const decoder *d, part p, size_t layer, size_t n, hlmi_has_bias has, const char *key,
                       const hlmi_row_order *order, const float **out)
{
    bool wanted = has == HLMI_BIAS_ALWAYS;
    const tensor_name name = name_of(d, p, layer);
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

static const hlmi_key heads_key = {"num_attention_heads", ".attention.head_count"};
static const hlmi_key kv_heads_key = {"num_key_value_heads", ".attention.head_count_kv"};

/* Heads of a layer, and their sizes. */
static hlm_status read_heads(const decoder *d, size_t layer, size_t *n_heads, hlmi_kv_layer *kv)
{
    hlm_status st;
    int64_t heads = 0, kv_heads = 0, v_dim = 0;
    HLMI_TRY(hlmi_config_int_at(d->c, heads_key, layer, d->layers, 1, MAX_HEADS, 0, &heads));
    HLMI_TRY(hlmi_config_int_at(d->c, kv_heads_key, layer, d->layers, 1, MAX_HEADS, heads, &kv_heads));
    if (heads % kv_heads)
        HLMI_TRY(hlmi_fail(HLM_E_FORMAT, "%s: %lld attention heads can not share %lld key/value heads evenly",
                           hlmi_store_path(d->c->store), (long long)heads, (long long)kv_heads));
    HLMI_TRY(hlmi_config_int(d->c, (hlmi_key){NULL, ".attention.value_length"}, 1, MAX_HEAD_DIM,
                             (int64_t)d->head_dim, &v_dim));
    *n_heads = (size_t)heads;
    *kv = (hlmi_kv_layer){.n_kv_heads = (size_t)kv_heads, .head_dim = d->head_dim, .v_dim = (size_t)v_dim};
done:
    return st;
}

static hlm_status add_attention(const decoder *d, size_t layer)
{
    hlm_status st;
    const hlmi_decoder_spec *s = d->spec;
    hlmi_attn_params p = {.layer = (int32_t)layer, .rope = d->rope};
    hlmi_kv_layer kv;
    HLMI_TRY(read_heads(d, layer, &p.n_heads, &kv));
    const size_t nq = p.n_heads * kv.head_dim, nk = kv.n_kv_heads * kv.head_dim, nv = kv.n_kv_heads * kv.v_dim;
    const size_t half = d->gguf && s->interleaved_gguf ? d->rope_dim / 2 : 0;
    const hlmi_row_order order = {.head_dim = kv.head_dim, .half = half};
    p.scale = 1.0f / sqrtf((float)kv.head_dim);
    if (s->window) HLMI_TRY(s->window(d->c, layer, d->layers, &p.window));
    HLMI_TRY(norm(d, ATTN_NORM, layer, d->hidden, &p.norm));
    HLMI_TRY(matrix(d, Q, layer, nq, d->hidden, &order, &p.q));
    HLMI_TRY(matrix(d, K, layer, nk, d->hidden, &order, &p.k));
    HLMI_TRY(matrix(d, V, layer, nv, d->hidden, NULL, &p.v));
    HLMI_TRY(matrix(d, O, layer, d->hidden, p.n_heads * kv.v_dim, NULL, &p.o));
    HLMI_TRY(bias(d, Q_BIAS, layer, nq, s->qkv_bias, s->attn_bias_key, &order, &p.q_bias));
    HLMI_TRY(bias(d, K_BIAS, layer, nk, s->qkv_bias, s->attn_bias_key, &order, &p.k_bias));
    HLMI_TRY(bias(d, V_BIAS, layer, nv, s->qkv_bias, s->attn_bias_key, NULL, &p.v_bias));
    HLMI_TRY(bias(d, O_BIAS, layer, d->hidden, s->o_bias, s->attn_bias_key, NULL, &p.o_bias));
    if (s->qk_norm) {
        HLMI_TRY(norm(d, Q_NORM, layer, kv.head_dim, &p.q_norm));
        HLMI_TRY(norm(d, K_NORM, layer, kv.head_dim, &p.k_norm));
    }
    hlmi_loader_ignore(d->l, name_of(d, ROTARY, layer).text);
    HLMI_TRY(hlmi_plan_add_kv(d->plan, &kv, &p.kv));
    HLMI_TRY(hlmi_plan_add(d->plan, &hlmi_block_attn, &p, sizeof p));
done:
    return st;
}

static hlm_status add_mlp(const decoder *d, size_t layer)
{
    hlm_status st;
    const hlmi_decoder_spec *s = d->spec;
    hlmi_mlp_params p = {0};
    HLMI_TRY(norm(d, MLP_NORM, layer, d->hidden, &p.norm));
    HLMI_TRY(matrix(d, GATE, layer, d->ff, d->hidden, NULL, &p.gate));
    HLMI_TRY(matrix(d, UP, layer, d->ff, d->hidden, NULL, &p.up));
    HLMI_TRY(matrix(d, DOWN, layer, d->hidden, d->ff, NULL, &p.down));
    HLMI_TRY(bias(d, GATE_BIAS, layer, d->ff, s->mlp_bias, s->mlp_bias_key, NULL, &p.gate_bias));
    HLMI_TRY(bias(d, UP_BIAS, layer, d->ff, s->mlp_bias, s->mlp_bias_key, NULL, &p.up_bias));
    HLMI_TRY(bias(d, DOWN_BIAS, layer, d->hidden, s->mlp_bias, s->mlp_bias_key, NULL, &p.down_bias));
    HLMI_TRY(hlmi_plan_add(d->plan, &hlmi_block_mlp, &p, sizeof p));
done:
    return st;
}

static hlm_status check_activation(const decoder *d)
{
    const char *act = NULL;
    size_t len = 0;
    const hlm_status st = hlmi_config_string(d->c, (hlmi_key){"hidden_act", NULL}, &act, &len);
    if (st != HLM_OK || !act || strcmp(act, "silu") == 0 || strcmp(act, "swish") == 0) return st;
    return hlmi_fail(HLM_E_UNSUPPORTED, "%s: hidden_act is \"%.40s\", expected \"silu\"",
                     hlmi_store_path(d->c->store), act);
}

/* Rows of the embedding: config.json says; GGUF files may leave it to the tensor. */
static hlm_status read_vocab(decoder *d)
{
    const tensor_name embed = name_of(d, d->table, 0);
    const hlmi_tensor *t = hlmi_store_find(d->l->store, embed.text);
    if (!t) return hlmi_fail(HLM_E_FORMAT, "%s: tensor %s is missing", hlmi_store_path(d->c->store), embed.text);
    int64_t vocab = 0;
    const int64_t rows = d->gguf && t->n_dims == 2 && t->dims[0] <= INT32_MAX ? (int64_t)t->dims[0] : 0;
    const hlm_status st = hlmi_config_int(d->c, (hlmi_key){"vocab_size", ".vocab_size"}, 1, INT32_MAX, rows, &vocab);
    d->vocab = (size_t)vocab;
    return st;
}

static hlm_status read_sizes(decoder *d)
{
    hlm_status st;
    int64_t v = 0, heads = 0;
    const hlmi_config *c = d->c;
    HLMI_TRY(check_activation(d));
    HLMI_TRY(hlmi_config_int(c, (hlmi_key){"hidden_size", ".embedding_length"}, 1, MAX_HIDDEN, 0, &v));
    d->hidden = (size_t)v;
    HLMI_TRY(hlmi_config_int(c, (hlmi_key){"intermediate_size", ".feed_forward_length"}, 1, MAX_FF, 0, &v));
    d->ff = (size_t)v;
    HLMI_TRY(hlmi_config_int(c, (hlmi_key){"num_hidden_layers", ".block_count"}, 1, MAX_LAYERS, 0, &v));
    d->layers = (size_t)v;
    HLMI_TRY(hlmi_config_float(c, (hlmi_key){"rms_norm_eps", ".attention.layer_norm_rms_epsilon"}, 1e-12, 1.0, d->gguf ? 0.0 : 1e-6, &d->eps));
    HLMI_TRY(hlmi_config_int_at(c, heads_key, 0, d->layers, 1, MAX_HEADS, 0, &heads));
    const int64_t derived = (int64_t)d->hidden % heads ? 0 : (int64_t)d->hidden / heads;
    const hlmi_key dim_key = {"head_dim", ".attention.key_length"};
    if (!derived && !hlmi_config_has(c, dim_key))
        HLMI_TRY(hlmi_fail(HLM_E_FORMAT, "%s: hidden size %zu is not divisible by %lld heads", hlmi_store_path(c->store),
                           d->hidden, (long long)heads));
    HLMI_TRY(hlmi_config_int(c, dim_key, 1, MAX_HEAD_DIM, derived, &v));
    d->head_dim = (size_t)v;
    HLMI_TRY(hlmi_config_int(c, (hlmi_key){NULL, ".rope.dimension_count"}, 2, (int64_t)d->head_dim, (int64_t)d->head_dim, &v));
    if (v % 2)
        HLMI_TRY(hlmi_fail(HLM_E_FORMAT, "%s: %lld rotated elements of a head, expected an even number",
                           hlmi_store_path(c->store), (long long)v));
    d->rope_dim = (size_t)v;
    HLMI_TRY(read_vocab(d));
done:
    return st;
}

static hlm_status read_rope(decoder *d)
{
    float *divisors = NULL;
    const tensor_name freqs = name_of(d, ROPE_FREQS, 0);
    if (freqs.text[0] && hlmi_loader_has(d->l, freqs.text)) {
        const hlm_status st = hlmi_loader_vector(d->l, freqs.text, d->rope_dim / 2, NULL, &divisors);
        if (st != HLM_OK) return st;
    }
    return hlmi_rope_read(d->c, d->plan, d->rope_dim, 10000.0, divisors, &d->rope);
}

/* The embedding, tiled when it is the head too; the tiled matrix stays in the embed block. */
static hlm_status add_embed(const decoder *d)
{
    hlmi_embed_params p = {0};
    const tensor_name name = name_of(d, d->table, 0);
    const hlm_status st = d->tied ? hlmi_loader_matrix(d->l, name.text, d->vocab, d->hidden, NULL, &p.table)
                               : hlmi_loader_table(d->l, name.text, d->vocab, d->hidden, &p.table);
    return st == HLM_OK ? hlmi_plan_add(d->plan, &hlmi_block_embed, &p, sizeof p) : st;
}

static hlm_status add_head(const decoder *d)
{
    hlm_status st;
    const hlmi_embed_params *embed = d->plan->blocks[0].params;
    hlmi_head_params p = {.w = &embed->table};
    HLMI_TRY(norm(d, FINAL_NORM, 0, d->hidden, &p.norm));
    if (!d->tied) HLMI_TRY(matrix(d, HEAD, 0, d->vocab, d->hidden, NULL, &p.own));
    HLMI_TRY(hlmi_plan_add(d->plan, &hlmi_block_head, &p, sizeof p));
    if (!d->tied) {
        hlmi_head_params *kept = (hlmi_head_params *)(uintptr_t)d->plan->blocks[d->plan->n_blocks - 1].params;
        kept->w = &kept->own;
    }
done:
    return st;
}

/* Are embedding and head one matrix, and where is it? config.json may say so of a file that holds both: then, as in
 * transformers, the file is right, and where it holds the head alone, that is the embedding. */
static hlm_status read_tied(decoder *d)
{
    const bool embed = hlmi_loader_has(d->l, name_of(d, EMBED, 0).text);
    const bool head = hlmi_loader_has(d->l, name_of(d, HEAD, 0).text);
    bool tied = d->gguf;
    const hlm_status st = hlmi_config_bool(d->c, (hlmi_key){"tie_word_embeddings", NULL}, tied, &tied);
    d->tied = tied && !(embed && head);
    d->table = d->tied && head ? HEAD : EMBED;
    return st;
}

hlm_status hlmi_decoder_build(const hlmi_decoder_spec *spec, const hlmi_config *c, hlmi_loader *l, hlmi_plan *plan)
{
    hlm_status st;
    decoder d = {.spec = spec,
                 .c = c,
                 .l = l,
                 .plan = plan,
                 .gguf = hlmi_store_container(c->store) == HLMI_STORE_GGUF};
    HLMI_TRY(read_tied(&d));
    HLMI_TRY(read_sizes(&d));
    plan->hidden_size = d.hidden;
    plan->vocab_size = d.vocab;
    plan->n_layers = d.layers;
    HLMI_TRY(hlmi_config_int(c, (hlmi_key){"max_position_embeddings", ".context_length"}, 1, INT32_MAX, 0, &plan->max_positions));
    HLMI_TRY(read_rope(&d));
    HLMI_TRY(add_embed(&d));
    for (size_t i = 0; i < d.layers; i++) {
        HLMI_TRY(add_attention(&d, i));
        HLMI_TRY(add_mlp(&d, i));
    }
    HLMI_TRY(add_head(&d));
    hlmi_kv_layer kv;
    HLMI_TRY(read_heads(&d, 0, &plan->n_heads, &kv));
    plan->n_kv_heads = kv.n_kv_heads;
    plan->head_dim = kv.head_dim;
done:
    return st;
}

/* What layer_types says of a layer: 1 sliding, 0 full, -1 nothing. */
static hlm_status layer_type(const hlmi_config *c, size_t layer, size_t n_layers, int *sliding)
{
    const json_t *types = c->json ? json_object_get(c->json, "layer_types") : NULL;
    *sliding = -1;
    if (!types || json_is_null(types)) return HLM_OK;
    if (!json_is_array(types) || json_array_size(types) != n_layers)
        return hlmi_fail(HLM_E_FORMAT, "%s: layer_types is no array of %zu", hlmi_store_path(c->store), n_layers);
    const char *t = json_string_value(json_array_get(types, layer));
    if (t && strcmp(t, "sliding_attention") == 0) *sliding = 1;
    else if (t && strcmp(t, "full_attention") == 0) *sliding = 0;
    else
        return hlmi_fail(HLM_E_UNSUPPORTED, "%s: layer_types[%zu] is \"%.40s\"", hlmi_store_path(c->store), layer, t ? t : "?");
    return HLM_OK;
}

/* config.json without the setting means 4096, null means none, in every class that has one. */
static hlm_status read_window(const hlmi_config *c, size_t *out)
{
    int64_t w = 0;
    const int64_t fallback = c->json && !json_object_get(c->json, "sliding_window") ? 4096 : 0;
    const hlm_status st =
        hlmi_config_int(c, (hlmi_key){"sliding_window", ".attention.sliding_window"}, 0, INT32_MAX, fallback, &w);
    *out = (size_t)w;
    return st;
}

hlm_status hlmi_window_all(const hlmi_config *c, size_t layer, size_t n_layers, size_t *out)
{
    (void)layer;
    (void)n_layers;
    return read_window(c, out);
}

hlm_status hlmi_window_upper(const hlmi_config *c, size_t layer, size_t n_layers, size_t *out)
{
    int sliding = -1;
    bool use = false;
    int64_t from = 0;
    *out = 0;
    hlm_status st = layer_type(c, layer, n_layers, &sliding);
    if (st == HLM_OK) st = hlmi_config_bool(c, (hlmi_key){"use_sliding_window", NULL}, false, &use);
    if (st == HLM_OK) st = hlmi_config_int(c, (hlmi_key){"max_window_layers", NULL}, 0, MAX_LAYERS, 28, &from);
    if (st != HLM_OK || !use) return st;
    if (sliding == 0 || (sliding < 0 && (int64_t)layer < from)) return HLM_OK;
    return read_window(c, out);
}
