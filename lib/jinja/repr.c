/* str() and repr() of values, and HTML escaping. */
#include "jinja/number.h"
#include "jinja/ops.h"
#include "jinja/trust.h"
#include "jinja/unicode.h"
#include "jinja/utext.h"

static void repr_text(jsb *b, jv s)
{
    const bool single = s.n && memchr(s.u.s, '\'', s.n), dbl = s.n && memchr(s.u.s, '"', s.n);
    const char quote = single && !dbl ? '"' : '\'';
    char buf[16];
    hlmi_jsb_char(b, quote);
    for (size_t i = 0; i < s.n && b->x->st == HLM_OK;) {
        uint32_t c;
        const size_t len = hlmi_u8_next(s.u.s + i, s.n - i, &c);
        if (c == (uint32_t)quote || c == '\\') {
            hlmi_jsb_char(b, '\\');
            hlmi_jsb_char(b, (char)c);
        } else if (c == '\n' || c == '\r' || c == '\t') {
            hlmi_jsb_lit(b, c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t");
        } else if (hlmi_u_printable(c)) {
            hlmi_jsb_add(b, s.u.s + i, len);
        } else {
            hlmi_jsb_add(b, buf, hlmi_u_escape(c, buf));
        }
        i += len;
    }
    hlmi_jsb_char(b, quote);
}

static void repr_items(jx *x, jsb *b, const jv *at, size_t n)
{
    for (size_t i = 0; i < n && hlmi_jstep(x, 1); i++) {
        if (i) hlmi_jsb_lit(b, ", ");
        hlmi_jrepr_to(x, b, at[i]);
    }
}

static void repr_dict(jx *x, jsb *b, const jdict *d)
{
    hlmi_jsb_char(b, '{');
    for (uint32_t i = 0; i < d->n && hlmi_jstep(x, 1); i++) {
        if (i) hlmi_jsb_lit(b, ", ");
        hlmi_jrepr_to(x, b, d->at[i].key);
        hlmi_jsb_lit(b, ": ");
        hlmi_jrepr_to(x, b, d->at[i].val);
    }
    hlmi_jsb_char(b, '}');
}

static void repr_range(jsb *b, const jrange *r)
{
    char buf[24];
    const int64_t parts[] = {r->start, r->stop, r->step};
    hlmi_jsb_lit(b, "range(");
    for (size_t i = 0; i < (r->step == 1 ? 2u : 3u); i++) {
        if (i) hlmi_jsb_lit(b, ", ");
        hlmi_jsb_add(b, buf, hlmi_jint_text(parts[i], buf));
    }
    hlmi_jsb_char(b, ')');
}

static void repr_scalar(jsb *b, jv v)
{
    char buf[HLMI_FLOAT_TEXT];
    switch (v.kind) {
    case JV_NONE: hlmi_jsb_lit(b, "None"); break;
    case JV_BOOL: hlmi_jsb_lit(b, v.u.b ? "True" : "False"); break;
    case JV_INT: hlmi_jsb_add(b, buf, hlmi_jint_text(v.u.i, buf)); break;
    case JV_BIG: hlmi_jsb_add(b, v.u.s, v.n); break;
    case JV_FLOAT:
        hlmi_jstep(b->x, 16); /* it tries how many digits it takes */
        hlmi_jsb_add(b, buf, hlmi_jfloat_repr(v.u.f, buf));
        break;
    default: break;
    }
}

static void repr_object(jx *x, jsb *b, jv v)
{
    static const char *const names[] = {
        [JV_KEYS] = "dict_keys(", [JV_VALUES] = "dict_values(", [JV_ITEMS] = "dict_items("};
    if (v.kind == JV_KEYS || v.kind == JV_VALUES || v.kind == JV_ITEMS) {
        hlmi_jsb_lit(b, names[v.kind]);
        hlmi_jrepr_to(x, b, hlmi_jlist_of(x, v));
        hlmi_jsb_char(b, ')');
    } else if (v.kind == JV_NS) {
        hlmi_jsb_lit(b, "<Namespace ");
        repr_dict(x, b, v.u.dict);
        hlmi_jsb_char(b, '>');
    } else if (v.kind == JV_MACRO) {
        hlmi_jsb_lit(b, "<Macro ");
        hlmi_jrepr_to(x, b, hlmi_jmacro_attr(x, v.u.macro, jv_lit("name")));
        hlmi_jsb_char(b, '>');
    } else {
        hlmi_jsb_char(b, '<');
        hlmi_jsb_lit(b, hlmi_jtype(v));
        hlmi_jsb_lit(b, v.kind == JV_SELF ? " None>" : " object>");
    }
}

void hlmi_jrepr_to(jx *x, jsb *b, jv v)
{
    if (!hlmi_jenter(x)) return;
    const bool trusted = hlmi_jtrust_call(x, v, &(jargs){0});
    switch (v.kind) {
    case JV_UNDEF: hlmi_jsb_lit(b, "Undefined"); break;
    case JV_NONE:
    case JV_BOOL:
    case JV_INT:
    case JV_BIG:
    case JV_FLOAT: repr_scalar(b, v); break;
    case JV_STR:
        if (v.flags & JV_SAFE) hlmi_jsb_lit(b, "Markup(");
        repr_text(b, v);
        if (v.flags & JV_SAFE) hlmi_jsb_char(b, ')');
        break;
    case JV_LIST:
        hlmi_jsb_char(b, '[');
        repr_items(x, b, v.u.at, v.n);
        hlmi_jsb_char(b, ']');
        break;
    case JV_TUPLE:
        hlmi_jsb_char(b, '(');
        repr_items(x, b, v.u.at, v.n);
        hlmi_jsb_lit(b, v.n == 1 ? ",)" : ")");
        break;
    case JV_DICT: repr_dict(x, b, v.u.dict); break;
    case JV_RANGE: repr_range(b, v.u.range); break;
    default: repr_object(x, b, v); break;
    }
    x->trusted = trusted;
    hlmi_jleave(x);
}

void hlmi_jtext_to(jx *x, jsb *b, jv v)
{
    if (v.kind == JV_STR) hlmi_jsb_add(b, v.u.s, v.n);
    else if (v.kind != JV_UNDEF) hlmi_jrepr_to(x, b, v);
}

jv hlmi_jtext(jx *x, jv v)
{
    if (v.kind == JV_STR) return v;
    if (v.kind == JV_UNDEF) return jv_lit("");
    jsb b = jsb_new(x);
    hlmi_jtext_to(x, &b, v);
    return hlmi_jsb_done(&b);
}

jv hlmi_jescape(jx *x, jv s)
{
    s = hlmi_jtext(x, s);
    if (x->st != HLM_OK || (s.flags & JV_SAFE)) return s;
    static const char *const entity['>' + 1] = {
        ['&'] = "&amp;", ['<'] = "&lt;", ['>'] = "&gt;", ['\''] = "&#39;", ['"'] = "&#34;"};
    jsb b = jsb_new(x);
    size_t done = 0;
    if (!hlmi_jstep(x, s.n / 64)) return jv_none();
    for (size_t i = 0; i < s.n && x->st == HLM_OK; i++) {
        const unsigned char c = (unsigned char)s.u.s[i];
        if (c > '>' || !entity[c]) continue;
        hlmi_jsb_add(&b, s.u.s + done, i - done);
        hlmi_jsb_lit(&b, entity[c]);
        done = i + 1;
    }
    if (done) {
        hlmi_jsb_add(&b, s.u.s + done, s.n - done);
        s = hlmi_jsb_done(&b);
    }
    if (x->st == HLM_OK) s.flags |= JV_SAFE;
    return s;
}
