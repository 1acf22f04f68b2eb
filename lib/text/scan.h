/* Hand-written scanners for the regular expressions that nearly all byte-level tokenizers use (GPT-2, Llama 3, Qwen 2
 * and their like): the same matches as the expression, many times as fast. */
#ifndef HLMI_TEXT_SCAN_H
#define HLMI_TEXT_SCAN_H

#include <stddef.h>

typedef struct hlmi_scan hlmi_scan;

/** The scanner of an expression, by its exact spelling, or NULL. */
const hlmi_scan *hlmi_scan_find(const char *pattern, size_t len);
/** End of the match that begins at `at` < len of well-formed text; matches leave no gaps. */
size_t hlmi_scan_next(const hlmi_scan *scan, const char *s, size_t len, size_t at);

/* The spellings, for vocabularies that name an expression instead of carrying it. */
#define HLMI_SCAN_GPT2 "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"
#define HLMI_SCAN_TAIL "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
#define HLMI_SCAN_HEAD "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|"
#define HLMI_SCAN_LLAMA3 HLMI_SCAN_HEAD "\\p{N}{1,3}" HLMI_SCAN_TAIL
#define HLMI_SCAN_QWEN2 HLMI_SCAN_HEAD "\\p{N}" HLMI_SCAN_TAIL

#endif
