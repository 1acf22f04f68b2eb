/* PCRE2 with Oniguruma's meaning: escapes such as \s and \w are respelled, ^ and $ work at lines, and nested classes
 * are flattened. */
#include "text/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <string.h>

#include "base/find.h"
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

hlm_status hlmi_pattern_compile(hlmi_pattern *p, const hlmi_mem *mem, const hlmi_buf *text, uint32_t options,
                                uint32_t nested, hlmi_str source)
{
    int rc = 0;
    PCRE2_SIZE at = 0;
    HLMI_DO(hlmi_buf_status(text, "regular expression"));
    p->general = pcre2_general_context_create(re_malloc, re_free, (void *)(uintptr_t)mem);
    pcre2_compile_context *cc = p->general ? pcre2_compile_context_create(p->general) : NULL;
    if (!cc) return hlmi_nomem(0, "regular expression");
    pcre2_set_newline(cc, PCRE2_NEWLINE_LF);
    pcre2_set_parens_nest_limit(cc, nested);
    p->code = pcre2_compile((PCRE2_SPTR)(text->data ? text->data : ""), text->len,
                            options | PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &rc, &at, cc);
    pcre2_compile_context_free(cc);
    if (p->code) return HLM_OK;
    if (rc == PCRE2_ERROR_HEAP_FAILED) return hlmi_nomem(text->len, "regular expression");
    char why[128];
    pcre2_get_error_message(rc, (PCRE2_UCHAR *)why, sizeof why);
    return hlmi_fail(HLM_E_UNSUPPORTED, "regular expression '%.*s': %s", (int)hlmi_min_size(source.len, 200), source.s,
                     why);
}

hlm_status hlmi_pattern_set(hlmi_pattern *p, const hlmi_mem *mem, hlmi_str text, bool expression)
{
    hlm_status st;
    hlmi_buf b;
    *p = (hlmi_pattern){.text = hlmi_strndup(mem, text.s, text.len), .len = text.len};
    if (!p->text) return hlmi_nomem(text.len, "tokenizer");
    if (!expression) return HLM_OK;
    hlmi_buf_init(&b, mem);
    if (!respell(&b, text.s, text.len))
        HLMI_TRY(hlmi_fail(HLM_E_UNSUPPORTED, "regular expression '%.*s': nested negated classes are not supported",
                           (int)hlmi_min_size(text.len, 200), text.s));
    st = hlmi_pattern_compile(p, mem, &b, PCRE2_MULTILINE, NESTED, text);
done:
    hlmi_buf_free(&b);
    return st;
}

void hlmi_pattern_free(hlmi_pattern *p, const hlmi_mem *mem)
{
    hlmi_free(mem, p->text);
    pcre2_code_free(p->code);
    pcre2_general_context_free(p->general);
    *p = (hlmi_pattern){0};
}

hlm_status hlmi_matches_begin(hlmi_matches *w, const hlmi_pattern *p)
{
    *w = (hlmi_matches){.pattern = p};
    if (!p->code) return HLM_OK;
    w->data = pcre2_match_data_create_from_pattern(p->code, p->general);
    w->context = pcre2_match_context_create(p->general);
    if (w->data && w->context) return HLM_OK;
    hlmi_matches_end(w);
    return hlmi_nomem(0, "regular expression");
}

void hlmi_matches_text(hlmi_matches *w, const char *s, size_t len)
{
    w->s = s;
    w->len = len;
    w->at = 0;
    w->end = SIZE_MAX;
    if (!w->context) return;
    /* PCRE2 counts the steps of each starting place anew: a fixed part and one that lets a run as long as the text be
     * tried a few dozen times. */
    const size_t limit = 100000 + hlmi_min_size(len, 10000000) * 32;
    pcre2_set_match_limit(w->context, (uint32_t)limit);
    pcre2_set_heap_limit(w->context, 256 * 1024);
}

static void take_match(hlmi_matches *w, size_t begin, size_t end)
{
    w->found = true;
    w->begin = begin;
    w->at = w->end = end;
}

static hlm_status match_failed(int rc)
{
    if (rc == PCRE2_ERROR_NOMEMORY) return hlmi_nomem(0, "matching a regular expression");
    char why[128];
    pcre2_get_error_message(rc, (PCRE2_UCHAR *)why, sizeof why);
    return hlmi_fail(HLM_E_LIMIT, "the tokenizer's regular expression gave up: %s", why);
}

static hlm_status next_match(hlmi_matches *w)
{
    while (w->at <= w->len) {
        const int rc =
            pcre2_match(w->pattern->code, (PCRE2_SPTR)w->s, w->len, w->at, PCRE2_NO_UTF_CHECK, w->data, w->context);
        if (rc == PCRE2_ERROR_NOMATCH) return HLM_OK;
        if (rc < 0) return match_failed(rc);
        const PCRE2_SIZE *v = pcre2_get_ovector_pointer(w->data);
        if (v[0] > v[1]) return hlmi_fail(HLM_E_UNSUPPORTED, "a regular expression that sets its match's start");
        if (v[0] < v[1] || v[1] != w->end) {
            take_match(w, v[0], v[1]);
            return HLM_OK;
        }
        do w->at++; /* empty, right behind the latest match */
        while (w->at < w->len && ((unsigned char)w->s[w->at] & 0xC0) == 0x80);
    }
    return HLM_OK;
}

hlm_status hlmi_matches_next(hlmi_matches *w)
{
    w->found = false;
    if (w->pattern->code) return next_match(w);
    const size_t hit = hlmi_find(w->s + w->at, w->len - w->at, w->pattern->text, w->pattern->len, false, NULL);
    if (hit != SIZE_MAX) take_match(w, w->at + hit, w->at + hit + w->pattern->len);
    return HLM_OK;
}

void hlmi_matches_end(hlmi_matches *w)
{
    pcre2_match_data_free(w->data);
    pcre2_match_context_free(w->context);
    w->data = w->context = NULL;
}
