/* Bad use of the public API: each mistake has its status and a sentence, and changes nothing. test_api FOLDER, with the
 * models of test/data/models. */
#define _GNU_SOURCE 1
#include "api_help.h"
#include "../calls.h"

static char path[1024];

/* ---- steps ---- */

typedef struct mistake {
    const char *what;
    hlm_status want;
    hlm_step step;
} mistake;

static void refuse_step(api *a, const hlm_step *s, hlm_status want, const char *what)
{
    /* alone, and behind a good one */
    hlm_cache *other = NULL;
    OK(hlm_cache_fork(&other, a->cache, HLM_NOW));
    static const int32_t token = 3;
    const hlm_step good = one_step(other, &token, 1, NULL);
    const hlm_step *const alone[] = {s}, *const both[] = {&good, s};
    for (size_t n = 1; n <= 2; n++) {
        const hlm_status st = hlm_decode_step(a->ctx, n == 1 ? alone : both, n);
        ck_assert_msg(st == want, "%s: %s, expected %s (%s)", what, hlm_status_name(st), hlm_status_name(want),
                      hlm_last_error());
        ck_assert_str_eq(hlm_ctx_error(a->ctx), hlm_last_error());
        char name[16];
        snprintf(name, sizeof name, "steps[%zu]", n - 1);
        ck_assert_msg(strstr(hlm_last_error(), name) || !s || s->struct_size != sizeof *s, "%s: %s", what,
                      hlm_last_error());
        ck_assert_int_eq(hlm_cache_length(other), HELD);
        unchanged(a);
    }
    hlm_cache_free(other);
}

START_TEST(bad_steps)
{
    api a;
    api_open(&a, path, NULL);
    hlm_pool *pool = NULL;
    hlm_model *model = NULL;
    hlm_cache *of_pool = NULL, *of_model = NULL;
    hlm_context *ctx = NULL;
    OK(hlm_pool_new(&pool, a.model, NULL));
    OK(hlm_cache_new(&of_pool, pool, NULL));
    OK(hlm_model_load(&model, path, NULL));
    OK(hlm_ctx_new(&ctx, model, NULL));
    OK(hlm_cache_new(&of_model, hlm_ctx_pool(ctx), NULL));
    static const int32_t good[7] = {1, 2, 3, 4, 5, 6, 7}, negative[2] = {1, -1}, large[2] = {VOCAB, 1};
    static const size_t back[2] = {1, 0}, twice[2] = {1, 1}, behind[2] = {0, 2};
    static float out[2 * HIDDEN * VOCAB];
    const hlm_hidden h_large = {.struct_size = sizeof h_large, .layer = LAYERS + 1, .out = out};
    const hlm_hidden h_small = {.struct_size = sizeof h_small, .layer = -2, .out = out};
    const hlm_hidden h_null = {.struct_size = sizeof h_null};
    const hlm_hidden h_size = {.out = out};
    const hlm_hidden *const hidden[][1] = {{NULL}, {&h_large}, {&h_small}, {&h_null}, {&h_size}};
    const hlm_step base = one_step(a.cache, good, 2, out);
#define STEP(status, ...)                      \
  do {                                         \
    hlm_step s = base;                         \
    __VA_ARGS__;                               \
    refuse_step(&a, &s, status, #__VA_ARGS__); \
  } while (0)
    STEP(HLM_E_ARG, s.cache = NULL);
    STEP(HLM_E_ARG, s.tokens = NULL);
    STEP(HLM_E_EMPTY, s.n_tokens = 0);
    STEP(HLM_E_TOKEN, s.tokens = negative);
    STEP(HLM_E_TOKEN, s.tokens = large);
    STEP(HLM_E_FULL, s.n_tokens = 7);
    STEP(HLM_E_MISMATCH, s.cache = of_pool);
    STEP(HLM_E_MISMATCH, s.cache = of_model);
    STEP(HLM_E_ARG, s.struct_size = 0);
    STEP(HLM_E_ARG, s.struct_size = 4);
    STEP(HLM_E_ARG, s.reserved = 1);
    STEP(HLM_E_ARG, s.logit_rows = 3);
    STEP(HLM_E_ARG, s.logit_rows = -1);
    STEP(HLM_E_ARG, s.logit_rows = HLM_ROWS_LIST; s.n_rows = 1);
    STEP(HLM_E_ARG, s.logit_rows = HLM_ROWS_LIST; s.n_rows = 2; s.rows = back);
    STEP(HLM_E_ARG, s.logit_rows = HLM_ROWS_LIST; s.n_rows = 2; s.rows = twice);
    STEP(HLM_E_ARG, s.logit_rows = HLM_ROWS_LIST; s.n_rows = 2; s.rows = behind);
    STEP(HLM_E_ARG, s.n_hidden = 1);
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++) STEP(HLM_E_ARG, s.n_hidden = 1; s.hidden = hidden[i]);
#undef STEP
    hlm_cache_free(of_pool);
    hlm_cache_free(of_model);
    hlm_pool_release(pool);
    hlm_ctx_free(ctx);
    hlm_model_release(model);
    api_close(&a);
}
END_TEST

