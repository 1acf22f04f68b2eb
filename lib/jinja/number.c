/* Numbers to text and back. */
#include "jinja/number.h"

#include <float.h>
#include <stdio.h>
#include <stdlib.h>

#include "jinja/utext.h"

/* snprintf and strtod use the locale's decimal point; this is its spelling. */
static size_t decimal_point(char out[8])
{
    char buf[16];
    const int n = snprintf(buf, sizeof buf, "%.1f", 0.5);
    const size_t len = n > 2 && n < 10 ? (size_t)n - 2 : 1;
    memcpy(out, buf + 1, len);
    out[len] = '\0';
    return len;
}

bool hlmi_jfinite(double f)
{
    return f - f == 0.0;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* p is a float's text without spaces, sign allowed, [n] of it checked by the caller. */
static bool read_float(const char *p, size_t n, double *out)
{
    char small[128], point[8], *text = small, *end;
    const size_t plen = decimal_point(point);
    size_t k = 0;
    if (n + plen >= sizeof small) return false;
    for (size_t i = 0; i < n; i++) {
        if (p[i] == '_') continue;
        if (p[i] == '.') {
            memcpy(text + k, point, plen);
            k += plen;
        } else {
            text[k++] = p[i];
        }
    }
    text[k] = '\0';
    *out = strtod(text, &end);
    return end == text + k;
}

static size_t digits(const char *p, size_t n)
{
    size_t i = 0;
    while (i < n && (is_digit(p[i]) || (p[i] == '_' && i > 0 && p[i - 1] != '_' && i + 1 < n && is_digit(p[i + 1]))))
        i++;
    return i;
}

/* Length of [sign] digits [. digits] [e [sign] digits]; *dot tells whether it is a float. */
static size_t float_len(const char *p, size_t n, bool loose, bool *is_float)
{
    size_t i = loose && n && (*p == '-' || *p == '+') ? 1 : 0;
    *is_float = false;
    const size_t whole = digits(p + i, n - i);
    size_t frac = 0;
    i += whole;
    if (whole == 0 && !loose) return 0;
    if (i < n && p[i] == '.') {
        frac = digits(p + i + 1, n - i - 1);
        if (frac || (loose && whole)) {
            i += 1 + frac;
            *is_float = true;
        }
    }
    if (whole == 0 && frac == 0) return 0;
    if (i < n && (p[i] == 'e' || p[i] == 'E')) {
        size_t j = i + 1;
        if (j < n && (p[j] == '-' || p[j] == '+')) j++;
        const size_t e = digits(p + j, n - j);
        if (e) {
            i = j + e;
            *is_float = true;
        }
    }
    return i;
}

static bool same_nocase(const char *p, size_t n, const char *word)
{
    if (n != strlen(word)) return false;
    for (size_t i = 0; i < n; i++)
        if ((p[i] | 0x20) != word[i]) return false;
    return true;
}

bool hlmi_jparse_float(const char *p, size_t n, double *out)
{
    bool dot;
    const bool neg = n && *p == '-';
    const size_t sign = n && (*p == '-' || *p == '+');
    if (same_nocase(p + sign, n - sign, "inf") || same_nocase(p + sign, n - sign, "infinity")) {
        *out = neg ? -DBL_MAX * 2.0 : DBL_MAX * 2.0;
        return true;
    }
    if (same_nocase(p + sign, n - sign, "nan")) {
        const double zero = 0.0;
        *out = zero / zero;
        return true;
    }
    return n && float_len(p, n, true, &dot) == n && read_float(p, n, out);
}

/* ---- integers */

static int digit_value(char c)
{
    if (is_digit(c)) return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'z' ? c - 'a' + 10 : 99;
}

/* Digits of `base` with single underscores between them. */
static bool read_int(const char *p, size_t n, unsigned base, bool neg, int64_t *out)
{
    uint64_t v = 0;
    const uint64_t max = (uint64_t)INT64_MAX + (neg ? 1 : 0);
    for (size_t i = 0; i < n; i++) {
        if (p[i] == '_') continue;
        const unsigned d = (unsigned)digit_value(p[i]);
        if (v > (max - d) / base) return false;
        v = v * base + d;
    }
    *out = neg ? (int64_t)(0 - v) : (int64_t)v;
    return true;
}

jv hlmi_jdecimal(const char *p, size_t n)
{
    int64_t i;
    const bool neg = n && *p == '-';
    if (read_int(p + neg, n - neg, 10, neg, &i)) return jv_int(i);
    return (jv){.kind = JV_BIG, .n = (uint32_t)n, .u.s = p};
}

static jv without_underscores(jx *x, const char *p, size_t n)
{
    jsb b = jsb_new(x);
    for (size_t i = 0; i < n; i++)
        if (p[i] != '_') hlmi_jsb_char(&b, p[i]);
    return hlmi_jsb_done(&b);
}

size_t hlmi_jnumber_scan(jx *x, const char *p, size_t n, bool floats, jv *out)
{
    static const char prefix[] = "box";
    static const unsigned bases[] = {2, 8, 16};
    const char *kind = n > 2 && p[0] == '0' ? strchr(prefix, p[1] | 0x20) : NULL;
    if (kind && *kind) {
        const unsigned base = bases[kind - prefix];
        size_t i = 2;
        while (i < n &&
               ((unsigned)digit_value(p[i]) < base ||
                (p[i] == '_' && i + 1 < n && (unsigned)digit_value(p[i + 1]) < base)))
            i++;
        int64_t v;
        if (i == 2 || !read_int(p + 2, i - 2, base, false, &v)) return 0;
        *out = jv_int(v);
        return i;
    }
    bool is_float;
    size_t len = float_len(p, n, false, &is_float);
    if (!floats || !is_float) {
        len = digits(p, n);
        const jv text = without_underscores(x, p, len);
        size_t zeros = 0;
        while (zeros + 1 < text.n && text.u.s[zeros] == '0') zeros++;
        if (zeros && text.u.s[zeros] != '0') return 0;
        *out = hlmi_jdecimal(text.u.s + zeros, text.n - zeros);
        return len;
    }
    double f;
    if (!read_float(p, len, &f)) return 0;
    *out = jv_float(f);
    return len;
}

bool hlmi_jstr_float(jv s, double *out)
{
    s = hlmi_jstrip(s, true, true);
    return hlmi_jparse_float(s.u.s, s.n, out);
}

bool hlmi_jstr_int(jx *x, jv s, int base, jv *out)
{
    s = hlmi_jstrip(s, true, true);
    const char *p = s.u.s;
    size_t n = s.n, i = 0;
    const bool neg = n && *p == '-';
    if (n && (*p == '-' || *p == '+')) p++, n--;
    const char mark = n > 2 && *p == '0' ? (char)(p[1] | 0x20) : '\0';
    const int marked = mark == 'x' ? 16 : mark == 'o' ? 8 : mark == 'b' ? 2 : 0;
    if (marked && (base == marked || base == 0)) p += 2, n -= 2, base = marked;
    if (base == 0) base = 10;
    while (i < n && (digit_value(p[i]) < base || (p[i] == '_' && i > 0 && p[i - 1] != '_' && i + 1 < n))) i++;
    if (n == 0 || i != n) return false;
    int64_t v;
    if (read_int(p, n, (unsigned)base, neg, &v)) {
        *out = jv_int(v);
        return true;
    }
    if (base != 10) return false;
    jsb b = jsb_new(x);
    if (neg) hlmi_jsb_char(&b, '-');
    while (n > 1 && (*p == '0' || *p == '_')) p++, n--;
    const jv plain = without_underscores(x, p, n);
    hlmi_jsb_add(&b, plain.u.s, plain.n);
    *out = hlmi_jsb_done(&b);
    if (out->kind == JV_STR) out->kind = JV_BIG;
    return true;
}

/* ---- floats to text */

size_t hlmi_jfloat_format(double f, int prec, char conv, bool alt, char *buf, size_t size)
{
    const char fmt[] = {'%', alt ? '#' : '.', alt ? '.' : '*', alt ? '*' : conv, alt ? conv : '\0', '\0'};
    char point[8];
    const size_t plen = decimal_point(point);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    const int n = snprintf(buf, size, fmt, prec, f);
#pragma GCC diagnostic pop
    size_t len = n < 0 ? 0 : (size_t)n < size ? (size_t)n : size - 1;
    char *dot = strstr(buf, point);
    if (!dot || (plen == 1 && *point == '.')) return len;
    *dot = '.';
    memmove(dot + 1, dot + plen, len - (size_t)(dot - buf) - plen + 1);
    return len - plen + 1;
}

/* Digits and decimal exponent of the shortest text that reads back as f. */
static size_t shortest(double f, char *dig, int *exp)
{
    char buf[64];
    double back = 0.0;
    for (int prec = 0; prec < 17; prec++) {
        const size_t n = hlmi_jfloat_format(f, prec, 'e', false, buf, sizeof buf);
        if (prec == 16 || (read_float(buf, n, &back) && back == f)) break;
    }
    size_t k = 0;
    const char *p = buf;
    for (; *p != 'e'; p++)
        if (is_digit(*p)) dig[k++] = *p;
    *exp = atoi(p + 1);
    while (k > 1 && dig[k - 1] == '0') k--;
    return k;
}

size_t hlmi_jfloat_repr(double f, char *buf)
{
    if (!hlmi_jfinite(f)) return (size_t)snprintf(buf, HLMI_FLOAT_TEXT, "%s", f != f ? "nan" : f > 0 ? "inf" : "-inf");
    char dig[32];
    int exp;
    size_t n = 0, at = 0;
    const size_t k = shortest(f < 0 ? -f : f, dig, &exp);
    if (f < 0 || (f == 0.0 && 1.0 / f < 0)) buf[n++] = '-';
    if (exp < -4 || exp >= 16) {
        buf[n++] = dig[at++];
        if (k > 1) buf[n++] = '.';
        while (at < k) buf[n++] = dig[at++];
        return n + (size_t)snprintf(buf + n, 16, "e%c%02d", exp < 0 ? '-' : '+', exp < 0 ? -exp : exp);
    }
    if (exp < 0) {
        buf[n++] = '0';
        buf[n++] = '.';
        for (int i = -1; i > exp; i--) buf[n++] = '0';
        while (at < k) buf[n++] = dig[at++];
    } else {
        for (int i = 0; i <= exp; i++) buf[n++] = at < k ? dig[at++] : '0';
        buf[n++] = '.';
        if (at >= k) buf[n++] = '0';
        while (at < k) buf[n++] = dig[at++];
    }
    buf[n] = '\0';
    return n;
}

/* ---- arithmetic without libm */

double hlmi_jfloat_of(jv v)
{
    double f = 0.0;
    switch (v.kind) {
    case JV_BOOL: return v.u.b ? 1.0 : 0.0;
    case JV_INT: return (double)v.u.i;
    case JV_FLOAT: return v.u.f;
    case JV_BIG:
        if (!read_float(v.u.s, v.n, &f)) return v.u.s[0] == '-' ? -DBL_MAX : DBL_MAX;
        return f;
    default: return 0.0;
    }
}

double hlmi_jfloor(double f)
{
    if (!(f > -9007199254740992.0 && f < 9007199254740992.0)) return f; /* integral, or not finite */
    const double t = (double)(int64_t)f;
    return t > f ? t - 1.0 : t;
}

/* Each subtraction is exact, as the subtrahend is within a factor of two. */
double hlmi_jfmod(double a, double b)
{
    double r = a < 0 ? -a : a;
    const double m = b < 0 ? -b : b;
    if (!hlmi_jfinite(a) || b != b) return a - a + b;
    if (hlmi_jfinite(b)) {
        double t = m;
        while (t <= r / 2) t *= 2;
        for (; t >= m && r >= m; t /= 2)
            if (r >= t) r -= t;
    }
    if (a < 0) r = -r;
    if (r == 0.0) return b < 0 ? -0.0 : 0.0;
    return (r < 0) != (b < 0) ? r + b : r;
}

double hlmi_jround(double f, int64_t nd)
{
    char buf[HLMI_FLOAT_TEXT + 350];
    double out = f;
    if (!hlmi_jfinite(f) || nd > 300) return f;
    if (nd < -300) return f < 0 ? -0.0 : 0.0;
    if (nd >= 0) {
        const size_t n = hlmi_jfloat_format(f, (int)nd, 'f', false, buf, sizeof buf);
        const char *dot = memchr(buf, '.', n);
        if (n >= 120 && !dot) return f; /* integral already */
        return read_float(buf, n, &out) ? out : f;
    }
    double scale = 1.0;
    for (int64_t i = nd; i < 0; i++) scale *= 10.0;
    out = f / scale;
    const size_t n = hlmi_jfloat_format(out, 0, 'f', false, buf, sizeof buf);
    return read_float(buf, n, &out) ? out * scale : f;
}

size_t hlmi_jint_text(int64_t i, char *buf)
{
    return (size_t)snprintf(buf, 24, "%lld", (long long)i);
}
