/* "..." % values: printf-style formatting. */
#include "jinja/number.h"
#include "jinja/ops.h"
#include "jinja/spec.h"
#include "jinja/utext.h"

typedef struct percent {
    jx *x;
    const char *p;
    size_t n, i;
    jv args;
    size_t used;
    bool mapped; /* a %(name)s was seen */
} percent;

/* The next value to format. */
static jv take(percent *f)
{
    if (f->args.kind == JV_TUPLE) {
        if (f->used < f->args.n) return f->args.u.at[f->used++];
    } else if (f->used++ == 0) {
        return f->args;
    }
    return hlmi_jfail(f->x, "not enough arguments for format string");
}

/* (name) behind the '%'. */
static jv named(percent *f)
{
    const size_t from = ++f->i;
    size_t open = 1;
    for (; f->i < f->n; f->i++) {
        if (f->p[f->i] == '(') open++;
        if (f->p[f->i] == ')' && --open == 0) break;
    }
    if (f->i >= f->n) return hlmi_jfail(f->x, "incomplete format key");
    const jv key = jv_str(f->p + from, f->i++ - from);
    if (f->args.kind != JV_DICT) return hlmi_jfail(f->x, "format requires a mapping");
    f->mapped = true;
    const jv *v = hlmi_jdict_get(f->x, f->args.u.dict, key);
    return v ? *v : hlmi_jfail(f->x, "the format's key '%.*s' is missing", (int)(key.n < 80 ? key.n : 80), key.u.s);
}

static void flags(percent *f, jspec *s)
{
    for (; f->i < f->n; f->i++) {
        const char c = f->p[f->i];
        if (c == '-') s->align = '<';
        else if (c == '+') s->sign = '+';
        else if (c == ' ') s->sign = s->sign == '+' ? '+' : ' ';
        else if (c == '#') s->alt = true;
        else if (c == '0') s->fill = '0';
        else break;
    }
}

/* A number or '*'. */
static int64_t count(percent *f, bool *minus)
{
    int64_t v = 0;
    *minus = false;
    if (f->i < f->n && f->p[f->i] == '*') {
        f->i++;
        v = hlmi_jint_arg(f->x, take(f), 0, "a width");
        if (v > 1 << 20 || v < -(1 << 20)) hlmi_jlimit(f->x, "a width or precision is larger than allowed");
        *minus = v < 0;
        return v < 0 ? -v : v;
    }
    hlmi_jspec_number(f->x, f->p, f->n, &f->i, &v);
    return v;
}

static void put_number(percent *f, jsb *b, jv v, jspec *s)
{
    if (s->fill == '0' && !s->align) s->align = '=';
    if (s->align == '<') s->fill = 0;
    if (v.kind == JV_UNDEF) {
        hlmi_juse_undef(f->x, v);
    } else if (!jv_is_number(v)) {
        hlmi_jfail(f->x, "%%%c format: a number is required, not %s", s->type, hlmi_jtype(v));
    } else if (strchr("eEfFgG", s->type)) {
        hlmi_jspec_float(f->x, b, hlmi_jfloat_of(v), s);
    } else {
        if (v.kind == JV_FLOAT) {
            if (s->type != 'd' && s->type != 'i' && s->type != 'u')
                hlmi_jfail(f->x, "%%%c format: an integer is required, not float", s->type);
            else if (!(v.u.f > -9223372036854775808.0 && v.u.f < 9223372036854775808.0))
                hlmi_jfail(f->x, "an integer is wider than 64 bits");
            else v = jv_int((int64_t)v.u.f);
        }
        if (s->type == 'i' || s->type == 'u') s->type = 'd';
        if (f->x->st == HLM_OK) hlmi_jspec_int(f->x, b, v, s);
    }
}

static void put_char(percent *f, jsb *b, jv v, const jspec *s)
{
    jsb c = jsb_new(f->x);
    if (v.kind == JV_STR && hlmi_jlen(v) == 1) hlmi_jsb_add(&c, v.u.s, v.n);
    else if (jv_is_intlike(v) && jv_intval(v) >= 0 && jv_intval(v) < 0x110000)
        hlmi_jsb_utf8(&c, (uint32_t)jv_intval(v));
    else hlmi_jfail(f->x, "%%c requires an int in range(0x110000) or a single character");
    const jv text = hlmi_jsb_done(&c);
    if (f->x->st == HLM_OK) hlmi_jspec_text(f->x, b, text, s);
}

static void put_text(percent *f, jsb *b, jv v, jspec *s)
{
    jsb t = jsb_new(f->x);
    if (s->type == 's') hlmi_jtext_to(f->x, &t, v);
    else hlmi_jrepr_to(f->x, &t, v);
    const jv text = hlmi_jsb_done(&t);
    s->fill = 0;
    if (f->x->st == HLM_OK) hlmi_jspec_text(f->x, b, text, s);
}

/* One conversion, behind its '%'. */
static void convert(percent *f, jsb *b)
{
    jspec s = {.sign = '-', .width = -1, .prec = -1};
    bool minus;
    jv v = jv_missing();
    if (f->i < f->n && f->p[f->i] == '(') v = named(f);
    flags(f, &s);
    s.width = count(f, &minus);
    if (minus) s.align = '<';
    if (f->i < f->n && f->p[f->i] == '.') {
        f->i++;
        s.prec = count(f, &minus);
        if (minus) s.prec = 0;
    }
    while (f->i < f->n && strchr("hlL", f->p[f->i]) && f->p[f->i]) f->i++;
    if (f->x->st != HLM_OK) return;
    if (f->i >= f->n) {
        hlmi_jfail(f->x, "incomplete format");
        return;
    }
    s.type = f->p[f->i++];
    if (s.type == '%') {
        hlmi_jsb_char(b, '%');
        return;
    }
    if (!strchr("sradiuoxXeEfFgGc", s.type)) {
        hlmi_jfail(f->x, "unsupported format character '%c'", s.type >= 0x20 && s.type < 0x7F ? s.type : '?');
        return;
    }
    if (!jv_given(v)) v = take(f);
    if (f->x->st != HLM_OK) return;
    if (s.type == 's' || s.type == 'r' || s.type == 'a') {
        if (!s.align) s.align = '>';
        put_text(f, b, v, &s);
    } else if (s.type == 'c') {
        if (!s.align) s.align = '>';
        s.fill = 0;
        put_char(f, b, v, &s);
    } else {
        put_number(f, b, v, &s);
    }
}

jv hlmi_jpercent(jx *x, jv fmt, jv args)
{
    percent f = {.x = x, .p = fmt.u.s, .n = fmt.n, .args = args};
    jsb b = jsb_new(x);
    while (f.i < f.n && hlmi_jstep(x, 1)) {
        const char *hit = memchr(f.p + f.i, '%', f.n - f.i);
        const size_t plain = hit ? (size_t)(hit - (f.p + f.i)) : f.n - f.i;
        hlmi_jsb_add(&b, f.p + f.i, plain);
        f.i += plain;
        if (!hit) break;
        f.i++;
        convert(&f, &b);
    }
    /* Python counts whatever has items as a mapping, which may have more than the format uses */
    const bool has_items =
        args.kind == JV_DICT || args.kind == JV_LIST || args.kind == JV_RANGE || args.kind == JV_UNDEF;
    const bool all = args.kind == JV_TUPLE ? f.used == args.n : f.used || f.mapped || has_items;
    if (x->st == HLM_OK && !all) return hlmi_jfail(x, "not all arguments converted during string formatting");
    return hlmi_jsb_done(&b);
}
