/* One scanner for the family; a table says how its members differ. */
#include "text/scan.h"

#include <stdbool.h>
#include <string.h>

#include "text/unicode.h"

struct hlmi_scan {
    const char *pattern;
    bool any_case; /* contractions in any case */
    bool any_prefix; /* a letter run takes one preceding character of any kind, not only a space */
    bool number_prefix; /* a number takes one preceding space */
    bool newlines; /* symbols take the newlines behind them; white space ends at its last newline */
    size_t max_digits;
};

static const hlmi_scan scans[] = {
    {HLMI_SCAN_GPT2, .number_prefix = true, .max_digits = SIZE_MAX},
    {"'(?:[sdmt]|ll|ve|re)| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+", .number_prefix = true,
     .max_digits = SIZE_MAX},
    {HLMI_SCAN_LLAMA3, .any_case = true, .any_prefix = true, .newlines = true, .max_digits = 3},
    {HLMI_SCAN_QWEN2, .any_case = true, .any_prefix = true, .newlines = true, .max_digits = 1},
};

const hlmi_scan *hlmi_scan_find(const char *pattern, size_t len)
{
    for (size_t i = 0; i < sizeof scans / sizeof *scans; i++)
        if (strlen(scans[i].pattern) == len && memcmp(scans[i].pattern, pattern, len) == 0) return &scans[i];
    return NULL;
}

enum { SPACE = HLMI_CC_SPACE, LETTER = HLMI_CC_LETTER, NUMBER = HLMI_CC_NUMBER };

/* Class of the character at s[at], its length in *k; past the end nothing, of length 0. */
static inline unsigned class_at(const char *s, size_t len, size_t at, size_t *k)
{
    static const uint8_t ascii[128] = {
        ['\t'] = SPACE, ['\n'] = SPACE, ['\v'] = SPACE, ['\f'] = SPACE, ['\r'] = SPACE, [' '] = SPACE,  ['0'] = NUMBER,
        ['1'] = NUMBER, ['2'] = NUMBER, ['3'] = NUMBER, ['4'] = NUMBER, ['5'] = NUMBER, ['6'] = NUMBER, ['7'] = NUMBER,
        ['8'] = NUMBER, ['9'] = NUMBER, ['A'] = LETTER, ['B'] = LETTER, ['C'] = LETTER, ['D'] = LETTER, ['E'] = LETTER,
        ['F'] = LETTER, ['G'] = LETTER, ['H'] = LETTER, ['I'] = LETTER, ['J'] = LETTER, ['K'] = LETTER, ['L'] = LETTER,
        ['M'] = LETTER, ['N'] = LETTER, ['O'] = LETTER, ['P'] = LETTER, ['Q'] = LETTER, ['R'] = LETTER, ['S'] = LETTER,
        ['T'] = LETTER, ['U'] = LETTER, ['V'] = LETTER, ['W'] = LETTER, ['X'] = LETTER, ['Y'] = LETTER, ['Z'] = LETTER,
        ['a'] = LETTER, ['b'] = LETTER, ['c'] = LETTER, ['d'] = LETTER, ['e'] = LETTER, ['f'] = LETTER, ['g'] = LETTER,
        ['h'] = LETTER, ['i'] = LETTER, ['j'] = LETTER, ['k'] = LETTER, ['l'] = LETTER, ['m'] = LETTER, ['n'] = LETTER,
        ['o'] = LETTER, ['p'] = LETTER, ['q'] = LETTER, ['r'] = LETTER, ['s'] = LETTER, ['t'] = LETTER, ['u'] = LETTER,
        ['v'] = LETTER, ['w'] = LETTER, ['x'] = LETTER, ['y'] = LETTER, ['z'] = LETTER,
    };
    *k = 0;
    if (at >= len) return 0;
    const unsigned char c = (unsigned char)s[at];
    *k = hlmi_utf8_len(c);
    return c < 0x80 ? ascii[c] : hlmi_char_class(hlmi_utf8_get(s + at)) & (SPACE | LETTER | NUMBER);
}

/* End of the run of characters of class `want` (0: of none of the three), at most max of them. */
static size_t run_end(const char *s, size_t len, size_t at, unsigned want, size_t max)
{
    size_t k;
    for (; max > 0; max--, at += k) {
        const unsigned c = class_at(s, len, at, &k);
        if (k == 0 || (want ? !(c & want) : c != 0)) break;
    }
    return at;
}

static char lower(char c, bool any_case)
{
    return any_case && c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Bytes of an English contraction at s[at], which is an apostrophe; 0: none. */
static size_t contraction(const hlmi_scan *scan, const char *s, size_t len, size_t at)
{
    if (len - at < 2) return 0;
    const char a = lower(s[at + 1], scan->any_case);
    if (a == 's' || a == 't' || a == 'm' || a == 'd') return 2;
    if (len - at < 3) return 0;
    if (scan->any_case && memcmp(s + at + 1, "\xC5\xBF", 2) == 0) return 3; /* long s, which folds to s */
    const char b = lower(s[at + 2], scan->any_case);
    return (a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l') ? 3 : 0;
}

static bool is_newline(char c)
{
    return c == '\r' || c == '\n';
}

/* White space from `at` on. It leaves its last character to the word that follows, unless it is alone. */
static size_t space_end(const hlmi_scan *scan, const char *s, size_t len, size_t at)
{
    size_t i = at, last = at, newline = 0, k;
    while (class_at(s, len, i, &k) & SPACE) {
        last = i;
        i += k;
        if (is_newline(s[last])) newline = i;
    }
    if (scan->newlines && newline) return newline;
    return i == len || last == at ? i : last;
}

size_t hlmi_scan_next(const hlmi_scan *scan, const char *s, size_t len, size_t at)
{
    size_t k, k2, n;
    if (s[at] == '\'' && (n = contraction(scan, s, len, at)) > 0) return at + n;
    const unsigned c = class_at(s, len, at, &k);
    if (c & LETTER) return run_end(s, len, at + k, LETTER, SIZE_MAX);
    if (c & NUMBER) return run_end(s, len, at, NUMBER, scan->max_digits);
    const unsigned next = class_at(s, len, at + k, &k2);
    const bool space = s[at] == ' ';
    if ((next & LETTER) && (scan->any_prefix ? !is_newline(s[at]) : space))
        return run_end(s, len, at + k, LETTER, SIZE_MAX);
    if ((next & NUMBER) && space && scan->number_prefix) return run_end(s, len, at + k, NUMBER, scan->max_digits);
    if (c == 0 || (space && k2 && next == 0)) {
        n = run_end(s, len, at + k, 0, SIZE_MAX);
        while (scan->newlines && n < len && is_newline(s[n])) n++;
        return n;
    }
    return space_end(scan, s, len, at);
}
