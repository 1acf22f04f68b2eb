/* Drafts from a second model. It draws with a copy of the caller's sampler, that is with the random numbers that the
 * caller's will use for the same tokens: where the two models' distributions are alike, so are their tokens. The most
 * likely other first tokens begin further drafts, as forks in one batch. */
#include <math.h>

#include "api/engine.h"
#include "base/size.h"
#include "sample/sampler.h"
#include "session/draft.h"
#include "state/draft.h"

/* Tokens of the text run at once. */
enum { PART = 512 };

/* One draft in the making. */
typedef struct path {
    hlm_cache *cache;
    hlm_sampler *sampler;
} path;

typedef struct drafter {
    hlmi_mem mem;
    const hlmi_run *run;
    const hlmi_text *text;
    hlm_context *ctx;
    hlm_cache *cache, *own; /* own: when the caller gave none */
    path paths[HLMI_DRAFT_BRANCHES]; /* the first has `cache`; samplers stay, forks of the cache last for a call */
    float *logits; /* [branches, vocab] */
    size_t vocab, branches;
    size_t same; /* tokens that the cache and the text began with in common when last compared */
    bool silent; /* the text can not be followed */
} drafter;

static bool wanted(const hlm_speculation *p)
{
    return p->draft != NULL;
}

static hlm_status check(const hlmi_run *run, const hlm_speculation *p)
{
    hlm_model_info of = {.struct_size = sizeof of}, ours = of;
    hlm_status st = hlm_model_info_get(hlmi_ctx_model(p->draft), &of);
    if (st == HLM_OK) st = hlm_model_info_get(hlmi_ctx_model(run->ctx), &ours);
    if (st != HLM_OK) return st;
    st = hlmi_needs_text(&of, "hlm_speculation: the draft model");
    if (st != HLM_OK) return st;
    if (of.vocab_size != ours.vocab_size)
        return hlmi_fail(HLM_E_MISMATCH, "hlm_speculation: the draft model's vocabulary has %d tokens, the model's %d",
                         (int)of.vocab_size, (int)ours.vocab_size);
    if (p->draft_cache && p->draft_cache == run->cache)
        return hlmi_fail(HLM_E_ARG, "hlm_speculation: draft_cache is the cache that is generated in");
    if (p->draft_cache && hlmi_cache_pool(p->draft_cache) != hlm_ctx_pool(p->draft))
        return hlmi_fail(HLM_E_MISMATCH,
                         "hlm_speculation: draft_cache belongs to another pool than the draft context's");
    return HLM_OK;
}

static void drafter_close(void *draft)
{
    drafter *d = draft;
    if (!d) return;
    const hlmi_mem mem = d->mem;
    for (size_t i = 0; i < HLMI_DRAFT_BRANCHES; i++) hlm_sampler_free(d->paths[i].sampler);
    if (d->cache) hlmi_cache_drafts(d->cache, false);
    hlm_cache_free(d->own);
    hlmi_free(&mem, d->logits);
    hlmi_free(&mem, d);
}

static hlm_status allocate(drafter *d)
{
    hlm_model_info info = {.struct_size = sizeof info};
    hlm_status st = hlm_model_info_get(hlmi_ctx_model(d->ctx), &info);
    if (st != HLM_OK) return st;
    d->vocab = (size_t)info.vocab_size;
    const size_t bytes = d->branches * d->vocab * sizeof *d->logits;
    d->logits = hlmi_alloc(&d->mem, bytes);
    if (!d->logits) return hlmi_nomem(bytes, "logits of drafts");
    for (size_t i = 0; i < d->branches && st == HLM_OK; i++)
        st = hlm_sampler_fork(&d->paths[i].sampler, d->run->sampler);
    if (st == HLM_OK && !d->cache) {
        st = hlm_cache_new(&d->own, hlm_ctx_pool(d->ctx), NULL);
        d->cache = d->own;
    }
    return st;
}

static hlm_status step(drafter *d, hlm_cache *cache, const int32_t *tokens, size_t n, float *logits)
{
    const hlm_step one = {.struct_size = sizeof one, .cache = cache, .tokens = tokens, .n_tokens = n, .logits = logits};
    const hlm_step *const steps[] = {&one};
    return hlm_decode_step(d->ctx, steps, 1);
}

/* Counts on in d->same what cache and text begin with in common, but for the text's last token, which is run for its
 * logits; what the cache has beyond is forgotten. */
static hlm_status keep_common(drafter *d)
{
    const size_t held = (size_t)hlm_cache_length(d->cache), most = hlmi_min_size(held, d->text->n - 1);
    int32_t ids[PART];
    if (d->same > most) d->same = most;
    for (bool equal = true; equal && d->same < most;) {
        const size_t n = hlmi_min_size(PART, most - d->same);
        HLMI_DO(hlm_cache_tokens(d->cache, (int64_t)d->same, n, ids));
        size_t i = 0;
        while (i < n && ids[i] == d->text->ids[d->same + i]) i++;
        d->same += i;
        equal = i == n;
    }
    if (d->same == held) return HLM_OK;
    return hlm_cache_rewind(d->cache, (int64_t)d->same, NULL);
}

/* The cache gets all of the text, d->logits what the model says behind it. */
static hlm_status follow(drafter *d)
{
    hlm_status st = keep_common(d);
    while (st == HLM_OK && d->same < d->text->n && !hlmi_ctx_cancelled(d->run->ctx)) {
        const size_t n = hlmi_min_size(PART, d->text->n - d->same);
        st = step(d, d->cache, d->text->ids + d->same, n, d->same + n == d->text->n ? d->logits : NULL);
        if (st == HLM_OK) d->same += n;
    }
    return st;
}

