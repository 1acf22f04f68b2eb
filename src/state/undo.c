/* Rows and stretches of the undo log. */
#include "state/undo.h"

#include "state/cache.h"

/* The stretch that has a place for pos. */
static hlmi_undo *find(const hlm_cache *c, int64_t pos)
{
    for (size_t i = 0; i < HLMI_UNDO_STRETCHES; i++)
        if (c->log[i] && pos >= c->log[i]->pos && pos < c->log[i]->pos + c->pool->undo_tokens) return c->log[i];
    return NULL;
}

static float *floats(const hlmi_undo *u, int64_t pos)
{
    return (float *)(void *)((char *)u->row[pos - u->pos] + HLMI_ALIGN);
}

float *hlmi_undo_target(const hlm_cache *c, int64_t pos)
{
    for (size_t i = 0; i < HLMI_UNDO_STRETCHES; i++) {
        const hlmi_undo *u = c->claim.log[i];
        if (u && pos >= c->claim.log_from[i] && pos < u->pos + c->pool->undo_tokens) return floats(u, pos);
    }
    return NULL;
}

float *hlmi_undo_find(const hlm_cache *c, int64_t pos)
{
    const hlmi_undo *u = find(c, pos);
    return u ? floats(u, pos) : NULL;
}

bool hlmi_undo_covers(const hlm_cache *c)
{
    for (int64_t pos = c->state->pos; pos < c->length; pos++)
        if (!find(c, pos)) return false;
    return true;
}

/* Rows from index n on go. */
static void cut(hlm_pool *pool, hlmi_undo *u, size_t n)
{
    while (u->n > n) hlmi_pool_drop_row(pool, u->row[--u->n]);
}

/* New rows, up to n in all. On failure the stretch goes. */
static hlmi_undo *extend(hlm_pool *pool, hlmi_undo *u, size_t n)
{
    const size_t had = u->n;
    while (u->n < n && (u->row[u->n] = hlmi_pool_take_row(pool))) u->n++;
    if (u->n >= n) return u;
    cut(pool, u, had);
    hlmi_pool_drop_undo(pool, u);
    return NULL;
}

hlmi_undo *hlmi_undo_new(hlm_pool *pool, int64_t pos, size_t n)
{
    hlmi_undo *u = hlmi_pool_take_undo(pool);
    if (!u) return NULL;
    u->pos = pos;
    return extend(pool, u, n);
}

/* The first n rows of a stretch, to append to: itself, when nobody shares it, or a list of its own. */
static hlmi_undo *own(hlm_pool *pool, hlmi_undo *u, size_t n)
{
    if (atomic_load(&u->refs) == 1) {
        atomic_fetch_add(&u->refs, 1);
        cut(pool, u, n);
        return u;
    }
    hlmi_undo *copy = hlmi_undo_new(pool, u->pos, 0);
    if (!copy) return NULL;
    copy->anchor = hlmi_state_retain(u->anchor);
    for (; copy->n < n; copy->n++) {
        copy->row[copy->n] = u->row[copy->n];
        atomic_fetch_add(&copy->row[copy->n]->refs, 1);
    }
    return copy;
}

/* Stretch i of the claim, which begins at p. */
static void claim_one(hlm_cache *c, size_t i, int64_t p, int64_t from, int64_t end)
{
    const int64_t per = c->pool->undo_tokens, to = p + per < end ? p + per : end;
    hlmi_undo *u = find(c, p);
    int64_t have = p; /* rows before it are the sequence's already */
    if (u) {
        have = c->length < to ? c->length : to;
        if (have == to) atomic_fetch_add(&u->refs, 1);
        else u = own(c->pool, u, (size_t)(have - p));
        if (u && have < to) u = extend(c->pool, u, (size_t)(to - p));
    } else if (p >= from && hlmi_cut_ask(c, p)) { /* else its first rows are not there, or not the state */
        u = hlmi_undo_new(c->pool, p, (size_t)(to - p));
    }
    c->claim.log[i] = u;
    c->claim.log_from[i] = have == to ? p + per : have; /* nothing is written, and an abort takes nothing out */
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
        cut(c->pool, u, (size_t)(c->claim.log_from[i] - u->pos));
        hlmi_pool_drop_undo(c->pool, u);
        c->claim.log[i] = NULL;
    }
}

void hlmi_undo_truncate(hlm_cache *c, int64_t pos)
{
    for (size_t i = 0; i < HLMI_UNDO_STRETCHES; i++) {
        hlmi_undo *u = c->log[i];
        if (u && u->pos > pos) {
            hlmi_pool_drop_undo(c->pool, u);
            c->log[i] = NULL;
        } else if (u && atomic_load(&u->refs) == 1) {
            cut(c->pool, u, (size_t)(pos - u->pos));
        }
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
