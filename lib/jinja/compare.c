/* Truth, equality, order and membership. */
#include "jinja/number.h"
#include "jinja/ops.h"
#include "jinja/strings.h"
#include "jinja/utext.h"

bool hlmi_jtruth(jv v)
{
    switch (v.kind) {
    case JV_MISSING:
    case JV_UNDEF:
    case JV_NONE: return false;
    case JV_BOOL: return v.u.b;
    case JV_INT: return v.u.i != 0;
    case JV_FLOAT: return v.u.f != 0.0;
    case JV_STR:
    case JV_LIST:
    case JV_TUPLE: return v.n != 0;
    case JV_DICT:
    case JV_KEYS:
    case JV_VALUES:
    case JV_ITEMS: return v.u.dict->n != 0;
    case JV_RANGE: return v.u.range->count != 0;
    case JV_LOOP: return true;
    default: return true;
    }
}

static bool same_digits(jv a, jv b)
{
    if (a.kind == JV_BIG && b.kind == JV_BIG) return jv_same_text(a, b);
    return a.kind == JV_FLOAT || b.kind == JV_FLOAT ? hlmi_jfloat_of(a) == hlmi_jfloat_of(b) : false;
}

/* A double as an integer when that is exact. */
static bool exact_int(double f, int64_t *i)
{
    if (!(f >= -9223372036854775808.0 && f < 9223372036854775808.0)) return false;
    *i = (int64_t)f;
    return (double)*i == f;
}

static bool equal_numbers(jv a, jv b)
{
    if (a.kind == JV_BIG || b.kind == JV_BIG) return same_digits(a, b);
    if (jv_is_intlike(a) && jv_is_intlike(b)) return jv_intval(a) == jv_intval(b);
    if (a.kind == JV_FLOAT && b.kind == JV_FLOAT) return a.u.f == b.u.f;
    int64_t i;
    const jv f = a.kind == JV_FLOAT ? a : b, n = a.kind == JV_FLOAT ? b : a;
    return exact_int(f.u.f, &i) && i == jv_intval(n);
}

static bool equal_items(jx *x, jv a, jv b)
{
    if (a.n != b.n) return false;
    if (a.u.at == b.u.at) return true;
    bool same = hlmi_jenter(x);
    if (!same) return false;
    for (uint32_t i = 0; same && i < a.n; i++) same = hlmi_jequal(x, a.u.at[i], b.u.at[i]);
    hlmi_jleave(x);
    return same;
}

static bool equal_dicts(jx *x, const jdict *a, const jdict *b)
{
    if (a == b) return true;
    if (a->n != b->n || !hlmi_jenter(x)) return false;
    bool same = true;
    for (uint32_t i = 0; same && i < a->n; i++) {
        const jv *v = hlmi_jdict_get(x, b, a->at[i].key);
        same = v && hlmi_jequal(x, a->at[i].val, *v);
    }
    hlmi_jleave(x);
    return same;
}

static bool equal_ranges(const jrange *a, const jrange *b)
{
    if (a->count != b->count) return false;
    if (a->count == 0) return true;
    return a->start == b->start && (a->count == 1 || a->step == b->step);
}

bool hlmi_jequal(jx *x, jv a, jv b)
{
    if (!hlmi_jstep(x, 1 + (a.kind == JV_BIG ? a.n / 128 : 0))) return false;
    if (jv_is_number(a) && jv_is_number(b)) return equal_numbers(a, b);
    if (a.kind != b.kind) return false;
    switch (a.kind) {
    case JV_NONE:
    case JV_UNDEF: return true;
    case JV_STR: return hlmi_jstep(x, a.n / 128) && jv_same_text(a, b);
    case JV_LIST:
    case JV_TUPLE: return equal_items(x, a, b);
    case JV_DICT: return equal_dicts(x, a.u.dict, b.u.dict);
    case JV_KEYS:
    case JV_ITEMS: return equal_items(x, hlmi_jlist_of(x, a), hlmi_jlist_of(x, b));
    case JV_RANGE: return equal_ranges(a.u.range, b.u.range);
    default: return hlmi_jsame(a, b);
    }
}

