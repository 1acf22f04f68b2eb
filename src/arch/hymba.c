/* Hymba: attention and Mamba-1 heads side by side in every layer, memory tokens before every text, sliding windows that
 * always show these, key/value rows shared between layers. Reference: the release's modeling_hymba, with one window
 * rule for prompts and single tokens: a token sees `sliding_window` others before it. */
#include <string.h>

#include "arch/mamba1_layer.h"
#include "arch/rope.h"
#include "base/math.h"

#define MIXER HLMI_LAYER "mamba."
static const hlmi_key names[HLMI_PARTS] = {
    HLMI_NAMES_ENDS("model.", "embed_tokens", "final_layernorm"),
    [HLMI_PART_MEMORY] = {"model.memory_tokens", NULL},
    HLMI_NAMES_NORMS("input_layernorm", "pre_moe_layernorm"),
    [HLMI_PART_Q] = {MIXER "in_proj", NULL},
    [HLMI_PART_K] = {MIXER "in_proj", NULL},
    [HLMI_PART_V] = {MIXER "in_proj", NULL},
    [HLMI_PART_ATTN_OUT_NORM] = {MIXER "pre_avg_layernorm1", NULL},
    [HLMI_PART_SSM_OUT_NORM] = {MIXER "pre_avg_layernorm2", NULL},
    HLMI_NAMES_MLP(HLMI_LAYER "moe.experts.0."),
    HLMI_NAMES_MAMBA1(MIXER, ".0"),
    HLMI_NAMES_MAMBA1_NORMS(MIXER "dt_layernorm", MIXER "B_layernorm", MIXER "C_layernorm"),
};

enum { MAX_HEADS = 1 << 16, MAX_HEAD_DIM = 1 << 14, MAX_MEMORY = 1 << 16 };

typedef struct family {
    hlmi_mamba1 mamba;
    hlmi_kv_layer kv;
    size_t n_heads, window; /* window: of layers that are not global; 0: none */
    bool *global; /* [layers] */
    size_t *producer; /* [layers] the layer whose rows a layer reads: its own number, or an earlier one */
    size_t *rows_of; /* [layers] number of a producer's rows in pages */
} family;

/* Settings of which only one value is known: others compute something else. */
static hlm_status check_fixed(const hlmi_decoder *d)
{
    static const struct {
        const char *key;
        int64_t value;
    } fixed[] = {
        {"memory_tokens_interspersed_every", 0}, {"kv_reuse_every_i_layer", -1}, {"num_experts", 1}, {"num_mamba", 1}};
    const char *path = hlmi_store_path(d->c->store);
    hlmi_str norm;
    bool reuse = false;
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) {
        int64_t v = 0;
        HLMI_DO(hlmi_config_int(d->c, (hlmi_key){fixed[i].key, NULL}, INT32_MIN, INT32_MAX, fixed[i].value, &v));
        if (v != fixed[i].value)
            return hlmi_fail(HLM_E_UNSUPPORTED, "%s: %s is %lld, expected %lld", path, fixed[i].key, (long long)v,
                             (long long)fixed[i].value);
    }
    HLMI_DO(hlmi_config_bool(d->c, (hlmi_key){"kv_weight_reuse", NULL}, false, &reuse));
    if (reuse) return hlmi_fail(HLM_E_UNSUPPORTED, "%s: kv_weight_reuse is true, expected false", path);
    HLMI_DO(hlmi_config_string(d->c, (hlmi_key){"kq_norm", NULL}, &norm));
    if (norm.s && strcmp(norm.s, "none") != 0)
        return hlmi_fail(HLM_E_UNSUPPORTED, "%s: kq_norm is \"%.40s\", expected \"none\"", path, norm.s);
    HLMI_DO(hlmi_check_activation(d->c, "hidden_act", "silu"));
    static const char *const kinds[] = {"h"};
    for (size_t i = 0, kind = 0; i < d->layers; i++)
        HLMI_DO(hlmi_config_choice_at(d->c, "layer_type", i, d->layers, kinds, 1, &kind));
    return HLM_OK;
}

/* -1 stands for the value that follows from others. */
static hlm_status read_derived(const hlmi_decoder *d, const char *key, int64_t derived, int64_t *out)
{
    const hlm_status st = hlmi_config_int(d->c, (hlmi_key){key, NULL}, -1, INT32_MAX, -1, out);
    if (st == HLM_OK && *out == -1) *out = derived;
    return st;
}

