/* What needs the Unicode tables (utf8proc): case and categories. */
#ifndef HLMI_JINJA_UNICODE_H
#define HLMI_JINJA_UNICODE_H

#include "jinja/run.h"

bool hlmi_u_printable(uint32_t cp);
bool hlmi_u_alpha(uint32_t cp);
bool hlmi_u_decimal(uint32_t cp);
bool hlmi_u_digit(uint32_t cp);
bool hlmi_u_numeric(uint32_t cp);
bool hlmi_u_upper(uint32_t cp);
bool hlmi_u_lower(uint32_t cp);
bool hlmi_u_title(uint32_t cp);
/** Python's repr escape of a code point that is not printable: "\\x07", "\\u2028"; returns its length. */
size_t hlmi_u_escape(uint32_t cp, char buf[12]);

#endif
