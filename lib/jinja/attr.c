/* Attributes and items, as Jinja looks them up: `x.name` prefers Python's attributes, `x[key]` prefers items, each
 * falls back to the other. What would reach Python's internals or change an object is undefined, and using it fails. */
#include "jinja/methods.h"
#include "jinja/ops.h"
#include "jinja/utext.h"

const char *hlmi_jtype(jv v)
{
    static const char *const names[] = {
        [JV_MISSING] = "missing",  [JV_UNDEF] = "Undefined", [JV_NONE] = "NoneType",
        [JV_BOOL] = "bool",        [JV_INT] = "int",         [JV_BIG] = "int",
        [JV_FLOAT] = "float",      [JV_STR] = "str",         [JV_LIST] = "list",
        [JV_TUPLE] = "tuple",      [JV_DICT] = "dict",       [JV_RANGE] = "range",
        [JV_GEN] = "generator",    [JV_KEYS] = "dict_keys",  [JV_VALUES] = "dict_values",
        [JV_ITEMS] = "dict_items", [JV_NS] = "Namespace",    [JV_LOOP] = "LoopContext",
        [JV_MACRO] = "Macro",      [JV_FUNC] = "function",   [JV_METHOD] = "builtin_function_or_method",
        [JV_CYCLER] = "Cycler",    [JV_JOINER] = "Joiner",   [JV_SELF] = "TemplateReference"};
    return names[v.kind];
}

jv hlmi_jundef(jx *x, jv of, jv name)
{
    jundef *u = hlmi_jalloc(x, sizeof *u);
    if (!u) return jv_none();
    *u = (jundef){.name = name, .of = of};
    return (jv){.kind = JV_UNDEF, .u.undef = u};
}

jv hlmi_juse_undef(jx *x, jv v)
{
    const jundef *u = v.u.undef;
    if (x->st != HLM_OK) return jv_none();
    if (!u) return hlmi_jfail(x, "a value is undefined");
    jsb b = jsb_new(x);
    if (u->name.kind == JV_STR) hlmi_jsb_add(&b, u->name.u.s, u->name.n < 100 ? u->name.n : 100);
    else hlmi_jrepr_to(x, &b, u->name);
    const jv name = hlmi_jsb_done(&b);
    if (x->st != HLM_OK) return jv_none();
    const int n = (int)(name.n < 100 ? name.n : 100);
    if (v.flags & JV_UNSAFE)
        return hlmi_jfail(x, "access to attribute '%.*s' of '%s' object is unsafe.", n, name.u.s, hlmi_jtype(u->of));
    if (u->of.kind == JV_MISSING) return hlmi_jfail(x, "'%.*s' is undefined", n, name.u.s);
    const char *object = u->of.kind == JV_NONE || u->of.kind == JV_UNDEF ? "" : " object";
    const char *type = u->of.kind == JV_NONE ? "None" : hlmi_jtype(u->of);
    return hlmi_jfail(x, u->name.kind == JV_STR ? "'%s%s' has no attribute '%.*s'" : "%s%s has no element %.*s", type,
                      object, n, name.u.s);
}

/* Names that every Python object has; the sandbox shows none of them. */
static bool is_internal(jv name)
{
    static const char *const names[] = {
        "__class__",   "__delattr__",  "__dir__",           "__doc__",          "__eq__",
        "__format__",  "__ge__",       "__getattribute__",  "__getstate__",     "__gt__",
        "__hash__",    "__init__",     "__init_subclass__", "__le__",           "__lt__",
        "__ne__",      "__new__",      "__reduce__",        "__reduce_ex__",    "__repr__",
        "__setattr__", "__sizeof__",   "__str__",           "__subclasshook__", "__dict__",
        "__globals__", "__call__",     "__code__",          "__self__",         "__func__",
        "__module__",  "__name__",     "__len__",           "__iter__",         "__next__",
        "__getitem__", "__contains__", "__add__",           "__mul__",          "__mod__"};
    if (name.n < 5 || memcmp(name.u.s, "__", 2) != 0) return false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (jv_eq_lit(name, names[i])) return true;
    return false;
}

static jv unsafe(jx *x, jv of, jv name)
{
    jv v = hlmi_jundef(x, of, name);
    if (v.kind == JV_UNDEF) v.flags = JV_UNSAFE;
    return v;
}

