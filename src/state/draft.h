/* What generating needs of sequences: texts that are reused whole; drafts that are run as steps and partly taken back,
 * and of several forks one becomes the caller's sequence. */
#ifndef HLMI_STATE_DRAFT_H
#define HLMI_STATE_DRAFT_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>

/** The pool of a sequence; borrowed. */
hlm_pool *hlmi_cache_pool(const hlm_cache *c);

/** Most rows of the next step of which all but the first may be taken back without computing any again, and that end
 *  before a state has to be kept inside the step, which would read the weights twice. At least 1, but 0 when the
 *  sequence is full; a Transformer's only limit is that where it keeps all rows. */
size_t hlmi_cache_room(const hlm_cache *c);

/** Tokens that can be taken back at any time without computing any again; SIZE_MAX for a Transformer that keeps all
 *  rows. */
size_t hlmi_cache_undo(const hlm_cache *c);

/** Steps of several tokens that follow are drafts, or no longer: they set no automatic marks, as single tokens do
 *  not. */
void hlmi_cache_drafts(hlm_cache *c, bool on);

/** Pages that the sequence holds, those behind its length included: what hlmi_cache_take_back is told afterwards. */
size_t hlmi_cache_held(const hlm_cache *c);
/** hlm_cache_rewind that keeps the first `pages` pages even when they lie behind pos: memory that was reserved
 *  stays. */
hlm_status hlmi_cache_take_back(hlm_cache *c, int64_t pos, size_t pages);

/** Two sequences of one pool change places: each handle then has what the other had. Errors  HLM_E_BUSY. */
hlm_status hlmi_cache_change_places(hlm_cache *a, hlm_cache *b);

/** hlm_cache_reuse that leaves nothing to run where hlm_cache_logits takes no more than the head: *reused is then n. */
hlm_status hlmi_cache_reuse_whole(hlm_cache *c, const hlm_adapter *adapter, const int32_t *tokens, size_t n,
                                  size_t *reused, size_t *pending);

/** hlm_prefix_add for a call that has done what it is for: a text that there is no memory for is not remembered. */
void hlmi_cache_remember(hlm_cache *c);

/** Would the n tokens of `more`, behind a text of n_text, end with the tokens that an adapter (NULL: none) waits
 *  for? */
bool hlmi_adapter_invoked(const hlm_adapter *adapter, const int32_t *text, size_t n_text, const int32_t *more,
                          size_t n);

#endif
