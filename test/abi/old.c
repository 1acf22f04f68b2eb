/* A program of the first kept header (test/abi/old): every function and every parameter struct of that time, as a
 * program compiled then would use them. It has to run on the newest library.
 *   old MODEL */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hybridlm/hybridlm.h>

static int passed, failed;

static void expect(int ok, const char *what)
{
    if (ok) {
        passed++;
    } else {
        failed++;
        printf("FAIL %s: %s\n", what, hlm_last_error());
    }
}

/* Text around tokens: there and back, in one piece and in many. */
static size_t text(hlm_model *model, int32_t *tokens, size_t cap)
{
    char out[256], streamed[256];
    size_t n = 0, bytes = 0, len = 0, at = 0;
    hlm_text_stream *stream;
    const char *piece;
    expect(hlm_tokenize(model, "one two three", 13, 0, tokens, cap, &n) == HLM_OK && n > 1, "hlm_tokenize");
    expect(hlm_detokenize(model, tokens, n, 0, out, sizeof out, &bytes) == HLM_OK, "hlm_detokenize");
    expect(hlm_text_stream_new(&stream, model, 0) == HLM_OK, "hlm_text_stream_new");
    for (size_t i = 0; i <= n; i++) {
        const hlm_status st = i < n ? hlm_text_stream_push(stream, tokens[i], &piece, &len)
                                    : hlm_text_stream_finish(stream, &piece, &len);
        expect(st == HLM_OK && at + len <= sizeof streamed, "hlm_text_stream");
        memcpy(streamed + at, piece, len);
        at += len;
    }
    expect(at == bytes && memcmp(out, streamed, at) == 0, "streamed text");
    hlm_text_stream_free(stream);
    const hlm_chat_params chat = {.struct_size = sizeof chat, .chat_template = "{{ messages[0]['content'] }}"};
    const char *messages = "[{\"role\": \"user\", \"content\": \"one\"}]";
    int32_t ids[64];
    expect(hlm_chat_render(model, messages, &chat, out, sizeof out, &bytes) == HLM_OK && bytes == 3, "hlm_chat_render");
    expect(hlm_chat_tokenize(model, messages, &chat, ids, 64, &bytes) == HLM_OK, "hlm_chat_tokenize");
    expect(hlm_model_token_ends(model, tokens[0]) == 0, "hlm_model_token_ends");
    return n;
}

static void generate(hlm_model *model, hlm_context *ctx, hlm_cache *cache, const int32_t *tokens, size_t n)
{
    const hlm_logit_bias never = {tokens[0], -100.0f};
    const hlm_logit_bias *bias = &never;
    const hlm_sampler_params how = {.struct_size = sizeof how,
                                    .seed = 7,
                                    .logit_bias = bias,
                                    .n_logit_bias = 1,
                                    .temperature = 0.8f,
                                    .top_k = 20,
                                    .top_p = 0.9f};
    hlm_sampler *sampler, *other;
    expect(hlm_sampler_new(&sampler, model, &how) == HLM_OK, "hlm_sampler_new");
    expect(hlm_sampler_fork(&other, sampler) == HLM_OK, "hlm_sampler_fork");
    expect(hlm_sampler_accept(other, tokens[0]) == HLM_OK, "hlm_sampler_accept");
    int32_t out[4];
    const hlm_generate_params p = {.struct_size = sizeof p,
                                   .prompt = tokens,
                                   .n_prompt = n,
                                   .max_tokens = 4,
                                   .ignore_eos = 1,
                                   .tokens = out,
                                   .tokens_cap = 4};
    hlm_generate_result result = {.struct_size = sizeof result};
    expect(hlm_generate(ctx, cache, sampler, &p, &result) == HLM_OK && result.n_generated == 4, "hlm_generate");
    expect(result.finish == HLM_FINISH_LENGTH && result.n_prompt == n, "hlm_generate_result");
    hlm_sampler_free(sampler);
    hlm_sampler_free(other);
}