START_TEST(bad_batches)
{
    api a;
    api_open(&a, path, NULL);
    static const int32_t token = 1;
    const hlm_step s = one_step(a.cache, &token, 1, NULL);
    const hlm_step *const twice[] = {&s, &s}, *const none[] = {NULL};
    REFUSED(hlm_decode_step(NULL, twice, 1), HLM_E_ARG);
    REFUSED(hlm_decode_step(a.ctx, NULL, 1), HLM_E_ARG);
    REFUSED(hlm_decode_step(a.ctx, none, 1), HLM_E_ARG);
    REFUSED(hlm_decode_step(a.ctx, NULL, 0), HLM_E_EMPTY);
    REFUSED(hlm_decode_step(a.ctx, twice, 2), HLM_E_BUSY);
    unchanged(&a);
    api_close(&a);
}
END_TEST

/* A caller compiled against a newer header. */
START_TEST(larger_structs)
{
    api a;
    api_open(&a, path, NULL);
    static const int32_t token = 7;
    struct {
        hlm_step s;
        char more[24];
    } large = {.s = one_step(a.cache, &token, 1, NULL)};
    float got[VOCAB];
    large.s.struct_size = sizeof large;
    large.s.logits = got;
    large.more[23] = 1;
    refuse_step(&a, &large.s, HLM_E_UNSUPPORTED, "a field this library does not know");
    large.more[23] = 0;
    OK(run_step(a.ctx, &large.s));
    ck_assert_mem_eq(got, a.want, sizeof got);
    struct {
        hlm_model_info i;
        char more[16];
    } info = {.i.struct_size = sizeof info};
    memset(info.more, 7, sizeof info.more);
    OK(hlm_model_info_get(a.model, &info.i));
    ck_assert_int_eq(info.i.vocab_size, VOCAB);
    ck_assert_int_eq(info.more[15], 0);
    api_close(&a);
}
END_TEST

/* ---- everything else ---- */

