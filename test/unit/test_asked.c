/* What callers can ask of a step besides logits: embeddings in place of ids, attention weights, pooled vectors, labels.
 * test_asked FOLDER, with the models of test/data/models. */
#define _GNU_SOURCE 1
#include "api_help.h"
#include "../calls.h"

#include <math.h>

enum { N = 40 };

static const char *models;

typedef struct asked {
    hlm_model *model;
    hlm_pool *pool;
    hlm_context *ctx;
    hlm_model_info info;
    int32_t ids[N];
} asked;

static void open_model(asked *a, const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", models, name);
    memset(a, 0, sizeof *a);
    const hlm_model_params mp = {.struct_size = sizeof mp, .activations = HLM_ACTIVATIONS_F32};
    const hlm_ctx_params cp = {.struct_size = sizeof cp, .n_threads = 2, .max_rows = 16};
    a->info.struct_size = sizeof a->info;
    OK(hlm_model_load(&a->model, path, &mp));
    OK(hlm_ctx_new(&a->ctx, a->model, &cp));
    OK(hlm_model_info_get(a->model, &a->info));
    a->pool = hlm_ctx_pool(a->ctx);
    for (size_t i = 0; i < N; i++) a->ids[i] = (int32_t)((i * i * 31 + i * 7 + 3) % (size_t)a->info.vocab_size);
}

static void close_model(asked *a)
{
    hlm_ctx_free(a->ctx);
    hlm_model_release(a->model);
}

static float *floats(size_t n)
{
    float *p = calloc(n, sizeof *p);
    ck_assert_ptr_nonnull(p);
    return p;
}

static hlm_cache *cache_of(asked *a)
{
    hlm_cache *c = NULL;
    OK(hlm_cache_new(&c, a->pool, NULL));
    return c;
}

/* Rows of layer 0's input, given back as embeddings, make the same step. */
START_TEST(embeddings_are_rows_of_layer_0)
{
    asked a;
    open_model(&a, "qwen3");
    const size_t vocab = (size_t)a.info.vocab_size, size = (size_t)a.info.hidden_size;
    float *rows = floats(N * size), *want = floats(N * vocab), *got = floats(N * vocab);
    hlm_cache *c = cache_of(&a), *d = cache_of(&a);
    const hlm_hidden h = {.struct_size = sizeof h, .layer = 0, .out = rows};
    const hlm_hidden *const list[] = {&h};
    hlm_step s = one_step(c, a.ids, N, want);
    s.logit_rows = HLM_ROWS_ALL;
    s.hidden = list;
    s.n_hidden = 1;
    OK(run_step(a.ctx, &s));
    /* the first half as ids, the second as embeddings */
    s = one_step(d, a.ids, N / 2, got);
    s.logit_rows = HLM_ROWS_ALL;
    OK(run_step(a.ctx, &s));
    s = one_step(d, NULL, N / 2, got + N / 2 * vocab);
    s.logit_rows = HLM_ROWS_ALL;
    s.embeddings = rows + N / 2 * size;
    OK(run_step(a.ctx, &s));
    ck_assert_int_eq(memcmp(got, want, N * vocab * sizeof *got), 0);
    int32_t held[2];
    OK(hlm_cache_tokens(d, N / 2 - 1, 2, held));
    ck_assert_int_eq(held[0], a.ids[N / 2 - 1]);
    ck_assert_int_eq(held[1], HLM_TOKEN_NONE);
    s.tokens = a.ids; /* both */
    REFUSED(run_step(a.ctx, &s), HLM_E_ARG);
    hlm_cache_free(c);
    hlm_cache_free(d);
    free(rows);
    free(want);
    free(got);
    close_model(&a);
}
END_TEST

static void ask_attention(asked *a, hlm_cache *c, size_t at, size_t n, int32_t layer, float *out)
{
    const hlm_attention want = {.struct_size = sizeof want, .layer = layer, .out = out};
    const hlm_attention *const list[] = {&want};
    hlm_step s = one_step(c, a->ids + at, n, NULL);
    s.attention = list;
    s.n_attention = 1;
    OK(run_step(a->ctx, &s));
}

/* Weights of each row sum to 1 over what its window shows and are 0 elsewhere; cuts do not change them. */
static void check_attention(const char *name, size_t window)
{
    asked a;
    open_model(&a, name);
    const size_t heads = (size_t)a.info.n_heads;
    float *whole = floats(heads * N * N), *part = floats(heads * N * N);
    for (int32_t layer = 0; layer < a.info.n_layers; layer++) {
        hlm_cache *c = cache_of(&a), *d = cache_of(&a);
        ask_attention(&a, c, 0, N, layer, whole);
        for (size_t row = 0; row < heads * N; row++) {
            const size_t pos = row % N;
            double sum = 0;
            for (size_t key = 0; key < N; key++) {
                const double w = (double)whole[row * N + key];
                if (key > pos || (window && pos - key >= window)) ck_assert(w == 0.0);
                else ck_assert(w > 0.0);
                sum += w;
            }
            ck_assert_msg(fabs(sum - 1.0) < 1e-5, "row %zu sums to %g", row, sum);
        }
        hlm_step s = one_step(d, a.ids, N - 3, NULL);
        OK(run_step(a.ctx, &s));
        ask_attention(&a, d, N - 3, 3, layer, part);
        for (size_t h = 0; h < heads; h++)
            ck_assert_int_eq(memcmp(part + h * 3 * N, whole + (h * N + N - 3) * N, 3 * N * sizeof *part), 0);
        hlm_cache_free(c);
        hlm_cache_free(d);
    }
    float out[1];
    const hlm_attention bad = {.struct_size = sizeof bad, .layer = a.info.n_layers, .out = out};
    const hlm_attention *const list[] = {&bad};
    hlm_cache *c = cache_of(&a);
    hlm_step s = one_step(c, a.ids, 1, NULL);
    s.attention = list;
    s.n_attention = 1;
    REFUSED(run_step(a.ctx, &s), HLM_E_ARG);
    hlm_cache_free(c);
    free(whole);
    free(part);
    close_model(&a);
}

