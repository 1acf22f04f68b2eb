/* Memory tokens: computed once a pool, before every text, and in none of the counts that callers see. test_prefix
 * FOLDER, with the models of test/data/models. */
#define _GNU_SOURCE 1
#include "api_help.h"

enum { N = 30, MEMORY = 6 };

static const char *models;

typedef struct world {
    hlm_model *model;
    hlm_pool *pool;
    hlm_context *ctx;
    size_t vocab, hidden;
    int32_t ids[N];
} world;

static void open_world(world *w, uint32_t flags, int32_t page_tokens, size_t max_rows)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/hymba-options", models);
    memset(w, 0, sizeof *w);
    const hlm_model_params mp = {.struct_size = sizeof mp, .flags = flags};
    const hlm_pool_params pp = {.struct_size = sizeof pp, .page_tokens = page_tokens};
    hlm_model_info info = {.struct_size = sizeof info};
    OK(hlm_model_load(&w->model, path, &mp));
    OK(hlm_model_info_get(w->model, &info));
    OK(hlm_pool_new(&w->pool, w->model, &pp));
    const hlm_ctx_params cp = {.struct_size = sizeof cp, .n_threads = 2, .max_rows = max_rows, .pool = w->pool};
    OK(hlm_ctx_new(&w->ctx, w->model, &cp));
    w->vocab = (size_t)info.vocab_size;
    w->hidden = (size_t)info.hidden_size;
    for (size_t i = 0; i < N; i++) w->ids[i] = (int32_t)((i * i * 31 + i * 7 + 3) % w->vocab);
}

static void close_world(world *w)
{
    hlm_ctx_free(w->ctx);
    hlm_pool_release(w->pool);
    hlm_model_release(w->model);
}

static hlm_cache *cache_of(const world *w, int64_t max_tokens)
{
    hlm_cache *c = NULL;
    const hlm_cache_params p = {.struct_size = sizeof p, .max_tokens = max_tokens};
    OK(hlm_cache_new(&c, w->pool, &p));
    return c;
}

static hlm_status step(const world *w, hlm_cache *c, size_t from, size_t n, float *logits)
{
    const hlm_step one = {.struct_size = sizeof one,
                          .cache = c,
                          .tokens = w->ids + from,
                          .n_tokens = n,
                          .logits = logits ? logits + from * w->vocab : NULL,
                          .logit_rows = HLM_ROWS_ALL};
    const hlm_step *const steps[] = {&one};
    return hlm_decode_step(w->ctx, steps, 1);
}

static float *floats(size_t n)
{
    float *p = calloc(n, sizeof *p);
    ck_assert_ptr_nonnull(p);
    return p;
}

/* Logits of the whole text in one step. */
static float *plain(const world *w)
{
    float *out = floats(N * w->vocab);
    hlm_cache *c = cache_of(w, N);
    OK(step(w, c, 0, N, out));
    hlm_cache_free(c);
    return out;
}

START_TEST(counts_leave_it_out)
{
    world w;
    int32_t ids[N];
    int64_t pending = -1;
    open_world(&w, 0, 0, 0);
    hlm_cache *c = cache_of(&w, N), *fork = NULL;
    ck_assert_int_eq(hlm_cache_length(c), 0);
    int64_t marks[2];
    size_t n = 0;
    OK(hlm_cache_mark(c)); /* where the text begins, before anything stands there */
    OK(step(&w, c, 0, 20, NULL));
    OK(hlm_cache_marks(c, marks, 2, &n));
    ck_assert_uint_ge(n, 1);
    ck_assert_int_eq(marks[0], 0);
    ck_assert_int_eq(hlm_cache_unmark(c, INT64_MAX), HLM_E_ARG);
    OK(hlm_cache_unmark(c, 0));
    ck_assert_int_eq(hlm_cache_length(c), 20);
    OK(hlm_cache_tokens(c, 0, 20, ids));
    ck_assert_mem_eq(ids, w.ids, 20 * sizeof *ids);
    ck_assert_int_eq(hlm_cache_tokens(c, 0, 21, ids), HLM_E_ARG);
    OK(step(&w, c, 20, 10, NULL)); /* max_tokens of text fit */
    ck_assert_int_eq(step(&w, c, 0, 1, NULL), HLM_E_FULL);
    ck_assert_int_eq(hlm_cache_fork(&fork, c, N + 1), HLM_E_ARG);
    OK(hlm_cache_rewind(c, 0, &pending));
    ck_assert_int_eq(hlm_cache_length(c), 0);
    ck_assert_int_eq(pending, 0); /* the state behind the memory tokens is the pool's */
    OK(hlm_cache_fork(&fork, c, 0));
    ck_assert_int_eq(hlm_cache_length(fork), 0);
    OK(step(&w, fork, 0, 5, NULL));
    hlm_cache_free(fork);
    hlm_cache_free(c);
    close_world(&w);
}
END_TEST

