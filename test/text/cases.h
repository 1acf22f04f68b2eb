/* What the parts of the tokenizer_cases program share. */
#ifndef TEST_TEXT_CASES_H
#define TEST_TEXT_CASES_H

#include <jansson.h>

#include "text/tokenizer.h"

typedef struct tally {
    size_t passed, failed;
    size_t shown; /* failures printed of this group */
} tally;

/** A whole file, unpacked when only NAME.xz is there; NULL when neither is. free() it. */
char *cases_slurp(const char *folder, const char *name, size_t *len);
/** The tokenizer of a folder's file: a .json (with tokenizer_config.json), .gguf or .model; NULL with *missing when
 *  the file is not there, NULL otherwise when it failed (hlmi_error() says why). */
hlmi_tokenizer *cases_load(const char *folder, const char *name, bool *missing);
/** Encodes and decodes a large text over and over and prints megabytes a second. */
int cases_bench(const char *folder, const char *text_path);

#endif
