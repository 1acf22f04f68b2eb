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
/** The tokenizer of a folder's file: a .json (with tokenizer_config.json), .gguf or .model; NULL with *missing when the
 *  file is not there, NULL otherwise when it failed (hlmi_error() says why). */
hlmi_tokenizer *cases_load(const char *folder, const char *name, bool *missing);
/** The texts of tokenizer.json's added tokens that `tok`, the folder's tokenizer.model, does not have. */
json_t *cases_missing_tokens(const char *folder, const hlmi_tokenizer *tok);
/** Does a case name such a token, by its text or by an id? */
bool cases_needs_missing(const json_t *missing, const hlmi_tokenizer *tok, const json_t *c);
/** Is the text of a special token in it? */
bool cases_spells_special(const hlmi_tokenizer *tok, const char *text);
/** The ids with the first stretch `from` replaced by `to`; NULL when it is not there. */
json_t *cases_spliced(const json_t *ids, const json_t *from, const json_t *to);
/** Text does not depend on where its tokens are cut. */
void cases_cuts(tally *t, const char *group, const hlmi_tokenizer *tok);
/** Encodes and decodes a large text over and over and prints megabytes a second. */
int cases_bench(const char *folder, const char *text_path);

#endif
