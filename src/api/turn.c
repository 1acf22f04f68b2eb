/* Steps whose adapters wait for tokens (state/invoke.h): what their tokens become, and tokens of their sequences that
 * are run again with another adapter first. That happens in a fork, which changes places with the sequence when the
 * step's own tokens come, and back if the step fails. */
#include "api/context.h"
#include "base/size.h"
#include "state/guard.h"
#include "state/invoke.h"

/* The turn runs tokens [v->again, length) of a sequence again, by an entry of its own. */
static hlm_status run_again(const hlmi_mem *mem, hlmi_turn *t, uint32_t number, const hlmi_invocation *v,
                            hlmi_entry *again)
{
    const int64_t length = hlm_cache_length(t->cache);
    const size_t n = (size_t)(length - v->again);
    int32_t *ids = hlmi_alloc(mem, 2 * n * sizeof *ids), *symbols = ids + n;
    t->again = ids;
    if (!ids) return hlmi_nomem(2 * n * sizeof *ids, "tokens to run again");
    for (size_t i = 0; i < n; i++) {
        const int64_t at = v->again + (int64_t)i;
        const int32_t symbol = hlmi_seq_symbol(t->cache->pool, &t->cache->seq, at + t->cache->seq.prefix);
        if (symbol < 0)
            return hlmi_fail(HLM_E_UNREACHABLE,
                             "position %lld would be run again, since the adapter's invocation tokens stand elsewhere "
                             "now, but it was an embedding",
                             (long long)at);
        ids[i] = hlmi_symbol_token(t->cache->pool, symbol);
        symbols[i] = hlmi_invoked_symbol(t->cache, number, v->at, at, symbol);
    }
    hlmi_cache_step_leave(t->cache);
    const hlm_status st = hlm_cache_fork(&t->fork, t->cache, v->again);
    hlmi_cache_step_enter(t->cache);
    *again = (hlmi_entry){.cache = t->fork, .tokens = ids, .n_tokens = n, .symbols = symbols};
    return st;
}

static hlm_status find_turn(const hlmi_mem *mem, hlmi_turn *t, hlmi_entry *e, hlmi_entry *again)
{
    const hlmi_invocation v = hlmi_invoke(e->cache, e->adapter, e->number, e->tokens, e->n_tokens);
    const int64_t length = hlm_cache_length(e->cache);
    t->cache = e->cache;
    t->at = v.at;
    t->symbols = hlmi_alloc(mem, (e->n_tokens + 1) * sizeof *t->symbols);
    if (!t->symbols) return hlmi_nomem(e->n_tokens * sizeof *t->symbols, "symbols");
    for (size_t i = 0; i < e->n_tokens; i++) {
        const int32_t plain = hlmi_symbol(e->cache->pool, e->tokens ? e->tokens[i] : HLM_TOKEN_NONE, 0);
        t->symbols[i] = hlmi_invoked_symbol(e->cache, e->number, v.at, length + (int64_t)i, plain);
    }
    e->symbols = t->symbols;
    return v.again < length ? run_again(mem, t, e->number, &v, again) : HLM_OK;
}

static hlm_status make_room(const hlmi_mem *mem, hlmi_turns *turns, size_t n)
{
    if (turns->items) return HLM_OK;
    turns->items = hlmi_calloc(mem, n, sizeof *turns->items);
    turns->again = hlmi_calloc(mem, n, sizeof *turns->again);
    turns->n = n;
    return turns->items && turns->again ? HLM_OK : hlmi_nomem(n * sizeof *turns->items, "a step");
}

hlm_status hlmi_turns_find(const hlmi_mem *mem, hlmi_turns *turns, hlmi_entry *entries, size_t n, size_t *failed)
{
    for (size_t i = 0; i < n; i++) {
        *failed = i;
        if (!hlmi_adapter_waits(entries[i].adapter)) continue;
        HLMI_DO(make_room(mem, turns, n));
        HLMI_DO(find_turn(mem, &turns->items[i], &entries[i], &turns->again[turns->n_again]));
        if (turns->items[i].fork) turns->n_again++;
    }
    return HLM_OK;
}

void hlmi_turns_place(hlmi_turns *turns)
{
    for (size_t i = 0; i < turns->n; i++)
        if (turns->items[i].fork) hlmi_cache_swap(turns->items[i].cache, turns->items[i].fork);
    turns->placed = !turns->placed;
}

void hlmi_turns_note(const hlmi_turns *turns, const hlmi_entry *e, size_t i)
{
    const hlmi_turn *t = turns->items ? &turns->items[i] : NULL;
    if (t && t->symbols) hlmi_invoked_note(e->cache, e->adapter, e->number, t->at);
}

void hlmi_turns_free(const hlmi_mem *mem, hlmi_turns *turns)
{
    for (size_t i = 0; turns->items && i < turns->n; i++) {
        hlm_cache_free(turns->items[i].fork);
        hlmi_free(mem, turns->items[i].symbols);
        hlmi_free(mem, turns->items[i].again);
    }
    hlmi_free(mem, turns->items);
    hlmi_free(mem, turns->again);
    *turns = (hlmi_turns){0};
}
