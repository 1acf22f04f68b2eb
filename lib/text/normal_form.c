/* Unicode normal forms: utf8proc's tables take characters apart and put them together; marks are put in order here,
 * because utf8proc does that by exchanging neighbours, which takes n * n steps for a run of n marks. */
#include "text/normal_form.h"

#include <string.h>
#include <utf8proc.h>

#include "text/unicode.h"

enum {
    FEW = 16, /* marks that are put in order by insertion */
    MOST = 32 /* a character becomes at most 18 */
};

typedef struct points {
    hlmi_mem mem;
    utf8proc_int32_t *v;
    size_t n, cap;
    utf8proc_int32_t *sorted; /* a run of marks in order */
    size_t sorted_cap;
    size_t work;
} points;

static unsigned rank(utf8proc_int32_t c)
{
    return (unsigned)utf8proc_get_property(c)->combining_class & 0xFF;
}

static hlm_status take_apart(points *p, const char *s, size_t len, unsigned options)
{
    for (size_t at = 0; at < len; at += hlmi_utf8_len((unsigned char)s[at])) {
        HLMI_DO(HLMI_GROW(&p->mem, p->v, p->cap, p->n + MOST, "Unicode normalization"));
        int boundary = 0;
        const utf8proc_ssize_t n = utf8proc_decompose_char((utf8proc_int32_t)hlmi_utf8_get(s + at), p->v + p->n, MOST,
                                                           (utf8proc_option_t)options, &boundary);
        if (n < 0 || n > MOST) return hlmi_fail(HLM_E_LIMIT, "Unicode normalization: %s", utf8proc_errmsg(n));
        p->n += (size_t)n;
        p->work += (size_t)n;
    }
    return HLM_OK;
}

static void insert_marks(points *p, utf8proc_int32_t *v, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        const utf8proc_int32_t c = v[i];
        size_t k = i;
        for (; k > 0 && rank(v[k - 1]) > rank(c); k--) v[k] = v[k - 1];
        v[k] = c;
        p->work += i - k + 1;
    }
}

/* One pass counts the classes, one puts the marks where they belong; those of one class stay as they were. */
static hlm_status distribute_marks(points *p, utf8proc_int32_t *v, size_t n)
{
    size_t place[256] = {0}, at = 0;
    HLMI_DO(HLMI_GROW(&p->mem, p->sorted, p->sorted_cap, n, "Unicode normalization"));
    for (size_t i = 0; i < n; i++) place[rank(v[i])]++;
    for (size_t c = 0; c < 256; c++) {
        const size_t count = place[c];
        place[c] = at;
        at += count;
    }
    for (size_t i = 0; i < n; i++) p->sorted[place[rank(v[i])]++] = v[i];
    memcpy(v, p->sorted, n * sizeof *v);
    p->work += 3 * n + 256;
    return HLM_OK;
}

/* Canonical order: in each run of characters that are no starters, by class. */
static hlm_status order(points *p)
{
    for (size_t i = 0, end; i < p->n; i = end) {
        unsigned last = rank(p->v[i]);
        bool ordered = true;
        end = i + 1;
        for (unsigned next; last && end < p->n && (next = rank(p->v[end])) != 0; end++) {
            ordered = ordered && last <= next;
            last = next;
        }
        p->work += end - i;
        if (ordered) continue;
        if (end - i <= FEW) insert_marks(p, p->v + i, end - i);
        else {
            HLMI_DO(distribute_marks(p, p->v + i, end - i));
        }
    }
    return HLM_OK;
}

static bool all_below(uint32_t limit, const char *s, size_t len)
{
    size_t i = 0;
    while (i < len && hlmi_utf8_get(s + i) < limit) i += hlmi_utf8_len((unsigned char)s[i]);
    return i == len;
}

hlm_status hlmi_normal_form(hlmi_form form, const char *s, size_t len, hlmi_buf *out, size_t *work)
{
    static const struct {
        unsigned options;
        uint32_t changed; /* no character below this is changed */
    } forms[] = {[HLMI_NFC] = {UTF8PROC_STABLE | UTF8PROC_COMPOSE, 0x300},
                 [HLMI_NFD] = {UTF8PROC_STABLE | UTF8PROC_DECOMPOSE, 0xC0},
                 [HLMI_NFKC] = {UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT, 0xA0},
                 [HLMI_NFKD] = {UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT, 0xA0}};
    const unsigned options = forms[form].options;
    hlm_status st;
    points p = {.mem = out->mem};
    if (all_below(forms[form].changed, s, len)) {
        hlmi_buf_add(out, s, len);
        return HLM_OK;
    }
    HLMI_TRY(take_apart(&p, s, len, options));
    HLMI_TRY(order(&p));
    if (options & UTF8PROC_COMPOSE) {
        p.work += p.n;
        p.n = (size_t)utf8proc_normalize_utf32(p.v, (utf8proc_ssize_t)p.n, (utf8proc_option_t)options);
    }
    for (size_t i = 0; i < p.n; i++) hlmi_buf_utf8(out, (uint32_t)p.v[i]);
    if (work) *work += p.work + p.n;
done:
    hlmi_free(&p.mem, p.v);
    hlmi_free(&p.mem, p.sorted);
    return st;
}
