/* Adapters through the public API: batches of several, what sequences remember of them, and files that lie:
 * test_adapter DATA. What they compute is in the golden folders, and what rewinds and forks do with them in
 * state_programs. */
#define _POSIX_C_SOURCE 200809L
#include "snapshot_help.h"

#include "memfs.h"
#include "../calls.h"

enum { ALL = 4 /* adapters of a batch, none the first */, LONG = 30 };

static const char *data;

/* A world of the model "types" with adapters. */
typedef struct cast {
    world w;
    hlm_adapter *lora, *dora, *half; /* half: the first at half its scale, twice */
    const hlm_adapter *all[ALL];
} cast;

static hlm_status load(hlm_adapter **out, hlm_model *model, const char *name, float scale)
{
    char path[1024];
    const hlm_adapter_params p = {.struct_size = sizeof p, .scale = scale};
    snprintf(path, sizeof path, "%s/adapters/%s", data, name);
    return hlm_adapter_load(out, model, path, &p);
}

static world open_model(const char *name, const hlm_model_params *mp)
{
    char folder[512];
    const hlm_pool_params pp = small_pool();
    snprintf(folder, sizeof folder, "%s/models", data);
    return open_world(folder, name, mp, &pp);
}

static cast open_cast(const hlm_model_params *mp)
{
    hlm_adapter *half;
    cast c = {.w = open_model("types", mp)};
    OK(load(&c.lora, c.w.model, "lora", 0));
    OK(load(&c.dora, c.w.model, "dora", 0));
    OK(load(&half, c.w.model, "lora", 0.5f));
    const hlm_adapter *const two[] = {half, half};
    OK(hlm_adapter_join(&c.half, two, 2));
    hlm_adapter_release(half);
    c.all[1] = c.lora;
    c.all[2] = c.dora;
    c.all[3] = c.half;
    return c;
}

static void close_cast(cast *c)
{
    hlm_adapter_release(c->lora);
    hlm_adapter_release(c->dora);
    hlm_adapter_release(c->half);
    close_world(&c->w);
}

static void text_of(int32_t *ids, size_t n)
{
    for (size_t i = 0; i < n; i++) ids[i] = (int32_t)((i * i * 31 + i * 7 + 3) % 64);
}

/* The logits behind a text that is run with an adapter, in steps of `part` tokens. */
static void run(const world *w, const hlm_adapter *adapter, size_t part, float *logits)
{
    int32_t ids[LONG];
    hlm_cache *c = NULL;
    text_of(ids, LONG);
    OK(hlm_cache_new(&c, w->pool, NULL));
    for (size_t i = 0; i < LONG; i += part) {
        hlm_step s = one_step(c, ids + i, part < LONG - i ? part : LONG - i, logits);
        s.adapter = adapter;
        OK(run_step(w->ctx, &s));
    }
    hlm_cache_free(c);
}

START_TEST(one_answer)
{
    static const hlm_model_params best = {.struct_size = sizeof best, .flags = HLM_LOAD_PORTABLE},
                                  ref = {.struct_size = sizeof ref, .flags = HLM_LOAD_PORTABLE, .cpu = "ref"};
    cast c = open_cast(&best), r = open_cast(&ref);
    for (size_t i = 0; i < ALL; i++) {
        float want[64], got[64];
        run(&c.w, c.all[i], LONG, want);
        run(&c.w, c.all[i], 1, got);
        ck_assert_mem_eq(want, got, sizeof want);
        run(&c.w, c.all[i], 7, got);
        ck_assert_mem_eq(want, got, sizeof want);
        run(&r.w, r.all[i], 11, got);
        ck_assert_mem_eq(want, got, sizeof want);
    }
    close_cast(&r);
    close_cast(&c);
}
END_TEST

