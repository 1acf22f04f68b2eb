/* What generating and scoring need of the engine beyond the public API. */
#ifndef HLMI_API_ENGINE_H
#define HLMI_API_ENGINE_H

#include "base/status.h"

#include <stdbool.h>

/** The model a context computes with; borrowed. */
hlm_model *hlmi_ctx_model(const hlm_context *ctx);

/** Makes the calling thread's error sentence the one of hlm_ctx_error. */
void hlmi_ctx_failed(hlm_context *ctx);

/** Has somebody asked that the call on it ends? Its next step will. */
bool hlmi_ctx_cancelled(const hlm_context *ctx);

/** Brings the state of a cache that was rewound to its present position, as its next step would do first. A request to
 *  cancel
 *  stays for that one. Errors  those of a step; the cache is then as before. */
hlm_status hlmi_ctx_settle(hlm_context *ctx, hlm_cache *cache);

#endif
