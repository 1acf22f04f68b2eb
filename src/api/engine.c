/* The way into contexts; tests of src/session bring their own. */
#include "api/engine.h"

#include <string.h>

#include "api/context.h"

hlm_model *hlmi_ctx_model(const hlm_context *ctx)
{
    return ctx->model;
}

void hlmi_ctx_failed(hlm_context *ctx)
{
    memcpy(ctx->error, hlmi_error(), sizeof ctx->error);
}

bool hlmi_ctx_cancelled(const hlm_context *ctx)
{
    return ctx->cancel != 0;
}
