/* The tensor store: opening, lookup, reading, and what the containers share. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/json.h"
#include "base/os.h"
#include "weights/coded.h"
#include "weights/schemes.h"
#include "weights/store_impl.h"

/* Names are kept in chunks, so that they never move. */
struct hlmi_chunk {
    hlmi_chunk *next;
    size_t used, cap;
};

enum { CHUNK = 64 << 10 };

/* ---- building ---- */

const char *hlmi_store_name(hlmi_store *s, const char *p, size_t n)
{
    hlmi_chunk *c = s->names;
    if (!c || n >= c->cap - c->used) {
        size_t bytes;
        const size_t cap = hlmi_max_size(CHUNK, n) + 1;
        if (!hlmi_add_size(sizeof *c, cap, &bytes)) return NULL;
        c = hlmi_alloc(&s->mem, bytes);
        if (!c) return NULL;
        *c = (hlmi_chunk){.next = s->names, .cap = cap};
        s->names = c;
    }
    char *to = (char *)(c + 1) + c->used;
    if (n) memcpy(to, p, n);
    to[n] = '\0';
    c->used += n + 1;
    return to;
}

hlm_status hlmi_store_add_source(hlmi_store *s, hlmi_source *file)
{
    const hlm_status st = HLMI_GROW(&s->mem, s->sources, s->cap_sources, s->n_sources + 1, "weight files");
    if (st != HLM_OK) {
        hlmi_source_close(file);
        return st;
    }
    s->sources[s->n_sources++] = *file;
    *file = (hlmi_source){0};
    return HLM_OK;
}

hlm_status hlmi_store_name_file(const hlmi_store *s, hlm_status st)
{
    const bool wrong = st == HLM_E_FORMAT || st == HLM_E_UNSUPPORTED;
    return wrong ? hlmi_fail_prefix(st, "%s: ", s->sources[s->n_sources - 1].path) : st;
}

hlm_status hlmi_store_set_unfit(hlmi_store *s, hlmi_tensor *t, hlm_status status, const char *fmt, ...)
{
    hlmi_assert(fmt);
    char why[HLMI_QUOTE_MAX + 100];
    const hlmi_tensor *last = s->n_tensors ? &s->tensors[s->n_tensors - 1] : NULL;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(why, sizeof why, fmt, ap);
    va_end(ap);
    const bool again = last && last->unfit && strcmp(last->unfit, why) == 0;
    t->unfit_status = status;
    t->unfit = again ? last->unfit : hlmi_store_name(s, why, strlen(why));
    return t->unfit ? HLM_OK : hlmi_nomem(strlen(why), "a tensor");
}

hlm_status hlmi_store_add(hlmi_store *s, const hlmi_tensor *tensor)
{
    HLMI_DO(HLMI_GROW(&s->mem, s->tensors, s->cap_tensors, s->n_tensors + 1, "the tensor table"));
    hlmi_tensor *t = &s->tensors[s->n_tensors++];
    *t = *tensor;
    t->source = (uint32_t)(s->n_sources - 1);
    if (!t->unfit) return HLM_OK;
    if (!t->said.type) t->said.type = hlmi_type_get(t->type)->name;
    t->said.n_dims = t->n_dims;
    memcpy(t->said.dims, t->dims, sizeof t->dims);
    t->type = HLMI_U8;
    t->n_dims = 1;
    t->dims[0] = t->bytes;
    return HLM_OK;
}

hlm_status hlmi_store_usable(const hlmi_store *s, const hlmi_tensor *t)
{
    if (!t->unfit) return HLM_OK;
    return hlmi_fail(t->unfit_status, "%s: tensor %s: %s", s->sources[t->source].path,
                     hlmi_quoted(t->name, strlen(t->name)).s, t->unfit);
}

