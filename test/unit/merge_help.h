/* Adapters for one matrix of a model, and the model with that matrix merged, written into folders: in either container.
 * Everything comes from the model's own files. */
#ifndef TEST_UNIT_MERGE_HELP_H
#define TEST_UNIT_MERGE_HELP_H

#include <jansson.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gguf_bytes.h"
#include "weights/store.h"

enum { MERGE_RANK = 3, MERGE_ALPHA = 4, MERGE_PATH = 1024 };

/* What is added to a matrix [rows, cols] of a file. */
typedef struct merge {
    const char *name; /* the tensor's, as adapters know it */
    const hlmi_tensor *tensor; /* where its numbers are */
    size_t stack, rows, cols; /* stack: how many such matrices the tensor is */
    bool gguf, dora;
    float *a, *b, *magnitudes; /* [stack] of [MERGE_RANK, cols], [rows, MERGE_RANK], [rows] */
    float *merged; /* [stack, rows, cols] */
} merge;

static inline float merge_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (float)(*seed >> 8) / 8388608.0f - 1.0f;
}

/* The numbers of a tensor as f32. */
static inline float *merge_read(const hlmi_store *s, const hlmi_tensor *t)
{
    size_t n = 1;
    const uint8_t *data = NULL;
    for (uint32_t i = 0; i < t->n_dims; i++) n *= (size_t)t->dims[i];
    uint8_t *buffer = malloc((size_t)t->bytes);
    float *y = malloc(n * sizeof *y);
    if (hlmi_store_read(s, t, 0, (size_t)t->bytes, buffer, &data) != HLM_OK) abort();
    hlmi_type_get(t->type)->dequantise(y, data, n);
    free(buffer);
    return y;
}

/* Rows of w become w + s B A, and with magnitudes m of that length. */
static inline void merge_rows(merge *m)
{
    const double scale = (double)MERGE_ALPHA / (double)MERGE_RANK;
    for (size_t r = 0; r < m->stack * m->rows; r++) {
        const float *a = m->a + r / m->rows * MERGE_RANK * m->cols;
        float *w = m->merged + r * m->cols;
        double sum = 0;
        for (size_t c = 0; c < m->cols; c++) {
            double x = 0;
            for (size_t k = 0; k < MERGE_RANK; k++) x += (double)m->b[r * MERGE_RANK + k] * (double)a[k * m->cols + c];
            x = (double)w[c] + scale * x;
            w[c] = (float)x;
            sum += x * x;
        }
        if (!m->dora) continue;
        const double f = (double)m->magnitudes[r] / sqrt(sum);
        for (size_t c = 0; c < m->cols; c++) w[c] = (float)(f * (double)w[c]);
    }
}

static inline merge merge_make(const hlmi_store *s, const char *name, const hlmi_tensor *t, bool dora, uint32_t seed)
{
    merge m = {
        .name = name, .tensor = t, .rows = (size_t)t->dims[t->n_dims - 2], .cols = (size_t)t->dims[t->n_dims - 1]};
    m.stack = t->n_dims > 2 ? (size_t)t->dims[0] : 1;
    const size_t n = m.stack * m.rows * m.cols, in = MERGE_RANK * m.stack * m.cols, out = MERGE_RANK * m.stack * m.rows;
    m.gguf = hlmi_store_dialect(s) == HLMI_GGUF;
    m.dora = dora && !m.gguf;
    m.a = malloc(in * sizeof *m.a);
    m.b = malloc(out * sizeof *m.b);
    m.magnitudes = malloc(m.stack * m.rows * sizeof *m.magnitudes);
    m.merged = merge_read(s, t);
    double square = 0;
    for (size_t i = 0; i < n; i++) square += (double)m.merged[i] * (double)m.merged[i];
    const float size = (float)sqrt(square / (double)n); /* about as large as the weights */
    for (size_t i = 0; i < in; i++) m.a[i] = merge_random(&seed);
    for (size_t i = 0; i < out; i++) m.b[i] = merge_random(&seed) * size * 1.5f;
    for (size_t r = 0; r < m.stack * m.rows; r++)
        m.magnitudes[r] = size * sqrtf((float)m.cols) * (1.2f + merge_random(&seed) / 2);
    merge_rows(&m);
    return m;
}

static inline void merge_free(merge *m)
{
    free(m->a);
    free(m->b);
    free(m->magnitudes);
    free(m->merged);
}

static inline void merge_write(const char *folder, const char *name, const bytes *front, const bytes *data)
{
    char path[MERGE_PATH];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    if (!f) abort();
    if (front->n) fwrite(front->data, 1, front->n, f);
    if (data && data->n) fwrite(data->data, 1, data->n, f);
    if (fclose(f) != 0) abort();
}

