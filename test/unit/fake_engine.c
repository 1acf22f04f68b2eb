/* The engine functions that generating and scoring call. */
#include "unit/fake_engine.h"

#include <check.h>
#include <string.h>

#include "api/engine.h"
#include "state/draft.h"
#include "text/tokenizer.h"

struct hlm_text_stream {
    hlm_model *model;
    hlmi_tstream *real; /* of the context's tokenizer, if it has one */
};

static hlm_context *current; /* hlm_model_token_ends and the text stream know only the model */

void fake_engine_init(hlm_context *ctx, hlm_model *model)
{
    *ctx = (hlm_context){.model = model, .eos = -1, .tail = ""};
    current = ctx;
}

hlm_model *hlmi_ctx_model(const hlm_context *ctx)
{
    return ctx->model;
}

void hlmi_ctx_failed(hlm_context *ctx)
{
    memcpy(ctx->error, hlmi_error(), sizeof ctx->error);
}

bool hlmi_ctx_cancelled(const hlm_context *ctx)
{
    return ctx->n_calls + 1 == ctx->cancel_at;
}

hlm_status hlmi_ctx_settle(hlm_context *ctx, hlm_cache *cache)
{
    ck_assert_ptr_eq(ctx, cache->ctx);
    return HLM_OK;
}

hlm_pool *hlm_ctx_pool(hlm_context *ctx)
{
    return (hlm_pool *)(void *)ctx;
}

hlm_status hlm_cache_new(hlm_cache **out, hlm_pool *pool, const hlm_cache_params *params)
{
    hlm_context *ctx = (hlm_context *)(void *)pool;
    const size_t max = (size_t)params->max_tokens;
    hlm_cache *c = hlmi_calloc(&ctx->model->mem, 1, sizeof *c + max * sizeof *c->tokens);
    *out = c;
    if (!c) return hlmi_nomem(max, "fake cache");
    *c = (hlm_cache){.ctx = ctx, .tokens = (int32_t *)(void *)(c + 1), .max = max};
    ctx->caches++;
    return HLM_OK;
}

hlm_cache *fake_cache(hlm_context *ctx, size_t max)
{
    hlm_cache *c;
    const hlm_cache_params p = {.struct_size = sizeof p, .max_tokens = (int64_t)max};
    ck_assert_int_eq(hlm_cache_new(&c, hlm_ctx_pool(ctx), &p), HLM_OK);
    return c;
}

void hlm_cache_free(hlm_cache *cache)
{
    if (!cache) return;
    cache->ctx->caches--;
    hlmi_free(&cache->ctx->model->mem, cache);
}

hlm_status hlm_cache_fork(hlm_cache **out, hlm_cache *cache, int64_t at_pos)
{
    const hlm_cache_params p = {.struct_size = sizeof p, .max_tokens = (int64_t)cache->max};
    hlm_status st = hlm_cache_new(out, hlm_ctx_pool(cache->ctx), &p);
    if (st != HLM_OK) return st;
    (*out)->n = at_pos == HLM_NOW ? cache->n : (size_t)at_pos;
    memcpy((*out)->tokens, cache->tokens, (*out)->n * sizeof *cache->tokens);
    return HLM_OK;
}

int64_t hlm_cache_length(const hlm_cache *cache)
{
    return (int64_t)cache->n;
}

hlm_status hlm_cache_tokens(const hlm_cache *cache, int64_t from, size_t n, int32_t *out)
{
    ck_assert((size_t)from + n <= cache->n);
    memcpy(out, cache->tokens + from, n * sizeof *out);
    return HLM_OK;
}

/* The end of the text is where there is a row to have logits from. */
hlm_status hlmi_cache_reuse_whole(hlm_cache *cache, const hlm_adapter *adapter, const int32_t *tokens, size_t n,
                                  size_t *reused, size_t *pending)
{
    const size_t most = cache->n == n ? n : n - 1;
    size_t same = 0;
    (void)adapter;
    while (same < most && same < cache->n && cache->tokens[same] == tokens[same]) same++;
    cache->n = *reused = same;
    *pending = same && same < n ? 1 : 0;
    return HLM_OK;
}

bool hlmi_adapter_invoked(const hlm_adapter *adapter, const int32_t *text, size_t n_text, const int32_t *more, size_t n)
{
    (void)text, (void)n_text, (void)more, (void)n;
    return adapter != NULL; /* there are none here */
}

void hlmi_cache_remember(hlm_cache *c)
{
    c->ctx->added = c->n;
}

hlm_status hlm_cache_rewind(hlm_cache *cache, int64_t pos, int64_t *pending)
{
    ck_assert((size_t)pos <= cache->n);
    cache->n = (size_t)pos;
    if (pending) *pending = 0;
    return HLM_OK;
}

hlm_pool *hlmi_cache_pool(const hlm_cache *c)
{
    return hlm_ctx_pool(c->ctx);
}

size_t hlmi_cache_room(const hlm_cache *c)
{
    return c->max - c->n;
}

size_t hlmi_cache_undo(const hlm_cache *c)
{
    return c->max;
}

void hlmi_cache_drafts(hlm_cache *c, bool on)
{
    ck_assert(c->drafts != on || on);
    c->drafts = on;
}

size_t hlmi_cache_held(const hlm_cache *c)
{
    return c->n;
}

hlm_status hlmi_cache_take_back(hlm_cache *c, int64_t pos, size_t pages)
{
    (void)pages;
    return hlm_cache_rewind(c, pos, NULL);
}

