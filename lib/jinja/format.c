/* str.format. Fields reach attributes and items only as the template itself could. */
#include "jinja/number.h"
#include "jinja/ops.h"
#include "jinja/spec.h"
#include "jinja/utext.h"

enum { NESTING = 2 }; /* of fields in specifications */

typedef struct formatter {
    jx *x;
    const jargs *a;
    size_t next; /* the field number of "{}" */
    int numbering; /* 0 unknown, 1 automatic, 2 by hand */
} formatter;

static jv format_text(formatter *f, jv fmt, int depth);

static bool all_digits(jv s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.u.s[i] < '0' || s.u.s[i] > '9') return false;
    return s.n != 0 && s.n < 10;
}

static jv argument(formatter *f, jv name)
{
    if (name.n == 0 || all_digits(name)) {
        const int how = name.n ? 2 : 1;
        if (f->numbering && f->numbering != how)
            return hlmi_jfail(f->x, "cannot switch between manual field specification and automatic field numbering");
        f->numbering = how;
        const size_t i = name.n ? (size_t)hlmi_jdecimal(name.u.s, name.n).u.i : f->next++;
        if (i < f->a->n) return f->a->at[i];
        return hlmi_jfail(f->x, "Replacement index %zu out of range for positional args tuple", i);
    }
    for (size_t i = 0; i < f->a->nkw && hlmi_jstep(f->x, 1 + (f->a->kw[i].name.n == name.n ? name.n / 128 : 0)); i++)
        if (jv_same_text(f->a->kw[i].name, name)) return f->a->kw[i].val;
    return hlmi_jfail(f->x, "the format's field '%.*s' is missing", (int)(name.n < 80 ? name.n : 80), name.u.s);
}

/* name ( ".attr" | "[item]" )* */
static jv field(formatter *f, jv path)
{
    size_t i = 0;
    while (i < path.n && path.u.s[i] != '.' && path.u.s[i] != '[') i++;
    jv v = argument(f, jv_str(path.u.s, i));
    while (i < path.n && f->x->st == HLM_OK) {
        const bool item = path.u.s[i++] == '[';
        const size_t from = i;
        while (i < path.n && (item ? path.u.s[i] != ']' : path.u.s[i] != '.' && path.u.s[i] != '[')) i++;
        const jv key = jv_str(path.u.s + from, i - from);
        if (key.n == 0 || (item && i >= path.n)) return hlmi_jfail(f->x, "a format field is malformed");
        v = item ? hlmi_jitem(f->x, v, all_digits(key) ? hlmi_jdecimal(key.u.s, key.n) : key)
                 : hlmi_jattr(f->x, v, key);
        if (item) i++;
        if (v.kind == JV_UNDEF) return hlmi_juse_undef(f->x, v);
    }
    return v;
}

/* [[fill]align][sign][#][0][width][,|_][.precision][type] */
static bool parse_spec(jx *x, jv t, jspec *s)
{
    size_t i = 0;
    uint32_t first;
    *s = (jspec){.sign = '-', .width = -1, .prec = -1};
    const size_t len = t.n ? hlmi_u8_next(t.u.s, t.n, &first) : 0;
    if (len && len < t.n && strchr("<>=^", t.u.s[len]) && t.u.s[len]) {
        s->fill = first;
        s->align = t.u.s[len];
        i = len + 1;
    } else if (t.n && t.u.s[0] && strchr("<>=^", t.u.s[0])) {
        s->align = t.u.s[i++];
    }
    if (i < t.n && (t.u.s[i] == '+' || t.u.s[i] == '-' || t.u.s[i] == ' ')) s->sign = t.u.s[i++];
    if (i < t.n && t.u.s[i] == '#') s->alt = true, i++;
    if (i < t.n && t.u.s[i] == '0') {
        if (!s->fill) s->fill = '0';
        if (!s->align) s->align = '=';
        i++;
    }
    if (i < t.n && t.u.s[i] >= '0' && t.u.s[i] <= '9' && !hlmi_jspec_number(x, t.u.s, t.n, &i, &s->width)) return false;
    if (i < t.n && (t.u.s[i] == ',' || t.u.s[i] == '_')) s->group = t.u.s[i++];
    if (i < t.n && t.u.s[i] == '.') {
        i++;
        if (!hlmi_jspec_number(x, t.u.s, t.n, &i, &s->prec)) return false;
    }
    if (i < t.n) s->type = t.u.s[i++];
    if (i == t.n) return true;
    hlmi_jfail(x, "Invalid format specifier");
    return false;
}

