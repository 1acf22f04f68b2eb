/* GGUF, versions 2 and 3, little endian: header, settings (key, type, value), tensor table, padding, data.
 *
 * The front of the file is read through a window that is the map, or a copy that grows as reading goes on; so positions
 * are kept as offsets until the end of the table is known. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "weights/ggml_type.h"
#include "weights/kv.h"
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
    const hlmi_source *file;
    const uint8_t *base; /* the first `have` bytes of the file */
    size_t have, pos;
} reader;

/* ---- the window ---- */

static hlm_status cut_short(const reader *r, const char *what, uint64_t n)
{
    return hlmi_fail(HLM_E_FORMAT,
                     "%s: ends at byte %" PRIu64 ", inside %s (%" PRIu64 " bytes from byte %zu on); is it whole?",
                     r->file->path, r->file->size, what, n, r->pos);
}

/* Makes the first `need` bytes of an unmapped file present; need <= size. */
static hlm_status extend(reader *r, size_t need)
{
    hlmi_store *s = r->s;
    size_t want = hlmi_max_size(need, hlmi_max_size(2 * r->have, 64 << 10));
    if (want > r->file->size) want = (size_t)r->file->size;
    if (want > FRONT_MAX) want = (size_t)FRONT_MAX; /* need is at most that */
    uint8_t *p = hlmi_realloc(&s->mem, s->header, r->have, want);
    if (!p) return hlmi_nomem(want, "GGUF settings");
    s->header = p;
    r->base = p;
    const uint8_t *where;
    const hlm_status st = hlmi_source_read(r->file, r->have, want - r->have, p + r->have, &where);
    if (st == HLM_OK) r->have = want;
    return st;
}

/* *at receives the position of the next n bytes, which are then in the window. */
static hlm_status take(reader *r, uint64_t n, const char *what, size_t *at)
{
    *at = r->pos;
    if (n > r->file->size - r->pos) return cut_short(r, what, n);
    if (n > FRONT_MAX - r->pos)
        return hlmi_fail(HLM_E_FORMAT,
                         "%s: %s, %" PRIu64 " bytes from byte %zu on, goes past the %" PRIu64
                         " bytes allowed for settings",
                         r->file->path, what, n, r->pos, FRONT_MAX);
    if (r->pos + (size_t)n > r->have) HLMI_DO(extend(r, r->pos + (size_t)n));
    r->pos += (size_t)n;
    return HLM_OK;
}

static hlm_status take_number(reader *r, size_t n, const char *what, uint64_t *v)
{
    size_t at;
    const hlm_status st = take(r, n, what, &at);
    if (st == HLM_OK) *v = hlmi_load_le(r->base + at, n);
    return st;
}

static hlm_status take_u32(reader *r, const char *what, uint32_t *v)
{
    uint64_t wide = 0;
    const hlm_status st = take_number(r, 4, what, &wide);
    *v = (uint32_t)wide;
    return st;
}

/* A key or tensor name, copied into the store. `what` begins "the name of". */
static hlm_status take_name(reader *r, const char *what, const char **name)
{
    uint64_t n;
    size_t at;
    HLMI_DO(take_number(r, 8, what, &n));
    if (n == 0 || n >= NAME_MAX_BYTES)
        return hlmi_fail(HLM_E_FORMAT, "%s: %s, at byte %zu, has %" PRIu64 " bytes, expected 1 to %d", r->file->path,
                         what, r->pos - 8, n, NAME_MAX_BYTES - 1);
    HLMI_DO(take(r, n, what, &at));
    const char *p = (const char *)r->base + at;
    if (memchr(p, '\0', (size_t)n))
        return hlmi_fail(HLM_E_FORMAT, "%s: %s holds a zero byte: %s", r->file->path, what,
                         hlmi_quoted(p, (size_t)n).s);
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
    const hlmi_quote q = hlmi_quoted(name, strlen(name));
    const size_t a = strlen(what), b = strlen(q.s);
    memcpy(l.s, what, a);
    memcpy(l.s + a, q.s, b + 1);
    return l;
}

static hlm_status skip_string(reader *r, const char *what)
{
    uint64_t n;
    size_t at;
    const hlm_status st = take_number(r, 8, what, &n);
    return st == HLM_OK ? take(r, n, what, &at) : st;
}

