/* Adapters that wait for tokens (activated LoRA: Greenewald et al. 2025): they act from the last place on at which a
 * text has their invocation tokens, the first of those included; what stands before is the base model's.
 *
 * A step that names one makes its sequence what the whole text, with the step's tokens, asks for: every symbol before
 * that place that has the adapter loses it, every one behind that has none gets it. So the numbers do not depend on how
 * a text is cut into steps. Symbols of other adapters stay. Indices here count a sequence's own tokens, without the
 * plan's prefix. */
#ifndef HLMI_STATE_INVOKE_H
#define HLMI_STATE_INVOKE_H

#include "state/cache.h"

/** What a step of n tokens with such an adapter is for a sequence. */
typedef struct hlmi_invocation {
    int64_t at; /* where the adapter acts from; HLMI_NOWHERE */
    int64_t again; /* own tokens from here on have other symbols now, so they are computed again; the length: none */
} hlmi_invocation;

#define HLMI_NOWHERE INT64_MAX

static inline bool hlmi_adapter_waits(const hlm_adapter *ad)
{
    return ad && ad->n_invocation > 0;
}

/** Where the last occurrence of the adapter's tokens in a text begins, or HLMI_NOWHERE. */
int64_t hlmi_invoked_at(const hlm_adapter *ad, const int32_t *ids, size_t n);
/** tokens may be NULL: embeddings, which are no part of an occurrence. The cache is locked. */
hlmi_invocation hlmi_invoke(const hlm_cache *c, const hlm_adapter *ad, uint32_t number, const int32_t *tokens,
                            size_t n);
/** The symbol that own token i gets, which has (or, newly run, would have without an adapter) the symbol `symbol`. */
int32_t hlmi_invoked_symbol(const hlm_cache *c, uint32_t number, int64_t at, int64_t i, int32_t symbol);
/** The cache, with the step's tokens in it, is as hlmi_invoke said: the next step need not look again at what it
 *  holds. */
void hlmi_invoked_note(hlm_cache *c, const hlm_adapter *ad, uint32_t number, int64_t at);
/** Only the first `length` own tokens are left. */
void hlmi_invoked_cut(hlmi_seq *s, int64_t length);

#endif
