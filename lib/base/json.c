/* JSON from strangers, through jansson (see json.h). */
#include "base/json.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

#include "base/buf.h"
#include "base/looks.h"
#include "base/os.h"
#include "base/size.h"

static const struct {
    size_t values, objects, bytes, depth;
    bool unique;
    bool exact; /* numbers by their places */
} rules[] = {
    [HLMI_JSON_SETTINGS] = {1000000, 100000, (size_t)64 << 20, HLMI_JSON_DEPTH, false, false},
    [HLMI_JSON_IDS] = {1000000, 100000, (size_t)64 << 20, HLMI_JSON_DEPTH, true, false},
    [HLMI_JSON_TENSORS] = {(size_t)1 << 21, 400000, (size_t)256 << 20, HLMI_JSON_DEPTH, true, false},
    [HLMI_JSON_TOKENIZER] = {6000000, 300000, (size_t)384 << 20, HLMI_JSON_DEPTH, false, false},
    [HLMI_JSON_MESSAGES] = {6000000, 1000000, (size_t)384 << 20, HLMI_JSON_MESSAGES_DEPTH, false, true},
};

/* ---- before parsing ---- */

/* Bytes that jansson and malloc take for each, rounded up. */
enum { OBJECT = 256, ARRAY = 128, MEMBER = 96, STRING = 64, SCALAR = 48 };

typedef struct contents {
    size_t values, objects, depth, bytes;
} contents;

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
    const struct {
        const char *name;
        size_t has, most;
    } limits[] = {{"levels", c.depth, rules[use].depth},
                  {"values", c.values, rules[use].values},
                  {"objects", c.objects, rules[use].objects},
                  {"bytes of memory", c.bytes, rules[use].bytes}};
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        if (limits[i].has <= limits[i].most) continue;
        const hlmi_looks l = hlmi_looks_like(text, len, len);
        if (l.kind != HLMI_LOOK_JSON && !rules[use].exact)
            return hlmi_fail(HLM_E_FORMAT, "%s: not valid JSON%s", what, l.s);
        return hlmi_fail(HLM_E_LIMIT, "%s: JSON with %zu %s; at most %zu", what, limits[i].has, limits[i].name,
                         limits[i].most);
    }
    void *asked = hlmi_alloc(mem, c.bytes);
    if (!asked) return hlmi_nomem(c.bytes, what);
    hlmi_free(mem, asked);
    return HLM_OK;
}

/* ---- what jansson does not read ---- */

/* Bytes of a number that is not finite at s, 0 if there is none. */
static size_t nonfinite(const char *s, size_t len)
{
    static const char *const names[] = {"Infinity", "-Infinity", "NaN"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const size_t n = strlen(names[i]);
        if (len >= n && memcmp(s, names[i], n) == 0) return n;
    }
    return 0;
}

static size_t digits(const char *s, size_t len)
{
    size_t n = 0;
    while (n < len && s[n] >= '0' && s[n] <= '9') n++;
    return n;
}

/* The same of any number but an integer that jansson has as it is. */
static size_t wide_number(const char *s, size_t len)
{
    size_t n = *s == '-' ? 1 : 0;
    const size_t whole = digits(s + n, len - n);
    bool wide = whole > 18;
    if (whole == 0 || (whole > 1 && s[n] == '0')) return nonfinite(s, len);
    n += whole;
    for (int part = 0; part < 2; part++) {
        if (n == len || (part ? (s[n] | 0x20) != 'e' : s[n] != '.')) continue;
        const size_t mark = part && n + 1 < len && (s[n + 1] == '-' || s[n + 1] == '+') ? 2 : 1;
        const size_t more = digits(s + n + mark, len - n - mark);
        if (more) n += mark + more, wide = true;
    }
    return wide ? n : 0;
}

/* Which half of a surrogate pair the escape at s stands for, 0: neither. */
static int half_of(const char *s, size_t len)
{
    char hex[5] = "";
    if (len < 6 || s[0] != '\\' || s[1] != 'u') return 0;
    memcpy(hex, s + 2, 4);
    if (strspn(hex, "0123456789abcdefABCDEF") != 4 || (hex[0] | 0x20) != 'd' || hex[1] < '8') return 0;
    return strchr("89abAB", hex[1]) ? 1 : 2;
}

