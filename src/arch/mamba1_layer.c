/* Settings and weights of Mamba-1 mixers. Reference: transformers' modeling_mamba, modeling_falcon_mamba, modeling_jamba. */
#include "arch/mamba1_layer.h"

#include <string.h>

#include "base/math.h"

enum { MAX_EXPAND = 1 << 10, MAX_INNER = 1 << 22, MAX_STATE = 1 << 12, MAX_WINDOW = 1 << 8, RANK_SHARE = 16 };

const hlmi_mamba1_names hlmi_mamba1_plain_names = {.in = "in_proj",
                                                   .conv = "conv1d",
                                                   .select = "x_proj",
                                                   .dt = "dt_proj",
                                                   .decay = "A_log",
                                                   .skip = "D",
                                                   .out = "out_proj"};

static hlm_status read_size(const hlmi_decoder *d, const char *key, int64_t max, int64_t fallback, size_t *out)
{
    int64_t v = 0;
    const hlm_status st = hlmi_config_int(d->c, (hlmi_key){key, NULL}, 1, max, fallback, &v);
    *out = (size_t)v;
    return st;
}

/* "auto" (or nothing) is a sixteenth of the hidden size, rounded up. */
static hlm_status read_rank(const hlmi_decoder *d, const char *key, hlmi_mamba1 *m)
{
    const char *text = hlmi_json_string(d->c->json, key);
    const size_t share = (d->hidden + RANK_SHARE - 1) / RANK_SHARE;
    if (!text || strcmp(text, "auto") != 0) return read_size(d, key, MAX_INNER, (int64_t)share, &m->dt_rank);
    m->dt_rank = share;
    return HLM_OK;
}

hlm_status hlmi_mamba1_read(const hlmi_decoder *d, const hlmi_mamba1_keys *k, hlmi_mamba1 *m)
{
    hlm_status st;
    size_t expand = 0;
    HLMI_TRY(read_size(d, k->expand, MAX_EXPAND, 2, &expand));
    m->inner = expand * d->hidden;
    if (k->inner) HLMI_TRY(read_size(d, k->inner, MAX_INNER, (int64_t)m->inner, &m->inner));
    HLMI_TRY(read_size(d, k->state, MAX_STATE, 16, &m->state));
    HLMI_TRY(read_size(d, k->window, MAX_WINDOW, 4, &m->window));
    HLMI_TRY(read_rank(d, k->dt_rank, m));
    HLMI_TRY(hlmi_config_bool(d->c, (hlmi_key){k->conv_bias, NULL}, true, &m->conv_bias));
    HLMI_TRY(hlmi_config_bool(d->c, (hlmi_key){k->proj_bias, NULL}, false, &m->proj_bias));
done:
    return st;
}

/* The mixer of a layer that is being loaded. */
typedef struct mixer {
    const hlmi_decoder *d;
    const hlmi_mamba1 *m;
    const char *prefix;
    size_t layer;
} mixer;

/* A tensor of the mixer. */
static hlmi_name tensor(const mixer *x, const char *name, const char *suffix)
{
    hlmi_name out = hlmi_decoder_name(x->d, (hlmi_key){x->prefix, NULL}, x->layer, "");
    const size_t n = strlen(out.text), a = strlen(name), b = strlen(suffix);
    if (n + a + b < sizeof out.text) { /* both are constants of a family, short enough for every number of layers */
        memcpy(out.text + n, name, a);
        memcpy(out.text + n + a, suffix, b + 1);
    }
    return out;
}

/* Rows [first, first + rows) of a matrix of in_file rows. */
static hlm_status load_rows(const mixer *x, const char *name, size_t first, size_t rows, size_t in_file, size_t cols,
                            hlmi_matrix *out)
{
    const hlmi_row_order order = {.first = first, .in_file = in_file};
    return hlmi_loader_matrix(x->d->l, tensor(x, name, ".weight").text, rows, cols, &order, out);
}

static hlm_status load_vector(const mixer *x, const char *name, const char *suffix, size_t first, size_t n,
                              size_t in_file, const float **out)
{
    float *v = NULL;
    const hlmi_row_order order = {.first = first, .in_file = in_file};
    const hlm_status st = hlmi_loader_vector(x->d->l, tensor(x, name, suffix).text, n, &order, &v);
    *out = v;
    return st;
}

