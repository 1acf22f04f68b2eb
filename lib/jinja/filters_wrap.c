/* The filter wordwrap: lines of at most so many characters, broken at white space, behind hyphens within words and
 * around dashes, as Python's textwrap does it. */
#include "jinja/filters.h"
#include "jinja/strings.h"
#include "jinja/unicode.h"
#include "jinja/utext.h"

/* One line of the text as characters. */
typedef struct line {
    uint32_t *cp; /* [n] */
    uint32_t *at; /* [n + 1] byte offsets */
    size_t n;
    const char *s;
} line;

typedef struct wrap {
    jsb *out;
    jv end; /* between lines */
    size_t width;
    bool break_words, break_hyphens;
    bool begun; /* something was written */
} wrap;

/* White space by the rules of wrapping, which is ASCII only. */
static bool is_blank(uint32_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_word(uint32_t c)
{
    return hlmi_u_alpha(c) || hlmi_u_numeric(c) || c == '_';
}

static bool is_letter(const line *l, size_t i)
{
    return i < l->n && (hlmi_u_alpha(l->cp[i]) || l->cp[i] == '_');
}

/* Characters that a dash may follow. */
static bool before_dash(const line *l, size_t i)
{
    const uint32_t c = i > 0 ? l->cp[i - 1] : 0;
    return i > 0 && (is_word(c) || (c < 0x80 && strchr("!\"'&.,?", (char)c)));
}

/* End of two or more hyphens at i with a word behind them; i when there are none. */
static size_t dash_end(const line *l, size_t i)
{
    size_t end = i;
    while (end < l->n && l->cp[end] == '-') end++;
    return end >= i + 2 && end < l->n && is_word(l->cp[end]) ? end : i;
}

/* A hyphen at i within a word: two letters, or a letter, a hyphen and a letter, on either side. */
static bool is_inner_hyphen(const line *l, size_t i)
{
    if (l->cp[i] != '-' || i < 2 || !is_letter(l, i - 1)) return false;
    const bool left = is_letter(l, i - 2) || (i >= 3 && l->cp[i - 2] == '-' && is_letter(l, i - 3));
    const bool right = is_letter(l, i + 2) || (i + 2 < l->n && l->cp[i + 2] == '-' && is_letter(l, i + 3));
    return left && is_letter(l, i + 1) && right;
}

/* End of the chunk that begins at i: white space, a dash, or a word up to where it may be broken. */
static size_t chunk_end(const line *l, size_t i, bool hyphens)
{
    const bool blank = is_blank(l->cp[i]);
    if (blank || !hyphens) {
        while (i < l->n && is_blank(l->cp[i]) == blank) i++;
        return i;
    }
    if (before_dash(l, i) && dash_end(l, i) > i) return dash_end(l, i);
    for (i++; i < l->n && !is_blank(l->cp[i]); i++) {
        if (is_inner_hyphen(l, i)) return i + 1;
        if (before_dash(l, i) && dash_end(l, i) > i) return i;
    }
    return i;
}

static bool all_space(const line *l, size_t from, size_t to)
{
    for (; from < to; from++)
        if (!hlmi_u_space(l->cp[from])) return false;
    return true;
}

/* How much of a word [from, to) that is too long goes into `room` characters. */
static size_t long_part(const wrap *w, const line *l, size_t from, size_t to, size_t room)
{
    size_t end = from + room;
    bool other = false;
    if (!w->break_hyphens || to - from <= room) return end < to ? end : to;
    for (size_t i = from; i < from + room; i++) {
        if (l->cp[i] == '-' && i > from && other) end = i + 1;
        other = other || l->cp[i] != '-';
    }
    return end;
}

static void put_line(wrap *w, const line *l, size_t from, size_t to)
{
    if (w->begun) hlmi_jsb_add(w->out, w->end.u.s, w->end.n);
    hlmi_jsb_add(w->out, l->s + l->at[from], l->at[to] - l->at[from]);
    w->begun = true;
}

static void wrap_line(wrap *w, const line *l, jx *x)
{
    size_t at = 0, next = 0, lines = 0; /* next: end of the chunk at work, of which a part may be done */
    while (at < l->n && hlmi_jstep(x, 1)) {
        if (next == at) next = chunk_end(l, at, w->break_hyphens);
        if (lines > 0 && all_space(l, at, next)) at = next;
        size_t end = at, last = at; /* the line so far; where its last chunk begins */
        while (end < l->n && hlmi_jstep(x, 1)) {
            if (next == end) next = chunk_end(l, end, w->break_hyphens);
            if (next - at > w->width) break;
            last = end;
            end = next;
        }
        if (end < l->n && next - end > w->width) {
            last = w->break_words || end == at ? end : last;
            if (w->break_words) end = long_part(w, l, end, next, w->width - (end - at));
            else if (end == at) end = next;
        }
        const size_t shown = end > last && all_space(l, last, end) ? last : end;
        if (shown > at) {
            put_line(w, l, at, shown);
            lines++;
        }
        at = end;
    }
}

static bool read_line(jx *x, jv s, line *l)
{
    *l = (line){.s = s.u.s};
    l->cp = hlmi_jalloc(x, (s.n + 1) * sizeof *l->cp);
    l->at = hlmi_jalloc(x, (s.n + 1) * sizeof *l->at);
    if (!l->cp || !l->at) return false;
    size_t i = 0;
    while (i < s.n) {
        l->at[l->n] = (uint32_t)i;
        i += hlmi_u8_next(s.u.s + i, s.n - i, &l->cp[l->n++]);
    }
    l->at[l->n] = (uint32_t)i;
    return hlmi_jstep(x, l->n / 16);
}

/* p: width break_long_words wrapstring break_on_hyphens */
jv hlmi_jf_wordwrap(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    jsb b = jsb_new(x);
    line l;
    if (p[0].kind == JV_UNDEF) return hlmi_juse_undef(x, p[0]);
    if (p[0].kind != JV_STR) return hlmi_jfail(x, "wordwrap needs text, not %s", hlmi_jtype(p[0]));
    const int64_t width = hlmi_jint_arg(x, p[1], 79, "width");
    wrap w = {.out = &b, .end = jv_lit("\n")};
    if (p[3].kind == JV_STR) w.end = p[3];
    else if (jv_given(p[3]) && p[3].kind != JV_NONE) return hlmi_jfail(x, "wrapstring must be text");
    w.break_words = !jv_given(p[2]) || hlmi_jtruth(p[2]);
    w.break_hyphens = !jv_given(p[4]) || hlmi_jtruth(p[4]);
    const jv lines = hlmi_jsplit_lines(x, p[0], false);
    for (uint32_t i = 0; i < lines.n && x->st == HLM_OK; i++) {
        if (width <= 0) return hlmi_jfail(x, "invalid width %lld (must be > 0)", (long long)width);
        w.width = (size_t)width;
        if (i) hlmi_jsb_add(&b, w.end.u.s, w.end.n);
        w.begun = false;
        if (read_line(x, lines.u.at[i], &l)) wrap_line(&w, &l, x);
    }
    return hlmi_jsb_done(&b);
}
