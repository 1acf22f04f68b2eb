/* Pools that give rows behind attention windows back: what they hold, and that every position is still what it was:
 * test_windows MODELS [N]: of the first N. Beside each stands a pool that keeps all. */
#define _POSIX_C_SOURCE 200809L
#include "snapshot_help.h"
#include "../calls.h"

static const char *folder;

static const struct {
    const char *name;
    size_t window; /* of its layers that have one */
} models[] = {{"mistral", 24}, {"hymba-options", 8}};
enum { MODELS = sizeof models / sizeof *models, PAGE = 4 };

/* Small pages, a log of two, and no automatic marks. */
static hlm_pool_params windows(int32_t window_rows)
{
    return (hlm_pool_params){.struct_size = sizeof(hlm_pool_params),
                             .page_tokens = PAGE,
                             .mark_stride = -1,
                             .mark_bytes = 1,
                             .undo_tokens = 2,
                             .window_rows = window_rows};
}

typedef struct pair {
    world give, keep;
    size_t window;
    hlm_cache *c, *d; /* of either; the same text */
    float *got, *want;
} pair;

static void append(pair *p, size_t n)
{
    for (; n; n--) {
        add(&p->give, p->c, 1, p->got);
        add(&p->keep, p->d, 1, p->want);
        ck_assert_msg(memcmp(p->got, p->want, p->keep.width * sizeof *p->got) == 0, "other logits behind token %d",
                      (int)hlm_cache_length(p->c));
    }
}

/* Either sequence holds `n` windows of tokens. */
static pair open_pair(int model, size_t n)
{
    const hlm_pool_params give = windows(HLM_WINDOW_GIVE_BACK), keep = windows(HLM_WINDOW_KEEP);
    const hlm_cache_params cp = {.struct_size = sizeof cp, .max_tokens = 4096};
    pair p = {.give = open_world(folder, models[model].name, NULL, &give), .window = models[model].window};
    p.keep = other_pool(&p.give, &keep);
    p.got = calloc(p.keep.width, sizeof *p.got);
    p.want = calloc(p.keep.width, sizeof *p.want);
    OK(hlm_cache_new(&p.c, p.give.pool, &cp));
    OK(hlm_cache_new(&p.d, p.keep.pool, &cp));
    append(&p, n * p.window);
    return p;
}

static void close_pair(pair *p)
{
    hlm_cache_free(p->c);
    hlm_cache_free(p->d);
    uint64_t left = 0;
    OK(hlm_prefix_clear(p->give.pool));
    OK(call_usage(p->give.pool, &left, NULL));
    ck_assert_uint_eq(left, 0);
    close_world(&p->give);
    close_world(&p->keep);
    free(p->got);
    free(p->want);
}

static int64_t pending_at(pair *p, int64_t pos)
{
    int64_t pending = -1;
    OK(hlm_cache_rewind(p->c, pos, &pending));
    OK(hlm_cache_rewind(p->d, pos, NULL));
    ck_assert_int_eq(hlm_cache_pending(p->c), pending);
    return pending;
}

START_TEST(stays_small)
{
    pair p = open_pair(_i, 4);
    const uint64_t give = used(&p.give), keep = used(&p.keep);
    append(&p, 4 * p.window);
    const uint64_t more = used(&p.give) - give;
    ck_assert_uint_lt(more, used(&p.keep) - keep);
    append(&p, 4 * p.window); /* a window is some whole pages: nothing but rows that all tokens see, and ids */
    ck_assert_uint_eq(used(&p.give), give + 2 * more);
    if (_i == 0) ck_assert_uint_le(more, 4 * p.window / PAGE * 128); /* all layers have a window */
    close_pair(&p);
}
END_TEST

START_TEST(keeps_marks)
{
    pair p = open_pair(_i, 3);
    OK(hlm_cache_mark(p.c));
    OK(hlm_cache_mark(p.d));
    const int64_t at = hlm_cache_length(p.c);
    append(&p, 6 * p.window);
    const uint64_t marked = used(&p.give);
    hlm_cache *f = NULL;
    OK(hlm_cache_fork(&f, p.c, at));
    ck_assert_int_eq(hlm_cache_pending(f), 0);
    hlm_cache_free(f);
    same_at(&p.give, p.c, &p.keep, p.d, at);
    OK(hlm_cache_unmark(p.c, at));
    ck_assert_uint_lt(used(&p.give), marked); /* what it alone has kept goes at once */
    ck_assert_int_gt(pending_at(&p, at), 0);
    append(&p, 1);
    close_pair(&p);
}
END_TEST

