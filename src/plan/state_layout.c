/* The layout of state blocks. */
#include "plan/state_layout.h"

#include "base/size.h"

enum { LINE = 16 /* floats of a cache line */ };

static const struct {
    int32_t type;
    hlmi_state_type as;
    size_t item;
} state_types[] = {
    {HLM_TYPE_DEFAULT, HLMI_STATE_F32, sizeof(float)},
    {HLM_TYPE_F32, HLMI_STATE_F32, sizeof(float)},
    {HLM_TYPE_F16, HLMI_STATE_F16, sizeof(uint16_t)},
    {HLM_TYPE_BF16, HLMI_STATE_BF16, sizeof(uint16_t)},
};

static hlm_status find_type(hlmi_state_layout *l, int32_t state_type)
{
    for (size_t i = 0; i < sizeof state_types / sizeof *state_types; i++) {
        if (state_types[i].type != state_type) continue;
        l->type = state_types[i].as;
        l->item = state_types[i].item;
        return HLM_OK;
    }
    return hlmi_fail(HLM_E_ARG, "state_type %d is none of HLM_TYPE_DEFAULT, F32, F16 and BF16", (int)state_type);
}

/* Takes n1 * n2 * n3 elements at *at; false on overflow. */
static bool take(size_t n1, size_t n2, size_t n3, size_t item, size_t *at)
{
    size_t n, bytes, end;
    if (!hlmi_mul_size(n1, n2, &n) || !hlmi_mul_size(n, n3, &n) || !hlmi_mul_size(n, item, &bytes)) return false;
    if (!hlmi_add_size(*at, bytes, &end) || end > SIZE_MAX - 2 * HLMI_ALIGN) return false;
    *at = hlmi_round_up(end, HLMI_ALIGN);
    return true;
}

hlm_status hlmi_state_layout_init(hlmi_state_layout *l, const hlmi_plan *plan, int32_t state_type, const hlmi_mem *mem)
{
    *l = (hlmi_state_layout){0};
    const hlm_status st = find_type(l, state_type);
    if (st != HLM_OK || plan->n_rec == 0) return st;
    size_t *table = hlmi_calloc(mem, 3 * plan->n_rec, sizeof *table);
    if (!table) return hlmi_nomem(3 * plan->n_rec * sizeof *table, "the state layout");
    l->conv_at = table;
    l->scan_at = table + plan->n_rec;
    l->log_at = table + 2 * plan->n_rec;
    size_t at = 0;
    bool fits = true;
    for (size_t i = 0; i < plan->n_rec && fits; i++) {
        const hlmi_recurrence *r = &plan->rec[i];
        l->conv_at[i] = at;
        fits = take(r->window, r->channels, 1, l->item, &at);
        l->scan_at[i] = at;
        fits = fits && take(r->heads, r->rows, r->cols, l->item, &at);
        l->log_at[i] = l->log_width;
        l->log_width += hlmi_round_up(r->channels + r->extra, LINE); /* smaller than the state by far */
    }
    l->hidden_at = at;
    l->hidden_size = plan->hidden_size;
    fits = fits && take(l->hidden_size, 1, 1, sizeof(float), &at);
    l->bytes = at;
    if (fits) return HLM_OK;
    hlmi_state_layout_free(l, mem);
    return hlmi_nomem(SIZE_MAX, "a state block");
}

void hlmi_state_layout_free(hlmi_state_layout *l, const hlmi_mem *mem)
{
    hlmi_free(mem, l->conv_at);
    *l = (hlmi_state_layout){0};
}
