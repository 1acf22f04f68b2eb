/* What generating and scoring need of the engine beyond the public API. */
#ifndef HLMI_SESSION_ENGINE_H
#define HLMI_SESSION_ENGINE_H

#include "base/status.h"

/** The model a context computes with; borrowed. */
hlm_model *hlmi_ctx_model(const hlm_context *ctx);

#endif
