/* Template source to tokens. */
#include "jinja/lexer.h"

#include "base/size.h"
#include "jinja/number.h"
#include "jinja/utext.h"

enum { BRACKETS_MAX = 1024 };

typedef struct lexer {
    jx *x;
    const char *p;
    size_t n, at;
    uint32_t line;
    bool line_start; /* the text before `at` ended a line */
    jtok *tok;
    size_t ntok, cap;
    char open[BRACKETS_MAX]; /* brackets that wait to be closed in this tag */
    size_t nopen;
} lexer;

static bool looking_at(const lexer *l, size_t at, const char *s)
{
    const size_t n = strlen(s);
    return at <= l->n && l->n - at >= n && memcmp(l->p + at, s, n) == 0;
}

static void emit(lexer *l, jtok_kind kind, uint16_t op, jv v)
{
    if (l->ntok == l->cap) {
        const size_t cap = hlmi_max_size(64, l->cap * 2);
        jtok *t = hlmi_jalloc(l->x, cap * sizeof *t);
        if (!t) return;
        if (l->ntok) memcpy(t, l->tok, l->ntok * sizeof *t);
        l->tok = t;
        l->cap = cap;
    }
    l->tok[l->ntok++] = (jtok){.kind = (uint8_t)kind, .op = op, .line = l->line, .v = v};
}

static void skip_to(lexer *l, size_t to)
{
    for (; l->at < to; l->at++) l->line += l->p[l->at] == '\n';
}

static size_t space_from(const lexer *l, size_t at)
{
    while (at < l->n) {
        uint32_t cp;
        const size_t len = hlmi_u8_next(l->p + at, l->n - at, &cp);
        if (!hlmi_u_space(cp)) break;
        at += len;
    }
    return at;
}

/* Where a tag's end that starts at `at` ("-%}", "+%}" or "%}") leaves off; 0 when there is none. A block's end takes
 * one newline with it, a print's does not. */
static size_t tag_end(const lexer *l, size_t at, const char *end, bool block)
{
    if (at < l->n && l->p[at] == '-' && looking_at(l, at + 1, end)) return space_from(l, at + 3);
    if (block && at < l->n && l->p[at] == '+' && looking_at(l, at + 1, end)) return at + 3;
    if (!looking_at(l, at, end)) return 0;
    at += 2;
    return block && at < l->n && l->p[at] == '\n' ? at + 1 : at;
}

/* Text in front of a tag whose sign is `sign` ('-', '+' or another character). */
static void emit_data(lexer *l, size_t from, size_t to, char sign, bool print)
{
    jv text = jv_str(l->p + from, to - from);
    if (sign == '-') {
        text = hlmi_jstrip(text, false, true);
    } else if (sign != '+' && !print) {
        size_t line = text.n;
        while (line > 0 && text.u.s[line - 1] != '\n') line--;
        const jv tail = jv_str(text.u.s + line, text.n - line);
        if ((line > 0 || l->line_start) && hlmi_jstrip(tail, true, false).n == 0) text.n = (uint32_t)line;
    }
    if (text.n) emit(l, JT_DATA, 0, text);
}

static void lex_comment(lexer *l, size_t at)
{
    for (size_t i = at; i < l->n; i++) {
        const size_t end = tag_end(l, i, "#}", true);
        if (!end) continue;
        skip_to(l, end);
        l->line_start = end > 0 && l->p[end - 1] == '\n';
        return;
    }
    l->x->line = l->line;
    hlmi_jfail(l->x, "a comment has no end");
}

/* When the tag at `at` (behind "{%") is `word` alone, where it leaves off; else 0. */
static size_t lone_tag(const lexer *l, size_t at, const char *word, bool trims)
{
    if (at < l->n && (l->p[at] == '-' || l->p[at] == '+')) at++;
    at = space_from(l, at);
    if (!looking_at(l, at, word)) return 0;
    at = space_from(l, at + strlen(word));
    if (trims) return tag_end(l, at, "%}", true);
    if (at < l->n && l->p[at] == '-' && looking_at(l, at + 1, "%}")) return space_from(l, at + 3);
    return looking_at(l, at, "%}") ? at + 2 : 0;
}

