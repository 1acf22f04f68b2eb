/* What methods and filters on text share. */
#ifndef HLMI_JINJA_STRINGS_H
#define HLMI_JINJA_STRINGS_H

#include "jinja/ops.h"

/** chars missing or none: white space. */
jv hlmi_jstrip_chars(jx *x, jv s, jv chars, bool left, bool right);
/** max < 0: all. */
jv hlmi_jreplace(jx *x, jv s, jv from, jv to, int64_t max);
jv hlmi_jsplit_space(jx *x, jv s, int64_t max);
jv hlmi_jsplit_lines(jx *x, jv s, bool keep_ends);
jv hlmi_jjoin(jx *x, jv sep, jv items);
/** side: '<' text at the left, '>' at the right, '^' in the middle. */
jv hlmi_jpad(jx *x, jv s, int64_t width, uint32_t fill, char side);
/** Byte offset of `part` in s from byte `from`, SIZE_MAX when absent. */
/** The last one that ends at or before byte `to`. */
size_t hlmi_jfind_last(jx *x, jv s, jv part, size_t to);
size_t hlmi_jfind_text(jx *x, jv s, jv part, size_t from);

#endif
