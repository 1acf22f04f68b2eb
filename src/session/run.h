/* One call of hlm_generate, and what its ways of generating share: each draws tokens from rows of logits, in order, and
 * hands them out as they are drawn. */
#ifndef HLMI_SESSION_RUN_H
#define HLMI_SESSION_RUN_H

#include "base/mem.h"
#include "session/stop.h"

typedef struct hlmi_run {
    hlm_context *ctx;
    hlm_cache *cache;
    hlm_generate_params p;
    hlm_sampler *sampler;
    hlm_sampler *own; /* when the caller gave none */
    hlmi_mem mem;
    hlm_text_stream *stream; /* NULL: a model without tokenizer, all text is empty */
    hlmi_stop stop;
    size_t vocab;
    float *logits; /* [vocab] of the latest token */
    struct hlmi_speculation *speculation; /* NULL: none */
    hlm_generate_result result;
} hlmi_run;

/** Beside HLM_FINISH_...: there is no reason to end. */
enum { HLMI_GO_ON = -1 };

/** Draws one token from logits [vocab] and hands it out with its text; *finish says why to end, or HLMI_GO_ON. */
hlm_status hlmi_run_token(hlmi_run *r, const float *logits, int32_t *token, int32_t *finish);

/** Does the token end the answer? */
bool hlmi_run_ends(const hlmi_run *r, int32_t token);

#endif
