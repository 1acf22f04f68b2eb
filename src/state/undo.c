/* Stretches of the undo log. */
#include "state/undo.h"

#include <string.h>

#include "base/size.h"
#include "state/cache.h"

static hlmi_undo *find(hlmi_undo *const *log, int64_t pos, int64_t length)
{
    for (size_t i = 0; i < HLMI_UNDO_STRETCHES; i++)
        if (log[i] && pos >= log[i]->pos && pos < log[i]->pos + length) return log[i];
    return NULL;
}

hlmi_undo *hlmi_undo_target(const hlm_cache *c, int64_t pos)
{
    for (size_t i = 0; i < HLMI_UNDO_STRETCHES; i++) {
        hlmi_undo *u = c->claim.log[i];
        if (u && pos >= c->claim.log_from[i] && pos < u->pos + c->pool->undo_tokens) return u;
    }
    return NULL;
}

hlmi_undo *hlmi_undo_find(const hlm_cache *c, int64_t pos)
{
    return find(c->log, pos, c->pool->undo_tokens);
}

bool hlmi_undo_covers(const hlm_cache *c)
{
    for (int64_t pos = c->state->pos; pos < c->length; pos++)
        if (!hlmi_undo_find(c, pos)) return false;
    return true;
}

static hlmi_undo *take(hlm_cache *c, int64_t pos)
{
    hlmi_undo *u = hlmi_pool_take_undo(c->pool);
    if (u) u->pos = pos;
    return u;
}

/* A stretch of the sequence's, writable from row a to row b: itself, or a copy when another sequence has written there. */
static hlmi_undo *extend(hlm_cache *c, hlmi_undo *u, unsigned a, unsigned b, bool *in_place)
{
    unsigned expected = a;
    *in_place = true;
    if (atomic_load(&u->refs) == 1) atomic_store(&u->filled, b);
    else if (!atomic_compare_exchange_strong(&u->filled, &expected, b)) *in_place = false;
    if (*in_place) {
        atomic_fetch_add(&u->refs, 1);
        return u;
    }
    hlmi_undo *copy = take(c, u->pos);
    if (!copy) return NULL;
    copy->anchor = hlmi_state_retain(u->anchor);
    memcpy(hlmi_undo_row(copy, &c->pool->states, copy->pos), hlmi_undo_row(u, &c->pool->states, u->pos),
           a * c->pool->states.log_width * sizeof(float));
    atomic_store(&copy->filled, b);
    return copy;
}

/* Stretch i of the claim, which begins at p. */
static void claim_one(hlm_cache *c, size_t i, int64_t p, int64_t from, int64_t end)
{
    const int64_t per = c->pool->undo_tokens, to = p + per < end ? p + per : end;
    hlmi_undo *old = find(c->log, p, 1);
    if (old) {
        const int64_t have = c->length < p + per ? c->length : p + per; /* rows before it are the sequence's own */
        c->claim.log_from[i] = have;
        c->claim.log[i] = extend(c, old, (unsigned)(have - p), (unsigned)(to - p), &c->claim.log_in_place[i]);
        c->claim.log_was[i] = (unsigned)(have - p);
        return;
    }
    if (p < from || !hlmi_cut_ask(c, p)) return; /* its first rows are not there, or not the state */
    c->claim.log[i] = take(c, p);
    if (!c->claim.log[i]) return;
    c->claim.log_from[i] = p;
    atomic_store(&c->claim.log[i]->filled, (unsigned)(to - p));
}

void hlmi_undo_claim(hlm_cache *c, int64_t from, int64_t end)
{
    const int64_t per = c->pool->undo_tokens;
    if (per == 0 || !c->state) return;
    const int64_t last = (end - 1) / per;
    if (last > 0) claim_one(c, 0, (last - 1) * per, from, end);
    claim_one(c, 1, last * per, from, end);
}

void hlmi_undo_commit(hlm_cache *c)
{
    for (size_t i = 0; i < HLMI_UNDO_STRETCHES; i++) {
        hlmi_undo *u = c->claim.log[i];
        if (u && !u->anchor) u->anchor = hlmi_state_retain(hlmi_cut_find(c, u->pos));
        hlmi_pool_drop_undo(c->pool, c->log[i]);
        c->log[i] = u;
        c->claim.log[i] = NULL;
    }
}

void hlmi_undo_abort(hlm_cache *c)
{
    for (size_t i = 0; i < HLMI_UNDO_STRETCHES; i++) {
        hlmi_undo *u = c->claim.log[i];
        if (!u) continue;
        if (c->claim.log_in_place[i]) atomic_store(&u->filled, c->claim.log_was[i]);
        hlmi_pool_drop_undo(c->pool, u);
        c->claim.log[i] = NULL;
    }
}

void hlmi_undo_truncate(hlm_cache *c, int64_t pos)
{
    for (size_t i = 0; i < HLMI_UNDO_STRETCHES; i++) {
        if (!c->log[i] || c->log[i]->pos <= pos) continue;
        hlmi_pool_drop_undo(c->pool, c->log[i]);
        c->log[i] = NULL;
    }
}

hlmi_state *hlmi_undo_anchor(const hlm_cache *c, int64_t pos)
{
    hlmi_state *best = NULL;
    for (size_t i = 0; i < HLMI_UNDO_STRETCHES; i++)
        if (c->log[i] && c->log[i]->pos <= pos && (!best || c->log[i]->pos > best->pos)) best = c->log[i]->anchor;
    return best;
}

void hlmi_undo_share(hlm_cache *to, const hlm_cache *from, int64_t pos)
{
    for (size_t i = 0; i < HLMI_UNDO_STRETCHES; i++) {
        if (!from->log[i] || from->log[i]->pos > pos) continue;
        atomic_fetch_add(&from->log[i]->refs, 1);
        to->log[i] = from->log[i];
    }
}
