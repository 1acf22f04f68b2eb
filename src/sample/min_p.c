/* Min-p (Nguyen et al. 2024): the tokens at least min_p times as likely as the likeliest. The weights are relative to
 * it already. */
#include "sample/stage.h"

static hlm_status check(const hlm_sampler_params *p, size_t vocab)
{
    (void)vocab;
    return hlmi_check_share(p->min_p, "min_p");
}

static bool active(const hlm_sampler_params *p)
{
    return p->min_p > 0;
}

static void run(const hlm_sampler_params *p, const hlmi_history *h, hlmi_cands *c)
{
    (void)h;
    hlmi_cands_weigh(c, 1);
    hlmi_cands_drop_below(c, c->weight, p->min_p);
}

const hlmi_stage hlmi_stage_min_p = {.check = check, .active = active, .run = run, .keeps_best = true};