hlm_status hlmi_store_index_tensors(hlmi_store *s)
{
    const hlm_status st =
        hlmi_index_build(&s->by_name, &s->mem, s->tensors, sizeof *s->tensors, s->n_tensors, "tensor");
    return st == HLM_E_FORMAT ? hlmi_fail_prefix(st, "%s: ", s->path) : st;
}

static bool range_before(const void *tensors, uint32_t a, uint32_t b)
{
    const hlmi_tensor *x = (const hlmi_tensor *)tensors + a, *y = (const hlmi_tensor *)tensors + b;
    return x->offset != y->offset ? x->offset < y->offset : x->bytes < y->bytes;
}

hlm_status hlmi_store_check_ranges(const hlmi_store *s, size_t first, bool dense, uint64_t begin, uint64_t end)
{
    const size_t n = s->n_tensors - first;
    if (n == 0 && !dense) return HLM_OK; /* there may be no table */
    const hlmi_tensor *tensors = n ? s->tensors + first : NULL;
    uint32_t *order;
    hlm_status st = hlmi_sorted(&order, &s->mem, n, range_before, tensors);
    if (st != HLM_OK) return st;
    uint64_t at = begin;
    for (size_t i = 0; i < n; i++) {
        const hlmi_tensor *t = &tensors[order[i]];
        if (t->offset < at || (dense && t->offset > at))
            HLMI_TRY(hlmi_fail(HLM_E_FORMAT,
                               "the data of tensor %s begins at byte %llu, %s the data before it, which ends at %llu",
                               hlmi_quoted(t->name, strlen(t->name)).s, (unsigned long long)t->offset,
                               t->offset < at ? "inside" : "behind", (unsigned long long)at));
        at = t->offset + t->bytes;
    }
    if (dense && at != end)
        HLMI_TRY(hlmi_fail(HLM_E_FORMAT, "tensor data ends at byte %llu, the file at byte %llu", (unsigned long long)at,
                           (unsigned long long)end));
done:
    hlmi_free(&s->mem, order);
    return st;
}

hlm_status hlmi_store_json(const hlmi_store *s, const char *text, size_t len, const char *what, hlmi_json **out)
{
    const hlm_status st = hlmi_json_parse(out, &s->mem, HLMI_JSON_TENSORS, text, len, what);
    if (st != HLM_OK || hlmi_json_is(*out, HLMI_JSON_OBJECT)) return st;
    hlmi_json_free(*out);
    *out = NULL;
    return hlmi_fail(HLM_E_FORMAT, "%s: not a JSON object", what);
}

hlmi_quote hlmi_quoted(const char *p, size_t n)
{
    hlmi_quote q;
    size_t at = 0;
    q.s[at++] = '\'';
    for (size_t i = 0; i < n; i++) {
        const unsigned char c = (unsigned char)p[i];
        if (at > HLMI_QUOTE_MAX - 4) {
            memcpy(q.s + at, "...", 3);
            at += 3;
            break;
        }
        if (c >= 0x20 && c < 0x7F) q.s[at++] = (char)c;
        else at += (size_t)snprintf(q.s + at, sizeof q.s - at, "\\x%02X", c);
    }
    q.s[at++] = '\'';
    q.s[at] = '\0';
    return q;
}

/* ---- opening ---- */

/* A container, and what tells it. */
typedef struct container {
    hlmi_dialect dialect;
    const char *magic; /* the first 4 bytes of the file; NULL: a folder */
    hlm_status (*open)(hlmi_store *s, hlmi_source *file, hlmi_content content);
} container;

enum { FOLDER = 1 };

static const container containers[] = {{HLMI_GGUF, "GGUF", hlmi_gguf_open}, [FOLDER] = {HLMI_HF, NULL, hlmi_hf_open}};

