/* The game's files: a pack of them, mapped; its head has their names and places. */
#include "game.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES = 8, NAME = 48, ALIGN = 64 };

typedef struct entry {
    char name[NAME];
    uint64_t at, size;
} entry;

typedef struct head {
    entry files[FILES];
} head;

struct pack {
    head *head; /* the file's beginning */
    size_t bytes;
};

static int32_t file_open(void *user, const char *path, void **file)
{
    const pack *p = user;
    for (size_t i = 0; i < FILES; i++) {
        *file = &p->head->files[i];
        if (*path && strcmp(p->head->files[i].name, path) == 0) return 0;
    }
    return 1; /* not there */
}

static int32_t file_size(void *user, void *file, uint64_t *size)
{
    (void)user;
    *size = ((entry *)file)->size;
    return 0;
}

static int32_t file_map(void *user, void *file, const void **data)
{
    *data = (char *)((pack *)user)->head + ((entry *)file)->at;
    return 0;
}

static int32_t file_read(void *user, void *file, uint64_t offset, void *out, size_t n)
{
    memcpy(out, (char *)((pack *)user)->head + ((entry *)file)->at + offset,
           n); /* the library asks for what there is */
    return 0;
}

static void file_close(void *user, void *file)
{
    (void)user, (void)file;
}

hlm_vfs pack_vfs(pack *p)
{
    return (hlm_vfs){.struct_size = sizeof(hlm_vfs),
                     .user = p,
                     .open = file_open,
                     .size = file_size,
                     .read_at = file_read,
                     .map = file_map,
                     .close = file_close};
}

int pack_make(const char *path, const char *model)
{
    static char buffer[1 << 16];
    head h = {.files = {{.name = "model", .at = (sizeof h + ALIGN - 1) / ALIGN * ALIGN}}};
    FILE *from = fopen(model, "rb"), *to = fopen(path, "wb");
    size_t n;
    int ok = from && to && fseek(to, (long)h.files[0].at, SEEK_SET) == 0;
    while (ok && (n = fread(buffer, 1, sizeof buffer, from)) > 0) {
        h.files[0].size += n;
        ok = fwrite(buffer, 1, n, to) == n;
    }
    ok = ok && !ferror(from) && fseek(to, 0, SEEK_SET) == 0 && fwrite(&h, sizeof h, 1, to) == 1;
    if (from) fclose(from);
    if (to) ok = fclose(to) == 0 && ok;
    return ok ? 0 : 1;
}

/* Do its files lie in it? */
static int is_pack(const pack *p)
{
    for (size_t i = 0; i < FILES; i++) {
        const entry *e = &p->head->files[i];
        if (e->at > p->bytes || e->size > p->bytes - e->at || e->name[NAME - 1]) return 0;
    }
    return 1;
}

pack *pack_map(const char *path)
{
    struct stat s;
    const int file = open(path, O_RDONLY);
    pack *p = calloc(1, sizeof *p);
    if (file >= 0 && p && fstat(file, &s) == 0 && (size_t)s.st_size >= sizeof *p->head) {
        p->bytes = (size_t)s.st_size;
        p->head = mmap(NULL, p->bytes, PROT_READ, MAP_PRIVATE, file, 0);
        if (p->head == MAP_FAILED) p->head = NULL;
    }
    if (file >= 0) close(file);
    if (p && p->head && is_pack(p)) return p;
    pack_unmap(p);
    return NULL;
}

void pack_unmap(pack *p)
{
    if (p && p->head) munmap(p->head, p->bytes);
    free(p);
}
