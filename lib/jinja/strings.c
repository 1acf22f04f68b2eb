/* Searching, splitting, joining and padding of text. */
#include "jinja/strings.h"

#include "base/find.h"
#include "jinja/utext.h"

static bool in_set(jv chars, uint32_t cp)
{
    uint32_t c;
    for (size_t i = 0; i < chars.n;) {
        i += hlmi_u8_next(chars.u.s + i, chars.n - i, &c);
        if (c == cp) return true;
    }
    return false;
}

jv hlmi_jstrip_chars(jx *x, jv s, jv chars, bool left, bool right)
{
    uint32_t cp;
    if (!jv_given(chars) || chars.kind == JV_NONE) {
        const jv out = hlmi_jstrip(s, left, right);
        return hlmi_jstep(x, (s.n - out.n) / 16) ? out : jv_none();
    }
    if (chars.kind != JV_STR) return hlmi_jfail(x, "strip arg must be None or str, not %s", hlmi_jtype(chars));
    while (left && s.n && hlmi_jstep(x, 1 + chars.n / 16)) {
        const size_t len = hlmi_u8_next(s.u.s, s.n, &cp);
        if (!in_set(chars, cp)) break;
        s.u.s += len;
        s.n -= (uint32_t)len;
    }
    while (right && s.n && hlmi_jstep(x, 1 + chars.n / 16)) {
        const size_t len = hlmi_u8_prev(s.u.s, s.n, &cp);
        if (!in_set(chars, cp)) break;
        s.n -= (uint32_t)len;
    }
    return s;
}

/* A search costs what it looked at. */
static size_t paid(jx *x, size_t hit, size_t work)
{
    return hlmi_jstep(x, work / 64) ? hit : SIZE_MAX;
}

size_t hlmi_jfind_text(jx *x, jv s, jv part, size_t from)
{
    size_t work = 0;
    if (from > s.n) return SIZE_MAX;
    const size_t hit = hlmi_find(s.u.s + from, s.n - from, part.u.s, part.n, false, &work);
    return paid(x, hit == SIZE_MAX ? hit : hit + from, work);
}

size_t hlmi_jfind_last(jx *x, jv s, jv part, size_t to)
{
    size_t work = 0;
    const size_t hit = hlmi_find(s.u.s, to, part.u.s, part.n, true, &work);
    return paid(x, hit, work);
}

/* An empty `from` matches in front of every character and at the end. */
static jv interleave(jx *x, jv s, jv to, int64_t max)
{
    jsb b = jsb_new(x);
    for (size_t i = 0; x->st == HLM_OK; max--) {
        if (max == 0) {
            hlmi_jsb_add(&b, s.u.s + i, s.n - i);
            break;
        }
        hlmi_jsb_add(&b, to.u.s, to.n);
        if (i >= s.n) break;
        const size_t len = hlmi_u8_len((unsigned char)s.u.s[i]);
        hlmi_jsb_add(&b, s.u.s + i, len);
        i += len;
        hlmi_jstep(x, 1);
    }
    return hlmi_jsb_done(&b);
}

jv hlmi_jreplace(jx *x, jv s, jv from, jv to, int64_t max)
{
    if (!hlmi_jstep(x, 1 + s.n / 64)) return jv_none();
    if (from.n == 0) return interleave(x, s, to, max);
    jsb b = jsb_new(x);
    size_t done = 0;
    while (max != 0 && hlmi_jstep(x, 1)) {
        const size_t hit = hlmi_jfind_text(x, s, from, done);
        if (hit == SIZE_MAX) break;
        hlmi_jsb_add(&b, s.u.s + done, hit - done);
        hlmi_jsb_add(&b, to.u.s, to.n);
        done = hit + from.n;
        max--;
    }
    if (done == 0) return s;
    hlmi_jsb_add(&b, s.u.s + done, s.n - done);
    return hlmi_jsb_done(&b);
}

