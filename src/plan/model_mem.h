/* All that those who only make things of a model need of it. */
#ifndef HLMI_PLAN_MODEL_MEM_H
#define HLMI_PLAN_MODEL_MEM_H

#include "base/mem.h"

/** The allocator of everything made from the model. */
const hlmi_mem *hlmi_model_mem(const hlm_model *model);

#endif