START_TEST(attention_weights)
{
    check_attention("llama3", 0);
    check_attention("mistral", 24);
}
END_TEST

START_TEST(pooled_vectors)
{
    asked a;
    open_model(&a, "llama3");
    const size_t size = (size_t)a.info.hidden_size;
    float *rows = floats(N * size), *got = floats(size);
    hlm_cache *c = cache_of(&a);
    const hlm_hidden h = {.struct_size = sizeof h, .layer = a.info.n_layers, .out = rows};
    const hlm_hidden *const list[] = {&h};
    hlm_step s = one_step(c, a.ids, N, NULL);
    s.hidden = list;
    s.n_hidden = 1;
    OK(run_step(a.ctx, &s));
    OK(call_embed(a.ctx, a.ids, N, HLM_EMBED_LAST, 0, got));
    ck_assert_int_eq(memcmp(got, rows + (N - 1) * size, size * sizeof *got), 0);
    OK(call_embed(a.ctx, a.ids, N, HLM_EMBED_FIRST, 0, got));
    ck_assert_int_eq(memcmp(got, rows, size * sizeof *got), 0);
    OK(call_embed(a.ctx, a.ids, N, HLM_EMBED_MEAN, 0, got));
    for (size_t i = 0; i < size; i++) {
        double mean = 0;
        for (size_t t = 0; t < N; t++) mean += (double)rows[t * size + i] / (double)N;
        ck_assert(fabs((double)got[i] - mean) < 1e-6);
    }
    OK(call_embed(a.ctx, a.ids, N, HLM_EMBED_MEAN, 1, got));
    double square = 0;
    for (size_t i = 0; i < size; i++) square += (double)got[i] * (double)got[i];
    ck_assert(fabs(square - 1.0) < 1e-5);
    REFUSED(call_embed(a.ctx, a.ids, 0, HLM_EMBED_MEAN, 0, got), HLM_E_EMPTY);
    REFUSED(call_embed(a.ctx, a.ids, N, 3, 0, got), HLM_E_ARG);
    REFUSED(call_embed(a.ctx, a.ids, N, 0, 2, got), HLM_E_ARG);
    hlm_cache_free(c);
    free(rows);
    free(got);
    close_model(&a);
}
END_TEST

START_TEST(labels)
{
    asked a;
    open_model(&a, "llama3");
    float plain[N - 1], got[N - 1];
    double sum = 0, all = 0;
    size_t count = 0;
    int32_t wanted[N];
    OK(call_score(a.ctx, a.ids, N, plain, &all));
    for (size_t i = 0; i < N; i++) wanted[i] = i % 3 == 0 ? -100 : a.ids[i];
    OK(call_score_labels(a.ctx, a.ids, wanted, N, got, &sum, &count));
    double expected = 0;
    size_t rated = 0;
    for (size_t i = 1; i < N; i++) {
        ck_assert(got[i - 1] == (i % 3 == 0 ? 0.0f : plain[i - 1]));
        if (i % 3 == 0) continue;
        expected += (double)plain[i - 1];
        rated++;
    }
    ck_assert_uint_eq(count, rated);
    ck_assert(fabs(sum - expected) < 1e-4);
    wanted[5] = a.info.vocab_size;
    REFUSED(call_score_labels(a.ctx, a.ids, wanted, N, got, &sum, &count), HLM_E_TOKEN);
    close_model(&a);
}
END_TEST

START_TEST(classes_are_no_text)
{
    asked a;
    open_model(&a, "llama-tokcls");
    ck_assert_int_eq(a.info.head, HLM_HEAD_TOKEN);
    ck_assert_int_eq(a.info.n_labels, 5);
    ck_assert_str_eq(hlm_model_label(a.model, 4), "LABEL_4");
    ck_assert_ptr_null(hlm_model_label(a.model, 5));
    ck_assert_ptr_null(hlm_model_label(a.model, -1));
    hlm_cache *c = cache_of(&a);
    const hlm_generate_params p = {.struct_size = sizeof p, .prompt = a.ids, .n_prompt = 3, .max_tokens = 1};
    REFUSED(hlm_generate(a.ctx, c, NULL, &p, NULL), HLM_E_UNSUPPORTED);
    REFUSED(call_score(a.ctx, a.ids, N, NULL, NULL), HLM_E_UNSUPPORTED);
    hlm_cache_free(c);
    close_model(&a);
}
END_TEST

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: test_asked FOLDER\n");
        return 2;
    }
    models = argv[1];
    TCase *t = tcase_create("what can be asked for");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, embeddings_are_rows_of_layer_0);
    tcase_add_test(t, attention_weights);
    tcase_add_test(t, pooled_vectors);
    tcase_add_test(t, labels);
    tcase_add_test(t, classes_are_no_text);
    return api_main("asked", t);
}
