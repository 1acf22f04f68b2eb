/* hlm_generate: prompt in, tokens out. Everything of one call lives in a `run`. */
#include "api/engine.h"
#include "base/call.h"
#include "base/os.h"
#include "base/params.h"
#include "base/size.h"
#include "plan/model_mem.h"
#include "sample/sampler.h"
#include "session/run.h"
#include "session/speculate.h"
#include "session/steps.h"
#include "state/draft.h"

/* Tokens of the prompt run between two calls of progress. */
enum { PROMPT_PART = 512 };

typedef hlmi_run run;

static hlm_status check(const run *r)
{
    const hlm_generate_params *p = &r->p;
    if (p->n_prompt && !p->prompt)
        return hlmi_fail(HLM_E_ARG, "hlm_generate: prompt is NULL, n_prompt %zu", p->n_prompt);
    if (p->n_stop_tokens && !p->stop_tokens)
        return hlmi_fail(HLM_E_ARG, "hlm_generate: stop_tokens is NULL, n_stop_tokens %zu", p->n_stop_tokens);
    HLMI_DO(hlmi_list_check(p->n_prompt, "hlm_generate: prompt"));
    HLMI_DO(hlmi_list_check(p->n_stop_tokens, "hlm_generate: stop_tokens"));
    HLMI_DO(hlmi_list_check(p->n_stop, "hlm_generate: stop"));
    if (p->reserved || p->reuse < 0 || p->reuse > 1)
        return hlmi_fail(HLM_E_ARG, "hlm_generate: reuse is %d, reserved %d", (int)p->reuse, (int)p->reserved);
    if (p->n_prompt == 0 && (p->reuse || hlm_cache_length(r->cache) == 0))
        return hlmi_fail(HLM_E_EMPTY, "hlm_generate: no prompt, and the cache is empty");
    return HLM_OK;
}

static hlm_status open_run(run *r, hlm_sampler *sampler)
{
    hlm_model *model = hlmi_ctx_model(r->ctx);
    HLMI_DO(hlmi_text_vocab(r->ctx, "hlm_generate: the model", &r->vocab));
    if (sampler && hlmi_sampler_model(sampler) != model)
        return hlmi_fail(HLM_E_MISMATCH, "hlm_generate: the sampler belongs to another model");
    if (!sampler) HLMI_DO(hlm_sampler_new(&r->own, model, NULL));
    r->sampler = sampler ? sampler : r->own;
    const size_t bytes = r->vocab * sizeof *r->logits;
    r->logits = hlmi_alloc(&r->mem, bytes);
    if (!r->logits) return hlmi_nomem(bytes, "logits");
    if (r->p.speculation) HLMI_DO(hlmi_speculation_open(&r->speculation, r));
    HLMI_DO(hlmi_stop_init(&r->stop, r->p.stop, r->p.n_stop, &r->mem));
    const hlm_status st = hlm_text_stream_new(&r->stream, model, r->p.show_special ? 0 : HLM_DETOKENIZE_SKIP_SPECIAL);
    return st == HLM_E_UNSUPPORTED ? HLM_OK : st; /* no tokenizer: ids without text */
}

static void close_run(run *r)
{
    hlmi_speculation_close(r->speculation);
    hlm_text_stream_free(r->stream);
    hlmi_stop_free(&r->stop);
    hlmi_free(&r->mem, r->logits);
    hlm_sampler_free(r->own);
}

static hlm_status step(run *r, const int32_t *tokens, size_t n, float *logits)
{
    hlm_step one = {.cache = r->cache, .tokens = tokens, .n_tokens = n, .logits = logits, .adapter = r->p.adapter};
    return hlmi_steps_run(r->ctx, &one, 1);
}

static hlm_status tell_progress(const run *r, size_t done)
{
    const hlm_generate_params *p = &r->p;
    if (!p->progress) return HLM_OK;
    int32_t stop;
    HLMI_HOST(stop = p->progress(p->user, done, p->n_prompt));
    if (!stop) return HLM_OK;
    return hlmi_fail(HLM_E_CANCELLED, "hlm_generate: progress stopped it after %zu of %zu prompt tokens", done,
                     p->n_prompt);
}

/* What is left of the prompt; where nothing is, the logits behind what the cache holds. */
static hlm_status run_prompt(run *r)
{
    const hlm_generate_params *p = &r->p;
    size_t done = r->result.n_reused;
    if (done == p->n_prompt) {
        HLMI_DO(hlm_cache_logits(r->ctx, r->cache, r->logits));
        return done ? tell_progress(r, done) : HLM_OK;
    }
    while (done < p->n_prompt) {
        const size_t n = hlmi_min_size(PROMPT_PART, p->n_prompt - done);
        const bool last = done + n == p->n_prompt;
        HLMI_DO(step(r, p->prompt + done, n, last ? r->logits : NULL));
        done += n;
        HLMI_DO(tell_progress(r, done));
    }
    return HLM_OK;
}

bool hlmi_run_ends(const run *r, int32_t token)
{
    if (!r->p.ignore_eos && hlm_model_token_ends(hlmi_ctx_model(r->ctx), token)) return true;
    for (size_t i = 0; i < r->p.n_stop_tokens; i++)
        if (r->p.stop_tokens[i] == token) return true;
    return false;
}

/* True: the callback asks for the end. */
static bool tell_token(const run *r, int32_t token, const char *text, size_t len)
{
    if (!r->p.on_token) return false;
    int32_t stop;
    HLMI_HOST(stop = r->p.on_token(r->p.user, token, text, len));
    return stop != 0;
}

