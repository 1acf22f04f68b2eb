/* Filters on text. */
#include "jinja/filters.h"
#include "jinja/number.h"
#include "jinja/strings.h"
#include "jinja/unicode.h"
#include "jinja/utext.h"

static jv text_case(jx *x, jv v, hlmi_case how)
{
    const jv s = hlmi_jtext(x, v);
    return x->st == HLM_OK ? hlmi_jcase(x, s, how) : s;
}

static jv f_upper(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    return text_case(x, p[0], HLMI_UPPER);
}
static jv f_lower(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    return text_case(x, p[0], HLMI_LOWER);
}
static jv f_capitalize(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    return text_case(x, p[0], HLMI_CAPITALIZE);
}

/* The first character in upper, not in title case. */
static jv title_word(jx *x, jv s)
{
    const size_t first = hlmi_u8_len((unsigned char)s.u.s[0]);
    const jv head = hlmi_jcase(x, jv_str(s.u.s, first), HLMI_UPPER);
    return hlmi_jconcat(x, head, hlmi_jcase(x, jv_str(s.u.s + first, s.n - first), HLMI_LOWER));
}

/* Words begin behind white space and -({[< ; the rest of them is lowered. */
static jv f_title(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    const jv s = hlmi_jtext(x, p[0]);
    jv out = jv_lit("");
    size_t from = 0;
    bool was_sep = true;
    if (x->st != HLM_OK) return jv_none();
    for (size_t i = 0; i <= s.n && x->st == HLM_OK;) {
        uint32_t cp = ' ';
        const size_t len = i < s.n ? hlmi_u8_next(s.u.s + i, s.n - i, &cp) : 1;
        const bool sep = hlmi_u_space(cp) || (cp < 0x80 && strchr("-({[<", (char)cp));
        if ((sep != was_sep || i == s.n) && i > from) {
            const jv part = jv_str(s.u.s + from, i - from);
            out = hlmi_jconcat(x, out, was_sep ? part : title_word(x, part));
            from = i;
        }
        was_sep = sep;
        i += len;
    }
    return out;
}

/* p: chars */
static jv f_trim(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    const jv s = hlmi_jtext(x, p[0]);
    return x->st == HLM_OK ? hlmi_jstrip_chars(x, s, p[1], true, true) : s;
}

/* p: old new count */
static jv f_replace(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    const jv s = hlmi_jtext(x, p[0]), from = hlmi_jtext(x, p[1]), to = hlmi_jtext(x, p[2]);
    if (x->st != HLM_OK) return jv_none();
    return hlmi_jreplace(x, s, from, to,
                         jv_given(p[3]) && p[3].kind != JV_NONE ? hlmi_jint_arg(x, p[3], -1, "count") : -1);
}

/* p: width */
static jv f_center(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    const jv s = hlmi_jtext(x, p[0]);
    return x->st == HLM_OK ? hlmi_jpad(x, s, hlmi_jint_arg(x, p[1], 80, "width"), ' ', '^') : s;
}

/* p: width first blank */
static jv f_indent(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    jsb pad = jsb_new(x), b = jsb_new(x);
    if (p[0].kind != JV_STR)
        return p[0].kind == JV_UNDEF ? hlmi_juse_undef(x, p[0])
                                     : hlmi_jfail(x, "indent needs text, not %s", hlmi_jtype(p[0]));
    if (p[1].kind == JV_STR) {
        hlmi_jsb_add(&pad, p[1].u.s, p[1].n);
    } else {
        const int64_t n = hlmi_jint_arg(x, p[1], 4, "width");
        if (n > 0) hlmi_jsb_fill(&pad, ' ', (size_t)n);
    }
    const jv lines = hlmi_jsplit_lines(x, p[0], false);
    const bool first = hlmi_jtruth(p[2]), blank = hlmi_jtruth(p[3]);
    const bool ends = p[0].n && lines.n && lines.u.at[lines.n - 1].u.s + lines.u.at[lines.n - 1].n < p[0].u.s + p[0].n;
    const uint32_t n = lines.n + (ends || lines.n == 0); /* a newline at the end starts one more line */
    for (uint32_t i = 0; i < n && x->st == HLM_OK; i++) {
        const jv line = i < lines.n ? lines.u.at[i] : jv_lit("");
        if (i) hlmi_jsb_char(&b, '\n');
        if (i == 0 ? first : blank || line.n) hlmi_jsb_add(&b, pad.p, pad.n);
        hlmi_jsb_add(&b, line.u.s, line.n);
    }
    jv out = hlmi_jsb_done(&b);
    if (out.kind == JV_STR) out.flags = p[0].flags & JV_SAFE;
    return out;
}