START_TEST(bad_models)
{
    hlm_model *m = (hlm_model *)(void *)path;
    char missing[1100];
    snprintf(missing, sizeof missing, "%s-not-there", path);
    REFUSED(hlm_model_load(NULL, path, NULL), HLM_E_ARG);
    REFUSED(hlm_model_load(&m, NULL, NULL), HLM_E_ARG);
    REFUSED(hlm_model_load(&m, "", NULL), HLM_E_ARG);
    ck_assert_ptr_null(m);
    REFUSED(hlm_model_load(&m, missing, NULL), HLM_E_IO);
    ck_assert_ptr_nonnull(strstr(hlm_last_error(), missing));
    const hlm_vfs no_open = {.struct_size = sizeof no_open};
    const hlm_allocator no_alloc = {.struct_size = sizeof no_alloc};
    const hlm_log no_log = {.struct_size = 4};
#define PARAMS(status, ...)                         \
  do {                                              \
    hlm_model_params p = {.struct_size = sizeof p}; \
    __VA_ARGS__;                                    \
    REFUSED(hlm_model_load(&m, path, &p), status);  \
    ck_assert_ptr_null(m);                          \
  } while (0)
    PARAMS(HLM_E_ARG, p.struct_size = 0);
    PARAMS(HLM_E_UNSUPPORTED, p.flags = 1u << 30);
    PARAMS(HLM_E_ARG, p.activations = 2);
    PARAMS(HLM_E_UNSUPPORTED, p.cpu = "avx");
    ck_assert_ptr_nonnull(strstr(hlm_last_error(), "'avx'"));
    PARAMS(HLM_E_UNSUPPORTED, p.cpu = "");
    PARAMS(HLM_E_ARG, p.vfs = &no_open);
    PARAMS(HLM_E_ARG, p.allocator = &no_alloc);
    PARAMS(HLM_E_ARG, p.log = &no_log);
#undef PARAMS
    REFUSED(hlm_model_info_get(NULL, NULL), HLM_E_ARG);
    hlm_model_release(NULL);
    hlm_model_retain(NULL);
}
END_TEST

/* Everything that is told of a model, without its weights. */
START_TEST(headers)
{
    hlm_model *m = NULL, *whole = NULL;
    hlm_context *ctx = NULL;
    hlm_pool *pool = NULL;
    hlm_adapter *adapter = NULL;
    hlm_model_info a = {.struct_size = sizeof a}, b = a;
    hlm_memory_plan_info plan = {.struct_size = sizeof plan}, same = plan;
    hlm_weight_info w = {.struct_size = sizeof w, .n_weights = 1}, v = w;
    const hlm_model_params p = {.struct_size = sizeof p, .flags = HLM_LOAD_HEADERS};
    uint64_t parameters = 0, bytes = 0;
    OK(hlm_model_load(&m, path, &p));
    OK(hlm_model_load(&whole, path, NULL));
    REFUSED(hlm_ctx_new(&ctx, m, NULL), HLM_E_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(hlm_last_error(), "HLM_LOAD_HEADERS"));
    REFUSED(hlm_pool_new(&pool, m, NULL), HLM_E_UNSUPPORTED);
    REFUSED(hlm_adapter_load(&adapter, m, path, NULL), HLM_E_UNSUPPORTED);
    OK(hlm_model_info_get(m, &a));
    OK(hlm_model_info_get(whole, &b));
    ck_assert(a.n_parameters == b.n_parameters && a.weight_bytes == b.weight_bytes && a.vocab_size == VOCAB);
    OK(hlm_model_plan_memory(m, NULL, &plan));
    OK(hlm_model_plan_memory(whole, NULL, &same));
    ck_assert_mem_eq(&plan, &same, sizeof plan);
    for (size_t i = 0; i < w.n_weights; i++) {
        OK(hlm_model_weight(m, i, &w));
        OK(hlm_model_weight(whole, i, &v));
        ck_assert(w.bytes == v.bytes && w.rows == v.rows && w.layer < a.n_layers && w.unit > 0 && *w.role && *w.block);
        parameters += w.rows * (w.cols ? w.cols : 1);
        bytes += w.bytes;
    }
    ck_assert(parameters == a.n_parameters && bytes == a.weight_bytes);
    REFUSED(hlm_model_weight(m, w.n_weights, &w), HLM_E_ARG);
    REFUSED(hlm_model_weight(NULL, 0, &w), HLM_E_ARG);
    hlm_model_release(m);
    hlm_model_release(whole);
}
END_TEST

