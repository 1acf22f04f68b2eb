/* Models whose matrices are quantised, through the public calls: they compute what the same numbers in f32 do,
 * embedding and experts included, and scales that are no numbers are found. */
#include <math.h>
#include <stdbool.h>

#include "base/half.h"
#include "unit/folders_help.h"

enum { NAME = 160 };

static float number_of(const mm_tensor *t, size_t i)
{
    uint16_t half = 0;
    float f;
    if (strcmp(t->dtype, "F32") == 0) memcpy(&f, t->data + i * 4, 4);
    else memcpy(&half, t->data + i * 2, 2);
    if (strcmp(t->dtype, "F32") == 0) return f;
    return strcmp(t->dtype, "F16") == 0 ? hlmi_f16_to_f32(half) : hlmi_bf16_to_f32(half);
}

/* One matrix in both forms: `codes` in one folder, `plain` f32 in the other. */
typedef void quantise_fn(mm_folder *codes, mm_folder *plain, const char *stem, const mm_tensor *t, size_t rows,
                         size_t cols);

static float *add_plain(mm_folder *f, const char *stem, size_t rows, size_t cols)
{
    char name[NAME];
    snprintf(name, sizeof name, "%s.weight", stem);
    return (float *)(void *)mm_add(f, name, "F32", json_pack("[I,I]", (json_int_t)rows, (json_int_t)cols), NULL,
                                   rows * cols * 4)
        ->data;
}

static unsigned char *add_part(mm_folder *f, const char *stem, const char *tail, const char *dtype, size_t rows,
                               size_t cols, size_t each)
{
    char name[NAME];
    snprintf(name, sizeof name, "%s%s", stem, tail);
    json_t *shape = cols ? json_pack("[I,I]", (json_int_t)rows, (json_int_t)cols) : json_pack("[I]", (json_int_t)rows);
    return mm_add(f, name, dtype, shape, NULL, rows * (cols ? cols : 1) * each)->data;
}

/* int-quantized of compressed-tensors, by rows. */
static void by_int8(mm_folder *codes, mm_folder *plain, const char *stem, const mm_tensor *t, size_t rows, size_t cols)
{
    float *w = add_plain(plain, stem, rows, cols);
    int8_t *q = (int8_t *)add_part(codes, stem, ".weight", "I8", rows, cols, 1);
    float *scales = (float *)(void *)add_part(codes, stem, ".weight_scale", "F32", rows, 1, 4);
    for (size_t r = 0; r < rows; r++) {
        float most = 1e-6f;
        for (size_t k = 0; k < cols; k++) most = fmaxf(most, fabsf(number_of(t, r * cols + k)));
        scales[r] = most / 127;
        for (size_t k = 0; k < cols; k++) {
            q[r * cols + k] = (int8_t)lrintf(number_of(t, r * cols + k) / scales[r]);
            w[r * cols + k] = (float)q[r * cols + k] * scales[r];
        }
    }
}

/* GPTQ of 4 bits, groups of 8 columns, every other one of which is the last's. */
static void by_gptq(mm_folder *codes, mm_folder *plain, const char *stem, const mm_tensor *t, size_t rows, size_t cols)
{
    const size_t groups = cols / 8, zero_words = (rows + 7) / 8;
    float *w = add_plain(plain, stem, rows, cols);
    unsigned char *q = add_part(codes, stem, ".qweight", "I32", cols / 8, rows, 4);
    memset(add_part(codes, stem, ".qzeros", "I32", groups, zero_words, 4), 0x77, groups * zero_words * 4);
    float *scales = (float *)(void *)add_part(codes, stem, ".scales", "F32", groups, rows, 4);
    unsigned char *of = add_part(codes, stem, ".g_idx", "I32", cols, 0, 4);
    for (size_t i = 0; i < groups * rows; i++) scales[i] = 0.01f + 0.001f * (float)(i % 7);
    for (size_t k = 0; k < cols; k++) {
        const size_t g = k % 2 ? groups - 1 - k / 8 : k / 8;
        of[k * 4] = (unsigned char)g;
        for (size_t r = 0; r < rows; r++) {
            const float s = scales[g * rows + r];
            const int code = (int)fminf(15, fmaxf(0, 8 + rintf(number_of(t, r * cols + k) / s)));
            q[(k / 8 * rows + r) * 4 + k % 8 / 2] |= (unsigned char)(code << (k % 2 * 4));
            w[r * cols + k] = (float)(code - 8) * s;
        }
    }
}

