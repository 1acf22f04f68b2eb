/* Rotary frequencies. Formulas: Su et al. 2021 (RoFormer); linear: Chen et al.
 * 2023; dynamic NTK and YaRN: Peng et al. 2023 (YaRN, sections 3 and A); llama3: the Llama 3.1 reference. Details as
 * transformers' modeling_rope_utils computes them. */
#include "arch/rope.h"

#include <string.h>

#include "base/math.h"
#include "base/size.h"

static const double PI = 3.14159265358979323846;

typedef struct spec {
    hlmi_config top; /* the model's settings */
    hlmi_config c; /* where the scaling's keys are */
    size_t dim;
    double theta, factor;
    int64_t max_positions, original;
    double reach; /* positions that the scaling is made for, 0: max_positions */
} spec;

/** Fills the frequencies by the settings of one way of scaling. */
typedef hlm_status fill_fn(spec *s, hlmi_rope *r);

static double base_freq(const spec *s, size_t i)
{
    return hlmi_exp(-hlmi_log(s->theta) * (2.0 * (double)i / (double)s->dim));
}

static hlm_status read_factor(spec *s, double fallback)
{
    static const hlmi_key key = {"factor", ".rope.scaling.factor"}, older = {NULL, ".rope.scale_linear"};
    return hlmi_config_float(&s->c, hlmi_config_has(&s->c, older) ? older : key, 1e-3, 1e6, fallback, &s->factor);
}

/* config.json's own setting goes before the one in the scaling, as in transformers. */
static hlm_status read_original(spec *s)
{
    static const hlmi_key key = {"original_max_position_embeddings", ".rope.scaling.original_context_length"};
    const hlmi_config *c = hlmi_config_has(&s->top, key) ? &s->top : &s->c;
    return hlmi_config_int(c, key, 1, INT32_MAX, s->max_positions, &s->original);
}

static hlm_status none(spec *s, hlmi_rope *r)
{
    for (size_t i = 0; i < r->half; i++) r->inv_freq[i] = (float)base_freq(s, i);
    return HLM_OK;
}

static hlm_status linear(spec *s, hlmi_rope *r)
{
    HLMI_DO(read_factor(s, 0.0));
    s->reach = (double)s->max_positions * s->factor;
    for (size_t i = 0; i < r->half; i++) r->inv_freq[i] = (float)(base_freq(s, i) / s->factor);
    return HLM_OK;
}

static hlm_status dynamic(spec *s, hlmi_rope *r)
{
    HLMI_DO(read_factor(s, 0.0));
    s->reach = (double)s->max_positions * s->factor;
    if (s->dim < 4)
        return hlmi_fail(HLM_E_FORMAT, "%s: dynamic rope scaling of %zu elements", hlmi_store_path(s->c.store), s->dim);
    r->dynamic_from = s->max_positions;
    r->dynamic_factor = s->factor;
    r->theta = s->theta;
    return none(s, r);
}

static hlm_status llama3(spec *s, hlmi_rope *r)
{
    double low = 0, high = 0;
    HLMI_DO(read_factor(s, 0.0));
    HLMI_DO(read_original(s));
    HLMI_DO(hlmi_config_float(&s->c, (hlmi_key){"low_freq_factor", NULL}, 1e-6, 1e6, 0.0, &low));
    HLMI_DO(hlmi_config_float(&s->c, (hlmi_key){"high_freq_factor", NULL}, 1e-6, 1e6, 0.0, &high));
    if (!(high > low))
        return hlmi_fail(HLM_E_FORMAT, "%s: high_freq_factor is %g, expected more than low_freq_factor %g",
                         hlmi_store_path(s->c.store), high, low);
    for (size_t i = 0; i < r->half; i++) {
        const double f = base_freq(s, i), turns = (double)s->original * f / (2.0 * PI);
        double smooth = (turns - low) / (high - low);
        smooth = smooth < 0.0 ? 0.0 : smooth > 1.0 ? 1.0 : smooth;
        r->inv_freq[i] = (float)((1.0 - smooth) * f / s->factor + smooth * f);
    }
    return HLM_OK;
}

static double floor_of(double x)
{
    const double t = (double)(int64_t)x;
    return t > x ? t - 1.0 : t;
}

