/* Methods of strings. */
#include "jinja/methods.h"
#include "jinja/strings.h"
#include "jinja/unicode.h"
#include "jinja/utext.h"

static bool want_text(jx *x, jv v, const char *method)
{
    if (v.kind == JV_STR) return true;
    if (v.kind == JV_UNDEF) hlmi_juse_undef(x, v);
    else hlmi_jfail(x, "%s() needs text, not %s", method, hlmi_jtype(v));
    return false;
}

/* ---- case and categories */

static jv m_upper(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    return hlmi_jcase(x, p[0], HLMI_UPPER);
}
static jv m_lower(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    return hlmi_jcase(x, p[0], HLMI_LOWER);
}
static jv m_title(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    return hlmi_jcase(x, p[0], HLMI_TITLE);
}
static jv m_swapcase(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    return hlmi_jcase(x, p[0], HLMI_SWAPCASE);
}
static jv m_casefold(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    return hlmi_jcase(x, p[0], HLMI_CASEFOLD);
}
static jv m_capitalize(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    return hlmi_jcase(x, p[0], HLMI_CAPITALIZE);
}

static jv all(jx *x, jv s, bool (*is)(uint32_t), bool when_empty)
{
    if (!hlmi_jstep(x, s.n / 16)) return jv_none();
    for (size_t i = 0; i < s.n;) {
        uint32_t cp;
        i += hlmi_u8_next(s.u.s + i, s.n - i, &cp);
        if (!is(cp)) return jv_bool(false);
    }
    return jv_bool(s.n ? true : when_empty);
}

static bool is_ascii(uint32_t cp)
{
    return cp < 0x80;
}
static bool is_alnum(uint32_t cp)
{
    return hlmi_u_alpha(cp) || hlmi_u_numeric(cp);
}

static jv m_isalpha(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    return all(x, p[0], hlmi_u_alpha, false);
}
static jv m_isalnum(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    return all(x, p[0], is_alnum, false);
}
static jv m_isascii(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    return all(x, p[0], is_ascii, true);
}
static jv m_isdecimal(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    return all(x, p[0], hlmi_u_decimal, false);
}
static jv m_isdigit(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    return all(x, p[0], hlmi_u_digit, false);
}
static jv m_isnumeric(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    return all(x, p[0], hlmi_u_numeric, false);
}
static jv m_isprintable(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    return all(x, p[0], hlmi_u_printable, true);
}
static jv m_isspace(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    return all(x, p[0], hlmi_u_space, false);
}

static jv m_islower(jx *x, const jv *p, const jargs *a)
{
    return hlmi_jtest(jv_lit("lower"))->fn(x, p, a);
}
static jv m_isupper(jx *x, const jv *p, const jargs *a)
{
    return hlmi_jtest(jv_lit("upper"))->fn(x, p, a);
}

static jv m_istitle(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    bool inside = false, any = false;
    if (!hlmi_jstep(x, p[0].n / 16)) return jv_none();
    for (size_t i = 0; i < p[0].n;) {
        uint32_t cp;
        i += hlmi_u8_next(p[0].u.s + i, p[0].n - i, &cp);
        const bool up = hlmi_u_upper(cp) || hlmi_u_title(cp), low = hlmi_u_lower(cp);
        if ((up && inside) || (low && !inside)) return jv_bool(false);
        inside = up || low;
        any = any || inside;
    }
    return jv_bool(any);
}

static jv m_isidentifier(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    if (!hlmi_jstep(x, p[0].n / 16)) return jv_none();
    for (size_t i = 0; i < p[0].n;) {
        uint32_t cp;
        const size_t at = i;
        i += hlmi_u8_next(p[0].u.s + i, p[0].n - i, &cp);
        if (cp != '_' && !hlmi_u_alpha(cp) && !(at && hlmi_u_decimal(cp))) return jv_bool(false);
    }
    return jv_bool(p[0].n != 0);
}

/* ---- stripping, padding */

static jv m_strip(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    return hlmi_jstrip_chars(x, p[0], p[1], true, true);
}
static jv m_lstrip(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    return hlmi_jstrip_chars(x, p[0], p[1], true, false);
}
static jv m_rstrip(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    return hlmi_jstrip_chars(x, p[0], p[1], false, true);
}

static jv pad(jx *x, const jv *p, char side)
{
    uint32_t fill = ' ';
    if (jv_given(p[2])) {
        if (!want_text(x, p[2], "padding")) return jv_none();
        if (p[2].n == 0 || hlmi_u8_next(p[2].u.s, p[2].n, &fill) != p[2].n)
            return hlmi_jfail(x, "The fill character must be exactly one character long");
    }
    return hlmi_jpad(x, p[0], hlmi_jint_arg(x, p[1], 0, "width"), fill, side);
}