/* The text goes on behind that of the tokens that the cache holds. */
static hlm_status begin_text(run *r)
{
    const size_t n = (size_t)hlm_cache_length(r->cache);
    if (!r->stream || n == 0) return HLM_OK;
    int32_t *ids = hlmi_alloc(&r->mem, n * sizeof *ids);
    if (!ids) return hlmi_nomem(n * sizeof *ids, "the text before an answer");
    hlm_status st = hlm_cache_tokens(r->cache, 0, n, ids);
    if (st == HLM_OK) st = hlm_text_stream_begin(r->stream, ids, n);
    hlmi_free(&r->mem, ids);
    return st;
}

/* What a token makes certain of the text, up to the first stop string; valid until the next call. */
static hlm_status push_text(run *r, int32_t token, const char **text, size_t *len)
{
    if (r->stream) HLMI_DO(hlm_text_stream_push(r->stream, token, text, len));
    return hlmi_stop_feed(&r->stop, *text, *len, text, len);
}

hlm_status hlmi_run_token(run *r, const float *logits, int32_t *token, int32_t *finish)
{
    const char *text = "";
    size_t len = 0;
    HLMI_DO(hlm_sampler_sample(r->sampler, logits, token));
    HLMI_DO(hlm_sampler_accept(r->sampler, *token));
    const bool end = hlmi_run_ends(r, *token);
    if (!end) HLMI_DO(push_text(r, *token, &text, &len));
    if (r->p.tokens && r->result.n_generated < r->p.tokens_cap) r->p.tokens[r->result.n_generated] = *token;
    r->result.n_generated++;
    *finish = HLMI_GO_ON;
    if (r->p.max_tokens && r->result.n_generated >= r->p.max_tokens) *finish = HLM_FINISH_LENGTH;
    if (r->stop.found) *finish = HLM_FINISH_STOP_STRING;
    if (end) *finish = HLM_FINISH_STOP_TOKEN;
    if (tell_token(r, *token, text, len)) *finish = HLM_FINISH_CALLBACK;
    return HLM_OK;
}

static hlm_status generate(run *r)
{
    for (;;) {
        int32_t token;
        HLMI_DO(hlmi_run_token(r, r->logits, &token, &r->result.finish));
        if (r->result.finish != HLMI_GO_ON) return HLM_OK;
        const hlm_status st = step(r, &token, 1, r->logits);
        if (st == HLM_E_FULL) r->result.finish = HLM_FINISH_FULL;
        if (st != HLM_OK) return st == HLM_E_FULL ? HLM_OK : st;
        r->result.n_steps++;
    }
}

/* The last call of the callback, unless it wants to hear no more. */
static hlm_status finish_text(run *r)
{
    if (r->result.finish == HLM_FINISH_CALLBACK) return HLM_OK;
    const char *text = "";
    size_t len = 0;
    const bool goes_on = r->result.finish == HLM_FINISH_LENGTH || r->result.finish == HLM_FINISH_FULL;
    if (r->stream)
        HLMI_DO(goes_on ? hlm_text_stream_cut(r->stream, &text, &len) : hlm_text_stream_finish(r->stream, &text, &len));
    HLMI_DO(hlmi_stop_close(&r->stop, text, len, &text, &len));
    tell_token(r, -1, text, len);
    return HLM_OK;
}

/* The prompt, the answer and its last text, with what they took. */
static hlm_status run_all(run *r)
{
    const uint64_t begin = hlmi_os_now();
    hlm_status st = HLM_OK;
    if (r->p.reuse)
        st = hlmi_cache_reuse_whole(r->cache, r->p.adapter, r->p.prompt, r->p.n_prompt, &r->result.n_reused,
                                    &r->result.n_recomputed);
    if (st == HLM_OK) st = run_prompt(r);
    if (st == HLM_OK) st = begin_text(r);
    const uint64_t middle = hlmi_os_now();
    if (st == HLM_OK) st = r->speculation ? hlmi_speculate(r->speculation) : generate(r);
    if (st == HLM_OK) st = finish_text(r);
    r->result.n_prompt = r->p.n_prompt;
    r->result.prompt_ns = middle - begin;
    r->result.generate_ns = hlmi_os_now() - middle;
    return st;
}

HLMI_CALL(hlm_generate,
          (hlm_context *ctx, hlm_cache *cache, hlm_sampler *sampler, const hlm_generate_params *params,
           hlm_generate_result *result),
          (ctx, cache, sampler, params, result))
{
    if (!ctx || !cache) return hlmi_fail(HLM_E_ARG, "hlm_generate: %s is NULL", ctx ? "cache" : "ctx");
    run r = {.ctx = ctx, .cache = cache, .mem = *hlmi_model_mem(hlmi_ctx_model(ctx))};
    r.result.struct_size = sizeof r.result;
    hlm_status st = HLM_OK;
    HLMI_TRY(hlmi_params_read(&r.p, sizeof r.p, params, "hlm_generate_params"));
    if (result) HLMI_TRY(hlmi_result_check(result, sizeof *result, "hlm_generate_result"));
    HLMI_TRY(check(&r));
    HLMI_TRY(open_run(&r, sampler));
    st = run_all(&r);
    if (st == HLM_E_CANCELLED) r.result.finish = HLM_FINISH_CANCELLED;
    if (result && (st == HLM_OK || st == HLM_E_CANCELLED))
        hlmi_result_write(result, &r.result, sizeof r.result, "hlm_generate_result"); /* checked above */
    if (st == HLM_OK && r.p.reuse) hlmi_cache_remember(cache);
done:
    if (st != HLM_OK) hlmi_ctx_failed(ctx);
    close_run(&r);
    return st;
}