/* Cuts, pages of every size, small tiles, rewinds and forks: the same bits. */
START_TEST(same_bits)
{
    world w;
    open_world(&w, 0, 0, 0);
    float *want = plain(&w);
    close_world(&w);
    for (int32_t page = 1; page <= 16; page *= 2) {
        open_world(&w, 0, page, page % 3 ? 5 : 0);
        float *got = floats(N * w.vocab);
        hlm_cache *c = cache_of(&w, N), *late = cache_of(&w, N), *fork = NULL;
        OK(hlm_cache_reserve(late, page > 2 ? N : 3));
        for (size_t at = 0; at < N; at += 3) OK(step(&w, c, at, 3, got));
        ck_assert_mem_eq(got, want, N * w.vocab * sizeof *got);
        OK(hlm_cache_fork(&fork, c, 7));
        OK(step(&w, fork, 7, N - 7, got));
        ck_assert_mem_eq(got + 7 * w.vocab, want + 7 * w.vocab, (N - 7) * w.vocab * sizeof *got);
        OK(hlm_cache_rewind(c, 0, NULL));
        OK(step(&w, c, 0, N, got));
        ck_assert_mem_eq(got, want, N * w.vocab * sizeof *got);
        OK(step(&w, late, 0, N, got));
        ck_assert_mem_eq(got, want, N * w.vocab * sizeof *got);
        hlm_cache_free(fork);
        hlm_cache_free(late);
        hlm_cache_free(c);
        free(got);
        close_world(&w);
    }
    free(want);
}
END_TEST

/* The first n floats of a tensor of a safetensors file. */
static void read_floats(const char *path, const char *name, float *out, size_t n)
{
    char key[64];
    unsigned long long header = 0, from = 0;
    FILE *f = fopen(path, "rb");
    ck_assert_ptr_nonnull(f);
    ck_assert(fread(&header, sizeof header, 1, f) == 1 && header < 1 << 20);
    char *text = calloc(1, header + 1);
    ck_assert_ptr_nonnull(text);
    ck_assert(fread(text, 1, header, f) == header);
    snprintf(key, sizeof key, "\"%s\"", name);
    const char *at = strstr(text, key);
    ck_assert_ptr_nonnull(at);
    at = strstr(at, "data_offsets\":[");
    ck_assert(at && sscanf(at, "data_offsets\":[%llu", &from) == 1);
    ck_assert(fseek(f, (long)(sizeof header + header + from), SEEK_SET) == 0);
    ck_assert(fread(out, sizeof *out, n, f) == n);
    free(text);
    fclose(f);
}