static void lex_raw(lexer *l, size_t body)
{
    const uint32_t line = l->line;
    skip_to(l, body);
    l->line_start = l->p[body - 1] == '\n';
    for (size_t i = body; i < l->n; i++) {
        if (!looking_at(l, i, "{%")) continue;
        const size_t end = lone_tag(l, i + 2, "endraw", true);
        if (!end) continue;
        emit_data(l, body, i, i + 2 < l->n ? l->p[i + 2] : '\0', false);
        skip_to(l, end);
        l->line_start = l->p[end - 1] == '\n';
        return;
    }
    l->x->line = line;
    hlmi_jfail(l->x, "a raw block has no end");
}

/* ---- inside tags */

static jv unescape(lexer *l, const char *p, size_t n);

static bool is_word(unsigned char c)
{
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0x80;
}

static void lex_string(lexer *l)
{
    const char quote = l->p[l->at];
    size_t i = l->at + 1;
    while (i < l->n && l->p[i] != quote) i += l->p[i] == '\\' ? 2 : 1;
    if (i >= l->n) {
        hlmi_jfail(l->x, "a string has no end");
        return;
    }
    emit(l, JT_STRING, 0, unescape(l, l->p + l->at + 1, i - l->at - 1));
    skip_to(l, i + 1);
}

static void lex_number(lexer *l)
{
    const bool after_dot = l->at > 0 && l->p[l->at - 1] == '.';
    jv v;
    const size_t len = hlmi_jnumber_scan(l->x, l->p + l->at, l->n - l->at, !after_dot, &v);
    if (len == 0) {
        hlmi_jfail(l->x, "a number is malformed");
        return;
    }
    emit(l, v.kind == JV_FLOAT ? JT_FLOAT : JT_INT, 0, v);
    l->at += len;
}

static void close_bracket(lexer *l, char c)
{
    const char want = c == ')' ? '(' : c == ']' ? '[' : '{';
    if (l->nopen == 0 || l->open[l->nopen - 1] != want) hlmi_jfail(l->x, "unexpected '%c'", c);
    else l->nopen--;
}

static void lex_operator(lexer *l)
{
    static const char two[][3] = {"//", "**", "==", "!=", ">=", "<="};
    const char c = l->p[l->at];
    for (size_t i = 0; i < sizeof two / sizeof *two; i++) {
        if (!looking_at(l, l->at, two[i])) continue;
        emit(l, JT_OP, (uint16_t)JT_OP2(two[i][0], two[i][1]), jv_none());
        l->at += 2;
        return;
    }
    if (!strchr("+-/*%~[](){}<>=.:|,;", c)) {
        hlmi_jfail(l->x, "unexpected character (byte 0x%02x)", (unsigned)(unsigned char)c);
        return;
    }
    if (strchr("([{", c)) {
        if (l->nopen == BRACKETS_MAX) hlmi_jlimit(l->x, "brackets nest too deeply");
        else l->open[l->nopen++] = c;
    } else if (strchr(")]}", c)) {
        close_bracket(l, c);
    }
    emit(l, JT_OP, (uint16_t)(unsigned char)c, jv_none());
    l->at++;
}

/* The inside of a tag up to its end. */
static void lex_tag(lexer *l, const char *end, bool block)
{
    l->nopen = 0;
    while (l->x->st == HLM_OK) {
        skip_to(l, space_from(l, l->at));
        l->x->line = l->line;
        if (l->at >= l->n) {
            hlmi_jfail(l->x, "a tag is not closed with \"%s\"", end);
            return;
        }
        const size_t to = l->nopen ? 0 : tag_end(l, l->at, end, block);
        if (to) {
            emit(l, block ? JT_BLOCK_END : JT_PRINT_END, 0, jv_none());
            skip_to(l, to);
            l->line_start = l->p[to - 1] == '\n';
            return;
        }
        const char c = l->p[l->at];
        if (c == '"' || c == '\'') lex_string(l);
        else if (c >= '0' && c <= '9') lex_number(l);
        else if (is_word((unsigned char)c)) {
            size_t i = l->at;
            while (i < l->n && is_word((unsigned char)l->p[i])) i++;
            emit(l, JT_NAME, 0, jv_str(l->p + l->at, i - l->at));
            l->at = i;
        } else lex_operator(l);
    }
}

/* ---- strings: Python's escapes */

static bool hex_digits(const char *p, size_t n, uint32_t *v)
{
    *v = 0;
    for (size_t i = 0; i < n; i++) {
        const char c = p[i];
        const int d = c >= '0' && c <= '9' ? c - '0'
            : c >= 'a' && c <= 'f'         ? c - 'a' + 10
            : c >= 'A' && c <= 'F'         ? c - 'A' + 10
                                           : -1;
        if (d < 0) return false;
        *v = *v << 4 | (uint32_t)d;
    }
    return true;
}

