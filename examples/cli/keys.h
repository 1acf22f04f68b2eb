/* A line typed on a terminal, where the build has no libedit: characters, Backspace, Ctrl-U, Ctrl-W, Ctrl-D, Enter and
 * pasted text. */
#ifndef CLI_KEYS_H
#define CLI_KEYS_H

#include "text.h"

/** Show the prompt and read until Enter; the text, without a line end, replaces what *line holds. *pasted: it begins
 *  with a pasted text of several lines. False: the end of input, or a signal. */
bool cli_keys_read(const char *prompt, cli_text *line, bool *pasted);

#endif