static void put_value(jx *x, jsb *b, jv v, jv spec)
{
    jspec s;
    bool ok = true;
    if (spec.n == 0) {
        hlmi_jtext_to(x, b, v);
        return;
    }
    if (!parse_spec(x, spec, &s)) return;
    if (s.group && s.type) ok = strchr(s.group == ',' ? "deEfFgG%" : "deEfFgG%boxX", s.type) != NULL;
    if (v.kind == JV_STR) ok = ok && !s.alt && s.sign == '-' && !s.group;
    if (!ok) {
        hlmi_jfail(x, "Invalid format specifier");
        return;
    }
    const bool number = jv_is_number(v) && (v.kind != JV_BOOL || s.type);
    if (v.kind == JV_STR && (!s.type || s.type == 's') && s.align != '=') {
        hlmi_jspec_text(x, b, v, &s);
    } else if (v.kind == JV_STR && !s.type && s.fill == '0') {
        s.align = '<';
        hlmi_jspec_text(x, b, v, &s);
    } else if (v.kind == JV_BOOL && !s.type) {
        hlmi_jspec_int(x, b, v, &s);
    } else if (number && s.type && strchr("eEfFgG%", s.type)) {
        hlmi_jspec_float(x, b, hlmi_jfloat_of(v), &s);
    } else if (v.kind == JV_FLOAT && (!s.type || s.type == 'n')) {
        hlmi_jspec_float(x, b, v.u.f, &s);
    } else if (number && v.kind != JV_FLOAT && s.prec < 0 && (!s.type || strchr("bdoxXn", s.type))) {
        hlmi_jspec_int(x, b, v, &s);
    } else {
        hlmi_jfail(x, "unsupported format string passed to %s", hlmi_jtype(v));
    }
}

/* {field!conversion:spec}, without its braces. */
static void replacement(formatter *f, jsb *b, jv body, int depth)
{
    jx *x = f->x;
    size_t end = 0;
    while (end < body.n && body.u.s[end] != '!' && body.u.s[end] != ':') {
        if (body.u.s[end] == '[')
            while (end < body.n && body.u.s[end] != ']') end++;
        if (end < body.n) end++;
    }
    jv v = field(f, jv_str(body.u.s, end));
    jv spec = jv_lit("");
    if (end < body.n && body.u.s[end] == '!') {
        const char conv = end + 1 < body.n ? body.u.s[end + 1] : '\0';
        jsb t = jsb_new(x);
        if (x->st == HLM_OK && conv != 's' && conv != 'r' && conv != 'a')
            hlmi_jfail(x, "unknown conversion in a format field");
        if (conv == 's') hlmi_jtext_to(x, &t, v);
        else hlmi_jrepr_to(x, &t, v);
        v = hlmi_jsb_done(&t);
        end += 2;
        if (end < body.n && body.u.s[end] != ':') hlmi_jfail(x, "expected ':' after conversion specifier");
    }
    if (end < body.n) spec = format_text(f, jv_str(body.u.s + end + 1, body.n - end - 1), depth + 1);
    if (x->st == HLM_OK) put_value(x, b, v, spec);
}

static jv format_text(formatter *f, jv fmt, int depth)
{
    jsb b = jsb_new(f->x);
    if (depth > NESTING) return hlmi_jfail(f->x, "Max string recursion exceeded");
    for (size_t i = 0; i < fmt.n && hlmi_jstep(f->x, 1);) {
        const char c = fmt.u.s[i++];
        if (c != '{' && c != '}') {
            hlmi_jsb_add(&b, fmt.u.s + i - 1, 1);
        } else if (i < fmt.n && fmt.u.s[i] == c && depth == 0) {
            hlmi_jsb_char(&b, c);
            i++;
        } else if (c == '}') {
            return hlmi_jfail(f->x, "Single '}' encountered in format string");
        } else {
            const size_t from = i;
            for (size_t open = 1; i < fmt.n; i++) {
                if (fmt.u.s[i] == '{') open++;
                if (fmt.u.s[i] == '}' && --open == 0) break;
            }
            hlmi_jstep(f->x, (i - from) / 16);
            if (i >= fmt.n) return hlmi_jfail(f->x, "Single '{' encountered in format string");
            replacement(f, &b, jv_str(fmt.u.s + from, i - from), depth);
            i++;
        }
    }
    return hlmi_jsb_done(&b);
}

jv hlmi_jformat(jx *x, jv fmt, const jargs *a)
{
    formatter f = {.x = x, .a = a};
    return format_text(&f, fmt, 0);
}