/* All of them in one batch, with threads and small tiles. */
START_TEST(one_batch)
{
    cast c = open_cast(NULL);
    const hlm_ctx_params cp = {.struct_size = sizeof cp, .n_threads = 3, .pool = c.w.pool, .max_rows = 13};
    hlm_context *ctx = NULL;
    int32_t ids[LONG];
    float want[ALL][64], got[ALL][64];
    hlm_cache *caches[ALL];
    hlm_step list[ALL];
    const hlm_step *steps[ALL];
    text_of(ids, LONG);
    OK(hlm_ctx_new(&ctx, c.w.model, &cp));
    for (size_t i = 0; i < ALL; i++) {
        run(&c.w, c.all[i], LONG, want[i]);
        for (size_t k = 0; k < i; k++) ck_assert(memcmp(want[i], want[k], sizeof want[i]) != 0);
        OK(hlm_cache_new(&caches[i], c.w.pool, NULL));
        list[i] = one_step(caches[i], ids, LONG, got[i]);
        list[i].adapter = c.all[i];
        steps[i] = &list[i];
    }
    OK(hlm_decode_step(ctx, steps, ALL));
    ck_assert_mem_eq(want, got, sizeof want);
    for (size_t k = 0; k < 64; k++) /* twice the half is about the whole */
        ck_assert(got[1][k] - got[3][k] < 0.05f && got[3][k] - got[1][k] < 0.05f);
    for (size_t i = 0; i < ALL; i++) hlm_cache_free(caches[i]);
    hlm_ctx_free(ctx);
    close_cast(&c);
}
END_TEST

/* A step in slices goes on with an adapter that its owner has let go. */
START_TEST(slices_hold_it)
{
    cast c = open_cast(NULL);
    int32_t ids[LONG], done = 0;
    float want[64], got[64];
    hlm_adapter *own;
    hlm_cache *cache = NULL;
    text_of(ids, LONG);
    run(&c.w, c.lora, LONG, want);
    OK(load(&own, c.w.model, "lora", 0));
    OK(hlm_cache_new(&cache, c.w.pool, NULL));
    hlm_step s = one_step(cache, ids, LONG, got);
    s.adapter = own;
    const hlm_step *const steps[] = {&s};
    OK(hlm_step_begin(c.w.ctx, steps, 1));
    hlm_adapter_release(own);
    while (!done) OK(hlm_step_run(c.w.ctx, 1, &done));
    ck_assert_mem_eq(want, got, sizeof want);
    hlm_cache_free(cache);
    close_cast(&c);
}
END_TEST

/* A text of two adapters. */
static hlm_cache *mixed(const cast *c)
{
    int32_t ids[LONG];
    hlm_cache *cache = NULL;
    text_of(ids, LONG);
    OK(hlm_cache_new(&cache, c->w.pool, NULL));
    for (size_t i = 0; i < 3; i++) {
        hlm_step s = one_step(cache, ids + 10 * i, 10, NULL);
        s.adapter = c->all[i];
        OK(run_step(c->w.ctx, &s));
    }
    return cache;
}

START_TEST(snapshots)
{
    cast c = open_cast(NULL);
    const hlm_pool_params pp = small_pool();
    world other = other_pool(&c.w, &pp);
    hlm_cache *cache = mixed(&c), *loaded = NULL;
    const bytes b = saved(cache);
    int32_t ids[LONG], want[LONG];
    text_of(want, LONG);
    REFUSED(hlm_cache_load_memory(&loaded, other.pool, b.data, b.n, 0), HLM_E_MISMATCH);
    ck_assert_ptr_nonnull(strstr(hlm_last_error(), "adapter"));
    hlm_adapter *lora, *dora;
    OK(load(&lora, c.w.model, "lora", 0)); /* anew, and numbered the other way round */
    OK(load(&dora, c.w.model, "dora", 0));
    OK(hlm_pool_adapt(other.pool, dora));
    REFUSED(hlm_cache_load_memory(&loaded, other.pool, b.data, b.n, 0), HLM_E_MISMATCH);
    OK(hlm_pool_adapt(other.pool, lora));
    hlm_adapter_release(lora);
    hlm_adapter_release(dora);
    OK(hlm_cache_load_memory(&loaded, other.pool, b.data, b.n, 0));
    OK(hlm_cache_tokens(loaded, 0, LONG, ids));
    ck_assert_mem_eq(ids, want, sizeof ids);
    const bytes again = saved(loaded);
    ck_assert_uint_eq(again.n, b.n);
    ck_assert_mem_eq(again.data, b.data, b.n);
    for (int64_t at = 0; at <= LONG; at += 5) same_at(&c.w, cache, &other, loaded, at);
    free(b.data);
    free(again.data);
    hlm_cache_free(loaded);
    hlm_cache_free(cache);
    close_world(&other);
    close_cast(&c);
}
END_TEST