static const struct {
    const char *name, *config;
    quantise_fn *quantise;
} methods[] = {{"int8", "{\"quant_method\": \"compressed-tensors\", \"format\": \"int-quantized\"}", by_int8},
               {"gptq", "{\"quant_method\": \"gptq\", \"bits\": 4, \"group_size\": 8, \"desc_act\": true}", by_gptq}};

/* All matrices but routers. */
static bool is_matrix(const mm_tensor *t)
{
    static const char *const tails[] = {"proj.weight", ".w1.weight",          ".w2.weight",
                                        ".w3.weight",  "embed_tokens.weight", "lm_head.weight"};
    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
        const size_t n = strlen(t->name), m = strlen(tails[i]);
        if (n > m && strcmp(t->name + n - m, tails[i]) == 0) return json_array_size(t->shape) == 2;
    }
    return strcmp(t->name, "lm_head.weight") == 0;
}

/* The model in both forms. */
static void both(const char *model, size_t method, mm_folder **codes, mm_folder **plain)
{
    mm_folder *from = read_folder(model);
    *codes = calloc(1, sizeof **codes);
    *plain = calloc(1, sizeof **plain);
    (*plain)->config = json_deep_copy(from->config);
    (*codes)->config = json_deep_copy(from->config);
    json_object_set_new((*codes)->config, "quantization_config", json_loads(methods[method].config, 0, NULL));
    for (size_t i = 0; i < from->n; i++) {
        const mm_tensor *t = &from->t[i];
        char stem[NAME];
        snprintf(stem, sizeof stem, "%.*s", (int)(strlen(t->name) - (is_matrix(t) ? 7 : 0)), t->name);
        if (is_matrix(t)) {
            methods[method].quantise(*codes, *plain, stem, t, (size_t)json_integer_value(json_array_get(t->shape, 0)),
                                     (size_t)json_integer_value(json_array_get(t->shape, 1)));
            continue;
        }
        mm_add(*codes, t->name, t->dtype, json_deep_copy(t->shape), t->data, t->bytes);
        mm_add(*plain, t->name, t->dtype, json_deep_copy(t->shape), t->data, t->bytes);
    }
    mm_folder_free(from);
}

START_TEST(models_compute_the_same)
{
    static const char *const names[] = {"llama3", "experts", "qwen3"};
    for (size_t i = 0; i < 2 * (sizeof names / sizeof *names); i++) {
        mm_folder *codes, *plain;
        size_t n = 0, m = 0;
        double most = 0, apart = 0;
        both(names[i / 2], i % 2, &codes, &plain);
        float *want = logits_of(plain, &n), *got = logits_of(codes, &m);
        ck_assert_uint_eq(n, m);
        for (size_t k = 0; k < n; k++) {
            most = fmax(most, fabs(want[k]));
            apart = fmax(apart, fabs(want[k] - got[k]));
        }
        ck_assert_msg(apart <= most * 1e-5, "%s by %s: logits are %g apart, of %g", names[i / 2], methods[i % 2].name,
                      apart, most);
        free(want);
        free(got);
        mm_folder_free(codes);
        mm_folder_free(plain);
    }
}
END_TEST

/* NaN and infinity in a scale are found when all weights are looked at, in a matrix and in the embedding. */
START_TEST(scales_that_are_no_numbers)
{
    static const char *const tensors[] = {"model.layers.0.self_attn.q_proj", "model.embed_tokens"};
    static const float bad[] = {NAN, INFINITY, -INFINITY};
    for (size_t i = 0; i < 12; i++) {
        const size_t method = i / 6;
        mm_folder *codes, *plain;
        mm fs = {.n = 0};
        hlm_model *m = NULL;
        char name[NAME];
        both("llama3", method, &codes, &plain);
        snprintf(name, sizeof name, "%s%s", tensors[i % 2], method ? ".scales" : ".weight_scale");
        memcpy(mm_find(codes, name)->data + 12, &bad[i % 6 / 2], 4);
        mm_folder_write(codes, &fs);
        ck_assert_int_eq(mm_load(&m, &fs, "m", HLM_LOAD_CHECK_WEIGHTS), HLM_E_FORMAT);
        ck_assert_msg(strstr(hlm_last_error(), tensors[i % 2]) && strstr(hlm_last_error(), "NaN or infinity"), "%s",
                      hlm_last_error());
        mm_clear(&fs);
        mm_folder_free(codes);
        mm_folder_free(plain);
    }
}
END_TEST

int main(int argc, char **argv)
{
    const TTest *const tests[] = {models_compute_the_same, scales_that_are_no_numbers};
    if (argc > 1) folder = argv[1];
    return suite_run("quantised_models", tests, sizeof tests / sizeof *tests);
}
