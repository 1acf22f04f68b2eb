/* Models in memory, read from test/data, changed by a test and loaded through hlm_vfs: folders as settings and a table
 * of tensors, GGUF files as settings and tensors with the bytes that they had. Public header and Jansson only. */
#ifndef TEST_UNIT_MEMMODEL_H
#define TEST_UNIT_MEMMODEL_H

#include <check.h>
#include <hybridlm/hybridlm.h>
#include <jansson.h>
#include <stdio.h>

#include "unit/gguf_bytes.h"
#include "../calls.h"

/* ---- files ---- */

enum { MM_FILES = 64, MM_TENSORS = 1024, MM_IDS = 12 };

typedef struct mm_file {
    char path[96];
    unsigned char *data;
    size_t size;
} mm_file;

typedef struct mm {
    mm_file files[MM_FILES];
    size_t n;
} mm;

static inline void mm_put(mm *fs, const char *path, const void *data, size_t size)
{
    mm_file *f = &fs->files[fs->n++];
    ck_assert(fs->n <= MM_FILES && strlen(path) < sizeof f->path);
    strcpy(f->path, path);
    f->data = malloc(size + 1);
    memcpy(f->data, data, size);
    f->size = size;
}

static inline void mm_text(mm *fs, const char *path, const char *text)
{
    mm_put(fs, path, text, strlen(text));
}

static inline void mm_clear(mm *fs)
{
    for (size_t i = 0; i < fs->n; i++) free(fs->files[i].data);
    fs->n = 0;
}

static inline int32_t mm_open(void *user, const char *path, void **file)
{
    mm *fs = user;
    for (size_t i = 0; i < fs->n; i++) {
        if (strcmp(fs->files[i].path, path) != 0) continue;
        *file = &fs->files[i];
        return 0;
    }
    return 1;
}

static inline int32_t mm_size(void *user, void *file, uint64_t *size)
{
    (void)user;
    *size = ((mm_file *)file)->size;
    return 0;
}

static inline int32_t mm_read(void *user, void *file, uint64_t offset, void *out, size_t n)
{
    (void)user;
    memcpy(out, ((mm_file *)file)->data + offset, n);
    return 0;
}

static inline void mm_close(void *user, void *file)
{
    (void)user;
    (void)file;
}

static inline hlm_status mm_load_as(hlm_model **m, mm *fs, const char *path, uint32_t flags, int32_t activations)
{
    const hlm_vfs vfs = {
        .struct_size = sizeof vfs, .user = fs, .open = mm_open, .size = mm_size, .read_at = mm_read, .close = mm_close};
    const hlm_model_params p = {.struct_size = sizeof p, .flags = flags, .activations = activations, .vfs = &vfs};
    return hlm_model_load(m, path, &p);
}

static inline hlm_status mm_load(hlm_model **m, mm *fs, const char *path, uint32_t flags)
{
    return mm_load_as(m, fs, path, flags, HLM_ACTIVATIONS_DEFAULT);
}

/* ---- folders ---- */

typedef struct mm_tensor {
    char name[128];
    char dtype[12];
    json_t *shape;
    unsigned char *data;
    size_t bytes;
} mm_tensor;

typedef struct mm_folder {
    json_t *config;
    mm_tensor t[MM_TENSORS];
    size_t n;
} mm_folder;

static inline bytes mm_slurp(const char *path)
{
    bytes b = {.n = 0};
    unsigned char part[4096];
    FILE *f = fopen(path, "rb");
    ck_assert_msg(f != NULL, "%s is missing", path);
    for (size_t n; (n = fread(part, 1, sizeof part, f)) > 0;) put(&b, part, n);
    fclose(f);
    return b;
}

