/* A stage of the sampler chain: it changes logits or removes candidates. To add one: its parameters at the end of
 * hlm_sampler_params, a file with its descriptor, and one line in stages.c, whose order is the order of the chain, and
 * one in the list that hybridlm.h and docs/sampling.md have of it. */
#ifndef HLMI_SAMPLE_STAGE_H
#define HLMI_SAMPLE_STAGE_H

#include "sample/cands.h"
#include "sample/history.h"

typedef struct hlmi_stage {
    /** Are its parameters in range? */
    hlm_status (*check)(const hlm_sampler_params *p, size_t vocab);
    /** Do they ask for anything? Otherwise it is not run. */
    bool (*active)(const hlm_sampler_params *p);
    /** Logit stages run before c->max is known and must keep hlmi_cands' bounds (hlmi_logit); removing stages find it
     *  set and keep it right. */
    void (*run)(const hlm_sampler_params *p, const hlmi_history *h, hlmi_cands *c);
    /** Changes logits and removes nothing. All of these come first. */
    bool logits;
    /** Never removes the largest logit with the lowest id: greedy goes without it. */
    bool keeps_best;
    /** Looks at the history. */
    bool history;
} hlmi_stage;

extern const hlmi_stage hlmi_stage_bias, hlmi_stage_penalties, hlmi_stage_top_k, hlmi_stage_typical, hlmi_stage_top_p,
    hlmi_stage_min_p;

/** Ended by NULL. */
extern const hlmi_stage *const hlmi_stages[];

/** x within the bounds of a candidate's logit. */
float hlmi_logit(float x);

/** "sampler: NAME is X, must be in 0..1" unless it is. */
hlm_status hlmi_check_share(float x, const char *name);

#endif
