/* What a position was computed from, in 32 bits: a token's id and the adapter of its step. Pages and texts hold
 * symbols, so that two texts with the same ids and other adapters are two texts, to everything that compares, shares,
 * saves and restores them.
 *
 * A pool numbers the adapters that its sequences have been run with, from 1 on; 0 is none. The symbol of an id is id +
 * number * vocabulary size, that of an embedding -1 - number. */
#ifndef HLMI_STATE_SYMBOL_H
#define HLMI_STATE_SYMBOL_H

#include "plan/adapter.h"
#include "state/pool.h"

static inline int32_t hlmi_symbol(const hlm_pool *pool, int32_t token, uint32_t adapter)
{
    const int32_t number = (int32_t)adapter;
    return token >= 0 ? token + number * (int32_t)pool->plan->vocab_size : -1 - number;
}

/** The id, or HLM_TOKEN_NONE. */
static inline int32_t hlmi_symbol_token(const hlm_pool *pool, int32_t symbol)
{
    return symbol < 0 ? HLM_TOKEN_NONE : symbol % (int32_t)pool->plan->vocab_size;
}

static inline uint32_t hlmi_symbol_adapter(const hlm_pool *pool, int32_t symbol)
{
    return symbol < 0 ? (uint32_t)(-1 - symbol) : (uint32_t)symbol / (uint32_t)pool->plan->vocab_size;
}

enum { HLMI_MOST_ADAPTERS = 4096 /* numbers of a pool */ };

/** The adapter's number, which it gets the first time: the pool then holds it as long as it lives. NULL: 0.
 *  Errors  HLM_E_FULL (no more numbers), HLM_E_NOMEM. */
hlm_status hlmi_pool_number(hlm_pool *pool, const hlm_adapter *adapter, uint32_t *number);
/** The adapter of a number, NULL for 0. */
const hlm_adapter *hlmi_pool_adapter(hlm_pool *pool, uint32_t number);
/** The number of the adapter with a fingerprint, or 0. */
uint32_t hlmi_pool_find_adapter(hlm_pool *pool, const uint64_t print[2]);
void hlmi_pool_drop_adapters(hlm_pool *pool);

#endif