/* Copies the string text[at, end) with U+FFFD for halves that stand alone, after what is before it from `from` on;
 * returns what is copied up to. */
static size_t respell_string(hlmi_buf *b, const char *text, size_t from, size_t at, size_t end)
{
    while (at < end) {
        const char *escape = memchr(text + at, '\\', end - at);
        if (!escape) break;
        at = (size_t)(escape - text);
        const int half = half_of(escape, end - at);
        const bool pair = half == 1 && half_of(escape + 6, end - at - 6) == 2;
        if (half && !pair) {
            hlmi_buf_add(b, text + from, at - from);
            hlmi_buf_str(b, "\\ufffd");
            from = at + 6;
        }
        at += pair ? 12 : half ? 6 : 2;
    }
    return from;
}

/* Copies text to b with what jansson does not read spelled as it does: numbers that are not finite as objects or, when
 * `exact`, all but narrow integers as the places where they stand, reals that no text has otherwise. Ends before b
 * holds more than `stop` bytes of what it would, and returns how much of text they are. */
static size_t respell(hlmi_buf *b, const char *text, size_t len, bool exact, size_t stop)
{
    size_t from = 0, i = 0;
    while (i < len && b->len + (i - from) < stop) {
        const size_t at = i;
        if (text[i] == '"') {
            i = string_end(text, len, i);
            if (exact) from = respell_string(b, text, from, at, i);
            continue;
        }
        const size_t n = exact ? wide_number(text + i, len - i) : nonfinite(text + i, len - i);
        i += n ? n : hlmi_max_size(1, digits(text + i, len - i));
        if (n == 0) continue;
        hlmi_buf_add(b, text + from, at - from);
        if (exact) hlmi_buf_printf(b, " %zu.0 ", at);
        else hlmi_buf_printf(b, "{\"__float__\":\"%.*s\"}", (int)n, text + at);
        from = i;
    }
    const size_t run = hlmi_min_size(i - from, stop - hlmi_min_size(stop, b->len));
    hlmi_buf_add(b, text + from, run);
    return from + run;
}

/* ---- parsing ---- */

/* Says where, in the caller's text: `read` is what jansson read for it. */
static hlm_status refuse(json_error_t *err, hlmi_json_use use, const hlmi_mem *mem, const char *text, size_t len,
                         const hlmi_buf *read, const char *what)
{
    if (json_error_code(err) == json_error_out_of_memory) return hlmi_nomem(len, what);
    if (read->len && (read->len != len || memcmp(read->data, text, len) != 0)) {
        hlmi_buf b;
        hlmi_buf_init(&b, mem);
        const size_t end = respell(&b, text, len, rules[use].exact, (size_t)err->position);
        char *quote = strstr(err->text, " near ");
        hlmi_buf_free(&b);
        if (quote) *quote = '\0'; /* it quotes what nobody wrote */
        err->line = 1;
        err->column = 0;
        for (size_t i = 0; i < end; i++) {
            if (text[i] == '\n') err->line++, err->column = 0;
            else err->column += ((unsigned char)text[i] & 0xC0) != 0x80;
        }
    }
    const hlmi_looks l = hlmi_looks_like(text, len, len);
    return hlmi_fail(HLM_E_FORMAT, "%s: not valid JSON at line %d, column %d: %s%s", what, err->line, err->column,
                     err->text, l.kind == HLMI_LOOK_JSON || rules[use].exact ? "" : l.s);
}

hlm_status hlmi_json_parse(hlmi_json **out, const hlmi_mem *mem, hlmi_json_use use, const char *text, size_t len,
                           const char *what)
{
    *out = NULL;
    json_error_t err;
    hlmi_buf b;
    const bool exact = rules[use].exact;
    const size_t flags = JSON_ALLOW_NUL | JSON_DECODE_ANY | (rules[use].unique ? JSON_REJECT_DUPLICATES : 0);
    hlm_status st = check_size(use, mem, text, len, what);
    if (st != HLM_OK) return st;
    hlmi_buf_init(&b, mem);
    json_object_seed((size_t)hlmi_os_random()); /* or else jansson opens a file for it, with any number */
    if (!exact) *out = json_loadb(len ? text : "", len, flags, &err);
    if (!*out && (exact || json_error_code(&err) == json_error_invalid_syntax)) {
        respell(&b, text, len, exact, SIZE_MAX);
        st = hlmi_buf_status(&b, what);
        if (st == HLM_OK && (exact || b.len != len)) *out = json_loadb(b.len ? b.data : "", b.len, flags, &err);
    }
    if (!*out && st == HLM_OK) st = refuse(&err, use, mem, text, len, &b, what);
    hlmi_buf_free(&b);
    return st;
}

