/* The memory plan against what pools and the caller's allocator then see, for every architecture and type: test_plan
 * MODEL... */
#define _POSIX_C_SOURCE 200112L
#include <check.h>
#include <hybridlm/hybridlm.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../calls.h"

#define OK(e) ck_assert_msg((e) == HLM_OK, "%s: %s: %s", path, #e, hlm_last_error())

enum {
    SEQUENCES = 3,
    PAGE = 64,
    SHORT = 100,
    LONG = 164,
    WIDE = 520,
    SLACK = 1 << 20 /* programs, page tables, lists */
};

static char **paths;
static const char *path;

static const struct {
    int32_t kv, state;
} types[] = {{HLM_TYPE_DEFAULT, HLM_TYPE_DEFAULT},
             {HLM_TYPE_F32, HLM_TYPE_F16},
             {HLM_TYPE_BF16, HLM_TYPE_F32},
             {HLM_TYPE_INT8, HLM_TYPE_BF16}};
enum { TYPES = sizeof types / sizeof *types };

/* ---- bytes that the allocator has given ---- */

enum { HEAD = 64 };

static void *count_alloc(void *user, size_t size, size_t align)
{
    void *p = NULL;
    if (align > HEAD || posix_memalign(&p, HEAD, size + HEAD) != 0) return NULL;
    memcpy(p, &size, sizeof size);
    atomic_fetch_add((atomic_size_t *)user, size);
    return (char *)p + HEAD;
}

static void count_free(void *user, void *p)
{
    size_t size;
    if (!p) return;
    memcpy(&size, (char *)p - HEAD, sizeof size);
    atomic_fetch_sub((atomic_size_t *)user, size);
    free((char *)p - HEAD);
}

typedef struct fixture {
    atomic_size_t bytes;
    hlm_allocator allocator;
    hlm_model *model;
    hlm_pool *pool;
    hlm_context *ctx;
    size_t before; /* bytes before the pool */
    int32_t tokens[WIDE];
} fixture;

static hlm_memory_plan_info plan_of(const fixture *f, size_t type, size_t sequences, int64_t tokens)
{
    hlm_memory_plan_info info = {.struct_size = sizeof info};
    const hlm_plan_params p = {.struct_size = sizeof p,
                               .n_sequences = sequences,
                               .n_tokens = tokens,
                               .kv_type = types[type].kv,
                               .n_threads = 1,
                               .state_type = types[type].state};
    OK(hlm_model_plan_memory(f->model, &p, &info));
    ck_assert_uint_eq(info.total, info.weights + info.state + info.scratch);
    return info;
}

static void open_types(fixture *f, size_t type, uint64_t cap, int32_t window_rows)
{
    const hlm_pool_params pp = {.struct_size = sizeof pp,
                                .kv_type = types[type].kv,
                                .max_bytes = cap,
                                .state_type = types[type].state,
                                .window_rows = window_rows};
    f->before = atomic_load(&f->bytes);
    OK(hlm_pool_new(&f->pool, f->model, &pp));
    const size_t pool = atomic_load(&f->bytes);
    const hlm_ctx_params cp = {.struct_size = sizeof cp, .n_threads = 1, .pool = f->pool};
    OK(hlm_ctx_new(&f->ctx, f->model, &cp));
    const uint64_t scratch = plan_of(f, type, 1, SHORT).scratch, took = atomic_load(&f->bytes) - pool;
    ck_assert_msg(took >= scratch && took <= scratch + SLACK, "%s: %llu bytes of scratch, planned %llu", path,
                  (unsigned long long)took, (unsigned long long)scratch);
}

static void close_types(fixture *f)
{
    hlm_ctx_free(f->ctx);
    hlm_pool_release(f->pool);
    ck_assert_uint_eq(atomic_load(&f->bytes), f->before);
}

/* Several sequences of `tokens` tokens, `part` of them in a step: bytes in use and held, and what the allocator gave
 * for them. */
static void fill(fixture *f, size_t tokens, size_t part, uint64_t *used, uint64_t *held)
{
    hlm_cache *c[SEQUENCES] = {NULL};
    const size_t before = atomic_load(&f->bytes);
    uint64_t held_before;
    OK(call_usage(f->pool, NULL, &held_before));
    for (size_t i = 0; i < SEQUENCES; i++) {
        OK(hlm_cache_new(&c[i], f->pool,
                         &(hlm_cache_params){.struct_size = sizeof(hlm_cache_params), .max_tokens = WIDE}));
        for (size_t at = 0; at < tokens; at += part) {
            const size_t n = tokens - at < part ? tokens - at : part;
            const hlm_step s = {.struct_size = sizeof s, .cache = c[i], .tokens = f->tokens + at, .n_tokens = n};
            const hlm_step *const steps[] = {&s};
            OK(hlm_decode_step(f->ctx, steps, 1));
        }
    }
    OK(call_usage(f->pool, used, held));
    const uint64_t took = atomic_load(&f->bytes) - before, grew = *held - held_before;
    ck_assert_msg(took >= grew && took <= grew + SLACK, "%s: the allocator gave %llu bytes, the pool holds %llu more",
                  path, (unsigned long long)took, (unsigned long long)grew);
    for (size_t i = 0; i < SEQUENCES; i++) hlm_cache_free(c[i]);
}