static hlm_status read_heads(const hlmi_decoder *d, family *f)
{
    int64_t heads = 0, kv_heads = 0, dim = 0, width = 0;
    const char *path = hlmi_store_path(d->c->store);
    HLMI_DO(hlmi_config_int(d->c, (hlmi_key){"num_attention_heads", NULL}, 1, MAX_HEADS, 0, &heads));
    HLMI_DO(hlmi_config_int(d->c, (hlmi_key){"num_key_value_heads", NULL}, 1, MAX_HEADS, heads, &kv_heads));
    HLMI_DO(read_derived(d, "kq_head_dim", (int64_t)d->hidden / heads, &dim));
    HLMI_DO(read_derived(d, "attn_hidden_size", (int64_t)d->hidden, &width));
    if (heads % kv_heads)
        return hlmi_fail(HLM_E_FORMAT, "%s: %lld attention heads can not share %lld key/value heads evenly", path,
                         (long long)heads, (long long)kv_heads);
    if (dim < 4 || dim > MAX_HEAD_DIM || dim % 2 || dim * heads != width)
        return hlmi_fail(HLM_E_FORMAT, "%s: %lld heads of %lld, expected %lld in all and an even size from 4 on", path,
                         (long long)heads, (long long)dim, (long long)width);
    if (f->mamba.inner % (size_t)heads)
        return hlmi_fail(HLM_E_FORMAT, "%s: %zu channels can not be divided among %lld heads", path, f->mamba.inner,
                         (long long)heads);
    f->n_heads = (size_t)heads;
    f->kv = (hlmi_kv_layer){
        .n_kv_heads = (size_t)kv_heads, .head_dim = (size_t)dim, .v_dim = f->mamba.inner / (size_t)heads};
    return HLM_OK;
}

/* A layer's number from a list; *out is checked. */
static hlm_status layer_in(const hlmi_decoder *d, const char *key, const hlmi_json *item, size_t *out)
{
    int64_t layer;
    if (!hlmi_json_int(item, 0, (int64_t)d->layers - 1, &layer))
        return hlmi_fail(HLM_E_FORMAT, "%s: %s holds something that is none of %zu layers",
                         hlmi_store_path(d->c->store), key, d->layers);
    *out = (size_t)layer;
    return HLM_OK;
}

static hlm_status read_windows(const hlmi_decoder *d, family *f)
{
    const hlmi_json *list = NULL;
    int64_t reach = 0;
    HLMI_DO(hlmi_config_int(d->c, (hlmi_key){"sliding_window", NULL}, 0, INT32_MAX - 1, 0, &reach));
    f->window = reach ? (size_t)reach + 1 : 0; /* with itself */
    HLMI_DO(hlmi_config_array(d->c, "global_attn_idx", HLMI_ANY, &list));
    for (hlmi_json_iter i = {0}; hlmi_json_next(list, &i);) {
        size_t layer = 0;
        HLMI_DO(layer_in(d, "global_attn_idx", i.value, &layer));
        f->global[layer] = true;
    }
    return HLM_OK;
}

/* The first layer of a group writes the rows that all read. */
static hlm_status read_group(const hlmi_decoder *d, const hlmi_json *group, family *f)
{
    size_t first = 0, before = 0;
    for (size_t i = 0; i < hlmi_json_count(group); i++) {
        size_t layer = 0;
        HLMI_DO(layer_in(d, "kv_reuse_group", hlmi_json_at(group, i), &layer));
        if ((i && layer <= before) || f->producer[layer] != layer)
            return hlmi_fail(HLM_E_FORMAT, "%s: kv_reuse_group has layer %zu twice or out of order",
                             hlmi_store_path(d->c->store), layer);
        if (i == 0) first = layer;
        f->producer[layer] = first;
        before = layer;
    }
    return HLM_OK;
}

