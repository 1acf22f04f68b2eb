/* How long models live, and what everybody asks of them. */
#include "plan/model.h"

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

const hlmi_plan *hlmi_model_plan(const hlm_model *model)
{
    return model->flags & HLM_LOAD_VOCAB_ONLY ? NULL : &model->plan;
}