static inline mm_tensor *mm_add(mm_folder *m, const char *name, const char *dtype, json_t *shape, const void *data,
                                size_t size)
{
    mm_tensor *t = &m->t[m->n++];
    ck_assert(m->n <= MM_TENSORS && strlen(name) < sizeof t->name);
    strcpy(t->name, name);
    strcpy(t->dtype, dtype);
    t->shape = shape;
    t->data = calloc(size + 1, 1);
    t->bytes = size;
    if (data) memcpy(t->data, data, size);
    return t;
}

/* Adds the tensors of a safetensors file. */
static inline void mm_read_tensors(mm_folder *m, const char *path)
{
    const char *name;
    json_t *v;
    bytes b = mm_slurp(path);
    uint64_t n;
    memcpy(&n, b.data, 8);
    json_t *header = json_loadb((const char *)b.data + 8, (size_t)n, 0, NULL);
    json_object_foreach(header, name, v)
    {
        if (strcmp(name, "__metadata__") == 0) continue;
        const json_t *range = json_object_get(v, "data_offsets");
        const size_t from = (size_t)json_integer_value(json_array_get(range, 0));
        const size_t to = (size_t)json_integer_value(json_array_get(range, 1));
        mm_add(m, name, json_string_value(json_object_get(v, "dtype")), json_deep_copy(json_object_get(v, "shape")),
               b.data + 8 + n + from, to - from);
    }
    json_decref(header);
    free(b.data);
}

static inline mm_folder *mm_folder_read(const char *folder)
{
    mm_folder *m = calloc(1, sizeof *m);
    char path[600];
    snprintf(path, sizeof path, "%s/config.json", folder);
    bytes text = mm_slurp(path);
    put(&text, "", 1);
    for (char *at; (at = strstr((char *)text.data, "Infinity")) != NULL;) memcpy(at, "   1e300", 8);
    m->config = json_loads((char *)text.data, 0, NULL);
    free(text.data);
    ck_assert_msg(m->config != NULL, "%s", path);
    snprintf(path, sizeof path, "%s/model.safetensors", folder);
    mm_read_tensors(m, path);
    return m;
}

static inline void mm_folder_free(mm_folder *m)
{
    for (size_t i = 0; i < m->n; i++) {
        json_decref(m->t[i].shape);
        free(m->t[i].data);
    }
    json_decref(m->config);
    free(m);
}

static inline mm_tensor *mm_find(mm_folder *m, const char *name)
{
    for (size_t i = 0; i < m->n; i++)
        if (strcmp(m->t[i].name, name) == 0) return &m->t[i];
    return NULL;
}

static inline void mm_drop(mm_folder *m, const char *name)
{
    mm_tensor *t = mm_find(m, name);
    if (!t) return;
    json_decref(t->shape);
    free(t->data);
    *t = m->t[--m->n];
}

/* "m/config.json" and "m/model.safetensors". */
static inline void mm_folder_write(const mm_folder *m, mm *fs)
{
    json_t *header = json_object();
    bytes data = {.n = 0}, file = {.n = 0};
    for (size_t i = 0; i < m->n; i++) {
        const mm_tensor *t = &m->t[i];
        json_object_set_new(header, t->name,
                            json_pack("{s:s,s:O,s:[I,I]}", "dtype", t->dtype, "shape", t->shape, "data_offsets",
                                      (json_int_t)data.n, (json_int_t)(data.n + t->bytes)));
        put(&data, t->data, t->bytes);
    }
    char *text = json_dumps(header, 0), *config = json_dumps(m->config, JSON_ENCODE_ANY);
    put_string(&file, text);
    put(&file, data.data, data.n);
    mm_text(fs, "m/config.json", config);
    mm_put(fs, "m/model.safetensors", file.data, file.n);
    free(text);
    free(config);
    free(file.data);
    free(data.data);
    json_decref(header);
}

/* ---- GGUF ---- */

typedef struct mm_kv {
    char key[96];
    uint32_t type;
    bytes value; /* as in the file; of an array with its item type and count */
} mm_kv;

