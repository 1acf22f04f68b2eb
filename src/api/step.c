/* The life of a step: taking its caches, running its tiles, committing or taking back. */
#include "api/step.h"

#include <string.h>

#include "api/context.h"
#include "api/engine.h"
#include "base/call.h"
#include "base/os.h"
#include "base/params.h"
#include "state/guard.h"
#include "state/prefix.h"

/* Of hlm_context.busy. */
enum { IDLE = 0, CALL = 1 /* a call is running */, BEGUN = 2 /* a step waits to be run on */ };

static hlm_status name_step(hlm_status st, size_t i)
{
    return st == HLM_OK ? st : hlmi_fail_prefix(st, "steps[%zu]: ", i);
}

/* ---- a batch ---- */

/* The step has the caches from here on. */
static hlm_status take_caches(hlmi_batch *b)
{
    for (; b->locked < b->n; b->locked++) /* one that is there twice is busy */
        HLMI_DO(name_step(hlmi_cache_step_begin(b->entries[b->locked].cache), b->locked));
    return HLM_OK;
}

/* Positions and states for the new tokens. The caches are locked. */
static hlm_status claim(hlm_context *c, hlmi_batch *b)
{
    for (; b->claimed < b->n; b->claimed++) {
        const hlmi_entry *e = &b->entries[b->claimed];
        HLMI_DO(name_step(hlmi_prefix_attach(e->cache), b->claimed));
        HLMI_DO(name_step(hlmi_cache_claim(e->cache, e->n_tokens), b->claimed));
    }
    return hlmi_batch_claimed(c, b);
}

static void enter(const hlmi_batch *b)
{
    for (size_t i = 0; i < b->locked; i++) hlmi_cache_step_enter(b->entries[i].cache);
}

static void leave(const hlmi_batch *b)
{
    for (size_t i = 0; i < b->locked; i++) hlmi_cache_step_leave(b->entries[i].cache);
}

/* The caches are their owners' again. */
static void end(hlmi_batch *b)
{
    for (size_t i = 0; i < b->locked; i++) hlmi_cache_step_end(b->entries[i].cache);
    *b = (hlmi_batch){0};
}

/* turns: of the batch, or NULL */
static void commit(hlmi_batch *b, hlmi_turns *turns)
{
    enter(b);
    for (size_t i = 0; i < b->n; i++) {
        const hlmi_entry *e = &b->entries[i];
        hlmi_cache_commit(e->cache, e->tokens, e->n_tokens, e->number, e->symbols);
        if (turns) hlmi_turns_note(turns, e, i);
    }
    if (turns) turns->placed = false; /* for good */
    end(b);
}

static void take_back(hlmi_batch *b, hlmi_turns *turns)
{
    enter(b);
    for (size_t i = 0; i < b->claimed; i++) hlmi_cache_abort(b->entries[i].cache);
    if (turns && turns->placed) hlmi_turns_place(turns);
    end(b);
}

/* What a rewind has left to be computed again must be tokens. The cache is locked. */
static hlm_status check_pending(const hlm_cache *cache)
{
    const hlmi_seq *s = &cache->seq;
    for (int64_t pos = s->length - hlmi_seq_pending(s); pos < s->length; pos++)
        if (hlmi_seq_symbol(cache->pool, s, pos) < 0)
            return hlmi_fail(HLM_E_UNREACHABLE,
                             "the state at position %lld has to be computed again from position %lld on, which was an "
                             "embedding",
                             (long long)(s->length - s->prefix), (long long)(pos - s->prefix));
    return HLM_OK;
}

/* ---- the machine ---- */

