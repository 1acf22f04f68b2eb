/* Writes pickles, and what torch.save writes around them, into memory, right or wrong ones, for tests. */
#ifndef TEST_UNIT_TORCH_BYTES_H
#define TEST_UNIT_TORCH_BYTES_H

#include "unit/gguf_bytes.h"

/* A pickle is spelled as a text of bytes; this is one of a literal with zero bytes in it. */
#define PUT(b, literal) put(b, literal, sizeof(literal) - 1)

static inline void put_unicode(bytes *b, const char *s)
{
    PUT(b, "X");
    put_le(b, strlen(s), 4);
    put(b, s, strlen(s));
}

static inline void put_int(bytes *b, int64_t v)
{
    PUT(b, "\x8A\x08");
    put_le(b, (uint64_t)v, 8);
}

static inline void put_ints(bytes *b, const int64_t *v, size_t n)
{
    PUT(b, "(");
    for (size_t i = 0; i < n; i++) put_int(b, v[i]);
    PUT(b, "t");
}

/* A view of the storage `key` of `count` elements of a class. */
typedef struct view {
    const char *class, *key;
    int64_t count, first;
    size_t n;
    int64_t sizes[8], strides[8];
} view;

static inline void put_view(bytes *b, const view *v)
{
    PUT(b, "ctorch._utils\n_rebuild_tensor_v2\n((");
    put_unicode(b, "storage");
    PUT(b, "ctorch\n");
    put(b, v->class, strlen(v->class));
    PUT(b, "\n");
    put_unicode(b, v->key);
    put_unicode(b, "cpu");
    put_int(b, v->count);
    PUT(b, "tQ");
    put_int(b, v->first);
    put_ints(b, v->sizes, v->n);
    put_ints(b, v->strides, v->n);
    PUT(b,
        "\x89"
        "ccollections\nOrderedDict\n)RtR");
}

/* ---- zip ---- */

typedef struct member {
    const char *name;
    const void *data;
    size_t n;
} member;

enum { ZIP64 = 1, COMMENT = 2, PACKED = 4, TWICE = 8, ODD = 16 /* there is a field that nobody knows */ };

static inline void put_member(bytes *b, bytes *directory, const member *m, unsigned how)
{
    const size_t at = b->n, name = strlen(m->name), pad = 7;
    const unsigned method = how & PACKED ? 8 : 0;
    PUT(b, "PK\3\4\0\0\0\0");
    put_le(b, method, 2);
    put_le(b, 0, 8); /* time, sum */
    put_le(b, m->n, 4);
    put_le(b, m->n, 4);
    put_le(b, name, 2);
    put_le(b, pad, 2);
    put(b, m->name, name);
    put(b, "FB\3\0\0\0\0", pad);
    put(b, m->data, m->n);
    PUT(directory, "PK\1\2\0\0\0\0\0\0");
    put_le(directory, method, 2);
    put_le(directory, 0, 8);
    const uint64_t shown = how & ZIP64 ? UINT32_MAX : m->n;
    put_le(directory, shown, 4);
    put_le(directory, shown, 4);
    put_le(directory, name, 2);
    put_le(directory, (how & ZIP64 ? 28u : 0u) + (how & ODD ? 5u : 0u), 2);
    put_le(directory, 0, 10);
    put_le(directory, how & ZIP64 ? UINT32_MAX : at, 4);
    put(directory, m->name, name);
    if (how & ODD) put(directory, "\x77\x77\1\0z", 5);
    if (!(how & ZIP64)) return;
    put(directory, "\1\0\x18\0", 4);
    put_le(directory, m->n, 8);
    put_le(directory, m->n, 8);
    put_le(directory, at, 8);
}

static inline void put_zip(bytes *b, const member *members, size_t n, unsigned how)
{
    bytes directory = {.n = 0};
    for (size_t i = 0; i < n; i++) put_member(b, &directory, &members[i], how);
    if (how & TWICE) put_member(b, &directory, &members[n - 1], how);
    const size_t at = b->n, lines = n + (how & TWICE ? 1 : 0);
    put(b, directory.data, directory.n);
    if (how & ZIP64) {
        const size_t end = b->n;
        PUT(b, "PK\6\6\x2C\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
        put_le(b, lines, 8);
        put_le(b, lines, 8);
        put_le(b, directory.n, 8);
        put_le(b, at, 8);
        PUT(b, "PK\6\7\0\0\0\0");
        put_le(b, end, 8);
        put_le(b, 1, 4);
    }
    PUT(b, "PK\5\6\0\0\0\0");
    put_le(b, how & ZIP64 ? UINT16_MAX : lines, 2);
    put_le(b, how & ZIP64 ? UINT16_MAX : lines, 2);
    put_le(b, how & ZIP64 ? UINT32_MAX : directory.n, 4);
    put_le(b, how & ZIP64 ? UINT32_MAX : at, 4);
    put_le(b, how & COMMENT ? 6 : 0, 2);
    if (how & COMMENT) PUT(b, "PK\5\6\0\0");
    free(directory.data);
}

#endif