/* A text with embeddings in it can not be read by another model; one that is too long neither. */
static hlm_status follow_or_fall_silent(drafter *d)
{
    const hlm_status st = d->silent ? HLM_OK : follow(d);
    d->silent |= st == HLM_E_FULL || (st == HLM_OK && d->same < d->text->n);
    return st == HLM_E_FULL ? HLM_OK : st;
}

static hlm_status drafter_open(void **draft, const hlmi_draft_setup *s)
{
    hlm_status st = HLM_OK;
    drafter *d = hlmi_calloc(&s->run->mem, 1, sizeof *d);
    *draft = NULL;
    if (!d) return hlmi_nomem(sizeof *d, "a draft model's state");
    *d = (drafter){.mem = s->run->mem,
                   .run = s->run,
                   .text = s->text,
                   .ctx = s->params->draft,
                   .cache = s->params->draft_cache,
                   .branches = (size_t)s->params->n_branches};
    for (size_t i = 0; i < s->text->n; i++) d->silent |= s->text->ids[i] < 0;
    HLMI_TRY(allocate(d));
    HLMI_TRY(follow_or_fall_silent(d));
    hlmi_cache_drafts(d->cache, true);
    *draft = d;
    return HLM_OK;
done:
    drafter_close(d);
    return st;
}

/* The largest logit of a token that begins none of the first n proposals; vocab when there is none. */
static size_t best_other(const float *logits, size_t vocab, const hlmi_proposal *out, size_t n)
{
    size_t best = vocab;
    for (size_t t = 0; t < vocab; t++) {
        bool taken = !(logits[t] > -INFINITY); /* nor NaN */
        for (size_t i = 0; i < n && !taken; i++) taken = out[i].tokens[0] == (int32_t)t;
        if (!taken && (best == vocab || logits[t] > logits[best])) best = t;
    }
    return best;
}

/* The next token of a path, drawn or given (not -1), becomes its proposal's. HLM_E_ARG: there is none to draw. */
static hlm_status extend(const drafter *d, size_t i, int32_t token, hlmi_proposal *out)
{
    hlm_sampler *sampler = d->paths[i].sampler;
    hlm_status st = HLM_OK;
    if (token < 0) st = hlm_sampler_sample(sampler, d->logits + i * d->vocab, &token);
    if (st == HLM_OK) st = hlm_sampler_accept(sampler, token);
    if (st == HLM_OK) out[i].tokens[out[i].n++] = token;
    return st;
}

/* The first tokens: the one that the sampler would draw, and the likeliest others; each path but the first gets a
 * fork. */
static hlm_status begin_paths(drafter *d, size_t cap, hlmi_proposal *out, size_t *n)
{
    for (*n = 0; *n < cap; ++*n) {
        const size_t i = *n, other = i ? best_other(d->logits, d->vocab, out, i) : 0;
        path *p = &d->paths[i];
        if (other == d->vocab) break;
        out[i].n = 0;
        out[i].trust = (unsigned)i;
        hlm_status st = hlmi_sampler_assign(p->sampler, d->run->sampler);
        if (i == 0) p->cache = d->cache;
        else if (st == HLM_OK) st = hlm_cache_fork(&p->cache, d->cache, HLM_NOW);
        if (st != HLM_OK) return st;
        hlmi_cache_drafts(p->cache, true);
        st = extend(d, i, i ? (int32_t)other : -1, out);
        if (st != HLM_OK) return st;
    }
    return HLM_OK;
}

/* Every path's last token is run, for the logits of the next. */
static hlm_status step_paths(drafter *d, const hlmi_proposal *out, size_t n)
{
    hlm_step list[HLMI_DRAFT_BRANCHES];
    const hlm_step *steps[HLMI_DRAFT_BRANCHES];
    for (size_t i = 0; i < n; i++) {
        list[i] = (hlm_step){.struct_size = sizeof list[i],
                             .cache = d->paths[i].cache,
                             .tokens = &out[i].tokens[out[i].n - 1],
                             .n_tokens = 1,
                             .logits = d->logits + i * d->vocab};
        steps[i] = &list[i];
    }
    return hlm_decode_step(d->ctx, steps, n);
}

static hlm_status grow_paths(drafter *d, size_t most, hlmi_proposal *out, size_t n)
{
    hlm_status st = HLM_OK;
    for (size_t k = 1; k < most && st == HLM_OK && !hlmi_ctx_cancelled(d->run->ctx); k++) {
        st = step_paths(d, out, n);
        for (size_t i = 0; i < n && st == HLM_OK; i++) st = extend(d, i, -1, out);
    }
    return st;
}

static hlm_status propose(void *draft, size_t most, hlmi_proposal *out, size_t *n)
{
    drafter *d = draft;
    const size_t asked = hlmi_min_size(*n, d->branches);
    *n = 0;
    hlm_status st = follow_or_fall_silent(d);
    if (st != HLM_OK || d->same < d->text->n) return st;
    st = begin_paths(d, asked, out, n);
    if (st == HLM_OK && *n) st = grow_paths(d, hlmi_min_size(most, hlmi_cache_undo(d->cache)), out, *n);
    for (size_t i = 1; i < HLMI_DRAFT_BRANCHES; i++) {
        hlm_cache_free(d->paths[i].cache);
        d->paths[i].cache = NULL;
    }
    return st == HLM_E_FULL || st == HLM_E_ARG ? HLM_OK : st; /* no room or nothing to draw: the draft ends here */
}

const hlmi_draft_kind hlmi_draft_model = {.wanted = wanted,
                                          .check = check,
                                          .open = drafter_open,
                                          .propose = propose,
                                          .close = drafter_close,
                                          .computes = true};
