/* hlm_cache_logits: the logits of a step once more, from wherever a position comes, and what it refuses. test_logits
 * FOLDER, with the models of test/data/models. */
#define _POSIX_C_SOURCE 200809L
#include "snapshot_help.h"

static const char *folder;

/* A Transformer, hybrids, one with a prefix, convolutions alone, and a head of classes. */
static const char *const models[] = {"tiny-llama.gguf", "falcon-h1-options", "hymba-options", "lfm2",
                                     "persimmon-seqcls"};
enum { N_MODELS = sizeof models / sizeof *models, TRANSFORMER = 0, HYBRID = 1, CLASSES = N_MODELS - 1 };

typedef struct row {
    float *at;
    size_t n;
} row;

static row make_row(const world *w)
{
    const row r = {calloc(w->width, sizeof(float)), w->width};
    ck_assert_ptr_nonnull(r.at);
    return r;
}

static bool equal(row a, row b)
{
    return memcmp(a.at, b.at, a.n * sizeof *a.at) == 0;
}

/* What the step that ran the first n tokens of the text would have given. */
static void of_step(const world *w, size_t n, row want)
{
    hlm_cache *c = NULL;
    OK(hlm_cache_new(&c, w->pool, NULL));
    add(w, c, n, want.at);
    hlm_cache_free(c);
}

/* Twice, and the sequence is what it was. */
static void check_logits(const world *w, hlm_cache *c, const char *where)
{
    const row want = make_row(w), got = make_row(w);
    hlm_cache *before = NULL;
    const int64_t length = hlm_cache_length(c);
    OK(hlm_cache_fork(&before, c, HLM_NOW));
    of_step(w, (size_t)length, want);
    for (int i = 0; i < 2; i++) {
        memset(got.at, 0, got.n * sizeof *got.at);
        OK(hlm_cache_logits(w->ctx, c, got.at));
        ck_assert_msg(equal(got, want), "other logits %s, at %d", where, (int)length);
        ck_assert_int_eq(hlm_cache_length(c), length);
        ck_assert_int_eq(hlm_cache_pending(c), 0);
    }
    same_at(w, before, w, c, HLM_NOW);
    if (length > 5) same_at(w, before, w, c, length - 5);
    hlm_cache_free(before);
    free(want.at);
    free(got.at);
}

START_TEST(from_everywhere)
{
    const hlm_pool_params pp = small_pool();
    world w = open_world(folder, models[_i], NULL, &pp);
    static const int64_t at[] = {HLM_NOW, MARKED, TEXT - 1, TEXT - 3, 11, 8, 1};
    hlm_cache *c = told(&w), *f = NULL;
    for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
        OK(hlm_cache_fork(&f, c, at[i]));
        const bytes b = saved(f);
        check_logits(&w, f, "of a fork");
        hlm_cache_free(f);
        OK(hlm_cache_load_memory(&f, w.pool, b.data, b.n, 0));
        check_logits(&w, f, "of a snapshot");
        hlm_cache_free(f);
        free(b.data);
    }
    check_logits(&w, c, "of a step");
    OK(hlm_cache_rewind(c, MARKED, NULL));
    check_logits(&w, c, "of a mark");
    hlm_cache_free(c);
    close_world(&w);
}
END_TEST

