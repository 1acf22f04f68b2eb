/* Files in memory behind hlm_vfs, for tests of what reads files. With `map`, files can be mapped; every file lies in a
 * heap block of exactly its size, so that a sanitizer sees a read past its end. */
#ifndef TEST_UNIT_MEMFS_H
#define TEST_UNIT_MEMFS_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/vfs.h"

enum { MEMFS_FILES = 8 };

typedef struct memfs_file {
    char path[64];
    unsigned char *data;
    size_t size;
} memfs_file;

typedef struct memfs {
    memfs_file files[MEMFS_FILES];
    size_t n, open;
} memfs;

static inline void memfs_add(memfs *fs, const char *path, const void *data, size_t size)
{
    memfs_file *f = &fs->files[fs->n++];
    memcpy(f->path, path, strlen(path) + 1);
    f->data = malloc(size);
    f->size = size;
    if (size) memcpy(f->data, data, size);
}

static inline void memfs_clear(memfs *fs)
{
    for (size_t i = 0; i < fs->n; i++) free(fs->files[i].data);
    *fs = (memfs){.n = 0};
}

static inline int32_t memfs_open(void *user, const char *path, void **file)
{
    memfs *fs = user;
    for (size_t i = 0; i < fs->n; i++) {
        if (strcmp(fs->files[i].path, path) != 0) continue;
        *file = &fs->files[i];
        fs->open++;
        return 0;
    }
    return 1;
}

static inline int32_t memfs_size(void *user, void *file, uint64_t *size)
{
    (void)user;
    *size = ((memfs_file *)file)->size;
    return 0;
}

static inline int32_t memfs_read(void *user, void *file, uint64_t offset, void *out, size_t n)
{
    const memfs_file *f = file;
    (void)user;
    if (offset > f->size || n > f->size - offset) return 2;
    memcpy(out, f->data + offset, n);
    return 0;
}

static inline int32_t memfs_map(void *user, void *file, const void **data)
{
    (void)user;
    *data = ((memfs_file *)file)->data;
    return 0;
}

static inline void memfs_close(void *user, void *file)
{
    (void)file;
    ((memfs *)user)->open--;
}

static inline hlmi_vfs memfs_vfs(memfs *fs, bool map)
{
    const hlm_vfs fns = {sizeof fns, fs, memfs_open, memfs_size, memfs_read, memfs_map, memfs_close};
    hlmi_vfs vfs;
    hlmi_vfs_from(&vfs, &fns, map);
    return vfs;
}

#endif
