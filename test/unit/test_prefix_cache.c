/* The prefix cache through its public calls: against a list of texts, under budgets, with failing memory, from threads.
 * test_prefix_cache FOLDER, with the models of test/data/models. */
#define _GNU_SOURCE 1
#include "prefix_help.h"
#include "../calls.h"

#include <pthread.h>

/* What was added: a text, and where states of it were kept; without recurrence everywhere. */
typedef struct text {
    int32_t ids[LONG];
    size_t n;
    bool state[LONG + 1];
} text;

/* Runs a text by way of what can be reused, adds it, and says in *t what that must have left in the tree. */
static void add_text(world *w, hlm_cache *c, text *t, bool rec)
{
    int64_t marks[LONG];
    size_t reused, pending, n;
    OK(call_reuse(c, NULL, t->ids, t->n, &reused, &pending));
    run_ids(w, c, t->ids + reused, t->n - reused, NULL);
    OK(hlm_prefix_add(c));
    OK(hlm_cache_marks(c, marks, LONG, &n));
    for (size_t i = 0; i <= t->n; i++) t->state[i] = !rec;
    for (size_t i = 0; i < n; i++) t->state[marks[i]] = true;
    t->state[t->n] = true;
}

/* The longest beginning of [n - 1] in the list, and the last state at or before its end. */
static void expected(const text *list, size_t n_list, const int32_t *ids, size_t n, size_t *common, size_t *state)
{
    *common = *state = 0;
    for (size_t i = 0; i < n_list; i++) {
        size_t k = 0, s;
        while (k < list[i].n && k + 1 < n && list[i].ids[k] == ids[k]) k++;
        for (s = k; s > 0 && !list[i].state[s]; s--) {
        }
        if (k > *common) *common = k;
        if (s > *state) *state = s;
    }
    if (*state == 0) *common = 0;
}

START_TEST(longest_beginning)
{
    for (size_t m = 0; m < n_names; m++) {
        world w;
        static text list[TEXTS];
        open_world(&w, names[m], 0, 0);
        hlm_cache *writer = new_cache(&w);
        for (size_t i = 0; i < TEXTS; i++) {
            int32_t ids[LONG];
            size_t common, state, reused, pending;
            const size_t n = random_text(&w, ids);
            hlm_cache *c = new_cache(&w);
            expected(list, i, ids, n, &common, &state);
            OK(call_reuse(c, NULL, ids, n, &reused, &pending));
            ck_assert_msg(reused == common && reused - pending == state, "%s: %zu - %zu, expected %zu - %zu", names[m],
                          reused, pending, common, common - state);
            if (i % 4 == 0) check_logits(&w, c, ids, n, reused);
            hlm_cache_free(c);
            list[i].n = random_text(&w, list[i].ids);
            add_text(&w, writer, &list[i], recurrent(names[m]));
        }
        hlm_cache_free(writer);
        close_world(&w);
    }
}
END_TEST

START_TEST(bytes_are_what_the_pool_has)
{
    for (size_t m = 0; m < n_names; m++) {
        world w;
        text t;
        uint64_t used = 0;
        open_world(&w, names[m], 0, 0);
        for (size_t i = 0; i < TEXTS; i++) {
            hlm_cache *c = new_cache(&w);
            t.n = random_text(&w, t.ids);
            add_text(&w, c, &t, true);
            OK(hlm_prefix_add(c)); /* again: nothing */
            hlm_cache_free(c);
            OK(call_usage(w.pool, &used, NULL));
            ck_assert_uint_eq(used, info_of(&w).bytes);
        }
        hlm_prefix_info info = info_of(&w);
        ck_assert(info.nodes > TEXTS / 2 && info.tokens > info.nodes && info.lookups == TEXTS && info.hits > 0);
        ck_assert(info.evicted_tokens == 0 && info.max_bytes == (uint64_t)512 << 20);
        ck_assert(recurrent(names[m]) ? info.states >= info.nodes / 2 : info.states == 0);
        OK(hlm_prefix_clear(w.pool));
        info = info_of(&w);
        ck_assert(info.bytes == 0 && info.nodes == 0 && info.tokens == 0 && info.states == 0);
        OK(call_usage(w.pool, &used, NULL));
        ck_assert_uint_eq(used, 0);
        close_world(&w);
    }
}
END_TEST

