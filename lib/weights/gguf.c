/* GGUF, versions 2 and 3, little endian: header, settings (key, type, value), tensor table, padding, data.
 *
 * The front of the file is read through a window that is the map, or a copy that grows as reading goes on; so positions
 * are kept as offsets until the end of the table is known. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "weights/ggml_type.h"
#include "weights/store_impl.h"

enum {
    KEYS_MAX = 1 << 16,
    TENSORS_MAX = 1 << 20,
    NAME_MAX_BYTES = 1 << 16, /* keys, by the specification 2^16 - 1 */
    KEY_BYTES = 8 + 1 + 4 + 1, /* least bytes of a setting */
    TENSOR_BYTES = 8 + 1 + 4 + 8 + 4 + 8, /* and of a line of the tensor table */
    ALIGNMENT = 32, /* when general.alignment does not say otherwise */
    ALIGNMENT_MAX = 1 << 30,
    MAGIC = 0x46554747, /* "GGUF" */
    DIMS_MAX = 16 /* that are read; more than HLMI_MAX_DIMS are no weight's */
};
/* A front of the file larger than this is no model's. */
#define FRONT_MAX ((uint64_t)256 << 20)

typedef struct reader {
    hlmi_store *s;
    hlmi_kvs *kvs;
    const hlmi_source *file;
    const uint8_t *base; /* the first `have` bytes of the file */
    size_t have, pos;
} reader;

/* ---- the window ---- */

/* Makes the first `need` bytes of an unmapped file present; need <= size. */
static hlm_status extend(reader *r, size_t need)
{
    const hlmi_mem *mem = &r->s->mem;
    size_t want = hlmi_max_size(need, hlmi_max_size(2 * r->have, 64 << 10));
    if (want > r->file->size) want = (size_t)r->file->size;
    if (want > FRONT_MAX) want = (size_t)FRONT_MAX; /* need is at most that */
    uint8_t *p = hlmi_realloc(mem, r->kvs->front, r->have, want);
    if (!p) return hlmi_nomem(want, "GGUF settings");
    r->base = r->kvs->front = p;
    const uint8_t *where;
    HLMI_DO(hlmi_source_read(r->file, r->have, want - r->have, p + r->have, &where));
    r->have = want;
    return HLM_OK;
}

/* Goes behind the next n bytes, which are then in the window. */
static hlm_status take(reader *r, uint64_t n, const char *what)
{
    if (n > r->file->size - r->pos)
        return hlmi_fail(HLM_E_FORMAT,
                         "ends at byte %" PRIu64 ", inside %s (%" PRIu64 " bytes from byte %zu on); is it whole?",
                         r->file->size, what, n, r->pos);
    if (n > FRONT_MAX - r->pos)
        return hlmi_fail(HLM_E_FORMAT,
                         "%s, %" PRIu64 " bytes from byte %zu on, goes past the %" PRIu64 " bytes allowed for settings",
                         what, n, r->pos, FRONT_MAX);
    if (r->pos + (size_t)n > r->have) HLMI_DO(extend(r, r->pos + (size_t)n));
    r->pos += (size_t)n;
    return HLM_OK;
}

static hlm_status take_number(reader *r, size_t n, const char *what, uint64_t *v)
{
    HLMI_DO(take(r, n, what));
    *v = hlmi_load_le(r->base + r->pos - n, n);
    return HLM_OK;
}

/* A key or tensor name, copied into the store. `what` begins "the name of". */
static hlm_status take_name(reader *r, const char *what, const char **name)
{
    uint64_t n;
    HLMI_DO(take_number(r, 8, what, &n));
    if (n == 0 || n >= NAME_MAX_BYTES)
        return hlmi_fail(HLM_E_FORMAT, "%s, at byte %zu, has %" PRIu64 " bytes, expected 1 to %d", what, r->pos - 8, n,
                         NAME_MAX_BYTES - 1);
    HLMI_DO(take(r, n, what));
    const char *p = (const char *)r->base + r->pos - n;
    if (memchr(p, '\0', (size_t)n))
        return hlmi_fail(HLM_E_FORMAT, "%s holds a zero byte: %s", what, hlmi_quoted(p, (size_t)n).s);
    *name = hlmi_store_name(r->s, p, (size_t)n);
    return *name ? HLM_OK : hlmi_nomem((size_t)n, "a name");
}

/* ---- settings ---- */

/* A label for sentences about one setting or tensor. */
typedef struct label {
    char s[HLMI_QUOTE_MAX + 40];
} label;

