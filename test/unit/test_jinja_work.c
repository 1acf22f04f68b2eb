/* What templates do is paid for: everything that can be asked of a value by a name, and every operator, has a case here
 * that does much in few steps of its own. Done over and over it ends in HLM_E_LIMIT, unless it is said to cost the same
 * whatever the value; then it never does. A filter, test, method or global function without a case is a failure. */
#include <string.h>

#include "jinja/run.h"
#include "unit/chat_help.h"
#include "unit/suite.h"

typedef enum { GROWS, SAME, FAILS } cost;

typedef struct work {
    const char *name, *expr;
    cost cost;
} work;

/* x, y: 1 MB of letters each, equal; w: white space and a digit; d: digits; l: 50 000 numbers; m: a dictionary of 5
 * 000; c: a cycler. */
static const char setup[] = "{% set x = 'ab' * 500000 %}{% set y = 'ab' * 500000 %}{% set w = ' ' * 1000000 ~ '1' %}"
                            "{% set d = '1' * 1000000 %}{% set l = range(50000)|list %}"
                            "{% set m = dict(range(10000)|batch(2)) %}{% set c = cycler(1, 2) %}";

static const work filters[] = {
    {"abs", "-5|abs", SAME},
    {"attr", "x|attr('upper')", SAME},
    {"d", "x|d", SAME},
    {"default", "x|default", SAME},
    {"float", "w|float", GROWS},
    {"int", "d|int", GROWS},
    {"pprint", "x|pprint", GROWS},
    {"round", "1.25|round(1)", SAME},
    {"string", "l|string", GROWS},
    {"tojson", "x|tojson", GROWS},
    {"capitalize", "x|capitalize", GROWS},
    {"center", "x|center(1000010)", GROWS},
    {"e", "x|e", GROWS},
    {"escape", "x|escape", GROWS},
    {"filesizeformat", "w|filesizeformat", GROWS},
    {"forceescape", "x|forceescape", GROWS},
    {"format", "'%s'|format(x)", GROWS},
    {"indent", "x|indent", GROWS},
    {"lower", "x|lower", GROWS},
    {"replace", "x|replace('bb', 'y')", GROWS},
    {"safe", "x|safe", SAME},
    {"striptags", "x|striptags", GROWS},
    {"title", "x|title", GROWS},
    {"trim", "w|trim", GROWS},
    {"truncate", "x|truncate(9)", GROWS},
    {"upper", "x|upper", GROWS},
    {"urlencode", "x|urlencode", GROWS},
    {"wordcount", "x|wordcount", GROWS},
    {"wordwrap", "x|wordwrap", GROWS},
    {"xmlattr", "{'a': x}|xmlattr", GROWS},
    {"batch", "l|batch(3)", GROWS},
    {"count", "x|count", GROWS},
    {"dictsort", "m|dictsort", GROWS},
    {"first", "l|first", SAME},
    {"groupby", "l|groupby('real')", GROWS},
    {"items", "m|items", SAME},
    {"join", "l|join", GROWS},
    {"last", "l|last", SAME},
    {"length", "x|length", GROWS},
    {"list", "m|list", GROWS},
    {"max", "l|max", GROWS},
    {"min", "l|min", GROWS},
    {"reverse", "l|reverse", GROWS},
    {"slice", "l|slice(50000)", GROWS},
    {"sort", "l|sort", GROWS},
    {"sum", "l|sum", GROWS},
    {"unique", "l|unique|list", GROWS},
    {"map", "l|map('abs')|list", GROWS},
    {"reject", "l|reject('odd')|list", GROWS},
    {"rejectattr", "l|rejectattr('real')|list", GROWS},
    {"select", "l|select('odd')|list", GROWS},
    {"selectattr", "l|selectattr('real')|list", GROWS},
};

