/* A reader of trusted safetensors files. */
#include "st_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void die(const char *path, const char *why)
{
    fprintf(stderr, "golden: %s: %s\n", path, why);
    exit(2);
}

void st_open(st_file *f, const char *path)
{
    FILE *in = fopen(path, "rb");
    if (!in) die(path, "can not be opened");
    fseek(in, 0, SEEK_END);
    const long n = ftell(in);
    rewind(in);
    if (n < 8) die(path, "too short");
    f->bytes = malloc((size_t)n);
    if (!f->bytes || fread(f->bytes, 1, (size_t)n, in) != (size_t)n) die(path, "can not be read");
    fclose(in);
    uint64_t len;
    memcpy(&len, f->bytes, sizeof len);
    if (len > (uint64_t)n - 8) die(path, "header too long");
    json_error_t err;
    f->header = json_loadb((const char *)f->bytes + 8, (size_t)len, 0, &err);
    if (!f->header) die(path, err.text);
    f->data = f->bytes + 8 + len;
}

void st_close(st_file *f)
{
    json_decref(f->header);
    free(f->bytes);
}

int st_get(const st_file *f, const char *name, st_tensor *t)
{
    const json_t *o = json_object_get(f->header, name);
    if (!o) return 0;
    *t = (st_tensor){.name = name, .n = 1};
    const json_t *shape = json_object_get(o, "shape");
    t->n_dims = json_array_size(shape);
    for (size_t i = 0; i < t->n_dims && i < 4; i++) {
        t->dims[i] = (size_t)json_integer_value(json_array_get(shape, i));
        t->n *= t->dims[i];
    }
    const json_int_t at = json_integer_value(json_array_get(json_object_get(o, "data_offsets"), 0));
    const void *p = f->data + at;
    const char *dtype = json_string_value(json_object_get(o, "dtype"));
    if (dtype && strcmp(dtype, "F32") == 0) t->f32 = p;
    if (dtype && strcmp(dtype, "I32") == 0) t->i32 = p;
    return 1;
}
