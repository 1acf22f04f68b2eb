/* Zamba2: Mamba-2 layers, some of them after one of a few Transformer blocks that they share; each use of a block has
 * adapters of its own. Reference: transformers' modeling_zamba2. */
#include <stdio.h>
#include <string.h>

#include "arch/mamba2_layer.h"

#define LAYER "model.layers.%zu."
#define SHARED LAYER "shared_transformer."
/* Of the blocks' tensors: the layer is the one that uses the block first. */
static const hlmi_key names[HLMI_PARTS] = {
    [HLMI_PART_EMBED] = {"model.embed_tokens", NULL},
    [HLMI_PART_FINAL_NORM] = {"model.final_layernorm", NULL},
    [HLMI_PART_HEAD] = {"lm_head", NULL},
    [HLMI_PART_ATTN_NORM] = {SHARED "input_layernorm", NULL},
    [HLMI_PART_Q] = {SHARED "self_attn.q_proj", NULL},
    [HLMI_PART_K] = {SHARED "self_attn.k_proj", NULL},
    [HLMI_PART_V] = {SHARED "self_attn.v_proj", NULL},
    [HLMI_PART_O] = {SHARED "self_attn.o_proj", NULL},
    [HLMI_PART_MLP_NORM] = {SHARED "pre_ff_layernorm", NULL},
    [HLMI_PART_UP] = {SHARED "feed_forward.gate_up_proj", NULL},
    [HLMI_PART_DOWN] = {SHARED "feed_forward.down_proj", NULL},
};

enum { MAX_BLOCKS = 256, MAX_RANK = 1 << 14, MAX_HIDDEN = 1 << 20, MAX_HEADS = 1 << 16, LONG_CONTEXT = 16384 };

typedef struct block {
    bool loaded;
    size_t first; /* layer */
    hlmi_shared_params p;
    uint64_t bytes; /* of the shared weights */
} block;

typedef struct family {
    hlmi_mamba2 ssm;
    size_t heads, kv_heads, rank, n_blocks, uses; /* uses: shared blocks in layers so far */
    bool attn_adapters, biases;
    block blocks[]; /* [n_blocks] */
} family;

static hlm_status read_ssm(const hlmi_decoder *d, hlmi_mamba2 *m)
{
    static const hlmi_mamba2_keys keys = {.heads = "n_mamba_heads",
                                          .state = "mamba_d_state",
                                          .groups = "mamba_ngroups",
                                          .window = "mamba_d_conv",
                                          .proj_bias = "add_bias_linear",
                                          .expand = "mamba_expand",
                                          .dt_min = "time_step_min"};
    int64_t heads = 0, expand = 0;
    hlm_status st = hlmi_config_int(d->c, (hlmi_key){keys.heads, NULL}, 1, MAX_HEADS, 8, &heads);
    if (st == HLM_OK) st = hlmi_config_int(d->c, (hlmi_key){keys.expand, NULL}, 1, MAX_HEADS, 2, &expand);
    if (st != HLM_OK) return st;
    *m = (hlmi_mamba2){.heads = 8,
                       .head_dim = (size_t)expand * d->hidden / (size_t)heads,
                       .state = 64,
                       .groups = 1,
                       .window = 4,
                       .conv_bias = true,
                       .dt_min = 0.001f};
    return hlmi_mamba2_read(d, &keys, m);
}

static hlm_status setup(hlmi_decoder *d)
{
    hlm_status st;
    int64_t blocks = 0, rank = 0, heads = 0, kv_heads = 0;
    bool rope = false;
    HLMI_TRY(hlmi_config_int(d->c, (hlmi_key){"num_mem_blocks", NULL}, 1, MAX_BLOCKS, 1, &blocks));
    HLMI_TRY(hlmi_config_int(d->c, (hlmi_key){"adapter_rank", NULL}, 1, MAX_RANK, 128, &rank));
    HLMI_TRY(hlmi_config_int(d->c, (hlmi_key){"num_attention_heads", NULL}, 1, MAX_HEADS, 32, &heads));
    HLMI_TRY(hlmi_config_int(d->c, (hlmi_key){"num_key_value_heads", NULL}, 1, heads, heads, &kv_heads));
    family *f = hlmi_plan_alloc(d->plan, 1, sizeof *f + (size_t)blocks * sizeof *f->blocks);
    if (!f) return hlmi_nomem(sizeof *f + (size_t)blocks * sizeof *f->blocks, "settings");
    f->n_blocks = (size_t)blocks;
    f->rank = (size_t)rank;
    f->heads = (size_t)heads;
    f->kv_heads = (size_t)kv_heads;
    HLMI_TRY(read_ssm(d, &f->ssm));
    HLMI_TRY(hlmi_config_bool(d->c, (hlmi_key){"use_shared_attention_adapter", NULL}, false, &f->attn_adapters));
    HLMI_TRY(hlmi_config_bool(d->c, (hlmi_key){"add_bias_linear", NULL}, false, &f->biases));
    HLMI_TRY(hlmi_config_bool(d->c, (hlmi_key){"use_mem_rope", NULL}, false, &rope));
    if (f->attn_adapters && kv_heads != heads)
        HLMI_TRY(hlmi_fail(HLM_E_FORMAT, "%s: adapters of attention need as many key/value heads as the %lld heads",
                           hlmi_store_path(d->c->store), (long long)heads));
    d->no_rope = !rope;
    d->attn_scale = 1.0f / __builtin_sqrtf((float)d->head_dim / 2.0f);
    d->family = f;
done:
    return st;
}

