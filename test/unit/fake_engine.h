/* Contexts, caches and text streams on top of fake_model.h. The logits after a sequence are a hash of its tokens, or
 * point to the next token of a script. */
#ifndef TEST_UNIT_FAKE_ENGINE_H
#define TEST_UNIT_FAKE_ENGINE_H

#include <stdbool.h>

#include "unit/fake_model.h"

enum { FAKE_MAX_CALLS = 4096 };

struct hlm_context {
    hlm_model *model;
    const int32_t *script; /* [n_script] next token, by position; NULL: hash */
    size_t n_script;
    const char *const *pieces; /* [vocab] text of each token; NULL: no tokenizer */
    const char *tail; /* what hlm_text_stream_finish gives */
    const struct hlmi_tokenizer *tokenizer; /* instead of pieces, for real text */
    size_t before; /* tokens that a text stream began behind, and the last of them */
    int32_t last_before;
    int32_t eos;
    size_t cancel_at; /* the step that is cancelled, counted from 1; 0: none */
    size_t n_calls;
    size_t calls[FAKE_MAX_CALLS]; /* tokens of each step */
    size_t n_again; /* calls of hlm_cache_logits */
    size_t caches; /* alive */
    size_t added; /* tokens of the cache that went into the prefix cache last */
    char error[HLMI_ERROR_MAX]; /* of hlmi_ctx_failed */
};

struct hlm_cache {
    hlm_context *ctx;
    int32_t *tokens; /* [max] */
    size_t n, max;
    bool drafts;
};

/** One context at a time: the model's functions look into it. */
void fake_engine_init(hlm_context *ctx, hlm_model *model);
hlm_cache *fake_cache(hlm_context *ctx, size_t max);
/** The hashed logits after tokens [n]. */
void fake_logits(const int32_t *tokens, size_t n, float *out, size_t vocab);

#endif
