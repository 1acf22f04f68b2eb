/* The terminal's width, and text wrapped at it between words. */
#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include <stdio.h>

#include "text.h"

/** Columns of the terminal that fd is, as it is now; 0: it is none, or does not say. */
size_t cli_terminal_columns(int fd);

/** Columns that a character of well-formed UTF-8 takes: 0 for combining marks, 2 for wide ones. */
size_t cli_columns_of(const char *text, size_t len, size_t *bytes);

/** Text on its way to a stream. On a terminal lines end between words, and control characters show as U+FFFD;
 *  elsewhere, and with --no-wrap, the bytes pass as they are. */
typedef struct cli_wrap {
    FILE *to;
    bool on;
    /** Taken in the line that the terminal shows. */
    size_t column;
    /** Blanks and behind them a word that are not written yet, as the word may not be complete. */
    size_t blanks;
    cli_text word;
    size_t word_columns;
} cli_wrap;

void cli_wrap_begin(cli_wrap *w, const cli_options *o, FILE *to);
void cli_wrap_write(cli_wrap *w, const char *text, size_t len);
/** Write what was held back; text may follow. */
void cli_wrap_flush(cli_wrap *w);
void cli_wrap_end(cli_wrap *w);

#endif