START_TEST(computes_again)
{
    pair p = open_pair(_i, 6);
    const int64_t at = 4 * (int64_t)p.window;
    same_at(&p.give, p.c, &p.keep, p.d, at);
    same_at(&p.give, p.c, &p.keep, p.d, HLM_NOW);
    ck_assert_int_eq(pending_at(&p, 6 * (int64_t)p.window - 2), 0); /* within the undo log */
    const int64_t pending = pending_at(&p, at);
    ck_assert(pending > 0 && pending <= at);
    REFUSED(hlm_cache_mark(p.c), HLM_E_UNREACHABLE);
    /* a step that does not come to its end leaves all as it was */
    const uint64_t before = used(&p.give);
    const int32_t id = 1;
    const hlm_step s = one_step(p.c, &id, 1, NULL);
    hlm_ctx_cancel(p.give.ctx);
    REFUSED(run_step(p.give.ctx, &s), HLM_E_CANCELLED);
    ck_assert_uint_eq(used(&p.give), before);
    ck_assert_int_eq(hlm_cache_pending(p.c), pending);
    OK(hlm_cache_logits(p.give.ctx, p.c, p.got)); /* computes them, too */
    OK(hlm_cache_logits(p.keep.ctx, p.d, p.want));
    ck_assert_int_eq(memcmp(p.got, p.want, p.keep.width * sizeof *p.got), 0);
    ck_assert_int_eq(hlm_cache_pending(p.c), 0);
    ck_assert_int_gt(pending_at(&p, 2 * (int64_t)p.window), 0);
    append(&p, 3 * p.window);
    ck_assert_int_eq(hlm_cache_pending(p.c), 0);
    close_pair(&p);
}
END_TEST

/* Memory that was reserved is enough, also to compute again. */
START_TEST(reserves)
{
    pair p = open_pair(_i, 2);
    uint64_t held = 0, now = 0;
    for (int back = 0; back < 2; back++) {
        const int64_t length = hlm_cache_length(p.c);
        if (back) ck_assert_int_gt(pending_at(&p, length - 3 * (int64_t)p.window), 0);
        const int64_t pending = hlm_cache_pending(p.c);
        OK(hlm_cache_reserve(p.c, length + 4 * (int64_t)p.window));
        ck_assert_int_eq(hlm_cache_pending(p.c), pending);
        OK(call_usage(p.give.pool, NULL, &held));
        append(&p, 4 * p.window);
        OK(call_usage(p.give.pool, NULL, &now));
        ck_assert_uint_eq(now, held);
    }
    close_pair(&p);
}
END_TEST

static void fork_both(pair *p, hlm_cache **f, hlm_cache **g, int64_t at)
{
    OK(hlm_cache_fork(f, p->c, at));
    OK(hlm_cache_fork(g, p->d, at));
}

START_TEST(shared_with_forks)
{
    pair p = open_pair(_i, 4);
    hlm_cache *f = NULL, *g = NULL;
    fork_both(&p, &f, &g, HLM_NOW);
    append(&p, 6 * p.window);
    same_at(&p.give, f, &p.keep, g, HLM_NOW); /* its window is there */
    ck_assert_int_eq(hlm_cache_pending(f), 0);
    const uint64_t with = used(&p.give);
    hlm_cache_free(f);
    hlm_cache_free(g);
    append(&p, PAGE * p.window); /* what nobody else holds any more goes by and by */
    ck_assert_uint_lt(used(&p.give), with);
    close_pair(&p);
}
END_TEST

/* Another sequence takes the place of the pair's. */
static void go_on_with(pair *p, hlm_cache *f, hlm_cache *g)
{
    hlm_cache_free(p->c);
    hlm_cache_free(p->d);
    p->c = f, p->d = g;
}

/* A fork holds nothing of what comes behind it in the other's text, and goes on though the other's rows were given
 * back. */
