/* Settings and weights of Mamba-1 mixers. Reference: transformers' modeling_mamba, modeling_falcon_mamba,
 * modeling_jamba. */
#include "arch/mamba1_layer.h"

#include <string.h>

enum { MAX_EXPAND = 1 << 10, MAX_INNER = 1 << 22, MAX_STATE = 1 << 12, MAX_WINDOW = 1 << 8, RANK_SHARE = 16 };

const hlmi_mamba1_keys hlmi_jamba_keys = {.expand = "mamba_expand",
                                          .state = "mamba_d_state",
                                          .window = "mamba_d_conv",
                                          .dt_rank = "mamba_dt_rank",
                                          .conv_bias = "mamba_conv_bias",
                                          .proj_bias = "mamba_proj_bias"};

/* "auto" (or nothing) is a sixteenth of the hidden size, rounded up. */
static hlm_status read_rank(const hlmi_decoder *d, const char *key, hlmi_mamba1 *m)
{
    const char *text = hlmi_json_string(d->c->json, key);
    const size_t share = (d->hidden + RANK_SHARE - 1) / RANK_SHARE;
    if (!text || strcmp(text, "auto") != 0)
        return hlmi_config_size(d->c, (hlmi_key){key, NULL}, MAX_INNER, (int64_t)share, &m->dt_rank);
    m->dt_rank = share;
    return HLM_OK;
}

/* GGUF files have one set of keys for all families. */
static hlm_status read_gguf(const hlmi_decoder *d, hlmi_mamba1 *m)
{
    HLMI_DO(hlmi_config_size(d->c, (hlmi_key){NULL, ".ssm.inner_size"}, MAX_INNER, 0, &m->inner));
    HLMI_DO(hlmi_config_size(d->c, (hlmi_key){NULL, ".ssm.state_size"}, MAX_STATE, 0, &m->state));
    HLMI_DO(hlmi_config_size(d->c, (hlmi_key){NULL, ".ssm.conv_kernel"}, MAX_WINDOW, 0, &m->window));
    return hlmi_config_size(d->c, (hlmi_key){NULL, ".ssm.time_step_rank"}, MAX_INNER, 0, &m->dt_rank);
}

hlm_status hlmi_mamba1_read(const hlmi_decoder *d, const hlmi_mamba1_keys *k, hlmi_mamba1 *m)
{
    if (d->gguf) return read_gguf(d, m);
    size_t expand = 0;
    HLMI_DO(hlmi_config_size(d->c, (hlmi_key){k->expand, NULL}, MAX_EXPAND, 2, &expand));
    m->inner = expand * d->hidden;
    if (k->inner) HLMI_DO(hlmi_config_size(d->c, (hlmi_key){k->inner, NULL}, MAX_INNER, (int64_t)m->inner, &m->inner));
    HLMI_DO(hlmi_config_size(d->c, (hlmi_key){k->state, NULL}, MAX_STATE, 16, &m->state));
    HLMI_DO(hlmi_config_size(d->c, (hlmi_key){k->window, NULL}, MAX_WINDOW, 4, &m->window));
    HLMI_DO(read_rank(d, k->dt_rank, m));
    HLMI_DO(hlmi_config_bool(d->c, (hlmi_key){k->conv_bias, NULL}, true, &m->conv_bias));
    return hlmi_config_bool(d->c, (hlmi_key){k->proj_bias, NULL}, false, &m->proj_bias);
}

