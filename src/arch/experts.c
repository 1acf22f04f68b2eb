/* Sparse feed-forward blocks and their wants. */
#include "arch/experts.h"

#include "base/size.h"

/* A matrix of every expert: rows of its own tensor, or of one for all where the file has that. */
static const hlmi_matrix *want_part(const hlmi_decoder *d, hlmi_part own, hlmi_part all, size_t layer, size_t n,
                                    hlmi_want want)
{
    const hlmi_key apart = d->names[own], one = d->names[all];
    const bool here = want.name.gguf || hlmi_decoder_has(d, all, layer) || !hlmi_key_in(apart, d->w->dialect);
    bool stacked[HLMI_DIALECTS] = {!apart.hf, one.gguf != NULL}; /* as files of the other kind usually are */
    stacked[d->w->dialect] = here;
    if (!want.name.gguf) want.name.gguf = stacked[HLMI_GGUF] ? one.gguf : apart.gguf;
    want.name.hf = stacked[HLMI_HF] ? one.hf : apart.hf;
    want.expert = true;
    for (size_t i = 0; i < HLMI_DIALECTS; i++) {
        hlmi_row_order *o = &want.order[i];
        if (!stacked[i]) continue;
        if (!o->in_file) o->in_file = want.rows;
        o->stack = n;
        o->layer = want.item;
    }
    return hlmi_decoder_rows(d, here ? all : own, layer, want);
}

/* The experts of a layer, and the shared one behind them. A token is computed with top_k / n of those that are counted
 * here. NULL after a failure, which stays. */
static const hlmi_expert *want_experts(const hlmi_decoder *d, const hlmi_experts *e, size_t layer,
                                       const hlmi_expert *shared)
{
    const size_t n = e->router.n_experts, width = e->latent ? e->latent : d->hidden;
    const size_t own = hlmi_decoder_rows_of(d, HLMI_PART_EXPERT_UP, layer, e->ff);
    const size_t fused = hlmi_decoder_rows_of(d, HLMI_PART_STACK_BOTH, layer, 0);
    const size_t ff = fused ? fused / 2 : hlmi_decoder_rows_of(d, HLMI_PART_STACK_UP, layer, own);
    const size_t both = d->spec->gate_in_up ? 2 * ff : 0;
    const hlmi_key name = fused ? d->names[HLMI_PART_STACK_BOTH] : (hlmi_key){NULL, NULL};
    hlmi_want gate = {.rows = ff, .cols = width, .name = name, .order = {{.in_file = both}, {.in_file = fused}}},
              up = gate;
    hlmi_want down = {.rows = width, .cols = ff};
    const uint64_t bytes = d->plan->bytes_per_token, active = d->plan->n_active;
    hlmi_expert *out = d->w->st == HLM_OK ? hlmi_plan_alloc(d->plan, n + 1, sizeof *out) : NULL;
    if (!out && d->w->st == HLM_OK) d->w->st = HLM_E_NOMEM;
    up.order[HLMI_HF].first = both / 2;
    up.order[HLMI_GGUF].first = fused / 2;
    for (size_t i = 0; i < n && d->w->st == HLM_OK; i++) {
        gate.item = up.item = down.item = i;
        if (d->spec->mlp == HLMI_MLP_SILU_GATED)
            out[i].gate.w = want_part(d, HLMI_PART_EXPERT_GATE, HLMI_PART_STACK_GATE, layer, n, gate);
        out[i].up.w = want_part(d, HLMI_PART_EXPERT_UP, HLMI_PART_STACK_UP, layer, n, up);
        out[i].down.w = want_part(d, HLMI_PART_EXPERT_DOWN, HLMI_PART_STACK_DOWN, layer, n, down);
    }
    if (d->w->st != HLM_OK) return NULL;
    d->plan->bytes_per_token = bytes + (d->plan->bytes_per_token - bytes) / n * e->router.top_k;
    d->plan->n_active = active + (d->plan->n_active - active) / n * e->router.top_k;
    out[n] = *shared;
    return out;
}

/* A shared expert of its own parts. */
static hlmi_expert want_shared(const hlmi_decoder *d, size_t layer, size_t otherwise)
{
    hlmi_expert e = {0};
    const hlmi_has_bias bias = d->spec->mlp_bias;
    const size_t ff = hlmi_decoder_rows_of(d, HLMI_PART_SHARED_UP, layer, otherwise);
    const hlmi_want in = {.rows = ff, .cols = d->hidden}, out = {.rows = d->hidden, .cols = ff};
    if (d->spec->mlp == HLMI_MLP_SILU_GATED) e.gate.w = hlmi_decoder_rows(d, HLMI_PART_SHARED_GATE, layer, in);
    e.up = hlmi_decoder_linear(d, HLMI_PART_SHARED_UP, layer, in, bias);
    e.down = hlmi_decoder_linear(d, HLMI_PART_SHARED_DOWN, layer, out, bias);
    return e;
}

hlm_status hlmi_experts_add(const hlmi_decoder *d, const hlmi_experts *e, size_t layer, const hlmi_mlp_params *shared)
{
    const size_t n = e->router.n_experts;
    const hlmi_want in = {.rows = e->latent, .cols = d->hidden}, out = {.rows = d->hidden, .cols = e->latent};
    hlmi_moe_params p = {.kind = d->spec->mlp, .router = e->router};
    hlmi_expert more = {0};
    if (shared) more = (hlmi_expert){.gate = shared->gate, .up = shared->up, .down = shared->down};
    p.norm = shared ? shared->norm : hlmi_decoder_norm(d, HLMI_PART_MLP_NORM, layer, d->hidden);
    p.logits = hlmi_decoder_rows(d, HLMI_PART_ROUTER, layer, (hlmi_want){.rows = n, .cols = d->hidden, .fixed = true});
    if (d->names[HLMI_PART_ROUTER_BIAS].hf) p.router.bias = hlmi_decoder_vector(d, HLMI_PART_ROUTER_BIAS, layer, n);
    if (e->router.shared_gated)
        p.shared_gate = hlmi_decoder_rows(d, HLMI_PART_SHARED_SCALE, layer,
                                          (hlmi_want){.rows = 1, .cols = d->hidden, .fixed = true});
    if (e->shared_ff) more = want_shared(d, layer, e->shared_ff);
    else if (!shared) p.router.shared = 0.0f; /* whatever the family's says: there is none to choose */
    p.experts = want_experts(d, e, layer, &more);
    if (e->latent) {
        p.latent_in = hlmi_decoder_linear(d, HLMI_PART_LATENT_IN, layer, in, d->spec->mlp_bias);
        p.latent_out = hlmi_decoder_linear(d, HLMI_PART_LATENT_OUT, layer, out, d->spec->mlp_bias);
    }
    return hlmi_decoder_add(d, HLMI_BLOCK_MOE, &p, sizeof p);
}
