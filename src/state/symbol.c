/* The adapters that a pool knows. */
#include "state/symbol.h"

#include <string.h>

/* With the lock. */
static uint32_t find(const hlm_pool *pool, const uint64_t print[2])
{
    for (size_t i = 0; i < pool->n_adapters; i++)
        if (memcmp(pool->adapters[i]->print, print, sizeof pool->adapters[i]->print) == 0) return (uint32_t)i + 1;
    return 0;
}

static hlm_status add(hlm_pool *pool, const hlm_adapter *adapter, uint32_t *number)
{
    const size_t symbols = (size_t)INT32_MAX / pool->plan->vocab_size; /* numbers whose symbols fit */
    if (pool->n_adapters == HLMI_MOST_ADAPTERS || pool->n_adapters + 2 > symbols)
        return hlmi_fail(HLM_E_FULL, "the pool has run sequences with %zu adapters, and can not tell more apart",
                         pool->n_adapters);
    HLMI_DO(HLMI_GROW(&pool->mem, pool->adapters, pool->cap_adapters, pool->n_adapters + 1, "adapters"));
    hlm_adapter *own = (hlm_adapter *)(uintptr_t)adapter; /* counting is not part of the value */
    hlm_adapter_retain(own);
    pool->adapters[pool->n_adapters++] = own;
    *number = (uint32_t)pool->n_adapters;
    return HLM_OK;
}

hlm_status hlmi_pool_number(hlm_pool *pool, const hlm_adapter *adapter, uint32_t *number)
{
    hlm_status st = HLM_OK;
    *number = 0;
    if (!adapter) return HLM_OK;
    hlmi_lock_take(&pool->lock);
    *number = find(pool, adapter->print);
    if (!*number) st = add(pool, adapter, number);
    hlmi_lock_drop(&pool->lock);
    return st;
}

const hlm_adapter *hlmi_pool_adapter(hlm_pool *pool, uint32_t number)
{
    if (number == 0) return NULL;
    hlmi_lock_take(&pool->lock);
    const hlm_adapter *a = pool->adapters[number - 1];
    hlmi_lock_drop(&pool->lock);
    return a;
}

uint32_t hlmi_pool_find_adapter(hlm_pool *pool, const uint64_t print[2])
{
    hlmi_lock_take(&pool->lock);
    const uint32_t number = find(pool, print);
    hlmi_lock_drop(&pool->lock);
    return number;
}

void hlmi_pool_drop_adapters(hlm_pool *pool)
{
    while (pool->n_adapters) hlm_adapter_release(pool->adapters[--pool->n_adapters]);
    hlmi_free(&pool->mem, pool->adapters);
    pool->adapters = NULL;
}
