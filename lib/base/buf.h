/* A growing byte string. An allocation that fails makes the buffer `failed`; later appends do nothing, so a writer
 * checks once, at the end. */
#ifndef HLMI_BASE_BUF_H
#define HLMI_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>

#include "base/mem.h"

typedef struct hlmi_buf {
    hlmi_mem mem;
    char *data; /* [len] and, when not NULL, a 0 behind it */
    size_t len, cap;
    size_t max; /* no growth past this many bytes; SIZE_MAX by default */
    bool failed; /* out of memory, or past max */
} hlmi_buf;

void hlmi_buf_init(hlmi_buf *b, const hlmi_mem *mem);
void hlmi_buf_free(hlmi_buf *b);
/** Empty, memory kept, failure forgotten. */
void hlmi_buf_clear(hlmi_buf *b);
/** The first n bytes go; n is at most len. */
void hlmi_buf_drop(hlmi_buf *b, size_t n);
void hlmi_buf_add(hlmi_buf *b, const void *p, size_t n);
void hlmi_buf_str(hlmi_buf *b, const char *s);
void hlmi_buf_char(hlmi_buf *b, char c);
void hlmi_buf_printf(hlmi_buf *b, const char *fmt, ...) HLMI_PRINTF(2, 3);
/** One code point as UTF-8; values that are none become U+FFFD. */
void hlmi_buf_utf8(hlmi_buf *b, uint32_t cp);
/** HLM_OK, or HLM_E_NOMEM / HLM_E_LIMIT (past max) with a sentence. */
hlm_status hlmi_buf_status(const hlmi_buf *b, const char *what);

#endif
