/* Settings and weights of Mamba-2 layers. Reference: transformers' modeling_mamba2, modeling_bamba,
 * modeling_granitemoehybrid, modeling_nemotron_h. */
#include "arch/mamba2_layer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"

enum { MAX_HEADS = 1 << 16, MAX_HEAD_DIM = 1 << 14, MAX_STATE = 1 << 14, MAX_WINDOW = 1 << 8 };

static hlm_status read_size(const hlmi_decoder *d, const char *key, int64_t max, size_t *v)
{
    int64_t n = 0;
    const hlm_status st = hlmi_config_int(d->c, (hlmi_key){key, NULL}, 1, max, (int64_t)*v, &n);
    *v = (size_t)n;
    return st;
}

/* "auto" (Bamba, Granite), or nothing where the class has no number: what the heads must have. */
static hlm_status read_head_dim(const hlmi_decoder *d, const hlmi_mamba2_keys *k, int64_t inner, hlmi_mamba2 *m)
{
    const char *text = hlmi_json_string(d->c->json, k->head_dim);
    const bool derived =
        text ? strcmp(text, "auto") == 0 : !m->head_dim && !hlmi_config_has(d->c, (hlmi_key){k->head_dim, NULL});
    if (!derived || !inner) return read_size(d, k->head_dim, MAX_HEAD_DIM, &m->head_dim);
    m->head_dim = (size_t)inner / m->heads;
    return HLM_OK;
}

static hlm_status read_heads(const hlmi_decoder *d, const hlmi_mamba2_keys *k, hlmi_mamba2 *m)
{
    hlm_status st;
    int64_t inner = 0;
    const char *path = hlmi_store_path(d->c->store);
    HLMI_TRY(read_size(d, k->heads, MAX_HEADS, &m->heads));
    if (k->expand) {
        int64_t expand = 0;
        HLMI_TRY(hlmi_config_int(d->c, (hlmi_key){k->expand, NULL}, 1, MAX_HEADS, 2, &expand));
        inner = expand * (int64_t)d->hidden;
    }
    HLMI_TRY(read_head_dim(d, k, inner, m));
    if (inner && (uint64_t)inner != (uint64_t)m->heads * m->head_dim)
        HLMI_TRY(hlmi_fail(HLM_E_FORMAT, "%s: %s * hidden_size is %lld, expected %zu heads of %zu", path, k->expand,
                           (long long)inner, m->heads, m->head_dim));
    HLMI_TRY(read_size(d, k->groups, MAX_HEADS, &m->groups));
    if (m->heads % m->groups)
        HLMI_TRY(hlmi_fail(HLM_E_FORMAT, "%s: %s is %zu, which does not divide %zu heads", path, k->groups, m->groups,
                           m->heads));
done:
    return st;
}

/* The bounds of the step, each also as a bare or tagged Infinity. */
static hlm_status read_limits(const hlmi_decoder *d, const hlmi_mamba2_keys *k, hlmi_mamba2 *m)
{
    double lo = (double)m->dt_min, hi = HUGE_VAL;
    const char *path = hlmi_store_path(d->c->store);
    const hlmi_json *v = k->dt_limit ? hlmi_json_given(d->c->json, k->dt_limit) : NULL;
    if (k->dt_min) {
        const hlm_status st = hlmi_config_float(d->c, (hlmi_key){k->dt_min, NULL}, 0.0, 1e30, lo, &lo);
        if (st != HLM_OK) return st;
    }
    if (v) {
        if (hlmi_json_count(v) != 2 || !hlmi_json_number(hlmi_json_at(v, 0), &lo) ||
            !hlmi_json_number(hlmi_json_at(v, 1), &hi))
            return hlmi_fail(HLM_E_FORMAT, "%s: %s is no pair of numbers", path, k->dt_limit);
        if (!(lo <= hi) || !(hi > 0.0) || lo > 1e30)
            return hlmi_fail(HLM_E_FORMAT, "%s: %s is [%g, %g], expected a range of positive steps", path, k->dt_limit,
                             lo, hi);
    }
    m->dt_min = lo > 0.0 ? (float)lo : 0.0f;
    m->dt_max = (float)hi;
    return HLM_OK;
}

hlm_status hlmi_mamba2_read(const hlmi_decoder *d, const hlmi_mamba2_keys *k, hlmi_mamba2 *m)
{
    hlm_status st;
    HLMI_TRY(read_heads(d, k, m));
    HLMI_TRY(read_size(d, k->state, MAX_STATE, &m->state));
    HLMI_TRY(read_size(d, k->window, MAX_WINDOW, &m->window));
    HLMI_TRY(hlmi_config_bool(d->c, (hlmi_key){k->conv_bias, NULL}, m->conv_bias, &m->conv_bias));
    HLMI_TRY(hlmi_config_bool(d->c, (hlmi_key){k->proj_bias, NULL}, m->proj_bias, &m->proj_bias));
    m->out_bias = m->proj_bias;
    HLMI_TRY(read_limits(d, k, m));
    m->gate = HLMI_GATE_SILU_BEFORE;
    m->norm_groups = m->groups;
done:
    return st;
}

