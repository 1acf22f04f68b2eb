/* Steps whose adapters wait for tokens (state/invoke.h): what their tokens become, and tokens of their sequences that are run
 * again with another adapter first. That happens in a fork, which changes places with the sequence when the step's own tokens come,
 * and back if the step fails. */
#include "api/context.h"
#include "base/size.h"
#include "state/guard.h"
#include "state/invoke.h"

static hlm_status embedding_again(int64_t i)
{
    return hlmi_fail(
        HLM_E_UNREACHABLE,
        "position %lld would be run again, since the adapter's invocation tokens stand elsewhere now, but it was "
        "an embedding",
        (long long)i);
}

/* A step that runs tokens [v->again, length) of a sequence again. */
static hlm_status run_again(const hlmi_mem *mem, hlmi_turn *t, uint32_t number, const hlmi_invocation *v)
{
    const int64_t length = hlm_cache_length(t->cache);
    const size_t n = (size_t)(length - v->again);
    int32_t *ids = hlmi_alloc(mem, 2 * n * sizeof *ids);
    t->again = ids;
    if (!ids) return hlmi_nomem(2 * n * sizeof *ids, "tokens to run again");
    t->again_symbols = ids + n;
    for (size_t i = 0; i < n; i++) {
        const int64_t at = v->again + (int64_t)i;
        const int32_t symbol = hlmi_cache_symbol(t->cache, at + t->cache->prefix);
        if (symbol < 0) return embedding_again(at);
        ids[i] = hlmi_symbol_token(t->cache->pool, symbol);
        t->again_symbols[i] = hlmi_invoked_symbol(t->cache, number, v->at, at, symbol);
    }
    hlmi_cache_step_leave(t->cache);
    const hlm_status st = hlm_cache_fork(&t->fork, t->cache, v->again);
    hlmi_cache_step_enter(t->cache);
    t->step = (hlm_step){.struct_size = sizeof t->step, .cache = t->fork, .tokens = ids, .n_tokens = n};
    return st;
}

static hlm_status find_turn(const hlmi_mem *mem, hlmi_turn *t, const hlm_step *s)
{
    uint32_t number;
    hlm_status st = hlmi_pool_number(s->cache->pool, s->adapter, &number); /* has one already */
    if (st != HLM_OK) return st;
    const hlmi_invocation v = hlmi_invoke(s->cache, s->adapter, number, s->tokens, s->n_tokens);
    const int64_t length = hlm_cache_length(s->cache);
    t->cache = s->cache;
    t->number = number;
    t->at = v.at;
    t->symbols = hlmi_alloc(mem, (s->n_tokens + 1) * sizeof *t->symbols);
    if (!t->symbols) return hlmi_nomem(s->n_tokens * sizeof *t->symbols, "symbols");
    for (size_t i = 0; i < s->n_tokens; i++) {
        const int32_t plain = hlmi_symbol(s->cache->pool, s->tokens ? s->tokens[i] : HLM_TOKEN_NONE, 0);
        t->symbols[i] = hlmi_invoked_symbol(s->cache, number, v.at, length + (int64_t)i, plain);
    }
    return v.again < length ? run_again(mem, t, number, &v) : HLM_OK;
}

static hlm_status make_room(const hlmi_mem *mem, hlmi_turns *turns, size_t n)
{
    if (turns->items) return HLM_OK;
    turns->items = hlmi_calloc(mem, n, sizeof *turns->items);
    turns->symbols = hlmi_calloc(mem, 2 * n, sizeof *turns->symbols);
    turns->steps = hlmi_calloc(mem, n, sizeof *turns->steps);
    turns->n = n;
    return turns->items && turns->symbols && turns->steps ? HLM_OK : hlmi_nomem(n * sizeof *turns->items, "a step");
}

hlm_status hlmi_turns_find(const hlmi_mem *mem, hlmi_turns *turns, const hlm_step *const *steps, size_t n,
                           size_t *failed)
{
    for (size_t i = 0; i < n; i++) {
        hlm_step s;
        *failed = i;
        hlm_status st = hlmi_step_read(steps, i, &s);
        if (st == HLM_OK && !hlmi_adapter_waits(s.adapter)) continue;
        if (st == HLM_OK) st = make_room(mem, turns, n);
        if (st == HLM_OK) st = find_turn(mem, &turns->items[i], &s);
        if (st != HLM_OK) return st;
        hlmi_turn *t = &turns->items[i];
        turns->symbols[i] = t->symbols;
        if (!t->fork) continue;
        turns->symbols[n + turns->n_again] = t->again_symbols;
        turns->steps[turns->n_again++] = &t->step;
    }
    return HLM_OK;
}

void hlmi_turns_place(hlmi_turns *turns)
{
    for (size_t i = 0; i < turns->n; i++)
        if (turns->items[i].fork) hlmi_cache_swap(turns->items[i].cache, turns->items[i].fork);
    turns->placed = !turns->placed;
}

void hlmi_turns_note(const hlmi_turns *turns, const hlm_step *s, size_t i)
{
    const hlmi_turn *t = turns->items ? &turns->items[i] : NULL;
    if (t && t->symbols) hlmi_invoked_note(s->cache, s->adapter, t->number, t->at);
}

void hlmi_turns_free(const hlmi_mem *mem, hlmi_turns *turns)
{
    for (size_t i = 0; turns->items && i < turns->n; i++) {
        hlm_cache_free(turns->items[i].fork);
        hlmi_free(mem, turns->items[i].symbols);
        hlmi_free(mem, turns->items[i].again);
    }
    hlmi_free(mem, turns->items);
    hlmi_free(mem, turns->symbols);
    hlmi_free(mem, turns->steps);
    *turns = (hlmi_turns){0};
}