/* Is there a shared block before the layer's Mamba-2? */
static hlm_status is_hybrid(const hlmi_decoder *d, size_t layer, bool *out)
{
    static const char *const types[] = {"linear_attention", "mamba", "hybrid"};
    static const uint8_t usual[] = {6, 12, 18, 24, 30, 36, 42, 47, 51}; /* of 54 layers: the class's default */
    size_t type = 0;
    for (size_t i = 0; i < sizeof usual; i++)
        if (usual[i] == layer) type = 2;
    const hlm_status st = hlmi_config_choice_at(d->c, "layers_block_type", layer, d->layers, types, 3, &type);
    *out = type == 2;
    return st;
}

static hlm_status load_attention(const hlmi_decoder *d, const family *f, block *b)
{
    hlm_status st;
    hlmi_attn_params *p = &b->p.attn;
    const size_t in = 2 * d->hidden, q = f->heads * d->head_dim, kv = f->kv_heads * d->head_dim;
    *p = (hlmi_attn_params){.n_heads = f->heads, .rope = d->no_rope ? HLMI_NO_ROPE : d->rope, .scale = d->attn_scale};
    HLMI_TRY(hlmi_decoder_norm(d, HLMI_PART_ATTN_NORM, b->first, in, &p->norm));
    HLMI_TRY(hlmi_decoder_matrix(d, HLMI_PART_Q, b->first, q, in, NULL, &p->q));
    HLMI_TRY(hlmi_decoder_matrix(d, HLMI_PART_K, b->first, kv, in, NULL, &p->k));
    HLMI_TRY(hlmi_decoder_matrix(d, HLMI_PART_V, b->first, kv, in, NULL, &p->v));
    HLMI_TRY(hlmi_decoder_matrix(d, HLMI_PART_O, b->first, d->hidden, q, NULL, &p->o));
done:
    return st;
}

/* What all uses of a block share; its first use is in layer b->first. */
static hlm_status load_block(const hlmi_decoder *d, const family *f, block *b)
{
    hlm_status st;
    hlmi_shared_params *p = &b->p;
    const uint64_t before = d->plan->bytes_per_token;
    const hlmi_has_bias bias = f->biases ? HLMI_BIAS_ALWAYS : HLMI_BIAS_NEVER;
    HLMI_TRY(load_attention(d, f, b));
    HLMI_TRY(hlmi_decoder_norm(d, HLMI_PART_MLP_NORM, b->first, d->hidden, &p->ff_norm));
    HLMI_TRY(hlmi_decoder_matrix(d, HLMI_PART_UP, b->first, 2 * d->ff, d->hidden, NULL, &p->gate_up));
    HLMI_TRY(hlmi_decoder_bias(d, HLMI_PART_UP, b->first, 2 * d->ff, bias, NULL, NULL, &p->gate_up_bias));
    HLMI_TRY(hlmi_decoder_matrix(d, HLMI_PART_DOWN, b->first, d->hidden, d->ff, NULL, &p->down));
    HLMI_TRY(hlmi_decoder_bias(d, HLMI_PART_DOWN, b->first, d->hidden, bias, NULL, NULL, &p->down_bias));
    b->bytes = d->plan->bytes_per_token - before;
    b->loaded = true;
done:
    return st;
}

/* The adapter of a block's use for a matrix [rows, cols]. */
static hlm_status load_adapter(const hlmi_decoder *d, const family *f, const block *b, const char *list, size_t use,
                               size_t rows, size_t cols, hlmi_low_rank *out)
{
    char suffix[48];
    const hlmi_key key = {list, NULL};
    snprintf(suffix, sizeof suffix, ".%zu.0.weight", use);
    const hlmi_name a = hlmi_decoder_name(d, key, b->first, suffix);
    snprintf(suffix, sizeof suffix, ".%zu.1.weight", use);
    const hlmi_name up = hlmi_decoder_name(d, key, b->first, suffix);
    const hlm_status st = hlmi_loader_matrix(d->l, a.text, f->rank, cols, NULL, &out->a);
    return st == HLM_OK ? hlmi_loader_matrix(d->l, up.text, rows, f->rank, NULL, &out->b) : st;
}