static void want_projections(const hlmi_decoder *d, const hlmi_mamba1 *m, size_t layer, size_t before,
                             hlmi_mamba1_params *p)
{
    const size_t inner = m->inner;
    const hlmi_has_bias biased = hlmi_bias_by(d, m->proj_bias);
    const size_t all = before + 2 * inner, low = m->dt_rank, selected = low + 2 * m->state;
    const hlmi_want in = {.rows = inner, .cols = d->hidden}, part = {.rows = m->state, .cols = inner};
    const hlmi_want out = {.rows = d->hidden, .cols = inner};
    p->u = hlmi_decoder_linear(d, HLMI_PART_SSM_X, layer, hlmi_want_rows(in, before, all), biased);
    p->z = hlmi_decoder_linear(d, HLMI_PART_SSM_Z, layer, hlmi_want_rows(in, before + inner, all), biased);
    p->low = hlmi_decoder_rows(d, HLMI_PART_SSM_LOW, layer,
                               hlmi_want_rows((hlmi_want){.rows = low, .cols = inner}, 0, selected));
    p->b = hlmi_decoder_rows(d, HLMI_PART_SSM_B, layer, hlmi_want_rows(part, low, selected));
    p->c = hlmi_decoder_rows(d, HLMI_PART_SSM_C, layer, hlmi_want_rows(part, low + m->state, selected));
    p->dt = hlmi_decoder_matrix(d, HLMI_PART_SSM_DT, layer, inner, low);
    p->dt_bias = hlmi_decoder_bias(d, HLMI_PART_SSM_DT, layer, inner);
    p->out = hlmi_decoder_linear(d, HLMI_PART_SSM_OUT, layer, out, biased);
}

/* One of the norms of dt, B and C. */
static hlmi_norm want_norm(const hlmi_decoder *d, const hlmi_mamba1 *m, hlmi_part part, size_t layer, size_t n)
{
    if (m->norm_eps == 0.0) return (hlmi_norm){0};
    const float *weight = hlmi_decoder_has(d, part, layer) || d->names[part].hf ? hlmi_decoder_vector(d, part, layer, n)
                                                                                : hlmi_decoder_fill(d, n, 1.0);
    return (hlmi_norm){.kind = HLMI_NORM_RMS, .weight = weight, .size = n, .eps = (float)m->norm_eps};
}

hlm_status hlmi_mamba1_want(const hlmi_decoder *d, const hlmi_mamba1 *m, size_t layer, size_t before,
                            hlmi_mamba1_params *p)
{
    const hlmi_recurrence rec = {.layer = (int32_t)layer,
                                 .channels = m->inner,
                                 .window = m->window,
                                 .heads = 1,
                                 .rows = m->state,
                                 .cols = m->inner,
                                 .transposed = true,
                                 .extra = m->inner + 2 * m->state};
    const hlmi_want decay = {.rows = m->inner, .cols = m->state, .make = {HLMI_MAKE_TRANSPOSED, HLMI_MAKE_TRANSPOSED}};
    *p = (hlmi_mamba1_params){.layer = (int32_t)layer};
    want_projections(d, m, layer, before, p);
    hlmi_decoder_taps(d, layer, m->inner, m->window, m->conv_bias, &p->taps, &p->taps_bias);
    p->a = hlmi_decoder_numbers(d, HLMI_PART_SSM_DECAY, layer, decay);
    p->d = hlmi_decoder_vector(d, HLMI_PART_SSM_SKIP, layer, m->inner);
    p->low_norm = want_norm(d, m, HLMI_PART_SSM_LOW_NORM, layer, m->dt_rank);
    p->b_norm = want_norm(d, m, HLMI_PART_SSM_B_NORM, layer, m->state);
    p->c_norm = want_norm(d, m, HLMI_PART_SSM_C_NORM, layer, m->state);
    return d->w->st == HLM_OK ? hlmi_plan_add_recurrence(d->plan, &rec, &p->rec) : d->w->st;
}

hlm_status hlmi_mamba1_add(const hlmi_decoder *d, const hlmi_mamba1 *m, size_t layer)
{
    hlmi_mamba1_params p;
    const hlm_status st = hlmi_mamba1_want(d, m, layer, 0, &p);
    p.norm = hlmi_decoder_norm(d, HLMI_PART_ATTN_NORM, layer, d->hidden);
    return st == HLM_OK ? hlmi_decoder_add(d, HLMI_BLOCK_MAMBA1, &p, sizeof p) : st;
}
