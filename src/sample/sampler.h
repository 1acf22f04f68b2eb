/* What the engine asks of a sampler beyond the public API. */
#ifndef HLMI_SAMPLE_SAMPLER_H
#define HLMI_SAMPLE_SAMPLER_H

#include "base/status.h"

/** The model it was made for; borrowed. */
const hlm_model *hlmi_sampler_model(const hlm_sampler *sampler);

/** Gives a fork the history and random state that the sampler it was forked from has now. Errors  HLM_E_NOMEM. */
hlm_status hlmi_sampler_assign(hlm_sampler *to, const hlm_sampler *from);

#endif
