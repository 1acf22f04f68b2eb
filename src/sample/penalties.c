/* Penalties on the tokens of the window, seen n times each:
 *   repetition (Keskar et al. 2019)  l = l > 0 ? l / r : l * r
 *   frequency                        l = l - n * f
 *   presence                         l = l - p */
#include <math.h>

#include "sample/stage.h"

static float repetition(const hlm_sampler_params *p)
{
    return p->repetition_penalty != 0 ? p->repetition_penalty : 1;
}

static hlm_status check(const hlm_sampler_params *p, size_t vocab)
{
    (void)vocab;
    if (!(p->repetition_penalty >= 0 && p->repetition_penalty < INFINITY))
        return hlmi_fail(HLM_E_ARG, "sampler: repetition_penalty is %g, must be 0 or a positive number",
                         (double)p->repetition_penalty);
    if (!isfinite(p->frequency_penalty) || !isfinite(p->presence_penalty))
        return hlmi_fail(HLM_E_ARG, "sampler: frequency_penalty is %g, presence_penalty %g, must be numbers",
                         (double)p->frequency_penalty, (double)p->presence_penalty);
    return HLM_OK;
}

static bool active(const hlm_sampler_params *p)
{
    return repetition(p) != 1 || p->frequency_penalty != 0 || p->presence_penalty != 0;
}

static void run(const hlm_sampler_params *p, const hlmi_history *h, hlmi_cands *c)
{
    const float r = repetition(p);
    for (size_t i = 0; i < h->n_seen; i++) {
        const int32_t token = h->seen[i];
        float l = c->logit[token];
        if (l == -INFINITY) continue; /* stays forbidden */
        l = hlmi_logit(l > 0 ? l / r : l * r);
        l = hlmi_logit(l - (float)h->count[token] * p->frequency_penalty);
        c->logit[token] = hlmi_logit(l - p->presence_penalty);
    }
}

const hlmi_stage hlmi_stage_penalties = {
    .check = check,
    .active = active,
    .run = run,
    .logits = true,
    .history = true,
};
