/* Filters on single values, and the lookup over all filter tables. */
#include "jinja/filters.h"

#include "jinja/number.h"
#include "jinja/utext.h"

static jv f_abs(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    if (!jv_is_number(p[0])) {
        if (p[0].kind == JV_UNDEF) return hlmi_juse_undef(x, p[0]);
        return hlmi_jfail(x, "bad operand type for abs(): '%s'", hlmi_jtype(p[0]));
    }
    if (p[0].kind == JV_FLOAT) return jv_float(p[0].u.f < 0 || p[0].u.f == 0.0 ? 0.0 - p[0].u.f : p[0].u.f);
    const bool negative = p[0].kind == JV_BIG ? p[0].u.s[0] == '-' : jv_intval(p[0]) < 0;
    return hlmi_junary(x, negative ? '-' : '+', p[0]);
}

static jv f_attr(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    if (p[1].kind != JV_STR) return hlmi_jfail(x, "attribute name must be string, not '%s'", hlmi_jtype(p[1]));
    if (p[0].kind == JV_UNDEF) return hlmi_juse_undef(x, p[0]);
    const jv v = hlmi_jpyattr(x, p[0], p[1]);
    return jv_given(v) ? v : hlmi_jundef(x, p[0], p[1]);
}

/* p: default_value boolean */
static jv f_default(jx *x, const jv *p, const jargs *a)
{
    (void)x;
    (void)a;
    if (p[0].kind != JV_UNDEF && !(hlmi_jtruth(p[2]) && !hlmi_jtruth(p[0]))) return p[0];
    return jv_given(p[1]) ? p[1] : jv_lit("");
}

/* p: default */
static jv f_float(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    double f;
    if (p[0].kind == JV_UNDEF) return hlmi_juse_undef(x, p[0]);
    if (jv_is_number(p[0])) return jv_float(hlmi_jfloat_of(p[0]));
    if (p[0].kind == JV_STR && hlmi_jstep(x, p[0].n / 16) && hlmi_jstr_float(p[0], &f)) return jv_float(f);
    return jv_given(p[1]) ? p[1] : jv_float(0.0);
}

/* A float towards zero, or the default where Python's int() would fail. */
static jv truncated(double f, jv def)
{
    if (!(f > -9223372036854775808.0 && f < 9223372036854775808.0)) return def;
    return jv_int((int64_t)f);
}

/* p: default base */
static jv f_int(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    const jv def = jv_given(p[1]) ? p[1] : jv_int(0);
    const int64_t base = hlmi_jint_arg(x, p[2], 10, "base");
    jv v = p[0];
    double f;
    if (v.kind == JV_UNDEF) return hlmi_juse_undef(x, v);
    if (v.kind == JV_STR) {
        if (!hlmi_jstep(x, v.n / 8)) return jv_none();
        if (base != 0 && (base < 2 || base > 36)) return def;
        if (hlmi_jstr_int(x, v, (int)base, &v)) return v;
        return hlmi_jstr_float(v, &f) ? truncated(f, def) : def;
    }
    if (v.kind == JV_FLOAT) return truncated(v.u.f, def);
    if (v.kind == JV_BIG) return v;
    return jv_is_intlike(v) ? jv_int(jv_intval(v)) : def;
}

static double power_of_ten(int64_t n)
{
    double f = 1.0;
    for (int64_t i = 0; i < n && i < 400; i++) f *= 10.0;
    return f;
}

/* p: precision method */
static jv f_round(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    const int64_t n = hlmi_jint_arg(x, p[1], 0, "precision");
    const bool ceil = jv_given(p[2]) && jv_eq_lit(p[2], "ceil"), floor = jv_given(p[2]) && jv_eq_lit(p[2], "floor");
    if (jv_given(p[2]) && !ceil && !floor && !jv_eq_lit(p[2], "common"))
        return hlmi_jfail(x, "method must be common, ceil or floor");
    if (p[0].kind == JV_UNDEF) return hlmi_juse_undef(x, p[0]);
    if (!jv_is_number(p[0])) return hlmi_jfail(x, "type %s doesn't define __round__ method", hlmi_jtype(p[0]));
    if (!ceil && !floor && (p[0].kind == JV_BIG || (jv_is_intlike(p[0]) && n >= 0)))
        return p[0].kind == JV_BOOL ? jv_int(p[0].u.b) : p[0];
    const double f = hlmi_jfloat_of(p[0]);
    if (!hlmi_jstep(x, 16)) return jv_none();
    if (!ceil && !floor) {
        const double r = hlmi_jround(f, n);
        return p[0].kind == JV_FLOAT ? jv_float(r) : truncated(r, jv_int(0));
    }
    const double scale = power_of_ten(n < 0 ? -n : n), v = n < 0 ? f / scale : f * scale;
    if (!hlmi_jfinite(v)) return hlmi_jfail(x, "cannot convert float infinity or NaN to integer");
    const double r = ceil ? -hlmi_jfloor(-v) : hlmi_jfloor(v);
    return jv_float((n < 0 ? r * scale : r / scale) + 0.0);
}

static jv f_string(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    return hlmi_jtext(x, p[0]);
}

static jv f_pprint(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    jsb b = jsb_new(x);
    hlmi_jrepr_to(x, &b, p[0]);
    return hlmi_jsb_done(&b);
}

static const jdesc descs[] = {
    {"abs", f_abs, 0, ""},
    {"attr", f_attr, 1, "name"},
    {"d", f_default, 0, "default_value boolean"},
    {"default", f_default, 0, "default_value boolean"},
    {"float", f_float, 0, "default"},
    {"int", f_int, 0, "default base"},
    {"pprint", f_pprint, 0, "verbose"},
    {"round", f_round, 0, "precision method"},
    {"string", f_string, 0, ""},
    {"tojson", hlmi_jf_tojson, 0, "ensure_ascii indent separators sort_keys"},
};

static const jtable own = {descs, sizeof descs / sizeof *descs};

static const jtable *const tables[] = {&own, &hlmi_jfilters_str, &hlmi_jfilters_seq, &hlmi_jfilters_pick};

const jdesc *hlmi_jfilter_at(size_t i)
{
    for (size_t k = 0; k < sizeof tables / sizeof *tables; i -= tables[k++]->n)
        if (i < tables[k]->n) return &tables[k]->at[i];
    return NULL;
}

const jdesc *hlmi_jfilter(jv name)
{
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        const jdesc *d = hlmi_jfind(tables[i]->at, tables[i]->n, name);
        if (d) return d;
    }
    return NULL;
}