/* A batch of the rows that stand before every text, in a sequence of their own that becomes the pool's. */
static hlm_status begin_prefix(hlm_context *c)
{
    hlmi_stepper *s = &c->step;
    const hlmi_plan *plan = &c->model->plan;
    hlm_cache *cache = NULL;
    HLMI_DO(hlmi_prefix_begin(&cache, c->pool));
    s->before = (hlmi_entry){.cache = cache,
                             .embeddings = plan->prefix,
                             .n_tokens = plan->n_prefix,
                             .adapter = hlmi_pool_adapter(c->pool, c->pool->prefix_adapter),
                             .number = c->pool->prefix_adapter};
    s->prefix = (hlmi_batch){.entries = &s->before, .n = 1};
    const hlm_status st = take_caches(&s->prefix);
    leave(&s->prefix);
    return st;
}

static bool lacks_prefix(const hlm_context *c, const hlmi_batch *b)
{
    if (atomic_load(&c->pool->prefix)) return false;
    for (size_t i = 0; i < b->n; i++)
        if (hlmi_prefix_missing(b->entries[i].cache)) return true;
    return false;
}

static hlmi_batch *running(hlmi_stepper *s)
{
    return s->prefix.n ? &s->prefix : s->again.n ? &s->again : &s->main;
}

/* The batch that runs next takes the places of its tokens. */
static hlm_status claim_next(hlm_context *c)
{
    hlmi_batch *b = running(&c->step);
    enter(b);
    const hlm_status st = claim(c, b);
    leave(b);
    return st;
}

/* Tokens that are run again, in forks of the step's sequences, which are entered. */
static hlm_status take_again(hlm_context *c)
{
    hlmi_stepper *s = &c->step;
    size_t failed = 0;
    hlm_status st = hlmi_turns_find(&c->mem, &s->turns, s->main.entries, s->main.n, &failed);
    if (st != HLM_OK) return name_step(st, failed);
    if (s->turns.n_again == 0) return HLM_OK;
    s->again = (hlmi_batch){.entries = s->turns.again, .n = s->turns.n_again};
    st = take_caches(&s->again);
    for (size_t i = 0; i < s->again.n && st == HLM_OK; i++) st = check_pending(s->again.entries[i].cache);
    leave(&s->again);
    return st;
}

/* The step has its caches, and memory for what is new. */
static hlm_status take(hlm_context *c, hlmi_entry *entries, size_t n)
{
    hlmi_batch *b = &c->step.main;
    *b = (hlmi_batch){.entries = entries, .n = n};
    hlm_status st = take_caches(b);
    for (size_t i = 0; i < n && st == HLM_OK; i++) st = name_step(check_pending(entries[i].cache), i);
    if (st == HLM_OK) st = take_again(c);
    if (st == HLM_OK && lacks_prefix(c, b)) st = begin_prefix(c);
    leave(b);
    return st == HLM_OK ? claim_next(c) : st;
}

static hlm_status begin(hlm_context *c, const hlm_step *const *steps, size_t n)
{
    if (n == 0) return hlmi_fail(HLM_E_EMPTY, "no steps");
    HLMI_DO(hlmi_list_check(n, "steps"));
    c->n_asked = 0;
    for (size_t i = 0; i < n; i++) HLMI_DO(name_step(hlmi_entry_read(c, i, steps[i]), i));
    return take(c, c->entries, n);
}

/* As if the step had not been. */
static void abandon(hlm_context *c)
{
    hlmi_stepper *s = &c->step;
    hlm_cache *prefix = s->prefix.n ? s->before.cache : NULL;
    take_back(&s->prefix, NULL);
    take_back(&s->again, NULL);
    take_back(&s->main, &s->turns);
    hlmi_turns_free(&c->mem, &s->turns);
    hlm_cache_free(prefix);
}

/* A batch that runs before the step's own is done. */
static hlm_status end_first(hlm_context *c, hlmi_batch *b)
{
    hlmi_stepper *s = &c->step;
    commit(b, NULL);
    if (b == &s->prefix) {
        hlmi_prefix_publish(s->before.cache);
    } else {
        enter(&s->main);
        hlmi_turns_place(&s->turns);
        leave(&s->main);
    }
    return claim_next(c);
}