/* p: length killwords end leeway */
static jv f_truncate(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    const jv s = p[0], end = jv_given(p[3]) ? hlmi_jtext(x, p[3]) : jv_lit("...");
    const int64_t length = hlmi_jint_arg(x, p[1], 255, "length");
    const int64_t leeway = p[4].kind == JV_NONE ? 5 : hlmi_jint_arg(x, p[4], 5, "leeway");
    if (!hlmi_jstep(x, 1 + ((s.kind == JV_STR ? s.n : 0) + end.n) / 16)) return jv_none();
    const int64_t n = hlmi_jlen(s), tail = hlmi_jlen(end);
    if (length < tail) return hlmi_jfail(x, "expected length >= %lld, got %lld", (long long)tail, (long long)length);
    if (leeway < 0) return hlmi_jfail(x, "expected leeway >= 0");
    if (n < 0) return hlmi_jfail(x, "object of type '%s' has no len()", hlmi_jtype(s));
    if (n <= length || n - length <= leeway) return s;
    if (s.kind != JV_STR) return hlmi_jfail(x, "truncate needs text, not %s", hlmi_jtype(s));
    jv cut = jv_str(s.u.s, hlmi_u8_offset(s.u.s, s.n, (size_t)(length - tail)));
    if (!hlmi_jtruth(p[2])) {
        for (uint32_t i = cut.n; i-- > 0;) {
            if (cut.u.s[i] != ' ') continue;
            cut.n = i;
            break;
        }
    }
    return hlmi_jconcat(x, cut, end);
}

static jv f_wordcount(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    const jv s = hlmi_jtext(x, p[0]);
    int64_t words = 0;
    bool inside = false;
    for (size_t i = 0; i < s.n && hlmi_jstep(x, 1);) {
        uint32_t cp;
        i += hlmi_u8_next(s.u.s + i, s.n - i, &cp);
        const bool word = hlmi_u_alpha(cp) || hlmi_u_numeric(cp) || cp == '_';
        words += word && !inside;
        inside = word;
    }
    return jv_int(words);
}

static jv f_escape(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    return hlmi_jescape(x, p[0]);
}

static jv f_forceescape(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    jv s = hlmi_jtext(x, p[0]);
    s.flags = 0;
    return hlmi_jescape(x, s);
}

static jv f_safe(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    jv s = hlmi_jtext(x, p[0]);
    if (s.kind == JV_STR) s.flags = JV_SAFE;
    return s;
}

static jv f_format(jx *x, const jv *p, const jargs *a)
{
    const jv fmt = hlmi_jtext(x, p[0]);
    if (a->n && a->nkw) return hlmi_jfail(x, "can't handle positional and keyword arguments at the same time");
    if (!a->nkw) return hlmi_jpercent(x, fmt, jv_seq(JV_TUPLE, a->at, a->n));
    jdict *d = hlmi_jdict_new(x, a->nkw);
    for (size_t i = 0; i < a->nkw; i++) hlmi_jdict_set(x, d, a->kw[i].name, a->kw[i].val);
    return x->st == HLM_OK ? hlmi_jpercent(x, fmt, jv_dict(JV_DICT, d)) : jv_none();
}

static void quote(jsb *b, jv s, bool query)
{
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < s.n && b->x->st == HLM_OK; i++) {
        const unsigned char c = (unsigned char)s.u.s[i];
        const bool word = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        const bool plain = word || (c && strchr("_.-~", c)) || (c == '/' && !query);
        if (plain) {
            hlmi_jsb_char(b, (char)c);
        } else if (query && c == ' ') {
            hlmi_jsb_char(b, '+');
        } else {
            const char e[3] = {'%', hex[c >> 4], hex[c & 15]};
            hlmi_jsb_add(b, e, sizeof e);
        }
    }
}

