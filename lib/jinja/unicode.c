/* Case and categories. utf8proc has the one-to-one case mappings; the few letters whose upper case is longer are listed
 * here. */
#include "jinja/unicode.h"

#include <stdio.h>
#include <utf8proc.h>

#include "jinja/utext.h"

static utf8proc_category_t category(uint32_t cp)
{
    return utf8proc_category((utf8proc_int32_t)cp);
}

bool hlmi_u_printable(uint32_t cp)
{
    if (cp == ' ') return true;
    switch (category(cp)) {
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
    case UTF8PROC_CATEGORY_ZS: return false;
    default: return true;
    }
}

bool hlmi_u_alpha(uint32_t cp)
{
    const utf8proc_category_t c = category(cp);
    return c == UTF8PROC_CATEGORY_LU || c == UTF8PROC_CATEGORY_LL || c == UTF8PROC_CATEGORY_LT ||
        c == UTF8PROC_CATEGORY_LM || c == UTF8PROC_CATEGORY_LO;
}

bool hlmi_u_decimal(uint32_t cp)
{
    return category(cp) == UTF8PROC_CATEGORY_ND;
}

bool hlmi_u_digit(uint32_t cp)
{
    return hlmi_u_decimal(cp) || cp == 0xB2 || cp == 0xB3 || cp == 0xB9 || cp == 0x2070 ||
        (cp >= 0x2074 && cp <= 0x2079) || (cp >= 0x2080 && cp <= 0x2089) || (cp >= 0x2460 && cp <= 0x2468);
}

bool hlmi_u_numeric(uint32_t cp)
{
    const utf8proc_category_t c = category(cp);
    return c == UTF8PROC_CATEGORY_ND || c == UTF8PROC_CATEGORY_NL || c == UTF8PROC_CATEGORY_NO;
}

bool hlmi_u_upper(uint32_t cp)
{
    return utf8proc_isupper((utf8proc_int32_t)cp);
}

bool hlmi_u_lower(uint32_t cp)
{
    return utf8proc_islower((utf8proc_int32_t)cp);
}

bool hlmi_u_title(uint32_t cp)
{
    return category(cp) == UTF8PROC_CATEGORY_LT;
}

size_t hlmi_u_escape(uint32_t cp, char buf[12])
{
    const char *fmt = cp < 0x100 ? "\\x%02x" : cp < 0x10000 ? "\\u%04x" : "\\U%08x";
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    return (size_t)snprintf(buf, 12, fmt, (unsigned)cp);
#pragma GCC diagnostic pop
}

/* ---- case */

static const struct {
    uint16_t from, upper[3], title[3];
} long_case[] = {
    {0xDF, {'S', 'S'}, {'S', 's'}},
    {0x149, {0x2BC, 'N'}, {0x2BC, 'N'}},
    {0x1F0, {'J', 0x30C}, {'J', 0x30C}},
    {0x390, {0x399, 0x308, 0x301}, {0x399, 0x308, 0x301}},
    {0x3B0, {0x3A5, 0x308, 0x301}, {0x3A5, 0x308, 0x301}},
    {0x587, {0x535, 0x552}, {0x535, 0x582}},
    {0xFB00, {'F', 'F'}, {'F', 'f'}},
    {0xFB01, {'F', 'I'}, {'F', 'i'}},
    {0xFB02, {'F', 'L'}, {'F', 'l'}},
    {0xFB03, {'F', 'F', 'I'}, {'F', 'f', 'i'}},
    {0xFB04, {'F', 'F', 'L'}, {'F', 'f', 'l'}},
    {0xFB05, {'S', 'T'}, {'S', 't'}},
    {0xFB06, {'S', 'T'}, {'S', 't'}},
};

static void put_upper(jsb *b, uint32_t cp, bool title)
{
    for (size_t i = 0; cp >= 0xDF && i < sizeof long_case / sizeof *long_case; i++) {
        if (long_case[i].from != cp) continue;
        const uint16_t *to = title ? long_case[i].title : long_case[i].upper;
        for (size_t k = 0; k < 3 && to[k]; k++) hlmi_jsb_utf8(b, to[k]);
        return;
    }
    const utf8proc_int32_t c = (utf8proc_int32_t)cp;
    hlmi_jsb_utf8(b, (uint32_t)(title ? utf8proc_totitle(c) : utf8proc_toupper(c)));
}

static bool cased(uint32_t cp)
{
    return hlmi_u_upper(cp) || hlmi_u_lower(cp) || hlmi_u_title(cp);
}

/* Sigma at the end of a word has a lower case of its own. */
static bool final_sigma(jv s, size_t at, size_t len)
{
    uint32_t cp;
    if (at == 0) return false;
    hlmi_u8_prev(s.u.s, at, &cp);
    if (!cased(cp)) return false;
    if (at + len >= s.n) return true;
    hlmi_u8_next(s.u.s + at + len, s.n - at - len, &cp);
    return !cased(cp);
}

static void put_lower(jsb *b, jv s, size_t at, size_t len, uint32_t cp)
{
    if (cp == 0x130) {
        hlmi_jsb_utf8(b, 'i');
        hlmi_jsb_utf8(b, 0x307);
    } else if (cp == 0x3A3 && final_sigma(s, at, len)) {
        hlmi_jsb_utf8(b, 0x3C2);
    } else {
        hlmi_jsb_utf8(b, (uint32_t)utf8proc_tolower((utf8proc_int32_t)cp));
    }
}

jv hlmi_jcase(jx *x, jv s, hlmi_case how)
{
    jsb b = jsb_new(x);
    bool inside = false; /* a word, for titles */
    if (!hlmi_jstep(x, s.n / 16)) return jv_none();
    for (size_t i = 0; i < s.n && x->st == HLM_OK;) {
        uint32_t cp;
        const size_t len = hlmi_u8_next(s.u.s + i, s.n - i, &cp);
        const bool is_upper = hlmi_u_upper(cp);
        switch (how) {
        case HLMI_UPPER: put_upper(&b, cp, false); break;
        case HLMI_SWAPCASE:
            if (is_upper) put_lower(&b, s, i, len, cp);
            else put_upper(&b, cp, false);
            break;
        case HLMI_TITLE:
        case HLMI_CAPITALIZE:
            if (inside) put_lower(&b, s, i, len, cp);
            else put_upper(&b, cp, true);
            break;
        case HLMI_CASEFOLD:
            if (cp == 0xDF || cp == 0x1E9E) hlmi_jsb_lit(&b, "ss");
            else if (cp == 0x3C2) hlmi_jsb_utf8(&b, 0x3C3);
            else put_lower(&b, s, 0, 0, cp);
            break;
        case HLMI_LOWER: put_lower(&b, s, i, len, cp); break;
        }
        inside = how == HLMI_CAPITALIZE || cased(cp);
        i += len;
    }
    jv out = hlmi_jsb_done(&b);
    if (out.kind == JV_STR) out.flags = s.flags & JV_SAFE;
    return out;
}