static void check_types(fixture *f, size_t type)
{
    const hlm_memory_plan_info a = plan_of(f, type, SEQUENCES, SHORT), b = plan_of(f, type, SEQUENCES, LONG);
    uint64_t used_a, used_b, used, held;
    open_types(f, type, 0, HLM_WINDOW_KEEP);
    fill(f, 1, 1, &used_a, &held); /* the first sequence of a pool writes behind the model's own prefix, in its page */
    fill(f, SHORT, SHORT, &used_a, &held);
    ck_assert_uint_le(held, a.state);
    fill(f, LONG, LONG, &used_b, &held);
    ck_assert_uint_le(held, b.state);
    /* the same states, and one page more in each sequence */
    ck_assert_uint_eq(used_b - used_a, b.state - a.state);
    if (a.state_per_sequence == 0) {
        ck_assert_uint_eq(used_a, a.state);
        ck_assert_uint_eq(held, b.state);
    }
    close_types(f);
    /* short prompts: as many marks as there may be. Just the planned bytes are enough. */
    open_types(f, type, b.state, HLM_WINDOW_KEEP);
    fill(f, LONG, 2, &used, &held);
    ck_assert_uint_le(held, b.state);
    ck_assert_msg(used >= b.state / 10 * 8, "%s, types %zu: %llu of %llu planned bytes", path, type,
                  (unsigned long long)used, (unsigned long long)b.state);
    close_types(f);
}

/* Texts of one sequence after another into the prefix cache of a pool with such a budget: what it then has. */
static hlm_prefix_info remember(fixture *f, size_t type, uint64_t budget, int32_t texts)
{
    const hlm_plan_params p = {.struct_size = sizeof p,
                               .n_tokens = LONG,
                               .kv_type = types[type].kv,
                               .state_type = types[type].state,
                               .prefix_bytes = budget};
    const hlm_pool_params pp = {
        .struct_size = sizeof pp, .kv_type = p.kv_type, .state_type = p.state_type, .prefix_bytes = budget};
    const hlm_cache_params most = {.struct_size = sizeof most, .max_tokens = LONG};
    hlm_memory_plan_info plan = {.struct_size = sizeof plan};
    hlm_prefix_info info = {.struct_size = sizeof info};
    OK(hlm_model_plan_memory(f->model, &p, &plan));
    OK(hlm_pool_new(&f->pool, f->model, &pp));
    const hlm_ctx_params cp = {.struct_size = sizeof cp, .n_threads = 1, .pool = f->pool};
    OK(hlm_ctx_new(&f->ctx, f->model, &cp));
    for (f->tokens[0] = 0; f->tokens[0] < texts; f->tokens[0]++) {
        uint64_t used, held;
        hlm_cache *c = NULL;
        OK(hlm_cache_new(&c, f->pool, &most));
        const hlm_step s = {.struct_size = sizeof s, .cache = c, .tokens = f->tokens, .n_tokens = LONG};
        const hlm_step *const steps[] = {&s};
        OK(hlm_decode_step(f->ctx, steps, 1));
        OK(hlm_prefix_add(c));
        hlm_cache_free(c);
        OK(call_usage(f->pool, &used, &held));
        ck_assert_uint_le(used, plan.prefix);
        ck_assert_uint_le(held, plan.prefix + plan.state);
    }
    OK(hlm_prefix_info_get(f->pool, &info));
    hlm_ctx_free(f->ctx);
    hlm_pool_release(f->pool);
    return info;
}

/* More texts than there is room for. */
static void check_prefix(fixture *f, size_t type)
{
    const hlm_prefix_info one = remember(f, type, 0, 1), more = remember(f, type, 2 * one.bytes, 5);
    ck_assert_uint_eq(one.max_bytes, plan_of(f, type, 1, LONG).prefix);
    ck_assert_uint_eq(one.evicted_tokens + one.evicted_states, 0);
    ck_assert_uint_gt(more.evicted_tokens + more.evicted_states, 0);
}

