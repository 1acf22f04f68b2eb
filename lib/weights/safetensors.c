/* safetensors: u64 length of the header, the header (a JSON object: tensor name to dtype, shape and data_offsets), the
 * data. The format wants the data covered exactly: no hole, no overlap, nothing behind. */
#include <string.h>

#include "weights/store_impl.h"

#define HEADER_MAX ((uint64_t)100 << 20)
enum { TENSORS_MAX = 1 << 20 };

static const struct {
    const char *name;
    hlmi_type type;
} dtypes[] = {
    {"F32", HLMI_F32}, {"F16", HLMI_F16}, {"BF16", HLMI_BF16}, {"F64", HLMI_F64},         {"I8", HLMI_I8},
    {"U8", HLMI_U8},   {"I16", HLMI_I16}, {"U16", HLMI_U16},   {"I32", HLMI_I32},         {"U32", HLMI_U32},
    {"I64", HLMI_I64}, {"U64", HLMI_U64}, {"BOOL", HLMI_BOOL}, {"F8_E4M3", HLMI_F8_E4M3}, {"F8_E5M2", HLMI_F8_E5M2},
};

static hlm_status bad(const char *field, const char *found, const char *expected)
{
    return hlmi_fail(HLM_E_FORMAT, "%s is %s, expected %s", field, found, expected);
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

static hlm_status read_dtype(hlmi_store *s, const hlmi_json *v, hlmi_tensor *t)
{
    const hlmi_str name = hlmi_json_str(v);
    if (!name.s) return bad("dtype", kind_of(v), "a string");
    for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++) {
        if (strlen(dtypes[i].name) == name.len && memcmp(dtypes[i].name, name.s, name.len) == 0) {
            t->type = dtypes[i].type;
            return HLM_OK;
        }
    }
    t->said.type = hlmi_store_name(s, name.s, name.len);
    return hlmi_store_set_unfit(s, t, HLM_E_UNSUPPORTED, "dtype %s is not supported", hlmi_quoted(name.s, name.len).s);
}

static hlm_status read_count(const char *field, const hlmi_json *v, uint64_t *out)
{
    int64_t n;
    if (!hlmi_json_int(v, 0, INT64_MAX, &n)) return bad(field, kind_of(v), "a whole number from 0 on");
    *out = (uint64_t)n;
    return HLM_OK;
}

/* The shape, and the bytes that it needs. */
static hlm_status read_shape(hlmi_store *s, const hlmi_json *v, hlmi_tensor *t)
{
    if (!hlmi_json_is(v, HLMI_JSON_ARRAY)) return bad("shape", kind_of(v), "an array");
    const size_t n = hlmi_json_count(v);
    bool fits = true;
    t->n_dims = n && n <= HLMI_MAX_DIMS ? (uint32_t)n : 1;
    t->dims[0] = 1;
    t->bytes = hlmi_type_get(t->type)->bytes;
    for (size_t i = 0; i < n; i++) {
        uint64_t dim = 0;
        HLMI_DO(read_count("an entry of shape", hlmi_json_at(v, i), &dim));
        if (i < HLMI_MAX_DIMS) t->dims[i] = dim;
        fits = fits && (dim == 0 || t->bytes <= INT64_MAX / dim);
        t->bytes *= fits ? dim : 1;
    }
    if (t->unfit) return HLM_OK;
    if (n > HLMI_MAX_DIMS)
        return hlmi_store_set_unfit(s, t, HLM_E_UNSUPPORTED, "shape has %zu dimensions, at most %d are supported", n,
                                    HLMI_MAX_DIMS);
    if (!fits)
        return hlmi_store_set_unfit(s, t, HLM_E_FORMAT,
                                    "shape is of more than 2^63 bytes, expected one that fits the file");
    return HLM_OK;
}

/* Where the data is, of `size` bytes from byte `data` of the file on. */
static hlm_status read_range(hlmi_store *s, const hlmi_json *v, uint64_t data, uint64_t size, hlmi_tensor *t)
{
    uint64_t begin = 0, end = 0;
    if (!hlmi_json_is(v, HLMI_JSON_ARRAY)) return bad("data_offsets", kind_of(v), "an array of two numbers");
    if (hlmi_json_count(v) != 2)
        return hlmi_fail(HLM_E_FORMAT, "data_offsets has %zu entries, expected 2", hlmi_json_count(v));
    HLMI_DO(read_count("the begin in data_offsets", hlmi_json_at(v, 0), &begin));
    HLMI_DO(read_count("the end in data_offsets", hlmi_json_at(v, 1), &end));
    if (begin > end || end > size)
        return hlmi_fail(HLM_E_FORMAT,
                         "data_offsets are %llu to %llu, of %llu bytes of data in the file (is it whole?)",
                         (unsigned long long)begin, (unsigned long long)end, (unsigned long long)size);
    const uint64_t needed = t->bytes;
    t->offset = data + begin;
    t->bytes = end - begin;
    if (t->unfit || t->bytes == needed) return HLM_OK;
    return hlmi_store_set_unfit(s, t, HLM_E_FORMAT, "data_offsets span %llu bytes, dtype and shape need %llu",
                                (unsigned long long)t->bytes, (unsigned long long)needed);
}