/* ---- safetensors ---- */

static inline void merge_st_add(json_t *header, bytes *data, const char *name, const char *dtype, const uint64_t *dims,
                                uint32_t n_dims, const void *from, size_t n)
{
    json_t *shape = json_array();
    for (uint32_t i = 0; i < n_dims; i++) json_array_append_new(shape, json_integer((json_int_t)dims[i]));
    json_object_set_new(header, name,
                        json_pack("{s:s, s:o, s:[I, I]}", "dtype", dtype, "shape", shape, "data_offsets",
                                  (json_int_t)data->n, (json_int_t)(data->n + n)));
    put(data, from, n);
}

static inline void merge_st_write(const char *folder, const char *name, json_t *header, bytes *data)
{
    bytes front = {0};
    char *text = json_dumps(header, JSON_COMPACT);
    put_le(&front, strlen(text), 8);
    put(&front, text, strlen(text));
    merge_write(folder, name, &front, data);
    free(text);
    free(front.data);
    free(data->data);
    json_decref(header);
}

static inline const char *merge_st_type(hlmi_type type)
{
    return type == HLMI_F32 ? "F32" : type == HLMI_F16 ? "F16" : "BF16";
}

/* An adapter of n matrices, which are alike in whether they have magnitudes. */
static inline void merge_st_adapter(const merge *m, size_t n, const char *folder, const char *settings)
{
    char name[512];
    json_t *header = json_object();
    bytes data = {0}, config = {0};
    for (size_t i = 0; i < n; i++, m++) {
        const uint64_t a[] = {m->stack, MERGE_RANK, m->cols}, b[] = {m->stack, m->rows, MERGE_RANK};
        const uint32_t first = m->stack == 1; /* a matrix alone is 2-dimensional */
        const int len = (int)(strlen(m->name) - strlen(".weight"));
        snprintf(name, sizeof name, "base_model.model.%.*s.lora_A.weight", len, m->name);
        merge_st_add(header, &data, name, "F32", a + first, 3 - first, m->a,
                     m->stack * MERGE_RANK * m->cols * sizeof(float));
        snprintf(name, sizeof name, "base_model.model.%.*s.lora_B.weight", len, m->name);
        merge_st_add(header, &data, name, "F32", b + first, 3 - first, m->b,
                     m->stack * MERGE_RANK * m->rows * sizeof(float));
        snprintf(name, sizeof name, "base_model.model.%.*s.lora_magnitude_vector", len, m->name);
        if (m->dora)
            merge_st_add(header, &data, name, "F32", b + first, 2 - first, m->magnitudes,
                         m->stack * m->rows * sizeof(float));
    }
    merge_st_write(folder, "adapter_model.safetensors", header, &data);
    const int length =
        snprintf(name, sizeof name, "{\"peft_type\": \"LORA\", \"r\": %d, \"lora_alpha\": %d, \"use_dora\": %s%s}",
                 MERGE_RANK, MERGE_ALPHA, m[-1].dora ? "true" : "false", settings);
    put(&config, name, (size_t)length);
    merge_write(folder, "adapter_config.json", &config, NULL);
    free(config.data);
}

/* The model's weights with the merged matrix, which stands beside its tensor where that is known by another name. */
static inline void merge_st_model(const merge *m, const hlmi_store *s, const char *folder)
{
    json_t *header = json_object();
    bytes data = {0}, config = {0};
    for (size_t i = 0; i < hlmi_store_count(s); i++) {
        const hlmi_tensor *t = hlmi_store_at(s, i);
        if (strcmp(t->name, m->name) == 0) continue;
        const uint8_t *from = NULL;
        uint8_t *buffer = malloc((size_t)t->bytes);
        if (hlmi_store_read(s, t, 0, (size_t)t->bytes, buffer, &from) != HLM_OK) abort();
        merge_st_add(header, &data, t->name, merge_st_type(t->type), t->dims, t->n_dims, from, (size_t)t->bytes);
        free(buffer);
    }
    merge_st_add(header, &data, m->name, "F32", m->tensor->dims, m->tensor->n_dims, m->merged,
                 m->stack * m->rows * m->cols * sizeof(float));
    merge_st_write(folder, "model.safetensors", header, &data);
    char *text = json_dumps(hlmi_store_config(s), 0);
    put(&config, text, strlen(text));
    merge_write(folder, "config.json", &config, NULL);
    free(text);
    free(config.data);
}

/* ---- GGUF ---- */

enum { MERGE_ALIGN = 32 };

