/* The plan's prefix: rows that stand before every text of a model (Hymba's memory tokens). A pool holds the state after
 * them once, as a sequence of its own that every cache begins as a fork of. They take the first positions of a cache,
 * which the public calls do not count. */
#ifndef HLMI_STATE_PREFIX_H
#define HLMI_STATE_PREFIX_H

#include "state/cache.h"

/** Does the cache lack the prefix? */
static inline bool hlmi_prefix_missing(const hlm_cache *c)
{
    return c->seq.prefix < (int64_t)c->pool->plan->n_prefix;
}

/** An empty cache to compute the pool's prefix in, by a step of the plan's prefix rows. */
hlm_status hlmi_prefix_begin(hlm_cache **out, hlm_pool *pool);
/** The cache of hlmi_prefix_begin has seen the rows: it becomes the pool's. Gone afterwards, either way. */
void hlmi_prefix_publish(hlm_cache *c);
/** Puts the pool's prefix before an empty sequence that lacks it; nothing else has changed for its owner. Memory that
 *  was reserved stays. Only once the pool has it. The cache is locked by the caller, if only for reading: while the
 *  prefix is missing no step has claimed positions, and what the public calls tell of the cache is the same before and
 *  after. */
hlm_status hlmi_prefix_attach(hlm_cache *c);
/** Frees the pool's prefix. */
void hlmi_prefix_drop(hlm_pool *pool);

#endif
