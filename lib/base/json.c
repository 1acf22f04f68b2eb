/* JSON from untrusted files, through jansson. */
#include "base/json.h"

#include <math.h>
#include <string.h>

#include "base/buf.h"
#include "base/looks.h"
#include "base/os.h"

/* Length of a bare non-finite number at s, 0 if there is none. */
static size_t nonfinite(const char *s, size_t len, const char **name)
{
    static const char *const names[] = {"Infinity", "-Infinity", "NaN"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t n = strlen(names[i]);
        if (len >= n && memcmp(s, names[i], n) == 0) {
            *name = names[i];
            return n;
        }
    }
    return 0;
}

/* Copies text to b with the non-finite numbers outside strings spelled as objects. */
static void respell(hlmi_buf *b, const char *text, size_t len)
{
    size_t from = 0;
    bool in_string = false;
    for (size_t i = 0; i < len; i++) {
        const char c = text[i];
        if (in_string) {
            if (c == '\\') i++;
            else if (c == '"') in_string = false;
            continue;
        }
        if (c == '"') in_string = true;
        if (c != 'I' && c != 'N' && c != '-') continue;
        const char *name = NULL;
        const size_t n = nonfinite(text + i, len - i, &name);
        if (n == 0) continue;
        hlmi_buf_add(b, text + from, i - from);
        hlmi_buf_printf(b, "{\"__float__\":\"%s\"}", name);
        from = i + n;
        i = from - 1;
    }
    hlmi_buf_add(b, text + from, len - from);
}

/* ---- before parsing ---- */

/* Bytes that jansson and malloc take for each, rounded up. */
enum { OBJECT = 256, ARRAY = 128, MEMBER = 96, STRING = 64, SCALAR = 48 };

typedef struct contents {
    size_t values, objects, depth, bytes;
} contents;

static const struct {
    size_t values, objects, bytes;
} limits[] = {
    [HLMI_JSON_SETTINGS] = {1000000, 100000, (size_t)64 << 20},
    [HLMI_JSON_TENSORS] = {4000000, 400000, (size_t)256 << 20},
    [HLMI_JSON_TOKENIZER] = {6000000, 300000, (size_t)384 << 20},
};

/* Behind the string that begins at text[i]. */
static size_t string_end(const char *text, size_t len, size_t i)
{
    for (i++; i < len && text[i] != '"'; i++) i += text[i] == '\\';
    return i < len ? i + 1 : len;
}

static void open_value(contents *c, size_t *depth, size_t objects, size_t bytes)
{
    c->values++;
    c->objects += objects;
    c->bytes += bytes;
    if (++*depth > c->depth) c->depth = *depth;
}

/* What a text holds if it is JSON; each comma stands for a value. Numbers that are not finite become objects. */
static contents count(const char *text, size_t len)
{
    contents c = {.values = 1, .bytes = SCALAR};
    size_t depth = 0;
    for (size_t i = 0; i < len;) {
        const size_t from = i;
        switch (text[i++]) {
        case '"':
            i = string_end(text, len, from);
            c.bytes += STRING + (i - from);
            break;
        case '{': open_value(&c, &depth, 1, OBJECT); break;
        case '[': open_value(&c, &depth, 0, ARRAY); break;
        case '}':
        case ']': depth -= depth > 0; break;
        case ':': c.bytes += MEMBER; break;
        case ',':
            c.values++;
            c.bytes += SCALAR;
            break;
        case 'I':
        case 'N':
            c.objects++;
            c.bytes += OBJECT + MEMBER + 2 * STRING;
            break;
        default: break;
        }
    }
    return c;
}

static hlm_status check_size(hlmi_json_use use, const hlmi_mem *mem, const char *text, size_t len, const char *what)
{
    const contents c = count(text, len);
    const size_t values = limits[use].values, objects = limits[use].objects, bytes = limits[use].bytes;
    const char *name = NULL;
    size_t has = 0, most = 0;
    if (c.depth > HLMI_JSON_DEPTH) name = "levels", has = c.depth, most = HLMI_JSON_DEPTH;
    else if (c.values > values) name = "values", has = c.values, most = values;
    else if (c.objects > objects) name = "objects", has = c.objects, most = objects;
    else if (c.bytes > bytes) name = "bytes of memory", has = c.bytes, most = bytes;
    if (name) {
        const hlmi_looks l = hlmi_looks_like(text, len, len);
        if (l.kind != HLMI_LOOK_JSON) return hlmi_fail(HLM_E_FORMAT, "%s: not valid JSON%s", what, l.s);
        return hlmi_fail(HLM_E_LIMIT, "%s: JSON with %zu %s; at most %zu", what, has, name, most);
    }
    void *asked = hlmi_alloc(mem, c.bytes);
    if (!asked) return hlmi_nomem(c.bytes, what);
    hlmi_free(mem, asked);
    return HLM_OK;
}

hlm_status hlmi_json_parse(const hlmi_mem *mem, const char *text, size_t len, bool unique, const char *what,
                           json_t **out)
{
    return hlmi_json_parse_for(HLMI_JSON_SETTINGS, mem, text, len, unique, what, out);
}

hlm_status hlmi_json_parse_for(hlmi_json_use use, const hlmi_mem *mem, const char *text, size_t len, bool unique,
                               const char *what, json_t **out)
{
    *out = NULL;
    const hlm_status small = check_size(use, mem, text, len, what);
    if (small != HLM_OK) return small;
    json_error_t err;
    json_object_seed((size_t)hlmi_os_random()); /* or else jansson opens a file for it, with any number */
    const size_t flags = JSON_ALLOW_NUL | JSON_DECODE_ANY | (unique ? JSON_REJECT_DUPLICATES : 0);
    json_t *v = json_loadb(len ? text : "", len, flags, &err);
    if (!v && json_error_code(&err) == json_error_invalid_syntax) {
        hlmi_buf b;
        hlmi_buf_init(&b, mem);
        respell(&b, text, len);
        const bool failed = b.failed;
        if (!failed && b.len != len) v = json_loadb(b.data, b.len, flags, &err);
        hlmi_buf_free(&b);
        if (failed) return hlmi_nomem(len, what);
    }
    if (v) {
        *out = v;
        return HLM_OK;
    }
    if (json_error_code(&err) == json_error_out_of_memory) return hlmi_nomem(len, what);
    const hlmi_looks l = hlmi_looks_like(text, len, len);
    return hlmi_fail(HLM_E_FORMAT, "%s: not valid JSON at line %d, column %d: %s%s", what, err.line, err.column,
                     err.text, l.kind == HLMI_LOOK_JSON ? "" : l.s);
}

bool hlmi_json_number(const json_t *v, double *out)
{
    if (json_is_number(v)) {
        *out = json_number_value(v);
        return true;
    }
    const char *s = json_string_value(json_object_get(v, "__float__"));
    if (!s) return false;
    if (strcmp(s, "Infinity") == 0) *out = HUGE_VAL;
    else if (strcmp(s, "-Infinity") == 0) *out = -HUGE_VAL;
    else if (strcmp(s, "NaN") == 0) *out = (double)NAN;
    else return false;
    return true;
}