/* Text, or pairs as a query string. */
static jv f_urlencode(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    jsb b = jsb_new(x);
    jiter it;
    jv item;
    if (p[0].kind == JV_STR || jv_is_number(p[0]) || p[0].kind == JV_NONE) {
        const jv s = hlmi_jtext(x, p[0]);
        if (x->st == HLM_OK) quote(&b, s, false);
        return hlmi_jsb_done(&b);
    }
    const jv over = p[0].kind == JV_DICT ? jv_dict(JV_ITEMS, p[0].u.dict) : p[0];
    if (!hlmi_jiter(x, over, &it)) return jv_none();
    for (bool first = true; hlmi_jnext(x, &it, &item); first = false) {
        const jv pair = hlmi_jlist_of(x, item);
        if (pair.n != 2) return hlmi_jfail(x, "urlencode needs pairs");
        if (!first) hlmi_jsb_char(&b, '&');
        const jv key = hlmi_jtext(x, pair.u.at[0]), val = hlmi_jtext(x, pair.u.at[1]);
        if (x->st != HLM_OK) return jv_none();
        quote(&b, key, true);
        hlmi_jsb_char(&b, '=');
        quote(&b, val, true);
    }
    return hlmi_jsb_done(&b);
}

/* Where the tag or comment that starts at i ends; i when it never does. */
static size_t tag_end(jx *x, jv s, size_t i)
{
    const bool comment = s.n - i >= 4 && memcmp(s.u.s + i, "<!--", 4) == 0;
    const size_t hit = hlmi_jfind_text(x, s, comment ? jv_lit("-->") : jv_lit(">"), i);
    hlmi_jstep(x, ((hit == SIZE_MAX ? s.n : hit) - i) / 4);
    return hit == SIZE_MAX ? i : hit + (comment ? 3 : 1);
}

/* Appends the character that the reference at s[0] == '&' stands for and returns its bytes; 0 when it is none that is
 * known: by number, or one of the names of characters that markup itself uses. */
static size_t add_reference(jsb *b, const char *s, size_t n)
{
    static const struct {
        const char *name;
        char c;
    } names[] = {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos;", '\''}};
    const bool hex = n > 2 && s[1] == '#' && (s[2] == 'x' || s[2] == 'X');
    uint32_t cp = 0;
    size_t i = hex ? 3 : 2;
    const size_t digits = i;
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        const size_t len = strlen(names[k].name);
        if (n <= len || memcmp(s + 1, names[k].name, len) != 0) continue;
        hlmi_jsb_char(b, names[k].c);
        return 1 + len + (n > 1 + len && s[1 + len] == ';' && names[k].name[len - 1] != ';');
    }
    if (n < 3 || s[1] != '#') return 0;
    for (; i < n; i++) {
        const char c = s[i], low = (char)(c | 32);
        const bool letter = hex && low >= 'a' && low <= 'f';
        if (!letter && (c < '0' || c > '9')) break;
        if (cp <= 0x10FFFF) cp = cp * (hex ? 16u : 10u) + (uint32_t)(letter ? low - 'a' + 10 : c - '0');
    }
    if (i == digits) return 0;
    hlmi_jsb_utf8(b, cp ? cp : 0xFFFD); /* what is no character becomes U+FFFD there */
    return i + (i < n && s[i] == ';');
}

static jv unescape(jx *x, jv s)
{
    jsb b = jsb_new(x);
    if (s.kind != JV_STR || s.n == 0 || !memchr(s.u.s, '&', s.n)) return s;
    for (size_t i = 0; i < s.n && x->st == HLM_OK;) {
        const size_t used = s.u.s[i] == '&' ? add_reference(&b, s.u.s + i, s.n - i) : 0;
        if (used == 0) hlmi_jsb_add(&b, s.u.s + i, 1);
        i += used ? used : 1;
    }
    return hlmi_jsb_done(&b);
}

/* Tags and comments go, runs of white space become one space, references their characters. */
static jv f_striptags(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    const jv s = hlmi_jtext(x, p[0]);
    jsb b = jsb_new(x);
    for (size_t i = 0; x->st == HLM_OK && i < s.n;) {
        const size_t end = s.u.s[i] == '<' ? tag_end(x, s, i) : i;
        if (end > i) i = end;
        else hlmi_jsb_add(&b, s.u.s + i++, 1);
    }
    const jv text = hlmi_jsb_done(&b);
    const jv words = x->st == HLM_OK ? hlmi_jsplit_space(x, text, -1) : text;
    return x->st == HLM_OK ? unescape(x, hlmi_jjoin(x, jv_lit(" "), words)) : jv_none();
}