START_TEST(texts)
{
    cast c = open_cast(NULL);
    hlm_cache *cache = NULL, *two = mixed(&c);
    int32_t ids[LONG];
    size_t reused, pending;
    text_of(ids, LONG);
    OK(hlm_prefix_add(two));
    OK(hlm_cache_new(&cache, c.w.pool, NULL));
    OK(call_reuse(cache, c.lora, ids, LONG, &reused, &pending));
    ck_assert_uint_eq(reused, 0);
    OK(call_reuse(cache, NULL, ids, LONG, &reused, &pending));
    ck_assert_uint_eq(reused, 10);
    hlm_step s = one_step(cache, ids + 10, 15, NULL);
    s.adapter = c.lora;
    OK(run_step(c.w.ctx, &s));
    OK(call_reuse(cache, NULL, ids, LONG, &reused, &pending)); /* its own text parts there, too */
    ck_assert_uint_eq(reused, 10);
    hlm_cache_free(cache);
    hlm_cache_free(two);
    close_cast(&c);
}
END_TEST

START_TEST(refused)
{
    cast c = open_cast(NULL);
    world other = open_model("types", NULL), hymba = open_model("hymba-options", NULL),
          gguf = open_model("tiny-llama.gguf", NULL);
    hlm_adapter *a = NULL;
    hlm_cache *cache = NULL;
    const hlm_adapter *const same[] = {c.lora, c.dora};
    REFUSED(load(&a, c.w.model, "none", 0), HLM_E_IO);
    REFUSED(load(&a, c.w.model, "lora", 1e30f), HLM_E_ARG);
    REFUSED(load(&a, c.w.model, "lora-root", 0), HLM_E_FORMAT);
    REFUSED(load(&a, gguf.model, "lora", 0), HLM_E_FORMAT); /* of another size */
    REFUSED(load(&a, c.w.model, "gguf-lora/adapter.gguf", 0), HLM_E_UNSUPPORTED); /* of another architecture */
    REFUSED(load(&a, hymba.model, "lora", 0), HLM_E_FORMAT);
    const hlm_pool_params pp = {.struct_size = sizeof pp, .memory_token_adapter = c.lora};
    hlm_pool *pool = NULL;
    REFUSED(hlm_pool_new(&pool, hymba.model, &pp), HLM_E_MISMATCH);
    REFUSED(hlm_adapter_load(&a, NULL, "x", NULL), HLM_E_ARG);
    REFUSED(hlm_adapter_join(&a, same, 0), HLM_E_ARG);
    REFUSED(hlm_adapter_join(&a, same, 2), HLM_E_UNSUPPORTED);
    ck_assert_ptr_null(a);
    REFUSED(hlm_pool_adapt(other.pool, c.lora), HLM_E_MISMATCH);
    OK(hlm_cache_new(&cache, other.pool, NULL));
    const int32_t id = 3;
    hlm_step s = one_step(cache, &id, 1, NULL);
    s.adapter = c.lora;
    REFUSED(run_step(other.ctx, &s), HLM_E_MISMATCH);
    ck_assert_int_eq(hlm_cache_length(cache), 0);
    REFUSED(call_reuse(cache, c.lora, &id, 1, NULL, NULL), HLM_E_MISMATCH);
    hlm_cache_free(cache);
    close_world(&gguf);
    close_world(&hymba);
    close_world(&other);
    close_cast(&c);
}
END_TEST

/* ---- files ---- */

static char *slurp(const char *name, size_t *n)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/adapters/lora/%s", data, name);
    FILE *f = fopen(path, "rb");
    ck_assert_ptr_nonnull(f);
    char *b = malloc(1 << 20);
    *n = fread(b, 1, 1 << 20, f);
    fclose(f);
    return b;
}

