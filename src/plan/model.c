/* How long models live, and what everybody asks of them. */
#include "plan/model.h"

#include "base/status.h"

void hlm_model_retain(hlm_model *model)
{
    if (model) atomic_fetch_add(&model->refs, 1);
}

void hlm_model_release(hlm_model *model)
{
    if (model && atomic_fetch_sub(&model->refs, 1) == 1) model->end(model);
}

const hlmi_mem *hlmi_model_mem(const hlm_model *model)
{
    return &model->mem;
}

static hlm_status refuse(const char *flag)
{
    return hlmi_fail(HLM_E_UNSUPPORTED, "the model was loaded with %s", flag);
}

hlm_status hlmi_model_planned(const hlm_model *model)
{
    return model->flags & HLM_LOAD_VOCAB_ONLY ? refuse("HLM_LOAD_VOCAB_ONLY") : HLM_OK;
}

hlm_status hlmi_model_runs(const hlm_model *model)
{
    return model->flags & HLM_LOAD_HEADERS ? refuse("HLM_LOAD_HEADERS") : hlmi_model_planned(model);
}