/* Two caches that computed the same text: the tree has it once. */
START_TEST(same_text_is_held_once)
{
    world w;
    text t = {.n = LONG};
    open_world(&w, "jamba", 0, 0);
    hlm_cache *a = new_cache(&w), *b = new_cache(&w);
    for (size_t i = 0; i < LONG; i++) t.ids[i] = (int32_t)i;
    run_ids(&w, a, t.ids, 30, NULL);
    run_ids(&w, b, t.ids, LONG, NULL);
    OK(hlm_prefix_add(a));
    OK(hlm_prefix_add(b));
    hlm_cache_free(a);
    hlm_cache_free(b);
    const hlm_prefix_info info = info_of(&w);
    ck_assert(info.tokens == LONG && info.nodes == 2);
    uint64_t used;
    OK(call_usage(w.pool, &used, NULL));
    ck_assert_uint_eq(used, info.bytes);
    close_world(&w);
}
END_TEST

START_TEST(budget_is_kept)
{
    for (size_t m = 0; m < n_names; m++) {
        world w;
        text t;
        uint64_t one = 0;
        open_world(&w, names[m], 0, 0);
        t.n = LONG;
        for (size_t i = 0; i < LONG; i++) t.ids[i] = 3;
        hlm_cache *c = new_cache(&w);
        add_text(&w, c, &t, true);
        one = info_of(&w).bytes;
        hlm_cache_free(c);
        close_world(&w);
        for (uint64_t budget = one / 4; budget < 5 * one; budget *= 2) {
            open_world(&w, names[m], budget, 0);
            hlm_cache *live = new_cache(&w);
            for (size_t i = 0; i < TEXTS / 2; i++) {
                t.n = random_text(&w, t.ids);
                add_text(&w, live, &t, true);
                ck_assert_uint_le(info_of(&w).bytes, budget);
                t.ids[t.n - 1] = 1;
                OK(hlm_cache_rewind(live, (int64_t)t.n - 1, NULL));
                if (i % 8 == 0) check_logits(&w, live, t.ids, t.n, t.n - 1);
            }
            ck_assert(info_of(&w).evicted_tokens > 0);
            hlm_cache_free(live);
            uint64_t used;
            OK(call_usage(w.pool, &used, NULL));
            ck_assert_uint_eq(used, info_of(&w).bytes);
            close_world(&w);
        }
    }
}
END_TEST

/* What a text shares with many is used more often than its own end, and stays. */
START_TEST(what_is_used_stays)
{
    world w;
    text t = {.n = LONG};
    size_t reused, pending;
    open_world(&w, "llama3", 0, 0);
    hlm_cache *c = new_cache(&w);
    run_ids(&w, c, (const int32_t[LONG]){1}, LONG, NULL);
    OK(hlm_prefix_add(c));
    const uint64_t one = info_of(&w).bytes;
    hlm_cache_free(c);
    close_world(&w);
    open_world(&w, "llama3", 2 * one, 0);
    for (size_t i = 0; i < 50; i++) {
        for (size_t k = 0; k < LONG; k++) t.ids[k] = k < 20 ? 5 : (int32_t)(100 + i);
        c = new_cache(&w);
        OK(call_reuse(c, NULL, t.ids, LONG, &reused, &pending));
        ck_assert_msg(i == 0 || reused == 20, "%zu: %zu", i, reused);
        run_ids(&w, c, t.ids + reused, LONG - reused, NULL);
        OK(hlm_prefix_add(c));
        hlm_cache_free(c);
    }
    close_world(&w);
}
END_TEST

/* At the pool's cap texts go before a step fails. */
START_TEST(gives_way_at_the_cap)
{
    for (size_t m = 0; m < n_names; m++) {
        world w;
        text t;
        uint64_t used, held;
        open_world(&w, names[m], 0, 0);
        hlm_cache *c = new_cache(&w);
        t.n = LONG;
        for (size_t i = 0; i < LONG; i++) t.ids[i] = (int32_t)i;
        add_text(&w, c, &t, true);
        OK(call_usage(w.pool, &used, &held));
        hlm_cache_free(c);
        close_world(&w);
        open_world(&w, names[m], 0, held + held / 2);
        for (size_t i = 0; i < TEXTS / 3; i++) {
            for (size_t k = 0; k < LONG; k++) t.ids[k] = (int32_t)(i + k);
            c = new_cache(&w);
            run_ids(&w, c, t.ids, LONG, NULL);
            OK(hlm_prefix_add(c));
            hlm_cache_free(c);
            OK(call_usage(w.pool, &used, &held));
            ck_assert_uint_eq(used, info_of(&w).bytes);
        }
        ck_assert(info_of(&w).evicted_tokens > 0);
        close_world(&w);
    }
}
END_TEST

static void same_info(const world *w, hlm_prefix_info was)
{
    const hlm_prefix_info now = info_of(w);
    ck_assert(now.nodes == was.nodes && now.tokens == was.tokens && now.states == was.states && now.bytes == was.bytes);
}

