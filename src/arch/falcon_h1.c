/* Falcon-H1: attention and Mamba-2 side by side in each layer, then a feed-forward, with a multiplier at every turn.
 * Reference: transformers' modeling_falcon_h1. */
#include <string.h>

#include "arch/mamba2_layer.h"

enum { MAX_INNER = 1 << 24, MAX_HEADS = 1 << 16 };

/* Bounds of multipliers; those of an input divide biases and can not be 0. */
static const double MOST = 1e6, LEAST = 1e-6;

typedef struct family {
    hlmi_mamba2 ssm;
    double attn_in, attn_out, key, ssm_out;
    double mlp[2]; /* gate, down */
} family;

static hlm_status read_multiplier(const hlmi_decoder *d, const char *key, double min, double *out)
{
    return hlmi_config_float(d->c, (hlmi_key){key, NULL}, min, MOST, 1.0, out);
}

static hlm_status read_multipliers(hlmi_decoder *d, family *f)
{
    double embed = 0, head = 0;
    HLMI_DO(read_multiplier(d, "embedding_multiplier", LEAST, &embed));
    HLMI_DO(read_multiplier(d, "lm_head_multiplier", LEAST, &head));
    HLMI_DO(read_multiplier(d, "attention_in_multiplier", LEAST, &f->attn_in));
    HLMI_DO(read_multiplier(d, "ssm_in_multiplier", LEAST, &f->ssm.in_scale));
    HLMI_DO(read_multiplier(d, "attention_out_multiplier", -MOST, &f->attn_out));
    HLMI_DO(read_multiplier(d, "ssm_out_multiplier", -MOST, &f->ssm_out));
    HLMI_DO(read_multiplier(d, "key_multiplier", -MOST, &f->key));
    HLMI_DO(hlmi_config_numbers(d->c, "mlp_multipliers", 2, -MOST, MOST, f->mlp));
    HLMI_DO(hlmi_config_numbers(d->c, "ssm_multipliers", HLMI_SSM_PARTS, -MOST, MOST, f->ssm.part_scale));
    d->embed_scale = (float)embed;
    d->logit_scale = (float)head;
    d->qkv_divisor = f->attn_in; /* W (m x) + b is m (W x + b / m); so too in_scale of Mamba-2 */
    return HLM_OK;
}

/* Mamba-2's width is mamba_d_ssm; only when that is null mamba_expand times the hidden size. */
static hlm_status read_ssm(const hlmi_decoder *d, hlmi_mamba2 *m)
{
    hlmi_mamba2_keys keys = hlmi_bamba_keys;
    const hlmi_json *given = hlmi_json_get(d->c->json, "mamba_d_ssm"), *dim = hlmi_json_get(d->c->json, keys.head_dim);
    const char *word = hlmi_json_str(dim).s;
    int64_t inner = 0, heads = 0;
    if (hlmi_json_is(given, HLMI_JSON_NULL)) return hlmi_mamba2_read(d, &keys, m);
    HLMI_DO(hlmi_config_int(d->c, (hlmi_key){"mamba_d_ssm", NULL}, 1, MAX_INNER, 1024, &inner));
    HLMI_DO(hlmi_config_int(d->c, (hlmi_key){keys.heads, NULL}, 1, MAX_HEADS, 128, &heads));
    m->head_dim = (size_t)(inner / heads);
    keys.expand = NULL;
    if (!dim || (word && strcmp(word, "auto") == 0)) keys.head_dim = NULL;
    HLMI_DO(hlmi_mamba2_read(d, &keys, m));
    if (m->heads * m->head_dim != (size_t)inner)
        return hlmi_fail(HLM_E_FORMAT, "%s: mamba_d_ssm is %lld, expected %zu heads of %zu",
                         hlmi_store_path(d->c->store), (long long)inner, m->heads, m->head_dim);
    return HLM_OK;
}

/* GGUF files have the multipliers in the weights. No key says on which side of the norm the gate is. */
static hlm_status read_gguf(const hlmi_decoder *d, family *f)
{
    f->attn_in = f->attn_out = f->key = f->ssm_out = 1.0;
    HLMI_DO(hlmi_mamba2_read(d, NULL, &f->ssm));
    if (!hlmi_decoder_has(d, HLMI_PART_SSM_NORM, 0)) f->ssm.gate = HLMI_GATE_NONE;
    return HLM_OK;
}

static hlm_status setup(hlmi_decoder *d)
{
    bool normed = false, norm_first = true;
    family *f = d->family;
    if (d->gguf) return read_gguf(d, f);
    HLMI_DO(read_multipliers(d, f));
    HLMI_DO(read_ssm(d, &f->ssm));
    HLMI_DO(hlmi_config_bool(d->c, (hlmi_key){"mamba_rms_norm", NULL}, false, &normed));
    HLMI_DO(hlmi_config_bool(d->c, (hlmi_key){"mamba_norm_before_gate", NULL}, true, &norm_first));
    HLMI_DO(hlmi_config_bool(d->c, (hlmi_key){"projectors_bias", NULL}, false, &f->ssm.out_bias));
    f->ssm.gate = !normed ? HLMI_GATE_NONE : norm_first ? HLMI_GATE_SILU_AFTER : HLMI_GATE_SILU_BEFORE;
    return HLM_OK;
}

static hlm_status layer(const hlmi_decoder *d, size_t i)
{
    const family *f = d->family;
    hlmi_hybrid2_params p;
    hlmi_mlp_params mlp;
    HLMI_DO(hlmi_decoder_attention(d, i, &p.attn));
    HLMI_DO(hlmi_mamba2_want(d, &f->ssm, i, &p.ssm));
    p.attn.q.scale = hlmi_decoder_fill(d, p.attn.q.w->rows, f->attn_in);
    p.attn.k.scale = hlmi_decoder_fill(d, p.attn.k.w->rows, f->attn_in * f->key);
    p.attn.v.scale = hlmi_decoder_fill(d, p.attn.v.w->rows, f->attn_in);
    p.attn.o.scale = hlmi_decoder_fill(d, d->hidden, f->attn_out);
    p.ssm.out.scale = hlmi_decoder_fill(d, d->hidden, f->ssm_out);
    p.ssm.norm = p.attn.norm;
    HLMI_DO(hlmi_decoder_add(d, HLMI_BLOCK_HYBRID2, &p, sizeof p));
    hlmi_decoder_mlp(d, i, &mlp);
    mlp.gate.scale = hlmi_decoder_fill(d, mlp.gate.w ? mlp.gate.w->rows : 0, f->mlp[0]);
    mlp.down.scale = hlmi_decoder_fill(d, d->hidden, f->mlp[1]);
    return hlmi_decoder_add(d, HLMI_BLOCK_MLP, &mlp, sizeof mlp);
}

static const family usual = {.ssm = {HLMI_BAMBA_USUAL, .part_scale = {1.0, 1.0, 1.0, 1.0, 1.0}}, .mlp = {1.0, 1.0}};

static const hlmi_decoder_spec spec = {.names = hlmi_bamba_names,
                                       .qkv_bias = HLMI_BIAS_ATTENTION,
                                       .o_bias = HLMI_BIAS_ATTENTION,
                                       .mlp_bias = HLMI_BIAS_MLP,
                                       .sizes = {128000, 4096, 14336, 32, 32, 8, 0, 8192},
                                       .eps = 1e-5,
                                       .family_size = sizeof usual,
                                       .usual = &usual,
                                       .setup = setup,
                                       .layer = layer};

const hlmi_arch hlmi_arch_falcon_h1 = {.name = {"falcon_h1", "falcon-h1"}, .multiplied = true, .spec = &spec};
