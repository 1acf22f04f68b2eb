/* Arithmetic with Python's types. Integers are 64 bits wide; a result that does not fit is an error. */
#include "jinja/number.h"
#include "jinja/ops.h"
#include "jinja/trust.h"

static jv overflow(jx *x)
{
    return hlmi_jfail(x, "an integer is wider than 64 bits");
}

static const char *op_text(uint16_t op)
{
    switch (op) {
    case '+': return "+";
    case '-': return "-";
    case '*': return "*";
    case '/': return "/";
    case '%': return "%";
    case ('/' << 8 | '/'): return "//";
    default: return "** or pow()";
    }
}

static jv unsupported(jx *x, uint16_t op, jv a, jv b)
{
    if (a.kind == JV_UNDEF) return hlmi_juse_undef(x, a);
    if (b.kind == JV_UNDEF) return hlmi_juse_undef(x, b);
    if (op == '+' && (a.kind == JV_STR || jv_is_seq(a)))
        return hlmi_jfail(x, "can only concatenate %s (not \"%s\") to %s", hlmi_jtype(a), hlmi_jtype(b), hlmi_jtype(a));
    return hlmi_jfail(x, "unsupported operand type(s) for %s: '%s' and '%s'", op_text(op), hlmi_jtype(a),
                      hlmi_jtype(b));
}

static jv int_pow(jx *x, int64_t base, int64_t e)
{
    int64_t out = 1;
    while (e) {
        if ((e & 1) && __builtin_mul_overflow(out, base, &out)) return overflow(x);
        e >>= 1;
        if (e && __builtin_mul_overflow(base, base, &base)) return overflow(x);
    }
    return jv_int(out);
}

/* Whole exponents only, so that the result does not depend on a math library. */
static jv float_pow(jx *x, double base, double e)
{
    if (!(e >= -1000000.0 && e <= 1000000.0) || e != hlmi_jfloor(e))
        return hlmi_jfail(x, "** needs a whole number as its exponent");
    if (base == 0.0 && e < 0) return hlmi_jfail(x, "0.0 cannot be raised to a negative power");
    int64_t n = (int64_t)(e < 0 ? -e : e);
    long double out = 1.0L, b = base;
    for (; n; n >>= 1, b *= b)
        if (n & 1) out *= b;
    if (e < 0) out = 1.0L / out;
    const double f = (double)out;
    if (!hlmi_jfinite(f) && hlmi_jfinite(base)) return hlmi_jfail(x, "the result of ** is too large");
    return jv_float(f);
}

static jv int_op(jx *x, uint16_t op, int64_t a, int64_t b)
{
    int64_t r = 0;
    switch (op) {
    case '+': return __builtin_add_overflow(a, b, &r) ? overflow(x) : jv_int(r);
    case '-': return __builtin_sub_overflow(a, b, &r) ? overflow(x) : jv_int(r);
    case '*': return __builtin_mul_overflow(a, b, &r) ? overflow(x) : jv_int(r);
    case '*' << 8 | '*': return b < 0 ? float_pow(x, (double)a, (double)b) : int_pow(x, a, b);
    case '/': return b == 0 ? hlmi_jfail(x, "division by zero") : jv_float((double)a / (double)b);
    default: break;
    }
    if (b == 0) return hlmi_jfail(x, "integer division or modulo by zero");
    if (b == -1) { /* the one quotient that may not fit; the remainder is 0 */
        if (op == '%') return jv_int(0);
        return a == INT64_MIN ? overflow(x) : jv_int(-a);
    }
    int64_t q = a / b;
    r = a % b;
    if (r != 0 && (r < 0) != (b < 0)) {
        q--;
        r += b;
    }
    return jv_int(op == '%' ? r : q);
}

static jv float_op(jx *x, uint16_t op, double a, double b)
{
    switch (op) {
    case '+': return jv_float(a + b);
    case '-': return jv_float(a - b);
    case '*': return jv_float(a * b);
    case '*' << 8 | '*': return float_pow(x, a, b);
    default: break;
    }
    if (b == 0.0) return hlmi_jfail(x, op == '/' ? "float division by zero" : "float modulo by zero");
    if (op == '/') return jv_float(a / b);
    const double r = hlmi_jfmod(a, b);
    if (op == '%') return jv_float(r);
    const double q = (a - r) / b, floor = hlmi_jfloor(q), whole = q - floor > 0.5 ? floor + 1.0 : floor;
    if (whole != 0.0) return jv_float(whole);
    return jv_float(a / b < 0.0 || b / a < 0.0 ? -0.0 : 0.0); /* zero has the sign of a / b */
}