/* The next tile of at most so many rows, with its program. Behind the last the step is committed, and *done. */
static hlm_status next_tile(hlm_context *c, size_t most, bool *done)
{
    hlmi_stepper *s = &c->step;
    hlmi_batch *b = running(s);
    s->region = 0;
    HLMI_DO(hlmi_batch_tile(c, b, most, &s->program));
    while (!s->program && b != &s->main) {
        HLMI_DO(end_first(c, b));
        b = running(s);
        HLMI_DO(hlmi_batch_tile(c, b, most, &s->program));
    }
    *done = !s->program;
    if (*done) commit(&s->main, &s->turns);
    return HLM_OK;
}

/* The end of the regions from `at` on that one place runs. */
static size_t segment_end(const hlmi_program *p, size_t at)
{
    const size_t place = p->regions[at].place;
    while (at < p->n && p->regions[at].place == place) at++;
    return at;
}

hlm_status hlmi_tile_run(hlm_context *c, hlmi_slice *slice, bool *done)
{
    hlmi_tile *t = &c->tile;
    hlmi_stepper *s = &c->step;
    const hlmi_program *p = s->program;
    hlmi_work work = {
        .step = t, .rows = t->n_rows, .adapted = t->adapted, .workers = &t->workers, .cancel = &c->cancel};
    hlm_status st = HLM_OK;
    for (size_t i = 0; i < t->n_rows; i++) work.past += (uint64_t)t->pos[i];
    for (*done = true; *done && st == HLM_OK && s->region < p->n;) {
        hlmi_place *place = c->model->places[p->regions[s->region].place];
        const size_t end = segment_end(p, s->region);
        work.regions = p->regions + s->region;
        work.n = end - s->region;
        st = place->run(place, c->team, &work, &s->stop, slice, done);
        if (*done) s->region = end;
    }
    return st;
}

/* Goes on until the step is done, or `slice` is over (NULL: never). */
static hlm_status run(hlm_context *c, hlmi_slice *slice, bool *done)
{
    hlmi_stepper *s = &c->step;
    hlm_status st = c->cancel ? hlmi_fail(HLM_E_CANCELLED, "the step was cancelled") : HLM_OK;
    *done = false;
    while (st == HLM_OK) {
        bool ended = true;
        if (!s->program) st = next_tile(c, slice ? c->slice_rows : c->max_rows, done);
        if (st != HLM_OK || *done || (slice && !hlmi_tile_touch(c, slice))) break;
        st = hlmi_tile_run(c, slice, &ended);
        if (!ended) break;
        s->program = NULL;
    }
    return st;
}

/* Ends a step that is done (HLM_OK) or failed. */
static void finish(hlm_context *c, hlm_status st)
{
    hlmi_stepper *s = &c->step;
    if (st != HLM_OK) memcpy(c->error, hlmi_error(), sizeof c->error);
    if (st == HLM_E_CANCELLED) c->cancel = 0;
    abandon(c); /* nothing, when it is done */
    hlmi_free(&c->mem, s->lists);
    *s = (hlmi_stepper){0};
}

/* ---- the calls ---- */

hlm_status hlmi_ctx_enter(hlm_context *c)
{
    int seen = IDLE;
    if (atomic_compare_exchange_strong(&c->busy, &seen, CALL)) return HLM_OK;
    if (seen == BEGUN) return hlmi_fail(HLM_E_BUSY, "the context has a step that was begun and has not ended");
    return hlmi_fail(HLM_E_BUSY, "the context is in use by another call");
}

void hlmi_ctx_leave(hlm_context *c, hlm_status st)
{
    finish(c, st);
    atomic_store(&c->busy, IDLE);
}