jv hlmi_jsplit_space(jx *x, jv s, int64_t max)
{
    jvec v = jvec_new(x);
    for (;;) {
        s = hlmi_jstrip(s, true, false);
        if (s.n == 0 || !hlmi_jstep(x, 1)) break;
        size_t n = 0;
        uint32_t cp;
        while (max != 0 && n < s.n) {
            const size_t len = hlmi_u8_next(s.u.s + n, s.n - n, &cp);
            if (hlmi_u_space(cp)) break;
            n += len;
        }
        hlmi_jvec_add(&v, jv_str(s.u.s, max ? n : s.n));
        if (max == 0) break;
        max--;
        s.u.s += n;
        s.n -= (uint32_t)n;
    }
    return jvec_done(&v, JV_LIST);
}

/* Bytes of the line break at p, 0 when there is none. */
static size_t line_break(const char *p, size_t n)
{
    uint32_t cp;
    const size_t len = hlmi_u8_next(p, n, &cp);
    if (cp == '\r') return n > 1 && p[1] == '\n' ? 2 : 1;
    return (cp >= 10 && cp <= 12) || (cp >= 0x1C && cp <= 0x1E) || cp == 0x85 || cp == 0x2028 || cp == 0x2029 ? len : 0;
}

jv hlmi_jsplit_lines(jx *x, jv s, bool keep_ends)
{
    jvec v = jvec_new(x);
    if (!hlmi_jstep(x, 1 + s.n / 16)) return jv_none();
    for (size_t i = 0, from = 0; i < s.n && x->st == HLM_OK;) {
        const size_t br = line_break(s.u.s + i, s.n - i);
        const size_t len = br ? br : hlmi_u8_len((unsigned char)s.u.s[i]);
        if (br || i + len >= s.n) {
            jv line = jv_str(s.u.s + from, (br && !keep_ends ? i : i + len) - from);
            line.flags = s.flags & JV_SAFE;
            hlmi_jvec_add(&v, line);
        }
        i += len;
        if (br) from = i;
    }
    return jvec_done(&v, JV_LIST);
}

jv hlmi_jjoin(jx *x, jv sep, jv items)
{
    jiter it;
    jv item;
    jsb b = jsb_new(x);
    if (items.kind == JV_UNDEF) return jv_lit("");
    if (!hlmi_jiter(x, items, &it)) return jv_none();
    for (size_t i = 0; hlmi_jnext(x, &it, &item); i++) {
        if (item.kind != JV_STR)
            return hlmi_jfail(x, "sequence item %zu: expected str instance, %s found", i, hlmi_jtype(item));
        if (i) hlmi_jsb_add(&b, sep.u.s, sep.n);
        hlmi_jsb_add(&b, item.u.s, item.n);
    }
    return hlmi_jsb_done(&b);
}

static void fill_with(jsb *b, uint32_t cp, size_t n)
{
    if (cp < 0x80) hlmi_jsb_fill(b, (char)cp, n);
    else
        for (size_t i = 0; i < n && b->x->st == HLM_OK; i++) hlmi_jsb_utf8(b, cp);
}

jv hlmi_jpad(jx *x, jv s, int64_t width, uint32_t fill, char side)
{
    if (!hlmi_jstep(x, 1 + s.n / 64)) return jv_none();
    const int64_t n = hlmi_jlen(s);
    if (width <= n) return s;
    if (width > UINT32_MAX / 4) return hlmi_jlimit(x, "a padded text is larger than allowed");
    const size_t pad = (size_t)(width - n);
    /* as Python centres: the odd blank goes left when the width is odd too */
    const size_t left = side == '>' ? pad : side == '<' ? 0 : pad / 2 + (pad & (size_t)width & 1);
    jsb b = jsb_new(x);
    fill_with(&b, fill, left);
    hlmi_jsb_add(&b, s.u.s, s.n);
    fill_with(&b, fill, pad - left);
    jv out = hlmi_jsb_done(&b);
    if (out.kind == JV_STR) out.flags = s.flags & JV_SAFE;
    return out;
}