START_TEST(vocab_only)
{
    hlm_model *m = NULL;
    hlm_context *ctx = NULL;
    hlm_pool *pool = NULL;
    hlm_memory_plan_info plan = {.struct_size = sizeof plan};
    const hlm_model_params p = {.struct_size = sizeof p, .flags = HLM_LOAD_VOCAB_ONLY};
    OK(hlm_model_load(&m, path, &p));
    REFUSED(hlm_ctx_new(&ctx, m, NULL), HLM_E_UNSUPPORTED);
    REFUSED(hlm_pool_new(&pool, m, NULL), HLM_E_UNSUPPORTED);
    REFUSED(hlm_model_plan_memory(m, NULL, &plan), HLM_E_UNSUPPORTED);
    hlm_weight_info weight = {.struct_size = sizeof weight};
    REFUSED(hlm_model_weight(m, 0, &weight), HLM_E_UNSUPPORTED);
    int32_t ids[64];
    size_t n = 0;
    OK(hlm_tokenize(m, "hello", 5, 0, ids, 64, &n));
    ck_assert_uint_gt(n, 0);
    hlm_model_release(m);
}
END_TEST

START_TEST(bad_objects)
{
    api a;
    api_open(&a, path, NULL);
    hlm_context *ctx = NULL;
    hlm_pool *pool = NULL;
    hlm_cache *cache = NULL;
    hlm_model *other = NULL;
    OK(hlm_model_load(&other, path, NULL));
#define CTX(status, model, ...)                    \
  do {                                             \
    hlm_ctx_params p = {.struct_size = sizeof p};  \
    __VA_ARGS__;                                   \
    REFUSED(hlm_ctx_new(&ctx, model, &p), status); \
    ck_assert_ptr_null(ctx);                       \
  } while (0)
    const hlm_executor no_for = {.struct_size = sizeof no_for};
    CTX(HLM_E_ARG, NULL, (void)p);
    CTX(HLM_E_ARG, a.model, p.n_threads = -1);
    CTX(HLM_E_ARG, a.model, p.n_threads = 100000);
    CTX(HLM_E_ARG, a.model, p.max_rows = SIZE_MAX);
    CTX(HLM_E_ARG, a.model, p.reserved = 1);
    CTX(HLM_E_ARG, a.model, p.executor = &no_for);
    CTX(HLM_E_MISMATCH, other, p.pool = a.pool);
#undef CTX
#define POOL(...)                                         \
  do {                                                    \
    hlm_pool_params p = {.struct_size = sizeof p};        \
    __VA_ARGS__;                                          \
    REFUSED(hlm_pool_new(&pool, a.model, &p), HLM_E_ARG); \
    ck_assert_ptr_null(pool);                             \
  } while (0)
    POOL(p.page_tokens = 3);
    POOL(p.page_tokens = -4);
    POOL(p.page_tokens = 8192);
    POOL(p.kv_type = 9);
    POOL(p.kv_type = -1);
    POOL(p.state_type = HLM_TYPE_INT8);
    POOL(p.state_type = -1);
    POOL(p.reserved = 1);
    POOL(p.struct_size = 1);
#undef POOL
    const hlm_cache_params negative = {.struct_size = sizeof negative, .max_tokens = -1};
    REFUSED(hlm_cache_new(&cache, NULL, NULL), HLM_E_ARG);
    REFUSED(hlm_cache_new(&cache, a.pool, &negative), HLM_E_ARG);
    REFUSED(hlm_cache_fork(&cache, NULL, 0), HLM_E_ARG);
    REFUSED(hlm_cache_fork(&cache, a.cache, HELD + 1), HLM_E_ARG);
    REFUSED(hlm_cache_fork(&cache, a.cache, -2), HLM_E_ARG);
    ck_assert_ptr_null(cache);
    REFUSED(hlm_cache_rewind(NULL, 0, NULL), HLM_E_ARG);
    ck_assert_int_eq(hlm_cache_pending(NULL), 0);
    REFUSED(hlm_cache_logits(a.ctx, NULL, a.want), HLM_E_ARG);
    REFUSED(hlm_cache_rewind(a.cache, -1, NULL), HLM_E_ARG);
    REFUSED(hlm_cache_rewind(a.cache, HELD + 1, NULL), HLM_E_ARG);
    REFUSED(hlm_cache_reserve(NULL, 1), HLM_E_ARG);
    REFUSED(hlm_cache_reserve(a.cache, -1), HLM_E_ARG);
    REFUSED(hlm_cache_reserve(a.cache, ROOM + 1), HLM_E_FULL);
    REFUSED(hlm_cache_reserve(a.cache, INT64_MAX), HLM_E_FULL);
    int32_t ids[ROOM];
    REFUSED(hlm_cache_tokens(a.cache, HELD, 1, ids), HLM_E_ARG);
    REFUSED(hlm_cache_tokens(a.cache, -1, 1, ids), HLM_E_ARG);
    REFUSED(hlm_cache_tokens(a.cache, 1, SIZE_MAX, ids), HLM_E_ARG);
    REFUSED(hlm_cache_tokens(a.cache, 0, 1, NULL), HLM_E_ARG);
    ck_assert_int_eq(hlm_cache_length(NULL), 0);
    const hlm_plan_params huge = {.struct_size = sizeof huge, .n_sequences = SIZE_MAX, .n_tokens = INT64_MAX};
    hlm_memory_plan_info plan = {.struct_size = sizeof plan};
    REFUSED(hlm_model_plan_memory(a.model, &huge, &plan), HLM_E_ARG);
    const hlm_plan_params int8_states = {.struct_size = sizeof int8_states, .state_type = HLM_TYPE_INT8};
    REFUSED(hlm_model_plan_memory(a.model, &int8_states, &plan), HLM_E_ARG);
    OK(hlm_model_plan_memory(a.model, NULL, &plan));
    ck_assert_uint_eq(plan.total, plan.weights + plan.state + plan.scratch);
    unchanged(&a);
    hlm_model_release(other);
    api_close(&a);
}
END_TEST