/* A caller that runs the memory tokens itself gets the same bits. */
START_TEST(by_hand)
{
    world w;
    open_world(&w, 0, 0, 0);
    float *want = plain(&w), *memory = floats(MEMORY * w.hidden);
    close_world(&w);
    open_world(&w, HLM_LOAD_NO_MEMORY_TOKENS, 0, 0);
    char path[1024];
    snprintf(path, sizeof path, "%s/hymba-options/golden.safetensors", models);
    read_floats(path, "hidden.0", memory, MEMORY * w.hidden); /* what layer 0 reads: the memory tokens first */
    float *got = floats(N * w.vocab);
    hlm_cache *c = cache_of(&w, N + MEMORY);
    const hlm_step rows = {.struct_size = sizeof rows, .cache = c, .embeddings = memory, .n_tokens = MEMORY};
    const hlm_step *const steps[] = {&rows};
    OK(hlm_decode_step(w.ctx, steps, 1));
    ck_assert_int_eq(hlm_cache_length(c), MEMORY);
    OK(step(&w, c, 0, N, got));
    ck_assert_mem_eq(got, want, N * w.vocab * sizeof *got);
    hlm_cache_free(c);
    free(got);
    free(memory);
    free(want);
    close_world(&w);
}
END_TEST

/* Weights of the text's positions only: what the memory tokens take is missing from the sums. */
START_TEST(attention_weights)
{
    enum { HEADS = 4 };
    world w;
    open_world(&w, 0, 0, 0);
    for (int32_t layer = 0; layer < 3; layer++) {
        float *out = floats(HEADS * N * N + 1);
        out[HEADS * N * N] = 42.0f;
        hlm_cache *c = cache_of(&w, N);
        const hlm_attention a = {.struct_size = sizeof a, .layer = layer, .out = out};
        const hlm_attention *const list[] = {&a};
        const hlm_step one = {
            .struct_size = sizeof one, .cache = c, .tokens = w.ids, .n_tokens = N, .attention = list, .n_attention = 1};
        const hlm_step *const steps[] = {&one};
        OK(hlm_decode_step(w.ctx, steps, 1));
        for (size_t row = 0; row < HEADS * N; row++) {
            float sum = 0.0f;
            for (size_t key = 0; key < N; key++) {
                const float v = out[row * N + key];
                const bool seen = key <= row % N && (layer == 0 || row % N - key <= 7);
                ck_assert_msg(seen ? v > 0.0f : v == 0.0f, "layer %d row %zu key %zu: %g", (int)layer, row, key,
                              (double)v);
                sum += v;
            }
            ck_assert(sum > 0.0f && sum < 0.9999f);
        }
        ck_assert(out[HEADS * N * N] == 42.0f);
        hlm_cache_free(c);
        free(out);
    }
    close_world(&w);
}
END_TEST

/* The state at the beginning is the one behind the memory tokens, once a step has run in the pool. */
START_TEST(state_at_the_beginning)
{
    world w;
    open_world(&w, 0, 0, 0);
    size_t n = 0, m = 0;
    hlm_cache *a = cache_of(&w, N), *b = cache_of(&w, N);
    OK(hlm_cache_state(a, 0, HLM_STATE_SCAN, NULL, 0, &n));
    ck_assert(n > 0);
    float *first = floats(n), *second = floats(n);
    REFUSED(hlm_cache_state(a, 0, HLM_STATE_SCAN, first, n, &m), HLM_E_UNREACHABLE);
    OK(step(&w, b, 0, 4, NULL));
    OK(hlm_cache_state(a, 0, HLM_STATE_SCAN, first, n, &m));
    OK(hlm_cache_rewind(b, 0, NULL));
    OK(hlm_cache_state(b, 0, HLM_STATE_SCAN, second, n, &m));
    ck_assert_mem_eq(first, second, n * sizeof *first);
    bool zeros = true;
    for (size_t i = 0; i < n; i++) zeros = zeros && first[i] == 0.0f;
    ck_assert(!zeros);
    free(first);
    free(second);
    hlm_cache_free(a);
    hlm_cache_free(b);
    close_world(&w);
}
END_TEST

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: test_prefix FOLDER\n");
        return 2;
    }
    models = argv[1];
    TCase *t = tcase_create("memory tokens");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, counts_leave_it_out);
    tcase_add_test(t, same_bits);
    tcase_add_test(t, by_hand);
    tcase_add_test(t, attention_weights);
    tcase_add_test(t, state_at_the_beginning);
    return api_main("prefix", t);
}