/* v repeated n times: a string, list or tuple. */
static jv repeat(jx *x, jv v, int64_t n)
{
    if (n <= 0 || v.n == 0) {
        v.n = 0;
        return v;
    }
    if (n == 1) return v;
    const size_t size = v.kind == JV_STR ? 1 : sizeof(jv);
    if ((uint64_t)n > UINT32_MAX / (v.n * size)) return hlmi_jlimit(x, "a repeated value is larger than allowed");
    char *p = hlmi_jalloc(x, (size_t)n * v.n * size);
    if (!p) return jv_none();
    const size_t one = v.n * size, all = one * (size_t)n;
    const bool text = v.kind == JV_STR;
    memcpy(p, v.u.s, one);
    if (text) hlmi_jtrust_copy(x, p, v.u.s, one);
    for (size_t done = one; done < all;) {
        const size_t more = done < all - done ? done : all - done;
        memcpy(p + done, p, more);
        if (text) hlmi_jtrust_copy(x, p + done, p, more);
        done += more;
    }
    v.n *= (uint32_t)n;
    v.u.s = p;
    return v;
}

static jv add_seq(jx *x, jv a, jv b)
{
    if (a.n == 0) return b;
    if (b.n == 0) return a;
    jv *at = hlmi_jalloc_values(x, (size_t)a.n + b.n);
    if (!at) return jv_none();
    memcpy(at, a.u.at, a.n * sizeof *at);
    memcpy(at + a.n, b.u.at, b.n * sizeof *at);
    return jv_seq((jv_kind)a.kind, at, (size_t)a.n + b.n);
}

/* Text that is marked safe escapes what is added to it. */
static jv add_text(jx *x, jv a, jv b)
{
    const uint8_t safe = (a.flags | b.flags) & JV_SAFE;
    if (safe) {
        a = hlmi_jescape(x, a);
        b = hlmi_jescape(x, b);
    }
    jv out = hlmi_jconcat(x, a, b);
    if (out.kind == JV_STR) out.flags = safe;
    return out;
}

jv hlmi_jbinary(jx *x, uint16_t op, jv a, jv b)
{
    if (a.kind == JV_STR && op == '%') {
        const bool trusted = hlmi_jtrust_call(x, a, &(jargs){.at = &b, .n = 1});
        const jv text = hlmi_jpercent(x, a, b);
        x->trusted = trusted;
        return text;
    }
    if (jv_is_intlike(a) && jv_is_intlike(b)) return int_op(x, op, jv_intval(a), jv_intval(b));
    if (jv_is_number(a) && jv_is_number(b)) {
        if (a.kind != JV_FLOAT && b.kind != JV_FLOAT && op != '/') return overflow(x);
        return float_op(x, op, hlmi_jfloat_of(a), hlmi_jfloat_of(b));
    }
    if (op == '+') {
        if (a.kind == JV_STR && b.kind == JV_STR) return add_text(x, a, b);
        if (a.kind == b.kind && jv_is_seq(a)) return add_seq(x, a, b);
    }
    if (op == '*') {
        if ((a.kind == JV_STR || jv_is_seq(a)) && jv_is_intlike(b)) return repeat(x, a, jv_intval(b));
        if ((b.kind == JV_STR || jv_is_seq(b)) && jv_is_intlike(a)) return repeat(x, b, jv_intval(a));
    }
    return unsupported(x, op, a, b);
}

jv hlmi_junary(jx *x, uint16_t op, jv a)
{
    if (op == '!') return jv_bool(!hlmi_jtruth(a));
    if (jv_is_intlike(a)) {
        const int64_t i = jv_intval(a);
        if (op == '+') return jv_int(i);
        return i == INT64_MIN ? overflow(x) : jv_int(-i);
    }
    if (a.kind == JV_FLOAT) return jv_float(op == '-' ? -a.u.f : a.u.f);
    if (a.kind == JV_BIG) {
        if (op == '+') return a;
        if (a.u.s[0] == '-') return hlmi_jdecimal(a.u.s + 1, a.n - 1);
        const jv neg = hlmi_jconcat(x, jv_lit("-"), jv_str(a.u.s, a.n));
        return x->st == HLM_OK ? hlmi_jdecimal(neg.u.s, neg.n) : jv_none();
    }
    if (a.kind == JV_UNDEF) return hlmi_juse_undef(x, a);
    return hlmi_jfail(x, "bad operand type for unary %c: '%s'", (char)op, hlmi_jtype(a));
}