HLMI_CALL(hlm_decode_step, (hlm_context *ctx, const hlm_step *const *steps, size_t n), (ctx, steps, n))
{
    bool done;
    if (!ctx || (n && !steps)) return hlmi_fail(HLM_E_ARG, "hlm_decode_step: ctx and steps are needed");
    HLMI_DO(hlmi_ctx_enter(ctx));
    hlm_status st = begin(ctx, steps, n);
    if (st == HLM_OK) st = run(ctx, NULL, &done);
    hlmi_ctx_leave(ctx, st);
    return st;
}

hlm_status hlmi_ctx_again(hlm_context *c, hlm_cache *cache, float *logits)
{
    hlmi_entry none = {.cache = cache, .logits = logits, .n_out = logits != NULL};
    bool done;
    hlm_status st = take(c, &none, 1);
    if (st == HLM_OK) st = run(c, NULL, &done);
    abandon(c); /* nothing, when it is done */
    return st;
}

hlm_status hlmi_ctx_settle(hlm_context *ctx, hlm_cache *cache)
{
    if (hlmi_seq_ready(&cache->seq)) return HLM_OK;
    HLMI_DO(hlmi_ctx_enter(ctx));
    const int32_t asked = atomic_exchange(&ctx->cancel, 0);
    const hlm_status st = hlmi_ctx_again(ctx, cache, NULL);
    finish(ctx, st);
    if (asked || st == HLM_E_CANCELLED) ctx->cancel = 1; /* meant for a step that is somebody's own */
    atomic_store(&ctx->busy, IDLE);
    return st;
}

HLMI_CALL(hlm_step_begin, (hlm_context *ctx, const hlm_step *const *steps, size_t n), (ctx, steps, n))
{
    if (!ctx || (n && !steps)) return hlmi_fail(HLM_E_ARG, "hlm_step_begin: ctx and steps are needed");
    HLMI_DO(hlmi_ctx_enter(ctx));
    hlm_status st = begin(ctx, steps, n);
    if (st == HLM_OK) st = hlmi_entries_own(&ctx->mem, ctx->entries, n, &ctx->step.lists);
    if (st != HLM_OK) finish(ctx, st);
    atomic_store(&ctx->busy, st == HLM_OK ? BEGUN : IDLE);
    return st;
}

HLMI_CALL(hlm_step_run, (hlm_context *ctx, uint64_t budget_us, int32_t *done), (ctx, budget_us, done))
{
    int seen = BEGUN;
    bool ended;
    if (!ctx || !done) return hlmi_fail(HLM_E_ARG, "hlm_step_run: ctx and done are needed");
    *done = 0;
    if (budget_us == 0) return hlmi_fail(HLM_E_ARG, "hlm_step_run: a budget of 0");
    if (!atomic_compare_exchange_strong(&ctx->busy, &seen, CALL))
        return seen == IDLE ? hlmi_fail(HLM_E_ARG, "hlm_step_run: no step was begun")
                            : hlmi_fail(HLM_E_BUSY, "the context is in use by another call");
    const uint64_t now = hlmi_os_now(), most = (UINT64_MAX - now) / 1000;
    hlmi_slice slice = {.until = now + 1000 * (budget_us < most ? budget_us : most)};
    const hlm_status st = run(ctx, &slice, &ended);
    *done = ended && st == HLM_OK;
    if (ended || st != HLM_OK) hlmi_ctx_leave(ctx, st);
    else atomic_store(&ctx->busy, BEGUN);
    return st;
}

bool hlmi_step_drop(hlm_context *ctx)
{
    int seen = BEGUN;
    if (!atomic_compare_exchange_strong(&ctx->busy, &seen, CALL)) return seen == IDLE;
    hlmi_ctx_leave(ctx, HLM_OK);
    return true;
}

HLMI_CALL(hlm_step_abort, (hlm_context *ctx), (ctx))
{
    if (!ctx) return hlmi_fail(HLM_E_ARG, "hlm_step_abort: ctx is NULL");
    return hlmi_step_drop(ctx) ? HLM_OK : hlmi_fail(HLM_E_BUSY, "the context is in use by another call");
}
