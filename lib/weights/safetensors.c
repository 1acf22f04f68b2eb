/* safetensors: u64 length of the header, the header (a JSON object: tensor name to dtype, shape and data_offsets), the
 * data. The format wants the data covered exactly: no hole, no overlap, nothing behind. */
#include <stdio.h>
#include <string.h>

#include "weights/store_impl.h"

#define HEADER_MAX ((uint64_t)100 << 20)
enum { TENSORS_MAX = 1 << 20 };

/* Where a complaint is about. */
typedef struct place {
    const char *path, *name;
} place;

static const struct {
    const char *name;
    hlmi_type type;
} dtypes[] = {
    {"F32", HLMI_F32}, {"F16", HLMI_F16}, {"BF16", HLMI_BF16}, {"F64", HLMI_F64}, {"I8", HLMI_I8},
    {"U8", HLMI_U8},   {"I16", HLMI_I16}, {"U16", HLMI_U16},   {"I32", HLMI_I32}, {"U32", HLMI_U32},
    {"I64", HLMI_I64}, {"U64", HLMI_U64}, {"BOOL", HLMI_BOOL},
};

static hlm_status bad(const place *p, const char *field, const char *found, const char *expected)
{
    return hlmi_fail(HLM_E_FORMAT, "%s: tensor %s: %s is %s, expected %s", p->path,
                     hlmi_quoted(p->name, strlen(p->name)).s, field, found, expected);
}

static const char *kind_of(const hlmi_json *v)
{
    int64_t i;
    switch (hlmi_json_kind(v)) {
    case HLMI_JSON_ABSENT: return "missing";
    case HLMI_JSON_OBJECT: return "an object";
    case HLMI_JSON_ARRAY: return "an array";
    case HLMI_JSON_STRING: return "a string";
    case HLMI_JSON_INT: return hlmi_json_int(v, INT64_MIN, -1, &i) ? "a negative number" : "a number";
    case HLMI_JSON_REAL: return "a number with a fraction";
    default: return "true, false or null";
    }
}

/* What keeps a tensor from being used although the file is well formed; `why` is "" as long as nothing does. */
typedef struct flaw {
    hlm_status status;
    char why[HLMI_QUOTE_MAX + 100];
} flaw;

static hlm_status read_dtype(const place *p, const hlmi_json *v, hlmi_type *type, flaw *f)
{
    const hlmi_str name = hlmi_json_str(v);
    if (!name.s) return bad(p, "dtype", kind_of(v), "a string");
    for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++) {
        if (strlen(dtypes[i].name) == name.len && memcmp(dtypes[i].name, name.s, name.len) == 0) {
            *type = dtypes[i].type;
            return HLM_OK;
        }
    }
    f->status = HLM_E_UNSUPPORTED;
    snprintf(f->why, sizeof f->why, "dtype %s is not supported", hlmi_quoted(name.s, name.len).s);
    return HLM_OK;
}

static hlm_status read_count(const place *p, const char *field, const hlmi_json *v, uint64_t *out)
{
    int64_t n;
    if (!hlmi_json_int(v, 0, INT64_MAX, &n)) return bad(p, field, kind_of(v), "a whole number from 0 on");
    *out = (uint64_t)n;
    return HLM_OK;
}

