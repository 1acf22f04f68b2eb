/* Folders of small files, and GGUF files of metadata alone, that tests write and load. */
#ifndef TEST_UNIT_FOLDER_H
#define TEST_UNIT_FOLDER_H

#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hybridlm/hybridlm.h"
#include "unit/suite.h"

typedef struct folder {
    char path[64];
    char names[16][64];
    size_t n;
} folder;

static inline void folder_new(folder *f)
{
    *f = (folder){.path = "/tmp/hlm-test-XXXXXX"};
    ck_assert_msg(mkdtemp(f->path) != NULL, "a folder can not be made");
}

/** A file, or with data = NULL a folder. */
static inline void folder_add(folder *f, const char *name, const void *data, size_t len)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", f->path, name);
    ck_assert_uint_lt(f->n, 16);
    snprintf(f->names[f->n++], 64, "%s", name);
    if (!data) {
        ck_assert_int_eq(mkdir(path, 0700), 0);
        return;
    }
    FILE *file = fopen(path, "wb");
    ck_assert_msg(file && fwrite(data, 1, len, file) == len && fclose(file) == 0, "%s can not be written", path);
}

static inline void folder_text(folder *f, const char *name, const char *text)
{
    folder_add(f, name, text, strlen(text));
}

static inline void folder_free(folder *f)
{
    char path[256];
    while (f->n > 0) {
        snprintf(path, sizeof path, "%s/%s", f->path, f->names[--f->n]);
        remove(path);
    }
    ck_assert_int_eq(rmdir(f->path), 0);
}

/** The vocabulary of a path, NULL with *st otherwise. */
static inline hlm_model *load_vocab(const char *path, hlm_status *st)
{
    hlm_model *m = NULL;
    const hlm_model_params p = {.struct_size = sizeof p, .flags = HLM_LOAD_VOCAB_ONLY};
    *st = hlm_model_load(&m, path, &p);
    return m;
}

/* ---- GGUF metadata ---- */

typedef struct gguf {
    unsigned char data[16384];
    size_t n;
    uint64_t n_kvs;
} gguf;

static inline void gguf_bytes(gguf *g, const void *p, size_t n)
{
    ck_assert_uint_le(g->n + n, sizeof g->data);
    memcpy(g->data + g->n, p, n);
    g->n += n;
}

static inline void gguf_u32(gguf *g, uint32_t v)
{
    gguf_bytes(g, &v, sizeof v);
}

static inline void gguf_u64(gguf *g, uint64_t v)
{
    gguf_bytes(g, &v, sizeof v);
}

static inline void gguf_str(gguf *g, const char *s)
{
    gguf_u64(g, strlen(s));
    gguf_bytes(g, s, strlen(s));
}

static inline void gguf_begin(gguf *g)
{
    g->n = 0;
    g->n_kvs = 0;
    gguf_bytes(g, "GGUF", 4);
    gguf_u32(g, 3);
    gguf_u64(g, 0);
    gguf_u64(g, 0); /* the number of keys, set at the end */
}

static inline void gguf_key(gguf *g, const char *key, uint32_t type)
{
    gguf_str(g, key);
    gguf_u32(g, type);
    g->n_kvs++;
    memcpy(g->data + 16, &g->n_kvs, sizeof g->n_kvs);
}

static inline void gguf_text(gguf *g, const char *key, const char *value)
{
    gguf_key(g, key, 8);
    gguf_str(g, value);
}

static inline void gguf_number(gguf *g, const char *key, uint32_t value)
{
    gguf_key(g, key, 4);
    gguf_u32(g, value);
}

static inline void gguf_texts(gguf *g, const char *key, const char *const *v, size_t n)
{
    gguf_key(g, key, 9);
    gguf_u32(g, 8);
    gguf_u64(g, n);
    for (size_t i = 0; i < n; i++) gguf_str(g, v[i]);
}

static inline void gguf_i32s(gguf *g, const char *key, const int32_t *v, size_t n)
{
    gguf_key(g, key, 9);
    gguf_u32(g, 5);
    gguf_u64(g, n);
    gguf_bytes(g, v, n * sizeof *v);
}

#endif