typedef struct mm_gguf {
    mm_kv kv[128];
    size_t n_kvs;
    struct {
        char name[96];
        uint32_t n_dims, type;
        uint64_t dims[8]; /* innermost first */
        bytes data;
    } t[MM_TENSORS];
    size_t n;
} mm_gguf;

static inline uint64_t mm_le(const unsigned char **p, size_t n)
{
    uint64_t v = 0;
    for (size_t i = n; i-- > 0;) v = v << 8 | (*p)[i];
    *p += n;
    return v;
}

static inline size_t mm_width(uint32_t type)
{
    static const size_t widths[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
    return widths[type];
}

static inline size_t mm_value_bytes(const unsigned char *p, uint32_t type)
{
    const unsigned char *at = p;
    if (mm_width(type)) return mm_width(type);
    if (type == 8) {
        const uint64_t n = mm_le(&at, 8);
        return 8 + (size_t)n;
    }
    const uint32_t item = (uint32_t)mm_le(&at, 4);
    for (uint64_t n = mm_le(&at, 8); n > 0; n--) at += mm_value_bytes(at, item);
    return (size_t)(at - p);
}

static inline void mm_name(const unsigned char **p, char *out, size_t cap)
{
    const size_t n = (size_t)mm_le(p, 8);
    ck_assert(n < cap);
    memcpy(out, *p, n);
    out[n] = '\0';
    *p += n;
}

/* A file with alignment 32 whose tensors lie in the order of its table; each keeps its padding. */
static inline mm_gguf *mm_gguf_read(const char *path)
{
    mm_gguf *g = calloc(1, sizeof *g);
    bytes b = mm_slurp(path);
    const unsigned char *p = b.data + 8;
    uint64_t offsets[MM_TENSORS];
    g->n = (size_t)mm_le(&p, 8);
    g->n_kvs = (size_t)mm_le(&p, 8);
    ck_assert(g->n <= MM_TENSORS && g->n_kvs <= 128);
    for (size_t i = 0; i < g->n_kvs; i++) {
        mm_name(&p, g->kv[i].key, sizeof g->kv[i].key);
        g->kv[i].type = (uint32_t)mm_le(&p, 4);
        const size_t n = mm_value_bytes(p, g->kv[i].type);
        put(&g->kv[i].value, p, n);
        p += n;
    }
    for (size_t i = 0; i < g->n; i++) {
        mm_name(&p, g->t[i].name, sizeof g->t[i].name);
        g->t[i].n_dims = (uint32_t)mm_le(&p, 4);
        for (uint32_t d = 0; d < g->t[i].n_dims; d++) g->t[i].dims[d] = mm_le(&p, 8);
        g->t[i].type = (uint32_t)mm_le(&p, 4);
        offsets[i] = mm_le(&p, 8);
    }
    const size_t data = ((size_t)(p - b.data) + 31) / 32 * 32;
    for (size_t i = 0; i < g->n; i++) {
        const uint64_t end = i + 1 < g->n ? offsets[i + 1] : b.n - data;
        ck_assert(end >= offsets[i] && end % 32 == 0);
        put(&g->t[i].data, b.data + data + offsets[i], (size_t)(end - offsets[i]));
    }
    free(b.data);
    return g;
}

static inline void mm_gguf_free(mm_gguf *g)
{
    for (size_t i = 0; i < g->n_kvs; i++) free(g->kv[i].value.data);
    for (size_t i = 0; i < g->n; i++) free(g->t[i].data.data);
    free(g);
}

static inline mm_kv *mm_gguf_kv(mm_gguf *g, const char *key)
{
    for (size_t i = 0; i < g->n_kvs; i++)
        if (strcmp(g->kv[i].key, key) == 0) return &g->kv[i];
    return NULL;
}

/* Tensors [from, to) with the settings that `want` (NULL: all) takes, and more of them, n_more, already written. */
static inline void mm_gguf_write(const mm_gguf *g, mm *fs, const char *path, int with_kvs, size_t from, size_t to,
                                 const bytes *more, uint64_t n_more)
{
    bytes b = {.n = 0};
    uint64_t at = 0;
    put_front(&b, 3, to - from, (with_kvs ? g->n_kvs : 0) + n_more);
    for (size_t i = 0; with_kvs && i < g->n_kvs; i++) {
        put_string(&b, g->kv[i].key);
        put_le(&b, g->kv[i].type, 4);
        put(&b, g->kv[i].value.data, g->kv[i].value.n);
    }
    if (more) put(&b, more->data, more->n);
    for (size_t i = from; i < to; i++) {
        put_tensor(&b, g->t[i].name, g->t[i].n_dims, g->t[i].dims, g->t[i].type, at);
        at += (g->t[i].data.n + 31) / 32 * 32;
    }
    put_padding(&b, 32);
    for (size_t i = from; i < to; i++) {
        put(&b, g->t[i].data.data, g->t[i].data.n);
        put_padding(&b, 32);
    }
    mm_put(fs, path, b.data, b.n);
    free(b.data);
}

/* ---- what a model computes ---- */

/* Logits of all of MM_IDS tokens; the caller's to free. *n receives how many numbers. NULL: see hlm_last_error. */
static inline float *mm_logits(hlm_model *model, size_t *n)
{
    int32_t ids[MM_IDS];
    hlm_context *ctx = NULL;
    hlm_cache *cache = NULL;
    hlm_model_info info = {.struct_size = sizeof info};
    const hlm_ctx_params cp = {.struct_size = sizeof cp, .n_threads = 1};
    const hlm_cache_params kp = {.struct_size = sizeof kp, .max_tokens = MM_IDS};
    ck_assert_int_eq(hlm_model_info_get(model, &info), HLM_OK);
    for (int i = 0; i < MM_IDS; i++) ids[i] = (i * 37 + 5) % info.vocab_size;
    *n = (size_t)MM_IDS * (size_t)(info.head == HLM_HEAD_TEXT ? info.vocab_size : info.n_labels);
    float *out = malloc(*n * sizeof *out + 1);
    ck_assert_int_eq(hlm_ctx_new(&ctx, model, &cp), HLM_OK);
    ck_assert_int_eq(hlm_cache_new(&cache, hlm_ctx_pool(ctx), &kp), HLM_OK);
    const hlm_step step = {.struct_size = sizeof step,
                           .cache = cache,
                           .tokens = ids,
                           .n_tokens = MM_IDS,
                           .logits = out,
                           .logit_rows = HLM_ROWS_ALL};
    const hlm_step *const steps[1] = {&step};
    const hlm_status st = hlm_decode_step(ctx, steps, 1);
    hlm_cache_free(cache);
    hlm_ctx_free(ctx);
    if (st == HLM_OK) return out;
    free(out);
    return NULL;
}

/* The mean row after the final norm, [hidden_size]; the caller's to free. */
static inline float *mm_embedding(hlm_model *model, int32_t pooling, size_t *n)
{
    int32_t ids[MM_IDS];
    hlm_context *ctx = NULL;
    hlm_model_info info = {.struct_size = sizeof info};
    const hlm_ctx_params cp = {.struct_size = sizeof cp, .n_threads = 1};
    ck_assert_int_eq(hlm_model_info_get(model, &info), HLM_OK);
    for (int i = 0; i < MM_IDS; i++) ids[i] = (i * 37 + 5) % info.vocab_size;
    *n = (size_t)info.hidden_size;
    float *out = malloc(*n * sizeof *out);
    ck_assert_int_eq(hlm_ctx_new(&ctx, model, &cp), HLM_OK);
    ck_assert_msg(call_embed(ctx, ids, MM_IDS, pooling, 0, out) == HLM_OK, "%s", hlm_last_error());
    hlm_ctx_free(ctx);
    return out;
}

#endif