static hlm_status load_projections(const mixer *x, size_t before, hlmi_mamba1_params *p)
{
    hlm_status st;
    const hlmi_mamba1 *m = x->m;
    const size_t inner = m->inner, hidden = x->d->hidden, rows = before + 2 * inner;
    const size_t chosen = m->dt_rank + 2 * m->state;
    HLMI_TRY(load_rows(x, m->names->in, before, inner, rows, hidden, &p->u));
    HLMI_TRY(load_rows(x, m->names->in, before + inner, inner, rows, hidden, &p->z));
    HLMI_TRY(load_rows(x, m->names->select, 0, m->dt_rank, chosen, inner, &p->low));
    HLMI_TRY(load_rows(x, m->names->select, m->dt_rank, m->state, chosen, inner, &p->b));
    HLMI_TRY(load_rows(x, m->names->select, m->dt_rank + m->state, m->state, chosen, inner, &p->c));
    HLMI_TRY(load_rows(x, m->names->dt, 0, inner, inner, m->dt_rank, &p->dt));
    HLMI_TRY(load_rows(x, m->names->out, 0, hidden, hidden, inner, &p->out));
    HLMI_TRY(load_vector(x, m->names->dt, ".bias", 0, inner, inner, &p->dt_bias));
    if (!m->proj_bias) goto done;
    HLMI_TRY(load_vector(x, m->names->in, ".bias", before, inner, rows, &p->u_bias));
    HLMI_TRY(load_vector(x, m->names->in, ".bias", before + inner, inner, rows, &p->z_bias));
    HLMI_TRY(load_vector(x, m->names->out, ".bias", 0, hidden, hidden, &p->out_bias));
done:
    return st;
}

static hlm_status load_recurrence(const mixer *x, hlmi_mamba1_params *p)
{
    hlm_status st;
    const hlmi_mamba1 *m = x->m;
    float *v = NULL;
    HLMI_TRY(hlmi_loader_taps(x->d->l, tensor(x, m->names->conv, ".weight").text, m->inner, m->window, &v));
    p->taps = v;
    if (m->conv_bias) HLMI_TRY(load_vector(x, m->names->conv, ".bias", 0, m->inner, m->inner, &p->taps_bias));
    HLMI_TRY(hlmi_loader_numbers(x->d->l, tensor(x, m->names->decay, "").text, m->inner, m->state, true, &v));
    for (size_t i = 0; i < m->inner * m->state; i++) v[i] = -(float)hlmi_exp((double)v[i]);
    p->a = v;
    HLMI_TRY(load_vector(x, m->names->skip, "", 0, m->inner, m->inner, &p->d));
done:
    return st;
}

/* One of the norms of dt, B and C. */
static hlm_status load_norm(const mixer *x, const char *name, size_t n, hlmi_norm *out)
{
    hlm_status st = HLM_OK;
    const float *w = NULL;
    if (x->m->norm_eps == 0.0) return HLM_OK;
    if (name) HLMI_TRY(load_vector(x, name, ".weight", 0, n, n, &w));
    else HLMI_TRY(hlmi_decoder_fill(x->d, n, 1.0, &w));
    *out = (hlmi_norm){.kind = HLMI_NORM_RMS, .weight = (float *)(uintptr_t)w, .size = n, .eps = (float)x->m->norm_eps};
done:
    return st;
}

hlm_status hlmi_mamba1_load(const hlmi_decoder *d, const hlmi_mamba1 *m, const char *prefix, size_t layer,
                            size_t before, hlmi_mamba1_params *p)
{
    hlm_status st;
    const mixer x = {d, m, prefix, layer};
    *p = (hlmi_mamba1_params){.layer = (int32_t)layer};
    HLMI_TRY(load_projections(&x, before, p));
    HLMI_TRY(load_recurrence(&x, p));
    HLMI_TRY(load_norm(&x, m->names->low_norm, m->dt_rank, &p->low_norm));
    HLMI_TRY(load_norm(&x, m->names->b_norm, m->state, &p->b_norm));
    HLMI_TRY(load_norm(&x, m->names->c_norm, m->state, &p->c_norm));
    HLMI_TRY(hlmi_plan_add_recurrence(d->plan,
                                      &(hlmi_recurrence){.layer = (int32_t)layer,
                                                         .channels = m->inner,
                                                         .window = m->window,
                                                         .heads = 1,
                                                         .rows = m->state,
                                                         .cols = m->inner,
                                                         .transposed = true,
                                                         .extra = m->inner + 2 * m->state},
                                      &p->rec));
done:
    return st;
}

hlm_status hlmi_mamba1_add(const hlmi_decoder *d, const hlmi_mamba1 *m, const char *prefix, size_t layer)
{
    hlm_status st;
    hlmi_mamba1_params p;
    HLMI_TRY(hlmi_mamba1_load(d, m, prefix, layer, 0, &p));
    HLMI_TRY(hlmi_decoder_norm(d, HLMI_PART_ATTN_NORM, layer, d->hidden, &p.norm));
    HLMI_TRY(hlmi_plan_add(d->plan, HLMI_BLOCK_MAMBA1, &p, sizeof p));
done:
    return st;
}