static jv m_center(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    return pad(x, p, '^');
}
static jv m_ljust(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    return pad(x, p, '<');
}
static jv m_rjust(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    return pad(x, p, '>');
}

static jv m_zfill(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    const jv s = p[0];
    const int64_t width = hlmi_jint_arg(x, p[1], 0, "width");
    const bool sign = s.n && (s.u.s[0] == '-' || s.u.s[0] == '+');
    const jv digits = jv_str(s.u.s + sign, s.n - sign);
    const jv padded = hlmi_jpad(x, digits, width - sign, '0', '>');
    return sign && x->st == HLM_OK ? hlmi_jconcat(x, jv_str(s.u.s, 1), padded) : padded;
}

static jv m_expandtabs(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    const int64_t size = hlmi_jint_arg(x, p[1], 8, "tabsize");
    jsb b = jsb_new(x);
    int64_t column = 0;
    for (size_t i = 0; i < p[0].n && hlmi_jstep(x, 1);) {
        const char c = p[0].u.s[i];
        const size_t len = hlmi_u8_len((unsigned char)c);
        if (c == '\t') {
            const int64_t n = size > 0 ? size - column % size : 0;
            hlmi_jsb_fill(&b, ' ', (size_t)n);
            column += n;
        } else {
            hlmi_jsb_add(&b, p[0].u.s + i, len);
            column = c == '\n' || c == '\r' ? 0 : column + 1;
        }
        i += len;
    }
    return hlmi_jsb_done(&b);
}

/* ---- splitting and joining */

static jv split_left(jx *x, jv s, jv sep, int64_t max)
{
    jvec v = jvec_new(x);
    size_t from = 0;
    while (max != 0 && hlmi_jstep(x, 1)) {
        const size_t hit = hlmi_jfind_text(x, s, sep, from);
        if (hit == SIZE_MAX) break;
        hlmi_jvec_add(&v, jv_str(s.u.s + from, hit - from));
        from = hit + sep.n;
        max--;
    }
    hlmi_jvec_add(&v, jv_str(s.u.s + from, s.n - from));
    return jvec_done(&v, JV_LIST);
}

static jv reversed(jx *x, const jvec *v)
{
    for (size_t i = 0; i < v->n / 2; i++) {
        const jv t = v->at[i];
        v->at[i] = v->at[v->n - 1 - i];
        v->at[v->n - 1 - i] = t;
    }
    (void)x;
    return jvec_done(v, JV_LIST);
}

static jv split_right(jx *x, jv s, jv sep, int64_t max)
{
    jvec v = jvec_new(x);
    while (max != 0 && hlmi_jstep(x, 1)) {
        const size_t hit = hlmi_jfind_last(x, s, sep, s.n);
        if (hit == SIZE_MAX) break;
        hlmi_jvec_add(&v, jv_str(s.u.s + hit + sep.n, s.n - hit - sep.n));
        s.n = (uint32_t)hit;
        max--;
    }
    hlmi_jvec_add(&v, s);
    return reversed(x, &v);
}

static jv split_space_right(jx *x, jv s, int64_t max)
{
    jvec v = jvec_new(x);
    for (;; max--) {
        s = hlmi_jstrip(s, false, true);
        if (s.n == 0 || !hlmi_jstep(x, 1)) break;
        if (max == 0) {
            hlmi_jvec_add(&v, s);
            break;
        }
        size_t from = s.n;
        uint32_t cp;
        while (from > 0) {
            const size_t len = hlmi_u8_prev(s.u.s, from, &cp);
            if (hlmi_u_space(cp)) break;
            from -= len;
        }
        hlmi_jvec_add(&v, jv_str(s.u.s + from, s.n - from));
        s.n = (uint32_t)from;
    }
    return reversed(x, &v);
}

/* p: sep maxsplit */
static jv split(jx *x, const jv *p, bool right)
{
    const int64_t max = hlmi_jint_arg(x, p[2], -1, "maxsplit");
    if (!hlmi_jstep(x, 1 + p[0].n / 16)) return jv_none();
    if (!jv_given(p[1]) || p[1].kind == JV_NONE)
        return right ? split_space_right(x, p[0], max) : hlmi_jsplit_space(x, p[0], max);
    if (!want_text(x, p[1], "split")) return jv_none();
    if (p[1].n == 0) return hlmi_jfail(x, "empty separator");
    return right ? split_right(x, p[0], p[1], max) : split_left(x, p[0], p[1], max);
}

