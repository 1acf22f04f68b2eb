/* Adapters by PEFT's rules: which modules settings speak of, names of modules, copies of the model's own weights, and
 * adapters that wait for tokens: test_adapter_peft DATA. What PEFT says is in DATA/peft (test/golden/make_peft.py). */
#define _XOPEN_SOURCE 700
#include <strings.h>

#include "../state/make_adapter.h"
#include "api_help.h"
#include "arch/adapter_match.h"
#include "merge_help.h"
#include "plan/adapter.h"
#include "plan/model.h"
#include "../calls.h"

enum { MOST = 64 };

static const char *data;
static char folder[32];

static void path_of(char *path, const char *a, const char *b)
{
    snprintf(path, MERGE_PATH, "%s/%s%s", data, a, b);
}

static hlm_model *load_model(const char *name)
{
    char path[MERGE_PATH];
    hlm_model *m = NULL;
    const hlm_model_params mp = {.struct_size = sizeof mp, .activations = HLM_ACTIVATIONS_F32};
    path_of(path, "models/", name);
    OK(hlm_model_load(&m, path, &mp));
    return m;
}

static hlmi_store *open_store(const char *name)
{
    char path[MERGE_PATH];
    hlmi_store *s = NULL;
    hlmi_vfs vfs;
    hlmi_mem mem;
    path_of(path, "models/", name);
    OK(hlmi_mem_from(&mem, NULL));
    OK(hlmi_vfs_from(&vfs, NULL, true));
    OK(hlmi_store_open(&s, &mem, &vfs, path, HLMI_STORE_MODEL));
    return s;
}

static json_t *read_json(const char *name)
{
    char path[MERGE_PATH];
    path_of(path, name, "");
    json_t *v = json_load_file(path, 0, NULL);
    ck_assert_ptr_nonnull(v);
    return v;
}

/* ---- rules ---- */

static void open_match(hlmi_adapter_match *m, const json_t *config)
{
    hlmi_mem mem;
    OK(hlmi_mem_from(&mem, NULL));
    OK(hlmi_adapter_match_open(m, &mem, config, "x"));
}

/* Keys get their numbers, from 1 on; the first that matches gives its own. */
START_TEST(patterns)
{
    json_t *rules = read_json("peft/rules.json"), *modules = json_object_get(rules, "modules"), *item;
    size_t i, checked = 0;
    json_array_foreach(json_object_get(rules, "patterns"), i, item)
    {
        json_t *keys = json_object_get(item, "keys"), *config = json_object(), *pattern = json_object();
        for (size_t k = 0; k < json_array_size(keys); k++)
            json_object_set_new(pattern, json_string_value(json_array_get(keys, k)), json_integer((json_int_t)k + 1));
        json_object_set_new(config, "alpha_pattern", pattern);
        hlmi_adapter_match m;
        open_match(&m, config);
        for (size_t k = 0; k < json_array_size(modules); k++, checked++) {
            const char *module = json_string_value(json_array_get(modules, k));
            const json_t *want = json_array_get(json_object_get(item, "found"), k);
            double got = 0;
            OK(hlmi_adapter_match_value(&m, &m.alphas, module, &got));
            const double expected =
                json_is_string(want) ? json_number_value(json_object_get(pattern, json_string_value(want))) : 0;
            ck_assert_msg(got == expected, "patterns[%zu] of %s: key %g, PEFT has %g", i, module, got, expected);
        }
        hlmi_adapter_match_close(&m);
        json_decref(config);
    }
    ck_assert_uint_gt(checked, 250);
    json_decref(rules);
}
END_TEST

START_TEST(targets)
{
    json_t *rules = read_json("peft/rules.json"), *modules = json_object_get(rules, "modules"), *item;
    size_t i;
    json_array_foreach(json_object_get(rules, "targets"), i, item)
    {
        hlmi_adapter_match m;
        open_match(&m, json_object_get(item, "config"));
        for (size_t k = 0; k < json_array_size(modules); k++) {
            const char *module = json_string_value(json_array_get(modules, k));
            const bool want = json_is_true(json_array_get(json_object_get(item, "found"), k));
            const hlm_status st = hlmi_adapter_match_targets(&m, module);
            ck_assert_msg(st == (want ? HLM_OK : HLM_E_FORMAT), "targets[%zu] of %s: %s", i, module,
                          hlm_status_name(st));
            if (!want) ck_assert_ptr_nonnull(strstr(hlm_last_error(), module));
        }
        hlmi_adapter_match_close(&m);
    }
    json_decref(rules);
}
END_TEST