static label labelled(const char *what, const char *name)
{
    label l;
    snprintf(l.s, sizeof l.s, "%s%s", what, hlmi_quoted(name, strlen(name)).s);
    return l;
}

/* The type and number of an array's items. */
static hlm_status read_array(reader *r, const char *what, hlmi_kv *kv)
{
    uint64_t item;
    HLMI_DO(take_number(r, 4, what, &item));
    HLMI_DO(take_number(r, 8, what, &kv->count));
    const size_t size = hlmi_kv_size(item), least = size ? size : 8;
    if (item == HLMI_KV_ARRAY) return hlmi_fail(HLM_E_UNSUPPORTED, "%s is an array of arrays", what);
    if (size == 0 && item != HLMI_KV_STRING)
        return hlmi_fail(HLM_E_FORMAT, "%s is an array of the unknown type %" PRIu64, what, item);
    if (kv->count > (r->file->size - r->pos) / least)
        return hlmi_fail(HLM_E_FORMAT, "%s has %" PRIu64 " items, the file ends %" PRIu64 " bytes behind; is it whole?",
                         what, kv->count, r->file->size - r->pos);
    kv->item = (hlmi_kv_type)item;
    return HLM_OK;
}

static hlm_status skip_values(reader *r, const char *what, hlmi_kv_type type, uint64_t n)
{
    const size_t size = hlmi_kv_size(type);
    if (size) return take(r, n * size, what);
    for (uint64_t i = 0; i < n; i++) {
        uint64_t bytes;
        HLMI_DO(take_number(r, 8, what, &bytes));
        HLMI_DO(take(r, bytes, what));
    }
    return HLM_OK;
}

static hlm_status read_kv(reader *r, hlmi_kv *kv)
{
    uint64_t type;
    HLMI_DO(take_name(r, "the key of a setting", &kv->key));
    const label l = labelled("the value of ", kv->key);
    HLMI_DO(take_number(r, 4, l.s, &type));
    kv->type = (hlmi_kv_type)type;
    kv->count = 1;
    if (type == HLMI_KV_ARRAY) HLMI_DO(read_array(r, l.s, kv));
    else if (!hlmi_kv_size(type) && type != HLMI_KV_STRING)
        return hlmi_fail(HLM_E_FORMAT, "%s has the unknown type %" PRIu64, l.s, type);
    kv->at = r->pos;
    HLMI_DO(skip_values(r, l.s, type == HLMI_KV_ARRAY ? kv->item : kv->type, kv->count));
    kv->bytes = r->pos - kv->at;
    return HLM_OK;
}

static hlm_status read_kvs(reader *r, uint64_t n)
{
    hlmi_kvs *kvs = r->kvs;
    if (n == 0) return HLM_OK;
    kvs->v = hlmi_calloc(&r->s->mem, (size_t)n, sizeof *kvs->v);
    if (!kvs->v) return hlmi_nomem((size_t)n * sizeof *kvs->v, "the table of settings");
    for (; kvs->n < n; kvs->n++) HLMI_DO(read_kv(r, &kvs->v[kvs->n]));
    return HLM_OK;
}

/* Their data is where the window ended up. */
static void place_kvs(const reader *r)
{
    for (size_t i = 0; i < r->kvs->n; i++) r->kvs->v[i].data = r->base + r->kvs->v[i].at;
}

/* Looks settings up by name from now on. */
static hlm_status finish_kvs(reader *r)
{
    hlmi_kvs *kvs = r->kvs;
    place_kvs(r);
    return hlmi_index_build(&kvs->by_key, &r->s->mem, kvs->v, sizeof *kvs->v, kvs->n, "setting");
}

/* ---- tensors ---- */

