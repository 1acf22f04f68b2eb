/* "Replace PATTERN by CONTENT", as normalizers and decoders have it. */
#ifndef HLMI_TEXT_REPLACE_H
#define HLMI_TEXT_REPLACE_H

#include "base/buf.h"
#include "base/json.h"
#include "text/regex.h"

typedef struct hlmi_replace {
    hlmi_pattern pattern;
    char *content;
    size_t content_len;
} hlmi_replace;

/** From {"pattern": {"String" or "Regex": ...}, "content": ...}. */
hlm_status hlmi_replace_read(hlmi_replace *r, const hlmi_mem *mem, const hlmi_json *def);
/** Appends s [len] with all matches replaced. Check out's status afterwards. */
hlm_status hlmi_replace_run(const hlmi_replace *r, const char *s, size_t len, hlmi_buf *out);
void hlmi_replace_free(hlmi_replace *r, const hlmi_mem *mem);

#endif