static hlm_status skip_array(reader *r, const char *what, hlmi_kv *kv)
{
    uint32_t item;
    size_t at;
    hlm_status st = take_u32(r, what, &item);
    if (st == HLM_OK) st = take_number(r, 8, what, &kv->count);
    if (st != HLM_OK) return st;
    const size_t size = hlmi_kv_size(item), least = size ? size : 8;
    if (item == HLMI_KV_ARRAY) return hlmi_fail(HLM_E_UNSUPPORTED, "%s: %s is an array of arrays", r->file->path, what);
    if (size == 0 && item != HLMI_KV_STRING)
        return hlmi_fail(HLM_E_FORMAT, "%s: %s is an array of the unknown type %" PRIu32, r->file->path, what, item);
    if (kv->count > (r->file->size - r->pos) / least)
        return hlmi_fail(HLM_E_FORMAT,
                         "%s: %s has %" PRIu64 " items, the file ends %" PRIu64 " bytes behind; is it whole?",
                         r->file->path, what, kv->count, r->file->size - r->pos);
    kv->item = (hlmi_kv_type)item;
    if (size) return take(r, kv->count * size, what, &at);
    for (uint64_t i = 0; i < kv->count && st == HLM_OK; i++) st = skip_string(r, what);
    return st;
}

/* One setting; *at receives where its value's bytes begin (of an array: its first item). */
static hlm_status read_kv(reader *r, hlmi_kv *kv, size_t *at)
{
    uint32_t type;
    hlm_status st = take_name(r, "the key of a setting", &kv->key);
    if (st != HLM_OK) return st;
    const label l = labelled("the value of ", kv->key);
    st = take_u32(r, l.s, &type);
    if (st != HLM_OK) return st;
    const size_t size = hlmi_kv_size(type);
    kv->type = (hlmi_kv_type)type;
    kv->count = 1;
    *at = r->pos + (type == HLMI_KV_ARRAY ? 12 : 0);
    if (size) st = take(r, size, l.s, at);
    else if (type == HLMI_KV_STRING) st = skip_string(r, l.s);
    else if (type == HLMI_KV_ARRAY) st = skip_array(r, l.s, kv);
    else st = hlmi_fail(HLM_E_FORMAT, "%s: %s has the unknown type %" PRIu32, r->file->path, l.s, type);
    if (st == HLM_OK) kv->bytes = r->pos - *at;
    return st;
}

static hlm_status read_kvs(reader *r, uint64_t n, size_t **at)
{
    hlmi_store *s = r->s;
    if (n == 0) return HLM_OK;
    s->kvs = hlmi_calloc(&s->mem, (size_t)n, sizeof *s->kvs);
    *at = hlmi_calloc(&s->mem, (size_t)n, sizeof **at);
    if (!s->kvs || !*at) return hlmi_nomem((size_t)n * sizeof *s->kvs, "the table of settings");
    for (; s->n_kvs < n; s->n_kvs++) HLMI_DO(read_kv(r, &s->kvs[s->n_kvs], &(*at)[s->n_kvs]));
    return HLM_OK;
}

/* Looks settings up by name from now on; their data is where the window ended up. */
static hlm_status finish_kvs(reader *r, const size_t *at)
{
    hlmi_store *s = r->s;
    const char *twice = NULL;
    for (size_t i = 0; i < s->n_kvs; i++) s->kvs[i].data = r->base + at[i];
    const hlm_status st = hlmi_index_build(&s->by_key, &s->mem, s->kvs, sizeof *s->kvs, s->n_kvs, &twice);
    if (st == HLM_OK && twice)
        return hlmi_fail(HLM_E_FORMAT, "%s: setting %s is there twice", r->file->path,
                         hlmi_quoted(twice, strlen(twice)).s);
    return st;
}

/* ---- tensors ---- */

/* The tensor can not be used, but others may be. */
static hlm_status unfit(const reader *r, hlmi_tensor *t, hlm_status status, const char *why)
{
    t->bytes = 0; /* nobody can tell */
    return hlmi_store_set_unfit(r->s, t, status, why);
}

