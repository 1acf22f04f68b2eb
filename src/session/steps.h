/* Steps as generating and scoring make them. */
#ifndef HLMI_SESSION_STEPS_H
#define HLMI_SESSION_STEPS_H

#include "base/status.h"

#include <stddef.h>

enum { HLMI_STEPS_MOST = 8 };

/** The tokens of the context's model, which has to write text: else HLM_E_UNSUPPORTED; the sentence begins with
 *  `who`. */
hlm_status hlmi_text_vocab(const hlm_context *ctx, const char *who, size_t *vocab);

/** One step for n sequences, at most HLMI_STEPS_MOST; it sets their struct_size. */
hlm_status hlmi_steps_run(hlm_context *ctx, hlm_step *list, size_t n);

/** A text in a sequence of its own, `part` tokens at a time. asks: what each step is to give; seen: gets it, of n
 *  tokens of the text from `at` on. */
hlm_status hlmi_steps_over(hlm_context *ctx, const int32_t *tokens, size_t n_tokens, size_t part, hlm_step asks,
                           void (*seen)(void *user, size_t at, size_t n), void *user);

#endif
