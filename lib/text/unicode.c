/* UTF-8 and character classes, on utf8proc's tables. */
#include "text/unicode.h"

#include <string.h>
#include <utf8proc.h>

/* Smallest and largest second byte that may follow a lead byte (the well-formed table of the Unicode standard: no
 * overlong forms, no surrogates, nothing above U+10FFFF). */
static bool second_ok(unsigned char lead, unsigned char c)
{
    switch (lead) {
    case 0xE0: return c >= 0xA0 && c <= 0xBF;
    case 0xED: return c >= 0x80 && c <= 0x9F;
    case 0xF0: return c >= 0x90 && c <= 0xBF;
    case 0xF4: return c >= 0x80 && c <= 0x8F;
    default: return c >= 0x80 && c <= 0xBF;
    }
}

/* Length that a lead byte announces; 0 for bytes that lead nothing. */
static size_t announced(unsigned char c)
{
    if (c < 0x80) return 1;
    if (c < 0xC2 || c > 0xF4) return 0;
    return hlmi_utf8_len(c);
}

/* How many bytes of s [n] belong to a well-formed or well-begun character. */
static size_t well_begun(const unsigned char *s, size_t n, size_t want)
{
    size_t k = 1;
    if (k < want && k < n && second_ok(s[0], s[1])) {
        for (k = 2; k < want && k < n && s[k] >= 0x80 && s[k] <= 0xBF; k++) {
        }
    }
    return k;
}

int32_t hlmi_utf8_next(const char *text, size_t n, size_t *len)
{
    const unsigned char *s = (const unsigned char *)text;
    const size_t want = announced(s[0]);
    *len = 1;
    if (want == 0) return -1;
    *len = well_begun(s, n, want);
    return *len == want ? (int32_t)hlmi_utf8_get(text) : -1;
}

size_t hlmi_utf8_valid(const char *s, size_t n)
{
    size_t i = 0;
    while (i < n) {
        uint64_t w;
        if (n - i >= sizeof w) { /* eight ASCII bytes at once */
            memcpy(&w, s + i, sizeof w);
            if ((w & 0x8080808080808080u) == 0) {
                i += sizeof w;
                continue;
            }
        }
        size_t len;
        if (hlmi_utf8_next(s + i, n - i, &len) < 0) return i;
        i += len;
    }
    return i;
}

bool hlmi_utf8_partial(const char *text, size_t n)
{
    const unsigned char *s = (const unsigned char *)text;
    const size_t want = announced(s[0]);
    return want > n && well_begun(s, n, want) == n;
}

/* Of White_Space all but controls are separators. */
static unsigned category_class(utf8proc_category_t c)
{
    if (c >= UTF8PROC_CATEGORY_LU && c <= UTF8PROC_CATEGORY_LO) return HLMI_CC_LETTER | HLMI_CC_WORD;
    if (c >= UTF8PROC_CATEGORY_PD && c <= UTF8PROC_CATEGORY_PO) return HLMI_CC_PUNCT;
    if (c >= UTF8PROC_CATEGORY_ZS && c <= UTF8PROC_CATEGORY_ZP) return HLMI_CC_SPACE;
    switch (c) {
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL: return HLMI_CC_NUMBER | HLMI_CC_WORD; /* Alphabetic */
    case UTF8PROC_CATEGORY_NO: return HLMI_CC_NUMBER;
    case UTF8PROC_CATEGORY_MN: return HLMI_CC_MARK | HLMI_CC_WORD;
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME: return HLMI_CC_WORD;
    case UTF8PROC_CATEGORY_PC: return HLMI_CC_PUNCT | HLMI_CC_WORD;
    default: return 0;
    }
}

unsigned hlmi_char_class(uint32_t cp)
{
    const utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)cp);
    unsigned cls = category_class(category);
    if (cp < 0x80 && category >= UTF8PROC_CATEGORY_SM && category <= UTF8PROC_CATEGORY_SO) cls |= HLMI_CC_PUNCT;
    if ((cp >= 9 && cp <= 13) || cp == 0x85) cls |= HLMI_CC_SPACE;
    if (cp == 0x200C || cp == 0x200D) cls |= HLMI_CC_WORD; /* Join_Control */
    if ((cp >= 0x24B6 && cp <= 0x24E9) ||
        (cp >= 0x1F130 && cp <= 0x1F189 && (cp <= 0x1F149 || (cp >= 0x1F150 && cp <= 0x1F169) || cp >= 0x1F170)))
        cls |= HLMI_CC_WORD; /* circled and squared letters: symbols, yet Alphabetic */
    return cls;
}
