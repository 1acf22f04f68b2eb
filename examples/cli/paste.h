/* Bracketed paste: a terminal that was asked for it puts marks around what is pasted, so that its line ends do not look
 * like the Enter key. */
#ifndef CLI_PASTE_H
#define CLI_PASTE_H

#include <stdbool.h>
#include <stddef.h>

/** What comes before and behind a pasted text. */
#define CLI_PASTE_BEGIN "\x1b[200~"
#define CLI_PASTE_END "\x1b[201~"

/** Ask the terminal for the marks; false: it knows no such things (TERM=dumb). */
bool cli_paste_ask(void);
/** Leave off. Also for signal handlers. */
void cli_paste_leave(void);

/** Of pasted characters [n] what belongs to a message: line ends as \n and none at the end, no byte 0. Returns the
 *  number left. */
size_t cli_paste_clean(char *text, size_t n);

#endif