/* One escape at p (behind the backslash); returns its length. */
static size_t escape(lexer *l, jsb *b, const char *p, size_t n)
{
    static const char from[] = "abfnrtv\\'\"", to[] = "\a\b\f\n\r\t\v\\'\"";
    const char c = p[0];
    const char *hit = strchr(from, c);
    if (c && hit) {
        hlmi_jsb_char(b, to[hit - from]);
        return 1;
    }
    if (c == '\n') return 1;
    if (c >= '0' && c <= '7') {
        uint32_t v = 0;
        size_t i = 0;
        while (i < 3 && i < n && p[i] >= '0' && p[i] <= '7') v = v * 8 + (uint32_t)(p[i++] - '0');
        hlmi_jsb_utf8(b, v);
        return i;
    }
    const size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    if (!digits) {
        hlmi_jsb_char(b, '\\');
        return 0;
    }
    uint32_t v;
    if (n - 1 < digits || !hex_digits(p + 1, digits, &v) || v > 0x10FFFF) {
        hlmi_jfail(l->x, "an escape \\%c in a string is malformed", c);
        return 1;
    }
    hlmi_jsb_utf8(b, v);
    return 1 + digits;
}

static jv unescape(lexer *l, const char *p, size_t n)
{
    if (!memchr(p, '\\', n)) return jv_str(p, n);
    jsb b = jsb_new(l->x);
    for (size_t i = 0; i < n && l->x->st == HLM_OK;) {
        const char *stop = memchr(p + i, '\\', n - i);
        const size_t plain = stop ? (size_t)(stop - (p + i)) : n - i;
        hlmi_jsb_add(&b, p + i, plain);
        i += plain;
        if (i < n) {
            i++;
            i += escape(l, &b, p + i, n - i);
        }
    }
    return hlmi_jsb_done(&b);
}

/* ---- the whole source */

/* Newlines become \n, and one at the end goes. */
static bool normalise(lexer *l, const char *src, size_t n)
{
    char *p = hlmi_jalloc(l->x, n + 1);
    if (!p) return false;
    size_t k = 0;
    for (size_t i = 0; i < n; i++) {
        if (src[i] == '\r') {
            if (i + 1 < n && src[i + 1] == '\n') i++;
            p[k++] = '\n';
        } else {
            p[k++] = src[i];
        }
    }
    if (k && p[k - 1] == '\n') k--;
    l->p = p;
    l->n = k;
    return true;
}

/* One stretch of text and the tag behind it. */
static void lex_part(lexer *l)
{
    const size_t from = l->at;
    size_t i = from;
    while (i < l->n && !(l->p[i] == '{' && i + 1 < l->n && strchr("{%#", l->p[i + 1]) && l->p[i + 1])) i++;
    if (i >= l->n) {
        emit(l, JT_DATA, 0, jv_str(l->p + from, l->n - from));
        l->at = l->n;
        return;
    }
    const char type = l->p[i + 1];
    const char sign = i + 2 < l->n ? l->p[i + 2] : '\0';
    emit_data(l, from, i, sign, type == '{');
    skip_to(l, i);
    const size_t raw = type == '%' ? lone_tag(l, i + 2, "raw", false) : 0;
    size_t at = i + 2;
    if (sign == '-' || sign == '+') at++;
    if (raw) {
        lex_raw(l, raw);
    } else if (type == '#') {
        lex_comment(l, at);
    } else {
        emit(l, type == '%' ? JT_BLOCK_BEGIN : JT_PRINT_BEGIN, 0, jv_none());
        l->at = at;
        lex_tag(l, type == '%' ? "%}" : "}}", type == '%');
    }
}

const jtok *hlmi_jlex(jx *x, const char *src, size_t n)
{
    const size_t bad = hlmi_u8_check(src, n);
    if (bad < n) {
        hlmi_jfail(x, "not valid UTF-8 at byte %zu", bad);
        return NULL;
    }
    lexer l = {.x = x, .line = 1, .line_start = true};
    if (!normalise(&l, src, n)) return NULL;
    while (l.at < l.n && x->st == HLM_OK) lex_part(&l);
    emit(&l, JT_EOF, 0, jv_none());
    return x->st == HLM_OK ? l.tok : NULL;
}
