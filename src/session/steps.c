/* One step, and the steps of a whole text. */
#include "session/steps.h"

#include "api/engine.h"
#include "base/size.h"

hlm_status hlmi_text_vocab(const hlm_context *ctx, const char *who, size_t *vocab)
{
    hlm_model_info info = {.struct_size = sizeof info};
    HLMI_DO(hlm_model_info_get(hlmi_ctx_model(ctx), &info));
    *vocab = (size_t)info.vocab_size;
    if (info.head == HLM_HEAD_TEXT) return HLM_OK;
    return hlmi_fail(HLM_E_UNSUPPORTED, "%s has %s, and so no probabilities of tokens", who,
                     info.head == HLM_HEAD_NONE ? "no head (HLM_HEAD_NONE)" : "a classification head");
}

hlm_status hlmi_steps_run(hlm_context *ctx, hlm_step *list, size_t n)
{
    const hlm_step *steps[HLMI_STEPS_MOST];
    for (size_t i = 0; i < n; i++) {
        list[i].struct_size = sizeof list[i];
        steps[i] = &list[i];
    }
    return hlm_decode_step(ctx, steps, n);
}

hlm_status hlmi_steps_over(hlm_context *ctx, const int32_t *tokens, size_t n_tokens, size_t part, hlm_step asks,
                           void (*seen)(void *user, size_t at, size_t n), void *user)
{
    const hlm_cache_params params = {.struct_size = sizeof params, .max_tokens = (int64_t)n_tokens};
    HLMI_DO(hlm_cache_new(&asks.cache, hlm_ctx_pool(ctx), &params));
    hlm_status st = HLM_OK;
    for (size_t at = 0; at < n_tokens && st == HLM_OK; at += asks.n_tokens) {
        asks.tokens = tokens + at;
        asks.n_tokens = hlmi_min_size(part, n_tokens - at);
        st = hlmi_steps_run(ctx, &asks, 1);
        if (st == HLM_OK) seen(user, at, asks.n_tokens);
    }
    hlm_cache_free(asks.cache);
    return st;
}
