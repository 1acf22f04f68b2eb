/* Template source to tokens, with Jinja's white-space rules (trim_blocks and lstrip_blocks are on, one newline at the
 * end of the source is dropped). */
#ifndef HLMI_JINJA_LEXER_H
#define HLMI_JINJA_LEXER_H

#include "jinja/run.h"

typedef enum {
    JT_EOF,
    JT_DATA,
    JT_PRINT_BEGIN,
    JT_PRINT_END,
    JT_BLOCK_BEGIN,
    JT_BLOCK_END,
    JT_NAME,
    JT_STRING,
    JT_INT,
    JT_FLOAT,
    JT_OP /* `op` is its character, or JT_OP2 of both */
} jtok_kind;

#define JT_OP2(a, b) ((a) << 8 | (b))

typedef struct jtok {
    uint8_t kind;
    uint16_t op;
    uint32_t line;
    jv v; /* text of data, names and strings, value of numbers */
} jtok;

/** All tokens of the source, the last is JT_EOF; NULL with x->st set on an error. */
const jtok *hlmi_jlex(jx *x, const char *src, size_t n);

#endif
