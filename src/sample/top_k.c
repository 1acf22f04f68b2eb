/* Top-k: the k largest logits (Fan et al. 2018). */
#include <math.h>

#include "sample/softmax.h"
#include "sample/stage.h"

static hlm_status check(const hlm_sampler_params *p, size_t vocab)
{
    (void)vocab;
    if (p->top_k < 0) return hlmi_fail(HLM_E_ARG, "sampler: top_k is %d, must not be negative", p->top_k);
    return HLM_OK;
}

static bool active(const hlm_sampler_params *p)
{
    return p->top_k > 0;
}

/* A logit that at least k candidates reach: cut them into k parts; each part has its own largest, and the smallest of
 * those is what is looked for. */
static float reached_by(const hlmi_cands *c, size_t k)
{
    const size_t part = c->n / k;
    float smallest = INFINITY;
    for (size_t i = 0; i < k; i++) {
        const float largest = hlmi_max(c->logit + i * part, part);
        smallest = largest < smallest ? largest : smallest;
    }
    return smallest;
}

static void run(const hlm_sampler_params *p, const hlmi_history *h, hlmi_cands *c)
{
    (void)h;
    const size_t k = (size_t)p->top_k;
    if (k >= c->n) return;
    if (c->n / k >= 32) hlmi_cands_drop_below(c, c->logit, reached_by(c, k));
    hlmi_cands_key_logits(c);
    for (size_t i = 0; i < c->n; i++) c->weight[i] = 1; /* so that masses are counts */
    hlmi_cands_keep_best(c, (double)k);
}

const hlmi_stage hlmi_stage_top_k = {.check = check, .active = active, .run = run, .keeps_best = true};
