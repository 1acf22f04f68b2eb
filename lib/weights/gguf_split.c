/* GGUF models in one file or split over several: x-00001-of-00003.gguf and so on. The first part holds the settings,
 * each holds some of the tensors, and split.no, split.count and split.tensors.count say which part it is, and of
 * what. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "weights/store_impl.h"

enum { DIGITS = 5, TAIL = 20 /* "-00001-of-00003.gguf" */, PARTS_MAX = 4096, SPLIT_TENSORS_MAX = 1 << 20 };

/* Which part of how many a file is; its path, where the name's last TAIL bytes may be written anew. */
typedef struct part_of {
    int64_t no, count; /* no from 1 on */
    char *path;
    size_t len;
} part_of;

static hlm_status read_count(const char *path, const hlmi_kvs *kvs, const char *key, int64_t min, int64_t max,
                             int64_t fallback, int64_t *out)
{
    const hlmi_kv *kv = hlmi_index_find(&kvs->by_key, key);
    *out = fallback;
    if (!kv) return HLM_OK;
    if (kv->type == HLMI_KV_ARRAY || !hlmi_kv_i64(kv, 0, out))
        return hlmi_fail(HLM_E_FORMAT, "%s: %s is no whole number", path, key);
    if (*out < min || *out > max)
        return hlmi_fail(HLM_E_FORMAT, "%s: %s is %" PRIi64 ", expected %" PRIi64 " to %" PRIi64, path, key, *out, min,
                         max);
    return HLM_OK;
}

static void write_tail(part_of *p, int64_t no)
{
    char tail[TAIL + 1];
    snprintf(tail, sizeof tail, "-%0*d-of-%0*d.gguf", DIGITS, (int)no, DIGITS, (int)p->count);
    memcpy(p->path + p->len - TAIL, tail, TAIL);
}

/* What the settings and the name of a part say of it; count is 1 for a model in one file. */
static hlm_status read_part(const hlmi_store *s, part_of *p)
{
    const char *path = s->sources[0].path;
    HLMI_DO(read_count(path, &s->kvs, "split.count", 0, PARTS_MAX, 1, &p->count));
    if (p->count <= 1) return HLM_OK;
    HLMI_DO(read_count(path, &s->kvs, "split.no", 0, p->count - 1, -1, &p->no));
    if (p->no++ < 0)
        return hlmi_fail(HLM_E_FORMAT, "%s: split.count is %" PRIi64 ", split.no is missing", path, p->count);
    p->len = strlen(path);
    p->path = hlmi_strndup(&s->mem, path, p->len);
    if (!p->path) return hlmi_nomem(p->len, "a path");
    if (p->len > TAIL) write_tail(p, p->no);
    if (p->len <= TAIL || strcmp(p->path, path) != 0)
        return hlmi_fail(HLM_E_UNSUPPORTED,
                         "%s: split.count is %" PRIi64 " and split.no %" PRIi64
                         ", so that the name must end in -%05d-of-%05d.gguf: the other parts are found by it",
                         path, p->count, p->no - 1, (int)p->no, (int)p->count);
    return HLM_OK;
}

/* Adds part number `no`, but for its settings, which *kvs receives. */
static hlm_status open_part(hlmi_store *s, part_of *p, int64_t no, hlmi_kvs *kvs)
{
    hlmi_source file;
    write_tail(p, no);
    hlm_status st = hlmi_source_open(&file, &s->mem, &s->vfs, p->path, NULL);
    if (st == HLM_OK) st = hlmi_gguf_read(s, &file, kvs);
    return st == HLM_OK ? st : hlmi_fail_prefix(st, "part %d of %d: ", (int)no, (int)p->count);
}

/* A part says of the model what the first one says. */
static hlm_status check_part(const hlmi_store *s, const hlmi_kvs *part, const part_of *of, int64_t no, int64_t tensors)
{
    const char *path = of->path;
    int64_t count, found, total;
    HLMI_DO(read_count(path, part, "split.count", 0, INT32_MAX, -1, &count));
    HLMI_DO(read_count(path, part, "split.no", 0, INT32_MAX, -1, &found));
    HLMI_DO(read_count(path, part, "split.tensors.count", 0, INT32_MAX, tensors, &total));
    if (count != of->count || found != no - 1 || total != tensors)
        return hlmi_fail(HLM_E_FORMAT,
                         "%s: split.no, split.count and split.tensors.count are %" PRIi64 ", %" PRIi64 " and %" PRIi64
                         ", expected %" PRIi64 ", %" PRIi64 " and %" PRIi64,
                         path, found, count, total, no - 1, of->count, tensors);
    for (size_t i = 0; i < part->n; i++) {
        const hlmi_kv *kv = &part->v[i], *first = hlmi_store_kv(s, kv->key);
        if (strncmp(kv->key, "split.", 6) == 0 || strcmp(kv->key, "general.alignment") == 0) continue;
        if (!first || first->type != kv->type || first->item != kv->item || first->count != kv->count ||
            first->bytes != kv->bytes || (kv->bytes && memcmp(first->data, kv->data, kv->bytes) != 0))
            return hlmi_fail(HLM_E_FORMAT, "%s: setting %s is not what it is in the first part", path,
                             hlmi_quoted(kv->key, strlen(kv->key)).s);
    }
    return HLM_OK;
}

/* The tensors of the parts behind the first. */
static hlm_status add_parts(hlmi_store *s, part_of *p)
{
    int64_t tensors;
    HLMI_DO(read_count(s->sources[0].path, &s->kvs, "split.tensors.count", 0, SPLIT_TENSORS_MAX, -1, &tensors));
    if (tensors < 0) return hlmi_fail(HLM_E_FORMAT, "%s: split.tensors.count is missing", s->sources[0].path);
    for (int64_t no = 2; no <= p->count; no++) {
        hlmi_kvs kvs = {.n = 0};
        hlm_status st = open_part(s, p, no, &kvs);
        if (st == HLM_OK) st = check_part(s, &kvs, p, no, tensors);
        hlmi_kvs_free(&kvs, &s->mem);
        if (st != HLM_OK) return st;
    }
    if ((uint64_t)tensors != s->n_tensors)
        return hlmi_fail(HLM_E_FORMAT, "%s: split.tensors.count is %" PRIi64 ", the %" PRIi64 " parts have %zu tensors",
                         s->sources[0].path, tensors, p->count, s->n_tensors);
    return HLM_OK;
}

hlm_status hlmi_gguf_open(hlmi_store *s, hlmi_source *file, hlmi_content content)
{
    hlm_status st;
    part_of p = {.count = 1};
    HLMI_TRY(hlmi_gguf_read(s, file, &s->kvs));
    HLMI_TRY(read_part(s, &p));
    if (p.count <= 1) goto done;
    if (p.no != 1) { /* the settings are in the first one */
        const int64_t count = p.count;
        hlmi_store_clear(s);
        HLMI_TRY(open_part(s, &p, 1, &s->kvs));
        hlmi_free(&s->mem, p.path);
        p = (part_of){.count = 1};
        HLMI_TRY(read_part(s, &p));
        if (p.count != count || p.no != 1)
            HLMI_TRY(hlmi_fail(HLM_E_FORMAT, "%s: split.count is %" PRIi64 ", expected %" PRIi64, s->sources[0].path,
                               p.count, count));
    }
    if (content != HLMI_STORE_SIDE_FILES) HLMI_TRY(add_parts(s, &p));
done:
    hlmi_free(&s->mem, p.path);
    return st == HLM_OK ? hlmi_gguf_scale(s) : st;
}
