/* Who may use a cache when. A call takes it for its own time; a step has it from its beginning to its end, and takes it
 * for a moment when it changes what others can see. Between those moments a cache in a step can be read, forked and
 * saved: it is what it was before the step. */
#ifndef HLMI_STATE_GUARD_H
#define HLMI_STATE_GUARD_H

#include "state/cache.h"

/** Bits of hlm_cache.users. */
enum {
    HLMI_CACHE_CALL = 1, /* a call holds it */
    HLMI_CACHE_STEP = 2, /* a step has begun and not ended */
    HLMI_CACHE_FREED = 4 /* its owner has freed it: the step frees it when it ends */
};

/** For calls that change it. HLM_E_BUSY while another call holds it, or a step has it. */
hlm_status hlmi_cache_lock(hlm_cache *c);
/** For calls that read what is committed; to be held briefly, because a step's end waits for it (what takes long is
 *  done with a fork). HLM_E_BUSY while another call holds it; a step that has it does not matter. */
hlm_status hlmi_cache_lock_read(hlm_cache *c);
/** Ends either. */
void hlmi_cache_unlock(hlm_cache *c);

/** hlmi_cache_lock for a step: it has the cache until hlmi_cache_step_end. */
hlm_status hlmi_cache_step_begin(hlm_cache *c);
/** The cache can be read again, as it is now. */
void hlmi_cache_step_leave(hlm_cache *c);
/** Waits for readers: the step is about to change the cache. */
void hlmi_cache_step_enter(hlm_cache *c);
/** After hlmi_cache_step_enter or _begin: the step has ended. Frees the cache if its owner has done so in the
 *  meantime. */
void hlmi_cache_step_end(hlm_cache *c);
/** For its owner's freeing: true when a step has it, which will free it. */
bool hlmi_cache_step_owns(hlm_cache *c);

#endif