static hlm_memory_plan_info plan_windows(const fixture *f, size_t type, int64_t tokens, int64_t step)
{
    hlm_memory_plan_info info = {.struct_size = sizeof info};
    const hlm_plan_params p = {.struct_size = sizeof p,
                               .n_sequences = SEQUENCES,
                               .n_tokens = tokens,
                               .kv_type = types[type].kv,
                               .n_threads = 1,
                               .state_type = types[type].state,
                               .window_rows = HLM_WINDOW_GIVE_BACK,
                               .step_tokens = step};
    OK(hlm_model_plan_memory(f->model, &p, &info));
    return info;
}

/* Pools that give rows behind windows back. */
static void check_windows(fixture *f, size_t type)
{
    enum { A = WIDE - 256, PART = 12 };
    const hlm_memory_plan_info a = plan_windows(f, type, A, 1), b = plan_windows(f, type, WIDE, 1);
    const hlm_memory_plan_info keep_a = plan_of(f, type, SEQUENCES, A), keep_b = plan_of(f, type, SEQUENCES, WIDE);
    const hlm_memory_plan_info c = plan_windows(f, type, WIDE, PART);
    uint64_t used_a, used_b, used, held;
    if (b.state_per_sequence == keep_b.state_per_sequence) { /* no layer has one */
        ck_assert_uint_eq(b.state, keep_b.state);
        return;
    }
    ck_assert_uint_lt(b.state - a.state, keep_b.state - keep_a.state);
    ck_assert_uint_eq(plan_windows(f, type, WIDE, 0).state, plan_windows(f, type, WIDE, WIDE).state);
    open_types(f, type, 0, HLM_WINDOW_GIVE_BACK);
    fill(f, 1, 1, &used, &held);
    fill(f, A, 1, &used_a, &held);
    ck_assert_uint_le(held, a.state);
    fill(f, WIDE, 1, &used_b, &held);
    ck_assert_uint_le(held, b.state);
    ck_assert_uint_eq(used_b - used_a, b.state - a.state); /* four pages more in each sequence, without windows */
    close_types(f);
    /* with as many marks as there may be: just the planned bytes are enough */
    open_types(f, type, c.state, HLM_WINDOW_GIVE_BACK);
    fill(f, WIDE, PART, &used, &held);
    ck_assert_uint_le(held, c.state);
    close_types(f);
}

START_TEST(planned)
{
    fixture f = {.before = 0};
    path = paths[_i];
    f.allocator =
        (hlm_allocator){.struct_size = sizeof f.allocator, .user = &f.bytes, .alloc = count_alloc, .free = count_free};
    const hlm_model_params mp = {.struct_size = sizeof mp, .allocator = &f.allocator};
    OK(hlm_model_load(&f.model, path, &mp));
    hlm_model_info info = {.struct_size = sizeof info};
    OK(hlm_model_info_get(f.model, &info));
    for (size_t i = 0; i < WIDE; i++) f.tokens[i] = (int32_t)(i * 7 % (size_t)info.vocab_size);
    for (size_t i = 0; i < TYPES; i++) check_types(&f, i);
    for (size_t i = 0; i < TYPES; i++) check_prefix(&f, i);
    for (size_t i = 0; i < TYPES; i++) check_windows(&f, i);
    /* a row of int8 has a byte for each element, and two scales for each head */
    const uint64_t f32 = plan_of(&f, 1, 1, 1).state_per_token - 4, int8 = plan_of(&f, 3, 1, 1).state_per_token - 4;
    ck_assert_msg(f32 == 0 ? int8 == 0 : int8 > f32 / 4, "int8 rows take %llu bytes", (unsigned long long)int8);
    const uint64_t whole = plan_of(&f, 2, 1, 1).state_per_sequence, half = plan_of(&f, 1, 1, 1).state_per_sequence;
    ck_assert_msg(whole == 0 ? half == 0 : half < whole, "states of 16 bits take %llu bytes", (unsigned long long)half);
    hlm_model_release(f.model);
    ck_assert_uint_eq(atomic_load(&f.bytes), 0);
}
END_TEST

int main(int argc, char **argv)
{
    if (argc < 2) return 2;
    paths = argv + 1;
    TCase *t = tcase_create("plan");
    tcase_set_timeout(t, 0);
    tcase_add_loop_test(t, planned, 0, argc - 1);
    Suite *suite = suite_create("memory plan");
    suite_add_tcase(suite, t);
    SRunner *r = srunner_create(suite);
    srunner_run_all(r, CK_NORMAL);
    const int run = srunner_ntests_run(r), failed = srunner_ntests_failed(r);
    srunner_free(r);
    printf("%d passed, %d failed\n", run - failed, failed);
    return failed != 0 || run == 0;
}