/* The dimension that makes `turns` full turns in the original text length. */
static double yarn_dim(const spec *s, double turns)
{
    return (double)s->dim * hlmi_log((double)s->original / (turns * 2.0 * PI)) / (2.0 * hlmi_log(s->theta));
}

static double yarn_mscale(double factor, double mscale)
{
    return factor <= 1.0 ? 1.0 : 0.1 * mscale * hlmi_log(factor) + 1.0;
}

static hlm_status yarn_attention(spec *s, hlmi_rope *r)
{
    double m = 0, all = 0, given = 0;
    HLMI_DO(hlmi_config_float(&s->c, (hlmi_key){"mscale", NULL}, 0.0, 1e3, 0.0, &m));
    HLMI_DO(hlmi_config_float(&s->c, (hlmi_key){"mscale_all_dim", NULL}, 0.0, 1e3, 0.0, &all));
    const double f =
        m > 0.0 && all > 0.0 ? yarn_mscale(s->factor, m) / yarn_mscale(s->factor, all) : yarn_mscale(s->factor, 1.0);
    HLMI_DO(hlmi_config_float(&s->c, (hlmi_key){"attention_factor", NULL}, 1e-3, 1e3, f, &given));
    /* GGUF's factor multiplies the computed one */
    double extra = 1.0;
    HLMI_DO(hlmi_config_float(&s->c, (hlmi_key){NULL, ".rope.scaling.attn_factor"}, 1e-3, 1e3, 1.0, &extra));
    r->attention_factor = (float)(given * extra);
    return HLM_OK;
}

/* 0 stands for the default. */
static hlm_status read_beta(const spec *s, hlmi_key key, double fallback, double *out)
{
    const hlm_status st = hlmi_config_float(&s->c, key, 0.0, 1e6, fallback, out);
    if (*out == 0.0) *out = fallback;
    return st;
}

static hlm_status yarn(spec *s, hlmi_rope *r)
{
    double fast = 0, slow = 0;
    bool truncate = true;
    HLMI_DO(read_original(s));
    /* GGUF: no factor is no scaling */
    HLMI_DO(read_factor(s, s->c.dialect == HLMI_GGUF ? 1.0 : (double)s->max_positions / (double)s->original));
    s->reach = (double)s->original * s->factor;
    HLMI_DO(read_beta(s, (hlmi_key){"beta_fast", ".rope.scaling.yarn_beta_fast"}, 32.0, &fast));
    HLMI_DO(read_beta(s, (hlmi_key){"beta_slow", ".rope.scaling.yarn_beta_slow"}, 1.0, &slow));
    HLMI_DO(hlmi_config_bool(&s->c, (hlmi_key){"truncate", NULL}, true, &truncate));
    HLMI_DO(yarn_attention(s, r));
    double low = yarn_dim(s, fast), high = yarn_dim(s, slow);
    if (truncate) {
        low = floor_of(low);
        high = -floor_of(-high);
    }
    low = low < 0.0 ? 0.0 : low;
    high = high > (double)s->dim - 1.0 ? (double)s->dim - 1.0 : high;
    if (low == high) high += 0.001;
    for (size_t i = 0; i < r->half; i++) {
        double ramp = ((double)i - low) / (high - low);
        ramp = ramp < 0.0 ? 0.0 : ramp > 1.0 ? 1.0 : ramp;
        const double f = base_freq(s, i);
        r->inv_freq[i] = (float)(f / s->factor * ramp + f * (1.0 - ramp));
    }
    return HLM_OK;
}

static const struct {
    const char *name;
    fill_fn *fill;
} kinds[] = {
    {"default", none}, {"none", none}, {"linear", linear}, {"dynamic", dynamic}, {"llama3", llama3}, {"yarn", yarn},
};

/* *c at the object that describes the rotation, NULL when there is none. rope_scaling goes before rope_parameters, as
 * in transformers; an empty one counts as none. */
static hlm_status find_scaling(hlmi_config *c)
{
    static const char *const keys[] = {"rope_scaling", "rope_parameters"};
    const hlmi_json *all = c->json;
    c->json = NULL;
    for (size_t i = 0; i < sizeof keys / sizeof *keys && !c->json; i++) {
        const hlmi_json *o = hlmi_json_given(all, keys[i]);
        if (o && !hlmi_json_is(o, HLMI_JSON_OBJECT))
            return hlmi_fail(HLM_E_FORMAT, "%s: %s is no object", hlmi_store_path(c->store), keys[i]);
        if (hlmi_json_count(o) > 0) c->json = o;
    }
    return HLM_OK;
}