START_TEST(refused)
{
    const hlm_pool_params pp = small_pool();
    world w = open_world(folder, models[_i], NULL, &pp), v = other_pool(&w, &pp);
    hlm_cache *c = told(&w), *none = NULL;
    const row got = make_row(&w);
    int32_t id = 1, done = 0;
    OK(hlm_cache_new(&none, w.pool, NULL));
    REFUSED(hlm_cache_logits(NULL, c, got.at), HLM_E_ARG);
    REFUSED(hlm_cache_logits(w.ctx, NULL, got.at), HLM_E_ARG);
    REFUSED(hlm_cache_logits(w.ctx, c, NULL), HLM_E_ARG);
    REFUSED(hlm_cache_logits(w.ctx, none, got.at), HLM_E_EMPTY);
    ck_assert_str_eq(hlm_ctx_error(w.ctx), hlm_last_error());
    REFUSED(hlm_cache_logits(v.ctx, c, got.at), HLM_E_MISMATCH);
    const hlm_step s = one_step(c, &id, 1, NULL);
    const hlm_step *const steps[] = {&s};
    const hlm_ctx_params cp = {.struct_size = sizeof cp, .n_threads = 1, .pool = w.pool};
    hlm_context *second = NULL;
    OK(hlm_ctx_new(&second, w.model, &cp));
    OK(hlm_step_begin(w.ctx, steps, 1));
    REFUSED(hlm_cache_logits(w.ctx, none, got.at), HLM_E_BUSY); /* the context */
    REFUSED(hlm_cache_logits(second, c, got.at), HLM_E_BUSY); /* the cache */
    while (!done) OK(hlm_step_run(w.ctx, 1000, &done));
    OK(hlm_cache_logits(second, c, got.at));
    hlm_ctx_free(second);
    free(got.at);
    hlm_cache_free(none);
    hlm_cache_free(c);
    close_world(&v);
    close_world(&w);
}
END_TEST

/* A cancelled call changes nothing, whether the head alone would have run or more. */
START_TEST(cancelled)
{
    const hlm_pool_params pp = small_pool();
    world w = open_world(folder, models[_i], NULL, &pp);
    static const int64_t at[] = {HLM_NOW, TEXT - 2, 13};
    hlm_cache *c = told(&w), *f = NULL;
    const row got = make_row(&w);
    for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
        OK(hlm_cache_fork(&f, c, at[i]));
        const int64_t pending = hlm_cache_pending(f);
        const uint64_t before = used(&w);
        hlm_ctx_cancel(w.ctx);
        REFUSED(hlm_cache_logits(w.ctx, f, got.at), HLM_E_CANCELLED);
        ck_assert_int_eq(hlm_cache_pending(f), pending);
        ck_assert_uint_eq(used(&w), before);
        check_logits(&w, f, "after a cancelled call");
        hlm_cache_free(f);
    }
    free(got.at);
    hlm_cache_free(c);
    close_world(&w);
}
END_TEST

/* Takes what a capped pool still has, in states that nobody gives up. */
static void fill(const world *w, hlm_cache *c)
{
    int32_t id = 1;
    const hlm_step s = one_step(c, &id, 1, NULL);
    while (run_step(w->ctx, &s) == HLM_OK) OK(hlm_cache_mark(c));
}

static size_t marks_of(hlm_cache *c)
{
    size_t n = 0;
    const hlm_status st = hlm_cache_marks(c, NULL, 0, &n);
    ck_assert(st == HLM_OK || st == HLM_E_SPACE);
    return n;
}

/* At the pool's cap automatic marks go; when there are none and the call fails, it changes nothing. */
START_TEST(at_the_cap)
{
    hlm_pool_params pp = small_pool();
    world w = open_world(folder, models[_i], NULL, &pp);
    hlm_cache *c = told(&w);
    pp.max_bytes = 2 * used(&w);
    world v = other_pool(&w, &pp);
    const row want = make_row(&w), got = make_row(&w);
    of_step(&w, TEXT - 2, want);
    hlm_cache_free(c);
    c = told(&v);
    OK(hlm_cache_rewind(c, TEXT - 2, NULL));
    ck_assert_uint_gt(marks_of(c), 1);
    hlm_cache *rest = NULL;
    OK(hlm_cache_new(&rest, v.pool, NULL));
    fill(&v, rest);
    OK(hlm_cache_logits(v.ctx, c, got.at));
    ck_assert(equal(got, want));
    ck_assert_uint_eq(marks_of(c), 1); /* the one that was set by hand */
    OK(hlm_cache_rewind(c, TEXT - 3, NULL));
    fill(&v, rest);
    const uint64_t before = used(&v);
    if (hlm_cache_logits(v.ctx, c, got.at) != HLM_OK) ck_assert_uint_eq(used(&v), before);
    ck_assert_int_eq(hlm_cache_length(c), TEXT - 3);
    hlm_cache_free(rest);
    check_logits(&v, c, "after a full pool");
    hlm_cache_free(c);
    free(want.at);
    free(got.at);
    close_world(&v);
    close_world(&w);
}
END_TEST