/* What Python and PCRE2 read differently, what takes too long, and what is of a wrong kind. */
START_TEST(refused_rules)
{
    static const struct {
        const char *json, *names;
        hlm_status status;
    } cases[] = {{"{\"alpha_pattern\": {\"(*FAIL)\": 1}}", "alpha_pattern", HLM_E_UNSUPPORTED},
                 {"{\"alpha_pattern\": {\"a\\\\Kb\": 1}}", "alpha_pattern", HLM_E_UNSUPPORTED},
                 {"{\"rank_pattern\": {\"\\\\p{L}\": 1}}", "rank_pattern", HLM_E_UNSUPPORTED},
                 {"{\"rank_pattern\": {\"(?i)q\": 1}}", "rank_pattern", HLM_E_UNSUPPORTED},
                 {"{\"rank_pattern\": {\"(q\": 1}}", "(q", HLM_E_UNSUPPORTED},
                 {"{\"rank_pattern\": {\"[q\": 1}}", "[q", HLM_E_UNSUPPORTED},
                 {"{\"rank_pattern\": {\"q\": 0}}", "rank_pattern", HLM_E_FORMAT},
                 {"{\"target_modules\": 3}", "target_modules", HLM_E_FORMAT},
                 {"{\"target_modules\": [3]}", "target_modules", HLM_E_FORMAT},
                 {"{\"target_modules\": \"(\"}", "target_modules", HLM_E_UNSUPPORTED},
                 {"{\"exclude_modules\": {\"a\": 1}}", "exclude_modules", HLM_E_FORMAT},
                 {"{\"layers_to_transform\": \"1\"}", "layers_to_transform", HLM_E_FORMAT},
                 {"{\"layers_to_transform\": [1.5]}", "layers_to_transform", HLM_E_FORMAT},
                 {"{\"layers_to_transform\": 1, \"target_modules\": \"q\"}", "layers_to_transform", HLM_E_FORMAT},
                 {"{\"layers_to_transform\": 1, \"layers_pattern\": [3]}", "layers_pattern", HLM_E_FORMAT},
                 {"{\"layers_pattern\": \"h\"}", "layers_pattern", HLM_E_FORMAT},
                 {"{\"target_modules\": \"((a|aa|a.)*)*[b-d]\"}", "target_modules", HLM_E_LIMIT}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        hlmi_adapter_match m;
        hlmi_mem mem;
        json_t *config = json_loads(cases[i].json, 0, NULL);
        OK(hlmi_mem_from(&mem, NULL));
        hlm_status st = hlmi_adapter_match_open(&m, &mem, config, "x");
        if (st == HLM_OK) st = hlmi_adapter_match_targets(&m, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
        ck_assert_msg(st == cases[i].status, "%s: %s: %s", cases[i].json, hlm_status_name(st), hlm_last_error());
        ck_assert_msg(strstr(hlm_last_error(), cases[i].names) != NULL, "%s: %s", cases[i].json, hlm_last_error());
        hlmi_adapter_match_close(&m);
        json_decref(config);
    }
}
END_TEST

/* ---- names ---- */

static void remove_files(void)
{
    char path[MERGE_PATH];
    static const char *const names[] = {"adapter_model.safetensors", "adapter_config.json", "model.safetensors",
                                        "config.json"};
    for (size_t i = 0; i < 4; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        remove(path);
    }
}

/* The status of an adapter for tensor `name` of a model whose file calls it `as`; its fingerprint. */
static hlm_status load_as(hlm_model *model, const hlmi_store *store, const char *name, const char *as, uint64_t *print)
{
    hlm_adapter *ad = NULL;
    const hlmi_tensor *t = hlmi_store_find(store, name);
    ck_assert_ptr_nonnull(t);
    merge m = merge_make(store, as, t, false, 7);
    merge_st_adapter(&m, 1, folder, "");
    const hlm_status st = hlm_adapter_load(&ad, model, folder, NULL);
    if (st == HLM_OK) memcpy(print, ad->print, sizeof ad->print);
    hlm_adapter_release(ad);
    merge_free(&m);
    remove_files();
    return st;
}

START_TEST(module_names)
{
    static const char *const cases[][3] = {
        {"nemotron-h-moe", "backbone.layers.1.mixer.gate.weight", "model.layers.1.mixer.gate.weight"},
        {"nemotron-h-moe", "backbone.layers.1.mixer.shared_experts.up_proj.weight",
         "model.layers.1.mixer.shared_experts.up_proj.weight"},
        {"falcon-mamba", "backbone.layers.0.mixer.in_proj.weight", "model.layers.0.mixer.in_proj.weight"},
        {"qwen3", "model.layers.0.self_attn.q_proj.weight", "layers.0.self_attn.q_proj.weight"},
        {"qwen3", "model.layers.0.self_attn.q_proj.weight", "model.language_model.layers.0.self_attn.q_proj.weight"},
        {"experts", "model.layers.0.block_sparse_moe.gate.weight", "model.layers.0.mlp.gate.weight"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        hlm_model *model = load_model(cases[i][0]);
        hlmi_store *store = open_store(cases[i][0]);
        uint64_t a[2] = {1}, b[2] = {2};
        OK(load_as(model, store, cases[i][1], cases[i][1], a));
        OK(load_as(model, store, cases[i][1], cases[i][2], b));
        ck_assert_mem_eq(a, b, sizeof a);
        REFUSED(load_as(model, store, cases[i][1], "other.layers.0.self_attn.q_proj.weight", b), HLM_E_FORMAT);
        hlmi_store_close(store);
        hlm_model_release(model);
    }
}
END_TEST

/* ---- copies of the model's own tensors ---- */

/* An adapter of the head with a tensor `as` that is the model's `name`, with a number changed by `change`. */
static hlm_status load_with(const char *model_name, const char *head, const char *name, const char *as, float change,
                            bool short_by_one)
{
    hlm_model *model = load_model(model_name);
    hlmi_store *store = open_store(model_name);
    const hlmi_tensor *t = hlmi_store_find(store, name);
    ck_assert_ptr_nonnull(t);
    merge m = merge_make(store, head, t, false, 9);
    float *own = merge_read(store, t);
    json_t *header = json_object();
    bytes out = {0};
    own[m.cols + 1] += change;
    const uint64_t a[] = {MERGE_RANK, m.cols}, b[] = {m.rows, MERGE_RANK}, dims[] = {m.rows - short_by_one, m.cols};
    merge_st_adapter(&m, 1, folder, "");
    merge_st_add(header, &out, "base_model.model.lm_head.lora_A.weight", "F32", a, 2, m.a,
                 MERGE_RANK * m.cols * sizeof(float));
    merge_st_add(header, &out, "base_model.model.lm_head.lora_B.weight", "F32", b, 2, m.b,
                 MERGE_RANK * m.rows * sizeof(float));
    merge_st_add(header, &out, as, "F32", dims, 2, own, (size_t)(dims[0] * dims[1]) * sizeof(float));
    merge_st_write(folder, "adapter_model.safetensors", header, &out);
    hlm_adapter *ad = NULL;
    const hlm_status st = hlm_adapter_load(&ad, model, folder, NULL);
    hlm_adapter_release(ad);
    free(own);
    merge_free(&m);
    remove_files();
    hlmi_store_close(store);
    hlm_model_release(model);
    return st;
}

START_TEST(copies)
{
    static const char base[] = "base_model.model.lm_head.base_layer.weight",
                      table[] = "base_model.model.model.embed_tokens.weight";
    OK(load_with("types", "lm_head.weight", "lm_head.weight", base, 0, false));
    OK(load_with("types", "lm_head.weight", "model.embed_tokens.weight", table, 0, false));
    REFUSED(load_with("types", "lm_head.weight", "lm_head.weight", base, 0.5f, false), HLM_E_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(hlm_last_error(), base));
    REFUSED(load_with("types", "lm_head.weight", "model.embed_tokens.weight", table, 0, true), HLM_E_UNSUPPORTED);
    /* one matrix for both: the head goes by its own name, and its copy is the embedding's */
    OK(load_with("tiny-llama", "lm_head.weight", "model.embed_tokens.weight", base, 0, false));
    OK(load_with("tiny-llama", "lm_head.weight", "model.embed_tokens.weight", table, 0, false));
    REFUSED(load_with("tiny-llama", "lm_head.weight", "model.embed_tokens.weight", base, 1, false), HLM_E_UNSUPPORTED);
    REFUSED(
        load_with("tiny-llama", "lm_head.weight", "model.embed_tokens.weight", "base_model.model.x.weight", 0, false),
        HLM_E_FORMAT);
}
END_TEST

/* Qwen 3 in `folder` with a matrix in E4M3 codes that are all of 1, whose rows are no part of 4,096. */
static void write_coded_model(const hlmi_store *s, const char *coded)
{
    const hlmi_tensor *t = hlmi_store_find(s, coded);
    const float scales[] = {1, 1}; /* of 48 columns: no block of F8_SCALED, so float32 in memory */
    const uint64_t dims[] = {1, 2};
    json_t *header = json_object(), *config = json_copy((json_t *)hlmi_store_config(s));
    bytes out = {0}, text = {0};
    ck_assert_uint_ne(4096 % t->dims[1], 0);
    for (size_t i = 0; i < hlmi_store_count(s); i++) {
        const hlmi_tensor *at = hlmi_store_at(s, i);
        const uint8_t *from = NULL;
        uint8_t *buffer = malloc((size_t)at->bytes);
        OK(hlmi_store_read(s, at, 0, (size_t)at->bytes, buffer, &from));
        if (at != t)
            merge_st_add(header, &out, at->name, merge_st_type(at->type), at->dims, at->n_dims, from,
                         (size_t)at->bytes);
        free(buffer);
    }
    char name[MERGE_PATH];
    snprintf(name, sizeof name, "%s_scale_inv", coded);
    merge_st_add(header, &out, name, "F32", dims, 2, scales, sizeof scales);
    const size_t n = (size_t)(t->dims[0] * t->dims[1]);
    uint8_t *codes = malloc(n);
    memset(codes, 0x38, n);
    merge_st_add(header, &out, coded, "F8_E4M3", t->dims, 2, codes, n);
    free(codes);
    merge_st_write(folder, "model.safetensors", header, &out);
    json_object_set_new(config, "quantization_config",
                        json_pack("{s:s, s:[I, I]}", "quant_method", "fp8", "weight_block_size", (json_int_t)t->dims[0],
                                  (json_int_t)t->dims[1] / 2));
    char *json = json_dumps(config, 0);
    put(&text, json, strlen(json));
    merge_write(folder, "config.json", &text, NULL);
    free(json);
    free(text.data);
    json_decref(config);
}

START_TEST(copies_of_coded_matrices)
{
    static const char coded[] = "model.layers.0.self_attn.q_proj.weight";
    hlmi_store *s = open_store("qwen3");
    const hlmi_tensor *t = hlmi_store_find(s, coded), *k = hlmi_store_find(s, "model.layers.0.self_attn.k_proj.weight");
    const uint64_t a[] = {MERGE_RANK, k->dims[1]}, b[] = {k->dims[0], MERGE_RANK};
    const size_t n = (size_t)(t->dims[0] * t->dims[1]);
    for (size_t changed = 0; changed < 3; changed++) {
        write_coded_model(s, coded);
        hlm_model *model = NULL;
        hlm_adapter *ad = NULL;
        hlm_model_params mp = {.struct_size = sizeof mp};
        OK(hlm_model_load(&model, folder, &mp));
        merge m = merge_make(s, k->name, k, false, 3);
        merge_st_adapter(&m, 1, folder, ""); /* for its settings */
        json_t *header = json_object();
        bytes out = {0};
        float *x = malloc(n * sizeof *x);
        for (size_t i = 0; i < n; i++) x[i] = 1;
        if (changed) x[changed == 1 ? 4096 : n - 1] = 1.5f;
        merge_st_add(header, &out, "base_model.model.model.layers.0.self_attn.k_proj.lora_A.weight", "F32", a, 2, m.a,
                     MERGE_RANK * m.cols * sizeof(float));
        merge_st_add(header, &out, "base_model.model.model.layers.0.self_attn.k_proj.lora_B.weight", "F32", b, 2, m.b,
                     MERGE_RANK * m.rows * sizeof(float));
        merge_st_add(header, &out, "base_model.model.model.layers.0.self_attn.q_proj.base_layer.weight", "F32", t->dims,
                     2, x, n * sizeof *x);
        merge_st_write(folder, "adapter_model.safetensors", header, &out);
        const hlm_status st = hlm_adapter_load(&ad, model, folder, NULL);
        ck_assert_msg(st == (changed ? HLM_E_UNSUPPORTED : HLM_OK), "%zu: %s: %s", changed, hlm_status_name(st),
                      hlm_last_error());
        free(x);
        merge_free(&m);
        hlm_adapter_release(ad);
        hlm_model_release(model);
        remove_files();
    }
    hlmi_store_close(s);
}
END_TEST

/* ---- GGUF ---- */

/* A GGUF adapter with one setting more than it needs. */
static hlm_status load_gguf(hlm_model *model, const hlmi_store *store, const bytes *setting, size_t *n_invocation)
{
    char path[MERGE_PATH];
    bytes front = {0}, out = {0};
    const hlmi_tensor *t = hlmi_store_find(store, "blk.0.attn_k.weight");
    merge m = merge_make(store, t->name, t, false, 3);
    const uint64_t a[] = {MERGE_RANK, m.cols}, b[] = {m.rows, MERGE_RANK};
    put_front(&front, 3, 2, 5);
    put_kv_string(&front, "general.type", "adapter");
    put_kv_string(&front, "general.architecture", "llama");
    put_kv_string(&front, "adapter.type", "lora");
    put_kv(&front, "adapter.lora.alpha", 6, 0x40000000, 4);
    put(&front, setting->data, setting->n);
    merge_gguf_tensor(&front, &out, "blk.0.attn_k.weight.lora_a", a, 2, 0, m.a, MERGE_RANK * m.cols * sizeof(float));
    merge_gguf_tensor(&front, &out, "blk.0.attn_k.weight.lora_b", b, 2, 0, m.b, MERGE_RANK * m.rows * sizeof(float));
    merge_gguf_write(folder, "adapter.gguf", &front, &out);
    merge_free(&m);
    snprintf(path, sizeof path, "%s/adapter.gguf", folder);
    hlm_adapter *ad = NULL;
    const hlm_status st = hlm_adapter_load(&ad, model, path, NULL);
    *n_invocation = ad ? ad->n_invocation : 0;
    hlm_adapter_release(ad);
    remove(path);
    free(setting->data);
    return st;
}

START_TEST(gguf_settings)
{
    static const char *const known[] = {"general.name", "adapter.lora.task_name", "adapter.lora.prompt_prefix"};
    hlm_model *model = load_model("gguf-q4_0/model.gguf");
    hlmi_store *store = open_store("gguf-q4_0/model.gguf");
    size_t n;
    for (size_t i = 0; i < 3; i++) {
        bytes b = {0};
        put_kv_string(&b, known[i], "x");
        OK(load_gguf(model, store, &b, &n));
        ck_assert_uint_eq(n, 0);
    }
    bytes other = {0}, tokens = {0}, above = {0}, word = {0};
    put_kv_string(&other, "adapter.lora.of_tomorrow", "x");
    REFUSED(load_gguf(model, store, &other, &n), HLM_E_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(hlm_last_error(), "adapter.lora.of_tomorrow"));
    put_kv_array(&tokens, "adapter.alora.invocation_tokens", 4, 2);
    put_le(&tokens, 5, 4);
    put_le(&tokens, 7, 4);
    OK(load_gguf(model, store, &tokens, &n));
    ck_assert_uint_eq(n, 2);
    put_kv_array(&above, "adapter.alora.invocation_tokens", 4, 1);
    put_le(&above, 1 << 30, 4);
    REFUSED(load_gguf(model, store, &above, &n), HLM_E_TOKEN);
    put_kv_string(&word, "adapter.alora.invocation_tokens", "x");
    REFUSED(load_gguf(model, store, &word, &n), HLM_E_FORMAT);
    hlmi_store_close(store);
    hlm_model_release(model);
}
END_TEST

/* ---- adapters that wait ---- */

static const int32_t invocation[] = {9, 4, 9};
enum { M = 3, KINDS = 4 /* of steps: with none, with one that waits, with the same that does not, with another */ };

typedef struct scene {
    hlm_model *model;
    hlm_pool *pool;
    hlm_context *ctx, *wide; /* wide: other tiles, more threads */
    const hlm_adapter *by[KINDS];
    size_t width, vocab;
} scene;

/* The adapter in `folder`, with settings instead of its own. */
static const hlm_adapter *load_with_settings(hlm_model *model, const char *settings)
{
    hlm_adapter *ad = NULL;
    bytes config = {0};
    put(&config, settings, strlen(settings));
    merge_write(folder, "adapter_config.json", &config, NULL);
    free(config.data);
    OK(hlm_adapter_load(&ad, model, folder, NULL));
    return ad;
}

static scene open_scene(const char *name, bool give_back)
{
    char path[MERGE_PATH];
    scene s = {.model = load_model(name)};
    hlm_model_info info = {.struct_size = sizeof info};
    OK(hlm_model_info_get(s.model, &info));
    s.vocab = (size_t)info.vocab_size;
    s.width = (size_t)(info.n_labels ? info.n_labels : info.vocab_size);
    const hlm_pool_params pp = {.struct_size = sizeof pp,
                                .page_tokens = 4,
                                .mark_stride = 8,
                                .mark_bytes = 1 << 20,
                                .undo_tokens = 4,
                                .prefix_bytes = 1 << 20,
                                .window_rows = give_back ? HLM_WINDOW_GIVE_BACK : HLM_WINDOW_KEEP};
    OK(hlm_pool_new(&s.pool, s.model, &pp));
    const hlm_ctx_params cp = {.struct_size = sizeof cp, .n_threads = 1, .pool = s.pool, .max_rows = 5},
                         wide = {.struct_size = sizeof wide, .n_threads = 3, .pool = s.pool, .max_rows = 64};
    OK(hlm_ctx_new(&s.ctx, s.model, &cp));
    OK(hlm_ctx_new(&s.wide, s.model, &wide));
    path_of(path, "models/", name);
    for (uint32_t i = 0; i < 2; i++) {
        rmdir(folder);
        ck_assert_uint_gt(make_adapter(path, folder, 5 + i), 0);
        if (i == 0)
            s.by[1] = load_with_settings(
                s.model,
                "{\"peft_type\": \"LORA\", \"r\": 2, \"lora_alpha\": 3, \"alora_invocation_tokens\": [9, 4, 9]}");
        if (i == 0) s.by[2] = load_with_settings(s.model, "{\"peft_type\": \"LORA\", \"r\": 2, \"lora_alpha\": 3}");
        else s.by[3] = load_with_settings(s.model, "{\"peft_type\": \"LORA\", \"r\": 2, \"lora_alpha\": 3}");
        remove_files();
    }
    return s;
}

static void close_scene(scene *s)
{
    for (size_t i = 0; i < KINDS; i++) hlm_adapter_release((hlm_adapter *)(uintptr_t)s->by[i]);
    hlm_ctx_free(s->ctx);
    hlm_ctx_free(s->wide);
    hlm_pool_release(s->pool);
    hlm_model_release(s->model);
}

/* A text and what each token is run with: 0 none, 1 and 3 as in scene.by, as this test understands the rules. */
typedef struct told {
    int32_t ids[MOST];
    unsigned by[MOST];
    size_t n;
} told;

static size_t last_invocation(const told *t)
{
    for (size_t i = t->n >= M ? t->n - M + 1 : 0; i > 0; i--)
        if (memcmp(t->ids + i - 1, invocation, sizeof invocation) == 0) return i - 1;
    return MOST;
}

static void tell(told *t, const int32_t *ids, size_t n, unsigned by)
{
    for (size_t i = 0; i < n; i++) {
        t->ids[t->n] = ids[i];
        t->by[t->n++] = by == 1 ? 0 : by;
    }
    if (by != 1) return;
    const size_t at = last_invocation(t);
    for (size_t i = 0; i < t->n; i++)
        if (t->by[i] < 2) t->by[i] = i >= at;
}

/* The logits behind a text in a fresh sequence, by adapters that wait for nothing. */
static void fresh_logits(const scene *s, const told *t, float *logits)
{
    hlm_cache *c = NULL;
    OK(hlm_cache_new(&c, s->pool, NULL));
    for (size_t i = 0, n; i < t->n; i += n) {
        for (n = 1; i + n < t->n && t->by[i + n] == t->by[i]; n++) continue;
        hlm_step step = one_step(c, t->ids + i, n, logits);
        step.adapter = s->by[t->by[i] == 1 ? 2 : t->by[i]];
        OK(run_step(s->wide, &step));
    }
    hlm_cache_free(c);
}

static hlm_status run_with(const scene *s, hlm_context *ctx, hlm_cache *c, const int32_t *ids, size_t n, unsigned by,
                           bool slices, float *logits)
{
    hlm_step step = one_step(c, ids, n, logits);
    step.adapter = s->by[by];
    const hlm_step *const steps[] = {&step};
    int32_t done = 0;
    if (!slices) return hlm_decode_step(ctx, steps, 1);
    hlm_status st = hlm_step_begin(ctx, steps, 1);
    while (st == HLM_OK && !done) st = hlm_step_run(ctx, 1, &done);
    return st;
}

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* Steps, rewinds, forks, steps that fail: after each the next token has the logits of a fresh sequence. */
static void random_program(const scene *s, uint32_t seed, float *want, float *got)
{
    hlm_cache *c = NULL;
    told t = {.n = 0};
    const uint32_t style = next_random(&seed) % 3; /* only the one that waits; or others too */
    OK(hlm_cache_new(&c, s->pool, NULL));
    for (int op = 0; op < 12; op++) {
        int32_t ids[8];
        const size_t n = 1 + next_random(&seed) % 6;
        const unsigned by = style == 0 || next_random(&seed) % 2 ? 1 : (unsigned[]){0, 1, 3, 0}[next_random(&seed) % 4];
        const uint32_t what = next_random(&seed) % 8;
        for (size_t i = 0; i < n; i++) ids[i] = (int32_t[]){9, 4, 9, 4, 9, 7}[next_random(&seed) % 6];
        if (what == 0 && t.n) {
            t.n = next_random(&seed) % t.n;
            OK(hlm_cache_rewind(c, (int64_t)t.n, NULL));
        } else if (what == 1 && t.n) {
            hlm_cache *f = NULL;
            const size_t at = next_random(&seed) % (t.n + 1);
            OK(hlm_cache_fork(&f, c, (int64_t)at));
            hlm_cache_free(c);
            c = f;
            t.n = at;
        } else if (what == 2) { /* cancelled: as if it had not been */
            hlm_ctx_cancel(s->ctx);
            REFUSED(run_with(s, s->ctx, c, ids, n, by, false, got), HLM_E_CANCELLED);
        }
        if (t.n + n + 1 > MOST) break;
        OK(run_with(s, what == 3 ? s->wide : s->ctx, c, ids, n, by, what == 4, got));
        tell(&t, ids, n, by);
        fresh_logits(s, &t, want);
        ck_assert_msg(memcmp(want, got, s->width * sizeof *want) == 0, "program %u, operation %d", seed, op);
        int32_t held[MOST];
        OK(hlm_cache_tokens(c, 0, t.n, held));
        ck_assert_mem_eq(held, t.ids, t.n * sizeof *held);
    }
    hlm_cache_free(c);
}

START_TEST(programs)
{
    static const char *const names[] = {"types", "qwen3-next", "falcon-h1-options", "hymba-options", "nemotron-h-moe"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        scene s = open_scene(names[i], i % 2 == 0);
        float *want = calloc(2 * s.width, sizeof *want);
        for (uint32_t seed = 0; seed < 40; seed++) random_program(&s, seed * 977 + 1, want, want + s.width);
        free(want);
        close_scene(&s);
    }
}
END_TEST

/* PEFT's own logits of all tokens, in one step; and the same text in other steps, in a batch. */
START_TEST(as_peft)
{
    char path[MERGE_PATH];
    hlm_adapter *ad = NULL;
    hlm_context *ctx = NULL;
    hlm_model *model = load_model("types");
    json_t *cases = read_json("peft/alora/cases.json"), *item;
    size_t i;
    const hlm_ctx_params cp = {.struct_size = sizeof cp, .n_threads = 2, .max_rows = 3};
    path_of(path, "peft/alora", "");
    OK(hlm_adapter_load(&ad, model, path, NULL));
    OK(hlm_ctx_new(&ctx, model, &cp));
    json_array_foreach(cases, i, item)
    {
        float rows[16][64], last[64];
        int32_t ids[16];
        const json_t *text = json_object_get(item, "ids"), *want = json_object_get(item, "logits");
        const size_t n = json_array_size(text);
        for (size_t k = 0; k < n; k++) ids[k] = (int32_t)json_integer_value(json_array_get(text, k));
        for (size_t part = n; part > 0; part--) {
            hlm_cache *c = NULL;
            OK(hlm_cache_new(&c, hlm_ctx_pool(ctx), NULL));
            for (size_t at = 0; at < n; at += part) {
                hlm_step s = one_step(c, ids + at, part < n - at ? part : n - at, part == n ? rows[0] : last);
                s.logit_rows = part == n ? HLM_ROWS_ALL : HLM_ROWS_LAST;
                s.adapter = ad;
                OK(run_step(ctx, &s));
            }
            if (part < n)
                ck_assert_msg(memcmp(rows[n - 1], last, sizeof last) == 0, "case %zu in steps of %zu", i, part);
            hlm_cache_free(c);
        }
        for (size_t k = 0; k < n * 64; k++) {
            const double w = json_number_value(json_array_get(json_array_get(want, k / 64), k % 64));
            ck_assert_msg(fabs((double)rows[k / 64][k % 64] - w) < 2e-4 * fmax(1, fabs(w)),
                          "case %zu, row %zu: %g, PEFT has %g", i, k / 64, (double)rows[k / 64][k % 64], w);
        }
    }
    json_decref(cases);
    hlm_ctx_free(ctx);
    hlm_adapter_release(ad);
    hlm_model_release(model);
}
END_TEST

/* A text is reused up to where the adapter acts, and from there by what was run with it; drafts change nothing. */
START_TEST(texts)
{
    scene s = open_scene("types", false);
    hlm_cache *base = NULL, *c = NULL;
    const int32_t prompt[] = {1, 2, 3, 9, 4, 9, 5, 6, 7, 8, 9, 4, 9, 3};
    enum { N = sizeof prompt / sizeof *prompt, AT = 10, NEW = 24 };
    int32_t plain[NEW], drafted[NEW];
    size_t reused = 0;
    OK(hlm_cache_new(&base, s.pool, NULL));
    OK(run_with(&s, s.ctx, base, prompt, N, 0, false, NULL));
    OK(hlm_prefix_add(base));
    OK(hlm_cache_new(&c, s.pool, NULL));
    OK(call_reuse(c, s.by[1], prompt, N, &reused, NULL));
    ck_assert_uint_eq(reused, AT);
    OK(run_with(&s, s.ctx, c, prompt + AT, N - AT, 1, false, NULL));
    OK(hlm_prefix_add(c));
    hlm_cache_free(c);
    OK(hlm_cache_new(&c, s.pool, NULL));
    OK(call_reuse(c, s.by[1], prompt, N, &reused, NULL));
    ck_assert_uint_eq(reused, N - 1);
    hlm_cache_free(c);
    const hlm_speculation sp = {.struct_size = sizeof sp, .n_draft = 4, .fixed = 1, .ngram = 2};
    for (int i = 0; i < 2; i++) {
        hlm_generate_params gp = {.struct_size = sizeof gp,
                                  .prompt = prompt,
                                  .n_prompt = N,
                                  .max_tokens = NEW,
                                  .ignore_eos = 1,
                                  .tokens = i ? drafted : plain,
                                  .tokens_cap = NEW,
                                  .adapter = s.by[1],
                                  .speculation = i ? &sp : NULL};
        OK(hlm_cache_new(&c, s.pool, NULL));
        OK(hlm_generate(s.ctx, c, NULL, &gp, NULL));
        hlm_cache_free(c);
    }
    ck_assert_mem_eq(plain, drafted, sizeof plain);
    hlm_cache_free(base);
    close_scene(&s);
}
END_TEST

START_TEST(refusals)
{
    scene s = open_scene("hymba-options", false);
    hlm_adapter *joined = NULL;
    hlm_pool *pool = NULL;
    const hlm_adapter *const two[] = {s.by[1], s.by[3]}, *const same[] = {s.by[1], s.by[1]};
    REFUSED(hlm_adapter_join(&joined, two, 2), HLM_E_UNSUPPORTED);
    OK(hlm_adapter_join(&joined, same, 2));
    ck_assert_uint_eq(joined->n_invocation, M);
    hlm_adapter_release(joined);
    const hlm_pool_params pp = {.struct_size = sizeof pp, .memory_token_adapter = s.by[1]};
    REFUSED(hlm_pool_new(&pool, s.model, &pp), HLM_E_UNSUPPORTED);
    /* an embedding can not be run again */
    hlm_cache *c = NULL;
    const size_t hidden = s.model->plan.hidden_size;
    float *row = calloc(hidden, sizeof *row);
    OK(hlm_cache_new(&c, s.pool, NULL));
    OK(run_with(&s, s.ctx, c, invocation, M, 1, false, NULL));
    hlm_step e = {.struct_size = sizeof e, .cache = c, .embeddings = row, .n_tokens = 1, .adapter = s.by[1]};
    OK(run_step(s.ctx, &e));
    OK(run_with(&s, s.ctx, c, invocation, M - 1, 1, false, NULL));
    REFUSED(run_with(&s, s.ctx, c, invocation + M - 1, 1, 1, false, NULL), HLM_E_UNREACHABLE);
    ck_assert_int_eq(hlm_cache_length(c), 2 * M);
    free(row);
    hlm_cache_free(c);
    close_scene(&s);
}
END_TEST

/* Every allocation of loading, of a step that runs tokens again and of reading expressions fails once. */
START_TEST(no_memory)
{
    char path[MERGE_PATH];
    counter count = {0};
    const hlm_allocator allocator = counter_allocator(&count);
    const hlm_model_params mp = {.struct_size = sizeof mp, .allocator = &allocator};
    const hlm_ctx_params cp = {.struct_size = sizeof cp, .n_threads = 1};
    const int32_t ids[] = {9, 4, 9, 5, 4, 9};
    json_t *config = json_pack("{s:{s:i, s:i}, s:s, s:s}", "alpha_pattern", "q|v", 1, "a", 2, "target_modules",
                               ".*(q|v)", "exclude_modules", "x+");
    hlm_model *model = NULL;
    hlm_context *ctx = NULL;
    path_of(path, "models/types", "");
    OK(hlm_model_load(&model, path, &mp));
    OK(hlm_ctx_new(&ctx, model, &cp));
    path_of(path, "peft/alora", "");
    hlm_status st = HLM_E_NOMEM;
    for (size_t k = 1; st != HLM_OK; k++) {
        hlm_adapter *ad = NULL;
        hlm_cache *c = NULL;
        hlmi_adapter_match m = {.n_numbers = 0};
        float logits[64];
        const size_t before = atomic_load(&count.live);
        atomic_store(&count.calls, 0);
        count.fail_at = k;
        st = hlmi_adapter_match_open(&m, hlmi_model_mem(model), config, "x");
        hlmi_adapter_match_close(&m);
        ck_assert_uint_eq(atomic_load(&count.live), before);
        if (st == HLM_OK) st = hlm_adapter_load(&ad, model, path, NULL);
        if (st == HLM_OK) st = hlm_cache_new(&c, hlm_ctx_pool(ctx), NULL);
        for (int64_t at = 0; at < 6 && st == HLM_OK; at += 2) { /* the last one finds the tokens further on */
            hlm_step s = one_step(c, ids + at, 2, logits);
            s.adapter = ad;
            st = run_step(ctx, &s);
            ck_assert_int_eq(hlm_cache_length(c), st == HLM_OK ? at + 2 : at);
        }
        ck_assert_msg(st == HLM_OK || st == HLM_E_NOMEM, "allocation %zu: %s: %s", k, hlm_status_name(st),
                      hlm_last_error());
        count.fail_at = 0;
        hlm_cache_free(c);
        hlm_adapter_release(ad);
    }
    json_decref(config);
    hlm_ctx_free(ctx);
    hlm_model_release(model);
    ck_assert_uint_eq(atomic_load(&count.live), 0);
}
END_TEST

int main(int argc, char **argv)
{
    if (argc != 2) return 2;
    data = argv[1];
    snprintf(folder, sizeof folder, "adapter_peft.XXXXXX");
    if (!mkdtemp(folder)) return 2;
    TCase *t = tcase_create("adapter_peft");
    tcase_add_test(t, patterns);
    tcase_add_test(t, targets);
    tcase_add_test(t, refused_rules);
    tcase_add_test(t, module_names);
    tcase_add_test(t, copies);
    tcase_add_test(t, copies_of_coded_matrices);
    tcase_add_test(t, gguf_settings);
    tcase_add_test(t, programs);
    tcase_add_test(t, as_peft);
    tcase_add_test(t, texts);
    tcase_add_test(t, refusals);
    tcase_add_test(t, no_memory);
    const int failed = api_main("adapter_peft", t);
    remove_files();
    rmdir(folder);
    return failed;
}
