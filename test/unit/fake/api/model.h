/* Stands for src/api/model.h in tests that run without the engine. */
#ifndef HLMI_API_MODEL_H
#define HLMI_API_MODEL_H

#include "base/mem.h"

/** The model's allocator. */
const hlmi_mem *hlmi_model_mem(const hlm_model *model);

#endif
