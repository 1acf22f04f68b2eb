/* Tests: what may stand behind `is`. */
#include "jinja/number.h"
#include "jinja/ops.h"
#include "jinja/unicode.h"
#include "jinja/utext.h"

#define TEST(name, expr)                             \
  static jv name(jx *x, const jv *p, const jargs *a) \
  {                                                  \
    (void)x;                                         \
    (void)a;                                         \
    return jv_bool(expr);                            \
  }

TEST(t_boolean, p[0].kind == JV_BOOL)
TEST(t_defined, p[0].kind != JV_UNDEF)
TEST(t_undefined, p[0].kind == JV_UNDEF)
TEST(t_none, p[0].kind == JV_NONE)
TEST(t_true, p[0].kind == JV_BOOL && p[0].u.b)
TEST(t_false, p[0].kind == JV_BOOL && !p[0].u.b)
TEST(t_integer, p[0].kind == JV_INT || p[0].kind == JV_BIG)
TEST(t_float, p[0].kind == JV_FLOAT)
TEST(t_number, jv_is_number(p[0]))
TEST(t_string, p[0].kind == JV_STR)
TEST(t_mapping, p[0].kind == JV_DICT)
TEST(t_escaped, p[0].kind == JV_STR && (p[0].flags & JV_SAFE))
TEST(t_sequence,
     p[0].kind == JV_STR || p[0].kind == JV_DICT || p[0].kind == JV_UNDEF || jv_is_seq(p[0]) || p[0].kind == JV_RANGE)
TEST(t_iterable, (p[0].kind >= JV_STR && p[0].kind <= JV_ITEMS) || p[0].kind == JV_UNDEF || p[0].kind == JV_LOOP)
TEST(t_callable,
     (p[0].kind >= JV_MACRO && p[0].kind <= JV_METHOD) || p[0].kind == JV_JOINER || p[0].kind == JV_LOOP ||
         p[0].kind == JV_UNDEF)
TEST(t_sameas, hlmi_jstep(x, p[0].kind == JV_STR || p[0].kind == JV_BIG ? p[0].n / 128 : 0) && hlmi_jsame(p[0], p[1]))
TEST(t_in, hlmi_jcontains(x, p[1], p[0]))
TEST(t_eq, hlmi_jequal(x, p[0], p[1]))
TEST(t_ne, !hlmi_jequal(x, p[0], p[1]))
TEST(t_lt, hlmi_jless(x, p[0], p[1]))
TEST(t_gt, hlmi_jless(x, p[1], p[0]))
TEST(t_le, hlmi_jless_equal(x, p[0], p[1]))
TEST(t_ge, hlmi_jless_equal(x, p[1], p[0]))

/* Looking a value up in a table fails when it can not be hashed. */
static bool is_name(jx *x, jv v)
{
    uint64_t hash;
    return hlmi_jhash(x, v, &hash) && v.kind == JV_STR;
}

TEST(t_filter, is_name(x, p[0]) && hlmi_jfilter(p[0]) != NULL)
TEST(t_test, is_name(x, p[0]) && hlmi_jtest(p[0]) != NULL)

static jv remainder_is(jx *x, jv v, jv by, int64_t want)
{
    const jv r = hlmi_jbinary(x, '%', v, by); /* of a text, this formats */
    return x->st == HLM_OK ? jv_bool(hlmi_jequal(x, r, jv_int(want))) : jv_none();
}

static jv t_odd(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    return remainder_is(x, p[0], jv_int(2), 1);
}

static jv t_even(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    return remainder_is(x, p[0], jv_int(2), 0);
}

static jv t_divisibleby(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    return remainder_is(x, p[0], p[1], 0);
}

/* str(v).isupper() or islower(): at least one letter with case, and none of the other. */
static jv cased(jx *x, jv v, bool (*good)(uint32_t), bool (*bad)(uint32_t))
{
    const jv s = hlmi_jtext(x, v);
    bool any = false;
    if (!hlmi_jstep(x, s.n / 16)) return jv_none();
    for (size_t i = 0; x->st == HLM_OK && i < s.n;) {
        uint32_t cp;
        i += hlmi_u8_next(s.u.s + i, s.n - i, &cp);
        if (bad(cp) || hlmi_u_title(cp)) return jv_bool(false);
        any = any || good(cp);
    }
    return jv_bool(any);
}

static jv t_upper(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    return cased(x, p[0], hlmi_u_upper, hlmi_u_lower);
}

static jv t_lower(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    return cased(x, p[0], hlmi_u_lower, hlmi_u_upper);
}

static const jdesc descs[] = {
    {"!=", t_ne, 1, "-"},
    {"<", t_lt, 1, "-"},
    {"<=", t_le, 1, "-"},
    {"==", t_eq, 1, "-"},
    {">", t_gt, 1, "-"},
    {">=", t_ge, 1, "-"},
    {"boolean", t_boolean, 0, ""},
    {"callable", t_callable, 0, ""},
    {"defined", t_defined, 0, ""},
    {"divisibleby", t_divisibleby, 1, "num"},
    {"eq", t_eq, 1, "-"},
    {"equalto", t_eq, 1, "-"},
    {"escaped", t_escaped, 0, ""},
    {"even", t_even, 0, ""},
    {"false", t_false, 0, ""},
    {"filter", t_filter, 0, ""},
    {"float", t_float, 0, ""},
    {"ge", t_ge, 1, "-"},
    {"greaterthan", t_gt, 1, "-"},
    {"gt", t_gt, 1, "-"},
    {"in", t_in, 1, "seq"},
    {"integer", t_integer, 0, ""},
    {"iterable", t_iterable, 0, ""},
    {"le", t_le, 1, "-"},
    {"lessthan", t_lt, 1, "-"},
    {"lower", t_lower, 0, ""},
    {"lt", t_lt, 1, "-"},
    {"mapping", t_mapping, 0, ""},
    {"ne", t_ne, 1, "-"},
    {"none", t_none, 0, ""},
    {"number", t_number, 0, ""},
    {"odd", t_odd, 0, ""},
    {"sameas", t_sameas, 1, "other"},
    {"sequence", t_sequence, 0, ""},
    {"string", t_string, 0, ""},
    {"test", t_test, 0, ""},
    {"true", t_true, 0, ""},
    {"undefined", t_undefined, 0, ""},
    {"upper", t_upper, 0, ""},
};

const jdesc *hlmi_jtest_at(size_t i)
{
    return i < sizeof descs / sizeof *descs ? &descs[i] : NULL;
}

const jdesc *hlmi_jtest(jv name)
{
    return hlmi_jfind(descs, sizeof descs / sizeof *descs, name);
}
