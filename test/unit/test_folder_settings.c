/* Settings of folders: other names of one thing, what is left out, types of numbers, sizes of heads.
 * test_folder_settings FOLDER, by default test/data/models. */
#include "unit/folders_help.h"

/* ---- settings ---- */

static void set(mm_folder *f, const char *key, const char *value)
{
    json_object_set_new(f->config, key, json_loads(value, JSON_DECODE_ANY, NULL));
}

START_TEST(activations_have_several_names)
{
    static const struct {
        const char *model, *key, *names[6];
    } cases[] = {
        {"llama3", "hidden_act", {"silu", "swish"}},
        {"qwen3-next", "hidden_act", {"silu", "swish"}},
        {"falcon-mamba", "hidden_act", {"silu", "swish"}},
        {"jamba", "hidden_act", {"silu", "swish"}},
        {"hymba-options", "hidden_act", {"silu", "swish"}},
        {"phi", "hidden_act", {"gelu_new", "gelu_pytorch_tanh", "gelu_fast", "gelu_accurate", "gelu_python_tanh"}},
        {"zamba2-options", "hidden_act", {"gelu", "gelu_python"}},
        {"persimmon", "hidden_act", {"relu2"}},
        {"nemotron-h-moe", "mlp_hidden_act", {"relu2"}},
        {"nemotron-h-moe", "mamba_hidden_act", {"silu", "swish"}},
    };
    static const char *const all[] = {"gelu",
                                      "gelu_10",
                                      "gelu_fast",
                                      "gelu_new",
                                      "gelu_python",
                                      "gelu_pytorch_tanh",
                                      "gelu_python_tanh",
                                      "gelu_accurate",
                                      "hardswish",
                                      "laplace",
                                      "leaky_relu",
                                      "linear",
                                      "mish",
                                      "quick_gelu",
                                      "relu",
                                      "relu2",
                                      "relu6",
                                      "sigmoid",
                                      "silu",
                                      "sqrtsoftplus",
                                      "swish",
                                      "tanh",
                                      "prelu",
                                      "xielu",
                                      "Silu",
                                      ""};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        mm_folder *f = read_folder(cases[k].model);
        size_t n = 0;
        float *want = logits_of(f, &n);
        json_object_del(f->config, cases[k].key); /* the class's own */
        check_same(f, want, n, cases[k].key);
        for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
            int same = 0;
            for (size_t j = 0; cases[k].names[j]; j++) same |= strcmp(cases[k].names[j], all[i]) == 0;
            json_object_set_new(f->config, cases[k].key, json_string(all[i]));
            if (same) check_same(f, want, n, all[i]);
            else check_refused(f, HLM_E_UNSUPPORTED, cases[k].key);
        }
        free(want);
        mm_folder_free(f);
    }
}
END_TEST

/* A setting that is not there is what the reference's class has (test/golden/make_defaults.py): both compute the same,
 * or are refused with the same sentence. */
START_TEST(settings_left_out_are_the_class_s)
{
    char path[600];
    size_t tried = 0, equal = 0;
    snprintf(path, sizeof path, "%s/../class_defaults.json", folder);
    json_t *table = json_load_file(path, 0, NULL);
    ck_assert_msg(table != NULL, "%s", path);
    for (size_t k = 0; k < FAMILIES; k++) {
        mm_folder *f = read_folder(families[k].model);
        json_t *own = json_deep_copy(f->config), *value;
        const char *key;
        json_object_foreach(json_object_get(table, json_string_value(json_object_get(own, "model_type"))), key, value)
        {
            hlm_model *m = NULL;
            char said[2][512] = {"", ""};
            float *out[2] = {NULL, NULL};
            int64_t positions[2] = {0, 0};
            size_t n = 0;
            for (int there = 0; there < 2; there++) {
                json_decref(f->config);
                f->config = json_deep_copy(own);
                json_object_del(f->config, key);
                json_object_del(json_object_get(f->config, "rope_parameters"), key);
                if (there) json_object_set(f->config, key, value);
                if (load(f, &m) == HLM_OK) {
                    hlm_model_info info = {.struct_size = sizeof info};
                    ck_assert_int_eq(hlm_model_info_get(m, &info), HLM_OK);
                    positions[there] = info.max_positions;
                    out[there] = mm_logits(m, &n);
                    hlm_model_release(m);
                } else {
                    snprintf(said[there], sizeof said[there], "%s", hlm_last_error());
                }
            }
            ck_assert_msg(strcmp(said[0], said[1]) == 0 || (strstr(said[0], key) && strstr(said[1], key)),
                          "%s: %s absent: '%s', there: '%s'", families[k].model, key, said[0], said[1]);
            ck_assert_msg(!out[0] == !out[1] && (!out[0] || memcmp(out[0], out[1], n * sizeof **out) == 0),
                          "%s: %s absent: other logits", families[k].model, key);
            ck_assert_msg(positions[0] == positions[1], "%s: %s absent: %lld positions", families[k].model, key,
                          (long long)positions[0]);
            equal += out[0] != NULL;
            tried++;
            free(out[0]);
            free(out[1]);
        }
        json_decref(own);
        mm_folder_free(f);
    }
    json_decref(table);
    ck_assert_msg(tried > 250 && equal > 150, "%zu, %zu computed", tried, equal);
}
END_TEST

