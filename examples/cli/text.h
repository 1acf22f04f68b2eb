/* Growing buffers of bytes and of token ids, whole files, and the way between text and ids. Running out of memory ends
 * the program. */
#ifndef CLI_TEXT_H
#define CLI_TEXT_H

#include <hybridlm/hybridlm.h>

#include "options.h"

/** Bytes; data[len] is always 0 once anything was added. */
typedef struct cli_text {
    char *data;
    size_t len;
    size_t cap;
} cli_text;

typedef struct cli_ids {
    int32_t *data;
    size_t n;
    size_t cap;
} cli_ids;

/** malloc that ends the program with a message instead of giving NULL. */
void *cli_alloc(size_t count, size_t size);

void cli_text_add(cli_text *t, const char *bytes, size_t len);
void cli_text_free(cli_text *t);
void cli_ids_add(cli_ids *list, const int32_t *ids, size_t n);
void cli_ids_free(cli_ids *list);

/** Add a whole file ("-": standard input) to *t. */
int cli_read_file(const cli_options *o, const char *path, cli_text *t);

/** The text that --prompt, --file or standard input give, added to *t. */
int cli_read_input(const cli_options *o, cli_text *t);

/** Add ids from `source`: a list such as 1,2,3, or a file ("-": standard input) of numbers separated by blanks or
 *  commas, perhaps in [brackets]. */
int cli_read_ids(const cli_options *o, const char *source, cli_ids *ids);

/** Tokens of a text, added to *ids; flags are HLM_TOKENIZE_... */
hlm_status cli_tokenize(const hlm_model *model, const char *text, size_t len, uint32_t flags, cli_ids *ids);

/** Text of tokens, added to *t; flags are HLM_DETOKENIZE_... */
hlm_status cli_detokenize(const hlm_model *model, const int32_t *ids, size_t n, uint32_t flags, cli_text *t);
/** Text of ids[i] as it stands behind the id before it, added to *t. */
hlm_status cli_piece(const hlm_model *model, const int32_t *ids, size_t i, cli_text *t);

/** HLM_TOKENIZE_... flags for raw text under the options. */
uint32_t cli_tokenize_flags(const cli_options *o);

/** Add text to *t as UTF-8 that JSON can hold: what is no UTF-8, and byte 0, become U+FFFD. */
void cli_text_add_clean(cli_text *t, const char *bytes, size_t len);
/** What comes from a file into a line for people: control characters and bytes of no character become "?". cap is at
 *  least 1. */
void cli_plain(char *to, size_t cap, const char *from);

#endif