/* The shape, and the bytes that it needs. */
static hlm_status read_shape(const place *p, const hlmi_json *v, hlmi_tensor *t, flaw *f)
{
    if (!hlmi_json_is(v, HLMI_JSON_ARRAY)) return bad(p, "shape", kind_of(v), "an array");
    const size_t n = hlmi_json_count(v);
    bool fits = true;
    t->n_dims = n && n <= HLMI_MAX_DIMS ? (uint32_t)n : 1;
    t->dims[0] = 1;
    t->bytes = hlmi_type_get(t->type)->bytes;
    for (size_t i = 0; i < n; i++) {
        uint64_t dim = 0;
        HLMI_DO(read_count(p, "an entry of shape", hlmi_json_at(v, i), &dim));
        if (i < HLMI_MAX_DIMS) t->dims[i] = dim;
        fits = fits && (dim == 0 || t->bytes <= INT64_MAX / dim);
        t->bytes *= fits ? dim : 1;
    }
    if (f->why[0]) return HLM_OK;
    f->status = n > HLMI_MAX_DIMS ? HLM_E_UNSUPPORTED : HLM_E_FORMAT;
    if (n > HLMI_MAX_DIMS)
        snprintf(f->why, sizeof f->why, "shape has %zu dimensions, at most %d are supported", n, HLMI_MAX_DIMS);
    else if (!fits)
        snprintf(f->why, sizeof f->why, "shape is of more than 2^63 bytes, expected one that fits the file");
    return HLM_OK;
}

static hlm_status read_range(const place *p, const hlmi_json *v, uint64_t data, uint64_t size, hlmi_tensor *t, flaw *f)
{
    uint64_t begin = 0, end = 0;
    if (!hlmi_json_is(v, HLMI_JSON_ARRAY)) return bad(p, "data_offsets", kind_of(v), "an array of two numbers");
    if (hlmi_json_count(v) != 2)
        return hlmi_fail(HLM_E_FORMAT, "%s: tensor %s: data_offsets has %zu entries, expected 2", p->path,
                         hlmi_quoted(p->name, strlen(p->name)).s, hlmi_json_count(v));
    hlm_status st = read_count(p, "the begin in data_offsets", hlmi_json_at(v, 0), &begin);
    if (st == HLM_OK) st = read_count(p, "the end in data_offsets", hlmi_json_at(v, 1), &end);
    if (st != HLM_OK) return st;
    if (begin > end || end > size - data)
        return hlmi_fail(
            HLM_E_FORMAT,
            "%s: tensor %s: data_offsets are %llu to %llu, of %llu bytes of data in the file (is it whole?)", p->path,
            hlmi_quoted(p->name, strlen(p->name)).s, (unsigned long long)begin, (unsigned long long)end,
            (unsigned long long)(size - data));
    if (end - begin != t->bytes && !f->why[0]) {
        f->status = HLM_E_FORMAT;
        snprintf(f->why, sizeof f->why, "data_offsets span %llu bytes, dtype and shape need %llu",
                 (unsigned long long)(end - begin), (unsigned long long)t->bytes);
    }
    t->offset = data + begin;
    t->bytes = end - begin;
    return HLM_OK;
}

static hlm_status add_tensor(hlmi_store *s, uint32_t source, const char *name, const hlmi_json *v, uint64_t data)
{
    const place p = {s->sources[source].path, name};
    if (!hlmi_json_is(v, HLMI_JSON_OBJECT)) return bad(&p, "its entry", kind_of(v), "an object");
    hlmi_tensor t = {.source = source, .type = HLMI_U8};
    flaw f = {.why = ""};
    hlm_status st = read_dtype(&p, hlmi_json_get(v, "dtype"), &t.type, &f);
    if (st == HLM_OK) st = read_shape(&p, hlmi_json_get(v, "shape"), &t, &f);
    if (st == HLM_OK) st = read_range(&p, hlmi_json_get(v, "data_offsets"), data, s->sources[source].size, &t, &f);
    if (st == HLM_OK) st = hlmi_store_reserve(s, 1);
    if (st == HLM_OK && f.why[0]) st = hlmi_store_set_unfit(s, &t, f.status, f.why);
    if (st != HLM_OK) return st;
    t.name = hlmi_store_name(s, name, strlen(name));
    if (!t.name) return hlmi_nomem(strlen(name), "a tensor name");
    s->tensors[s->n_tensors++] = t;
    return HLM_OK;
}

