/* The chain: the order here is the order in which stages run. */
#include "sample/stage.h"

#include <float.h>
#include <math.h>

const hlmi_stage *const hlmi_stages[] = {
    &hlmi_stage_bias,
    &hlmi_stage_penalties,
    &hlmi_stage_top_k,
    &hlmi_stage_typical,
    &hlmi_stage_top_p,
    &hlmi_stage_min_p,
    NULL,
};

float hlmi_logit(float x)
{
    if (!(x >= -FLT_MAX)) return -INFINITY;
    return x < FLT_MAX ? x : FLT_MAX;
}

hlm_status hlmi_check_share(float x, const char *name)
{
    if (x >= 0 && x <= 1) return HLM_OK;
    return hlmi_fail(HLM_E_ARG, "sampler: %s is %g, must be in 0..1", name, (double)x);
}