/* p: binary */
static jv f_filesizeformat(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    static const char *const units[2][8] = {{"kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"},
                                            {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"}};
    const bool binary = hlmi_jtruth(p[1]);
    const double base = binary ? 1024.0 : 1000.0;
    char buf[HLMI_FLOAT_TEXT];
    jsb b = jsb_new(x);
    double f = hlmi_jfloat_of(p[0]);
    if (!hlmi_jstep(x, 16 + (p[0].kind == JV_STR ? p[0].n / 16 : 0))) return jv_none();
    if (p[0].kind == JV_STR ? !hlmi_jstr_float(p[0], &f) : !jv_is_number(p[0]))
        return hlmi_jfail(x, "filesizeformat needs a number");
    if (f == 1.0) return jv_lit("1 Byte");
    if (f < base) {
        hlmi_jsb_add(&b, buf, hlmi_jint_text((int64_t)f, buf));
        hlmi_jsb_lit(&b, " Bytes");
        return hlmi_jsb_done(&b);
    }
    size_t unit = 0;
    double scale = base;
    while (unit < 7 && f >= scale * base) unit++, scale *= base;
    hlmi_jsb_add(&b, buf, hlmi_jfloat_format(f / scale, 1, 'f', false, buf, sizeof buf));
    hlmi_jsb_char(&b, ' ');
    hlmi_jsb_lit(&b, units[binary][unit]);
    return hlmi_jsb_done(&b);
}

/* p: autospace */
static jv f_xmlattr(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    jsb b = jsb_new(x);
    const bool space = !jv_given(p[1]) || hlmi_jtruth(p[1]);
    if (p[0].kind == JV_UNDEF) return hlmi_juse_undef(x, p[0]);
    if (p[0].kind != JV_DICT) return hlmi_jfail(x, "'%s' object has no attribute 'items'", hlmi_jtype(p[0]));
    for (uint32_t i = 0; i < p[0].u.dict->n && hlmi_jstep(x, 1); i++) {
        const jent e = p[0].u.dict->at[i];
        if (e.val.kind == JV_NONE || e.val.kind == JV_UNDEF) continue;
        if (e.key.kind != JV_STR)
            return hlmi_jfail(x, "expected string or bytes-like object, got '%s'", hlmi_jtype(e.key));
        hlmi_jstep(x, e.key.n / 16);
        for (uint32_t k = 0; k < e.key.n; k++)
            if (e.key.u.s[k] && strchr(" \t\n\v\f\r/>=", e.key.u.s[k]))
                return hlmi_jfail(x, "Invalid character in attribute name: '%.*s'", (int)(e.key.n < 80 ? e.key.n : 80),
                                  e.key.u.s);
        const jv key = hlmi_jescape(x, e.key), val = hlmi_jescape(x, e.val);
        if (x->st != HLM_OK) return jv_none();
        if (b.n || space) hlmi_jsb_char(&b, ' ');
        hlmi_jsb_add(&b, key.u.s, key.n);
        hlmi_jsb_lit(&b, "=\"");
        hlmi_jsb_add(&b, val.u.s, val.n);
        hlmi_jsb_char(&b, '"');
    }
    return hlmi_jsb_done(&b);
}

static const jdesc descs[] = {
    {"capitalize", f_capitalize, 0, ""},
    {"center", f_center, 0, "width"},
    {"e", f_escape, 0, ""},
    {"escape", f_escape, 0, ""},
    {"filesizeformat", f_filesizeformat, 0, "binary"},
    {"forceescape", f_forceescape, 0, ""},
    {"format", f_format, 0, NULL},
    {"indent", f_indent, 0, "width first blank"},
    {"lower", f_lower, 0, ""},
    {"replace", f_replace, 2, "old new count"},
    {"safe", f_safe, 0, ""},
    {"striptags", f_striptags, 0, ""},
    {"title", f_title, 0, ""},
    {"trim", f_trim, 0, "chars"},
    {"truncate", f_truncate, 0, "length killwords end leeway"},
    {"upper", f_upper, 0, ""},
    {"urlencode", f_urlencode, 0, ""},
    {"wordcount", f_wordcount, 0, ""},
    {"wordwrap", hlmi_jf_wordwrap, 0, "width break_long_words wrapstring break_on_hyphens"},
    {"xmlattr", f_xmlattr, 0, "autospace"},
};

const jtable hlmi_jfilters_str = {descs, sizeof descs / sizeof *descs};
