/* The public view of recurrent states. */
#include "state/guard.h"
#include "state/prefix.h"

#include "base/call.h"
#include "base/half.h"

static const hlmi_recurrence *find(const hlmi_plan *plan, int32_t layer, size_t *rec)
{
    for (*rec = 0; *rec < plan->n_rec; ++*rec)
        if (plan->rec[*rec].layer == layer) return &plan->rec[*rec];
    return NULL;
}

/* Element i of a state as f32. */
static float element(const hlmi_state_layout *l, const void *state, size_t i)
{
    if (l->type == HLMI_STATE_F32) return ((const float *)state)[i];
    const uint16_t h = ((const uint16_t *)state)[i];
    return l->type == HLMI_STATE_F16 ? hlmi_f16_to_f32(h) : hlmi_bf16_to_f32(h);
}

/* y [cols, rows] = x [rows, cols], of the elements from `at` on */
static void transpose(float *y, const hlmi_state_layout *l, const void *x, size_t at, size_t rows, size_t cols)
{
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < cols; c++) y[c * rows + r] = element(l, x, at + r * cols + c);
}

static size_t count(const hlmi_recurrence *r, int32_t which)
{
    if (!r) return 0;
    return which == HLM_STATE_CONV ? r->window * r->channels : r->heads * r->rows * r->cols;
}

/* x: as it lies in the state */
static void give_out(float *out, const hlmi_state_layout *l, const hlmi_recurrence *r, int32_t which, const void *x)
{
    const size_t head = r->rows * r->cols;
    if (which == HLM_STATE_CONV) {
        transpose(out, l, x, 0, r->window, r->channels);
        return;
    }
    for (size_t at = 0; at < r->heads * head; at += head) {
        if (r->transposed) transpose(out + at, l, x, at, r->rows, r->cols);
        else transpose(out + at, l, x, at, 1, head);
    }
}

static hlm_status copy_out(const hlm_cache *c, size_t rec, int32_t which, float *out)
{
    const hlmi_state_layout *l = &c->pool->states;
    const hlmi_field *f = &l->fields[2 * rec + (which == HLM_STATE_SCAN)];
    hlmi_place *place = c->pool->places[f->place];
    void *x = hlmi_field_of(hlmi_points_now(&c->seq.points)->state->item.rows, f);
    void *copy = place->host ? NULL : hlmi_alloc(&c->pool->mem, f->bytes);
    if (!copy && !place->host) return hlmi_nomem(f->bytes, "a state");
    if (copy) place->get(place, copy, x, f->bytes);
    give_out(out, l, &c->pool->plan->rec[rec], which, copy ? copy : x);
    hlmi_free(&c->pool->mem, copy);
    return HLM_OK;
}

static hlm_status read_state(const hlm_cache *c, int32_t layer, int32_t which, float *out, size_t cap, size_t *n)
{
    size_t rec;
    const hlmi_plan *plan = c->pool->plan;
    if (layer < 0 || (size_t)layer >= plan->n_layers || which < HLM_STATE_CONV || which > HLM_STATE_SCAN)
        return hlmi_fail(HLM_E_ARG, "hlm_cache_state: layer %d of %zu, which %d", (int)layer, plan->n_layers,
                         (int)which);
    const size_t need = count(find(plan, layer, &rec), which);
    if (n) *n = need;
    if (!out || need == 0) return HLM_OK;
    if (cap < need) return hlmi_fail(HLM_E_SPACE, "hlm_cache_state: room for %zu floats, %zu are needed", cap, need);
    if (!hlmi_seq_ready(&c->seq) || hlmi_prefix_missing(c))
        return hlmi_fail(HLM_E_UNREACHABLE, "hlm_cache_state: the state at position %lld is computed by the next step",
                         (long long)(c->seq.length - c->seq.prefix));
    return copy_out(c, rec, which, out);
}

HLMI_CALL(hlm_cache_state,
          (hlm_cache *cache, int32_t layer, int32_t which, float *out, size_t cap, size_t *n),
          (cache, layer, which, out, cap, n))
{
    if (!cache) return hlmi_fail(HLM_E_ARG, "hlm_cache_state: cache is NULL");
    HLMI_DO(hlmi_cache_lock_read(cache));
    hlm_status st = hlmi_prefix_attach(cache); /* the state of an empty sequence is the one behind the prefix */
    if (st == HLM_OK) st = read_state(cache, layer, which, out, cap, n);
    hlmi_cache_unlock(cache);
    return st;
}