/* Attributes that are values, not methods. */
static jv field(jx *x, jv of, jv name)
{
    switch (of.kind) {
    case JV_NS: {
        const jv *v = hlmi_jdict_get(x, of.u.dict, name);
        return v ? *v : jv_missing();
    }
    case JV_LOOP: return hlmi_jloop_attr(x, of.u.loop, name);
    case JV_MACRO: return hlmi_jmacro_attr(x, of.u.macro, name);
    case JV_CYCLER: return jv_eq_lit(name, "current") ? of.u.cycler->at[of.u.cycler->pos] : jv_missing();
    case JV_TUPLE:
        if (!(of.flags & JV_GROUP)) return jv_missing();
        return jv_eq_lit(name, "grouper") ? of.u.at[0] : jv_eq_lit(name, "list") ? of.u.at[1] : jv_missing();
    case JV_BOOL:
    case JV_INT:
        if (jv_eq_lit(name, "real") || jv_eq_lit(name, "numerator")) return jv_int(jv_intval(of));
        return jv_eq_lit(name, "imag") ? jv_int(0) : jv_eq_lit(name, "denominator") ? jv_int(1) : jv_missing();
    case JV_FLOAT: return jv_eq_lit(name, "real") ? of : jv_eq_lit(name, "imag") ? jv_float(0.0) : jv_missing();
    case JV_RANGE: {
        const jrange *r = of.u.range;
        if (jv_eq_lit(name, "start")) return jv_int(r->start);
        if (jv_eq_lit(name, "step")) return jv_int(r->step);
        return jv_missing();
    }
    default: return jv_missing();
    }
}

jv hlmi_jpyattr(jx *x, jv of, jv name)
{
    const jv v = field(x, of, name);
    if (jv_given(v)) return v;
    if (is_internal(name) || hlmi_jmutates(of, name)) return unsafe(x, of, name);
    const jdesc *d = hlmi_jmethod_find(of, name);
    if (!d) return jv_missing();
    jmethod *m = hlmi_jalloc(x, sizeof *m);
    if (!m) return jv_none();
    *m = (jmethod){.desc = d, .self = of};
    return (jv){.kind = JV_METHOD, .u.method = m};
}

/* A position as Python counts it, or false outside. */
static bool position(int64_t i, int64_t n, int64_t *out)
{
    if (i < 0) i += n;
    *out = i;
    return i >= 0 && i < n;
}

static jv char_at(jv s, int64_t i)
{
    int64_t at;
    const size_t n = hlmi_u8_count(s.u.s, s.n);
    if (!position(i, (int64_t)n, &at)) return jv_missing();
    const size_t from = hlmi_u8_offset(s.u.s, s.n, (size_t)at);
    jv c = jv_str(s.u.s + from, hlmi_u8_offset(s.u.s + from, s.n - from, 1));
    c.flags = s.flags & JV_SAFE;
    return c;
}

/* of[key] without any fallback; JV_MISSING when Python would raise a lookup or type error. */
static jv raw_item(jx *x, jv of, jv key)
{
    int64_t at;
    switch (of.kind) {
    case JV_DICT: {
        if (key.kind == JV_LIST || key.kind == JV_DICT) return jv_missing();
        const jv *v = hlmi_jdict_get(x, of.u.dict, key);
        return v ? *v : jv_missing();
    }
    case JV_LIST:
    case JV_TUPLE:
        if (!jv_is_intlike(key) || !position(jv_intval(key), of.n, &at)) return jv_missing();
        return of.u.at[at];
    case JV_STR:
        if (!jv_is_intlike(key) || !hlmi_jstep(x, of.n / 32)) return jv_missing();
        return char_at(of, jv_intval(key));
    case JV_RANGE:
        if (!jv_is_intlike(key) || !position(jv_intval(key), hlmi_jlen(of), &at)) return jv_missing();
        return jv_int((int64_t)((uint64_t)of.u.range->start + (uint64_t)at * (uint64_t)of.u.range->step));
    default: return jv_missing();
    }
}

jv hlmi_jattr(jx *x, jv of, jv name)
{
    if (x->st != HLM_OK) return jv_none();
    if (of.kind == JV_UNDEF) return is_internal(name) ? unsafe(x, of, name) : hlmi_juse_undef(x, of);
    jv v = hlmi_jpyattr(x, of, name);
    if (!jv_given(v)) v = raw_item(x, of, name);
    return jv_given(v) ? v : hlmi_jundef(x, of, name);
}

jv hlmi_jitem(jx *x, jv of, jv key)
{
    if (x->st != HLM_OK) return jv_none();
    if (of.kind == JV_UNDEF) return hlmi_juse_undef(x, of);
    jv v = raw_item(x, of, key);
    if (!jv_given(v) && key.kind == JV_STR) v = hlmi_jpyattr(x, of, key);
    return jv_given(v) ? v : hlmi_jundef(x, of, key);
}

/* ---- slices */