/* The header as JSON; *data receives where the data begins. */
static hlm_status read_header(const hlmi_store *s, const hlmi_source *f, hlmi_json **out, uint64_t *data)
{
    uint8_t buf[8];
    const uint8_t *p;
    uint64_t n = 0;
    hlmi_looks l;
    hlm_status st = hlmi_source_looks(f, &l);
    if (st != HLM_OK) return st;
    if (l.kind != HLMI_LOOK_UNKNOWN && l.kind != HLMI_LOOK_SAFETENSORS)
        return hlmi_fail(HLM_E_FORMAT, "%s: not a safetensors file%s", f->path, l.s);
    if (f->size < sizeof buf)
        return hlmi_fail(HLM_E_FORMAT, "%s: ends at byte %llu, inside the 8 bytes of the header length", f->path,
                         (unsigned long long)f->size);
    st = hlmi_source_read(f, 0, sizeof buf, buf, &p);
    if (st != HLM_OK) return st;
    for (int i = 7; i >= 0; i--) n = n << 8 | p[i];
    if (n < 2 || n > HEADER_MAX)
        return hlmi_fail(HLM_E_FORMAT, "%s: header length is %llu, expected 2 to %llu", f->path, (unsigned long long)n,
                         (unsigned long long)HEADER_MAX);
    if (n > f->size - sizeof buf)
        return hlmi_fail(HLM_E_FORMAT,
                         "%s: header length is %llu, but the file ends %llu bytes behind it (is it whole?)", f->path,
                         (unsigned long long)n, (unsigned long long)(f->size - sizeof buf));
    uint8_t *copy = f->map ? NULL : hlmi_alloc(&s->mem, (size_t)n);
    if (!copy && !f->map) return hlmi_nomem((size_t)n, "a safetensors header");
    st = hlmi_source_read(f, sizeof buf, (size_t)n, copy, &p);
    if (st == HLM_OK) st = hlmi_store_json(s, (const char *)p, (size_t)n, "header", out);
    if (st == HLM_E_FORMAT) hlmi_fail_prefix(st, "%s: ", f->path);
    hlmi_free(&s->mem, copy);
    *data = sizeof buf + n;
    return st;
}

static hlm_status check_metadata(const char *path, const hlmi_json *v)
{
    if (!hlmi_json_is(v, HLMI_JSON_OBJECT))
        return hlmi_fail(HLM_E_FORMAT, "%s: __metadata__ is %s, expected an object", path, kind_of(v));
    for (hlmi_json_iter i = {0}; hlmi_json_next(v, &i);)
        if (!hlmi_json_is(i.value, HLMI_JSON_STRING))
            return hlmi_fail(HLM_E_FORMAT, "%s: __metadata__ %s is %s, expected a string", path,
                             hlmi_quoted(i.key.s, i.key.len).s, kind_of(i.value));
    return HLM_OK;
}

hlm_status hlmi_safetensors_add(hlmi_store *s, uint32_t source)
{
    hlm_status st;
    hlmi_json *header = NULL;
    uint64_t data = 0;
    const char *path = s->sources[source].path;
    const size_t first = s->n_tensors;
    HLMI_TRY(read_header(s, &s->sources[source], &header, &data));
    if (hlmi_json_count(header) > (size_t)TENSORS_MAX - s->n_tensors)
        HLMI_TRY(hlmi_fail(HLM_E_FORMAT, "%s: the header has %zu tensors, at most %d are allowed", path,
                           hlmi_json_count(header), TENSORS_MAX));
    for (hlmi_json_iter i = {0}; hlmi_json_next(header, &i);) {
        if (strcmp(i.key.s, "__metadata__") == 0) HLMI_TRY(check_metadata(path, i.value));
        else HLMI_TRY(add_tensor(s, source, i.key.s, i.value, data));
    }
    HLMI_TRY(hlmi_store_check_ranges(s, first, true, data, s->sources[source].size));
done:
    hlmi_json_free(header);
    return st;
}