/* The container of an open file. */
static hlm_status match(const hlmi_source *file, const container **c)
{
    uint8_t buf[4] = {0};
    const uint8_t *head = buf;
    if (file->size >= sizeof buf) HLMI_DO(hlmi_source_read(file, 0, sizeof buf, buf, &head));
    for (*c = containers; (*c)->magic; ++*c)
        if (memcmp(head, (*c)->magic, sizeof buf) == 0) return HLM_OK;
    const hlm_status st = hlmi_gguf_refuse(file, " (for safetensors, give the folder)");
    return st == HLM_E_FORMAT ? hlmi_fail_prefix(st, "%s: ", file->path) : st;
}

hlm_status hlmi_store_reach(hlmi_store *s, hlmi_source *file, hlmi_content content, bool *folder)
{
    const hlm_status st = hlmi_source_open(file, &s->mem, &s->vfs, s->path, NULL);
    *folder = false;
    if (st == HLM_E_NOMEM || (st != HLM_OK && s->vfs.system && hlmi_os_kind(file->opened) != HLMI_OS_FOLDER)) return st;
    s->opened = file->opened;
    if (st == HLM_OK) return st;
    const char *given = s->path;
    HLMI_DO(hlmi_find_in_folder(s, content));
    *folder = s->path == given;
    return *folder ? HLM_OK : hlmi_source_open(file, &s->mem, &s->vfs, s->path, NULL);
}

hlm_status hlmi_store_new(hlmi_store **out, const hlmi_mem *mem, const hlmi_vfs *vfs, const char *path)
{
    size_t len = strlen(path);
    *out = NULL;
    if (len == 0) return hlmi_fail(HLM_E_ARG, "the path of the model is empty");
    hlmi_store *s = hlmi_calloc(mem, 1, sizeof *s);
    if (!s) return hlmi_nomem(sizeof *s, "a tensor store");
    s->mem = *mem;
    s->vfs = *vfs;
    while (len > 1 && path[len - 1] == '/') len--;
    s->path = hlmi_strndup(mem, path, len);
    if (!s->path) {
        hlmi_free(mem, s);
        return hlmi_nomem(len, "a path");
    }
    *out = s;
    return HLM_OK;
}

hlm_status hlmi_store_open(hlmi_store **out, const hlmi_mem *mem, const hlmi_vfs *vfs, const char *path,
                           hlmi_content content)
{
    hlm_status st;
    hlmi_source file = {0};
    const container *c = &containers[FOLDER];
    hlmi_store *s;
    bool folder;
    *out = NULL;
    HLMI_DO(hlmi_store_new(&s, mem, vfs, path));
    HLMI_TRY(hlmi_store_reach(s, &file, content, &folder));
    if (!folder) HLMI_TRY(match(&file, &c));
    s->dialect = c->dialect;
    HLMI_TRY(c->open(s, c->magic ? &file : NULL, content));
    HLMI_TRY(hlmi_store_index_tensors(s));
    for (size_t i = 0; i < s->n_tensors && content == HLMI_STORE_ADAPTER; i++)
        HLMI_TRY(hlmi_store_usable(s, &s->tensors[i]));
    *out = s;
    s = NULL;
done:
    hlmi_source_close(&file);
    hlmi_store_close(s);
    return st;
}

void hlmi_kvs_free(hlmi_kvs *kvs, const hlmi_mem *mem)
{
    hlmi_free(mem, kvs->v);
    hlmi_index_free(&kvs->by_key, mem);
    hlmi_free(mem, kvs->front);
    *kvs = (hlmi_kvs){0};
}

void hlmi_store_clear(hlmi_store *s)
{
    const hlmi_store kept = {.mem = s->mem, .vfs = s->vfs, .path = s->path, .dialect = s->dialect};
    for (size_t i = 0; i < s->n_sources; i++) hlmi_source_close(&s->sources[i]);
    hlmi_free(&s->mem, s->sources);
    hlmi_free(&s->mem, s->tensors);
    hlmi_coded_free(s);
    hlmi_index_free(&s->by_name, &s->mem);
    hlmi_json_free(s->config);
    hlmi_kvs_free(&s->kvs, &s->mem);
    while (s->names) {
        hlmi_chunk *next = s->names->next;
        hlmi_free(&s->mem, s->names);
        s->names = next;
    }
    *s = kept;
}