/* A tensor of the layer. */
static hlmi_name tensor(const hlmi_decoder *d, const char *prefix, size_t layer, const char *name)
{
    return hlmi_decoder_name(d, (hlmi_key){prefix, NULL}, layer, name);
}

static hlm_status load_vector(const hlmi_decoder *d, const char *prefix, size_t layer, const char *name, size_t n,
                              const float **out)
{
    float *v = NULL;
    const hlm_status st = hlmi_loader_vector(d->l, tensor(d, prefix, layer, name).text, n, NULL, &v);
    *out = v;
    return st;
}

static hlm_status load_projections(const hlmi_decoder *d, const hlmi_mamba2 *m, const char *prefix, size_t layer,
                                   hlmi_mamba2_params *p)
{
    hlm_status st;
    const size_t inner = m->heads * m->head_dim, rows = 2 * inner + 2 * m->groups * m->state + m->heads;
    HLMI_TRY(hlmi_loader_matrix(d->l, tensor(d, prefix, layer, "in_proj.weight").text, rows, d->hidden, NULL, &p->in));
    HLMI_TRY(
        hlmi_loader_matrix(d->l, tensor(d, prefix, layer, "out_proj.weight").text, d->hidden, inner, NULL, &p->out));
    if (m->proj_bias) HLMI_TRY(load_vector(d, prefix, layer, "in_proj.bias", rows, &p->in_bias));
    if (m->out_bias) HLMI_TRY(load_vector(d, prefix, layer, "out_proj.bias", d->hidden, &p->out_bias));
done:
    return st;
}

static hlm_status load_recurrence(const hlmi_decoder *d, const hlmi_mamba2 *m, const char *prefix, size_t layer,
                                  size_t channels, hlmi_mamba2_params *p)
{
    hlm_status st;
    float *v = NULL;
    HLMI_TRY(hlmi_loader_taps(d->l, tensor(d, prefix, layer, "conv1d.weight").text, channels, m->window, &v));
    p->taps = v;
    if (m->conv_bias) HLMI_TRY(load_vector(d, prefix, layer, "conv1d.bias", channels, &p->taps_bias));
    HLMI_TRY(hlmi_loader_decay(d->l, tensor(d, prefix, layer, "A_log").text, m->heads, &v));
    p->a = v;
    HLMI_TRY(load_vector(d, prefix, layer, "D", m->heads, &p->d));
    HLMI_TRY(load_vector(d, prefix, layer, "dt_bias", m->heads, &p->dt_bias));
done:
    return st;
}

hlm_status hlmi_mamba2_load(const hlmi_decoder *d, const hlmi_mamba2 *m, const char *prefix, size_t layer,
                            hlmi_mamba2_params *p)
{
    hlm_status st;
    const size_t inner = m->heads * m->head_dim, channels = inner + 2 * m->groups * m->state;
    *p = (hlmi_mamba2_params){.layer = (int32_t)layer,
                              .out_scale = d->residual,
                              .dt_min = m->dt_min,
                              .dt_max = m->dt_max,
                              .groups = m->groups,
                              .norm_groups = m->norm_groups,
                              .gate = m->gate};
    HLMI_TRY(load_projections(d, m, prefix, layer, p));
    HLMI_TRY(load_recurrence(d, m, prefix, layer, channels, p));
    if (m->gate != HLMI_GATE_NONE) {
        p->gate_norm = (hlmi_norm){.size = inner / m->norm_groups, .eps = (float)d->eps};
        HLMI_TRY(
            hlmi_loader_vector(d->l, tensor(d, prefix, layer, "norm.weight").text, inner, NULL, &p->gate_norm.weight));
    }
    HLMI_TRY(hlmi_plan_add_recurrence(d->plan,
                                      &(hlmi_recurrence){.layer = (int32_t)layer,
                                                         .channels = channels,
                                                         .window = m->window,
                                                         .heads = m->heads,
                                                         .rows = m->state,
                                                         .cols = m->head_dim,
                                                         .transposed = true,
                                                         .extra = m->heads},
                                      &p->rec));
done:
    return st;
}

hlm_status hlmi_mamba2_add(const hlmi_decoder *d, const hlmi_mamba2 *m, const char *prefix, size_t layer)
{
    hlm_status st;
    hlmi_mamba2_params p;
    HLMI_TRY(hlmi_mamba2_load(d, m, prefix, layer, &p));
    HLMI_TRY(hlmi_decoder_norm(d, HLMI_PART_ATTN_NORM, layer, d->hidden, &p.norm));
    HLMI_TRY(hlmi_plan_add(d->plan, HLMI_BLOCK_MAMBA2, &p, sizeof p));
done:
    return st;
}
