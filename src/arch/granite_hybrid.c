/* Granite 4: Mamba-2 and attention layers with a shared feed-forward (and experts), and multipliers of what goes in,
 * what is added, scores and logits. Reference: transformers' modeling_granitemoehybrid. */
#include <string.h>

#include "arch/experts.h"
#include "arch/mamba2_layer.h"

#define NAMES                                                                                                         \
  HLMI_NAMES_ENDS("model.", "embed_tokens", "norm"), HLMI_NAMES_NORMS("input_layernorm", "post_attention_layernorm"), \
      HLMI_NAMES_ATTENTION(HLMI_LAYER "self_attn."),                                                                  \
      [HLMI_PART_ROUTER] = {HLMI_LAYER "block_sparse_moe.router.layer", "blk.%zu.ffn_gate_inp"},                      \
      [HLMI_PART_STACK_GATE] = {HLMI_LAYER "block_sparse_moe.input_linear", "blk.%zu.ffn_gate_exps"},                 \
      [HLMI_PART_STACK_UP] = {HLMI_LAYER "block_sparse_moe.input_linear", "blk.%zu.ffn_up_exps"},                     \
      [HLMI_PART_STACK_DOWN] = {HLMI_LAYER "block_sparse_moe.output_linear", "blk.%zu.ffn_down_exps"},                \
      HLMI_NAMES_MAMBA2(HLMI_LAYER "mamba.")

static const hlmi_key names[HLMI_PARTS] = {
    NAMES,
    [HLMI_PART_GATE] = {HLMI_LAYER "shared_mlp.input_linear", "blk.%zu.ffn_gate"},
    [HLMI_PART_UP] = {HLMI_LAYER "shared_mlp.input_linear", "blk.%zu.ffn_up"},
    [HLMI_PART_DOWN] = {HLMI_LAYER "shared_mlp.output_linear", "blk.%zu.ffn_down"},
};

typedef struct granite {
    hlmi_mamba2 mamba;
    hlmi_experts experts;
} granite;

/* GGUF files of models with experts call the shared feed-forward an expert. */
static const hlmi_key sparse_names[HLMI_PARTS] = {
    NAMES,
    [HLMI_PART_GATE] = {HLMI_LAYER "shared_mlp.input_linear", "blk.%zu.ffn_gate_shexp"},
    [HLMI_PART_UP] = {HLMI_LAYER "shared_mlp.input_linear", "blk.%zu.ffn_up_shexp"},
    [HLMI_PART_DOWN] = {HLMI_LAYER "shared_mlp.output_linear", "blk.%zu.ffn_down_shexp"},
};

static hlm_status multiplier(const hlmi_decoder *d, hlmi_key key, double *out)
{
    return hlmi_config_float(d->c, key, 1e-6, 1e6, *out, out);
}

static hlm_status read_multipliers(hlmi_decoder *d, granite *g)
{
    double embed = 1, residual = 1, logits = 1;
    double attention = d->gguf ? 1.0 / __builtin_sqrt((double)d->head_dim) : 1;
    HLMI_DO(multiplier(d, (hlmi_key){"embedding_multiplier", ".embedding_scale"}, &embed));
    HLMI_DO(multiplier(d, (hlmi_key){"residual_multiplier", ".residual_scale"}, &residual));
    HLMI_DO(multiplier(d, (hlmi_key){"attention_multiplier", ".attention.scale"}, &attention));
    HLMI_DO(multiplier(d, (hlmi_key){"logits_scaling", ".logit_scale"}, &logits));
    d->embed_scale = (float)embed;
    d->attn_scale = (float)attention;
    if (logits != 1.0) d->logit_scale = (float)(1.0 / logits);
    g->experts.router.scale = g->experts.router.shared = (float)residual;
    if (residual != 1.0) d->residual = hlmi_decoder_fill(d, d->hidden, residual);
    return HLM_OK;
}

/* Positions turn q and k only where the setting says "rope". */
static hlm_status read_positions(hlmi_decoder *d)
{
    hlmi_str kind;
    bool turns = true;
    if (d->gguf) {
        HLMI_DO(hlmi_config_bool(d->c, (hlmi_key){NULL, ".rope.scaling.finetuned"}, turns, &turns));
        d->no_rope = !turns;
        return HLM_OK;
    }
    const hlm_status st = hlmi_config_string(d->c, (hlmi_key){"position_embedding_type", NULL}, &kind);
    d->no_rope = !kind.s || strcmp(kind.s, "rope") != 0;
    return st;
}