void hlmi_store_close(hlmi_store *s)
{
    if (!s) return;
    const hlmi_mem mem = s->mem;
    hlmi_store_clear(s);
    hlmi_free(&mem, s->path);
    hlmi_free(&mem, s);
}

/* ---- asking ---- */

hlmi_dialect hlmi_store_dialect(const hlmi_store *s)
{
    return s->dialect;
}

const char *hlmi_store_path(const hlmi_store *s)
{
    return s->path;
}

uint64_t hlmi_store_bytes(const hlmi_store *s)
{
    uint64_t n = 0;
    for (size_t i = 0; i < s->n_sources; i++) n += s->sources[i].size;
    return n;
}

const hlmi_tensor *hlmi_store_find(const hlmi_store *s, const char *name)
{
    return hlmi_index_find(&s->by_name, name);
}

size_t hlmi_store_count(const hlmi_store *s)
{
    return s->n_tensors;
}

const hlmi_tensor *hlmi_store_at(const hlmi_store *s, size_t i)
{
    return i < s->n_tensors ? &s->tensors[i] : NULL;
}

/* Rows of heads, of which each is somewhere else in the file. */
static hlm_status read_turned(const hlmi_store *s, const hlmi_tensor *t, uint64_t offset, size_t n, uint8_t *buf)
{
    const uint64_t row = t->bytes / t->dims[0], half = t->head_rows / 2;
    for (size_t at = 0, take; at < n; at += take) {
        const uint64_t r = (offset + at) / row, skip = (offset + at) % row, in = r % t->head_rows;
        const uint64_t from = r - in + (in < half ? 2 * in : 2 * (in - half) + 1);
        const uint8_t *data;
        take = hlmi_min_size((size_t)(row - skip), n - at);
        HLMI_DO(hlmi_source_read(&s->sources[t->source], t->offset + from * row + skip, take, buf + at, &data));
        if (data != buf + at) memcpy(buf + at, data, take);
    }
    return HLM_OK;
}

hlm_status hlmi_store_read(const hlmi_store *s, const hlmi_tensor *t, uint64_t offset, size_t n, void *buf,
                           const uint8_t **data)
{
    if (offset > t->bytes || n > t->bytes - offset)
        return hlmi_fail(HLM_E_ARG, "tensor %s: %zu bytes at %llu are outside its %llu bytes",
                         hlmi_quoted(t->name, strlen(t->name)).s, n, (unsigned long long)offset,
                         (unsigned long long)t->bytes);
    if (t->coded) {
        *data = buf;
        return hlmi_coded_read(s, t->coded, offset, n, buf);
    }
    if (t->head_rows) {
        *data = buf;
        return read_turned(s, t, offset, n, buf);
    }
    return hlmi_source_read(&s->sources[t->source], t->offset + offset, n, buf, data);
}

void hlmi_store_drop(const hlmi_store *s, const hlmi_tensor *t, uint64_t offset, uint64_t n)
{
    if (t->coded || t->head_rows || offset > t->bytes || n > t->bytes - offset) return;
    hlmi_source_drop(&s->sources[t->source], t->offset + offset, (size_t)n);
}

bool hlmi_store_mapped(const hlmi_store *s, const hlmi_tensor *t)
{
    return !t->coded && !t->head_rows && s->sources[t->source].map != NULL;
}

const hlmi_json *hlmi_store_config(const hlmi_store *s)
{
    return s->config;
}

const hlmi_kv *hlmi_store_kv(const hlmi_store *s, const char *key)
{
    return hlmi_index_find(&s->kvs.by_key, key);
}

const hlmi_kv *hlmi_store_kv_at(const hlmi_store *s, size_t i)
{
    return i < s->kvs.n ? &s->kvs.v[i] : NULL;
}