/* Embeddings can not be run again; a row that was kept is there all the same. */
START_TEST(behind_embeddings)
{
    const hlm_pool_params pp = {
        .struct_size = sizeof pp, .page_tokens = 4, .mark_stride = -1, .undo_tokens = -1}; /* no state in between */
    const bool recurrent = _i != TRANSFORMER;
    world w = open_world(folder, models[_i], NULL, &pp);
    const size_t hidden = hlm_model_hidden_width(w.model, HLM_HIDDEN_STREAM);
    const row want = make_row(&w), got = make_row(&w);
    float *rows = calloc(3 * hidden, sizeof *rows);
    for (size_t i = 0; i < 3 * hidden; i++) rows[i] = (float)(i % 17) * 0.01f;
    hlm_cache *c = NULL, *f = NULL;
    OK(hlm_cache_new(&c, w.pool, NULL));
    hlm_step s = one_step(c, NULL, 3, want.at);
    s.embeddings = rows;
    OK(run_step(w.ctx, &s));
    if (recurrent) {
        OK(hlm_cache_logits(w.ctx, c, got.at));
        ck_assert(equal(got, want));
    } else {
        REFUSED(hlm_cache_logits(w.ctx, c, got.at), HLM_E_UNREACHABLE);
    }
    OK(hlm_cache_fork(&f, c, 2));
    REFUSED(hlm_cache_logits(w.ctx, f, got.at), HLM_E_UNREACHABLE);
    hlm_cache_free(f);
    add(&w, c, 2, want.at);
    OK(hlm_cache_logits(w.ctx, c, got.at));
    ck_assert(equal(got, want));
    hlm_cache_free(c);
    free(rows);
    free(want.at);
    free(got.at);
    close_world(&w);
}
END_TEST

/* An answer that is tried again runs nothing of the prompt where the state behind it is there. */
START_TEST(tried_again)
{
    enum { ANSWER = 6 };
    const hlm_pool_params pp = small_pool();
    world w = open_world(folder, models[_i], NULL, &pp);
    int32_t prompt[TEXT], ids[2][ANSWER];
    for (size_t i = 0; i < TEXT; i++) prompt[i] = (int32_t)((i * i * 13 + i + 2) % w.vocab);
    hlm_generate_params p = {.struct_size = sizeof p,
                             .prompt = prompt,
                             .n_prompt = TEXT,
                             .max_tokens = ANSWER,
                             .tokens_cap = ANSWER,
                             .ignore_eos = 1,
                             .reuse = 1};
    hlm_generate_result r = {.struct_size = sizeof r};
    for (int i = 0; i < 4; i++) { /* the same sequence twice, others in which the pool's prefix cache has the text */
        hlm_cache *c = NULL;
        OK(hlm_cache_new(&c, w.pool, NULL));
        for (int k = 0; k < 2; k++) {
            p.tokens = ids[i + k > 0];
            OK(hlm_generate(w.ctx, c, NULL, &p, &r));
            ck_assert_mem_eq(ids[i + k > 0], ids[0], sizeof *ids);
            const bool known = i + k > 0, whole = _i != TRANSFORMER;
            ck_assert_uint_eq(r.n_reused, known ? TEXT - !whole : 0);
            ck_assert_uint_eq(r.n_recomputed, 0);
            ck_assert_int_eq(hlm_cache_length(c), TEXT + ANSWER - 1);
        }
        hlm_cache_free(c);
    }
    close_world(&w);
}
END_TEST

int main(int argc, char **argv)
{
    if (argc != 2) return 2;
    folder = argv[1];
    TCase *t = tcase_create("logits");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, from_everywhere, 0, N_MODELS);
    tcase_add_loop_test(t, refused, 0, N_MODELS);
    tcase_add_loop_test(t, cancelled, 0, N_MODELS);
    tcase_add_loop_test(t, at_the_cap, HYBRID, CLASSES);
    tcase_add_loop_test(t, behind_embeddings, 0, CLASSES);
    tcase_add_loop_test(t, tried_again, 0, CLASSES);
    return api_main("logits", t);
}
