/* Searching bytes in bytes, in time that grows with their number whatever they are. */
#ifndef HLMI_BASE_FIND_H
#define HLMI_BASE_FIND_H

#include <stdbool.h>

#include "base/mem.h"

/** Where `part` [m] first, or last, occurs in s [n]: an offset, or SIZE_MAX. An empty part is found at either end.
 *  work  grows by the bytes that were looked at, at most about 8 (n + m); NULL: not counted. */
size_t hlmi_find(const char *s, size_t n, const char *part, size_t m, bool last, size_t *work);

/** Is the word, which is not empty, among names that spaces divide? */
bool hlmi_among(const char *names, hlmi_str word);

#endif