static hlm_vfs vfs_of(memfs *fs)
{
    return (hlm_vfs){.struct_size = sizeof(hlm_vfs),
                     .user = fs,
                     .open = memfs_open,
                     .size = memfs_size,
                     .read_at = memfs_read,
                     .close = memfs_close};
}

/* Settings beside tensors of LoRA, what becomes of them, and what the sentence names. */
#define REST "\"r\": 3, \"lora_alpha\": 5, \"rank_pattern\": {\"v_proj\": 1}"
#define OTHER(key, value, status)                                                                      \
  {                                                                                                    \
    "{\"peft_type\": \"LORA\", " REST ", \"" key "\": " value "}", status == HLM_OK ? "" : key, status \
  }
static const struct {
    const char *json, *names;
    hlm_status status;
} cases[] = {
    {"{\"peft_type\": \"LORA\", " REST "}", "", HLM_OK},
    {"{\"peft_type\": \"LORA\", " REST ", \"bias\": \"none\", \"modules_to_save\": null, \"fan_in_fan_out\": false}",
     "", HLM_OK},
    {"{\"peft_type\": \"LORA\", " REST ", \"alpha_pattern\": {\"layers.0.mlp.down_proj\": 7}}", "", HLM_OK},
    {"{\"peft_type\": \"IA3\", " REST "}", "peft_type", HLM_E_UNSUPPORTED},
    {"{" REST "}", "peft_type", HLM_E_UNSUPPORTED},
    {"{\"peft_type\": \"LORA\", \"r\": 3}", "lora_alpha", HLM_E_FORMAT},
    {"{\"peft_type\": \"LORA\", \"lora_alpha\": 3}", "r is missing", HLM_E_FORMAT},
    {"{\"peft_type\": \"LORA\", \"r\": 0, \"lora_alpha\": 3}", "r", HLM_E_FORMAT},
    {"{\"peft_type\": \"LORA\", \"r\": 2, \"lora_alpha\": 3}", "lora_A", HLM_E_FORMAT},
    {"{\"peft_type\": \"LORA\", \"r\": 3, \"lora_alpha\": 1e300}", "lora_alpha", HLM_E_FORMAT},
    {"{\"peft_type\": \"LORA\", " REST ", \"bias\": \"all\"}", "bias", HLM_E_UNSUPPORTED},
    {"{\"peft_type\": \"LORA\", " REST ", \"modules_to_save\": [\"x\"]}", "modules_to_save", HLM_E_UNSUPPORTED},
    {"{\"peft_type\": \"LORA\", " REST ", \"fan_in_fan_out\": true}", "fan_in_fan_out", HLM_E_UNSUPPORTED},
    {"{\"peft_type\": \"LORA\", " REST ", \"use_dora\": true}", "lora_magnitude_vector", HLM_E_FORMAT},
    {"{\"peft_type\": \"LORA\", " REST ", \"alpha_pattern\": {\"a.*\": 7}}", "", HLM_OK},
    {"{\"peft_type\": \"LORA\", " REST ", \"alpha_pattern\": {\"(*F)\": 7}}", "alpha_pattern", HLM_E_UNSUPPORTED},
    OTHER("init_lora_weights", "\"gaussian\"", HLM_OK),
    OTHER("init_lora_weights", "\"eva\"", HLM_OK),
    OTHER("init_lora_weights", "\"orthogonal\"", HLM_OK),
    OTHER("init_lora_weights", "\"mica\"", HLM_OK),
    OTHER("init_lora_weights", "true", HLM_OK),
    OTHER("init_lora_weights", "false", HLM_OK),
    OTHER("init_lora_weights", "\"pissa\"", HLM_E_UNSUPPORTED),
    OTHER("init_lora_weights", "\"pissa_niter_4\"", HLM_E_UNSUPPORTED),
    OTHER("init_lora_weights", "\"olora\"", HLM_E_UNSUPPORTED),
    OTHER("init_lora_weights", "\"corda\"", HLM_E_UNSUPPORTED),
    OTHER("init_lora_weights", "\"loftq\"", HLM_E_UNSUPPORTED),
    OTHER("init_lora_weights", "\"lora_ga\"", HLM_E_UNSUPPORTED),
    OTHER("init_lora_weights", "\"gauss\"", HLM_E_UNSUPPORTED),
    OTHER("init_lora_weights", "3", HLM_E_UNSUPPORTED),
    OTHER("eva_config", "{\"rho\": 2.0}", HLM_OK),
    OTHER("corda_config", "{\"corda_method\": \"ipm\"}", HLM_OK),
    OTHER("loftq_config", "{\"loftq_bits\": 4}", HLM_OK),
    OTHER("lora_dropout", "0.1", HLM_OK),
    OTHER("lora_dropout", "\"0.1\"", HLM_E_FORMAT),
    OTHER("inference_mode", "true", HLM_OK),
    OTHER("task_type", "\"CAUSAL_LM\"", HLM_OK),
    OTHER("task_type", "7", HLM_E_FORMAT),
    OTHER("megatron_core", "\"megatron.core\"", HLM_OK),
    OTHER("megatron_config", "{\"a\": 1}", HLM_E_UNSUPPORTED),
    OTHER("qalora_group_size", "16", HLM_OK),
    OTHER("use_qalora", "true", HLM_E_UNSUPPORTED),
    OTHER("lora_bias", "true", HLM_E_UNSUPPORTED),
    OTHER("kasa_config", "{\"r\": 1}", HLM_E_UNSUPPORTED),
    OTHER("velora_config", "{\"r\": 1}", HLM_E_UNSUPPORTED),
    OTHER("monteclora_config", "{\"r\": 1}", HLM_E_UNSUPPORTED),
    OTHER("arrow_config", "{\"top_k\": 3}", HLM_E_UNSUPPORTED),
    OTHER("use_bdlora", "{\"n\": 1}", HLM_E_UNSUPPORTED),
    OTHER("layer_replication", "[[0, 1]]", HLM_E_UNSUPPORTED),
    OTHER("target_parameters", "[\"x\"]", HLM_E_UNSUPPORTED),
    OTHER("trainable_token_indices", "[1]", HLM_E_UNSUPPORTED),
    OTHER("ensure_weight_tying", "true", HLM_E_UNSUPPORTED),
    OTHER("alora_invocation_string", "\"<x>\"", HLM_E_UNSUPPORTED),
    OTHER("of_tomorrow", "1", HLM_E_UNSUPPORTED),
    OTHER("of_tomorrow", "0", HLM_E_UNSUPPORTED),
    OTHER("of_tomorrow", "\"\"", HLM_E_UNSUPPORTED),
    OTHER("of_tomorrow", "true", HLM_E_UNSUPPORTED),
    OTHER("of_tomorrow", "[0]", HLM_E_UNSUPPORTED),
    OTHER("of_tomorrow", "{\"a\": null}", HLM_E_UNSUPPORTED),
    OTHER("of_tomorrow", "null", HLM_OK),
    OTHER("of_tomorrow", "false", HLM_OK),
    OTHER("of_tomorrow", "{}", HLM_OK),
    OTHER("of_tomorrow", "[]", HLM_OK),
    OTHER("bias", "\"lora_only\"", HLM_E_UNSUPPORTED),
    OTHER("bias", "null", HLM_OK),
    OTHER("alora_invocation_tokens", "[1, 2]", HLM_OK),
    OTHER("alora_invocation_tokens", "[]", HLM_OK),
    OTHER("alora_invocation_tokens", "[64]", HLM_E_TOKEN),
    OTHER("alora_invocation_tokens", "[-1]", HLM_E_TOKEN),
    OTHER("alora_invocation_tokens", "[1.5]", HLM_E_FORMAT),
    OTHER("alora_invocation_tokens", "7", HLM_E_FORMAT),
    OTHER("target_modules", "\".*(q|v|down)_proj|lm_head\"", HLM_OK),
    OTHER("target_modules", "\".*(q|v|down)_proj\"", HLM_E_FORMAT),
    OTHER("target_modules", "\"all-linear\"", HLM_E_FORMAT),
    OTHER("exclude_modules", "[\"v_proj\"]", HLM_E_FORMAT),
    OTHER("exclude_modules", "[\"o_proj\"]", HLM_OK),
    {"{\"peft_type\": \"LORA\", " REST ", \"alpha_pattern\": {\"a\": -1}}", "alpha_pattern", HLM_E_FORMAT},
    {"{\"peft_type\": \"LORA\", " REST ", \"alpha_pattern\": 3}", "alpha_pattern", HLM_E_FORMAT},
    {"[]", "adapter_config.json", HLM_E_FORMAT}};
