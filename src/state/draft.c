/* Taking drafts back, and sequences that change places. */
#include "state/draft.h"

#include "base/size.h"
#include "state/guard.h"
#include "state/invoke.h"
#include "state/window.h"

hlm_pool *hlmi_cache_pool(const hlm_cache *c)
{
    return c->pool;
}

size_t hlmi_cache_room(const hlm_cache *c)
{
    const hlm_pool *pool = c->pool;
    const int64_t length = c->seq.length, per = pool->undo_tokens;
    const int64_t left = c->max_tokens + (int64_t)pool->plan->n_prefix - length;
    if (left == 0 || (!pool->origin && !hlmi_windows(pool))) return (size_t)left;
    if (!pool->origin) return hlmi_min_size((size_t)left, (size_t)pool->slack + 1);
    /* is there a stretch of the log that the row of the next position goes into? */
    if (per == 0 || (length % per && !hlmi_undo_find(pool, &c->seq.points, length - 1))) return 1;
    return hlmi_min_size((size_t)left, (size_t)(per - length % per));
}

size_t hlmi_cache_undo(const hlm_cache *c)
{
    if (!c->pool->origin) return hlmi_windows(c->pool) ? (size_t)c->pool->slack : SIZE_MAX;
    return (size_t)c->pool->undo_tokens;
}

void hlmi_cache_drafts(hlm_cache *c, bool on)
{
    c->drafts = on;
}

size_t hlmi_cache_held(const hlm_cache *c)
{
    return hlmi_table_pages(&c->seq.tracks[HLMI_IDS]);
}

hlm_status hlmi_cache_take_back(hlm_cache *c, int64_t pos, size_t pages)
{
    HLMI_DO(hlmi_cache_lock(c));
    hlmi_seq_cut(c->pool, &c->seq, pos + c->seq.prefix, pages);
    hlmi_cache_unlock(c);
    return HLM_OK;
}

hlm_status hlmi_cache_change_places(hlm_cache *a, hlm_cache *b)
{
    hlm_status st = hlmi_cache_lock(a);
    if (st != HLM_OK) return st;
    st = hlmi_cache_lock(b);
    if (st == HLM_OK) {
        hlmi_cache_swap(a, b);
        hlmi_cache_unlock(b);
    }
    hlmi_cache_unlock(a);
    return st;
}

bool hlmi_adapter_invoked(const hlm_adapter *adapter, const int32_t *text, size_t n_text, const int32_t *more, size_t n)
{
    if (!hlmi_adapter_waits(adapter) || n_text + n < adapter->n_invocation) return false;
    const size_t m = adapter->n_invocation;
    for (size_t i = 0; i < m; i++) {
        const size_t at = n_text + n - m + i;
        if ((at < n_text ? text[at] : more[at - n_text]) != adapter->invocation[i]) return false;
    }
    return true;
}
