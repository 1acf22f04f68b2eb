/* Settings and weights of Mamba-2 layers. Reference: transformers' modeling_mamba2, modeling_bamba,
 * modeling_granitemoehybrid, modeling_nemotron_h. */
#include "arch/mamba2_layer.h"

#include <math.h>
#include <string.h>

#include "base/json.h"

enum { MAX_HEADS = 1 << 16, MAX_HEAD_DIM = 1 << 14, MAX_STATE = 1 << 14, MAX_WINDOW = 1 << 8 };

static hlm_status read_size(const hlmi_decoder *d, const char *key, int64_t max, size_t *v)
{
    return hlmi_config_size(d->c, (hlmi_key){key, NULL}, max, (int64_t)*v, v);
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
    int64_t inner = 0;
    const char *path = hlmi_store_path(d->c->store);
    HLMI_DO(read_size(d, k->heads, MAX_HEADS, &m->heads));
    if (k->expand) {
        int64_t expand = 0;
        HLMI_DO(hlmi_config_int(d->c, (hlmi_key){k->expand, NULL}, 1, MAX_HEADS, 2, &expand));
        inner = expand * (int64_t)d->hidden;
    }
    HLMI_DO(read_head_dim(d, k, inner, m));
    if (inner && (uint64_t)inner != (uint64_t)m->heads * m->head_dim)
        return hlmi_fail(HLM_E_FORMAT, "%s: %s * hidden_size is %lld, expected %zu heads of %zu", path, k->expand,
                         (long long)inner, m->heads, m->head_dim);
    HLMI_DO(read_size(d, k->groups, MAX_HEADS, &m->groups));
    if (m->heads % m->groups)
        return hlmi_fail(HLM_E_FORMAT, "%s: %s is %zu, which does not divide %zu heads", path, k->groups, m->groups,
                         m->heads);
    return HLM_OK;
}