static const work tests[] = {
    {"!=", "[x]|select('!=', y)|list", GROWS},
    {"<", "[x]|select('<', y)|list", GROWS},
    {"<=", "[x]|select('<=', y)|list", GROWS},
    {"==", "[x]|select('==', y)|list", GROWS},
    {">", "[x]|select('>', y)|list", GROWS},
    {">=", "[x]|select('>=', y)|list", GROWS},
    {"boolean", "x is boolean", SAME},
    {"callable", "x is callable", SAME},
    {"defined", "x is defined", SAME},
    {"divisibleby", "6 is divisibleby(3)", SAME},
    {"eq", "x is eq(y)", GROWS},
    {"equalto", "x is equalto(y)", GROWS},
    {"escaped", "x is escaped", SAME},
    {"even", "6 is even", SAME},
    {"false", "x is false", SAME},
    {"filter", "x is filter", GROWS},
    {"float", "x is float", SAME},
    {"ge", "x is ge(y)", GROWS},
    {"greaterthan", "x is greaterthan(y)", GROWS},
    {"gt", "x is gt(y)", GROWS},
    {"in", "'bb' is in(x)", GROWS},
    {"integer", "x is integer", SAME},
    {"iterable", "x is iterable", SAME},
    {"le", "x is le(y)", GROWS},
    {"lessthan", "x is lessthan(y)", GROWS},
    {"lower", "x is lower", GROWS},
    {"lt", "x is lt(y)", GROWS},
    {"mapping", "x is mapping", SAME},
    {"ne", "x is ne(y)", GROWS},
    {"none", "x is none", SAME},
    {"number", "x is number", SAME},
    {"odd", "6 is odd", SAME},
    {"sameas", "x is sameas(y)", GROWS},
    {"sequence", "x is sequence", SAME},
    {"string", "x is string", SAME},
    {"test", "x is test", GROWS},
    {"true", "x is true", SAME},
    {"undefined", "x is undefined", SAME},
    {"upper", "(x|upper) is upper", GROWS},
};

static const work methods[] = {
    {"str.capitalize", "x.capitalize()", GROWS},
    {"str.casefold", "x.casefold()", GROWS},
    {"str.center", "x.center(1000010)", GROWS},
    {"str.count", "x.count('bb')", GROWS},
    {"str.endswith", "x.endswith(y)", GROWS},
    {"str.expandtabs", "x.expandtabs()", GROWS},
    {"str.find", "x.find('bb')", GROWS},
    {"str.format", "('{' ~ 'a' * 1000000 ~ '}').format(**{'a' * 1000000: 1})", GROWS},
    {"str.format_map", "('{' ~ 'a' * 1000000 ~ '}').format_map({'a' * 1000000: 1})", GROWS},
    {"str.index", "(x ~ 'z').index('z')", GROWS},
    {"str.isalnum", "x.isalnum()", GROWS},
    {"str.isalpha", "x.isalpha()", GROWS},
    {"str.isascii", "x.isascii()", GROWS},
    {"str.isdecimal", "d.isdecimal()", GROWS},
    {"str.isdigit", "d.isdigit()", GROWS},
    {"str.isidentifier", "x.isidentifier()", GROWS},
    {"str.islower", "x.islower()", GROWS},
    {"str.isnumeric", "d.isnumeric()", GROWS},
    {"str.isprintable", "x.isprintable()", GROWS},
    {"str.isspace", "w.isspace()", GROWS},
    {"str.istitle", "x.istitle()", GROWS},
    {"str.isupper", "x.isupper()", GROWS},
    {"str.join", "x.join('12')", GROWS},
    {"str.ljust", "x.ljust(1000010)", GROWS},
    {"str.lower", "x.lower()", GROWS},
    {"str.lstrip", "w.lstrip()", GROWS},
    {"str.partition", "x.partition('bb')", GROWS},
    {"str.removeprefix", "x.removeprefix(y)", GROWS},
    {"str.removesuffix", "x.removesuffix(y)", GROWS},
    {"str.replace", "x.replace('bb', 'y')", GROWS},
    {"str.rfind", "x.rfind('bb')", GROWS},
    {"str.rindex", "('z' ~ x).rindex('z')", GROWS},
    {"str.rjust", "x.rjust(1000010)", GROWS},
    {"str.rpartition", "x.rpartition('bb')", GROWS},
    {"str.rsplit", "x.rsplit('bb')", GROWS},
    {"str.rstrip", "('1' ~ ' ' * 1000000).rstrip()", GROWS},
    {"str.split", "x.split('bb')", GROWS},
    {"str.splitlines", "x.splitlines()", GROWS},
    {"str.startswith", "x.startswith(y)", GROWS},
    {"str.strip", "w.strip()", GROWS},
    {"str.swapcase", "x.swapcase()", GROWS},
    {"str.title", "x.title()", GROWS},
    {"str.upper", "x.upper()", GROWS},
    {"str.zfill", "x.zfill(1000010)", GROWS},
    {"dict.copy", "m.copy()", SAME},
    {"dict.get", "m.get(x)", GROWS},
    {"dict.items", "m.items()", SAME},
    {"dict.keys", "m.keys()", SAME},
    {"dict.values", "m.values()", SAME},
    {"list.copy", "l.copy()", SAME},
    {"list.count", "l.count(1)", GROWS},
    {"list.index", "l.index(49999)", GROWS},
    {"tuple.count", "(x, x).count(y)", GROWS},
    {"tuple.index", "(1, x).index(y)", GROWS},
    {"range.count", "range(50000).count(1)", GROWS},
    {"range.index", "range(50000).index(49999)", GROWS},
    {"int.bit_length", "5 .bit_length()", SAME},
    {"int.conjugate", "5 .conjugate()", SAME},
    {"int.is_integer", "5 .is_integer()", SAME},
    {"bool.bit_length", "true.bit_length()", SAME},
    {"bool.conjugate", "true.conjugate()", SAME},
    {"bool.is_integer", "true.is_integer()", SAME},
    {"float.conjugate", "1.5.conjugate()", SAME},
    {"float.is_integer", "1.5.is_integer()", SAME},
    {"LoopContext.changed", "loop.changed(x)", GROWS},
    {"LoopContext.cycle", "loop.cycle(x, y)", SAME},
    {"Cycler.next", "c.next()", SAME},
    {"Cycler.reset", "c.reset()", SAME},
};