/* Dimensions and type, checked against each other; sets t->bytes, which stays 0 where nobody can tell. */
static hlm_status check_shape(reader *r, const char *what, hlmi_tensor *t, uint64_t number)
{
    const char *name;
    if (!hlmi_ggml_type(number, &t->type, &name)) {
        char said[32];
        const int n = snprintf(said, sizeof said, "type %" PRIu64, number);
        t->said.type = name ? name : hlmi_store_name(r->s, said, (size_t)n);
        t->type = HLMI_U8;
        return hlmi_store_set_unfit(r->s, t, HLM_E_UNSUPPORTED, "type %" PRIu64 ", %s, is not supported", number,
                                    name ? name : "of no known name");
    }
    const hlmi_type_info *info = hlmi_type_get(t->type);
    const uint64_t cols = t->dims[t->n_dims - 1];
    if (cols % info->block != 0)
        return hlmi_store_set_unfit(r->s, t, HLM_E_FORMAT, "rows of %" PRIu64 " elements, %s needs a multiple of %zu",
                                    cols, info->name, info->block);
    bool fits = hlmi_type_row_bytes(t->type, cols, &t->bytes);
    for (uint32_t i = 0; i + 1 < t->n_dims && fits; i++) {
        fits = t->bytes <= INT64_MAX / t->dims[i];
        t->bytes *= fits ? t->dims[i] : 1;
    }
    if (!fits || t->bytes > r->file->size)
        return hlmi_fail(HLM_E_FORMAT,
                         "%s: its shape needs more bytes than the file's %" PRIu64 " (%" PRIu64 " elements a row)",
                         what, r->file->size, cols);
    return HLM_OK;
}

/* The file has the innermost dimension first, and may go on with ones behind the outermost: two are kept of those, so
 * that a matrix of one row stays one. *n receives how many there are. */
static hlm_status read_dims(reader *r, const char *what, hlmi_tensor *t, uint64_t *n)
{
    uint64_t dims[DIMS_MAX];
    HLMI_DO(take_number(r, 4, what, n));
    if (*n == 0 || *n > DIMS_MAX)
        return hlmi_fail(HLM_E_FORMAT, "%s: %" PRIu64 " dimensions, expected 1 to %d", what, *n, HLMI_MAX_DIMS);
    for (uint64_t i = 0; i < *n; i++) {
        HLMI_DO(take_number(r, 8, what, &dims[i]));
        if (dims[i] == 0 || dims[i] > INT64_MAX)
            return hlmi_fail(HLM_E_FORMAT, "%s: a dimension is %" PRIu64, what, dims[i]);
    }
    while (*n > 2 && dims[*n - 1] == 1) --*n;
    t->n_dims = *n > HLMI_MAX_DIMS ? HLMI_MAX_DIMS : (uint32_t)*n;
    for (uint32_t i = 0; i < t->n_dims; i++) t->dims[i] = dims[t->n_dims - 1 - i];
    return HLM_OK;
}

static hlm_status read_tensor(reader *r)
{
    uint64_t number, n_dims;
    hlmi_tensor t = {.bytes = 0};
    HLMI_DO(take_name(r, "the name of a tensor", &t.name));
    const label l = labelled("the table line of tensor ", t.name);
    HLMI_DO(read_dims(r, l.s, &t, &n_dims));
    HLMI_DO(take_number(r, 4, l.s, &number));
    HLMI_DO(take_number(r, 8, l.s, &t.offset));
    if (n_dims <= HLMI_MAX_DIMS) HLMI_DO(check_shape(r, l.s, &t, number));
    else
        HLMI_DO(hlmi_store_set_unfit(r->s, &t, HLM_E_FORMAT, "%" PRIu64 " dimensions, expected 1 to %d", n_dims,
                                     HLMI_MAX_DIMS));
    return hlmi_store_add(r->s, &t);
}

static hlm_status read_alignment(const reader *r, uint64_t *alignment)
{
    const hlmi_kv *kv = hlmi_index_find(&r->kvs->by_key, "general.alignment");
    int64_t v = ALIGNMENT;
    if (kv && (!hlmi_kv_i64(kv, 0, &v) || kv->type == HLMI_KV_ARRAY))
        return hlmi_fail(HLM_E_FORMAT, "general.alignment has value type %d, expected a whole number", (int)kv->type);
    if (v <= 0 || (v & (v - 1)) != 0 || v > ALIGNMENT_MAX)
        return hlmi_fail(HLM_E_FORMAT, "general.alignment is %" PRIi64 ", expected a power of two up to %d", v,
                         ALIGNMENT_MAX);
    *alignment = (uint64_t)v;
    return HLM_OK;
}

/* Offsets in the table count from the data section, which begins at the next multiple of the alignment. Every tensor is
 * padded to the alignment, the last one too: a file that ends before was cut off. */