static jv m_split(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    return split(x, p, false);
}
static jv m_rsplit(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    return split(x, p, true);
}
static jv m_splitlines(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    return hlmi_jsplit_lines(x, p[0], hlmi_jtruth(p[1]));
}
static jv m_join(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    return hlmi_jjoin(x, p[0], p[1]);
}

static jv partition(jx *x, const jv *p, bool last)
{
    if (!want_text(x, p[1], "partition") || !hlmi_jstep(x, 1 + p[0].n / 64)) return jv_none();
    if (p[1].n == 0) return hlmi_jfail(x, "empty separator");
    const size_t hit = last ? hlmi_jfind_last(x, p[0], p[1], p[0].n) : hlmi_jfind_text(x, p[0], p[1], 0);
    jv *at = hlmi_jalloc_values(x, 3);
    if (!at) return jv_none();
    at[0] = at[1] = at[2] = jv_lit("");
    if (hit == SIZE_MAX) {
        at[last ? 2 : 0] = p[0];
    } else {
        at[0] = jv_str(p[0].u.s, hit);
        at[1] = p[1];
        at[2] = jv_str(p[0].u.s + hit + p[1].n, p[0].n - hit - p[1].n);
    }
    return jv_seq(JV_TUPLE, at, 3);
}

static jv m_partition(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    return partition(x, p, false);
}
static jv m_rpartition(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    return partition(x, p, true);
}

/* ---- searching. Positions are of characters; `start` and `end` cut the text first. */

/* Bytes of p[0] between the character positions p[at] and p[at + 1]. */
static bool window(jx *x, const jv *p, size_t at, size_t *from, size_t *to)
{
    *from = 0;
    *to = p[0].n;
    if (!hlmi_jstep(x, 1 + p[0].n / 64)) return false;
    const bool has_start = jv_given(p[at]) && p[at].kind != JV_NONE,
               has_end = jv_given(p[at + 1]) && p[at + 1].kind != JV_NONE;
    if (!has_start && !has_end) return true;
    const int64_t n = hlmi_jlen(p[0]);
    int64_t start = has_start ? hlmi_jint_arg(x, p[at], 0, "start") : 0,
            end = has_end ? hlmi_jint_arg(x, p[at + 1], n, "end") : n;
    if (x->st != HLM_OK || start > n) return false;
    if (start < 0) start = start < -n ? 0 : start + n;
    if (end < 0) end = end < -n ? 0 : end + n;
    if (end < start) return false;
    *from = hlmi_u8_offset(p[0].u.s, p[0].n, (size_t)start);
    *to = end >= n ? p[0].n : hlmi_u8_offset(p[0].u.s, p[0].n, (size_t)end);
    return true;
}

static int64_t find_char(jx *x, const jv *p, bool last)
{
    size_t from, to;
    if (!want_text(x, p[1], "find") || !window(x, p, 2, &from, &to)) return -1;
    const jv s = jv_str(p[0].u.s, to);
    const size_t hit = last ? hlmi_jfind_last(x, s, p[1], to) : hlmi_jfind_text(x, s, p[1], from);
    return hit == SIZE_MAX || hit < from ? -1 : (int64_t)hlmi_u8_count(s.u.s, hit);
}

static jv found(jx *x, const jv *p, bool last, bool must)
{
    const int64_t i = find_char(x, p, last);
    if (i < 0 && must) return hlmi_jfail(x, "substring not found");
    return jv_int(i);
}

static jv m_find(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    return found(x, p, false, false);
}
static jv m_rfind(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    return found(x, p, true, false);
}
static jv m_index(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    return found(x, p, false, true);
}
static jv m_rindex(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    return found(x, p, true, true);
}

static jv m_count(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    size_t from, to;
    int64_t n = 0;
    if (!want_text(x, p[1], "count") || !window(x, p, 2, &from, &to)) return jv_int(0);
    if (p[1].n == 0) return jv_int((int64_t)hlmi_u8_count(p[0].u.s + from, to - from) + 1);
    const jv s = jv_str(p[0].u.s, to);
    for (; (from = hlmi_jfind_text(x, s, p[1], from)) != SIZE_MAX && hlmi_jstep(x, 1); from += p[1].n) n++;
    return jv_int(n);
}

static bool begins(jx *x, jv s, jv part, bool at_end)
{
    if (part.n > s.n || !hlmi_jstep(x, 1 + part.n / 128)) return false;
    return part.n == 0 || memcmp(s.u.s + (at_end ? s.n - part.n : 0), part.u.s, part.n) == 0;
}