START_TEST(failing_memory_changes_nothing)
{
    for (size_t m = 0; m < n_names; m++) {
        world w;
        text t;
        open_world(&w, names[m], 0, 0);
        for (size_t i = 0; i < 12; i++) {
            size_t reused = 0;
            hlm_status st = HLM_E_NOMEM;
            t.n = random_text(&w, t.ids);
            hlm_cache *c = new_cache(&w), *d = new_cache(&w);
            run_ids(&w, c, t.ids, t.n, NULL);
            const hlm_prefix_info before = info_of(&w);
            for (size_t k = 1; st != HLM_OK; k++) {
                w.count.fail_at = atomic_load(&w.count.calls) + k;
                st = hlm_prefix_add(c);
                w.count.fail_at = 0;
                if (st != HLM_OK) same_info(&w, before);
                ck_assert(st == HLM_OK || st == HLM_E_NOMEM);
            }
            run_ids(&w, d, (const int32_t[]){9, 8, 7}, 3, NULL);
            st = HLM_E_NOMEM;
            for (size_t k = 1; st != HLM_OK; k++) {
                w.count.fail_at = atomic_load(&w.count.calls) + k;
                st = call_reuse(d, NULL, t.ids, t.n, &reused, NULL);
                w.count.fail_at = 0;
                ck_assert(st == HLM_OK || (st == HLM_E_NOMEM && hlm_cache_length(d) == 3));
            }
            check_logits(&w, d, t.ids, t.n, reused);
            hlm_cache_free(c);
            hlm_cache_free(d);
        }
        close_world(&w);
    }
}
END_TEST

/* The cache's own tokens and the tree's: the better of both, its marks stay. */
START_TEST(own_tokens_count)
{
    world w;
    int32_t ids[LONG];
    int64_t marks[LONG];
    size_t reused, pending, n;
    open_world(&w, "jamba", 0, 0);
    for (size_t i = 0; i < LONG; i++) ids[i] = (int32_t)(i + 1);
    hlm_cache *a = new_cache(&w), *b = new_cache(&w);
    run_ids(&w, a, ids, 30, NULL);
    OK(hlm_prefix_add(a));
    run_ids(&w, b, ids, 3, NULL);
    OK(hlm_cache_mark(b));
    run_ids(&w, b, ids + 3, 3, NULL);
    OK(call_reuse(b, NULL, ids, 35, &reused, &pending));
    ck_assert(reused == 30 && pending == 0);
    OK(hlm_cache_marks(b, marks, LONG, &n));
    ck_assert(n > 3 && marks[0] == 3);
    const hlm_cache *same = b;
    OK(call_reuse(b, NULL, ids, 30, &reused, &pending)); /* the last token is left */
    ck_assert(same == b && reused == 29 && pending == 1 && hlm_cache_length(b) == 29);
    check_logits(&w, b, ids, 30, reused);
    ids[25] = 0; /* nothing is at 25, a mark at 21: what is computed again leaves one at 25 */
    OK(call_reuse(b, NULL, ids, 35, &reused, &pending));
    ck_assert(reused == 25 && pending == 4);
    check_logits(&w, b, ids, 35, reused);
    OK(hlm_prefix_add(b));
    ids[25] = 200;
    OK(call_reuse(a, NULL, ids, 35, &reused, &pending));
    ck_assert(reused == 25 && pending == 0);
    hlm_cache_free(a);
    hlm_cache_free(b);
    close_world(&w);
}
END_TEST

START_TEST(embeddings_end_it)
{
    world w;
    size_t reused;
    static float row[4096];
    static const int32_t ids[] = {1, 2, 3, 4, 5, 6, 7, 8};
    open_world(&w, "llama3", 0, 0);
    hlm_cache *c = new_cache(&w), *d = new_cache(&w);
    const hlm_step s = {.struct_size = sizeof s, .cache = c, .embeddings = row, .n_tokens = 1};
    run_ids(&w, c, ids, 5, NULL);
    OK(run_step(w.ctx, &s));
    run_ids(&w, c, ids + 5, 3, NULL);
    OK(hlm_prefix_add(c));
    ck_assert_uint_eq(info_of(&w).tokens, 5);
    OK(call_reuse(d, NULL, ids, 8, &reused, NULL));
    ck_assert_uint_eq(reused, 5);
    OK(call_reuse(c, NULL, ids, 8, &reused, NULL));
    ck_assert_uint_eq(reused, 5);
    hlm_cache_free(c);
    hlm_cache_free(d);
    close_world(&w);
}
END_TEST

