/* A growing byte string. */
#include "base/buf.h"

#include <stdio.h>
#include <string.h>

#include "base/size.h"

void hlmi_buf_init(hlmi_buf *b, const hlmi_mem *mem)
{
    *b = (hlmi_buf){.mem = *mem, .max = SIZE_MAX - 1};
}

void hlmi_buf_free(hlmi_buf *b)
{
    hlmi_free(&b->mem, b->data);
    b->data = NULL;
    b->len = b->cap = 0;
}

void hlmi_buf_clear(hlmi_buf *b)
{
    b->len = 0;
    b->failed = false;
    if (b->data) b->data[0] = '\0';
}

void hlmi_buf_drop(hlmi_buf *b, size_t n)
{
    if (n == 0) return;
    memmove(b->data, b->data + n, b->len - n + 1);
    b->len -= n;
}

static bool reserve(hlmi_buf *b, size_t n)
{
    b->failed = b->failed || n > b->max - b->len;
    if (b->failed || b->len + n < b->cap) return !b->failed;
    const size_t cap = hlmi_max_size(b->len + n + 1, hlmi_max_size(64, b->cap + b->cap / 2));
    char *p = hlmi_realloc(&b->mem, b->data, b->data ? b->len + 1 : 0, cap);
    b->failed = !p;
    if (!p) return false;
    b->data = p;
    b->cap = cap;
    return true;
}

void hlmi_buf_add(hlmi_buf *b, const void *p, size_t n)
{
    if (!reserve(b, n)) return;
    if (n) memcpy(b->data + b->len, p, n);
    b->len += n;
    b->data[b->len] = '\0';
}

void hlmi_buf_str(hlmi_buf *b, const char *s)
{
    hlmi_buf_add(b, s, strlen(s));
}

void hlmi_buf_char(hlmi_buf *b, char c)
{
    hlmi_buf_add(b, &c, 1);
}

void hlmi_buf_printf(hlmi_buf *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0 || !reserve(b, (size_t)n)) return;
    va_start(ap, fmt);
    vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
    va_end(ap);
    b->len += (size_t)n;
}

void hlmi_buf_utf8(hlmi_buf *b, uint32_t cp)
{
    static const unsigned char first[] = {0, 0xC0, 0xE0, 0xF0};
    if (cp > 0x10FFFF || (cp >= 0xD800 && cp < 0xE000)) cp = 0xFFFD;
    const int more = (cp >= 0x80) + (cp >= 0x800) + (cp >= 0x10000); /* bytes of 6 bits behind the first one */
    char s[4] = {(char)(first[more] | cp >> 6 * more)};
    for (int i = 1; i <= more; i++) s[i] = (char)(0x80 | (cp >> 6 * (more - i) & 0x3F));
    hlmi_buf_add(b, s, (size_t)more + 1);
}

hlm_status hlmi_buf_status(const hlmi_buf *b, const char *what)
{
    if (!b->failed) return HLM_OK;
    if (b->max < SIZE_MAX - 1 && b->len >= b->max / 2)
        return hlmi_fail(HLM_E_LIMIT, "%s: more than %zu bytes", what, b->max);
    return hlmi_nomem(b->len, what);
}
