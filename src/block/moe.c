/* Sparse feed-forward blocks: a router chooses experts for each row. A shared expert is one more of them, chosen by
 * all; only beside a latent width, where it reads other rows than the rest, it is computed by itself. */
#include "base/size.h"
#include "block/block.h"

static hlmi_epilogue activation(const hlmi_moe_params *p)
{
    switch (p->kind) {
    case HLMI_MLP_SILU_GATED: return HLMI_EP_SILU_MUL;
    case HLMI_MLP_GELU: return HLMI_EP_GELU;
    case HLMI_MLP_RELU2: break;
    }
    return HLMI_EP_RELU2;
}

static hlmi_choices route(hlmi_builder *b, const hlmi_moe_params *p, const hlmi_router *router)
{
    const size_t n = router->n_experts, picks = router->top_k + (router->shared != 0.0f);
    const hlmi_rows logits = hlmi_scratch_rows(b, b->max_rows, n + 1);
    const hlmi_choices c = {.picks = picks,
                            .expert = hlmi_scratch(b, b->max_rows * picks * sizeof(uint32_t)),
                            .weight = hlmi_scratch(b, b->max_rows * picks * sizeof(float))};
    b->ops->linear(b,
                   &(hlmi_linear){.x = b->x,
                                  .norm = &p->norm,
                                  .n = router->shared_gated ? 2 : 1,
                                  .w = {p->logits, p->shared_gate},
                                  .exact = true,
                                  .y = {logits, hlmi_rows_from(logits, n)}});
    b->ops->route(b, &(hlmi_route){.router = *router, .logits = logits, .out = c});
    return c;
}

/* y = y + the experts' rows of x, or from 0 on. */
static void experts(hlmi_builder *b, const hlmi_moe_params *p, hlmi_linear_grouped l, hlmi_rows y, bool add)
{
    size_t width = 0;
    for (size_t e = 0; e < l.n_experts; e++) width = hlmi_max_size(width, p->experts[e].up->rows);
    l.experts = p->experts;
    l.epilogue = activation(p);
    l.y = hlmi_scratch_rows(b, b->max_rows * l.to.picks, width);
    b->ops->linear_grouped(b, &l);
    l.down = l.wide = true;
    l.epilogue = add ? HLMI_EP_ADD : HLMI_EP_STORE;
    l.norm = NULL;
    l.x = l.y;
    l.y = y;
    b->ops->linear_grouped(b, &l);
}

/* The first half of the shared expert by itself: f(norm(x)) in rows. */
static hlmi_linear shared_in(hlmi_builder *b, const hlmi_moe_params *p)
{
    const hlmi_expert *e = &p->experts[p->router.n_experts];
    const bool gated = p->kind == HLMI_MLP_SILU_GATED;
    const hlmi_linear in = {.x = b->x,
                            .norm = &p->norm,
                            .n = gated ? 2 : 1,
                            .w = {gated ? e->gate : e->up, gated ? e->up : NULL},
                            .bias = {gated ? NULL : e->up_bias, gated ? e->up_bias : NULL},
                            .epilogue = activation(p),
                            .y = {hlmi_scratch_rows(b, b->max_rows, e->up->rows)}};
    b->ops->linear(b, &in);
    return (hlmi_linear){.x = in.y[0], .n = 1, .w = {e->down}, .bias = {e->down_bias}, .wide = {true}};
}

static void add_to_x(hlmi_builder *b, hlmi_linear l)
{
    l.epilogue = HLMI_EP_ADD;
    l.y[0] = b->x;
    b->ops->linear(b, &l);
}

static void latent(hlmi_builder *b, const hlmi_moe_params *p)
{
    const size_t n = p->latent_in->rows;
    hlmi_router router = p->router;
    router.shared = 0.0f;
    const hlmi_rows in = hlmi_scratch_rows(b, b->max_rows, n), out = hlmi_scratch_rows(b, b->max_rows, n);
    const hlmi_choices to = route(b, p, &router);
    b->ops->linear(
        b,
        &(hlmi_linear){
            .x = b->x, .norm = &p->norm, .n = 1, .w = {p->latent_in}, .bias = {p->latent_in_bias}, .y = {in}});
    experts(b, p, (hlmi_linear_grouped){.n_experts = router.n_experts, .to = to, .x = in}, out, false);
    hlmi_linear shared = {0};
    if (p->router.shared != 0.0f) shared = shared_in(b, p);
    add_to_x(b, (hlmi_linear){.x = out, .n = 1, .w = {p->latent_out}, .bias = {p->latent_out_bias}});
    if (shared.n) add_to_x(b, shared);
}

static void record(hlmi_builder *b, const void *params)
{
    const hlmi_moe_params *p = params;
    if (p->latent_in) {
        latent(b, p);
        return;
    }
    const hlmi_choices to = route(b, p, &p->router);
    const hlmi_linear_grouped all = {.n_experts = p->router.n_experts + (p->router.shared != 0.0f),
                                     .shared = p->router.shared != 0.0f,
                                     .to = to,
                                     .x = b->x,
                                     .norm = &p->norm};
    experts(b, p, all, b->x, true);
}

const hlmi_block_type hlmi_block_moe = {.record = record};
