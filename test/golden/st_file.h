/* Reads golden.safetensors: whole file in memory, tensors by name. Test files are trusted; a broken one ends the
 * runner. */
#ifndef GOLDEN_ST_FILE_H
#define GOLDEN_ST_FILE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

typedef struct st_file {
    unsigned char *bytes;
    const unsigned char *data;
    json_t *header;
} st_file;

typedef struct st_tensor {
    const char *name;
    const float *f32; /* or NULL */
    const int32_t *i32; /* or NULL */
    size_t n_dims, dims[4], n;
} st_tensor;

void st_open(st_file *f, const char *path);
void st_close(st_file *f);
/** 0 when there is none of that name. */
int st_get(const st_file *f, const char *name, st_tensor *t);

#endif
