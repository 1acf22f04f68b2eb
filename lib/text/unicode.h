/* UTF-8 and the character classes that tokenizers ask for. Nothing here allocates. */
#ifndef HLMI_TEXT_UNICODE_H
#define HLMI_TEXT_UNICODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Decodes the character at s [n], n > 0; *len receives its bytes. For an ill-formed sequence the result is -1 and *len
 *  the bytes of the maximal bad sequence (at least 1). */
int32_t hlmi_utf8_next(const char *s, size_t n, size_t *len);
/** Bytes of the well-formed beginning of s [n]. */
size_t hlmi_utf8_valid(const char *s, size_t n);
/** Could s [n], n < 4, be the beginning of a character that more bytes complete? */
bool hlmi_utf8_partial(const char *s, size_t n);

/** Length of the character that begins with byte c in well-formed text. */
static inline size_t hlmi_utf8_len(unsigned char c)
{
    return c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
}

/** The character at s in well-formed text. */
static inline uint32_t hlmi_utf8_get(const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    if (s[0] < 0x80) return s[0];
    if (s[0] < 0xE0) return (s[0] & 0x1Fu) << 6 | (s[1] & 0x3Fu);
    if (s[0] < 0xF0) return (s[0] & 0x0Fu) << 12 | (s[1] & 0x3Fu) << 6 | (s[2] & 0x3Fu);
    return (s[0] & 0x07u) << 18 | (s[1] & 0x3Fu) << 12 | (s[2] & 0x3Fu) << 6 | (s[3] & 0x3Fu);
}

enum {
    HLMI_CC_SPACE = 1, /* White_Space */
    HLMI_CC_LETTER = 2, /* L */
    HLMI_CC_NUMBER = 4, /* Nd, Nl, No */
    HLMI_CC_PUNCT = 8, /* P, and all ASCII punctuation and symbols */
    HLMI_CC_WORD = 16, /* letters, marks, decimal digits, connectors, joiners */
    HLMI_CC_MARK = 32 /* Mn */
};

/** HLMI_CC_... bits of a character. */
unsigned hlmi_char_class(uint32_t cp);

#endif
