/* What holds of sequences, caches, the prefix cache and pools whenever nobody is changing them. Looked at by debug and
 * sanitizer builds (lib/base/assert.h) where locks are let go, which is at the end of every public call; nothing
 * elsewhere. */
#ifndef HLMI_STATE_VALID_H
#define HLMI_STATE_VALID_H

#include "base/assert.h"
#include "state/cache.h"
#include "state/radix.h"

/** With the cache locked: its sequence, and its claim if it is in a step. */
void hlmi_cache_valid(const hlm_cache *c);
/** With the tree locked. */
void hlmi_radix_valid(const hlmi_radix *r);
/** Without the pool's lock. */
void hlmi_pool_valid(hlm_pool *pool);

#endif
