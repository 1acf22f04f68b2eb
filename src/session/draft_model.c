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
    const hlmi_run *run;
    const hlmi_text *text;
    hlm_context *ctx;
    hlm_cache *cache, *own; /* own: when the caller gave none */
    path paths[HLMI_DRAFT_BRANCHES]; /* the first has `cache`; samplers stay, forks of the cache last for a call */
    float *logits; /* [branches, vocab] */
    size_t branches;
    size_t same; /* tokens that the cache and the text began with in common when last compared */
    bool silent; /* the text can not be followed */
} drafter;

static hlm_status check(const hlmi_run *run, const hlm_speculation *p)
{
    size_t vocab;
    if (!p->draft) return HLM_OK;
    HLMI_DO(hlmi_text_vocab(p->draft, "hlm_speculation: the draft model", &vocab));
    if (vocab != run->vocab)
        return hlmi_fail(HLM_E_MISMATCH,
                         "hlm_speculation: the draft model's vocabulary has %zu tokens, the model's %zu", vocab,
                         run->vocab);
    if (p->draft_cache && p->draft_cache == run->cache)
        return hlmi_fail(HLM_E_ARG, "hlm_speculation: draft_cache is the cache that is generated in");
    if (p->draft_cache && hlmi_cache_pool(p->draft_cache) != hlm_ctx_pool(p->draft))
        return hlmi_fail(HLM_E_MISMATCH,
                         "hlm_speculation: draft_cache belongs to another pool than the draft context's");
    return HLM_OK;
}

static void drafter_close(const hlmi_mem *mem, void *draft)
{
    drafter *d = draft;
    if (!d) return;
    for (size_t i = 0; i < HLMI_DRAFT_BRANCHES; i++) hlm_sampler_free(d->paths[i].sampler);
    if (d->cache) hlmi_cache_drafts(d->cache, false);
    hlm_cache_free(d->own);
    hlmi_free(mem, d->logits);
    hlmi_free(mem, d);
}

static hlm_status allocate(drafter *d)
{
    const size_t bytes = d->branches * d->run->vocab * sizeof *d->logits;
    d->logits = hlmi_alloc(&d->run->mem, bytes);
    if (!d->logits) return hlmi_nomem(bytes, "logits of drafts");
    for (size_t i = 0; i < d->branches; i++) HLMI_DO(hlm_sampler_fork(&d->paths[i].sampler, d->run->sampler));
    if (d->cache) return HLM_OK;
    HLMI_DO(hlm_cache_new(&d->own, hlm_ctx_pool(d->ctx), NULL));
    d->cache = d->own;
    return HLM_OK;
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
    HLMI_DO(keep_common(d));
    while (d->same < d->text->n && !hlmi_ctx_cancelled(d->run->ctx)) {
        const size_t n = hlmi_min_size(PART, d->text->n - d->same);
        hlm_step one = {.cache = d->cache,
                        .tokens = d->text->ids + d->same,
                        .n_tokens = n,
                        .logits = d->same + n == d->text->n ? d->logits : NULL};
        HLMI_DO(hlmi_steps_run(d->ctx, &one, 1));
        d->same += n;
    }
    return HLM_OK;
}

/* A text with embeddings in it can not be read by another model; one that is too long neither. */
static hlm_status follow_or_fall_silent(drafter *d)
{
    const hlm_status st = d->silent ? HLM_OK : follow(d);
    d->silent |= st == HLM_E_FULL || (st == HLM_OK && d->same < d->text->n);
    return st == HLM_E_FULL ? HLM_OK : st;
}

static hlm_status drafter_open(void **draft, const hlmi_run *run, const hlm_speculation *p, const hlmi_text *text)
{
    if (!p->draft) return HLM_OK;
    drafter *d = *draft = hlmi_calloc(&run->mem, 1, sizeof *d);
    if (!d) return hlmi_nomem(sizeof *d, "a draft model's state");
    *d = (drafter){
        .run = run, .text = text, .ctx = p->draft, .cache = p->draft_cache, .branches = (size_t)p->n_branches};
    for (size_t i = 0; i < text->n; i++) d->silent |= text->ids[i] < 0;
    HLMI_DO(allocate(d));
    HLMI_DO(follow_or_fall_silent(d));
    hlmi_cache_drafts(d->cache, true);
    return HLM_OK;
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
    if (token < 0) HLMI_DO(hlm_sampler_sample(sampler, d->logits + i * d->run->vocab, &token));
    HLMI_DO(hlm_sampler_accept(sampler, token));
    out[i].tokens[out[i].n++] = token;
    return HLM_OK;
}

/* The first tokens: the one that the sampler would draw, and the likeliest others; each path but the first gets a
 * fork. */
static hlm_status begin_paths(drafter *d, size_t cap, hlmi_proposal *out, size_t *n)
{
    for (*n = 0; *n < cap; ++*n) {
        const size_t i = *n, other = i ? best_other(d->logits, d->run->vocab, out, i) : 0;
        path *p = &d->paths[i];
        if (other == d->run->vocab) break;
        out[i].n = 0;
        out[i].trust = (unsigned)i;
        HLMI_DO(hlmi_sampler_assign(p->sampler, d->run->sampler));
        if (i == 0) p->cache = d->cache;
        else HLMI_DO(hlm_cache_fork(&p->cache, d->cache, HLM_NOW));
        hlmi_cache_drafts(p->cache, true);
        HLMI_DO(extend(d, i, i ? (int32_t)other : -1, out));
    }
    return HLM_OK;
}

/* Every path's last token is run, for the logits of the next. */
static hlm_status step_paths(drafter *d, const hlmi_proposal *out, size_t n)
{
    hlm_step list[HLMI_DRAFT_BRANCHES];
    for (size_t i = 0; i < n; i++)
        list[i] = (hlm_step){.cache = d->paths[i].cache,
                             .tokens = &out[i].tokens[out[i].n - 1],
                             .n_tokens = 1,
                             .logits = d->logits + i * d->run->vocab};
    return hlmi_steps_run(d->ctx, list, n);
}

static hlm_status grow_paths(drafter *d, size_t most, hlmi_proposal *out, size_t n)
{
    for (size_t k = 1; k < most && !hlmi_ctx_cancelled(d->run->ctx); k++) {
        HLMI_DO(step_paths(d, out, n));
        for (size_t i = 0; i < n; i++) HLMI_DO(extend(d, i, -1, out));
    }
    return HLM_OK;
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

const hlmi_draft_kind hlmi_draft_model = {
    .check = check, .open = drafter_open, .propose = propose, .close = drafter_close, .computes = true};