static const work globals[] = {
    {"cycler", "cycler(x)", SAME},        {"dict", "dict(m)", GROWS},
    {"joiner", "joiner(x)", SAME},        {"lipsum", "lipsum()", FAILS},
    {"namespace", "namespace(m)", GROWS}, {"raise_exception", "raise_exception('x')", FAILS},
    {"range", "range(99999)", SAME},      {"strftime_now", "strftime_now(x)", GROWS},
};

/* Operators, and searches whose text and part repeat themselves. */
static const work operators[] = {
    {"==", "x == y", GROWS},
    {"!=", "x != y", GROWS},
    {"<", "x < y", GROWS},
    {"<=", "x <= y", GROWS},
    {">", "x > y", GROWS},
    {">=", "x >= y", GROWS},
    {"in text", "'bb' in x", GROWS},
    {"not in text", "'bb' not in x", GROWS},
    {"in list", "-1 in l", GROWS},
    {"in dict", "x in m", GROWS},
    {"in range", "-1 in range(50000)", GROWS},
    {"in keys", "x in m.keys()", GROWS},
    {"in values", "-1 in m.values()", GROWS},
    {"+", "x + y", GROWS},
    {"+ of lists", "l + l", GROWS},
    {"~", "x ~ y", GROWS},
    {"*", "x * 2", GROWS},
    {"* of lists", "l * 2", GROWS},
    {"%", "'%s' % x", GROWS},
    {"% named", "'%(a)s' % {'a': x}", GROWS},
    {"list == list", "l == l[1:] + [0]", GROWS},
    {"dict == dict", "m == dict(m)", GROWS},
    {"- of digits", "-(d|int)", GROWS},
    {"[i]", "x[999999]", GROWS},
    {"[-i]", "x[-1]", GROWS},
    {"[key]", "m[x]", GROWS},
    {"[a:b]", "x[1:999999]", GROWS},
    {"[::n]", "x[::99999]", GROWS},
    {"[::-1]", "x[::-1]", GROWS},
    {"[::2] of lists", "l[::2]", GROWS},
    {"for", "(l|map('string')|list)", GROWS},
    {"map(attribute)", "([1] * 100)|map(attribute='a' * 10000, default=1)|list", GROWS},
    {"sort(attribute)", "l[:100]|sort(attribute='real,' * 1000)", GROWS},
    {"startswith(tuple)", "x.startswith((y ~ '1', y, y))", GROWS},
    {"strip(set)", "x.strip('ab')", GROWS},
    {"% of floats", "('%.300f' * 100) % ((1.5,) * 100)", GROWS},
    {"floats as text", "([1.1] * 1000)|string", GROWS},
    {"tojson(indent)", "[[[1]]]|tojson(indent=100000)", GROWS},
    {"count, periodic", "x.count('ab' * 250000 ~ 'b')", GROWS},
    {"find, periodic", "x.find('ab' * 250000 ~ 'b')", GROWS},
    {"rfind, periodic", "x.rfind('b' ~ 'ab' * 250000)", GROWS},
    {"split, periodic", "x.split('ab' * 250000 ~ 'b')", GROWS},
    {"rsplit, periodic", "x.rsplit('b' ~ 'ab' * 250000)", GROWS},
    {"replace, periodic", "x.replace('ab' * 250000 ~ 'b', '')", GROWS},
    {"in, periodic", "('ab' * 250000 ~ 'b') in x", GROWS},
};