#undef OTHER
#undef REST

START_TEST(settings)
{
    world w = open_model("types", NULL);
    size_t n;
    char *tensors = slurp("adapter_model.safetensors", &n);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        memfs fs = {.n = 0};
        memfs_add(&fs, "x/adapter_config.json", cases[i].json, strlen(cases[i].json));
        memfs_add(&fs, "x/adapter_model.safetensors", tensors, n);
        const hlm_vfs vfs = vfs_of(&fs);
        const hlm_adapter_params p = {.struct_size = sizeof p, .vfs = &vfs};
        hlm_adapter *a = NULL;
        const hlm_status st = hlm_adapter_load(&a, w.model, "x", &p);
        ck_assert_msg(st == cases[i].status, "%s: %s: %s", cases[i].json, hlm_status_name(st), hlm_last_error());
        if (st != HLM_OK)
            ck_assert_msg(strstr(hlm_last_error(), cases[i].names) != NULL, "%s: %s", cases[i].json, hlm_last_error());
        ck_assert_uint_eq(fs.open, 0);
        hlm_adapter_release(a);
        memfs_clear(&fs);
    }
    free(tensors);
    close_world(&w);
}
END_TEST

/* Every allocation of loading and joining fails once; all memory comes back. */
START_TEST(no_memory)
{
    counter count = {0};
    const hlm_allocator allocator = counter_allocator(&count);
    const hlm_model_params mp = {.struct_size = sizeof mp, .allocator = &allocator};
    world w = open_model("types", &mp);
    const size_t before = atomic_load(&count.live);
    hlm_status st = HLM_E_NOMEM;
    for (size_t k = 1; st != HLM_OK; k++) {
        hlm_adapter *a = NULL, *joined = NULL;
        atomic_store(&count.calls, 0);
        count.fail_at = k;
        st = load(&a, w.model, "dora", 0);
        const hlm_adapter *const one[] = {a};
        if (st == HLM_OK) st = hlm_adapter_join(&joined, one, 1);
        ck_assert(st == HLM_OK || st == HLM_E_NOMEM);
        hlm_adapter_release(joined);
        hlm_adapter_release(a);
        ck_assert_uint_eq(atomic_load(&count.live), before);
    }
    count.fail_at = 0;
    close_world(&w);
    ck_assert_uint_eq(atomic_load(&count.live), 0);
}
END_TEST