bool hlmi_jsame(jv a, jv b)
{
    if (a.kind != b.kind) return false;
    switch (a.kind) {
    case JV_NONE: return true;
    case JV_BOOL: return a.u.b == b.u.b;
    case JV_INT: return a.u.i == b.u.i;
    case JV_FLOAT: return a.u.f == b.u.f;
    case JV_BIG:
    case JV_STR: return jv_same_text(a, b);
    case JV_LIST:
    case JV_TUPLE: return a.n == b.n && a.u.at == b.u.at;
    default: return a.u.dict == b.u.dict;
    }
}

static bool text_less(jv a, jv b)
{
    const uint32_t n = a.n < b.n ? a.n : b.n;
    const int c = n ? memcmp(a.u.s, b.u.s, n) : 0;
    return c != 0 ? c < 0 : a.n < b.n;
}

/* -1, 0 or 1; 2 when one is NaN. */
static int order_numbers(jv a, jv b)
{
    if (jv_is_intlike(a) && jv_is_intlike(b)) return (jv_intval(a) > jv_intval(b)) - (jv_intval(a) < jv_intval(b));
    const double p = hlmi_jfloat_of(a), q = hlmi_jfloat_of(b);
    return p < q ? -1 : p > q ? 1 : p == q ? 0 : 2;
}

/* a < b, or a <= b when `or_equal`. */
static bool ordered(jx *x, jv a, jv b, bool or_equal)
{
    if (!hlmi_jstep(x, 1)) return false;
    if (jv_is_number(a) && jv_is_number(b)) {
        const int o = order_numbers(a, b);
        return o == -1 || (or_equal && o == 0);
    }
    if (a.kind == JV_STR && b.kind == JV_STR)
        return hlmi_jstep(x, a.n / 128) && (or_equal ? !text_less(b, a) : text_less(a, b));
    if (a.kind == b.kind && jv_is_seq(a)) {
        bool yes = or_equal ? a.n <= b.n : a.n < b.n;
        if (!hlmi_jenter(x)) return false;
        for (uint32_t i = 0; i < a.n && i < b.n && x->st == HLM_OK; i++) {
            if (hlmi_jequal(x, a.u.at[i], b.u.at[i])) continue;
            yes = ordered(x, a.u.at[i], b.u.at[i], or_equal);
            break;
        }
        hlmi_jleave(x);
        return yes;
    }
    if (a.kind == JV_UNDEF || b.kind == JV_UNDEF) hlmi_juse_undef(x, a.kind == JV_UNDEF ? a : b);
    else hlmi_jfail(x, "values of types '%s' and '%s' have no order", hlmi_jtype(a), hlmi_jtype(b));
    return false;
}

bool hlmi_jless(jx *x, jv a, jv b)
{
    return ordered(x, a, b, false);
}

bool hlmi_jless_equal(jx *x, jv a, jv b)
{
    return ordered(x, a, b, true);
}

bool hlmi_jcontains(jx *x, jv in, jv item)
{
    if (in.kind == JV_STR) {
        if (item.kind == JV_STR) return hlmi_jfind_text(x, in, item, 0) != SIZE_MAX;
        hlmi_jfail(x, "'in <string>' requires string as left operand, not %s", hlmi_jtype(item));
        return false;
    }
    if (in.kind == JV_DICT || in.kind == JV_KEYS) return hlmi_jdict_get(x, in.u.dict, item) != NULL;
    jiter it;
    jv v;
    if (in.kind == JV_NONE || jv_is_number(in)) {
        hlmi_jfail(x, "argument of type '%s' is not iterable", hlmi_jtype(in));
        return false;
    }
    if (!hlmi_jiter(x, in, &it)) return false;
    while (hlmi_jnext(x, &it, &v))
        if (hlmi_jequal(x, v, item)) return true;
    return false;
}