static hlm_status run(const char *expr)
{
    static const char messages[] = "[]";
    const hlmi_mem mem = hlmi_mem_default();
    const hlmi_chat_input in = {.messages = {messages, sizeof messages - 1}};
    hlmi_buf text, out;
    hlmi_buf_init(&text, &mem);
    hlmi_buf_init(&out, &mem);
    hlmi_buf_printf(&text, "%s{%% for i in range(3000) %%}{%% set r = %s %%}{%% endfor %%}", setup, expr);
    const hlm_status st = render_once(&mem, text.data, text.len, &in, &out);
    hlmi_buf_free(&text);
    hlmi_buf_free(&out);
    return st;
}

static void check(const work *list, size_t n)
{
    static const hlm_status want[] = {[GROWS] = HLM_E_LIMIT, [SAME] = HLM_OK, [FAILS] = HLM_E_TEMPLATE};
    for (size_t i = 0; i < n; i++) {
        const hlm_status st = run(list[i].expr);
        ck_assert_msg(st == want[list[i].cost], "%s: %s ends with %d, %s", list[i].name, list[i].expr, (int)st,
                      st == HLM_OK ? "no error" : hlmi_error());
    }
}

static void has_case(const work *list, size_t n, const char *of, const char *name)
{
    char full[100];
    snprintf(full, sizeof full, "%s%s%s", of, *of ? "." : "", name);
    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i].name, full) == 0) return;
    ck_abort_msg("'%s' has no case here", full);
}

#define N(list) (sizeof(list) / sizeof *(list))

START_TEST(everything_has_a_case)
{
    const char *of;
    size_t n = 0;
    for (const jdesc *d; (d = hlmi_jfilter_at(n)) != NULL; n++) has_case(filters, N(filters), "", d->name);
    ck_assert_uint_eq(n, N(filters));
    n = 0;
    for (const jdesc *d; (d = hlmi_jtest_at(n)) != NULL; n++) has_case(tests, N(tests), "", d->name);
    ck_assert_uint_eq(n, N(tests));
    n = 0;
    for (const jdesc *d; (d = hlmi_jmethod_at(n, &of)) != NULL; n++) has_case(methods, N(methods), of, d->name);
    ck_assert_uint_eq(n, N(methods));
    n = 0;
    for (const jdesc *d; (d = hlmi_jglobal_at(n)) != NULL; n++) has_case(globals, N(globals), "", d->name);
    ck_assert_uint_eq(n, N(globals));
}
END_TEST

START_TEST(filters_pay)
{
    check(filters, N(filters));
}
END_TEST

START_TEST(tests_pay)
{
    check(tests, N(tests));
}
END_TEST

START_TEST(methods_pay)
{
    check(methods, N(methods));
}
END_TEST

START_TEST(globals_pay)
{
    check(globals, N(globals));
}
END_TEST

START_TEST(operators_pay)
{
    check(operators, N(operators));
}
END_TEST

int main(void)
{
    const TTest *const all[] = {everything_has_a_case, filters_pay, tests_pay, methods_pay, globals_pay, operators_pay};
    return suite_run("jinja_work", all, sizeof all / sizeof *all);
}
