/* Python's regular expressions on PCRE2. */
#include "text/pyre.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <string.h>

enum { LONGEST = 4096 /* bytes of an expression */, NESTED = 250, STEPS = 100000, HEAP_KB = 1024 };

/* Escapes that both read in one way; \A, \B and \b outside of classes only (\b inside is a backspace to both). */
static bool known_escape(char c, bool class)
{
    if (c == 0) return false;
    if (strchr("dDwWsSbnrtf", c)) return true;
    if (!class && strchr("AB123456789", c)) return true;
    const bool word = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    return !word && (unsigned char)c < 0x80; /* punctuation stands for itself */
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Copies the escape at s; its bytes, 0 when it is not known. */
static size_t copy_escape(hlmi_buf *b, const char *s, bool class)
{
    if (s[1] == 'Z' && !class) {
        hlmi_buf_str(b, "\\z");
        return 2;
    }
    if (s[1] == 'v' || s[1] == 'a') {
        hlmi_buf_str(b, s[1] == 'v' ? "\\x0b" : "\\x07");
        return 2;
    }
    if (s[1] == 'x' && is_hex(s[2]) && is_hex(s[3])) {
        hlmi_buf_add(b, s, 4);
        return 4;
    }
    if (!known_escape(s[1], class)) return 0;
    hlmi_buf_add(b, s, 2);
    return 2;
}

/* A class: Python knows no names of classes in it, so that a bracket is one. */
static size_t copy_class(hlmi_buf *b, const char *s)
{
    size_t i = 1;
    hlmi_buf_char(b, '[');
    if (s[i] == '^') hlmi_buf_char(b, s[i++]);
    for (const size_t first = i; s[i] && (s[i] != ']' || i == first);) {
        if (s[i] == '\\') {
            const size_t n = copy_escape(b, s + i, true);
            if (n == 0) return 0;
            i += n;
            continue;
        }
        if (s[i] == '[' || s[i] == ']') hlmi_buf_char(b, '\\');
        hlmi_buf_char(b, s[i++]);
    }
    if (!s[i]) return 0;
    hlmi_buf_char(b, ']');
    return i + 1;
}

/* What stands behind "(?", up to where both go on reading alike; 0: they do not. */
static size_t copy_group(hlmi_buf *b, const char *s)
{
    static const char *const same[] = {"(?:", "(?=", "(?!", "(?<=", "(?<!", "(?>", "(?P<", "(?P=", "(?#"};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        if (strncmp(s, same[i], strlen(same[i])) == 0) {
            hlmi_buf_str(b, same[i]);
            return strlen(same[i]);
        }
    size_t n = 2;
    while (s[n] == 'i' || s[n] == 's' || s[n] == 'm' || s[n] == '-') n++;
    if (n == 2 || s[n] != ':') return 0; /* flags of the whole expression stand at its beginning, which is not here */
    hlmi_buf_add(b, s, n + 1);
    return n + 1;
}

/* A quantifier without its lower bound, which PCRE2 takes for text. */
static size_t copy_brace(hlmi_buf *b, const char *s)
{
    size_t n = 2;
    while (s[n] >= '0' && s[n] <= '9') n++;
    if (s[1] != ',' || s[n] != '}') n = 1;
    hlmi_buf_str(b, n == 1 ? "{" : "{0");
    hlmi_buf_add(b, s + 1, n - 1);
    return n;
}

static bool respell(hlmi_buf *b, const char *s)
{
    while (*s) {
        size_t n = 1;
        if (*s == '\\') n = copy_escape(b, s, false);
        else if (*s == '[') n = copy_class(b, s);
        else if (s[0] == '(' && s[1] == '?') n = copy_group(b, s);
        else if (s[0] == '(' && s[1] == '*') n = 0;
        else if (*s == '{') n = copy_brace(b, s);
        else hlmi_buf_char(b, *s);
        if (n == 0) return false;
        s += n;
    }
    return true;
}

static hlm_status refuse(const char *pattern, const char *why)
{
    return hlmi_fail(HLM_E_UNSUPPORTED, "regular expression '%.200s': %s", pattern, why);
}

hlm_status hlmi_pyre_compile(hlmi_pattern *re, const hlmi_mem *mem, hlmi_pyre_kind kind, const char *pattern)
{
    static const char *const before[] = {"(?:", "(.*\\.)?(", "(?:^|.*?\\.)(?:"};
    static const char *const after[] = {")\\z", ")$", ")\\.(?P<idx>\\d+)\\."};
    const hlmi_str source = {pattern, strlen(pattern)};
    hlm_status st;
    hlmi_buf b;
    hlmi_buf_init(&b, mem);
    *re = (hlmi_pattern){0};
    if (source.len > LONGEST) HLMI_TRY(refuse(pattern, "it is longer than 4096 bytes"));
    hlmi_buf_str(&b, before[kind]);
    if (!respell(&b, pattern)) HLMI_TRY(refuse(pattern, "it has what Python and PCRE2 do not read in one way"));
    hlmi_buf_str(&b, after[kind]);
    HLMI_TRY(hlmi_pattern_compile(re, mem, &b, PCRE2_ANCHORED, NESTED, source));
done:
    hlmi_buf_free(&b);
    if (st != HLM_OK) hlmi_pattern_free(re, mem);
    return st;
}

static int64_t found_number(const hlmi_matches *w, const char *s)
{
    const int group = pcre2_substring_number_from_name(w->pattern->code, (PCRE2_SPTR) "idx");
    const PCRE2_SIZE *v = pcre2_get_ovector_pointer(w->data);
    int64_t n = 0;
    if (group < 0) return -1;
    for (PCRE2_SIZE i = v[2 * group]; i < v[2 * group + 1]; i++) {
        if (s[i] < '0' || s[i] > '9' || n > INT32_MAX) return -1;
        n = 10 * n + (s[i] - '0');
    }
    return n > INT32_MAX ? -1 : n;
}

hlm_status hlmi_pyre_match(const hlmi_pattern *re, const char *s, size_t len, bool *matches, int64_t *number)
{
    hlmi_matches w;
    HLMI_DO(hlmi_matches_begin(&w, re));
    pcre2_set_match_limit(w.context, STEPS);
    pcre2_set_heap_limit(w.context, HEAP_KB);
    const int rc = pcre2_match(re->code, (PCRE2_SPTR)s, len, 0, 0, w.data, w.context);
    *matches = rc >= 0;
    if (number) *number = rc >= 0 ? found_number(&w, s) : -1;
    hlmi_matches_end(&w);
    if (rc >= 0 || rc == PCRE2_ERROR_NOMATCH) return HLM_OK;
    if (rc == PCRE2_ERROR_NOMEMORY) return hlmi_nomem(0, "matching a regular expression");
    char why[128];
    pcre2_get_error_message(rc, (PCRE2_UCHAR *)why, sizeof why);
    return hlmi_fail(HLM_E_LIMIT, "a regular expression gave up at '%.*s': %s", (int)(len < 200 ? len : 200), s, why);
}
