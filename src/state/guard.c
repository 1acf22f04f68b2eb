/* Locks of a cache: one word of bits. */
#include "state/guard.h"

#include "base/os.h"
#include "state/valid.h"

/* A call on the cache is over. */
static void look(const hlm_cache *c)
{
    hlmi_cache_valid(c);
    hlmi_pool_valid(c->pool);
}

hlm_status hlmi_cache_lock(hlm_cache *c)
{
    hlmi_assert(!hlmi_radix_mine()); /* a cache is locked before the tree */
    unsigned idle = 0;
    if (atomic_compare_exchange_strong(&c->users, &idle, HLMI_CACHE_CALL)) return HLM_OK;
    if (idle & HLMI_CACHE_STEP) return hlmi_fail(HLM_E_BUSY, "the cache is in a step that has not ended");
    return hlmi_fail(HLM_E_BUSY, "the cache is in use by another call");
}

hlm_status hlmi_cache_lock_read(hlm_cache *c)
{
    unsigned seen = atomic_load(&c->users);
    for (;;) {
        if (!(seen & HLMI_CACHE_CALL)) {
            if (atomic_compare_exchange_weak(&c->users, &seen, seen | HLMI_CACHE_CALL)) return HLM_OK;
        } else if (seen & HLMI_CACHE_STEP) {
            hlmi_os_yield(); /* its commit, or a reader */
            seen = atomic_load(&c->users);
        } else {
            return hlmi_fail(HLM_E_BUSY, "the cache is in use by another call");
        }
    }
}

void hlmi_cache_unlock(hlm_cache *c)
{
    look(c);
    atomic_fetch_and(&c->users, ~(unsigned)HLMI_CACHE_CALL);
}

hlm_status hlmi_cache_step_begin(hlm_cache *c)
{
    const hlm_status st = hlmi_cache_lock(c);
    if (st == HLM_OK) atomic_fetch_or(&c->users, HLMI_CACHE_STEP);
    return st;
}

void hlmi_cache_step_leave(hlm_cache *c)
{
    hlmi_cache_unlock(c);
}

void hlmi_cache_step_enter(hlm_cache *c)
{
    while (atomic_fetch_or(&c->users, HLMI_CACHE_CALL) & HLMI_CACHE_CALL) hlmi_os_yield();
}

void hlmi_cache_step_end(hlm_cache *c)
{
    look(c);
    if (atomic_exchange(&c->users, 0) & HLMI_CACHE_FREED) hlm_cache_free(c);
}

bool hlmi_cache_step_owns(hlm_cache *c)
{
    unsigned seen = atomic_load(&c->users);
    while (seen & HLMI_CACHE_STEP)
        if (atomic_compare_exchange_weak(&c->users, &seen, seen | HLMI_CACHE_FREED)) return true;
    return false;
}
