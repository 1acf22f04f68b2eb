/* Values of settings as JSON in printable ASCII (see file_value.h). */
#include "api/file_value.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "text/unicode.h"

static void put_unit(hlmi_buf *b, uint32_t unit)
{
    hlmi_buf_printf(b, "\\u%04" PRIx32, unit);
}

static void put_char(hlmi_buf *b, int32_t c)
{
    if (c < 0) c = 0xFFFD;
    if (c == '"' || c == '\\') hlmi_buf_char(b, '\\');
    if (c >= 0x20 && c < 0x7F) hlmi_buf_char(b, (char)c);
    else if (c == '\n') hlmi_buf_str(b, "\\n");
    else if (c == '\t') hlmi_buf_str(b, "\\t");
    else if (c < 0x10000) put_unit(b, (uint32_t)c);
    else {
        put_unit(b, 0xD800 + ((uint32_t)(c - 0x10000) >> 10));
        put_unit(b, 0xDC00 + ((uint32_t)(c - 0x10000) & 0x3FF));
    }
}

static void put_string(hlmi_buf *b, const char *s, size_t n)
{
    hlmi_buf_char(b, '"');
    for (size_t at = 0, len; at < n; at += len) put_char(b, hlmi_utf8_next(s + at, n - at, &len));
    hlmi_buf_char(b, '"');
}

/* The shortest that reads back as it is. */
static void put_number(hlmi_buf *b, double v, bool single)
{
    char text[40];
    if (v - v != 0) { /* no isfinite: mingw's makes a float of it */
        hlmi_buf_str(b, v != v ? "\"NaN\"" : v > 0 ? "\"Infinity\"" : "\"-Infinity\"");
        return;
    }
    for (int digits = 6; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, v);
        const double back = strtod(text, NULL);
        if (single ? (float)back == (float)v : back == v) break;
    }
    for (char *p = text; *p; p++)
        if (*p == ',') *p = '.'; /* of a locale */
    hlmi_buf_str(b, text);
}

/* ---- metadata ---- */

static void put_item(hlmi_buf *b, const hlmi_kv *kv, hlmi_kv_type type, uint64_t i, size_t *cursor)
{
    const char *s;
    size_t len;
    int64_t whole = 0;
    double number = 0;
    if (type == HLMI_KV_STRING) {
        if (hlmi_kv_next_string(kv, cursor, &s, &len)) put_string(b, s, len);
        else hlmi_buf_str(b, "null");
    } else if (type == HLMI_KV_F32 || type == HLMI_KV_F64) {
        hlmi_kv_f64(kv, i, &number);
        put_number(b, number, type == HLMI_KV_F32);
    } else if (!hlmi_kv_i64(kv, i, &whole)) {
        hlmi_buf_printf(b, "%" PRIu64, hlmi_kv_bits(kv, i));
    } else if (type == HLMI_KV_BOOL) {
        hlmi_buf_str(b, whole ? "true" : "false");
    } else {
        hlmi_buf_printf(b, "%" PRIi64, whole);
    }
}

void hlmi_value_of_kv(hlmi_buf *b, const hlmi_kv *kv, size_t max_items)
{
    size_t cursor = 0;
    if (kv->type != HLMI_KV_ARRAY) {
        put_item(b, kv, kv->type, 0, &cursor);
        return;
    }
    const uint64_t n = max_items && max_items < kv->count ? max_items : kv->count;
    hlmi_buf_char(b, '[');
    for (uint64_t i = 0; i < n && !b->failed; i++) {
        if (i) hlmi_buf_char(b, ',');
        put_item(b, kv, kv->item, i, &cursor);
    }
    hlmi_buf_char(b, ']');
}

/* ---- JSON ---- */

static void put_scalar(hlmi_buf *b, const hlmi_json *v)
{
    const hlmi_str s = hlmi_json_str(v);
    int64_t whole = 0;
    double number = 0;
    if (s.s) put_string(b, s.s, s.len);
    else if (hlmi_json_int(v, INT64_MIN, INT64_MAX, &whole)) hlmi_buf_printf(b, "%" PRIi64, whole);
    else if (hlmi_json_is(v, HLMI_JSON_BOOL)) hlmi_buf_str(b, hlmi_json_is(v, HLMI_JSON_TRUE) ? "true" : "false");
    else if (hlmi_json_number(v, &number)) put_number(b, number, false);
    else hlmi_buf_str(b, "null");
}

/* One that is open: what of it is left. */
typedef struct level {
    const hlmi_json *v;
    hlmi_json_iter i;
    bool object;
} level;

static void open_level(hlmi_buf *b, level *l, const hlmi_json *v)
{
    *l = (level){.v = v, .object = hlmi_json_is(v, HLMI_JSON_OBJECT)};
    hlmi_buf_char(b, l->object ? '{' : '[');
}

/* The next item of a level, with what stands before it. */
static bool next_item(hlmi_buf *b, level *l, size_t max_items)
{
    if (!l->object && max_items && l->i.n == max_items) return false;
    if (!hlmi_json_next(l->v, &l->i)) return false;
    if (l->i.n > 1) hlmi_buf_char(b, ',');
    if (!l->object) return true;
    put_string(b, l->i.key.s, l->i.key.len);
    hlmi_buf_char(b, ':');
    return true;
}

/* {"__float__": "Infinity"} is a number. */
static bool is_nested(const hlmi_json *v)
{
    double number;
    return hlmi_json_is(v, HLMI_JSON_OBJECT | HLMI_JSON_ARRAY) && !hlmi_json_number(v, &number);
}

void hlmi_value_of_json(hlmi_buf *b, const hlmi_json *v, size_t max_items)
{
    level levels[HLMI_JSON_DEPTH + 1];
    size_t n = 0;
    if (!is_nested(v)) put_scalar(b, v);
    else open_level(b, &levels[n++], v);
    while (n && !b->failed) {
        level *l = &levels[n - 1];
        if (!next_item(b, l, max_items)) {
            hlmi_buf_char(b, l->object ? '}' : ']');
            n--;
        } else if (is_nested(l->i.value) && n <= HLMI_JSON_DEPTH) {
            open_level(b, &levels[n++], l->i.value);
        } else {
            put_scalar(b, l->i.value);
        }
    }
}