/* The bounds of the step, each also as a bare or tagged Infinity. */
static hlm_status read_limits(const hlmi_decoder *d, const hlmi_mamba2_keys *k, hlmi_mamba2 *m)
{
    double lo = (double)m->dt_min, hi = HUGE_VAL;
    const char *path = hlmi_store_path(d->c->store);
    const hlmi_json *v = k->dt_limit ? hlmi_json_given(d->c->json, k->dt_limit) : NULL;
    if (k->dt_min) {
        HLMI_DO(hlmi_config_float(d->c, (hlmi_key){k->dt_min, NULL}, 0.0, 1e30, lo, &lo));
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

/* GGUF files have one set of keys for all families. */
static hlm_status read_gguf(const hlmi_decoder *d, hlmi_mamba2 *m)
{
    size_t inner = 0;
    HLMI_DO(hlmi_config_size(d->c, (hlmi_key){NULL, ".ssm.time_step_rank"}, MAX_HEADS, 0, &m->heads));
    HLMI_DO(hlmi_config_size(d->c, (hlmi_key){NULL, ".ssm.inner_size"}, MAX_HEADS * MAX_HEAD_DIM, 0, &inner));
    HLMI_DO(hlmi_config_size(d->c, (hlmi_key){NULL, ".ssm.group_count"}, MAX_HEADS, 0, &m->groups));
    HLMI_DO(hlmi_config_size(d->c, (hlmi_key){NULL, ".ssm.state_size"}, MAX_STATE, 0, &m->state));
    HLMI_DO(hlmi_config_size(d->c, (hlmi_key){NULL, ".ssm.conv_kernel"}, MAX_WINDOW, 0, &m->window));
    m->head_dim = inner / m->heads;
    if (inner % m->heads || m->heads % m->groups || m->head_dim > MAX_HEAD_DIM)
        return hlmi_fail(HLM_E_FORMAT, "%s: %s.ssm.inner_size is %zu, which %zu heads in %zu groups can not share",
                         hlmi_store_path(d->c->store), d->c->arch, inner, m->heads, m->groups);
    m->dt_min = 0;
    m->dt_max = HUGE_VALF;
    return HLM_OK;
}

static hlm_status read_folder(const hlmi_decoder *d, const hlmi_mamba2_keys *k, hlmi_mamba2 *m)
{
    HLMI_DO(read_heads(d, k, m));
    HLMI_DO(read_size(d, k->state, MAX_STATE, &m->state));
    HLMI_DO(read_size(d, k->window, MAX_WINDOW, &m->window));
    HLMI_DO(hlmi_config_bool(d->c, (hlmi_key){k->conv_bias, NULL}, m->conv_bias, &m->conv_bias));
    HLMI_DO(hlmi_config_bool(d->c, (hlmi_key){k->proj_bias, NULL}, m->proj_bias, &m->proj_bias));
    m->out_bias = m->proj_bias;
    return read_limits(d, k, m);
}

hlm_status hlmi_mamba2_read(const hlmi_decoder *d, const hlmi_mamba2_keys *k, hlmi_mamba2 *m)
{
    HLMI_DO(d->gguf ? read_gguf(d, m) : read_folder(d, k, m));
    m->gate = HLMI_GATE_SILU_BEFORE;
    m->norm_groups = m->groups;
    return HLM_OK;
}

/* The parts of the input's projection, which are rows of one tensor, and what they are multiplied by. */
static void want_in(const hlmi_decoder *d, const hlmi_mamba2 *m, size_t layer, hlmi_mamba2_params *p)
{
    const size_t inner = m->heads * m->head_dim, group = m->groups * m->state;
    const struct {
        hlmi_part part;
        size_t rows, unit;
    } in[HLMI_SSM_PARTS] = {{HLMI_PART_SSM_Z, inner, m->head_dim},
                            {HLMI_PART_SSM_X, inner, m->head_dim},
                            {HLMI_PART_SSM_B, group, m->state},
                            {HLMI_PART_SSM_C, group, m->state},
                            {HLMI_PART_SSM_DT, m->heads, 1}};
    size_t first = 0;
    for (size_t i = 0; i < HLMI_SSM_PARTS; first += in[i++].rows) {
        const hlmi_want want = {.rows = in[i].rows, .cols = d->hidden, .divisor = m->in_scale, .unit = in[i].unit};
        p->in[i] =
            hlmi_decoder_linear(d, in[i].part, layer, hlmi_want_rows(want, first, 2 * inner + 2 * group + m->heads),
                                hlmi_bias_by(d, m->proj_bias));
        if (m->in_scale != 0.0) p->in[i].scale = hlmi_decoder_fill(d, in[i].rows, m->in_scale * m->part_scale[i]);
    }
}

hlm_status hlmi_mamba2_want(const hlmi_decoder *d, const hlmi_mamba2 *m, size_t layer, hlmi_mamba2_params *p)
{
    const size_t inner = m->heads * m->head_dim, channels = inner + 2 * m->groups * m->state;
    const hlmi_recurrence rec = {.layer = (int32_t)layer,
                                 .channels = channels,
                                 .window = m->window,
                                 .heads = m->heads,
                                 .rows = m->state,
                                 .cols = m->head_dim,
                                 .transposed = true,
                                 .extra = m->heads};
    *p = (hlmi_mamba2_params){.layer = (int32_t)layer,
                              .dt_min = m->dt_min,
                              .dt_max = m->dt_max,
                              .groups = m->groups,
                              .norm_groups = m->norm_groups,
                              .gate = m->gate};
    want_in(d, m, layer, p);
    p->out = hlmi_decoder_linear(d, HLMI_PART_SSM_OUT, layer, (hlmi_want){.rows = d->hidden, .cols = inner},
                                 hlmi_bias_by(d, m->out_bias));
    p->out.scale = d->residual;
    hlmi_decoder_taps(d, layer, channels, m->window, m->conv_bias, &p->taps, &p->taps_bias);
    p->a = hlmi_decoder_vector(d, HLMI_PART_SSM_DECAY, layer, m->heads);
    p->d = hlmi_decoder_vector(d, HLMI_PART_SSM_SKIP, layer, m->heads);
    p->dt_bias = hlmi_decoder_vector(d, HLMI_PART_SSM_DT_BIAS, layer, m->heads);
    if (m->gate != HLMI_GATE_NONE)
        p->gate_norm = (hlmi_norm){.weight = hlmi_decoder_vector(d, HLMI_PART_SSM_NORM, layer, inner),
                                   .size = inner / m->norm_groups,
                                   .eps = (float)d->eps};
    return d->w->st == HLM_OK ? hlmi_plan_add_recurrence(d->plan, &rec, &p->rec) : d->w->st;
}

hlm_status hlmi_mamba2_add(const hlmi_decoder *d, const hlmi_mamba2 *m, size_t layer)
{
    hlmi_mamba2_params p;
    const hlm_status st = hlmi_mamba2_want(d, m, layer, &p);
    p.norm = hlmi_decoder_norm(d, HLMI_PART_ATTN_NORM, layer, d->hidden);
    return st == HLM_OK ? hlmi_decoder_add(d, HLMI_BLOCK_MAMBA2, &p, sizeof p) : st;
}