static hlm_status load_adapters(const hlmi_decoder *d, const family *f, const block *b, size_t use,
                                hlmi_shared_params *p)
{
    hlm_status st;
    const size_t in = 2 * d->hidden;
    HLMI_TRY(load_adapter(d, f, b, SHARED "feed_forward.gate_up_proj_adapter_list", use, 2 * d->ff, d->hidden, &p->ff));
    if (!f->attn_adapters) goto done;
    HLMI_TRY(load_adapter(d, f, b, SHARED "self_attn.linear_q_adapter_list", use, p->attn.q.rows, in, &p->q));
    HLMI_TRY(load_adapter(d, f, b, SHARED "self_attn.linear_k_adapter_list", use, p->attn.k.rows, in, &p->k));
    HLMI_TRY(load_adapter(d, f, b, SHARED "self_attn.linear_v_adapter_list", use, p->attn.v.rows, in, &p->v));
done:
    return st;
}

static hlm_status load_ssm(const hlmi_decoder *d, const family *f, const char *prefix, const char *norm, size_t layer,
                           hlmi_mamba2_params *p)
{
    const hlmi_name name = hlmi_decoder_name(d, (hlmi_key){norm, NULL}, layer, ".weight");
    hlm_status st = hlmi_mamba2_load(d, &f->ssm, prefix, layer, p);
    p->gate_norm.eps = 1e-5f; /* whatever rms_norm_eps is */
    p->norm = (hlmi_norm){.kind = HLMI_NORM_RMS, .size = d->hidden, .eps = (float)d->eps};
    if (st == HLM_OK) st = hlmi_loader_vector(d->l, name.text, d->hidden, NULL, &p->norm.weight);
    return st;
}

/* The next use of the blocks, which take turns. */
static hlm_status add_shared(const hlmi_decoder *d, family *f, size_t layer)
{
    hlm_status st;
    const size_t use = f->uses++;
    block *b = &f->blocks[use % f->n_blocks];
    const hlmi_kv_layer kv = {.n_kv_heads = f->kv_heads, .head_dim = d->head_dim, .v_dim = d->head_dim};
    if (b->loaded) {
        d->plan->bytes_per_token += b->bytes;
    } else {
        b->first = layer;
        HLMI_TRY(load_block(d, f, b));
    }
    hlmi_shared_params p = b->p;
    p.attn.layer = (int32_t)layer;
    HLMI_TRY(load_adapters(d, f, b, use, &p));
    HLMI_TRY(load_ssm(d, f, LAYER "mamba_decoder.mamba.", LAYER "mamba_decoder.input_layernorm", layer, &p.ssm));
    const hlmi_name linear = hlmi_decoder_name(d, (hlmi_key){LAYER "linear", NULL}, layer, ".weight");
    HLMI_TRY(hlmi_loader_matrix(d->l, linear.text, d->hidden, d->hidden, NULL, &p.linear));
    HLMI_TRY(hlmi_plan_add_kv(d->plan, &kv, &p.attn.kv));
    HLMI_TRY(hlmi_plan_set_heads(d->plan, layer, p.attn.n_heads));
    HLMI_TRY(hlmi_plan_add(d->plan, HLMI_BLOCK_SHARED, &p, sizeof p));
done:
    return st;
}

static hlm_status layer(const hlmi_decoder *d, size_t i)
{
    hlm_status st;
    bool hybrid = false;
    hlmi_mamba2_params p;
    HLMI_TRY(is_hybrid(d, i, &hybrid));
    if (hybrid) return add_shared(d, d->family, i);
    HLMI_TRY(load_ssm(d, d->family, LAYER "mamba.", LAYER "input_layernorm", i, &p));
    HLMI_TRY(hlmi_plan_add(d->plan, HLMI_BLOCK_MAMBA2, &p, sizeof p));
done:
    return st;
}

static hlm_status build(const hlmi_config *c, hlmi_loader *l, hlmi_plan *plan)
{
    hlm_status st;
    int64_t hidden = 0, heads = 0;
    bool long_context = false;
    HLMI_TRY(hlmi_config_int(c, (hlmi_key){"hidden_size", NULL}, 1, MAX_HIDDEN, 2560, &hidden));
    HLMI_TRY(hlmi_config_int(c, (hlmi_key){"num_attention_heads", NULL}, 1, 2 * hidden, 32, &heads));
    HLMI_TRY(hlmi_config_bool(c, (hlmi_key){"use_long_context", NULL}, false, &long_context));
    const hlmi_decoder_spec spec = {.names = names,
                                    .tied = true,
                                    .activation = "gelu",
                                    .sizes = {.vocab = 32000,
                                              .hidden = 2560,
                                              .ff = 4 * hidden,
                                              .layers = 54,
                                              .heads = 32,
                                              .head_dim = 2 * hidden / heads,
                                              .positions = 4096},
                                    .eps_key = {"rms_norm_eps", NULL},
                                    .eps = 1e-5,
                                    .setup = setup,
                                    .layer = layer};
    plan->keeps_embedding = true;
    HLMI_TRY(hlmi_decoder_build(&spec, c, l, plan));
    if (long_context) plan->max_positions = LONG_CONTEXT;
done:
    return st;
}

const hlmi_arch hlmi_arch_zamba2 = {.hf = "zamba2", .classifies = true, .build = build};
