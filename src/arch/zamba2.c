/* Zamba2: Mamba-2 layers, some of them after one of a few Transformer blocks that they share; each use of a block has
 * adapters of its own. Reference: transformers' modeling_zamba2. */
#include <string.h>

#include "arch/mamba2_layer.h"

#define SHARED HLMI_LAYER "shared_transformer."
/* Of the blocks' tensors: the layer is the one that uses the block first. */
static const hlmi_key shared_names[HLMI_PARTS] = {
    [HLMI_PART_ATTN_NORM] = {SHARED "input_layernorm", NULL},
    HLMI_NAMES_ATTENTION(SHARED "self_attn."),
    [HLMI_PART_MLP_NORM] = {SHARED "pre_ff_layernorm", NULL},
    [HLMI_PART_UP] = {SHARED "feed_forward.gate_up_proj", NULL},
    [HLMI_PART_DOWN] = {SHARED "feed_forward.down_proj", NULL},
    [HLMI_PART_LOW_Q_A] = {SHARED "self_attn.linear_q_adapter_list.%e.0", NULL},
    [HLMI_PART_LOW_Q_B] = {SHARED "self_attn.linear_q_adapter_list.%e.1", NULL},
    [HLMI_PART_LOW_K_A] = {SHARED "self_attn.linear_k_adapter_list.%e.0", NULL},
    [HLMI_PART_LOW_K_B] = {SHARED "self_attn.linear_k_adapter_list.%e.1", NULL},
    [HLMI_PART_LOW_V_A] = {SHARED "self_attn.linear_v_adapter_list.%e.0", NULL},
    [HLMI_PART_LOW_V_B] = {SHARED "self_attn.linear_v_adapter_list.%e.1", NULL},
    [HLMI_PART_LOW_UP_A] = {SHARED "feed_forward.gate_up_proj_adapter_list.%e.0", NULL},
    [HLMI_PART_LOW_UP_B] = {SHARED "feed_forward.gate_up_proj_adapter_list.%e.1", NULL},
};
/* Of the layers that use one, and of the others. */
static const hlmi_key hybrid_names[HLMI_PARTS] = {
    [HLMI_PART_LINEAR] = {HLMI_LAYER "linear", NULL},
    [HLMI_PART_ATTN_NORM] = {HLMI_LAYER "mamba_decoder.input_layernorm", NULL},
    HLMI_NAMES_MAMBA2(HLMI_LAYER "mamba_decoder.mamba."),
};
static const hlmi_key plain_names[HLMI_PARTS] = {
    HLMI_NAMES_ENDS("model.", "embed_tokens", "final_layernorm"),
    [HLMI_PART_ATTN_NORM] = {HLMI_LAYER "input_layernorm", NULL},
    HLMI_NAMES_MAMBA2(HLMI_LAYER "mamba."),
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
    block *blocks; /* [n_blocks] */
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
    HLMI_DO(hlmi_config_int(d->c, (hlmi_key){keys.heads, NULL}, 1, MAX_HEADS, 8, &heads));
    HLMI_DO(hlmi_config_int(d->c, (hlmi_key){keys.expand, NULL}, 1, MAX_HEADS, 2, &expand));
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
    bool rope = false;
    family *f = d->family;
    HLMI_DO(hlmi_config_size(d->c, (hlmi_key){"num_mem_blocks", NULL}, MAX_BLOCKS, 1, &f->n_blocks));
    f->blocks = hlmi_plan_alloc(d->plan, f->n_blocks, sizeof *f->blocks);
    if (!f->blocks) return HLM_E_NOMEM;
    HLMI_DO(hlmi_config_size(d->c, (hlmi_key){"adapter_rank", NULL}, MAX_RANK, 128, &f->rank));
    HLMI_DO(hlmi_config_size(d->c, (hlmi_key){"num_attention_heads", NULL}, MAX_HEADS, 32, &f->heads));
    const int64_t heads = (int64_t)f->heads;
    HLMI_DO(hlmi_config_size(d->c, (hlmi_key){"num_key_value_heads", NULL}, heads, heads, &f->kv_heads));
    HLMI_DO(read_ssm(d, &f->ssm));
    HLMI_DO(hlmi_config_bool(d->c, (hlmi_key){"use_shared_attention_adapter", NULL}, false, &f->attn_adapters));
    HLMI_DO(hlmi_config_bool(d->c, (hlmi_key){"add_bias_linear", NULL}, false, &f->biases));
    HLMI_DO(hlmi_config_bool(d->c, (hlmi_key){"use_mem_rope", NULL}, false, &rope));
    if (f->attn_adapters && f->kv_heads != f->heads)
        return hlmi_fail(HLM_E_FORMAT, "%s: adapters of attention need as many key/value heads as the %zu heads",
                         hlmi_store_path(d->c->store), f->heads);
    d->no_rope = !rope;
    d->attn_scale = 1.0f / __builtin_sqrtf((float)d->head_dim / 2.0f);
    return HLM_OK;
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

static void want_attention(const hlmi_decoder *d, const family *f, block *b)
{
    hlmi_attn_params *p = &b->p.attn;
    const size_t in = 2 * d->hidden, n = d->head_dim, share = f->heads / f->kv_heads * n;
    *p = (hlmi_attn_params){.n_heads = f->heads, .rope = d->no_rope ? HLMI_NO_ROPE : d->rope, .scale = d->attn_scale};
    p->norm = hlmi_decoder_norm(d, HLMI_PART_ATTN_NORM, b->first, in);
    const hlmi_want q = {.rows = f->heads * n, .cols = in, .unit = share};
    const hlmi_want kv = {.rows = f->kv_heads * n, .cols = in, .unit = n};
    p->q.w = hlmi_decoder_rows(d, HLMI_PART_Q, b->first, q);
    p->k.w = hlmi_decoder_rows(d, HLMI_PART_K, b->first, kv);
    p->v.w = hlmi_decoder_rows(d, HLMI_PART_V, b->first, kv);
    p->o.w = hlmi_decoder_matrix(d, HLMI_PART_O, b->first, d->hidden, q.rows);
}

/* What all uses of a block share; its first use is in layer b->first. */
static void want_block(const hlmi_decoder *d, const family *f, block *b)
{
    hlmi_shared_params *p = &b->p;
    const uint64_t before = d->plan->bytes_per_token;
    const hlmi_want up = {.rows = 2 * d->ff, .cols = d->hidden, .unit = 2 * d->ff};
    const hlmi_want down = {.rows = d->hidden, .cols = d->ff};
    want_attention(d, f, b);
    p->ff_norm = hlmi_decoder_norm(d, HLMI_PART_MLP_NORM, b->first, d->hidden);
    p->gate_up = hlmi_decoder_linear(d, HLMI_PART_UP, b->first, up, f->biases);
    p->down = hlmi_decoder_linear(d, HLMI_PART_DOWN, b->first, down, f->biases);
    b->bytes = d->plan->bytes_per_token - before;
    b->loaded = true;
}

/* What a block's use adds to a matrix [rows, cols]. */
static hlmi_low_rank want_low(const hlmi_decoder *d, hlmi_part a, size_t use, const block *b, size_t rows, size_t cols)
{
    const family *f = d->family;
    return (hlmi_low_rank){
        .a = hlmi_decoder_rows(d, a, b->first, (hlmi_want){.item = use, .rows = f->rank, .cols = cols}),
        .b = hlmi_decoder_rows(d, (hlmi_part)(a + 1), b->first,
                               (hlmi_want){.item = use, .rows = rows, .cols = f->rank})};
}

static hlm_status want_ssm(const hlmi_decoder *d, const hlmi_key *names, size_t layer, hlmi_mamba2_params *p)
{
    hlmi_decoder own = *d;
    const family *f = d->family;
    own.names = names;
    const hlm_status st = hlmi_mamba2_want(&own, &f->ssm, layer, p);
    p->gate_norm.eps = 1e-5f; /* whatever rms_norm_eps is */
    p->norm = hlmi_decoder_norm(&own, HLMI_PART_ATTN_NORM, layer, d->hidden);
    return st;
}

/* The next use of the blocks, which take turns. */
static hlm_status add_shared(const hlmi_decoder *d, family *f, size_t layer)
{
    hlmi_decoder of = *d;
    const size_t use = f->uses++, in = 2 * d->hidden;
    block *b = &f->blocks[use % f->n_blocks];
    const hlmi_kv_layer kv = {.n_kv_heads = f->kv_heads, .head_dim = d->head_dim, .v_dim = d->head_dim};
    const size_t q = f->heads * d->head_dim, k = f->kv_heads * d->head_dim;
    of.names = shared_names;
    if (b->loaded) {
        d->plan->bytes_per_token += b->bytes;
    } else {
        b->first = layer;
        want_block(&of, f, b);
    }
    hlmi_shared_params p = b->p;
    p.attn.layer = (int32_t)layer;
    p.ff = want_low(&of, HLMI_PART_LOW_UP_A, use, b, 2 * d->ff, d->hidden);
    if (f->attn_adapters) {
        p.q = want_low(&of, HLMI_PART_LOW_Q_A, use, b, q, in);
        p.k = want_low(&of, HLMI_PART_LOW_K_A, use, b, k, in);
        p.v = want_low(&of, HLMI_PART_LOW_V_A, use, b, k, in);
    }
    HLMI_DO(want_ssm(d, hybrid_names, layer, &p.ssm));
    of.names = hybrid_names;
    p.linear = hlmi_decoder_matrix(&of, HLMI_PART_LINEAR, layer, d->hidden, d->hidden);
    HLMI_DO(hlmi_plan_add_kv(d->plan, &kv, &p.attn.kv));
    HLMI_DO(hlmi_plan_set_heads(d->plan, layer, p.attn.n_heads));
    return hlmi_decoder_add(d, HLMI_BLOCK_SHARED, &p, sizeof p);
}

static hlm_status layer(const hlmi_decoder *d, size_t i)
{
    bool hybrid = false;
    hlmi_mamba2_params p;
    HLMI_DO(is_hybrid(d, i, &hybrid));
    if (hybrid) return add_shared(d, d->family, i);
    HLMI_DO(want_ssm(d, plain_names, i, &p));
    return hlmi_decoder_add(d, HLMI_BLOCK_MAMBA2, &p, sizeof p);
}

static hlm_status build(const hlmi_config *c, hlmi_wants *w)
{
    int64_t hidden = 0, heads = 0;
    bool long_context = false;
    HLMI_DO(hlmi_config_int(c, (hlmi_key){"hidden_size", NULL}, 1, MAX_HIDDEN, 2560, &hidden));
    HLMI_DO(hlmi_config_int(c, (hlmi_key){"num_attention_heads", NULL}, 1, 2 * hidden, 32, &heads));
    HLMI_DO(hlmi_config_bool(c, (hlmi_key){"use_long_context", NULL}, false, &long_context));
    const hlmi_decoder_spec spec = {.names = plain_names,
                                    .tied = true,
                                    .activation = "gelu",
                                    .sizes = {32000, 2560, 4 * hidden, 54, 32, 0, 2 * hidden / heads, 4096},
                                    .eps = 1e-5,
                                    .family_size = sizeof(family),
                                    .setup = setup,
                                    .layer = layer};
    w->plan->keeps_embedding = true;
    HLMI_DO(hlmi_decoder_build(&spec, c, w));
    if (long_context) w->plan->max_positions = LONG_CONTEXT;
    return HLM_OK;
}

const hlmi_arch hlmi_arch_zamba2 = {.name = {"zamba2", NULL}, .classifies = true, .build = build};
