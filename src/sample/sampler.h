/* What the engine asks of a sampler beyond the public API. */
#ifndef HLMI_SAMPLE_SAMPLER_H
#define HLMI_SAMPLE_SAMPLER_H

#include "base/status.h"

/** The model it was made for; borrowed. */
const hlm_model *hlmi_sampler_model(const hlm_sampler *sampler);

#endif
