/* PCRE2 with Oniguruma's meaning: escapes such as \s and \w are respelled, ^ and $ work at lines, and nested classes
 * are flattened. */
#include "text/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <string.h>

#include "base/size.h"

/* Groups within groups: each takes stack while an expression is compiled. */
enum { NESTED = 50 };

static void *re_malloc(PCRE2_SIZE n, void *user)
{
    return hlmi_alloc(user, n ? n : 1);
}

static void re_free(void *p, void *user)
{
    hlmi_free(user, p);
}

/* Word characters; Oniguruma counts the numbers of Latin-1 (superscripts and fractions) among them, and no others. */
#define WORD "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\x{B2}\\x{B3}\\x{B9}\\x{BC}-\\x{BE}"

/* Escapes whose meaning differs, outside and inside a class. NULL: no spelling inside a class. */
static const struct {
    char c;
    const char *outside, *inside;
} escapes[] = {
    {'s', "\\p{White_Space}", "\\p{White_Space}"},
    {'S', "\\P{White_Space}", "\\P{White_Space}"},
    {'w', "[" WORD "]", WORD},
    {'W', "[^" WORD "]", NULL},
    {'b', "(?:(?<=[" WORD "])(?![" WORD "])|(?<![" WORD "])(?=[" WORD "]))", "\\b"},
    {'B', "(?:(?<=[" WORD "])(?=[" WORD "])|(?<![" WORD "])(?![" WORD "]))", NULL},
    {'h', "[0-9a-fA-F]", "0-9a-fA-F"},
    {'H', "[^0-9a-fA-F]", NULL},
};

/* Copies the escape at s[0] == '\\' to b; returns its bytes, 0 when it can not be spelled. */
static size_t respell_escape(hlmi_buf *b, const char *s, size_t n, size_t depth)
{
    if (n < 2) {
        hlmi_buf_add(b, s, n);
        return n;
    }
    for (size_t i = 0; i < sizeof escapes / sizeof *escapes; i++) {
        if (escapes[i].c != s[1]) continue;
        const char *to = depth ? escapes[i].inside : escapes[i].outside;
        if (!to) return 0;
        hlmi_buf_str(b, to);
        return 2;
    }
    hlmi_buf_add(b, s, 2);
    return 2;
}

/* The expression as PCRE2 reads it. A class within a class is Oniguruma's union: its brackets go. false: negated inner
 * classes and intersections, which PCRE2 can not say. */
static bool respell(hlmi_buf *b, const char *s, size_t n)
{
    size_t depth = 0;
    bool fresh = false; /* a ']' here would be literal */
    for (size_t i = 0; i < n;) {
        const char c = s[i];
        if (c == '\\') {
            const size_t used = respell_escape(b, s + i, n - i, depth);
            if (used == 0) return false;
            i += used;
            fresh = false;
            continue;
        }
        if (depth && c == '&' && i + 1 < n && s[i + 1] == '&') return false;
        if (c == '[' && depth && i + 1 < n && s[i + 1] == '^') return false;
        if (c == '[' && !(depth && i + 1 < n && s[i + 1] == ':')) {
            if (depth++ == 0) hlmi_buf_char(b, c);
            fresh = true;
            i++;
            if (depth == 1 && i < n && s[i] == '^') hlmi_buf_char(b, s[i++]);
            continue;
        }
        if (c == '[') { /* [:alpha:] */
            while (i < n && s[i] != ']') hlmi_buf_char(b, s[i++]);
        } else if (c == ']' && depth && !fresh && --depth > 0) {
            i++;
            continue;
        }
        if (i < n) hlmi_buf_char(b, s[i++]);
        fresh = false;
    }
    return true;
}

hlm_status hlmi_pcre_compile(void **code, void **general, const hlmi_mem *mem, const hlmi_buf *text, uint32_t options,
                             uint32_t nested, hlmi_str pattern)
{
    int rc = 0;
    PCRE2_SIZE at = 0;
    HLMI_DO(hlmi_buf_status(text, "regular expression"));
    *general = pcre2_general_context_create(re_malloc, re_free, (void *)(uintptr_t)mem);
    pcre2_compile_context *cc = *general ? pcre2_compile_context_create(*general) : NULL;
    if (!cc) return hlmi_nomem(0, "regular expression");
    pcre2_set_newline(cc, PCRE2_NEWLINE_LF);
    pcre2_set_parens_nest_limit(cc, nested);
    *code = pcre2_compile((PCRE2_SPTR)(text->data ? text->data : ""), text->len,
                          options | PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &rc, &at, cc);
    pcre2_compile_context_free(cc);
    if (*code) return HLM_OK;
    if (rc == PCRE2_ERROR_HEAP_FAILED) return hlmi_nomem(text->len, "regular expression");
    char why[128];
    pcre2_get_error_message(rc, (PCRE2_UCHAR *)why, sizeof why);
    return hlmi_fail(HLM_E_UNSUPPORTED, "regular expression '%.*s': %s", (int)hlmi_min_size(pattern.len, 200),
                     pattern.s, why);
}

