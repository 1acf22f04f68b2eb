/* Quantised folders that a test writes: tensors with what is said of them, and beside each matrix its numbers in double
 * precision, made of the same random codes by the formula of the method. */
#ifndef TEST_UNIT_CODED_HELP_H
#define TEST_UNIT_CODED_HELP_H

#include <math.h>
#include <stdio.h>

#include "base/half.h"
#include "unit/gguf_bytes.h"
#include "unit/memfs.h"
#include "unit/suite.h"
#include "weights/store.h"

enum { CODED_TENSORS = 10 };

typedef struct coded_tensor {
    char name[64], dtype[12], shape[64];
    bytes data;
} coded_tensor;

/* A folder with one matrix [rows, cols]. */
typedef struct coded {
    const char *what;
    char config[640];
    char side[32]; /* a file in which `config` lies instead of config.json; "": none */
    coded_tensor t[CODED_TENSORS];
    size_t n, rows, cols;
    double *weight, *reach; /* [rows][cols], and the largest number on the way to each */
    hlmi_type type; /* that it has in the store */
} coded;

static uint32_t coded_seed = 1;

static inline uint32_t any(uint32_t n)
{
    coded_seed = coded_seed * 1664525u + 1013904223u;
    return (coded_seed >> 8) % n;
}

/* Of 8 bits, so that every type of floats has it. */
static inline double any_scale(void)
{
    return (128 + any(128)) / 4096.0;
}

static inline void coded_new(coded *f, const char *what, size_t rows, size_t cols)
{
    *f = (coded){.what = what, .rows = rows, .cols = cols, .type = HLMI_RUNS};
    f->weight = calloc(rows * cols, sizeof *f->weight);
    f->reach = calloc(rows * cols, sizeof *f->reach);
}

static inline void coded_free(coded *f)
{
    for (size_t i = 0; i < f->n; i++) free(f->t[i].data.data);
    free(f->weight);
    free(f->reach);
}

static inline void coded_set(coded *f, size_t r, size_t k, double code, double zero, double scale, double added)
{
    f->weight[r * f->cols + k] = (code - zero) * scale + added;
    f->reach[r * f->cols + k] = (fabs(code) + fabs(zero) + 128) * fabs(scale) + fabs(added);
}

/* ---- tensors ---- */

static inline coded_tensor *coded_find(coded *f, const char *tail)
{
    for (size_t i = 0; i < f->n; i++)
        if (strcmp(f->t[i].name + 1, tail) == 0) return &f->t[i];
    ck_abort_msg("%s has no %s", f->what, tail);
    return NULL;
}

/* "X" + tail, of zero bytes; cols 0: [rows]. */
static inline unsigned char *coded_add(coded *f, const char *tail, const char *dtype, size_t rows, size_t cols,
                                       size_t bytes_each)
{
    coded_tensor *t = &f->t[f->n++];
    ck_assert_uint_le(f->n, CODED_TENSORS);
    snprintf(t->name, sizeof t->name, "X%s", tail);
    snprintf(t->dtype, sizeof t->dtype, "%s", dtype);
    snprintf(t->shape, sizeof t->shape, cols ? "[%zu,%zu]" : "[%zu]", rows, cols);
    t->data.n = rows * (cols ? cols : 1) * bytes_each;
    t->data.cap = t->data.n + 1;
    t->data.data = calloc(t->data.cap, 1);
    return t->data.data;
}

static inline void store_number(unsigned char *p, const char *dtype, size_t i, double v)
{
    const float f = (float)v;
    const uint16_t half = hlmi_f32_to_f16(f), brain = hlmi_f32_to_bf16(f);
    if (strcmp(dtype, "F32") == 0) memcpy(p + i * 4, &f, 4);
    else memcpy(p + i * 2, strcmp(dtype, "F16") == 0 ? &half : &brain, 2);
}

/* Random scales of a type of floats; the caller frees what they are. */
static inline double *coded_scales(coded *f, const char *tail, const char *dtype, size_t rows, size_t cols)
{
    const size_t n = rows * (cols ? cols : 1);
    unsigned char *p = coded_add(f, tail, dtype, rows, cols, strcmp(dtype, "F32") == 0 ? 4 : 2);
    double *scales = malloc(n * sizeof *scales);
    for (size_t i = 0; i < n; i++) store_number(p, dtype, i, scales[i] = any_scale());
    return scales;
}

/* Sets `bits` bits of words that follow one another at a distance of `step`. */
static inline void set_bits(unsigned char *words, size_t step, size_t bit, unsigned bits, uint32_t v)
{
    for (unsigned i = 0; i < bits; i++, bit++)
        words[bit / 32 * step * 4 + bit % 32 / 8] |= (unsigned char)((v >> i & 1) << bit % 8);
}

/* The number of an E4M3 code. */
static inline double e4m3(unsigned code)
{
    const int e = (int)(code >> 3 & 15), m = (int)(code & 7);
    const double v = e ? ldexp(8 + m, e - 10) : ldexp(m, -9);
    return code & 128 ? -v : v;
}

static const double e2m1[16] = {0, .5, 1, 1.5, 2, 3, 4, 6, 0, -.5, -1, -1.5, -2, -3, -4, -6};

/* ---- files ---- */

static inline void coded_write(const coded *f, memfs *fs)
{
    char header[4096] = "{";
    size_t n = 1, at = 0;
    bytes b = {.n = 0};
    for (size_t i = 0; i < f->n; i++) {
        const coded_tensor *t = &f->t[i];
        n += (size_t)snprintf(header + n, sizeof header - n,
                              "%s\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[%zu,%zu]}", i ? "," : "",
                              t->name, t->dtype, t->shape, at, at + t->data.n);
        at += t->data.n;
    }
    header[n++] = '}';
    header[n] = '\0';
    put_string(&b, header);
    for (size_t i = 0; i < f->n; i++) put(&b, f->t[i].data.data, f->t[i].data.n);
    if (*f->side) memfs_add(fs, "d/config.json", "{}", 2);
    char name[64];
    snprintf(name, sizeof name, "d/%s", *f->side ? f->side : "config.json");
    memfs_add(fs, name, f->config, strlen(f->config));
    memfs_add(fs, "d/model.safetensors", b.data, b.n);
    free(b.data);
}

static inline hlm_status coded_open(hlmi_store **s, memfs *fs, bool map)
{
    const hlmi_mem mem = hlmi_mem_default();
    const hlmi_vfs vfs = memfs_vfs(fs, map);
    return hlmi_store_open(s, &mem, &vfs, "d", HLMI_STORE_MODEL);
}

#endif
