/* A folder in place of a GGUF file: which of its files is meant. Folders with weights of their own (safetensors) are
 * Hugging Face's. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/os.h"
#include "weights/store_impl.h"

enum { TAIL = 20 /* "-00001-of-00003.gguf" */, SHOWN = 6, MOST = 256 };

typedef struct found {
    hlmi_store *s;
    const char *const *weights; /* names of files that make it no folder around a GGUF file, the last NULL */
    bool own; /* one of them is there */
    char **names; /* [n] GGUF files; of a split one the first part, whichever were seen */
    size_t n, cap;
    hlm_status st;
} found;

static bool ends_in(const char *name, size_t len, const char *end)
{
    const size_t n = strlen(end);
    return len >= n && memcmp(name + len - n, end, n) == 0;
}

/* A part of a split model becomes its first one. */
static void to_first(char *name, size_t len)
{
    int parsed = 0;
    if (len > TAIL) sscanf(name + len - TAIL, "-%*5[0-9]-of-%*5[0-9].gguf%n", &parsed);
    if (parsed == TAIL) memcpy(name + len - TAIL + 1, "00001", 5);
}

/* Files that go with a model of text and are none: what turns images into embeddings. */
static bool is_projector(const char *name, size_t len)
{
    for (size_t i = 0; i + 6 <= len; i++) {
        size_t k = 0;
        while (k < 6 && (name[i + k] | 0x20) == "mmproj"[k]) k++;
        if (k == 6) return true;
    }
    return false;
}

static bool see(void *user, const char *name)
{
    found *f = user;
    const hlmi_mem *mem = &f->s->mem;
    const size_t len = strlen(name);
    for (size_t i = 0; f->weights[i]; i++) f->own = f->own || strcmp(name, f->weights[i]) == 0;
    if (!ends_in(name, len, ".gguf") || is_projector(name, len)) return true;
    f->st = HLMI_GROW(mem, f->names, f->cap, f->n + 1, "names of files");
    char *copy = f->st == HLM_OK ? hlmi_strndup(mem, name, len) : NULL;
    if (f->st == HLM_OK && !copy) f->st = hlmi_nomem(len, "a name");
    if (f->st != HLM_OK) return false;
    to_first(copy, len);
    size_t same = 0;
    while (same < f->n && strcmp(f->names[same], copy) != 0) same++;
    if (same == f->n) f->names[f->n++] = copy;
    else hlmi_free(mem, copy);
    return f->n < MOST;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static hlm_status refuse_several(const found *f)
{
    hlmi_buf list;
    hlmi_buf_init(&list, &f->s->mem);
    qsort(f->names, f->n, sizeof *f->names, by_name);
    for (size_t i = 0; i < f->n && i < SHOWN; i++) {
        if (i) hlmi_buf_str(&list, ", ");
        hlmi_buf_str(&list, hlmi_quoted(f->names[i], strlen(f->names[i])).s);
    }
    hlm_status st = hlmi_buf_status(&list, "names of files");
    if (st == HLM_OK)
        st = hlmi_fail(HLM_E_ARG, "%s: holds %s%zu models, give one of %s%s", f->s->path,
                       f->n == MOST ? "more than " : "", f->n, list.data, f->n > SHOWN ? ", ..." : "");
    hlmi_buf_free(&list);
    return st;
}

hlm_status hlmi_find_in_folder(hlmi_store *s, hlmi_content content)
{
    static const char *const model[] = {"model.safetensors", "model.safetensors.index.json", NULL};
    static const char *const adapter[] = {"adapter_config.json", "adapter_model.safetensors", NULL};
    found f = {.s = s, .weights = content == HLMI_STORE_ADAPTER ? adapter : model};
    if (!s->vfs.system) return HLM_OK;
    (void)hlmi_os_list(s->path, see, &f); /* what is no folder is said by who opens it */
    hlm_status st = f.st;
    if (st == HLM_OK && !f.own && f.n > 1) st = refuse_several(&f);
    if (st == HLM_OK && !f.own && f.n == 1) {
        char *path = hlmi_store_path_of(s, f.names[0]);
        if (path) {
            hlmi_free(&s->mem, s->path);
            s->path = path;
        } else {
            st = hlmi_nomem(strlen(f.names[0]), "a path");
        }
    }
    for (size_t i = 0; i < f.n; i++) hlmi_free(&s->mem, f.names[i]);
    hlmi_free(&s->mem, f.names);
    return st;
}