/* ---- types ---- */

static float number_at(const mm_tensor *t, size_t i)
{
    uint32_t bits;
    if (strcmp(t->dtype, "F32") == 0) memcpy(&bits, t->data + 4 * i, 4);
    else bits = (uint32_t)(t->data[2 * i] | t->data[2 * i + 1] << 8) << 16; /* BF16 */
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

/* All weights in another type, F32 or F64; those of F64 a little off what an f32 can be, which rounding undoes. */
static void convert(mm_folder *f, const char *dtype)
{
    const size_t size = strcmp(dtype, "F64") == 0 ? 8 : 4;
    for (size_t i = 0; i < f->n; i++) {
        mm_tensor *t = &f->t[i];
        const size_t n = t->bytes / (strcmp(t->dtype, "F32") == 0 ? 4 : 2);
        unsigned char *data = malloc(n * size + 1);
        ck_assert(strcmp(t->dtype, "F32") == 0 || strcmp(t->dtype, "BF16") == 0);
        for (size_t k = 0; k < n; k++) {
            const float x = number_at(t, k);
            const double wide = (double)x * (1.0 + (k % 3 ? 1e-9 : -1e-9));
            memcpy(data + size * k, size == 8 ? (const void *)&wide : (const void *)&x, size);
        }
        free(t->data);
        t->data = data;
        t->bytes = n * size;
        strcpy(t->dtype, dtype);
    }
}

START_TEST(weights_may_be_f64)
{
    for (size_t k = 0; k < FAMILIES; k++) {
        if (strcmp(families[k].model, "phi") == 0) continue; /* its weights are of f16 */
        mm_folder *f = read_folder(families[k].model);
        hlm_model *m = NULL;
        hlm_model_info info = {.struct_size = sizeof info};
        size_t n = 0;
        convert(f, "F32");
        float *want = logits_of(f, &n);
        convert(f, "F64");
        check_same(f, want, n, families[k].model);
        ck_assert_int_eq(load(f, &m), HLM_OK);
        ck_assert_int_eq(hlm_model_info_get(m, &info), HLM_OK);
        ck_assert_str_eq(info.weight_type, "f64");
        hlm_model_release(m);
        free(want);
        mm_folder_free(f);
    }
}
END_TEST

/* ---- sizes of heads ---- */

/* Heads of `from` rows (or columns, of the output) become heads of `to`: what is more is zero. */
static void resize_heads(mm_folder *f, const char *name, size_t heads, size_t from, size_t to, int columns, float scale)
{
    mm_tensor *t = mm_find(f, name);
    const size_t hidden = (size_t)json_integer_value(json_array_get(t->shape, columns ? 0 : 1));
    float *out = calloc(heads * to * hidden, sizeof *out);
    for (size_t h = 0; h < heads; h++)
        for (size_t i = 0; i < from && i < to; i++)
            for (size_t c = 0; c < hidden; c++) {
                const size_t old = columns ? c * heads * from + h * from + i : (h * from + i) * hidden + c;
                out[columns ? c * heads * to + h * to + i : (h * to + i) * hidden + c] = scale * number_at(t, old);
            }
    json_decref(t->shape);
    t->shape = columns ? json_pack("[I,I]", (json_int_t)hidden, (json_int_t)(heads * to))
                       : json_pack("[I,I]", (json_int_t)(heads * to), (json_int_t)hidden);
    free(t->data);
    t->data = (unsigned char *)out;
    t->bytes = heads * to * hidden * sizeof *out;
}

/* Every attention layer of Nemotron-H, which turns nothing, with heads of another size. */
static void set_heads(mm_folder *f, size_t from, size_t to, double scale)
{
    const size_t heads = (size_t)json_integer_value(json_object_get(f->config, "num_attention_heads"));
    const size_t kv = (size_t)json_integer_value(json_object_get(f->config, "num_key_value_heads"));
    for (size_t i = 0; i < 64; i++) {
        char name[96];
        snprintf(name, sizeof name, "backbone.layers.%zu.mixer.q_proj.weight", i);
        if (!mm_find(f, name)) continue;
        resize_heads(f, name, heads, from, to, 0, (float)scale);
        snprintf(name, sizeof name, "backbone.layers.%zu.mixer.k_proj.weight", i);
        resize_heads(f, name, kv, from, to, 0, 1.0f);
        snprintf(name, sizeof name, "backbone.layers.%zu.mixer.v_proj.weight", i);
        resize_heads(f, name, kv, from, to, 0, 1.0f);
        snprintf(name, sizeof name, "backbone.layers.%zu.mixer.o_proj.weight", i);
        resize_heads(f, name, heads, from, to, 1, 1.0f);
    }
    json_object_set_new(f->config, "head_dim", json_integer((json_int_t)to));
}

static float *f32_logits(const mm_folder *f, size_t *n)
{
    mm fs = {.n = 0};
    hlm_model *m = NULL;
    mm_folder_write(f, &fs);
    ck_assert_msg(mm_load_as(&m, &fs, "m", 0, HLM_ACTIVATIONS_F32) == HLM_OK, "%s", hlm_last_error());
    mm_clear(&fs);
    float *out = mm_logits(m, n);
    hlm_model_release(m);
    return out;
}

/* Heads of an odd size are heads of the next even one whose last row is zero, but for the scale of scores. */
START_TEST(heads_without_rotation_may_be_odd)
{
    static const size_t sizes[] = {1, 3, 5, 7, 13, 17, 31};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const size_t odd = sizes[i];
        mm_folder *f = read_folder("nemotron-h-moe"), *g = read_folder("nemotron-h-moe");
        const size_t own = (size_t)json_integer_value(json_object_get(f->config, "head_dim"));
        size_t n = 0;
        double root = 1.0;
        for (int k = 0; k < 40; k++) root = 0.5 * (root + (double)(odd + 1) / (double)odd / root);
        convert(f, "F32");
        convert(g, "F32");
        set_heads(f, own, odd, 1.0);
        set_heads(g, own, odd, 1.0);
        set_heads(g, odd, odd + 1, root);
        float *got = f32_logits(f, &n), *want = f32_logits(g, &n);
        for (size_t k = 0; k < n; k++)
            ck_assert_msg(got[k] - want[k] < 1e-3f && want[k] - got[k] < 1e-3f, "size %zu: %g, expected %g", odd,
                          (double)got[k], (double)want[k]);
        free(got);
        free(want);
        mm_folder_free(f);
        mm_folder_free(g);
    }
    mm_folder *f = read_folder("llama3"); /* where they are turned, in pairs */
    set(f, "head_dim", "31");
    check_refused(f, HLM_E_FORMAT, "31 rotated elements");
    mm_folder_free(f);
}
END_TEST

int main(int argc, char **argv)
{
    const TTest *const tests[] = {activations_have_several_names, settings_left_out_are_the_class_s, weights_may_be_f64,
                                  heads_without_rotation_may_be_odd};
    if (argc > 1) folder = argv[1];
    return suite_run("folder_settings", tests, sizeof tests / sizeof *tests);
}