static hlm_status read_tensor(hlmi_store *s, const hlmi_json *v, uint64_t data, hlmi_tensor *t)
{
    const uint64_t size = s->sources[s->n_sources - 1].size - data;
    if (!hlmi_json_is(v, HLMI_JSON_OBJECT)) return bad("its entry", kind_of(v), "an object");
    HLMI_DO(read_dtype(s, hlmi_json_get(v, "dtype"), t));
    HLMI_DO(read_shape(s, hlmi_json_get(v, "shape"), t));
    return read_range(s, hlmi_json_get(v, "data_offsets"), data, size, t);
}

static hlm_status add_tensor(hlmi_store *s, const char *name, const hlmi_json *v, uint64_t data)
{
    hlmi_tensor t = {.type = HLMI_U8};
    const hlm_status st = read_tensor(s, v, data, &t);
    if (st == HLM_E_FORMAT) return hlmi_fail_prefix(st, "tensor %s: ", hlmi_quoted(name, strlen(name)).s);
    if (st != HLM_OK) return st;
    t.name = hlmi_store_name(s, name, strlen(name));
    return t.name ? hlmi_store_add(s, &t) : hlmi_nomem(strlen(name), "a tensor name");
}

/* The header as JSON; *data receives where the data begins. */
static hlm_status read_header(const hlmi_store *s, const hlmi_source *f, hlmi_json **out, uint64_t *data)
{
    uint8_t buf[8];
    const uint8_t *p;
    hlmi_looks l;
    HLMI_DO(hlmi_source_looks(f, &l));
    if (l.kind != HLMI_LOOK_UNKNOWN && l.kind != HLMI_LOOK_SAFETENSORS)
        return hlmi_fail(HLM_E_FORMAT, "not a safetensors file%s", l.s);
    if (f->size < sizeof buf)
        return hlmi_fail(HLM_E_FORMAT, "ends at byte %llu, inside the 8 bytes of the header length",
                         (unsigned long long)f->size);
    HLMI_DO(hlmi_source_read(f, 0, sizeof buf, buf, &p));
    const uint64_t n = hlmi_load_le(p, sizeof buf);
    if (n < 2 || n > HEADER_MAX)
        return hlmi_fail(HLM_E_FORMAT, "header length is %llu, expected 2 to %llu", (unsigned long long)n,
                         (unsigned long long)HEADER_MAX);
    if (n > f->size - sizeof buf)
        return hlmi_fail(HLM_E_FORMAT, "header length is %llu, but the file ends %llu bytes behind it (is it whole?)",
                         (unsigned long long)n, (unsigned long long)(f->size - sizeof buf));
    uint8_t *copy = f->map ? NULL : hlmi_alloc(&s->mem, (size_t)n);
    if (!copy && !f->map) return hlmi_nomem((size_t)n, "a safetensors header");
    hlm_status st = hlmi_source_read(f, sizeof buf, (size_t)n, copy, &p);
    if (st == HLM_OK) st = hlmi_store_json(s, (const char *)p, (size_t)n, "header", out);
    hlmi_free(&s->mem, copy);
    *data = sizeof buf + n;
    return st;
}

static hlm_status check_metadata(const hlmi_json *v)
{
    if (!hlmi_json_is(v, HLMI_JSON_OBJECT)) return bad("__metadata__", kind_of(v), "an object");
    for (hlmi_json_iter i = {0}; hlmi_json_next(v, &i);)
        if (!hlmi_json_is(i.value, HLMI_JSON_STRING))
            return hlmi_fail(HLM_E_FORMAT, "__metadata__ %s is %s, expected a string",
                             hlmi_quoted(i.key.s, i.key.len).s, kind_of(i.value));
    return HLM_OK;
}

/* All sentences of what is wrong begin with what their caller puts in front, the file's name. */
static hlm_status read_file(hlmi_store *s, const hlmi_source *f)
{
    hlm_status st;
    hlmi_json *header = NULL;
    uint64_t data = 0;
    const size_t first = s->n_tensors;
    HLMI_TRY(read_header(s, f, &header, &data));
    if (hlmi_json_count(header) > (size_t)TENSORS_MAX - s->n_tensors)
        HLMI_TRY(hlmi_fail(HLM_E_FORMAT, "the header has %zu tensors, at most %d are allowed", hlmi_json_count(header),
                           TENSORS_MAX));
    for (hlmi_json_iter i = {0}; hlmi_json_next(header, &i);) {
        if (strcmp(i.key.s, "__metadata__") == 0) HLMI_TRY(check_metadata(i.value));
        else HLMI_TRY(add_tensor(s, i.key.s, i.value, data));
    }
    HLMI_TRY(hlmi_store_check_ranges(s, first, true, data, f->size));
done:
    hlmi_json_free(header);
    return st;
}

hlm_status hlmi_safetensors_read(hlmi_store *s, hlmi_source *file)
{
    HLMI_DO(hlmi_store_add_source(s, file));
    return hlmi_store_name_file(s, read_file(s, &s->sources[s->n_sources - 1]));
}