static void decode(hlm_model *model, hlm_context *ctx, const int32_t *tokens, size_t n)
{
    hlm_model_info info = {.struct_size = sizeof info};
    expect(hlm_model_info_get(model, &info) == HLM_OK && info.vocab_size > 0, "hlm_model_info_get");
    float *logits = calloc((size_t)info.vocab_size, sizeof *logits);
    float *states = calloc(n * (size_t)info.hidden_size, sizeof *states);
    const hlm_cache_params room = {.struct_size = sizeof room, .max_tokens = 64};
    hlm_cache *cache = NULL, *fork = NULL;
    expect(logits && states && hlm_cache_new(&cache, hlm_ctx_pool(ctx), &room) == HLM_OK, "hlm_cache_new");
    expect(hlm_cache_reserve(cache, 32) == HLM_OK, "hlm_cache_reserve");
    const hlm_hidden hidden = {.struct_size = sizeof hidden, .layer = HLM_HIDDEN_PRE_NORM, .out = states};
    const hlm_hidden *const hiddens[] = {&hidden};
    const hlm_step step = {.struct_size = sizeof step,
                           .cache = cache,
                           .tokens = tokens,
                           .n_tokens = n,
                           .logits = logits,
                           .logit_rows = HLM_ROWS_LAST,
                           .hidden = hiddens,
                           .n_hidden = 1};
    const hlm_step *const steps[] = {&step};
    expect(hlm_decode_step(ctx, steps, 1) == HLM_OK, "hlm_decode_step");
    expect(hlm_cache_length(cache) == (int64_t)n, "hlm_cache_length");
    int32_t first = -1;
    expect(hlm_cache_tokens(cache, 0, 1, &first) == HLM_OK && first == tokens[0], "hlm_cache_tokens");
    expect(hlm_cache_fork(&fork, cache, HLM_NOW) == HLM_OK, "hlm_cache_fork");
    int64_t pending = -1;
    expect(hlm_cache_rewind(fork, 1, &pending) == HLM_OK && pending >= 0, "hlm_cache_rewind");
    generate(model, ctx, fork, tokens + 1, n - 1);
    hlm_pool_info bytes = {.struct_size = sizeof bytes};
    expect(hlm_pool_info_get(hlm_ctx_pool(ctx), &bytes) == HLM_OK && bytes.used_bytes, "hlm_pool_info_get");
    expect(bytes.held_bytes >= bytes.used_bytes, "hlm_pool_info");
    const hlm_score_params text = {.struct_size = sizeof text, .tokens = tokens, .n_tokens = n};
    hlm_score_result score = {.struct_size = sizeof score};
    expect(hlm_score(ctx, &text, &score) == HLM_OK && score.sum < 0 && score.n_scored == n - 1, "hlm_score");
    const hlm_embed_params mean = {.struct_size = sizeof mean, .tokens = tokens, .n_tokens = n, .normalise = 1};
    expect(hlm_embed(ctx, &mean, states) == HLM_OK, "hlm_embed");
    const hlm_reuse_params reuse = {.struct_size = sizeof reuse, .tokens = tokens, .n_tokens = n};
    size_t reused = 0;
    expect(hlm_cache_reuse(cache, &reuse, &reused, NULL) == HLM_OK && reused == n - 1, "hlm_cache_reuse");
    expect(hlm_decode_step(ctx, steps, 0) == HLM_E_EMPTY && hlm_ctx_error(ctx)[0], "hlm_ctx_error");
    hlm_cache_free(cache);
    hlm_cache_free(fork);
    free(logits);
    free(states);
}

int main(int argc, char **argv)
{
    if (argc != 2) return 2;
    int32_t tokens[64];
    hlm_model *model;
    hlm_pool *pool;
    hlm_context *ctx;
    expect(hlm_abi_version() == HLM_ABI_VERSION && hlm_version()[0], "hlm_abi_version");
    const hlm_model_params load = {.struct_size = sizeof load, .flags = HLM_LOAD_READ, .cpu = "ref"};
    if (hlm_model_load(&model, argv[1], &load) != HLM_OK) {
        printf("%s\n0 passed, 1 failed\n", hlm_last_error());
        return 1;
    }
    hlm_memory_plan_info plan = {.struct_size = sizeof plan};
    const hlm_plan_params two = {.struct_size = sizeof two, .n_sequences = 2, .n_tokens = 64};
    expect(hlm_model_plan_memory(model, &two, &plan) == HLM_OK && plan.total >= plan.weights, "hlm_model_plan_memory");
    const hlm_pool_params pages = {.struct_size = sizeof pages, .kv_type = HLM_TYPE_F32, .page_tokens = 16};
    expect(hlm_pool_new(&pool, model, &pages) == HLM_OK, "hlm_pool_new");
    const hlm_ctx_params one = {.struct_size = sizeof one, .n_threads = 1, .max_rows = 8, .pool = pool};
    expect(hlm_ctx_new(&ctx, model, &one) == HLM_OK, "hlm_ctx_new");
    if (!failed) {
        const size_t n = text(model, tokens, 64);
        decode(model, ctx, tokens, n);
    }
    hlm_model_release(model);
    hlm_pool_release(pool);
    hlm_ctx_free(ctx);
    printf("%d passed, %d failed\n", passed, failed);
    return failed ? 1 : 0;
}
