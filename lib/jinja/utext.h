/* UTF-8 text as Python's str sees it: code points, white space, case. All strings inside the interpreter are valid
 * UTF-8. */
#ifndef HLMI_JINJA_UTEXT_H
#define HLMI_JINJA_UTEXT_H

#include "jinja/run.h"

/** Offset of the first byte that is not part of valid UTF-8; n when there is none. */
size_t hlmi_u8_check(const char *p, size_t n);
/** Bytes of the code point at p (n > 0), which is stored in *cp. */
size_t hlmi_u8_next(const char *p, size_t n, uint32_t *cp);
/** Bytes of the code point that ends at p + n (n > 0). */
size_t hlmi_u8_prev(const char *p, size_t n, uint32_t *cp);
size_t hlmi_u8_count(const char *p, size_t n);
/** Byte offset of code point number k, n when the text is shorter. */
size_t hlmi_u8_offset(const char *p, size_t n, size_t k);
/** Bytes of a character that starts with byte c. */
static inline size_t hlmi_u8_len(unsigned char c)
{
    return c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
}

bool hlmi_u_space(uint32_t cp);
/** s without white space at its ends. */
jv hlmi_jstrip(jv s, bool left, bool right);

typedef enum { HLMI_UPPER, HLMI_LOWER, HLMI_TITLE, HLMI_CAPITALIZE, HLMI_SWAPCASE, HLMI_CASEFOLD } hlmi_case;
jv hlmi_jcase(jx *x, jv s, hlmi_case how);

#endif
