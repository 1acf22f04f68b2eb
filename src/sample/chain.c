/* The stages of the chain, in the order in which they run. */
#include "sample/chain.h"

#include <math.h>

#include "base/params.h"
#include "sample/softmax.h"

/* ---- stages that change logits and remove nothing: c->max is not known yet ---- */

static hlm_status check_bias(const hlm_sampler_params *p, size_t vocab)
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

/* Logit bias: l += bias, for the tokens that the caller lists. */
static void add_bias(const hlm_sampler_params *p, hlmi_cands *c)
{
    for (size_t i = 0; i < p->n_logit_bias; i++) {
        float *l = &c->logit[p->logit_bias[i].token];
        *l = hlmi_logit(*l + p->logit_bias[i].bias);
    }
}

static float repetition(const hlm_sampler_params *p)
{
    return p->repetition_penalty != 0 ? p->repetition_penalty : 1;
}

static hlm_status check_penalties(const hlm_sampler_params *p)
{
    if (!(p->repetition_penalty >= 0 && p->repetition_penalty < INFINITY))
        return hlmi_fail(HLM_E_ARG, "sampler: repetition_penalty is %g, must be 0 or a positive number",
                         (double)p->repetition_penalty);
    if (!isfinite(p->frequency_penalty) || !isfinite(p->presence_penalty))
        return hlmi_fail(HLM_E_ARG, "sampler: frequency_penalty is %g, presence_penalty %g, must be numbers",
                         (double)p->frequency_penalty, (double)p->presence_penalty);
    return HLM_OK;
}

bool hlmi_chain_looks_back(const hlm_sampler_params *p)
{
    return repetition(p) != 1 || p->frequency_penalty != 0 || p->presence_penalty != 0;
}

/* Penalties on the tokens of the window, seen n times each; without penalties there is none:
 *   repetition (Keskar et al. 2019)  l = l > 0 ? l / r : l * r
 *   frequency                        l = l - n * f
 *   presence                         l = l - p */
static void penalise(const hlm_sampler_params *p, const hlmi_history *h, hlmi_cands *c)
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

/* ---- stages that remove candidates, and keep c->max right ---- */

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

/* Top-k: the k largest logits (Fan et al. 2018). */
static void keep_top_k(hlmi_cands *c, size_t k)
{
    if (k >= c->n) return;
    if (c->n / k >= 32) hlmi_cands_drop_below(c, c->logit, reached_by(c, k));
    hlmi_cands_key_logits(c);
    for (size_t i = 0; i < c->n; i++) c->weight[i] = 1; /* so that masses are counts */
    hlmi_cands_keep_best(c, (double)k);
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

/* Locally typical sampling (Meister et al. 2022): the tokens whose surprise -ln p is nearest to the entropy H, until
 * their mass is the share. With d = l - max and Z = sum of e^d both -ln p and H contain ln Z, so that |-ln p - H| = |d
 * - E[d]| and no logarithm is needed. */
static void keep_typical(hlmi_cands *c, double share)
{
    const double sum = hlmi_cands_weigh(c, 1);
    const double mean = mean_distance(c, sum);
    for (size_t i = 0; i < c->n; i++) {
        const double d = (double)c->logit[i] - (double)c->max;
        const float off = (float)(d > mean ? d - mean : mean - d);
        c->key[i] = ~hlmi_float_key(off); /* nearest first */
    }
    hlmi_cands_keep_best(c, share * sum);
    hlmi_cands_find_max(c); /* the likeliest token need not be typical */
}

/* Top-p, or nucleus sampling (Holtzman et al. 2020): the smallest set of the most likely tokens whose mass is the
 * share. */
static void keep_top_p(hlmi_cands *c, double share)
{
    const double sum = hlmi_cands_weigh(c, 1);
    /* Tokens lighter than (1 - p) / n of the sum have less than 1 - p of it together, so the others are enough; half of
     * that leaves room for rounding. */
    const double light = 0.5 * (1 - share) * sum / (double)c->n;
    hlmi_cands_drop_below(c, c->weight, (float)light);
    hlmi_cands_key_logits(c);
    hlmi_cands_keep_best(c, share * sum);
}

/* Min-p (Nguyen et al. 2024): the tokens at least min_p times as likely as the likeliest. The weights are relative to
 * it already. */
static void keep_min_p(hlmi_cands *c, float min_p)
{
    hlmi_cands_weigh(c, 1);
    hlmi_cands_drop_below(c, c->weight, min_p);
}

/* ---- the chain ---- */

static hlm_status check_share(float x, const char *name)
{
    if (x >= 0 && x <= 1) return HLM_OK;
    return hlmi_fail(HLM_E_ARG, "sampler: %s is %g, must be in 0..1", name, (double)x);
}

hlm_status hlmi_chain_check(const hlm_sampler_params *p, size_t vocab)
{
    HLMI_DO(check_bias(p, vocab));
    HLMI_DO(check_penalties(p));
    if (p->top_k < 0) return hlmi_fail(HLM_E_ARG, "sampler: top_k is %d, must not be negative", p->top_k);
    HLMI_DO(check_share(p->typical_p, "typical_p"));
    HLMI_DO(check_share(p->top_p, "top_p"));
    HLMI_DO(check_share(p->min_p, "min_p"));
    if (p->temperature >= 0 && p->temperature < INFINITY) return HLM_OK;
    return hlmi_fail(HLM_E_ARG, "sampler: temperature is %g, must be 0 or a positive number", (double)p->temperature);
}

static bool is_part(float share)
{
    return share > 0 && share < 1;
}

bool hlmi_chain_changes_best(const hlm_sampler_params *p)
{
    return p->n_logit_bias || hlmi_chain_looks_back(p) || is_part(p->typical_p);
}

bool hlmi_chain_run(const hlm_sampler_params *p, const hlmi_history *h, hlmi_cands *c)
{
    const bool greedy = p->temperature == 0;
    add_bias(p, c);
    penalise(p, h, c);
    if (!hlmi_cands_find_max(c)) return false;
    if (p->top_k > 0 && !greedy) keep_top_k(c, (size_t)p->top_k);
    if (is_part(p->typical_p)) keep_typical(c, (double)p->typical_p);
    if (is_part(p->top_p) && !greedy) keep_top_p(c, (double)p->top_p);
    if (p->min_p > 0 && !greedy) keep_min_p(c, p->min_p);
    return true;
}
