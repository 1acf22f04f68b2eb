/* Top-p, or nucleus sampling (Holtzman et al. 2020): the smallest set of the most likely tokens whose mass is top_p. */
#include "sample/stage.h"

static hlm_status check(const hlm_sampler_params *p, size_t vocab)
{
    (void)vocab;
    return hlmi_check_share(p->top_p, "top_p");
}

static bool active(const hlm_sampler_params *p)
{
    return p->top_p > 0 && p->top_p < 1;
}

static void run(const hlm_sampler_params *p, const hlmi_history *h, hlmi_cands *c)
{
    (void)h;
    const double sum = hlmi_cands_weigh(c, 1), top_p = (double)p->top_p;
    /* Tokens lighter than (1 - p) / n of the sum have less than 1 - p of it together, so the others are enough; half of
     * that leaves room for rounding. */
    const double light = 0.5 * (1 - top_p) * sum / (double)c->n;
    hlmi_cands_drop_below(c, c->weight, (float)light);
    hlmi_cands_key_logits(c);
    hlmi_cands_keep_best(c, top_p * sum);
}

const hlmi_stage hlmi_stage_top_p = {.check = check, .active = active, .run = run, .keeps_best = true};
