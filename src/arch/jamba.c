/* Jamba: Mamba-1 layers and some of attention without positions, each with a feed-forward, some of which are sparse.
 * Reference: transformers' modeling_jamba. */
#include "arch/experts.h"
#include "arch/mamba1_layer.h"

#define FF HLMI_LAYER "feed_forward."
#define MIXER HLMI_LAYER "mamba."
static const hlmi_key names[HLMI_PARTS] = {
    HLMI_NAMES_ENDS("model.", "embed_tokens", "final_layernorm"),
    HLMI_NAMES_NORMS("input_layernorm", "pre_ff_layernorm"),
    HLMI_NAMES_ATTENTION(HLMI_LAYER "self_attn."),
    HLMI_NAMES_MLP(FF),
    [HLMI_PART_ROUTER] = {FF "router", "blk.%zu.ffn_gate_inp"},
    HLMI_NAMES_EXPERTS(FF, "gate_proj", "up_proj", "down_proj"),
    HLMI_NAMES_MAMBA1(MIXER, ""),
    HLMI_NAMES_MAMBA1_NORMS(MIXER "dt_layernorm", MIXER "b_layernorm", MIXER "c_layernorm"),
};

enum { MAX_PERIOD = 1 << 16 };

/* Layers offset, offset + period, ... */
typedef struct every {
    size_t period, offset;
} every;

typedef struct family {
    hlmi_mamba1 mamba;
    every attention, sparse;
    hlmi_experts experts;
} family;

static bool is_in(const every *e, size_t layer)
{
    return layer % e->period == e->offset;
}

static hlm_status read_every(const hlmi_decoder *d, const char *period, int64_t every_default, const char *offset,
                             int64_t offset_default, every *e)
{
    int64_t p = 0, o = 0;
    HLMI_DO(hlmi_config_int(d->c, (hlmi_key){period, NULL}, 1, MAX_PERIOD, every_default, &p));
    HLMI_DO(hlmi_config_int(d->c, (hlmi_key){offset, NULL}, 0, p - 1, offset_default, &o));
    *e = (every){(size_t)p, (size_t)o};
    return HLM_OK;
}

static hlm_status read_experts(const hlmi_decoder *d, hlmi_experts *e)
{
    size_t *n = &e->router.n_experts;
    const hlmi_key all = {"num_experts", ".expert_count"}, used = {"num_experts_per_tok", ".expert_used_count"};
    e->ff = d->ff;
    HLMI_DO(hlmi_config_size(d->c, all, HLMI_MAX_EXPERTS, d->gguf ? 1 : 16, n));
    const int64_t most = *n > 1 ? (int64_t)*n : HLMI_MAX_EXPERTS;
    return hlmi_config_size(d->c, used, most, d->gguf ? 1 : 2, &e->router.top_k);
}

static hlm_status setup(hlmi_decoder *d)
{
    int64_t window = 0;
    family *f = d->family;
    d->no_rope = true;
    f->mamba.norm_eps = d->eps;
    HLMI_DO(hlmi_mamba1_read(d, &hlmi_jamba_keys, &f->mamba));
    HLMI_DO(read_every(d, "attn_layer_period", 8, "attn_layer_offset", 4, &f->attention));
    HLMI_DO(read_every(d, "expert_layer_period", 2, "expert_layer_offset", 1, &f->sparse));
    HLMI_DO(read_experts(d, &f->experts));
    HLMI_DO(hlmi_config_int(d->c, (hlmi_key){"sliding_window", NULL}, 0, INT32_MAX, 0, &window));
    if (window)
        return hlmi_fail(HLM_E_UNSUPPORTED, "%s: sliding_window is %lld, expected none", hlmi_store_path(d->c->store),
                         (long long)window);
    return HLM_OK;
}

static hlm_status layer(const hlmi_decoder *d, size_t i)
{
    const family *f = d->family;
    bool attention = is_in(&f->attention, i), sparse = is_in(&f->sparse, i);
    if (d->gguf) {
        sparse = hlmi_decoder_has(d, HLMI_PART_ROUTER, i);
        HLMI_DO(hlmi_decoder_attends(d, i, &attention));
    }
    sparse = sparse && f->experts.router.n_experts > 1; /* of one expert top_k may be anything */
    HLMI_DO(attention ? hlmi_decoder_add_attention(d, i) : hlmi_mamba1_add(d, &f->mamba, i));
    return sparse ? hlmi_experts_add(d, &f->experts, i, NULL) : hlmi_decoder_add_mlp(d, i);
}

static const family usual = {.experts = {.router = {.kind = HLMI_ROUTE_SOFTMAX, .scale = 1.0f}}};

static const hlmi_decoder_spec spec = {.names = names,
                                       .sizes = {65536, 4096, 14336, 32, 32, 8, 0, 262144},
                                       .eps = 1e-6,
                                       .family_size = sizeof usual,
                                       .usual = &usual,
                                       .setup = setup,
                                       .layer = layer};

const hlmi_arch hlmi_arch_jamba = {.name = {"jamba", "jamba"}, .classifies = true, .spec = &spec};