static hlm_status place_tensors(const reader *r, size_t first, uint64_t alignment)
{
    hlmi_store *s = r->s;
    const uint64_t size = r->file->size, data = (r->pos + alignment - 1) / alignment * alignment;
    if (s->n_tensors > first && data > size)
        return hlmi_fail(HLM_E_FORMAT, "ends at byte %" PRIu64 ", before the data at byte %" PRIu64 "; is it whole?",
                         size, data);
    for (size_t i = first; i < s->n_tensors; i++) {
        hlmi_tensor *t = &s->tensors[i];
        const label l = labelled("tensor ", t->name);
        if (t->offset % alignment != 0)
            return hlmi_fail(HLM_E_FORMAT, "%s: offset %" PRIu64 " is no multiple of the alignment %" PRIu64, l.s,
                             t->offset, alignment);
        const uint64_t padded = (t->bytes + alignment - 1) / alignment * alignment;
        if (t->offset > size - data || padded > size - data - t->offset)
            return hlmi_fail(HLM_E_FORMAT,
                             "%s: %" PRIu64 " bytes (with padding) at offset %" PRIu64
                             " of the data, which has %" PRIu64 "; is the file whole?",
                             l.s, padded, t->offset, size - data);
        t->offset += data;
    }
    return hlmi_store_check_ranges(s, first, false, data, size);
}

/* ---- the file ---- */

hlm_status hlmi_gguf_refuse(const hlmi_source *file, const char *hint)
{
    uint8_t buf[4];
    const uint8_t *p = buf;
    hlmi_looks l;
    const size_t n = (size_t)(file->size < sizeof buf ? file->size : sizeof buf);
    HLMI_DO(hlmi_source_read(file, 0, n, buf, &p));
    HLMI_DO(hlmi_source_looks(file, &l));
    return hlmi_fail(HLM_E_FORMAT, "the magic is %s, expected 'GGUF'%s", hlmi_quoted((const char *)p, n).s,
                     l.kind ? l.s : hint);
}

/* A count of the front, of things that take `least` bytes of what is behind it. */
static hlm_status check_count(const reader *r, const char *what, uint64_t n, uint64_t least, int most)
{
    const uint64_t left = r->file->size - r->pos;
    if (n <= (uint64_t)most && n <= left / least) return HLM_OK;
    return hlmi_fail(HLM_E_FORMAT,
                     "the number of %s is %" PRIu64 ", too many for the %" PRIu64
                     " bytes behind it (or more than %d); is the file whole?",
                     what, n, left, most);
}

static hlm_status read_front(reader *r, uint64_t *n_tensors, uint64_t *n_kvs)
{
    uint64_t magic, version;
    HLMI_DO(take_number(r, 4, "the magic", &magic));
    if (magic != MAGIC) return hlmi_gguf_refuse(r->file, "");
    HLMI_DO(take_number(r, 4, "the version", &version));
    if (version != 2 && version != 3)
        return hlmi_fail(HLM_E_UNSUPPORTED, "GGUF version %" PRIu64 "%s, expected 2 or 3", version,
                         version == 1                                    ? " (32-bit counts, no longer in use)"
                             : version != 0 && (version & 0xFFFFFF) == 0 ? " (a big-endian file)"
                                                                         : "");
    HLMI_DO(take_number(r, 8, "the number of tensors", n_tensors));
    HLMI_DO(take_number(r, 8, "the number of settings", n_kvs));
    HLMI_DO(check_count(r, "settings", *n_kvs, KEY_BYTES, KEYS_MAX));
    return check_count(r, "tensors", *n_tensors, TENSOR_BYTES, TENSORS_MAX);
}

/* All sentences of what is wrong begin with what their caller puts in front, the file's name. */
static hlm_status read_file(reader *r)
{
    uint64_t n_tensors = 0, n_kvs = 0, alignment = 0;
    const size_t first = r->s->n_tensors;
    HLMI_DO(read_front(r, &n_tensors, &n_kvs));
    HLMI_DO(read_kvs(r, n_kvs));
    for (uint64_t i = 0; i < n_tensors; i++) HLMI_DO(read_tensor(r));
    HLMI_DO(finish_kvs(r));
    HLMI_DO(read_alignment(r, &alignment));
    return place_tensors(r, first, alignment);
}

hlm_status hlmi_gguf_read(hlmi_store *s, hlmi_source *file, hlmi_kvs *kvs)
{
    HLMI_DO(hlmi_store_add_source(s, file));
    const hlmi_source *f = &s->sources[s->n_sources - 1];
    reader r = {.s = s, .kvs = kvs, .file = f, .base = f->map, .have = f->map ? (size_t)f->size : 0};
    const hlm_status st = read_file(&r);
    if (st != HLM_OK) place_kvs(&r); /* who asks why sees what was read (survey.h) */
    return hlmi_store_name_file(s, st);
}
