/* Wants of experts. */
#include "arch/experts.h"

#include "base/size.h"

/* A matrix of every expert: rows of its own tensor, or of one for all where the file has that. */
static const hlmi_matrix *want_part(const hlmi_decoder *d, hlmi_part own, hlmi_part all, size_t layer, size_t n,
                                    hlmi_want want)
{
    const bool stacked = hlmi_decoder_has(d, all, layer) || !hlmi_key_in(d->names[own], d->w->dialect);
    want.expert = true;
    for (size_t i = 0; i < HLMI_DIALECTS && stacked; i++) {
        hlmi_row_order *o = &want.order[i];
        if (!o->in_file) o->in_file = want.rows;
        o->stack = n;
        o->layer = want.item;
    }
    return hlmi_decoder_rows(d, stacked ? all : own, layer, want);
}

const hlmi_expert *hlmi_experts_want(const hlmi_decoder *d, const hlmi_expert_set *s, size_t layer,
                                     const hlmi_expert *more)
{
    const size_t both = s->gate_in_up ? 2 * s->ff : 0;
    hlmi_want gate = {.rows = s->ff, .cols = s->width, .order[HLMI_HF] = {.in_file = both}}, up = gate;
    hlmi_want down = {.rows = s->width, .cols = s->ff};
    const uint64_t bytes = d->plan->bytes_per_token, active = d->plan->n_active;
    hlmi_expert *out = d->w->st == HLM_OK ? hlmi_plan_alloc(d->plan, s->n + 1, sizeof *out) : NULL;
    if (!out && d->w->st == HLM_OK) d->w->st = HLM_E_NOMEM;
    up.order[HLMI_HF].first = both / 2;
    for (size_t e = 0; e < s->n && d->w->st == HLM_OK; e++) {
        gate.item = up.item = down.item = e;
        if (s->gated) out[e].gate = want_part(d, HLMI_PART_EXPERT_GATE, HLMI_PART_STACK_GATE, layer, s->n, gate);
        out[e].up = want_part(d, HLMI_PART_EXPERT_UP, HLMI_PART_STACK_UP, layer, s->n, up);
        out[e].down = want_part(d, HLMI_PART_EXPERT_DOWN, HLMI_PART_STACK_DOWN, layer, s->n, down);
    }
    if (d->w->st != HLM_OK) return NULL;
    d->plan->bytes_per_token = bytes + (d->plan->bytes_per_token - bytes) / s->n * s->used;
    d->plan->n_active = active + (d->plan->n_active - active) / s->n * s->used;
    if (more) out[s->n] = *more;
    return out;
}