START_TEST(bad_text)
{
    api a;
    api_open(&a, path, NULL);
    int32_t ids[64];
    char text[64];
    size_t n = 0, need = 0;
    OK(hlm_tokenize(a.model, "hello world", 11, 0, ids, 64, &need));
    REFUSED(hlm_tokenize(a.model, "hello world", 11, 0, ids, 1, &n), HLM_E_SPACE);
    ck_assert_uint_eq(n, need);
    REFUSED(hlm_tokenize(a.model, "hello world", 11, 0, NULL, 0, &n), HLM_E_SPACE);
    REFUSED(hlm_tokenize(a.model, NULL, 1, 0, ids, 64, &n), HLM_E_ARG);
    REFUSED(hlm_tokenize(a.model, "x", 1, 0, NULL, 64, &n), HLM_E_ARG);
    REFUSED(hlm_tokenize(a.model, "x", 1, 0, ids, 64, NULL), HLM_E_ARG);
    REFUSED(hlm_tokenize(NULL, "x", 1, 0, ids, 64, &n), HLM_E_ARG);
    REFUSED(hlm_tokenize(a.model, "x", 1, 1u << 9, ids, 64, &n), HLM_E_UNSUPPORTED);
    OK(hlm_tokenize(a.model, NULL, 0, 0, NULL, 0, &n));
    REFUSED(hlm_detokenize(a.model, ids, need, 0, text, 2, &n), HLM_E_SPACE);
    ck_assert_uint_ge(n, 11);
    const int32_t bad[2] = {-1, VOCAB};
    for (size_t i = 0; i < 2; i++) {
        const char *piece = NULL;
        hlm_text_stream *s = NULL;
        REFUSED(hlm_detokenize(a.model, &bad[i], 1, 0, text, 64, &n), HLM_E_TOKEN);
        OK(hlm_text_stream_new(&s, a.model, 0));
        REFUSED(hlm_text_stream_push(s, bad[i], &piece, &n), HLM_E_TOKEN);
        OK(hlm_text_stream_push(s, ids[0], &piece, &n));
        REFUSED(hlm_text_stream_push(s, ids[0], NULL, &n), HLM_E_ARG);
        hlm_text_stream_free(s);
        ck_assert_int_eq(hlm_model_token_ends(a.model, bad[i]), 0);
        REFUSED(call_score(a.ctx, (int32_t[]){1, bad[i]}, 2, NULL, NULL), HLM_E_TOKEN);
    }
    REFUSED(call_score(a.ctx, ids, 1, NULL, NULL), HLM_E_ARG);
    REFUSED(call_score(NULL, ids, 2, NULL, NULL), HLM_E_ARG);
    const char *const hi = "[{\"role\": \"user\", \"content\": \"hi\"}]";
    hlm_chat_params chat = {.struct_size = sizeof chat,
                            .chat_template = "{{ messages[0].content }}, {{ messages|length }}"};
    OK(hlm_chat_render(a.model, hi, &chat, text, sizeof text, &n));
    ck_assert_uint_eq(n, 5);
    REFUSED(hlm_chat_render(a.model, hi, &chat, text, 4, &n), HLM_E_SPACE);
    ck_assert_uint_eq(n, 5);
    REFUSED(hlm_chat_render(a.model, "[{", &chat, text, 64, &n), HLM_E_FORMAT);
    REFUSED(hlm_chat_render(a.model, NULL, &chat, text, 64, &n), HLM_E_ARG);
    chat.flags = 1u << 8;
    REFUSED(hlm_chat_render(a.model, hi, &chat, text, 64, &n), HLM_E_UNSUPPORTED);
    chat.flags = 0;
    chat.chat_template = "{{ raise_exception('no') }}";
    REFUSED(hlm_chat_render(a.model, hi, &chat, text, 64, &n), HLM_E_TEMPLATE);
    unchanged(&a);
    api_close(&a);
}
END_TEST

