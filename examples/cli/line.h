/* Lines from the user: edited and with a history on a terminal (libedit, where the build has it), plain elsewhere. */
#ifndef CLI_LINE_H
#define CLI_LINE_H

#include <stdbool.h>

#include "text.h"

typedef struct cli_line cli_line;

typedef enum cli_line_event { CLI_LINE_TEXT, CLI_LINE_END, CLI_LINE_INTERRUPTED } cli_line_event;

/** A reader of standard input; the prompt appears on a terminal only. */
cli_line *cli_line_open(const char *prompt);
void cli_line_close(cli_line *line);

/** Whether a person types. */
bool cli_line_is_terminal(const cli_line *line);

/** The next line, without its end, replaces what *text holds. A line that ends in a backslash goes on in the next one;
 *  text pasted over several lines is one. *pasted: it begins with such a text. */
cli_line_event cli_line_read(cli_line *line, cli_text *text, bool *pasted);

#endif