START_TEST(facts)
{
    cast c = open_cast(NULL);
    hlm_adapter_info lora = {.struct_size = sizeof lora}, half = lora, dora = lora;
    OK(hlm_adapter_info_get(c.lora, &lora));
    OK(hlm_adapter_info_get(c.half, &half));
    OK(hlm_adapter_info_get(c.dora, &dora));
    ck_assert_uint_eq(lora.n_matrices, 10);
    ck_assert_uint_eq(lora.rank, 3);
    ck_assert_uint_eq(half.rank, 6);
    ck_assert_uint_eq(dora.n_matrices, 9);
    ck_assert_uint_eq(dora.rank, 2);
    ck_assert_uint_gt(half.bytes, lora.bytes);
    close_cast(&c);
}
END_TEST

int main(int argc, char **argv)
{
    if (argc != 2) return 2;
    data = argv[1];
    TCase *t = tcase_create("adapter");
    tcase_add_test(t, one_answer);
    tcase_add_test(t, one_batch);
    tcase_add_test(t, slices_hold_it);
    tcase_add_test(t, snapshots);
    tcase_add_test(t, texts);
    tcase_add_test(t, refused);
    tcase_add_test(t, settings);
    tcase_add_test(t, no_memory);
    tcase_add_test(t, facts);
    return api_main("adapter", t);
}