START_TEST(bad_generate)
{
    api a;
    api_open(&a, path, NULL);
    hlm_model *other = NULL;
    hlm_sampler *sampler = NULL;
    hlm_cache *empty = NULL;
    OK(hlm_model_load(&other, path, NULL));
    OK(hlm_sampler_new(&sampler, other, NULL));
    OK(hlm_cache_new(&empty, a.pool, NULL));
    const int32_t bad = VOCAB, good = 1;
    hlm_generate_params p = {.struct_size = sizeof p, .max_tokens = 1};
    REFUSED(hlm_generate(NULL, a.cache, NULL, &p, NULL), HLM_E_ARG);
    REFUSED(hlm_generate(a.ctx, NULL, NULL, &p, NULL), HLM_E_ARG);
    REFUSED(hlm_generate(a.ctx, a.cache, sampler, &p, NULL), HLM_E_MISMATCH);
    REFUSED(hlm_generate(a.ctx, empty, NULL, &p, NULL), HLM_E_EMPTY);
    p.n_prompt = 1;
    REFUSED(hlm_generate(a.ctx, a.cache, NULL, &p, NULL), HLM_E_ARG);
    p.prompt = &bad;
    REFUSED(hlm_generate(a.ctx, a.cache, NULL, &p, NULL), HLM_E_TOKEN);
    ck_assert_str_eq(hlm_ctx_error(a.ctx), hlm_last_error());
    p.prompt = &good;
    p.n_stop = 1;
    REFUSED(hlm_generate(a.ctx, a.cache, NULL, &p, NULL), HLM_E_ARG);
    unchanged(&a);
    hlm_cache_free(empty);
    hlm_sampler_free(sampler);
    hlm_model_release(other);
    api_close(&a);
}
END_TEST

/* ---- what stops a step ---- */

START_TEST(cancel_before)
{
    api a;
    api_open(&a, path, NULL);
    static const int32_t token = 3;
    const hlm_step s = one_step(a.cache, &token, 1, NULL);
    for (int i = 0; i < 3; i++) {
        hlm_ctx_cancel(a.ctx);
        REFUSED(run_step(a.ctx, &s), HLM_E_CANCELLED);
        unchanged(&a);
    }
    hlm_ctx_cancel(NULL);
    api_close(&a);
}
END_TEST