/* intermediate_size is the experts'; the shared feed-forward has a size of its own. */
static hlm_status read_experts(const hlmi_decoder *d, hlmi_experts *e)
{
    int64_t n = 0;
    const hlmi_key all = {"num_local_experts", ".expert_count"}, used = {"num_experts_per_tok", ".expert_used_count"};
    e->ff = d->ff;
    HLMI_DO(hlmi_config_int(d->c, all, 0, HLMI_MAX_EXPERTS, d->gguf ? 0 : 8, &n));
    e->router.n_experts = (size_t)n;
    return n ? hlmi_config_size(d->c, used, n, d->gguf ? 0 : 2, &e->router.top_k) : HLM_OK;
}

static const granite usual = {.mamba = {HLMI_BAMBA_USUAL}, .experts = {.router = {.kind = HLMI_ROUTE_TOP_SOFTMAX}}};

#define SPEC                                                                                    \
  .gguf_ff_by_tensor = true, .qkv_bias = HLMI_BIAS_ATTENTION, .o_bias = HLMI_BIAS_ATTENTION,    \
  .sizes = {32000, 4096, 11008, 32, 32, 0, 0, 2048}, .eps = 1e-6, .gguf_pairs = HLMI_PAIRS_ALL, \
  .family_size = sizeof usual, .usual = &usual

/* Whose folder adapters may be of: GGUF files have Bamba, whose positions turn, and Granite 3, which has no Mamba
 * layers and so no settings of them, under the same names. */
static void name_folder(hlmi_decoder *d, const granite *g, bool mamba)
{
    static const hlmi_decoder_spec apart = {SPEC}; /* gate and up are tensors of their own */
    const bool hybrid = strcmp(d->c->arch, "granitehybrid") == 0;
    if (g->experts.router.n_experts || (hybrid ? d->no_rope : mamba)) return;
    d->spec = &apart;
    d->names = hybrid ? hlmi_bamba_names : hlmi_llama_names;
}

static hlm_status setup(hlmi_decoder *d)
{
    granite *g = d->family;
    HLMI_DO(read_experts(d, &g->experts));
    HLMI_DO(hlmi_config_size(d->c, (hlmi_key){"shared_intermediate_size", NULL}, 1 << 24, 1024, &d->ff));
    HLMI_DO(read_multipliers(d, g));
    HLMI_DO(read_positions(d));
    if (g->experts.router.n_experts) d->names = sparse_names;
    if (!d->gguf) return hlmi_mamba2_read(d, &hlmi_bamba_keys, &g->mamba);
    const bool mamba = hlmi_config_has(d->c, (hlmi_key){NULL, ".ssm.state_size"});
    name_folder(d, g, mamba);
    return mamba ? hlmi_mamba2_read(d, NULL, &g->mamba) : HLM_OK;
}

/* Does the layer have attention? Without the setting none has. */
static hlm_status has_attention(const hlmi_decoder *d, size_t layer, bool *out)
{
    static const char *const kinds[] = {"mamba", "linear_attention", "attention", "full_attention"};
    size_t kind = 0;
    if (d->gguf) return hlmi_decoder_attends(d, layer, out);
    const char *key = hlmi_config_has(d->c, (hlmi_key){"layer_types", NULL}) ? "layer_types" : "layers_block_type";
    const hlm_status st =
        hlmi_config_choice_at(d->c, key, layer, d->layers, kinds, sizeof kinds / sizeof *kinds, &kind);
    *out = kind >= 2;
    return st;
}

static hlm_status layer(const hlmi_decoder *d, size_t i)
{
    const granite *g = d->family;
    bool attention = false;
    hlmi_mlp_params shared;
    HLMI_DO(has_attention(d, i, &attention));
    HLMI_DO(attention ? hlmi_decoder_add_attention(d, i) : hlmi_mamba2_add(d, &g->mamba, i));
    if (!g->experts.router.n_experts) return hlmi_decoder_add_mlp(d, i);
    if (d->gguf && !hlmi_decoder_has(d, HLMI_PART_UP, i)) return hlmi_experts_add(d, &g->experts, i, NULL);
    hlmi_decoder_mlp(d, i, &shared);
    return hlmi_experts_add(d, &g->experts, i, &shared);
}

static const hlmi_decoder_spec spec = {SPEC, .names = names, .gate_in_up = true, .setup = setup, .layer = layer};

/* GGUF files have Bamba under the first name, too, and models without Mamba layers, also of Granite 3, under the
 * others. */
const hlmi_arch hlmi_arch_granite_hybrid = {
    .name = {"granitemoehybrid", "granitehybrid"}, .also = {"granite", "granitemoe"}, .spec = &spec};
const hlmi_arch hlmi_arch_granite = {.name = {NULL, "granite"}, .spec = &spec};
const hlmi_arch hlmi_arch_granite_moe = {.name = {NULL, "granitemoe"}, .spec = &spec};
