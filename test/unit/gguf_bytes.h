/* Writes GGUF files into memory, right or wrong ones, for tests. */
#ifndef TEST_UNIT_GGUF_BYTES_H
#define TEST_UNIT_GGUF_BYTES_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct bytes {
    unsigned char *data;
    size_t n, cap;
} bytes;

static inline void put(bytes *b, const void *p, size_t n)
{
    if (b->n + n > b->cap) {
        b->cap = 2 * (b->n + n);
        b->data = realloc(b->data, b->cap);
    }
    if (n) memcpy(b->data + b->n, p, n);
    b->n += n;
}

static inline void put_le(bytes *b, uint64_t v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const unsigned char c = (unsigned char)v;
        put(b, &c, 1);
        v >>= 8;
    }
}

static inline void put_string(bytes *b, const char *s)
{
    put_le(b, strlen(s), 8);
    put(b, s, strlen(s));
}

static inline void put_front(bytes *b, uint32_t version, uint64_t n_tensors, uint64_t n_kvs)
{
    put(b, "GGUF", 4);
    put_le(b, version, 4);
    put_le(b, n_tensors, 8);
    put_le(b, n_kvs, 8);
}

/* A setting with a number of n bytes. */
static inline void put_kv(bytes *b, const char *key, uint32_t type, uint64_t v, size_t n)
{
    put_string(b, key);
    put_le(b, type, 4);
    put_le(b, v, n);
}

static inline void put_kv_string(bytes *b, const char *key, const char *value)
{
    put_string(b, key);
    put_le(b, 8, 4);
    put_string(b, value);
}

static inline void put_kv_array(bytes *b, const char *key, uint32_t item, uint64_t count)
{
    put_string(b, key);
    put_le(b, 9, 4);
    put_le(b, item, 4);
    put_le(b, count, 8);
}

/* A line of the tensor table; dims innermost first, as in the file. */
static inline void put_tensor(bytes *b, const char *name, uint32_t n_dims, const uint64_t *dims, uint32_t type,
                              uint64_t offset)
{
    put_string(b, name);
    put_le(b, n_dims, 4);
    for (uint32_t i = 0; i < n_dims; i++) put_le(b, dims[i], 8);
    put_le(b, type, 4);
    put_le(b, offset, 8);
}

static inline void put_padding(bytes *b, size_t alignment)
{
    while (b->n % alignment) put_le(b, 0, 1);
}

#endif
