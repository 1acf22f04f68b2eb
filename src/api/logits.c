/* hlm_cache_logits: the logits behind a sequence's last token once more, from its final hidden row where the state has
 * kept it, and else by running that token again in a fork, whose state then becomes the sequence's. */
#include "api/context.h"
#include "base/call.h"
#include "state/guard.h"
#include "state/window.h"

/* The head alone, on what a state has kept. */
static hlm_status run_head(hlm_context *c, const hlm_cache *cache, float *logits)
{
    hlmi_tile *t = &c->tile;
    if (c->cancel) return hlmi_fail(HLM_E_CANCELLED, "hlm_cache_logits was cancelled");
    t->n_rows = t->n_spans = t->n_out = 1;
    t->n_taps = t->n_attn_taps = 0;
    t->spans[0] = (hlmi_span){.n = 1, .in = hlmi_points_now(&cache->seq.points)->state->item.rows};
    t->adapter[0] = hlmi_pool_adapter(
        c->pool, hlmi_symbol_adapter(c->pool, hlmi_seq_symbol(c->pool, &cache->seq, cache->seq.length - 1)));
    t->adapted = t->adapter[0] != NULL;
    t->span_of[0] = 0;
    t->log[0] = NULL;
    t->out_row[0] = 0;
    t->out[0] = logits;
    c->step.program = &c->programs[HLMI_HEAD];
    bool done;
    return hlmi_tile_run(c, NULL, &done);
}

/* The same text with a state before its last token, which has been run. */
static hlm_status run_last(hlm_context *c, hlm_cache *cache, hlm_cache **fork, float *logits)
{
    const int64_t last = cache->seq.length - 1;
    if (hlmi_seq_symbol(c->pool, &cache->seq, last) < 0)
        return hlmi_fail(HLM_E_UNREACHABLE,
                         "hlm_cache_logits: position %lld, which has to be computed again, was an embedding",
                         (long long)(last - cache->seq.prefix));
    HLMI_DO(hlm_cache_fork(fork, cache, HLM_NOW));
    hlmi_cache_step_back(*fork);
    return hlmi_ctx_again(c, *fork, logits);
}

static hlm_status check(const hlm_context *c, const hlm_cache *cache)
{
    if (cache->pool != c->pool)
        return hlmi_fail(HLM_E_MISMATCH, "hlm_cache_logits: the cache belongs to another model or pool");
    if (c->model->plan.head == HLM_HEAD_NONE)
        return hlmi_fail(HLM_E_UNSUPPORTED, "hlm_cache_logits: the model has no head (HLM_HEAD_NONE)");
    if (cache->seq.length == cache->seq.prefix) return hlmi_fail(HLM_E_EMPTY, "hlm_cache_logits: the cache is empty");
    return HLM_OK;
}

/* The cache is in a step: others can read it, and nobody changes it. */
static hlm_status find_logits(hlm_context *c, hlm_cache *cache, hlm_cache **fork, float *logits)
{
    hlmi_cache_step_leave(cache);
    const hlm_status st = hlmi_cache_keeps_row(cache) ? run_head(c, cache, logits) : run_last(c, cache, fork, logits);
    hlmi_cache_step_enter(cache);
    return st;
}

/* As in a step, automatic marks go before it fails for want of memory; the fork's hold the same states, so they go with
 * it. */
static hlm_status find_with_marks(hlm_context *c, hlm_cache *cache, hlm_cache **fork, float *logits)
{
    const hlm_status st = find_logits(c, cache, fork, logits);
    if (st != HLM_E_NOMEM || !hlmi_cache_give_up_marks(cache)) return st;
    hlm_cache_free(*fork);
    *fork = NULL;
    return find_logits(c, cache, fork, logits);
}

HLMI_CALL(hlm_cache_logits, (hlm_context *ctx, hlm_cache *cache, float *logits), (ctx, cache, logits))
{
    hlm_cache *fork = NULL;
    if (!ctx || !cache || !logits) return hlmi_fail(HLM_E_ARG, "hlm_cache_logits: ctx, cache and logits are needed");
    HLMI_DO(hlmi_ctx_enter(ctx));
    hlm_status st = hlmi_cache_step_begin(cache);
    if (st == HLM_OK) {
        st = check(ctx, cache);
        if (st == HLM_OK) st = find_with_marks(ctx, cache, &fork, logits);
        if (st == HLM_OK && fork && hlmi_seq_pending(&cache->seq) && hlmi_windows(ctx->pool))
            hlmi_cache_swap(cache, fork); /* rows of windows were computed, too */
        else if (st == HLM_OK && fork) hlmi_cache_swap_points(cache, fork);
        hlmi_cache_step_end(cache);
    }
    hlm_cache_free(fork);
    hlmi_ctx_leave(ctx, st);
    return st;
}