START_TEST(bad_input)
{
    world w;
    size_t reused = 9, pending = 9;
    static const int32_t ids[] = {1, 2, 3}, high[] = {1, 2, 1 << 30}, low[] = {-1, 2};
    hlm_prefix_info info = {.struct_size = 1};
    open_world(&w, "jamba", 0, 0);
    hlm_cache *c = new_cache(&w);
    run_ids(&w, c, ids, 3, NULL);
    REFUSED(hlm_prefix_add(NULL), HLM_E_ARG);
    REFUSED(hlm_prefix_clear(NULL), HLM_E_ARG);
    REFUSED(hlm_prefix_info_get(w.pool, NULL), HLM_E_ARG);
    REFUSED(hlm_prefix_info_get(w.pool, &info), HLM_E_ARG);
    info.struct_size = sizeof info;
    REFUSED(hlm_prefix_info_get(NULL, &info), HLM_E_ARG);
    REFUSED(call_reuse(NULL, NULL, ids, 3, &reused, &pending), HLM_E_ARG);
    REFUSED(call_reuse(c, NULL, NULL, 3, &reused, &pending), HLM_E_ARG);
    REFUSED(call_reuse(c, NULL, ids, 0, &reused, &pending), HLM_E_EMPTY);
    REFUSED(call_reuse(c, NULL, high, 3, &reused, &pending), HLM_E_TOKEN);
    REFUSED(call_reuse(c, NULL, low, 2, &reused, &pending), HLM_E_TOKEN);
    ck_assert(hlm_cache_length(c) == 3 && reused == 9 && pending == 9);
    hlm_cache_free(c);
    close_world(&w);
    open_world(&w, "jamba", 1, 0); /* none */
    c = new_cache(&w);
    run_ids(&w, c, ids, 3, NULL);
    OK(hlm_prefix_add(c));
    OK(hlm_prefix_clear(w.pool));
    ck_assert(info_of(&w).max_bytes == 0 && info_of(&w).bytes == 0);
    OK(call_reuse(c, NULL, ids, 3, &reused, NULL));
    ck_assert_uint_eq(reused, 2);
    hlm_cache_free(c);
    close_world(&w);
}
END_TEST

/* ---- threads ---- */

typedef struct worker {
    world *w;
    hlm_context *ctx;
    uint32_t seed;
    bool good;
} worker;

static void *work(void *arg)
{
    worker *k = arg;
    hlm_cache *c = NULL;
    world mine = {.random = k->seed};
    k->good = hlm_cache_new(&c, k->w->pool, NULL) == HLM_OK;
    for (size_t i = 0; i < 60 && k->good; i++) {
        int32_t ids[LONG];
        const size_t n = random_text(&mine, ids);
        size_t reused = 0;
        k->good = call_reuse(c, NULL, ids, n, &reused, NULL) == HLM_OK && reused < n;
        const hlm_step s = one_step(c, ids + reused, n - reused, NULL);
        k->good = k->good && run_step(k->ctx, &s) == HLM_OK && hlm_prefix_add(c) == HLM_OK;
        if (i % 20 == 19) k->good = k->good && hlm_prefix_clear(k->w->pool) == HLM_OK;
    }
    hlm_cache_free(c);
    return NULL;
}

START_TEST(threads_share_it)
{
    enum { THREADS = 3 };
    for (size_t m = 0; m < n_names; m++) {
        world w;
        worker k[THREADS];
        pthread_t threads[THREADS];
        open_world(&w, names[m], 100000, 0);
        const hlm_ctx_params cp = {.struct_size = sizeof cp, .n_threads = 1, .pool = w.pool};
        for (uint32_t i = 0; i < THREADS; i++) {
            k[i] = (worker){.w = &w, .seed = i + 1};
            OK(hlm_ctx_new(&k[i].ctx, w.model, &cp));
        }
        for (size_t i = 0; i < THREADS; i++) ck_assert_int_eq(pthread_create(&threads[i], NULL, work, &k[i]), 0);
        for (size_t i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
        for (size_t i = 0; i < THREADS; i++) ck_assert(k[i].good);
        uint64_t used;
        OK(call_usage(w.pool, &used, NULL));
        ck_assert_uint_eq(used, info_of(&w).bytes);
        for (size_t i = 0; i < THREADS; i++) hlm_ctx_free(k[i].ctx);
        close_world(&w);
    }
}
END_TEST

int main(int argc, char **argv)
{
    if (!read_arguments(argc, argv)) return 2;
    TCase *t = tcase_create("prefix cache");
    tcase_add_test(t, longest_beginning);
    tcase_add_test(t, bytes_are_what_the_pool_has);
    tcase_add_test(t, same_text_is_held_once);
    tcase_add_test(t, budget_is_kept);
    tcase_add_test(t, what_is_used_stays);
    tcase_add_test(t, gives_way_at_the_cap);
    tcase_add_test(t, failing_memory_changes_nothing);
    tcase_add_test(t, own_tokens_count);
    tcase_add_test(t, embeddings_end_it);
    tcase_add_test(t, bad_input);
    tcase_add_test(t, threads_share_it);
    return api_main("prefix_cache", t);
}
