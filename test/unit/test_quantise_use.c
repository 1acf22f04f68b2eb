/* The rest of the library on matrices that were quantised at load: the promise, adapters, snapshots. test_quantise_use
 * MODELS. */
#define _POSIX_C_SOURCE 200809L
#include "snapshot_help.h"

static const char *models;

static hlm_model_params params_of(const char *quantise, uint32_t flags)
{
    return (hlm_model_params){.struct_size = sizeof(hlm_model_params), .flags = flags, .quantise = quantise};
}

/* The logits behind a text in steps of `part` tokens. */
static void run_parts(const world *w, const hlm_adapter *adapter, size_t part, float *logits)
{
    int32_t ids[TEXT];
    hlm_cache *c = NULL;
    for (size_t i = 0; i < TEXT; i++) ids[i] = (int32_t)((i * i * 31 + i * 7 + 3) % w->vocab);
    OK(hlm_cache_new(&c, w->pool, NULL));
    for (size_t i = 0; i < TEXT; i += part) {
        hlm_step s = one_step(c, ids + i, part < TEXT - i ? part : TEXT - i, logits);
        s.adapter = adapter;
        OK(run_step(w->ctx, &s));
    }
    hlm_cache_free(c);
}

static void one_answer(const char *name, const char *quantise)
{
    const hlm_pool_params pp = small_pool();
    hlm_model_params p = params_of(quantise, HLM_LOAD_PORTABLE);
    world w = open_world(models, name, &p, &pp);
    p.cpu = "ref";
    world r = open_world(models, name, &p, &pp);
    float *want = calloc(w.width, sizeof *want), *got = calloc(w.width, sizeof *got);
    run_parts(&w, NULL, TEXT, want);
    for (size_t part = 1; part < TEXT; part += 6) {
        run_parts(&w, NULL, part, got);
        ck_assert_msg(memcmp(want, got, w.width * sizeof *want) == 0, "%s: %s in steps of %zu", name, quantise, part);
    }
    run_parts(&r, NULL, 11, got);
    ck_assert_msg(memcmp(want, got, w.width * sizeof *want) == 0, "%s: %s in plain C", name, quantise);
    free(want);
    free(got);
    close_world(&r);
    close_world(&w);
}

START_TEST(the_promise_holds)
{
    static const char *const names[] = {"jamba", "qwen3-next", "llama3", "hymba-options"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        one_answer(names[i], "q8_0");
        one_answer(names[i], "q4_0");
        one_answer(names[i], "int4");
    }
}
END_TEST

START_TEST(adapters_add_to_it)
{
    char path[1024];
    const hlm_pool_params pp = small_pool();
    const hlm_model_params p = params_of("q4_0", 0);
    const hlm_adapter_params ap = {.struct_size = sizeof ap};
    world w = open_world(models, "types", &p, &pp);
    float *alone = calloc(w.width, sizeof *alone), *want = calloc(w.width, sizeof *want);
    float *got = calloc(w.width, sizeof *got);
    run_parts(&w, NULL, TEXT, alone);
    for (int i = 0; i < 2; i++) {
        hlm_adapter *a = NULL;
        snprintf(path, sizeof path, "%s/../adapters/%s", models, i ? "dora" : "lora");
        OK(hlm_adapter_load(&a, w.model, path, &ap));
        run_parts(&w, a, TEXT, want);
        run_parts(&w, a, 5, got);
        ck_assert_mem_eq(want, got, w.width * sizeof *want);
        ck_assert(memcmp(want, alone, w.width * sizeof *want) != 0);
        hlm_adapter_release(a);
    }
    free(alone);
    free(want);
    free(got);
    close_world(&w);
}
END_TEST

START_TEST(snapshots_know_it)
{
    const hlm_pool_params pp = small_pool();
    const hlm_model_params q8 = params_of("q8_0", 0), q4 = params_of("q4_0", 0);
    world w = open_world(models, "jamba", &q8, &pp), plain = open_world(models, "jamba", NULL, &pp);
    world same = open_world(models, "jamba", &q8, &pp), other = open_world(models, "jamba", &q4, &pp);
    hlm_cache *c = told(&w), *d = NULL;
    size_t n = 0;
    REFUSED(hlm_cache_save_memory(c, NULL, 0, &n), HLM_E_SPACE);
    unsigned char *b = malloc(n);
    OK(hlm_cache_save_memory(c, b, n, &n));
    REFUSED(hlm_cache_load_memory(&d, plain.pool, b, n, 0), HLM_E_MISMATCH);
    REFUSED(hlm_cache_load_memory(&d, other.pool, b, n, 0), HLM_E_MISMATCH);
    OK(hlm_cache_load_memory(&d, same.pool, b, n, 0));
    same_at(&w, c, &same, d, TEXT);
    hlm_cache_free(d);
    hlm_cache_free(c);
    free(b);
    close_world(&other);
    close_world(&same);
    close_world(&plain);
    close_world(&w);
}
END_TEST

int main(int argc, char **argv)
{
    TCase *t = tcase_create("quantise_use");
    models = argc > 1 ? argv[1] : "test/data/models";
    tcase_add_test(t, the_promise_holds);
    tcase_add_test(t, adapters_add_to_it);
    tcase_add_test(t, snapshots_know_it);
    return api_main("quantise_use", t);
}