hlm_status hlmi_cache_change_places(hlm_cache *a, hlm_cache *b)
{
    const hlm_cache t = *a;
    *a = *b;
    *b = t;
    return HLM_OK;
}

void fake_logits(const int32_t *tokens, size_t n, float *out, size_t vocab)
{
    uint64_t h = 14695981039346656037u;
    for (size_t i = 0; i < n; i++) h = (h ^ (uint64_t)tokens[i]) * 1099511628211u;
    for (size_t i = 0; i < vocab; i++) {
        h = h * 6364136223846793005u + 1442695040888963407u;
        out[i] = (float)(h >> 40) * 0x1p-22f; /* 0..4 */
    }
}

static void logits_at(const hlm_cache *c, float *out)
{
    const hlm_context *ctx = c->ctx;
    const size_t vocab = (size_t)ctx->model->vocab;
    fake_logits(c->tokens, c->n, out, vocab);
    if (ctx->script) out[ctx->script[c->n % ctx->n_script]] += 10;
}

hlm_status hlm_cache_logits(hlm_context *ctx, hlm_cache *cache, float *logits)
{
    ck_assert_ptr_eq(ctx, cache->ctx);
    ck_assert_uint_gt(cache->n, 0);
    ctx->n_again++;
    logits_at(cache, logits);
    return HLM_OK;
}

static hlm_status check_step(const hlm_context *ctx, const hlm_step *s)
{
    const hlm_cache *c = s->cache;
    ck_assert(s->struct_size == sizeof *s && s->n_tokens > 0);
    if (s->n_tokens > c->max - c->n) return hlmi_fail(HLM_E_FULL, "fake cache is full");
    for (size_t i = 0; i < s->n_tokens; i++) {
        if (s->tokens[i] < 0 || s->tokens[i] >= ctx->model->vocab) return hlmi_fail(HLM_E_TOKEN, "fake token");
    }
    return HLM_OK;
}

hlm_status hlm_decode_step(hlm_context *ctx, const hlm_step *const *steps, size_t n)
{
    size_t rows = 0;
    for (size_t k = 0; k < n; k++) {
        const hlm_status st = check_step(ctx, steps[k]);
        if (st != HLM_OK) return st;
        rows += steps[k]->n_tokens;
    }
    ck_assert(ctx->n_calls < FAKE_MAX_CALLS);
    ctx->calls[ctx->n_calls++] = rows;
    if (ctx->n_calls == ctx->cancel_at) return hlmi_fail(HLM_E_CANCELLED, "fake cancel");
    for (size_t k = 0; k < n; k++) {
        const hlm_step *s = steps[k];
        hlm_cache *c = s->cache;
        for (size_t i = 0; i < s->n_tokens; i++) {
            c->tokens[c->n++] = s->tokens[i];
            if (!s->logits) continue;
            if (s->logit_rows == HLM_ROWS_ALL) logits_at(c, s->logits + i * (size_t)ctx->model->vocab);
            else if (i + 1 == s->n_tokens) logits_at(c, s->logits);
        }
    }
    return HLM_OK;
}

int32_t hlm_model_token_ends(const hlm_model *model, int32_t token)
{
    ck_assert_ptr_eq(model, current->model);
    return token == current->eos;
}

hlm_status hlm_text_stream_new(hlm_text_stream **out, hlm_model *model, uint32_t flags)
{
    *out = NULL;
    if (!current->pieces && !current->tokenizer) return hlmi_fail(HLM_E_UNSUPPORTED, "fake model without tokenizer");
    *out = hlmi_calloc(&model->mem, 1, sizeof **out);
    if (!*out) return hlmi_nomem(sizeof **out, "fake stream");
    (*out)->model = model;
    if (!current->tokenizer) return HLM_OK;
    const hlm_status st = hlmi_tstream_new(&(*out)->real, &model->mem, current->tokenizer, flags);
    if (st != HLM_OK) hlm_text_stream_free(*out);
    if (st != HLM_OK) *out = NULL;
    return st;
}

/* The fake's pieces stand for themselves: what is before changes none. */
static hlm_status give(const char *piece, const char **text, size_t *len)
{
    *text = piece;
    *len = strlen(piece);
    return HLM_OK;
}

hlm_status hlm_text_stream_begin(hlm_text_stream *stream, const int32_t *tokens, size_t n)
{
    current->before = n;
    current->last_before = tokens[n - 1];
    return stream->real ? hlmi_tstream_begin(stream->real, tokens, n) : HLM_OK;
}

hlm_status hlm_text_stream_push(hlm_text_stream *stream, int32_t token, const char **text, size_t *len)
{
    return stream->real ? hlmi_tstream_push(stream->real, token, text, len) : give(current->pieces[token], text, len);
}

hlm_status hlm_text_stream_cut(hlm_text_stream *stream, const char **text, size_t *len)
{
    return stream->real ? hlmi_tstream_cut(stream->real, text, len) : give("", text, len);
}

hlm_status hlm_text_stream_finish(hlm_text_stream *stream, const char **text, size_t *len)
{
    return stream->real ? hlmi_tstream_finish(stream->real, text, len) : give(current->tail, text, len);
}

void hlm_text_stream_free(hlm_text_stream *stream)
{
    if (!stream) return;
    hlmi_tstream_free(stream->real);
    hlmi_free(&stream->model->mem, stream);
}