static inline void merge_gguf_tensor(bytes *front, bytes *data, const char *name, const uint64_t *dims, uint32_t n_dims,
                                     uint32_t type, const void *from, size_t n)
{
    uint64_t turned[HLMI_MAX_DIMS];
    for (uint32_t i = 0; i < n_dims; i++) turned[i] = dims[n_dims - 1 - i];
    put_padding(data, MERGE_ALIGN);
    put_tensor(front, name, n_dims, turned, type, data->n);
    put(data, from, n);
}

static inline void merge_gguf_write(const char *folder, const char *name, bytes *front, bytes *data)
{
    put_padding(front, MERGE_ALIGN);
    put_padding(data, MERGE_ALIGN);
    merge_write(folder, name, front, data);
    free(front->data);
    free(data->data);
}

static inline void merge_gguf_adapter(const merge *m, size_t n, const char *folder, const char *arch)
{
    char name[512];
    bytes front = {0}, data = {0};
    const float alpha = MERGE_ALPHA;
    uint32_t bits;
    memcpy(&bits, &alpha, sizeof bits);
    put_front(&front, 3, 2 * n, 4);
    put_kv_string(&front, "general.type", "adapter");
    put_kv_string(&front, "general.architecture", arch);
    put_kv_string(&front, "adapter.type", "lora");
    put_kv(&front, "adapter.lora.alpha", 6, bits, 4);
    for (size_t i = 0; i < n; i++, m++) {
        const uint64_t a[] = {m->stack, MERGE_RANK, m->cols}, b[] = {m->stack, m->rows, MERGE_RANK};
        const uint32_t first = m->stack == 1; /* a matrix alone is 2-dimensional */
        snprintf(name, sizeof name, "%s.lora_a", m->name);
        merge_gguf_tensor(&front, &data, name, a + first, 3 - first, 0, m->a,
                          m->stack * MERGE_RANK * m->cols * sizeof(float));
        snprintf(name, sizeof name, "%s.lora_b", m->name);
        merge_gguf_tensor(&front, &data, name, b + first, 3 - first, 0, m->b,
                          m->stack * MERGE_RANK * m->rows * sizeof(float));
    }
    merge_gguf_write(folder, "adapter.gguf", &front, &data);
}

static inline void merge_gguf_settings(const hlmi_store *s, bytes *front)
{
    const hlmi_kv *kv;
    for (size_t i = 0; (kv = hlmi_store_kv_at(s, i)) != NULL; i++) {
        put_string(front, kv->key);
        put_le(front, (uint64_t)kv->type, 4);
        if (kv->type == HLMI_KV_ARRAY) put_le(front, (uint64_t)kv->item, 4);
        if (kv->type == HLMI_KV_ARRAY) put_le(front, kv->count, 8);
        put(front, kv->data, kv->bytes);
    }
}

/* The number of a type in GGUF files: those that the models here have. */
static inline uint32_t merge_gguf_type(hlmi_type type)
{
    static const struct {
        const char *name;
        uint32_t number;
    } types[] = {{"f32", 0},   {"f16", 1},   {"q4_0", 2},  {"q4_1", 3},  {"q5_0", 6},  {"q5_1", 7}, {"q8_0", 8},
                 {"q2_k", 10}, {"q3_k", 11}, {"q4_k", 12}, {"q5_k", 13}, {"q6_k", 14}, {"bf16", 30}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcasecmp(types[i].name, hlmi_type_get(type)->name) == 0) return types[i].number;
    abort();
}

static inline void merge_gguf_model(const merge *m, const hlmi_store *s, const char *folder)
{
    bytes front = {0}, data = {0};
    size_t settings = 0, n = hlmi_store_count(s);
    while (hlmi_store_kv_at(s, settings)) settings++;
    const bool beside = !hlmi_store_find(s, m->name);
    put_front(&front, 3, n + beside, settings);
    merge_gguf_settings(s, &front);
    for (size_t i = 0; i < n; i++) {
        const hlmi_tensor *t = hlmi_store_at(s, i);
        if (strcmp(t->name, m->name) == 0) continue;
        const uint8_t *from = NULL;
        uint8_t *buffer = malloc((size_t)t->bytes);
        if (hlmi_store_read(s, t, 0, (size_t)t->bytes, buffer, &from) != HLM_OK) abort();
        merge_gguf_tensor(&front, &data, t->name, t->dims, t->n_dims, merge_gguf_type(t->type), from, (size_t)t->bytes);
        free(buffer);
    }
    merge_gguf_tensor(&front, &data, m->name, m->tensor->dims, m->tensor->n_dims, 0, m->merged,
                      m->stack * m->rows * m->cols * sizeof(float));
    merge_gguf_write(folder, "model.gguf", &front, &data);
}

#endif