hlm_status hlmi_regex_compile(hlmi_regex *re, const hlmi_mem *mem, const char *pattern, size_t len)
{
    hlm_status st;
    hlmi_buf b;
    hlmi_buf_init(&b, mem);
    *re = (hlmi_regex){0};
    if (!respell(&b, pattern, len))
        HLMI_TRY(hlmi_fail(HLM_E_UNSUPPORTED, "regular expression '%.*s': nested negated classes are not supported",
                           (int)(len < 200 ? len : 200), pattern));
    HLMI_TRY(hlmi_pcre_compile(&re->code, &re->general, mem, &b, PCRE2_MULTILINE, NESTED, (hlmi_str){pattern, len}));
done:
    hlmi_buf_free(&b);
    if (st != HLM_OK) hlmi_regex_free(re);
    return st;
}

void hlmi_regex_free(hlmi_regex *re)
{
    pcre2_code_free(re->code);
    pcre2_general_context_free(re->general);
    *re = (hlmi_regex){0};
}

hlm_status hlmi_regex_walk_begin(hlmi_regex_walk *w, const hlmi_regex *re)
{
    *w = (hlmi_regex_walk){.re = re};
    w->data = pcre2_match_data_create(1, re->general);
    w->context = pcre2_match_context_create(re->general);
    if (w->data && w->context) return HLM_OK;
    hlmi_regex_walk_end(w);
    return hlmi_nomem(0, "regular expression");
}

void hlmi_regex_walk_text(hlmi_regex_walk *w, const char *s, size_t len)
{
    /* PCRE2 counts the steps of each starting place anew: a fixed part and one that lets a run as long as the text be
     * tried a few dozen times. */
    const size_t limit = 100000 + (len < 10000000 ? len : 10000000) * 32;
    pcre2_set_match_limit(w->context, (uint32_t)limit);
    pcre2_set_heap_limit(w->context, 256 * 1024);
    w->s = s;
    w->len = len;
    w->at = w->last_end = 0;
    w->any = false;
}

static hlm_status match_failed(int rc)
{
    if (rc == PCRE2_ERROR_NOMEMORY) return hlmi_nomem(0, "matching a regular expression");
    char why[128];
    pcre2_get_error_message(rc, (PCRE2_UCHAR *)why, sizeof why);
    return hlmi_fail(HLM_E_LIMIT, "the tokenizer's regular expression gave up: %s", why);
}

hlm_status hlmi_regex_walk_next(hlmi_regex_walk *w, bool *found, size_t *begin, size_t *end)
{
    *found = false;
    while (w->at <= w->len) {
        const int rc =
            pcre2_match(w->re->code, (PCRE2_SPTR)w->s, w->len, w->at, PCRE2_NO_UTF_CHECK, w->data, w->context);
        if (rc == PCRE2_ERROR_NOMATCH) return HLM_OK;
        if (rc < 0) return match_failed(rc);
        const PCRE2_SIZE *v = pcre2_get_ovector_pointer(w->data);
        if (v[0] > v[1]) return hlmi_fail(HLM_E_UNSUPPORTED, "a regular expression that sets its match's start");
        if (v[0] == v[1] && w->any && v[1] == w->last_end) { /* empty, right behind the latest match */
            size_t step = 1;
            while (w->at + step < w->len && ((unsigned char)w->s[w->at + step] & 0xC0) == 0x80) step++;
            w->at += step;
            continue;
        }
        w->at = w->last_end = v[1];
        w->any = *found = true;
        *begin = v[0];
        *end = v[1];
        return HLM_OK;
    }
    return HLM_OK;
}

void hlmi_regex_walk_end(hlmi_regex_walk *w)
{
    pcre2_match_data_free(w->data);
    pcre2_match_context_free(w->context);
    w->data = w->context = NULL;
}