/* Dimensions and type, checked against each other; sets t->bytes. */
static hlm_status check_shape(const reader *r, const char *what, hlmi_tensor *t, uint32_t number)
{
    const char *name;
    char why[160];
    if (!hlmi_ggml_type(number, &t->type, &name)) {
        snprintf(why, sizeof why, "type %" PRIu32 ", %s, is not supported", number, name ? name : "of no known name");
        return unfit(r, t, HLM_E_UNSUPPORTED, why);
    }
    const hlmi_type_info *info = hlmi_type_get(t->type);
    const uint64_t cols = t->dims[t->n_dims - 1];
    if (cols % info->block != 0) {
        snprintf(why, sizeof why, "rows of %" PRIu64 " elements, %s needs a multiple of %zu", cols, info->name,
                 info->block);
        return unfit(r, t, HLM_E_FORMAT, why);
    }
    bool fits = hlmi_type_row_bytes(t->type, cols, &t->bytes);
    for (uint32_t i = 0; i + 1 < t->n_dims && fits; i++) {
        fits = t->bytes <= INT64_MAX / t->dims[i];
        t->bytes *= fits ? t->dims[i] : 1;
    }
    if (!fits || t->bytes > r->file->size)
        return hlmi_fail(HLM_E_FORMAT,
                         "%s: %s: its shape needs more bytes than the file's %" PRIu64 " (%" PRIu64 " elements a row)",
                         r->file->path, what, r->file->size, cols);
    return HLM_OK;
}

/* The file has the innermost dimension first, and may go on with ones behind the outermost: two are kept of those, so
 * that a matrix of one row stays one. *n receives how many there are. */
static hlm_status read_dims(reader *r, const char *what, hlmi_tensor *t, uint32_t *n)
{
    uint64_t dims[DIMS_MAX];
    HLMI_DO(take_u32(r, what, n));
    if (*n == 0 || *n > DIMS_MAX)
        return hlmi_fail(HLM_E_FORMAT, "%s: %s: %" PRIu32 " dimensions, expected 1 to %d", r->file->path, what, *n,
                         HLMI_MAX_DIMS);
    for (uint32_t i = 0; i < *n; i++) {
        HLMI_DO(take_number(r, 8, what, &dims[i]));
        if (dims[i] == 0 || dims[i] > INT64_MAX)
            return hlmi_fail(HLM_E_FORMAT, "%s: %s: a dimension is %" PRIu64, r->file->path, what, dims[i]);
    }
    while (*n > 2 && dims[*n - 1] == 1) --*n;
    t->n_dims = *n > HLMI_MAX_DIMS ? HLMI_MAX_DIMS : *n;
    for (uint32_t i = 0; i < t->n_dims; i++) t->dims[i] = dims[t->n_dims - 1 - i];
    return HLM_OK;
}

static hlm_status read_tensor(reader *r, hlmi_tensor *t)
{
    uint32_t number, n_dims;
    hlm_status st = take_name(r, "the name of a tensor", &t->name);
    if (st != HLM_OK) return st;
    const label l = labelled("the table line of tensor ", t->name);
    st = read_dims(r, l.s, t, &n_dims);
    if (st == HLM_OK) st = take_u32(r, l.s, &number);
    if (st == HLM_OK) st = take_number(r, 8, l.s, &t->offset);
    if (st != HLM_OK) return st;
    if (n_dims <= HLMI_MAX_DIMS) return check_shape(r, l.s, t, number);
    char why[80];
    snprintf(why, sizeof why, "%" PRIu32 " dimensions, expected 1 to %d", n_dims, HLMI_MAX_DIMS);
    return unfit(r, t, HLM_E_FORMAT, why);
}

static hlm_status read_tensors(reader *r, uint64_t n)
{
    hlmi_store *s = r->s;
    hlm_status st = hlmi_store_reserve(s, (size_t)n);
    for (uint64_t i = 0; i < n && st == HLM_OK; i++) {
        hlmi_tensor t = {.source = 0};
        st = read_tensor(r, &t);
        if (st == HLM_OK) s->tensors[s->n_tensors++] = t;
    }
    return st;
}

static hlm_status read_alignment(const reader *r, uint64_t *alignment)
{
    const hlmi_kv *kv = hlmi_store_kv(r->s, "general.alignment");
    *alignment = ALIGNMENT;
    if (!kv) return HLM_OK;
    int64_t v = 0;
    if (!hlmi_kv_i64(kv, 0, &v) || kv->type == HLMI_KV_ARRAY)
        return hlmi_fail(HLM_E_FORMAT, "%s: general.alignment has value type %d, expected a whole number",
                         r->file->path, (int)kv->type);
    if (v <= 0 || (v & (v - 1)) != 0 || v > ALIGNMENT_MAX)
        return hlmi_fail(HLM_E_FORMAT, "%s: general.alignment is %" PRIi64 ", expected a power of two up to %d",
                         r->file->path, v, ALIGNMENT_MAX);
    *alignment = (uint64_t)v;
    return HLM_OK;
}

/* Offsets in the table count from the data section, which begins at the next multiple of the alignment. Every tensor is
 * padded to the alignment, the last one too: a file that ends before was cut off. */
