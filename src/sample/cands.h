/* The tokens that a sampler may still draw. Stages remove some of them; what is left stays in ascending id order, so
 * neither the way a stage selects nor the machine decides which token a random number falls on.
 *
 * weight  e^((logit - largest logit) * scale): a probability, not yet divided by the sum. The sum is taken in one fixed
 *         order.
 * key     what a stage ranks by, larger is better; equal keys: lower id first. */
#ifndef HLMI_SAMPLE_CANDS_H
#define HLMI_SAMPLE_CANDS_H

#include <float.h>
#include <math.h>
#include <stdbool.h>

#include "base/mem.h"

typedef struct hlmi_ranked {
    uint32_t key;
    float mass;
} hlmi_ranked;

typedef struct hlmi_cands {
    float *logit; /* [n] never NaN, never above FLT_MAX */
    int32_t *id; /* [n] ascending; not filled while dense */
    float *weight; /* [n] set by hlmi_cands_weigh, or by a stage */
    uint32_t *key; /* [n] set by a stage */
    hlmi_ranked *ranked; /* [n] scratch of hlmi_cands_keep_best */
    size_t n;
    float max; /* the largest logit */
    bool dense; /* nothing was removed: candidate i is token i */
} hlmi_cands;

/** Room for `vocab` tokens, in one block. */
hlm_status hlmi_cands_init(hlmi_cands *c, size_t vocab, const hlmi_mem *mem);
void hlmi_cands_free(hlmi_cands *c, const hlmi_mem *mem);

/** All tokens (hlmi_logit). max is not set yet. */
void hlmi_cands_load(hlmi_cands *c, const float *logits, size_t vocab);

/** Sets max; false when all are -infinity. */
bool hlmi_cands_find_max(hlmi_cands *c);

/** Sets the weights at 1 / temperature = scale and returns their sum (hlmi_softmax), which is at least 1. */
double hlmi_cands_weigh(hlmi_cands *c, float scale);

/** Keys in the order of the logits. */
void hlmi_cands_key_logits(hlmi_cands *c);

/** Removes what has an x, which is c->logit or c->weight, below `floor`. Weights stay with their tokens, keys do
 *  not. */
void hlmi_cands_drop_below(hlmi_cands *c, const float *x, float floor);

/** Keeps the smallest set of the best keys whose weights reach `target`, at least one token. Linear in n, whatever the
 *  values. */
void hlmi_cands_keep_best(hlmi_cands *c, double target);

/** x within the bounds of a candidate's logit: NaN becomes -infinity, +infinity FLT_MAX. */
static inline float hlmi_logit(float x)
{
    const float y = x >= -FLT_MAX ? x : -INFINITY;
    return y < FLT_MAX ? y : FLT_MAX;
}

/** A float's bits in an order that integers can be compared in; -0 and 0 are equal, x is not NaN. */
uint32_t hlmi_float_key(float x);

static inline int32_t hlmi_cands_id(const hlmi_cands *c, size_t i)
{
    return c->dense ? (int32_t)i : c->id[i];
}

#endif