/* Python's PySlice_AdjustIndices for a length that fits; *count items result. */
static void clip(int64_t n, int64_t step, bool has_start, bool has_stop, int64_t *start, int64_t *stop, int64_t *count)
{
    const int64_t low = step < 0 ? -1 : 0, high = step < 0 ? n - 1 : n;
    if (!has_start) *start = step < 0 ? high : low;
    else if (*start < 0) *start = *start < -n ? low : *start + n;
    else if (*start > high) *start = high;
    if (!has_stop) *stop = step < 0 ? low : high;
    else if (*stop < 0) *stop = *stop < -n ? low : *stop + n;
    else if (*stop > high) *stop = high;
    *count = 0;
    if (step > 0 && *start < *stop) *count = (*stop - *start - 1) / step + 1;
    if (step < 0 && *stop < *start) *count = step < -n ? 1 : (*start - *stop - 1) / -step + 1;
}

static jv slice_text(jx *x, jv s, int64_t start, int64_t step, int64_t count)
{
    jsb b = jsb_new(x);
    if (step == 1) {
        const size_t from = hlmi_u8_offset(s.u.s, s.n, (size_t)start);
        const size_t len = hlmi_u8_offset(s.u.s + from, s.n - from, (size_t)count);
        jv out = jv_str(s.u.s + from, len);
        out.flags = s.flags & JV_SAFE;
        return out;
    }
    /* walk the text once, forwards or backwards */
    size_t at = hlmi_u8_offset(s.u.s, s.n, (size_t)start);
    uint32_t cp;
    for (int64_t i = 0; i < count && hlmi_jstep(x, 1); i++) {
        hlmi_jsb_add(&b, s.u.s + at, hlmi_u8_next(s.u.s + at, s.n - at, &cp));
        for (int64_t k = 0; i + 1 < count && k != step; k += step < 0 ? -1 : 1)
            at = step < 0 ? at - hlmi_u8_prev(s.u.s, at, &cp) : at + hlmi_u8_next(s.u.s + at, s.n - at, &cp);
    }
    return hlmi_jsb_done(&b);
}

static jv slice_list(jx *x, jv of, int64_t start, int64_t step, int64_t count)
{
    if (step == 1) return jv_seq((jv_kind)of.kind, of.u.at + (count ? start : 0), (size_t)count);
    jv *at = hlmi_jalloc_values(x, (size_t)count);
    if (!at) return jv_none();
    for (int64_t i = 0; i < count; i++) at[i] = of.u.at[start + i * step];
    return jv_seq((jv_kind)of.kind, at, (size_t)count);
}

static bool bound(jx *x, jv v, int64_t *out)
{
    *out = 0;
    if (jv_is_intlike(v)) *out = jv_intval(v);
    else if (v.kind != JV_NONE) hlmi_jfail(x, "slice indices must be integers or None");
    return v.kind != JV_NONE;
}

static jv slice_range(jx *x, const jrange *of, int64_t start, int64_t stop, int64_t step, int64_t count)
{
    jrange *r = hlmi_jalloc(x, sizeof *r);
    if (!r) return jv_none();
    /* a range has at most 100000 items, and products wrap where Python's integers would grow */
    *r = (jrange){.start = (int64_t)((uint64_t)of->start + (uint64_t)start * (uint64_t)of->step),
                  .stop = (int64_t)((uint64_t)of->start + (uint64_t)stop * (uint64_t)of->step),
                  .step = (int64_t)((uint64_t)of->step * (uint64_t)step),
                  .count = (uint64_t)count};
    return (jv){.kind = JV_RANGE, .u.range = r};
}

jv hlmi_jslice(jx *x, jv of, jv start, jv stop, jv step)
{
    int64_t from, to, by, count;
    if (x->st != HLM_OK) return jv_none();
    if (of.kind == JV_UNDEF) return hlmi_juse_undef(x, of);
    if (of.kind != JV_STR && !jv_is_seq(of) && of.kind != JV_RANGE)
        return hlmi_jfail(x, "'%s' object can not be sliced", hlmi_jtype(of));
    const bool has_from = bound(x, start, &from), has_to = bound(x, stop, &to);
    if (!bound(x, step, &by)) by = 1;
    if (x->st != HLM_OK) return jv_none();
    if (by == 0) return hlmi_jfail(x, "slice step cannot be zero");
    if (by < -INT64_MAX) by = -INT64_MAX;
    if (!hlmi_jstep(x, of.kind == JV_STR ? of.n / 16 : 1)) return jv_none();
    clip(hlmi_jlen(of), by, has_from, has_to, &from, &to, &count);
    if (of.kind == JV_RANGE) return slice_range(x, of.u.range, from, to, by, count);
    if (count == 0) return of.kind == JV_STR ? jv_lit("") : jv_seq((jv_kind)of.kind, NULL, 0);
    return of.kind == JV_STR ? slice_text(x, of, from, by, count) : slice_list(x, of, from, by, count);
}
