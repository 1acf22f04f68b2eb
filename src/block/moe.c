/* Sparse feed-forward blocks: a router chooses experts for each row. A shared expert is one more of them, chosen by
 * all; only beside a latent width, where it reads other rows than the rest, it is computed by itself. */
#include "base/size.h"
#include "block/halves.h"

static hlmi_choices route(hlmi_builder *b, const hlmi_moe_params *p, const hlmi_router *router)
{
    const size_t n = router->n_experts, picks = router->top_k + (router->shared != 0.0f);
    const hlmi_rows logits = hlmi_scratch_rows(b, b->max_rows, n + 1);
    const hlmi_choices c = {.picks = picks,
                            .expert = hlmi_scratch(b, b->max_rows * picks * sizeof(uint32_t)),
                            .weight = hlmi_scratch(b, b->max_rows * picks * sizeof(float))};
    hlmi_project(b, b->x, &p->norm, (hlmi_linear){.w = {{.w = p->logits}, {.w = p->shared_gate}}, .exact = true},
                 logits);
    b->ops->route(b, &(hlmi_route){.router = *router, .logits = logits, .out = c});
    return c;
}

/* y = y + the experts' rows of x, or from 0 on. */
static void experts(hlmi_builder *b, const hlmi_moe_params *p, hlmi_linear_grouped l, hlmi_rows y, bool add)
{
    size_t width = 0;
    for (size_t e = 0; e < l.n_experts; e++) width = hlmi_max_size(width, hlmi_width(p->experts[e].up));
    l.experts = p->experts;
    l.epilogue = hlmi_activation(p->kind);
    l.y = hlmi_scratch_rows(b, b->max_rows * l.to.picks, width);
    b->ops->linear_grouped(b, &l);
    l.down = l.wide = true;
    l.epilogue = add ? HLMI_EP_ADD : HLMI_EP_STORE;
    l.norm = NULL;
    l.x = l.y;
    l.y = y;
    b->ops->linear_grouped(b, &l);
}

static void latent(hlmi_builder *b, const hlmi_moe_params *p)
{
    const size_t n = hlmi_width(p->latent_in);
    const hlmi_expert *e = &p->experts[p->router.n_experts];
    const hlmi_mlp_params own = {.kind = p->kind, .norm = p->norm, .gate = e->gate, .up = e->up, .down = e->down};
    hlmi_router router = p->router;
    router.shared = 0.0f;
    const hlmi_rows in = hlmi_scratch_rows(b, b->max_rows, n), out = hlmi_scratch_rows(b, b->max_rows, n);
    const hlmi_choices to = route(b, p, &router);
    hlmi_project(b, b->x, &p->norm, (hlmi_linear){.w = {p->latent_in}}, in);
    experts(b, p, (hlmi_linear_grouped){.n_experts = router.n_experts, .to = to, .x = in}, out, false);
    hlmi_half shared = {0};
    if (p->router.shared != 0.0f) shared = hlmi_mlp_in(b, &own);
    hlmi_half_add(b, (hlmi_half){.rows = out, .w = p->latent_out});
    if (shared.w.w) hlmi_half_add(b, shared);
}

static void record(hlmi_builder *b, const void *params)
{
    const hlmi_moe_params *p = params;
    if (p->latent_in.w) {
        latent(b, p);
        return;
    }
    const hlmi_choices to = route(b, p, &p->router);
    const hlmi_linear_grouped all = {
        .n_experts = p->router.n_experts + (p->router.shared != 0.0f), .to = to, .x = b->x, .norm = &p->norm};
    experts(b, p, all, b->x, true);
}

const hlmi_block_type hlmi_block_moe = {.record = record};
