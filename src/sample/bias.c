/* Logit bias: l += bias, for the tokens that the caller lists. */
#include <math.h>

#include "base/params.h"
#include "sample/stage.h"

static hlm_status check(const hlm_sampler_params *p, size_t vocab)
{
    if (p->n_logit_bias && !p->logit_bias)
        return hlmi_fail(HLM_E_ARG, "sampler: logit_bias is NULL, n_logit_bias %zu", p->n_logit_bias);
    HLMI_DO(hlmi_list_check(p->n_logit_bias, "sampler: logit_bias"));
    for (size_t i = 0; i < p->n_logit_bias; i++) {
        const hlm_logit_bias *b = &p->logit_bias[i];
        if (b->token < 0 || (size_t)b->token >= vocab)
            return hlmi_fail(HLM_E_TOKEN, "sampler: logit_bias[%zu] is for token %d, the vocabulary has %zu", i,
                             b->token, vocab);
        if (!(b->bias < INFINITY)) /* NaN too */
            return hlmi_fail(HLM_E_ARG, "sampler: logit_bias[%zu] is %g, must be a number or -infinity", i,
                             (double)b->bias);
    }
    return HLM_OK;
}

static bool active(const hlm_sampler_params *p)
{
    return p->n_logit_bias != 0;
}

static void run(const hlm_sampler_params *p, const hlmi_history *h, hlmi_cands *c)
{
    (void)h;
    for (size_t i = 0; i < p->n_logit_bias; i++) {
        float *l = &c->logit[p->logit_bias[i].token];
        *l = hlmi_logit(*l + p->logit_bias[i].bias);
    }
}

const hlmi_stage hlmi_stage_bias = {.check = check, .active = active, .run = run, .logits = true};
