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
    hlm_status st = hlmi_list_check(p->n_prompt, "hlm_generate: prompt");
    if (st == HLM_OK) st = hlmi_list_check(p->n_stop_tokens, "hlm_generate: stop_tokens");
    if (st == HLM_OK) st = hlmi_list_check(p->n_stop, "hlm_generate: stop");
    if (st != HLM_OK) return st;
    if (p->reserved || p->reuse < 0 || p->reuse > 1)
        return hlmi_fail(HLM_E_ARG, "hlm_generate: reuse is %d, reserved %d", (int)p->reuse, (int)p->reserved);
    if (p->n_prompt == 0 && (p->reuse || hlm_cache_length(r->cache) == 0))
        return hlmi_fail(HLM_E_EMPTY, "hlm_generate: no prompt, and the cache is empty");
    return HLM_OK;
}

static hlm_status open_run(run *r, hlm_sampler *sampler)
{
    hlm_model *model = hlmi_ctx_model(r->ctx);
    hlm_model_info info = {.struct_size = sizeof info};
    hlm_status st = hlm_model_info_get(model, &info);
    if (st != HLM_OK) return st;
    st = hlmi_needs_text(&info, "hlm_generate: the model");
    if (st != HLM_OK) return st;
    if (sampler && hlmi_sampler_model(sampler) != model)
        return hlmi_fail(HLM_E_MISMATCH, "hlm_generate: the sampler belongs to another model");
    r->sampler = sampler;
    if (!sampler) {
        st = hlm_sampler_new(&r->own, model, NULL);
        if (st != HLM_OK) return st;
        r->sampler = r->own;
    }
    const size_t bytes = (size_t)info.vocab_size * sizeof *r->logits;
    r->logits = hlmi_alloc(&r->mem, bytes);
    if (!r->logits) return hlmi_nomem(bytes, "logits");
    if (r->p.speculation) st = hlmi_speculation_open(&r->speculation, r, (size_t)info.vocab_size);
    if (st != HLM_OK) return st;
    const uint32_t flags = r->p.show_special ? 0 : HLM_DETOKENIZE_SKIP_SPECIAL;
    return hlmi_output_init(&r->output, model, flags, r->p.stop, r->p.n_stop, &r->mem);
}

static void close_run(run *r)
{
    hlmi_speculation_close(r->speculation);
    hlmi_output_free(&r->output);
    hlmi_free(&r->mem, r->logits);
    hlm_sampler_free(r->own);
}

static hlm_status step(run *r, hlm_cache *cache, const int32_t *tokens, size_t n, float *logits)
{
    const hlm_step one = {.struct_size = sizeof one,
                          .cache = cache,
                          .tokens = tokens,
                          .n_tokens = n,
                          .logits = logits,
                          .logit_rows = HLM_ROWS_LAST,
                          .adapter = r->p.adapter};
    const hlm_step *const steps[1] = {&one};
    return hlm_decode_step(r->ctx, steps, 1);
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
        const hlm_status st = hlm_cache_logits(r->ctx, r->cache, r->logits);
        return st == HLM_OK && done ? tell_progress(r, done) : st;
    }
    while (done < p->n_prompt) {
        const size_t n = hlmi_min_size(PROMPT_PART, p->n_prompt - done);
        const bool last = done + n == p->n_prompt;
        hlm_status st = step(r, r->cache, p->prompt + done, n, last ? r->logits : NULL);
        if (st != HLM_OK) return st;
        done += n;
        st = tell_progress(r, done);
        if (st != HLM_OK) return st;
    }
    return HLM_OK;
}

bool hlmi_run_ends(const run *r, int32_t token)
{
    if (!r->p.ignore_eos && hlm_model_token_ends(hlmi_ctx_model(r->ctx), token)) return true;
    for (size_t i = 0; i < r->p.n_stop_tokens; i++) {
        if (r->p.stop_tokens[i] == token) return true;
    }
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

hlm_status hlmi_run_token(run *r, const float *logits, int32_t *token, int32_t *finish)
{
    hlm_status st = hlm_sampler_sample(r->sampler, logits, token);
    if (st == HLM_OK) st = hlm_sampler_accept(r->sampler, *token);
    if (st != HLM_OK) return st;
    const char *text = "";
    size_t len = 0;
    const bool end = hlmi_run_ends(r, *token);
    if (!end) st = hlmi_output_push(&r->output, *token, &text, &len);
    if (st != HLM_OK) return st;
    if (r->p.tokens && r->result.n_generated < r->p.tokens_cap) r->p.tokens[r->result.n_generated] = *token;
    r->result.n_generated++;
    *finish = HLMI_GO_ON;
    if (r->p.max_tokens && r->result.n_generated >= r->p.max_tokens) *finish = HLM_FINISH_LENGTH;
    if (r->output.stop.found) *finish = HLM_FINISH_STOP_STRING;
    if (end) *finish = HLM_FINISH_STOP_TOKEN;
    if (tell_token(r, *token, text, len)) *finish = HLM_FINISH_CALLBACK;
    return HLM_OK;
}

static hlm_status generate(run *r)
{
    for (;;) {
        int32_t token;
        hlm_status st = hlmi_run_token(r, r->logits, &token, &r->result.finish);
        if (st != HLM_OK || r->result.finish != HLMI_GO_ON) return st;
        st = step(r, r->cache, &token, 1, r->logits);
        if (st == HLM_E_FULL) {
            r->result.finish = HLM_FINISH_FULL;
            return HLM_OK;
        }
        if (st != HLM_OK) return st;
        r->result.n_steps++;
    }
}

/* The last call of the callback, unless it wants to hear no more. */
static hlm_status finish_text(run *r)
{
    if (r->result.finish == HLM_FINISH_CALLBACK) return HLM_OK;
    const char *text;
    size_t len;
    const bool goes_on = r->result.finish == HLM_FINISH_LENGTH || r->result.finish == HLM_FINISH_FULL;
    hlm_status st = hlmi_output_finish(&r->output, goes_on, &text, &len);
    if (st == HLM_OK) tell_token(r, -1, text, len);
    return st;
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
    if (st == HLM_OK) st = hlmi_output_begin(&r->output, r->cache, &r->mem);
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
    if (result) HLMI_TRY(hlmi_result_check(result, "hlm_generate_result"));
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