static hlm_status read_sharing(const hlmi_decoder *d, family *f)
{
    const hlmi_json *groups = NULL;
    for (size_t i = 0; i < d->layers; i++) f->producer[i] = i;
    HLMI_DO(hlmi_config_array(d->c, "kv_reuse_group", HLMI_ANY, &groups));
    for (size_t i = 0; i < hlmi_json_count(groups); i++) {
        if (!hlmi_json_is(hlmi_json_at(groups, i), HLMI_JSON_ARRAY))
            return hlmi_fail(HLM_E_FORMAT, "%s: kv_reuse_group[%zu] is no array", hlmi_store_path(d->c->store), i);
        HLMI_DO(read_group(d, hlmi_json_at(groups, i), f));
    }
    for (size_t i = 0; i < d->layers; i++)
        if (f->producer[f->producer[i]] != f->producer[i])
            return hlmi_fail(HLM_E_FORMAT, "%s: kv_reuse_group has layer %zu in two groups",
                             hlmi_store_path(d->c->store), f->producer[i]);
    return HLM_OK;
}

/* "ntk": the base grows with the ratio of the lengths, the same at every position. */
static hlm_status read_rope(hlmi_decoder *d, const family *f)
{
    const char *path = hlmi_store_path(d->c->store);
    hlmi_str type;
    bool rope = true;
    double theta = 0.0;
    int64_t longest = 0, original = 0;
    d->no_rope = true; /* the decoder need not read one */
    d->rope = HLMI_NO_ROPE;
    HLMI_DO(hlmi_config_bool(d->c, (hlmi_key){"rope", NULL}, true, &rope));
    if (!rope) return HLM_OK;
    HLMI_DO(hlmi_config_float(d->c, (hlmi_key){"rope_theta", NULL}, 1.0, 1e15, 10000.0, &theta));
    HLMI_DO(hlmi_config_string(d->c, (hlmi_key){"rope_type", NULL}, &type));
    if (type.s && strcmp(type.s, "ntk") == 0) {
        HLMI_DO(hlmi_config_int(d->c, (hlmi_key){"max_position_embeddings", NULL}, 1, INT32_MAX, 0, &longest));
        HLMI_DO(hlmi_config_int(d->c, (hlmi_key){"orig_max_position_embeddings", NULL}, 1, INT32_MAX, 0, &original));
        if (2 * longest <= original)
            return hlmi_fail(HLM_E_FORMAT, "%s: max_position_embeddings is %lld, expected more than half of %lld", path,
                             (long long)longest, (long long)original);
        const double dim = (double)f->kv.head_dim, ratio = 2.0 * (double)longest / (double)original - 1.0;
        theta *= hlmi_pow(ratio, dim / (dim - 2.0));
    } else if (type.s && strcmp(type.s, "default") != 0) {
        return hlmi_fail(HLM_E_UNSUPPORTED, "%s: rope_type is \"%.40s\", expected \"ntk\" or \"default\"", path,
                         type.s);
    }
    return hlmi_rope_plain(d->plan, f->kv.head_dim, theta, &d->rope);
}

static hlm_status read_memory(const hlmi_decoder *d)
{
    int64_t n = 0;
    HLMI_DO(hlmi_config_int(d->c, (hlmi_key){"num_memory_tokens", NULL}, 0, MAX_MEMORY, 0, &n));
    const hlmi_want rows = {.rows = (size_t)n, .cols = d->hidden};
    if (n) d->plan->prefix = hlmi_decoder_numbers(d, HLMI_PART_MEMORY, 0, rows);
    d->plan->n_prefix = (size_t)n;
    return d->w->st;
}

static hlm_status setup(hlmi_decoder *d)
{
    bool norms = true;
    family *f = d->family;
    f->global = hlmi_plan_alloc(d->plan, d->layers, sizeof *f->global);
    f->producer = hlmi_plan_alloc(d->plan, d->layers, sizeof *f->producer);
    f->rows_of = hlmi_plan_alloc(d->plan, d->layers, sizeof *f->rows_of);
    if (!f->global || !f->producer || !f->rows_of) return hlmi_nomem(d->layers * sizeof *f->rows_of, "settings");
    HLMI_DO(check_fixed(d));
    HLMI_DO(hlmi_config_bool(d->c, (hlmi_key){"mamba_inner_layernorms", NULL}, true, &norms));
    f->mamba.norm_eps = norms ? d->eps : 0.0;
    HLMI_DO(hlmi_mamba1_read(d, &hlmi_jamba_keys, &f->mamba));
    HLMI_DO(read_heads(d, f));
    HLMI_DO(read_windows(d, f));
    HLMI_DO(read_sharing(d, f));
    HLMI_DO(read_rope(d, f));
    HLMI_DO(read_memory(d));
    d->plan->branch_size = f->mamba.inner;
    return HLM_OK;
}