/* The function of the scaling's name. GGUF files of before rope.scaling.type scale linearly. */
static hlm_status read_kind(const spec *s, fill_fn **out)
{
    hlmi_str name;
    HLMI_DO(hlmi_config_string(&s->c, (hlmi_key){"rope_type", ".rope.scaling.type"}, &name));
    if (!name.s) HLMI_DO(hlmi_config_string(&s->c, (hlmi_key){"type", NULL}, &name));
    const bool older = hlmi_config_has(&s->c, (hlmi_key){NULL, ".rope.scaling.factor"}) ||
        hlmi_config_has(&s->c, (hlmi_key){NULL, ".rope.scale_linear"});
    *out = older ? linear : none;
    if (!name.s) return HLM_OK;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        *out = kinds[i].fill;
        if (strlen(kinds[i].name) == name.len && memcmp(kinds[i].name, name.s, name.len) == 0) return HLM_OK;
    }
    return hlmi_fail(HLM_E_UNSUPPORTED, "%s: rope scaling \"%.*s\" is not known to this version",
                     hlmi_store_path(s->c.store), (int)hlmi_min_size(name.len, 31), name.s);
}

/* Where the scaling is described, and theta. */
static hlm_status read_spec(const hlmi_config *c, double default_theta, spec *s)
{
    s->top = *c;
    s->c = *c;
    HLMI_DO(hlmi_config_float(c, (hlmi_key){"rope_theta", ".rope.freq_base"}, 1.0, 1e15, default_theta, &s->theta));
    if (!c->json) return HLM_OK;
    HLMI_DO(find_scaling(&s->c));
    return hlmi_config_float(&s->c, (hlmi_key){"rope_theta", NULL}, 1.0, 1e15, s->theta, &s->theta);
}

/* A rope of the plan, filled; *index is its number. */
static hlm_status append(hlmi_plan *plan, spec *s, fill_fn *fill, const float *divisors, size_t *index)
{
    HLMI_DO(HLMI_GROW(&plan->mem, plan->ropes, plan->cap_ropes, plan->n_ropes + 1, "the layer plan"));
    hlmi_rope *r = &plan->ropes[plan->n_ropes];
    *r = (hlmi_rope){.half = s->dim / 2, .divisors = divisors, .attention_factor = 1.0f};
    r->inv_freq = hlmi_plan_alloc(plan, r->half, sizeof *r->inv_freq);
    if (!r->inv_freq) return HLM_E_NOMEM;
    HLMI_DO(fill(s, r));
    *index = plan->n_ropes++;
    return HLM_OK;
}

hlm_status hlmi_rope_read(const hlmi_config *c, hlmi_plan *plan, size_t dim, double default_theta,
                          const float *divisors, size_t *index)
{
    spec s = {.dim = dim, .max_positions = plan->max_positions};
    fill_fn *fill = none;
    HLMI_DO(read_spec(c, default_theta, &s));
    HLMI_DO(read_kind(&s, &fill));
    HLMI_DO(append(plan, &s, fill, divisors, index));
    if (s.reach > (double)plan->max_positions) plan->max_positions = s.reach < INT32_MAX ? (int64_t)s.reach : INT32_MAX;
    return HLM_OK;
}

hlm_status hlmi_rope_plain(hlmi_plan *plan, size_t dim, double theta, size_t *index)
{
    return append(plan, &(spec){.dim = dim, .theta = theta}, none, NULL, index);
}

hlm_status hlmi_rope_divide(const hlmi_plan *plan, const char *path)
{
    for (size_t k = 0; k < plan->n_ropes; k++) {
        const hlmi_rope *r = &plan->ropes[k];
        for (size_t i = 0; r->divisors && i < r->half; i++) {
            if (!(r->divisors[i] > 0.0f))
                return hlmi_fail(HLM_E_FORMAT, "%s: rope_freqs.weight[%zu] is %g, expected a positive number", path, i,
                                 (double)r->divisors[i]);
            r->inv_freq[i] /= r->divisors[i];
        }
    }
    return HLM_OK;
}
