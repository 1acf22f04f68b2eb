/* What must hold inside the library, as code. Debug and sanitizer builds look (meson's b_ndebug=if-release), and end
 * the program with the file, the line and the condition; releases have none of it. Never of what a caller or a file may
 * have got wrong: that is a status. */
#ifndef HLMI_BASE_ASSERT_H
#define HLMI_BASE_ASSERT_H

#include <assert.h>

#ifdef NDEBUG
enum { HLMI_CHECKED = 0 };
#  define hlmi_assert(condition) ((void)sizeof(condition)) /* what it names counts as used */
#else
enum { HLMI_CHECKED = 1 }; /* for what only assertions need */
#  define hlmi_assert(condition) assert(condition)
#endif

#endif
