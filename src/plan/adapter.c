/* Making adapters. */
#include "plan/adapter.h"

#include <string.h>

#include "base/size.h"
#include "plan/model.h"

enum { LANES = 32 /* rows of a group of f32 */ };

hlm_adapter *hlmi_adapter_new(hlm_model *model)
{
    const hlmi_mem *mem = &model->mem;
    const hlmi_plan *plan = &model->plan;
    hlm_adapter *ad = hlmi_calloc(mem, 1, sizeof *ad);
    hlmi_low *low = hlmi_calloc(mem, plan->n_weights + 1, sizeof *low);
    if (!ad || !low) {
        hlmi_free(mem, ad);
        hlmi_free(mem, low);
        hlmi_nomem(plan->n_weights * sizeof *low, "an adapter");
        return NULL;
    }
    atomic_init(&ad->refs, 1);
    hlm_model_retain(model);
    ad->model = model;
    ad->mem = *mem;
    ad->low = low;
    ad->n_low = plan->n_weights;
    return ad;
}

static void adapter_free(hlm_adapter *ad)
{
    const hlmi_mem mem = ad->mem;
    hlm_model *model = ad->model;
    for (size_t i = 0; i < ad->n_low; i++) {
        hlmi_free(&mem, ad->low[i].a.packed);
        hlmi_free(&mem, ad->low[i].b.packed);
        hlmi_free(&mem, ad->low[i].factor);
    }
    hlmi_free(&mem, ad->low);
    hlmi_free(&mem, ad->invocation);
    hlmi_free(&mem, ad);
    hlm_model_release(model);
}

void hlm_adapter_retain(hlm_adapter *adapter)
{
    if (adapter) atomic_fetch_add(&adapter->refs, 1);
}

void hlm_adapter_release(hlm_adapter *adapter)
{
    if (adapter && atomic_fetch_sub(&adapter->refs, 1) == 1) adapter_free(adapter);
}

/* The matrix x [rows, cols], packed. */
static hlm_status pack(hlm_adapter *ad, const float *x, size_t rows, size_t cols, hlmi_matrix *out)
{
    const size_t group = hlmi_layout_group_bytes(HLMI_LAYOUT_F32, cols), groups = hlmi_div_up(rows, LANES);
    float *packed = hlmi_calloc(&ad->mem, groups, group);
    if (!packed) return hlmi_nomem(groups * group, "an adapter");
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < cols; c++) packed[(r / LANES * cols + c) * LANES + r % LANES] = x[r * cols + c];
    *out = (hlmi_matrix){.rows = rows,
                         .cols = cols,
                         .type = HLMI_F32,
                         .layout = HLMI_LAYOUT_F32,
                         .packed = packed,
                         .bytes = groups * group};
    ad->bytes += out->bytes;
    return HLM_OK;
}

hlm_status hlmi_adapter_set(hlm_adapter *ad, const hlmi_matrix *m, size_t rank, const float *a, const float *b,
                            float *factor)
{
    hlmi_low *low = &ad->low[m->number - 1];
    low->factor = factor;
    hlm_status st = pack(ad, a, rank, m->cols, &low->a);
    if (st == HLM_OK) st = pack(ad, b, m->rows, rank, &low->b);
    ad->n_matrices++;
    ad->rank = hlmi_max_size(ad->rank, rank);
    if (factor) ad->bytes += m->rows * sizeof *factor;
    return st;
}

hlm_status hlmi_adapter_wait(hlm_adapter *ad, const int32_t *tokens, size_t n)
{
    if (n == 0) return HLM_OK;
    ad->invocation = hlmi_alloc(&ad->mem, n * sizeof *tokens);
    if (!ad->invocation) return hlmi_nomem(n * sizeof *tokens, "an adapter");
    memcpy(ad->invocation, tokens, n * sizeof *tokens);
    ad->n_invocation = n;
    return HLM_OK;
}

void hlmi_adapter_seal(hlm_adapter *ad, uint64_t (*hash)(const void *x, size_t n, uint64_t seed))
{
    for (size_t half = 0; half < 2; half++) {
        uint64_t h = half;
        if (ad->n_invocation) h = hash(ad->invocation, ad->n_invocation * sizeof *ad->invocation, h);
        for (size_t i = 0; i < ad->n_low; i++) {
            const hlmi_low *low = &ad->low[i];
            if (!low->a.rows) continue;
            h = hash(&i, sizeof i, h);
            h = hash(low->a.packed, (size_t)low->a.bytes, h);
            h = hash(low->b.packed, (size_t)low->b.bytes, h);
            if (low->factor) h = hash(low->factor, low->b.rows * sizeof *low->factor, h);
        }
        ad->print[half] = h;
    }
}

void hlmi_low_row(float *y, const hlmi_matrix *m, size_t r)
{
    const hlmi_layout_info *info = hlmi_layout_get(m->layout);
    const char *group = (const char *)m->packed + r / info->rows * hlmi_layout_group_bytes(m->layout, m->cols);
    info->read_row(y, 1, group, r % info->rows, 0, m->cols);
}
