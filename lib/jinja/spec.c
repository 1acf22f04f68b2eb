/* Numbers and text by a format specification. */
#include "jinja/spec.h"

#include "jinja/number.h"
#include "jinja/strings.h"
#include "jinja/utext.h"

enum { WIDTH_MAX = 1 << 20, PREC_MAX = 300 };

bool hlmi_jspec_number(jx *x, const char *p, size_t n, size_t *i, int64_t *out)
{
    int64_t v = 0;
    for (; *i < n && p[*i] >= '0' && p[*i] <= '9'; (*i)++) {
        v = v * 10 + (p[*i] - '0');
        if (v <= WIDTH_MAX) continue;
        hlmi_jlimit(x, "a width or precision is larger than allowed");
        return false;
    }
    *out = v;
    return true;
}

void hlmi_jspec_text(jx *x, jsb *b, jv text, const jspec *s)
{
    if (s->prec >= 0) text.n = (uint32_t)hlmi_u8_offset(text.u.s, text.n, (size_t)s->prec);
    const char align = s->align ? s->align : '<';
    if (s->width > 0) {
        /* centring differs from str.center: the odd blank goes right */
        const int64_t pad = s->width - hlmi_jlen(text);
        if (align == '^' && pad > 0) text = hlmi_jpad(x, text, hlmi_jlen(text) + pad / 2, s->fill ? s->fill : ' ', '>');
        text = hlmi_jpad(x, text, s->width, s->fill ? s->fill : ' ', align == '^' ? '<' : align);
    }
    if (x->st == HLM_OK) hlmi_jsb_add(b, text.u.s, text.n);
}

/* sign and prefix, then digits with the groups asked for, padded to the width. */
static void put_number(jx *x, jsb *b, const char *head, jv digits, const jspec *s, unsigned group)
{
    jsb body = jsb_new(x);
    const char *dot = digits.n ? memchr(digits.u.s, '.', digits.n) : NULL;
    size_t whole = dot ? (size_t)(dot - digits.u.s) : digits.n;
    for (size_t i = 0; i < whole; i++)
        if (digits.u.s[i] == 'e' || digits.u.s[i] == '%' || digits.u.s[i] == 'E') whole = i;
    const size_t head_n = strlen(head);
    const int64_t want =
        s->align == '=' && s->fill == '0' ? s->width - (int64_t)head_n - (int64_t)(digits.n - whole) : 0;
    size_t zeros = 0;
    while (s->group && want > 0 && (int64_t)(zeros + whole + (zeros + whole - 1) / group) < want) zeros++;
    for (size_t i = 0; i < zeros + whole && x->st == HLM_OK; i++) {
        const size_t left = zeros + whole - i;
        if (i && s->group && left % group == 0) hlmi_jsb_char(&body, s->group);
        hlmi_jsb_char(&body, i < zeros ? '0' : digits.u.s[i - zeros]);
    }
    hlmi_jsb_add(&body, digits.u.s + whole, digits.n - whole);
    jv text = hlmi_jsb_done(&body);
    if (x->st != HLM_OK) return;
    if (s->align == '=') {
        text = hlmi_jpad(x, text, s->width - (int64_t)head_n, s->fill ? s->fill : ' ', '>');
        hlmi_jsb_lit(b, head);
        if (x->st == HLM_OK) hlmi_jsb_add(b, text.u.s, text.n);
        return;
    }
    jspec plain = *s;
    plain.prec = -1;
    if (!plain.align) plain.align = '>';
    text = hlmi_jconcat(x, jv_lit(head), text);
    if (x->st == HLM_OK) hlmi_jspec_text(x, b, text, &plain);
}

static void sign_of(bool negative, char sign, char head[4])
{
    head[0] = negative ? '-' : sign == '+' || sign == ' ' ? sign : '\0';
    head[1] = '\0';
}

void hlmi_jspec_int(jx *x, jsb *b, jv v, const jspec *s)
{
    char buf[72], head[4];
    size_t at = sizeof buf;
    const char type = s->type ? s->type : 'd';
    if (v.kind == JV_BIG && (type == 'd' || type == 'n')) {
        const bool neg = v.u.s[0] == '-';
        sign_of(neg, s->sign, head);
        put_number(x, b, head, jv_str(v.u.s + neg, v.n - neg), s, 3);
        return;
    }
    const unsigned base = type == 'x' || type == 'X' ? 16 : type == 'o' ? 8 : type == 'b' ? 2 : 10;
    if (v.kind == JV_BIG || (base == 10 && type != 'd' && type != 'n')) {
        hlmi_jfail(x, "an integer can not be formatted as '%c'", type);
        return;
    }
    const int64_t i = jv_intval(v);
    uint64_t u = i < 0 ? 0 - (uint64_t)i : (uint64_t)i;
    do {
        buf[--at] = (type == 'X' ? "0123456789ABCDEF" : "0123456789abcdef")[u % base];
        u /= base;
    } while (u);
    sign_of(i < 0, s->sign, head);
    if (s->alt && base != 10) {
        const size_t n = strlen(head);
        head[n] = '0';
        head[n + 1] = type;
        head[n + 2] = '\0';
    }
    jv digits = jv_str(buf + at, sizeof buf - at);
    if (s->prec > (int64_t)digits.n) digits = hlmi_jpad(x, digits, s->prec, '0', '>');
    if (x->st == HLM_OK) put_number(x, b, head, digits, s, base == 10 ? 3 : 4);
}

void hlmi_jspec_float(jx *x, jsb *b, double f, const jspec *s)
{
    char buf[HLMI_FLOAT_TEXT + PREC_MAX], head[4];
    const bool percent = s->type == '%';
    if (!hlmi_jstep(x, 16)) return;
    if (s->prec > PREC_MAX) {
        hlmi_jlimit(x, "a precision is larger than allowed");
        return;
    }
    const bool negative = f < 0 || (f == 0.0 && 1.0 / f < 0);
    double v = negative ? -f : f;
    if (percent) v *= 100.0;
    size_t n;
    if (!hlmi_jfinite(v)) {
        n = hlmi_jfloat_repr(v, buf);
        if (s->type == 'F' || s->type == 'E' || s->type == 'G')
            for (size_t i = 0; i < n; i++) buf[i] = (char)(buf[i] & ~0x20);
    } else if (!s->type && s->prec < 0) {
        n = hlmi_jfloat_repr(v, buf);
    } else {
        const char conv = percent || s->type == 'F' ? 'f' : !s->type || s->type == 'n' ? 'g' : s->type;
        n = hlmi_jfloat_format(v, s->prec < 0 ? 6 : (int)s->prec, conv, s->alt, buf, sizeof buf - 2);
    }
    if (percent) buf[n++] = '%';
    sign_of(negative, s->sign, head);
    put_number(x, b, head, jv_str(buf, n), s, 3);
}
