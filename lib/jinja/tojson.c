/* Values to JSON, as Python's json.dumps writes it. */
#include "jinja/filters.h"
#include "jinja/number.h"
#include "jinja/ops.h"
#include "jinja/utext.h"

typedef struct writer {
    jx *x;
    jsb b;
    bool ascii, sort;
    jv indent; /* what one level is indented by; JV_MISSING: one line */
    jv item_sep, key_sep;
    unsigned depth;
} writer;

static void newline(writer *w)
{
    if (!jv_given(w->indent)) return;
    hlmi_jsb_char(&w->b, '\n');
    for (unsigned i = 0; i < w->depth && w->x->st == HLM_OK; i++) hlmi_jsb_add(&w->b, w->indent.u.s, w->indent.n);
}

static void unicode_escape(jsb *b, uint32_t unit)
{
    static const char hex[] = "0123456789abcdef";
    const char s[6] = {'\\', 'u', hex[unit >> 12 & 15], hex[unit >> 8 & 15], hex[unit >> 4 & 15], hex[unit & 15]};
    hlmi_jsb_add(b, s, sizeof s);
}

static void write_text(writer *w, jv s)
{
    static const char from[] = "\"\\\n\r\t\b\f", to[] = "\"\\nrtbf";
    hlmi_jsb_char(&w->b, '"');
    size_t done = 0;
    for (size_t i = 0; i < s.n && w->x->st == HLM_OK;) {
        const unsigned char c = (unsigned char)s.u.s[i];
        const char *hit = c && c < 0x80 ? strchr(from, (char)c) : NULL;
        if (!hit && c >= 0x20 && (c < 0x80 || !w->ascii)) {
            i++;
            continue;
        }
        hlmi_jsb_add(&w->b, s.u.s + done, i - done);
        uint32_t cp;
        i += hlmi_u8_next(s.u.s + i, s.n - i, &cp);
        done = i;
        if (hit) {
            hlmi_jsb_char(&w->b, '\\');
            hlmi_jsb_char(&w->b, to[hit - from]);
        } else if (cp >= 0x10000) {
            unicode_escape(&w->b, 0xD800 + ((cp - 0x10000) >> 10));
            unicode_escape(&w->b, 0xDC00 + ((cp - 0x10000) & 0x3FF));
        } else {
            unicode_escape(&w->b, cp);
        }
    }
    hlmi_jsb_add(&w->b, s.u.s + done, s.n - done);
    hlmi_jsb_char(&w->b, '"');
}

static bool write_scalar(writer *w, jv v)
{
    switch (v.kind) {
    case JV_NONE: hlmi_jsb_lit(&w->b, "null"); return true;
    case JV_BOOL: hlmi_jsb_lit(&w->b, v.u.b ? "true" : "false"); return true;
    case JV_INT:
    case JV_BIG: hlmi_jrepr_to(w->x, &w->b, v); return true;
    case JV_FLOAT:
        if (hlmi_jfinite(v.u.f)) hlmi_jrepr_to(w->x, &w->b, v);
        else hlmi_jsb_lit(&w->b, v.u.f != v.u.f ? "NaN" : v.u.f > 0 ? "Infinity" : "-Infinity");
        return true;
    default: return false;
    }
}

static void write(writer *w, jv v);

static void write_list(writer *w, jv v)
{
    if (v.n == 0) {
        hlmi_jsb_lit(&w->b, "[]");
        return;
    }
    hlmi_jsb_char(&w->b, '[');
    w->depth++;
    for (uint32_t i = 0; i < v.n && w->x->st == HLM_OK; i++) {
        if (i) hlmi_jsb_add(&w->b, w->item_sep.u.s, w->item_sep.n);
        newline(w);
        write(w, v.u.at[i]);
    }
    w->depth--;
    newline(w);
    hlmi_jsb_char(&w->b, ']');
}

static void write_key(writer *w, jv key)
{
    if (key.kind == JV_STR) {
        write_text(w, key);
        return;
    }
    hlmi_jsb_char(&w->b, '"');
    if (!write_scalar(w, key)) hlmi_jfail(w->x, "keys must be str, int, float, bool or None, not %s", hlmi_jtype(key));
    hlmi_jsb_char(&w->b, '"');
}

static void write_dict(writer *w, jv v)
{
    const jdict *d = v.u.dict;
    jv items = w->sort && d->n > 1 ? hlmi_jsort_items(w->x, v) : jv_none();
    if (d->n == 0) {
        hlmi_jsb_lit(&w->b, "{}");
        return;
    }
    hlmi_jsb_char(&w->b, '{');
    w->depth++;
    for (uint32_t i = 0; i < d->n && w->x->st == HLM_OK; i++) {
        if (i) hlmi_jsb_add(&w->b, w->item_sep.u.s, w->item_sep.n);
        newline(w);
        const bool sorted = items.kind == JV_LIST;
        write_key(w, sorted ? items.u.at[i].u.at[0] : d->at[i].key);
        hlmi_jsb_add(&w->b, w->key_sep.u.s, w->key_sep.n);
        write(w, sorted ? items.u.at[i].u.at[1] : d->at[i].val);
    }
    w->depth--;
    newline(w);
    hlmi_jsb_char(&w->b, '}');
}

static void write(writer *w, jv v)
{
    if (!hlmi_jstep(w->x, 1) || write_scalar(w, v)) return;
    if (v.kind == JV_STR) {
        write_text(w, v);
        return;
    }
    if (!jv_is_seq(v) && v.kind != JV_DICT) {
        hlmi_jfail(w->x, "Object of type %s is not JSON serializable", hlmi_jtype(v));
        return;
    }
    if (!hlmi_jenter(w->x)) return;
    if (v.kind == JV_DICT) write_dict(w, v);
    else write_list(w, v);
    hlmi_jleave(w->x);
}

static void read_indent(writer *w, jv indent)
{
    if (indent.kind == JV_STR) {
        w->indent = indent;
    } else if (jv_given(indent) && indent.kind != JV_NONE) {
        const int64_t n = hlmi_jint_arg(w->x, indent, 0, "indent");
        jsb b = jsb_new(w->x);
        if (n > 0) hlmi_jsb_fill(&b, ' ', (size_t)n);
        w->indent = hlmi_jsb_done(&b);
    }
}

static void read_separators(writer *w, jv s)
{
    w->item_sep = jv_lit(jv_given(w->indent) ? "," : ", ");
    w->key_sep = jv_lit(": ");
    if (!jv_given(s) || s.kind == JV_NONE) return;
    if (!jv_is_seq(s) || s.n != 2 || s.u.at[0].kind != JV_STR || s.u.at[1].kind != JV_STR) {
        hlmi_jfail(w->x, "separators must be two strings");
        return;
    }
    w->item_sep = s.u.at[0];
    w->key_sep = s.u.at[1];
}

/* p: ensure_ascii indent separators sort_keys */
jv hlmi_jf_tojson(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    writer w = {.x = x, .b = jsb_new(x), .ascii = hlmi_jtruth(p[1]), .sort = hlmi_jtruth(p[4]), .indent = jv_missing()};
    read_indent(&w, p[2]);
    read_separators(&w, p[3]);
    write(&w, p[0]);
    return hlmi_jsb_done(&w.b);
}
