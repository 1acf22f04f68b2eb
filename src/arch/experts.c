/* Loading experts. */
#include "arch/experts.h"

#include <stdio.h>
#include <string.h>

/* The name of an expert's own tensor. */
static hlmi_name own_name(const hlmi_decoder *d, hlmi_key key, size_t layer, size_t expert)
{
    const hlmi_name pattern = hlmi_decoder_name(d, key, layer, ".weight");
    const char *at = strstr(pattern.text, "%e");
    hlmi_name n = pattern;
    if (at) snprintf(n.text, sizeof n.text, "%.*s%zu%s", (int)(at - pattern.text), pattern.text, expert, at + 2);
    return n;
}

/* Which rows of which tensors are one matrix of every expert. */
typedef struct part {
    hlmi_key own, all;
    size_t rows, cols, first, in_file;
} part;

static hlm_status load_part(const hlmi_decoder *d, const part *p, size_t layer, size_t expert, size_t n,
                            hlmi_matrix *out)
{
    hlmi_row_order order = {.first = p->first, .in_file = p->in_file};
    const hlmi_name all = hlmi_decoder_name(d, p->all, layer, ".weight"), own = own_name(d, p->own, layer, expert);
    const bool stacked = all.text[0] && (!own.text[0] || hlmi_loader_has(d->l, all.text));
    if (stacked) {
        order.stack = n;
        order.layer = expert;
    }
    return hlmi_loader_matrix(d->l, stacked ? all.text : own.text, p->rows, p->cols, &order, out);
}

hlm_status hlmi_experts_load(const hlmi_decoder *d, const hlmi_expert_set *s, size_t layer, hlmi_expert *out)
{
    hlm_status st = HLM_OK;
    const size_t above = s->gate_in_up ? s->ff : 0; /* rows of the tensor before up's */
    const part up = {s->up, s->all_up, s->ff, s->width, above, above + s->ff};
    const part gate = s->gate_in_up ? (part){s->up, s->all_up, s->ff, s->width, 0, 2 * s->ff}
                                    : (part){s->gate, s->all_gate, s->ff, s->width, 0, s->ff};
    const part down = {s->down, s->all_down, s->width, s->ff, 0, s->width};
    const bool gated = s->gate_in_up || s->gate.hf || s->all_gate.hf;
    const uint64_t bytes = d->plan->bytes_per_token, active = d->plan->n_active;
    d->l->experts = true;
    for (size_t e = 0; e < s->n; e++) {
        if (gated) HLMI_TRY(load_part(d, &gate, layer, e, s->n, &out[e].gate));
        HLMI_TRY(load_part(d, &up, layer, e, s->n, &out[e].up));
        HLMI_TRY(load_part(d, &down, layer, e, s->n, &out[e].down));
    }
    d->plan->bytes_per_token = bytes + (d->plan->bytes_per_token - bytes) / s->n * s->used;
    d->plan->n_active = active + (d->plan->n_active - active) / s->n * s->used;
done:
    d->l->experts = false;
    return st;
}