static hlm_status place_tensors(const reader *r, uint64_t alignment)
{
    hlmi_store *s = r->s;
    const uint64_t size = r->file->size, data = (r->pos + alignment - 1) / alignment * alignment;
    if (s->n_tensors && data > size)
        return hlmi_fail(HLM_E_FORMAT,
                         "%s: ends at byte %" PRIu64 ", before the data at byte %" PRIu64 "; is it whole?",
                         r->file->path, size, data);
    for (size_t i = 0; i < s->n_tensors; i++) {
        hlmi_tensor *t = &s->tensors[i];
        const label l = labelled("tensor ", t->name);
        if (t->offset % alignment != 0)
            return hlmi_fail(HLM_E_FORMAT, "%s: %s: offset %" PRIu64 " is no multiple of the alignment %" PRIu64,
                             r->file->path, l.s, t->offset, alignment);
        const uint64_t padded = (t->bytes + alignment - 1) / alignment * alignment;
        if (t->offset > size - data || padded > size - data - t->offset)
            return hlmi_fail(HLM_E_FORMAT,
                             "%s: %s: %" PRIu64 " bytes (with padding) at offset %" PRIu64
                             " of the data, which has %" PRIu64 "; is the file whole?",
                             r->file->path, l.s, padded, t->offset, size - data);
        t->offset += data;
    }
    return hlmi_store_check_ranges(s, 0, false, data, size);
}

/* ---- the file ---- */

static hlm_status read_front(reader *r, uint64_t *n_tensors, uint64_t *n_kvs)
{
    uint32_t magic, version;
    hlm_status st = take_u32(r, "the magic", &magic);
    if (st == HLM_OK && magic != MAGIC) {
        hlmi_looks l;
        st = hlmi_source_looks(r->file, &l);
        if (st != HLM_OK) return st;
        return hlmi_fail(HLM_E_FORMAT, "%s: the magic is %s, expected 'GGUF'%s", r->file->path,
                         hlmi_quoted((const char *)r->base, 4).s, l.s);
    }
    if (st == HLM_OK) st = take_u32(r, "the version", &version);
    if (st != HLM_OK) return st;
    if (version != 2 && version != 3)
        return hlmi_fail(HLM_E_UNSUPPORTED, "%s: GGUF version %" PRIu32 "%s, expected 2 or 3", r->file->path, version,
                         version == 1                                    ? " (32-bit counts, no longer in use)"
                             : version != 0 && (version & 0xFFFFFF) == 0 ? " (a big-endian file)"
                                                                         : "");
    st = take_number(r, 8, "the number of tensors", n_tensors);
    if (st == HLM_OK) st = take_number(r, 8, "the number of settings", n_kvs);
    if (st != HLM_OK) return st;
    const uint64_t left = r->file->size - r->pos;
    if (*n_kvs > KEYS_MAX || *n_kvs > left / KEY_BYTES)
        return hlmi_fail(HLM_E_FORMAT,
                         "%s: the number of settings is %" PRIu64 ", too many for the %" PRIu64
                         " bytes behind it (or more than %d); is the file whole?",
                         r->file->path, *n_kvs, left, KEYS_MAX);
    if (*n_tensors > TENSORS_MAX || *n_tensors > left / TENSOR_BYTES)
        return hlmi_fail(HLM_E_FORMAT,
                         "%s: the number of tensors is %" PRIu64 ", too many for the %" PRIu64
                         " bytes behind it (or more than %d); is the file whole?",
                         r->file->path, *n_tensors, left, TENSORS_MAX);
    return HLM_OK;
}

hlm_status hlmi_gguf_read(hlmi_store *s, hlmi_source *file)
{
    hlm_status st;
    size_t *at = NULL;
    uint64_t n_tensors = 0, n_kvs = 0, alignment = 0;
    HLMI_TRY(hlmi_store_add_source(s, file));
    reader r = {.s = s, .file = &s->sources[0], .base = s->sources[0].map};
    r.have = r.base ? (size_t)r.file->size : 0;
    HLMI_TRY(read_front(&r, &n_tensors, &n_kvs));
    HLMI_TRY(read_kvs(&r, n_kvs, &at));
    HLMI_TRY(read_tensors(&r, n_tensors));
    HLMI_TRY(finish_kvs(&r, at));
    HLMI_TRY(read_alignment(&r, &alignment));
    HLMI_TRY(place_tensors(&r, alignment));
done:
    hlmi_free(&s->mem, at);
    return st;
}
