/* The chain: stages change logits, then remove candidates. A new one: its parameters at the end of hlm_sampler_params,
 * a function in chain.c and its lines in hlmi_chain_check and hlmi_chain_run, whose order is the order of the chain,
 * and one in the list that hybridlm.h and docs/sampling.md have of it. */
#ifndef HLMI_SAMPLE_CHAIN_H
#define HLMI_SAMPLE_CHAIN_H

#include "sample/cands.h"
#include "sample/history.h"

/** Are the parameters in range, the temperature, too? */
hlm_status hlmi_chain_check(const hlm_sampler_params *p, size_t vocab);
/** Does a stage look at the history? */
bool hlmi_chain_looks_back(const hlm_sampler_params *p);
/** May what is left have another largest logit than all tokens have? */
bool hlmi_chain_changes_best(const hlm_sampler_params *p);
/** Runs all that the parameters ask for on loaded candidates, and sets c->max; false when no candidate is left. Greedy
 *  goes without those that never remove the largest logit with the lowest id. */
bool hlmi_chain_run(const hlm_sampler_params *p, const hlmi_history *h, hlmi_cands *c);

#endif