static jv affix(jx *x, const jv *p, bool at_end)
{
    size_t from, to;
    if (!window(x, p, 2, &from, &to)) return jv_bool(false);
    const jv s = jv_str(p[0].u.s + from, to - from);
    const jv *options = p[1].kind == JV_TUPLE ? p[1].u.at : &p[1];
    const size_t n = p[1].kind == JV_TUPLE ? p[1].n : 1;
    for (size_t i = 0; i < n; i++) {
        if (!want_text(x, options[i], at_end ? "endswith" : "startswith")) return jv_none();
        if (begins(x, s, options[i], at_end)) return jv_bool(true);
    }
    return jv_bool(false);
}

static jv m_startswith(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    return affix(x, p, false);
}
static jv m_endswith(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    return affix(x, p, true);
}

static jv m_removeprefix(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    if (!want_text(x, p[1], "removeprefix")) return jv_none();
    return begins(x, p[0], p[1], false) ? jv_str(p[0].u.s + p[1].n, p[0].n - p[1].n) : p[0];
}

static jv m_removesuffix(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    if (!want_text(x, p[1], "removesuffix")) return jv_none();
    return begins(x, p[0], p[1], true) ? jv_str(p[0].u.s, p[0].n - p[1].n) : p[0];
}

static jv m_replace(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    if (!want_text(x, p[1], "replace") || !want_text(x, p[2], "replace")) return jv_none();
    return hlmi_jreplace(x, p[0], p[1], p[2], hlmi_jint_arg(x, p[3], -1, "count"));
}

static jv m_format(jx *x, const jv *p, const jargs *a)
{
    return hlmi_jformat(x, p[0], a);
}

static jv m_format_map(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    if (p[1].kind != JV_DICT) return hlmi_jfail(x, "format_map() needs a mapping, not %s", hlmi_jtype(p[1]));
    const jdict *d = p[1].u.dict;
    jkw *kw = hlmi_jalloc(x, d->n * sizeof *kw);
    if (!kw) return jv_none();
    size_t n = 0;
    for (uint32_t i = 0; i < d->n; i++)
        if (d->at[i].key.kind == JV_STR) kw[n++] = (jkw){.name = d->at[i].key, .val = d->at[i].val};
    return hlmi_jformat(x, p[0], &(jargs){.kw = kw, .nkw = n});
}

static const jdesc descs[] = {
    {"capitalize", m_capitalize, 0, ""},
    {"casefold", m_casefold, 0, ""},
    {"center", m_center, 1, "- -"},
    {"count", m_count, 1, "- - -"},
    {"endswith", m_endswith, 1, "- - -"},
    {"expandtabs", m_expandtabs, 0, "tabsize"},
    {"find", m_find, 1, "- - -"},
    {"format", m_format, 0, NULL},
    {"format_map", m_format_map, 1, "-"},
    {"index", m_index, 1, "- - -"},
    {"isalnum", m_isalnum, 0, ""},
    {"isalpha", m_isalpha, 0, ""},
    {"isascii", m_isascii, 0, ""},
    {"isdecimal", m_isdecimal, 0, ""},
    {"isdigit", m_isdigit, 0, ""},
    {"isidentifier", m_isidentifier, 0, ""},
    {"islower", m_islower, 0, ""},
    {"isnumeric", m_isnumeric, 0, ""},
    {"isprintable", m_isprintable, 0, ""},
    {"isspace", m_isspace, 0, ""},
    {"istitle", m_istitle, 0, ""},
    {"isupper", m_isupper, 0, ""},
    {"join", m_join, 1, "-"},
    {"ljust", m_ljust, 1, "- -"},
    {"lower", m_lower, 0, ""},
    {"lstrip", m_lstrip, 0, "-"},
    {"partition", m_partition, 1, "-"},
    {"removeprefix", m_removeprefix, 1, "-"},
    {"removesuffix", m_removesuffix, 1, "-"},
    {"replace", m_replace, 2, "- - count"},
    {"rfind", m_rfind, 1, "- - -"},
    {"rindex", m_rindex, 1, "- - -"},
    {"rjust", m_rjust, 1, "- -"},
    {"rpartition", m_rpartition, 1, "-"},
    {"rsplit", m_rsplit, 0, "sep maxsplit"},
    {"rstrip", m_rstrip, 0, "-"},
    {"split", m_split, 0, "sep maxsplit"},
    {"splitlines", m_splitlines, 0, "keepends"},
    {"startswith", m_startswith, 1, "- - -"},
    {"strip", m_strip, 0, "-"},
    {"swapcase", m_swapcase, 0, ""},
    {"title", m_title, 0, ""},
    {"upper", m_upper, 0, ""},
    {"zfill", m_zfill, 1, "-"},
};

const jtable hlmi_jstr_methods = {descs, sizeof descs / sizeof *descs};