/* q, and k and v of layers that write rows; *before receives their rows in in_proj. */
static hlm_status want_attention(const hlmi_decoder *d, size_t layer, hlmi_attn_params *p, size_t *before)
{
    family *f = d->family;
    const hlmi_kv_layer *kv = &f->kv;
    const bool own = f->producer[layer] == layer, bias = f->mamba.proj_bias;
    const size_t q = f->n_heads * kv->head_dim, k = own ? kv->n_kv_heads * kv->head_dim : 0;
    const size_t v = own ? kv->n_kv_heads * kv->v_dim : 0, all = q + k + v + 2 * f->mamba.inner;
    const hlmi_want q_rows = {.rows = q, .cols = d->hidden, .unit = q / kv->n_kv_heads};
    const hlmi_want k_rows = {.rows = k, .cols = d->hidden, .unit = kv->head_dim};
    const hlmi_want v_rows = {.rows = v, .cols = d->hidden, .unit = kv->v_dim};
    *before = q + k + v;
    p->q = hlmi_decoder_linear(d, HLMI_PART_Q, layer, hlmi_want_rows(q_rows, 0, all), bias);
    if (own) {
        p->k = hlmi_decoder_linear(d, HLMI_PART_K, layer, hlmi_want_rows(k_rows, q, all), bias);
        p->v = hlmi_decoder_linear(d, HLMI_PART_V, layer, hlmi_want_rows(v_rows, q + k, all), bias);
        HLMI_DO(hlmi_plan_add_kv(d->plan, kv, &f->rows_of[layer]));
    }
    p->layer = (int32_t)layer;
    p->kv = f->rows_of[f->producer[layer]];
    p->n_heads = f->n_heads;
    p->rope = d->rope;
    p->scale = 1.0f / __builtin_sqrtf((float)kv->head_dim);
    p->window = f->global[layer] ? 0 : f->window;
    p->pinned = p->window ? d->plan->n_prefix : 0;
    hlmi_plan_read_kv(d->plan, p->kv, p->window);
    return hlmi_plan_set_heads(d->plan, layer, f->n_heads);
}

static hlm_status layer(const hlmi_decoder *d, size_t i)
{
    const family *f = d->family;
    size_t before = 0;
    hlmi_heads_params p = {0};
    HLMI_DO(want_attention(d, i, &p.attn, &before));
    HLMI_DO(hlmi_mamba1_want(d, &f->mamba, i, before, &p.mamba));
    p.mamba.norm = hlmi_decoder_norm(d, HLMI_PART_ATTN_NORM, i, d->hidden);
    p.attention_norm = hlmi_decoder_norm(d, HLMI_PART_ATTN_OUT_NORM, i, f->mamba.inner);
    p.mamba_norm = hlmi_decoder_norm(d, HLMI_PART_SSM_OUT_NORM, i, f->mamba.inner);
    HLMI_DO(hlmi_decoder_add(d, HLMI_BLOCK_HEADS, &p, sizeof p));
    return hlmi_decoder_add_mlp(d, i);
}

static hlm_status build(const hlmi_config *c, hlmi_wants *w)
{
    hlmi_str act;
    HLMI_DO(hlmi_config_string(c, (hlmi_key){"mlp_hidden_act", NULL}, &act));
    const bool squared = act.s && strcmp(act.s, "relu2") == 0;
    const hlmi_decoder_spec spec = {.names = names,
                                    .eps = 1e-6,
                                    .mlp = squared ? HLMI_MLP_RELU2 : HLMI_MLP_SILU_GATED,
                                    .activation = squared ? "relu2" : "silu",
                                    .activation_key = "mlp_hidden_act",
                                    .family_size = sizeof(family),
                                    .setup = setup,
                                    .layer = layer};
    return hlmi_decoder_build(&spec, c, w);
}

const hlmi_arch hlmi_arch_hymba = {.name = {"hymba", NULL}, .build = build};