START_TEST(outlives)
{
    for (int back = 0; back < 2; back++) {
        pair p = open_pair(_i, 2);
        const uint64_t give = used(&p.give), keep = used(&p.keep);
        hlm_cache *f = NULL, *g = NULL;
        append(&p, 6 * p.window);
        fork_both(&p, &f, &g, back ? HLM_NOW : 2 * (int64_t)p.window);
        if (back) OK(hlm_cache_rewind(f, 2 * (int64_t)p.window, NULL));
        if (back) OK(hlm_cache_rewind(g, 2 * (int64_t)p.window, NULL));
        go_on_with(&p, f, g);
        ck_assert_uint_le(used(&p.give), give);
        ck_assert_uint_le(used(&p.keep), keep);
        append(&p, 6 * p.window);
        close_pair(&p);
    }
}
END_TEST

/* A sequence of the text [n], from what the prefix cache has of it, remembered with the state before its last token.
 * How much did not have to be computed? */
static size_t reuse(pair *p, const int32_t *ids, size_t n)
{
    size_t reused = 0, pending = 0;
    hlm_cache *c = NULL;
    OK(hlm_cache_new(&c, p->give.pool, NULL));
    OK(call_reuse(c, NULL, ids, n, &reused, &pending));
    if (reused < n - 1) {
        const hlm_step s = one_step(c, ids + reused, n - 1 - reused, NULL);
        OK(run_step(p->give.ctx, &s));
        OK(hlm_cache_mark(c));
    }
    const hlm_step last = one_step(c, ids + n - 1, 1, p->got);
    OK(run_step(p->give.ctx, &last));
    ck_assert_int_eq(memcmp(p->got, p->want, p->keep.width * sizeof *p->got), 0);
    OK(hlm_prefix_add(c));
    hlm_cache_free(c);
    return reused - pending;
}

START_TEST(prefix_cache)
{
    pair p = open_pair(_i, 6);
    int32_t ids[256];
    const size_t n = (size_t)hlm_cache_length(p.c);
    OK(hlm_cache_tokens(p.c, 0, n, ids));
    OK(hlm_prefix_add(p.c));
    reuse(&p, ids, n);
    ck_assert_uint_eq(reuse(&p, ids, n), n - 1);
    ids[n / 2 - 1] = (ids[n / 2 - 1] + 1) % (int32_t)p.give.vocab; /* here another text parts from it */
    OK(hlm_cache_rewind(p.d, (int64_t)n / 2 - 1, NULL));
    const hlm_step s = one_step(p.d, ids + n / 2 - 1, 1, p.want);
    OK(run_step(p.keep.ctx, &s));
    ck_assert_uint_eq(reuse(&p, ids, n / 2), 0); /* the ids are there, but no whole window */
    ck_assert_uint_eq(reuse(&p, ids, n / 2), n / 2 - 1); /* the second has brought it */
    close_pair(&p);
}
END_TEST

START_TEST(snapshots)
{
    pair p = open_pair(_i, 5);
    const size_t pages[] = {PAGE, 2 * PAGE, PAGE / 2, 256};
    const bytes give = saved(p.c), keep = saved(p.d);
    hlm_cache *c = NULL;
    ck_assert_uint_lt(give.n, keep.n);
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        hlm_pool_params pp = windows(HLM_WINDOW_GIVE_BACK);
        pp.page_tokens = (int32_t)pages[i];
        world w = other_pool(&p.give, &pp);
        for (size_t from = 0; from < 2; from++) {
            const bytes b = from ? keep : give;
            const hlm_status st = hlm_cache_load_memory(&c, w.pool, b.data, b.n, 0);
            if (_i == 1 && !from &&
                pages[i] > 2 * PAGE) { /* the first page would have rows that all tokens see, but not all rows */
                ck_assert_int_eq(st, HLM_E_MISMATCH);
                continue;
            }
            OK(st);
            same_at(&w, c, &p.keep, p.d, HLM_NOW);
            same_at(&w, c, &p.keep, p.d, 3 * (int64_t)p.window + 1);
            if (pages[i] < 256) ck_assert_int_eq(hlm_cache_pending(c), 0);
            hlm_cache_free(c);
        }
        close_world(&w);
    }
    REFUSED(hlm_cache_load_memory(&c, p.keep.pool, give.data, give.n, 0), HLM_E_MISMATCH);
    free(give.data);
    free(keep.data);
    close_pair(&p);
}
END_TEST

