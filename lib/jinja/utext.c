/* UTF-8 walking and white space. */
#include "jinja/utext.h"

static size_t valid_len(const unsigned char *p, size_t n)
{
    const unsigned char c = p[0];
    if (c < 0x80) return 1;
    if (c < 0xC2 || c > 0xF4) return 0;
    const size_t len = hlmi_u8_len(c);
    if (len > n) return 0;
    for (size_t i = 1; i < len; i++)
        if ((p[i] & 0xC0) != 0x80) return 0;
    if (c == 0xE0 && p[1] < 0xA0) return 0;
    if (c == 0xED && p[1] > 0x9F) return 0;
    if (c == 0xF0 && p[1] < 0x90) return 0;
    if (c == 0xF4 && p[1] > 0x8F) return 0;
    return len;
}

size_t hlmi_u8_check(const char *p, size_t n)
{
    for (size_t i = 0; i < n;) {
        const size_t len = valid_len((const unsigned char *)p + i, n - i);
        if (len == 0) return i;
        i += len;
    }
    return n;
}

size_t hlmi_u8_next(const char *p, size_t n, uint32_t *cp)
{
    const unsigned char *u = (const unsigned char *)p;
    size_t len = hlmi_u8_len(u[0]);
    if (len > n) len = n;
    uint32_t v = len == 1 ? u[0] : (uint32_t)(u[0] & (0x7F >> len));
    for (size_t i = 1; i < len; i++) v = v << 6 | (u[i] & 0x3F);
    *cp = v;
    return len;
}

size_t hlmi_u8_prev(const char *p, size_t n, uint32_t *cp)
{
    size_t i = n - 1;
    while (i > 0 && ((unsigned char)p[i] & 0xC0) == 0x80) i--;
    hlmi_u8_next(p + i, n - i, cp);
    return n - i;
}

size_t hlmi_u8_count(const char *p, size_t n)
{
    size_t k = 0;
    for (size_t i = 0; i < n; i++) k += ((unsigned char)p[i] & 0xC0) != 0x80;
    return k;
}

size_t hlmi_u8_offset(const char *p, size_t n, size_t k)
{
    size_t i = 0;
    while (i < n && k--) i += hlmi_u8_len((unsigned char)p[i]);
    return i < n ? i : n;
}

bool hlmi_u_space(uint32_t c)
{
    return (c >= 9 && c <= 13) || (c >= 28 && c <= 32) || c == 0x85 || c == 0xA0 || c == 0x1680 ||
        (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

jv hlmi_jstrip(jv s, bool left, bool right)
{
    uint32_t cp;
    while (left && s.n) {
        const size_t len = hlmi_u8_next(s.u.s, s.n, &cp);
        if (!hlmi_u_space(cp)) break;
        s.u.s += len;
        s.n -= (uint32_t)len;
    }
    while (right && s.n) {
        const size_t len = hlmi_u8_prev(s.u.s, s.n, &cp);
        if (!hlmi_u_space(cp)) break;
        s.n -= (uint32_t)len;
    }
    return s;
}
