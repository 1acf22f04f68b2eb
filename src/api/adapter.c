/* The public calls for adapters. */
#include "plan/adapter.h"

#include <string.h>

#include "api/context.h"
#include "arch/adapter.h"
#include "base/call.h"
#include "base/params.h"
#include "base/size.h"
#include "state/symbol.h"

static hlm_status read_params(hlm_adapter_params *p, const hlm_adapter_params *from)
{
    HLMI_DO(hlmi_params_read(p, sizeof *p, from, "hlm_adapter_params"));
    if (p->scale == 0.0f) p->scale = 1.0f;
    if (!(p->scale >= -1e6f && p->scale <= 1e6f))
        return hlmi_fail(HLM_E_ARG, "hlm_adapter_params.scale is %g, can be -1e6 to 1e6", (double)p->scale);
    return p->reserved == 0 ? HLM_OK : hlmi_fail(HLM_E_ARG, "hlm_adapter_params.reserved is not 0");
}

HLMI_CALL(hlm_adapter_load,
          (hlm_adapter **out, hlm_model *model, const char *path, const hlm_adapter_params *params),
          (out, model, path, params))
{
    hlm_adapter_params p;
    hlmi_vfs vfs;
    hlmi_store *store = NULL;
    hlm_adapter *ad = NULL;
    bool *adds = NULL;
    hlm_status st;
    if (out) *out = NULL;
    if (!out || !model || !path) return hlmi_fail(HLM_E_ARG, "hlm_adapter_load: out, model and path are needed");
    HLMI_TRY(read_params(&p, params));
    HLMI_TRY(hlmi_model_runs(model));
    HLMI_TRY(hlmi_vfs_from(&vfs, p.vfs, true));
    HLMI_TRY(hlmi_store_open(&store, &model->mem, &vfs, path, HLMI_STORE_ADAPTER));
    ad = hlmi_adapter_new(model);
    if (!ad) HLMI_TRY(HLM_E_NOMEM);
    adds = hlmi_calloc(&model->mem, model->plan.n_weights + 1, sizeof *adds);
    if (!adds) HLMI_TRY(hlmi_nomem(model->plan.n_weights, "an adapter"));
    HLMI_TRY(hlmi_ctx_adds(model, adds));
    const hlmi_adapter_file file = {.store = store,
                                    .model = model->store,
                                    .arch = model->arch,
                                    .plan = &model->plan,
                                    .adds = adds,
                                    .scale = (double)p.scale};
    HLMI_TRY(hlmi_adapter_read(&file, ad));
    hlmi_adapter_seal(ad, model->kernels.hash);
    *out = ad;
    ad = NULL;
done:
    hlmi_free(&model->mem, adds);
    hlmi_store_close(store);
    hlm_adapter_release(ad);
    return st;
}

/* ---- several at once: [A1; A2] and [B1 | B2] ---- */

/* Rows of the first matrices of a matrix, all together; how many of the adapters have some, and what scales a sum. */
static size_t joint_rank(const hlm_adapter *const *adapters, size_t n, size_t number, size_t *having,
                         const float **factor)
{
    size_t rank = 0;
    *having = 0;
    *factor = NULL;
    for (size_t i = 0; i < n; i++) {
        const hlmi_low *low = &adapters[i]->low[number];
        rank += low->a.rows;
        *having += low->a.rows > 0;
        if (low->factor) *factor = low->factor;
    }
    return rank;
}

/* a [rank, cols] and b [rows, rank] of a matrix. */
static void join_matrices(const hlm_adapter *const *adapters, size_t n, size_t number, size_t rank, float *a, float *b)
{
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        const hlmi_low *low = &adapters[i]->low[number];
        for (size_t r = 0; r < low->a.rows; r++) hlmi_low_row(a + (at + r) * low->a.cols, &low->a, r);
        for (size_t r = 0; r < low->b.rows; r++) hlmi_low_row(b + r * rank + at, &low->b, r);
        at += low->a.rows;
    }
}