void hlmi_json_free(hlmi_json *v)
{
    json_decref(v);
}

/* ---- reading ---- */

_Static_assert(JSON_OBJECT == 0 && JSON_STRING == 2 && JSON_TRUE == 5 && JSON_NULL == 7,
               "kinds are bits in this order");

unsigned hlmi_json_kind(const hlmi_json *v)
{
    return v ? 1u << json_typeof(v) : HLMI_JSON_ABSENT;
}

const hlmi_json *hlmi_json_get(const hlmi_json *object, const char *key)
{
    return json_object_get(object, key);
}

const hlmi_json *hlmi_json_given(const hlmi_json *object, const char *key)
{
    const hlmi_json *v = json_object_get(object, key);
    return json_is_null(v) ? NULL : v;
}

const hlmi_json *hlmi_json_at(const hlmi_json *array, size_t i)
{
    return json_array_get(array, i);
}

size_t hlmi_json_count(const hlmi_json *v)
{
    return json_array_size(v) + json_object_size(v);
}

hlmi_str hlmi_json_str(const hlmi_json *v)
{
    return (hlmi_str){json_string_value(v), json_string_length(v)};
}

const char *hlmi_json_string(const hlmi_json *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

bool hlmi_json_int(const hlmi_json *v, int64_t min, int64_t max, int64_t *out)
{
    const int64_t i = json_integer_value(v);
    if (!json_is_integer(v) || i < min || i > max) return false;
    *out = i;
    return true;
}

bool hlmi_json_number(const hlmi_json *v, double *out)
{
    const char *s = hlmi_json_string(v, "__float__");
    if (json_is_number(v)) *out = json_number_value(v);
    else if (!s) return false;
    else if (strcmp(s, "Infinity") == 0) *out = HUGE_VAL;
    else if (strcmp(s, "-Infinity") == 0) *out = -HUGE_VAL;
    else if (strcmp(s, "NaN") == 0) *out = (double)NAN;
    else return false;
    return true;
}

bool hlmi_json_off(const hlmi_json *v)
{
    if (hlmi_json_is(v, HLMI_JSON_ARRAY | HLMI_JSON_OBJECT)) return hlmi_json_count(v) == 0;
    return hlmi_json_is(v, HLMI_JSON_ABSENT | HLMI_JSON_NULL | HLMI_JSON_FALSE);
}

bool hlmi_json_flag(const hlmi_json *object, const char *key, bool missing)
{
    const hlmi_json *v = json_object_get(object, key);
    return json_is_boolean(v) ? json_is_true(v) : missing;
}

size_t hlmi_json_place(const hlmi_json *v)
{
    return (size_t)json_real_value(v);
}

/* jansson's functions for objects and iterators take what they do not change as if they would. */
static json_t *open_up(const hlmi_json *v)
{
    return (json_t *)(uintptr_t)v;
}

bool hlmi_json_next(const hlmi_json *v, hlmi_json_iter *i)
{
    json_t *object = open_up(v);
    if (json_is_array(v)) {
        i->value = json_array_get(v, i->n);
    } else {
        i->at = i->n ? json_object_iter_next(object, i->at) : json_object_iter(object);
        i->value = json_object_iter_value(i->at);
        i->key = (hlmi_str){json_object_iter_key(i->at), json_object_iter_key_len(i->at)};
    }
    i->n++;
    return i->value != NULL;
}

/* ---- making ---- */

hlmi_json *hlmi_json_object(void)
{
    return json_object();
}

hlmi_json *hlmi_json_array(void)
{
    return json_array();
}

bool hlmi_json_put(hlmi_json *object, const char *key, const hlmi_json *v)
{
    return json_object_set(object, key, open_up(v)) == 0;
}

bool hlmi_json_put_int(hlmi_json *object, const char *key, int64_t v)
{
    return json_object_set_new(object, key, json_integer(v)) == 0;
}

bool hlmi_json_append(hlmi_json *array, const char *s, size_t len)
{
    return json_array_append_new(array, json_stringn(s, len)) == 0;
}
