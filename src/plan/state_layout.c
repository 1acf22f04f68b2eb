/* The layout of state blocks. */
#include "plan/state_layout.h"

#include "base/size.h"

enum { LINE = 64 /* bytes of a cache line */ };

static const struct {
    hlmi_state_type as;
    size_t item;
} state_types[] = {[HLM_TYPE_DEFAULT] = {HLMI_STATE_F32, sizeof(float)},
                   [HLM_TYPE_F32] = {HLMI_STATE_F32, sizeof(float)},
                   [HLM_TYPE_F16] = {HLMI_STATE_F16, sizeof(uint16_t)},
                   [HLM_TYPE_BF16] = {HLMI_STATE_BF16, sizeof(uint16_t)}};

/* A field of n1 * n2 * n3 elements behind what there is at its place, and side by side; false on overflow. */
static bool add(hlmi_field *f, size_t place, const size_t n[3], size_t item, size_t align, size_t *rows, size_t *side)
{
    size_t end;
    *f = (hlmi_field){.place = place, .at = rows[place], .side = *side};
    if (!hlmi_mul_size(n[0], n[1], &f->bytes) || !hlmi_mul_size(f->bytes, n[2], &f->bytes) ||
        !hlmi_mul_size(f->bytes, item, &f->bytes) || !hlmi_add_size(*side, f->bytes, &end) || end > SIZE_MAX / 2)
        return false;
    rows[place] = hlmi_round_up(f->at + f->bytes, align);
    *side = hlmi_round_up(end, align);
    return true;
}

static bool add_fields(hlmi_state_layout *l, const hlmi_plan *plan)
{
    bool fits = true;
    for (size_t i = 0; i < plan->n_rec && fits; i++) {
        const hlmi_recurrence *r = &plan->rec[i];
        const size_t conv[] = {r->window, r->channels, 1}, scan[] = {r->heads, r->rows, r->cols};
        const size_t read[] = {r->channels + r->extra, 1, 1};
        fits = add(&l->fields[2 * i], r->place, conv, l->item, HLMI_ALIGN, l->rows, &l->bytes) &&
            add(&l->fields[2 * i + 1], r->place, scan, l->item, HLMI_ALIGN, l->rows, &l->bytes) &&
            add(&l->log[i], r->place, read, sizeof(float), LINE, l->log_rows, &l->log_bytes);
    }
    const size_t hidden[] = {l->hidden_size, 1, 1};
    return fits && add(l->hidden, plan->head_place, hidden, sizeof(float), HLMI_ALIGN, l->rows, &l->bytes);
}

hlm_status hlmi_state_layout_init(hlmi_state_layout *l, const hlmi_plan *plan, int32_t state_type, const hlmi_mem *mem)
{
    *l = (hlmi_state_layout){.hidden_size = plan->hidden_size};
    if (state_type < 0 || (size_t)state_type >= sizeof state_types / sizeof *state_types)
        return hlmi_fail(HLM_E_ARG, "state_type %d is none of HLM_TYPE_DEFAULT, F32, F16 and BF16", (int)state_type);
    l->type = state_types[state_type].as;
    l->item = state_types[state_type].item;
    if (plan->n_rec == 0) return HLM_OK;
    l->n_fields = 2 * plan->n_rec + 1;
    l->fields = hlmi_calloc(mem, l->n_fields + plan->n_rec, sizeof *l->fields);
    if (!l->fields) return hlmi_nomem(l->n_fields * sizeof *l->fields, "the state layout");
    l->hidden = &l->fields[l->n_fields - 1];
    l->log = l->hidden + 1;
    if (add_fields(l, plan)) return HLM_OK;
    hlmi_state_layout_free(l, mem);
    return hlmi_nomem(SIZE_MAX, "a state block");
}

void hlmi_state_layout_free(hlmi_state_layout *l, const hlmi_mem *mem)
{
    hlmi_free(mem, l->fields);
    *l = (hlmi_state_layout){0};
}
