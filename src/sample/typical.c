/* Locally typical sampling (Meister et al. 2022): the tokens whose surprise -ln p is nearest to the entropy H, until
 * their mass is typical_p. With d = l - max and Z = sum of e^d both -ln p and H contain ln Z, so that |-ln p - H| = |d
 * - E[d]| and no logarithm is needed. */
#include <math.h>
#include <string.h>

#include "sample/stage.h"

static hlm_status check(const hlm_sampler_params *p, size_t vocab)
{
    (void)vocab;
    return hlmi_check_share(p->typical_p, "typical_p");
}

static bool active(const hlm_sampler_params *p)
{
    return p->typical_p > 0 && p->typical_p < 1;
}

static double mean_distance(const hlmi_cands *c, double sum)
{
    double lane[4] = {0};
    for (size_t i = 0; i < c->n; i++) {
        /* weight 0 may stand beside an infinite distance */
        if (c->weight[i] > 0) lane[i & 3] += (double)c->weight[i] * ((double)c->logit[i] - (double)c->max);
    }
    return ((lane[0] + lane[1]) + (lane[2] + lane[3])) / sum;
}

static void run(const hlm_sampler_params *p, const hlmi_history *h, hlmi_cands *c)
{
    (void)h;
    const double sum = hlmi_cands_weigh(c, 1);
    const double mean = mean_distance(c, sum);
    for (size_t i = 0; i < c->n; i++) {
        const double d = (double)c->logit[i] - (double)c->max;
        const float off = (float)(d > mean ? d - mean : mean - d);
        c->key[i] = ~hlmi_float_key(off); /* nearest first */
    }
    hlmi_cands_keep_best(c, (double)p->typical_p * sum);
    hlmi_cands_find_max(c); /* the likeliest token need not be typical */
}

const hlmi_stage hlmi_stage_typical = {.check = check, .active = active, .run = run};