/* An executor that does what it is told at its k-th call. */
typedef struct job_system {
    size_t calls, at;
    bool fail;
    hlm_context *cancel;
} job_system;

static int32_t run_jobs(void *user, size_t n, hlm_task *task, void *arg)
{
    job_system *j = user;
    if (++j->calls == j->at) {
        if (j->fail) return 1;
        hlm_ctx_cancel(j->cancel);
    }
    while (n--) task(arg, n);
    return 0;
}

START_TEST(stopped_anywhere)
{
    api a;
    job_system j = {0};
    const hlm_executor e = {.struct_size = sizeof e, .user = &j, .parallel_for = run_jobs};
    api_open(&a, path, &e);
    int32_t tokens[ROOM - HELD];
    for (size_t i = 0; i < ROOM - HELD; i++) tokens[i] = token_at(HELD + i);
    const hlm_step s = one_step(a.cache, tokens, ROOM - HELD, NULL);
    hlm_status st = HLM_E_CANCELLED;
    for (size_t at = 1; st != HLM_OK; at++) {
        j = (job_system){.at = at, .fail = _i == 0, .cancel = a.ctx};
        st = run_step(a.ctx, &s);
        if (st == HLM_OK) break;
        ck_assert_int_eq(st, HLM_E_CANCELLED);
        j = (job_system){0};
        unchanged(&a);
    }
    ck_assert_int_eq(hlm_cache_length(a.cache), ROOM);
    api_close(&a);
}
END_TEST

#define MADE(type, call)                \
  do {                                  \
    type *out_ = (type *)(void *)&out_; \
    type **out = &out_;                 \
    ck_assert_int_eq(call, HLM_E_ARG);  \
    ck_assert_msg(!out_, #call);        \
    out = NULL;                         \
    ck_assert_int_eq(call, HLM_E_ARG);  \
  } while (0)

/* What makes a handle sets it to NULL when it fails, also for want of an argument; and can do without `out`. */
START_TEST(nothing_is_made)
{
    MADE(hlm_model, hlm_model_load(out, NULL, NULL));
    MADE(hlm_adapter, hlm_adapter_load(out, NULL, "x", NULL));
    MADE(hlm_adapter, hlm_adapter_join(out, NULL, 1));
    MADE(hlm_pool, hlm_pool_new(out, NULL, NULL));
    MADE(hlm_context, hlm_ctx_new(out, NULL, NULL));
    MADE(hlm_cache, hlm_cache_new(out, NULL, NULL));
    MADE(hlm_cache, hlm_cache_fork(out, NULL, 0));
    MADE(hlm_cache, hlm_cache_load(out, NULL, "x", 0));
    MADE(hlm_cache, hlm_cache_load_from(out, NULL, NULL, 0));
    MADE(hlm_cache, hlm_cache_load_memory(out, NULL, "x", 1, 0));
    MADE(hlm_sampler, hlm_sampler_new(out, NULL, NULL));
    MADE(hlm_sampler, hlm_sampler_fork(out, NULL));
    MADE(hlm_text_stream, hlm_text_stream_new(out, NULL, 0));
}
END_TEST

int main(int argc, char **argv)
{
    if (argc < 2) return 2;
    snprintf(path, sizeof path, "%s/tiny-llama", argv[1]);
    TCase *t = tcase_create("bad use");
    tcase_add_test(t, bad_steps);
    tcase_add_test(t, bad_batches);
    tcase_add_test(t, larger_structs);
    tcase_add_test(t, nothing_is_made);
    tcase_add_test(t, bad_models);
    tcase_add_test(t, headers);
    tcase_add_test(t, vocab_only);
    tcase_add_test(t, bad_objects);
    tcase_add_test(t, bad_text);
    tcase_add_test(t, bad_generate);
    tcase_add_test(t, cancel_before);
    tcase_add_loop_test(t, stopped_anywhere, 0, 2);
    return api_main("api", t);
}