/* Saved where tokens are to be computed again: it goes on from where the saved one would, whatever page that is in. */
START_TEST(snapshots_before_the_end)
{
    pair p = open_pair(_i, 5);
    OK(hlm_cache_rewind(p.c, 2 * (int64_t)p.window + 1, NULL));
    OK(hlm_cache_rewind(p.d, 2 * (int64_t)p.window + 1, NULL));
    append(&p, 2);
    OK(hlm_cache_mark(p.c)); /* in the middle of a page */
    append(&p, 3 * p.window - 3);
    for (int64_t pos = 5 * (int64_t)p.window - 1; pos > 0; pos -= 3) {
        const int64_t pending = pending_at(&p, pos);
        const bytes b = saved(p.c);
        hlm_cache *c = NULL;
        OK(hlm_cache_load_memory(&c, p.give.pool, b.data, b.n, 0));
        ck_assert_int_eq(hlm_cache_pending(c), pending);
        same_at(&p.give, c, &p.keep, p.d, HLM_NOW);
        hlm_cache_free(c);
        free(b.data);
    }
    close_pair(&p);
}
END_TEST

/* hlm_generate runs prompts in parts, so that a long one takes no more than a window and a part. */
START_TEST(long_prompts)
{
    enum { PROMPT = 2048 };
    pair p = open_pair(0, 0);
    static int32_t ids[PROMPT];
    for (size_t i = 0; i < PROMPT; i++) ids[i] = (int32_t)(i * i % p.give.vocab);
    const hlm_generate_params gp = {
        .struct_size = sizeof gp, .prompt = ids, .n_prompt = PROMPT, .max_tokens = 4, .ignore_eos = 1};
    OK(hlm_generate(p.give.ctx, p.c, NULL, &gp, NULL));
    OK(hlm_generate(p.keep.ctx, p.d, NULL, &gp, NULL));
    uint64_t give = 0, keep = 0;
    OK(call_usage(p.give.pool, NULL, &give));
    OK(call_usage(p.keep.pool, NULL, &keep));
    ck_assert_uint_lt(give, keep / 2);
    append(&p, 2);
    close_pair(&p);
}
END_TEST

START_TEST(bad_calls)
{
    pair p = open_pair(0, 0);
    hlm_pool *pool = NULL;
    hlm_pool_params pp = windows(2);
    hlm_memory_plan_info info = {.struct_size = sizeof info};
    const hlm_plan_params plans[] = {{.struct_size = sizeof *plans, .window_rows = 2},
                                     {.struct_size = sizeof *plans, .window_rows = -1},
                                     {.struct_size = sizeof *plans, .step_tokens = -1}};
    REFUSED(hlm_pool_new(&pool, p.give.model, &pp), HLM_E_ARG);
    pp = windows(HLM_WINDOW_GIVE_BACK);
    pp.reserved = 1;
    REFUSED(hlm_pool_new(&pool, p.give.model, &pp), HLM_E_ARG);
    for (size_t i = 0; i < sizeof plans / sizeof *plans; i++)
        REFUSED(hlm_model_plan_memory(p.give.model, &plans[i], &info), HLM_E_ARG);
    close_pair(&p);
}
END_TEST

int main(int argc, char **argv)
{
    if (argc < 2 || argc > 3) return 2;
    folder = argv[1];
    const int n = argc == 3 && atoi(argv[2]) < MODELS ? atoi(argv[2]) : MODELS;
    TCase *t = tcase_create("windows");
    tcase_add_loop_test(t, stays_small, 0, n);
    tcase_add_loop_test(t, keeps_marks, 0, n);
    tcase_add_loop_test(t, computes_again, 0, n);
    tcase_add_loop_test(t, reserves, 0, n);
    tcase_add_loop_test(t, shared_with_forks, 0, n);
    tcase_add_loop_test(t, outlives, 0, n);
    tcase_add_loop_test(t, prefix_cache, 0, n);
    tcase_add_loop_test(t, snapshots, 0, n);
    tcase_add_loop_test(t, snapshots_before_the_end, 0, n);
    tcase_add_test(t, long_prompts);
    tcase_add_test(t, bad_calls);
    return api_main("windows", t);
}
