/* JSON to values. Not jansson: what a template prints must be what Python's json
 * module would have given it (integers of any width, the last of equal keys, NaN),
 * and its memory must come from the arena and its budget. */
#include "jinja/number.h"
#include "jinja/ops.h"
#include "jinja/utext.h"

typedef struct reader {
    jx *x;
    const char *text, *p, *end, *what;
    unsigned depth;
} reader;

static jv bad(reader *r, const char *why)
{
    if (r->x->st != HLM_OK) return jv_none();
    r->x->st = hlmi_fail(HLM_E_FORMAT, "%s: not valid JSON at byte %zu: %s", r->what, (size_t)(r->p - r->text), why);
    return jv_none();
}

static void space(reader *r)
{
    while (r->p < r->end && (*r->p == ' ' || *r->p == '\n' || *r->p == '\r' || *r->p == '\t')) r->p++;
}

static bool word(reader *r, const char *w)
{
    const size_t n = strlen(w);
    if ((size_t)(r->end - r->p) < n || memcmp(r->p, w, n) != 0) return false;
    r->p += n;
    return true;
}

static bool hex4(reader *r, uint32_t *v)
{
    *v = 0;
    if (r->end - r->p < 4) return false;
    for (int i = 0; i < 4; i++, r->p++) {
        const char c = *r->p;
        const int d = c >= '0' && c <= '9' ? c - '0'
            : c >= 'a' && c <= 'f'         ? c - 'a' + 10
            : c >= 'A' && c <= 'F'         ? c - 'A' + 10
                                           : -1;
        if (d < 0) return false;
        *v = *v << 4 | (uint32_t)d;
    }
    return true;
}

/* Behind "\u": a code point, of two halves where there are two. A lone half becomes U+FFFD. */
static void unicode_escape(reader *r, jsb *b)
{
    uint32_t hi, lo;
    if (!hex4(r, &hi)) {
        bad(r, "a \\u escape needs four hexadecimal digits");
        return;
    }
    if (hi >= 0xD800 && hi < 0xDC00 && r->end - r->p >= 6 && r->p[0] == '\\' && r->p[1] == 'u') {
        const char *back = r->p;
        r->p += 2;
        if (hex4(r, &lo) && lo >= 0xDC00 && lo < 0xE000) hi = 0x10000 + ((hi - 0xD800) << 10) + (lo - 0xDC00);
        else r->p = back;
    }
    hlmi_jsb_utf8(b, hi);
}

static void escape(reader *r, jsb *b)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char c = r->p < r->end ? *r->p++ : '\0';
    const char *hit = c ? strchr(from, c) : NULL;
    if (hit) hlmi_jsb_char(b, to[hit - from]);
    else if (c == 'u') unicode_escape(r, b);
    else bad(r, "unknown escape in a string");
}

static jv string(reader *r)
{
    const char *from = ++r->p;
    jsb b = jsb_new(r->x);
    bool plain = true;
    while (r->x->st == HLM_OK) {
        const char *run = r->p;
        while (r->p < r->end && *r->p != '"' && *r->p != '\\' && (unsigned char)*r->p >= 0x20) r->p++;
        if (r->p >= r->end) return bad(r, "a string has no end");
        if ((unsigned char)*r->p < 0x20) return bad(r, "a control character in a string");
        if (*r->p == '"' && plain) return jv_str(from, (size_t)(r->p++ - from));
        hlmi_jsb_add(&b, run, (size_t)(r->p - run));
        plain = false;
        if (*r->p++ == '"') break;
        escape(r, &b);
    }
    return hlmi_jsb_done(&b);
}

static jv number(reader *r)
{
    const char *from = r->p;
    bool is_float = false;
    if (word(r, "-Infinity")) return jv_float(-1e308 * 10.0);
    if (*r->p == '-') r->p++;
    const char *digits = r->p;
    while (r->p < r->end && *r->p >= '0' && *r->p <= '9') r->p++;
    if (r->p == digits || (*digits == '0' && r->p - digits > 1)) return bad(r, "malformed number");
    for (int part = 0; part < 2 && r->p < r->end; part++) {
        if (part == 0 ? *r->p != '.' : (*r->p | 0x20) != 'e') continue;
        r->p++;
        if (part && r->p < r->end && (*r->p == '-' || *r->p == '+')) r->p++;
        const char *d = r->p;
        while (r->p < r->end && *r->p >= '0' && *r->p <= '9') r->p++;
        if (r->p == d) return bad(r, "malformed number");
        is_float = true;
    }
    const size_t n = (size_t)(r->p - from);
    if (!is_float) {
        const jv v = hlmi_jdecimal(from, n);
        return v.kind == JV_INT && v.u.i == 0 ? jv_int(0) : v;
    }
    double f;
    return hlmi_jparse_float(from, n, &f) ? jv_float(f) : bad(r, "number with too many digits");
}

static jv value(reader *r);

static jv array(reader *r)
{
    jvec v = jvec_new(r->x);
    r->p++;
    space(r);
    if (word(r, "]")) return jvec_done(&v, JV_LIST);
    while (r->x->st == HLM_OK) {
        hlmi_jvec_add(&v, value(r));
        space(r);
        if (word(r, "]")) break;
        if (!word(r, ",")) return bad(r, "expected ',' or ']'");
    }
    return jvec_done(&v, JV_LIST);
}

static jv object(reader *r)
{
    jdict *d = hlmi_jdict_new(r->x, 0);
    r->p++;
    space(r);
    if (word(r, "}")) return r->x->st == HLM_OK ? jv_dict(JV_DICT, d) : jv_none();
    while (r->x->st == HLM_OK) {
        space(r);
        if (r->p >= r->end || *r->p != '"') return bad(r, "expected a key");
        const jv key = string(r);
        space(r);
        if (!word(r, ":")) return bad(r, "expected ':'");
        hlmi_jdict_set(r->x, d, key, value(r));
        space(r);
        if (word(r, "}")) break;
        if (!word(r, ",")) return bad(r, "expected ',' or '}'");
    }
    return r->x->st == HLM_OK ? jv_dict(JV_DICT, d) : jv_none();
}

static jv value(reader *r)
{
    space(r);
    if (r->p >= r->end) return bad(r, "the text ends early");
    if (!hlmi_jstep(r->x, 1)) return jv_none();
    if (*r->p == '[' || *r->p == '{') {
        if (!hlmi_jstack(r->x)) return jv_none();
        if (r->depth == HLMI_JINJA_DATA_DEPTH) return hlmi_jlimit(r->x, "JSON is nested too deeply");
        r->depth++;
        const jv v = *r->p == '[' ? array(r) : object(r);
        r->depth--;
        return v;
    }
    if (*r->p == '"') return string(r);
    if (*r->p == '-' || (*r->p >= '0' && *r->p <= '9')) return number(r);
    if (word(r, "true")) return jv_bool(true);
    if (word(r, "false")) return jv_bool(false);
    if (word(r, "null")) return jv_none();
    if (word(r, "Infinity")) return jv_float(1e308 * 10.0);
    if (word(r, "NaN")) return jv_float(1e308 * 10.0 - 1e308 * 10.0);
    return bad(r, "expected a value");
}

jv hlmi_jfrom_json(jx *x, const char *text, size_t n, const char *what)
{
    reader r = {.x = x, .text = text, .p = text, .end = text + n, .what = what};
    const size_t valid = hlmi_u8_check(text, n);
    if (valid < n) {
        r.p += valid;
        return bad(&r, "not UTF-8");
    }
    const jv v = value(&r);
    space(&r);
    return r.p < r.end ? bad(&r, "text behind the value") : v;
}