static hlm_status join_weight(hlm_adapter *ad, const hlm_adapter *const *adapters, size_t n, size_t number)
{
    const hlmi_weight *w = ad->model->plan.weights[number];
    const hlmi_matrix *m = &w->matrix;
    size_t having;
    const float *factor;
    const size_t rank = joint_rank(adapters, n, number, &having, &factor), rows = m->rows;
    if (rank == 0) return HLM_OK;
    if (rank > HLMI_LOW_MAX)
        return hlmi_fail(HLM_E_LIMIT, "%s: the adapters are of rank %zu together, can be up to %d", w->name, rank,
                         HLMI_LOW_MAX);
    if (factor && having > 1)
        return hlmi_fail(HLM_E_UNSUPPORTED, "%s: an adapter with magnitudes (DoRA) can not be joined to another",
                         w->name);
    float *a = hlmi_calloc(&ad->mem, rank * m->cols, sizeof *a);
    float *b = hlmi_calloc(&ad->mem, rows * rank, sizeof *b);
    float *own = factor ? hlmi_alloc(&ad->mem, rows * sizeof *own) : NULL;
    hlm_status st = a && b && (own || !factor) ? HLM_OK : hlmi_nomem(rows * rank * sizeof *b, "an adapter");
    if (st == HLM_OK) {
        join_matrices(adapters, n, number, rank, a, b);
        if (own) memcpy(own, factor, rows * sizeof *own);
        st = hlmi_adapter_set(ad, m, rank, a, b, own);
        own = NULL;
    }
    hlmi_free(&ad->mem, a);
    hlmi_free(&ad->mem, b);
    hlmi_free(&ad->mem, own);
    return st;
}

static bool waits_for_same(const hlm_adapter *a, const hlm_adapter *b)
{
    if (a->n_invocation != b->n_invocation) return false;
    return !a->n_invocation || memcmp(a->invocation, b->invocation, a->n_invocation * sizeof *a->invocation) == 0;
}

HLMI_CALL(hlm_adapter_join, (hlm_adapter **out, const hlm_adapter *const *adapters, size_t n), (out, adapters, n))
{
    if (out) *out = NULL;
    if (!out || !adapters || n == 0) return hlmi_fail(HLM_E_ARG, "hlm_adapter_join: out and adapters are needed");
    HLMI_DO(hlmi_list_check(n, "hlm_adapter_join: adapters"));
    for (size_t i = 0; i < n; i++) {
        if (!adapters[i]) return hlmi_fail(HLM_E_ARG, "hlm_adapter_join: adapters[%zu] is NULL", i);
        if (adapters[i]->model != adapters[0]->model)
            return hlmi_fail(HLM_E_MISMATCH, "hlm_adapter_join: adapters[%zu] is of another model", i);
        if (!waits_for_same(adapters[i], adapters[0]))
            return hlmi_fail(HLM_E_UNSUPPORTED,
                             "hlm_adapter_join: adapters[%zu] has other invocation tokens than adapters[0]", i);
    }
    hlm_model *model = adapters[0]->model;
    hlm_adapter *ad = hlmi_adapter_new(model);
    hlm_status st = ad ? HLM_OK : HLM_E_NOMEM;
    if (st == HLM_OK) st = hlmi_adapter_wait(ad, adapters[0]->invocation, adapters[0]->n_invocation);
    for (size_t i = 0; st == HLM_OK && i < ad->n_low; i++) st = join_weight(ad, adapters, n, i);
    if (st == HLM_OK) hlmi_adapter_seal(ad, model->kernels.hash);
    if (st == HLM_OK) *out = ad;
    else hlm_adapter_release(ad);
    return st;
}

HLMI_CALL(hlm_adapter_info_get, (const hlm_adapter *adapter, hlm_adapter_info *out), (adapter, out))
{
    if (!adapter) return hlmi_fail(HLM_E_ARG, "hlm_adapter_info_get: adapter is NULL");
    const hlm_adapter_info info = {
        .struct_size = sizeof info, .n_matrices = adapter->n_matrices, .rank = adapter->rank, .bytes = adapter->bytes};
    return hlmi_result_write(out, &info, sizeof info, "hlm_adapter_info");
}

HLMI_CALL(hlm_pool_adapt, (hlm_pool *pool, const hlm_adapter *adapter), (pool, adapter))
{
    uint32_t number;
    if (!pool || !adapter) return hlmi_fail(HLM_E_ARG, "hlm_pool_adapt: pool and adapter are needed");
    if (adapter->model != pool->model) return hlmi_fail(HLM_E_MISMATCH, "the adapter was loaded for another model");
    return hlmi_pool_number(pool, adapter, &number);
}
