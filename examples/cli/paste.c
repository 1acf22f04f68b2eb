/* Bracketed paste (see paste.h). */
#define _POSIX_C_SOURCE 200809L
#include "paste.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void tell(const char *sequence)
{
    const ssize_t n = write(STDOUT_FILENO, sequence, strlen(sequence));
    (void)n; /* a terminal that is gone needs no marks */
}

bool cli_paste_ask(void)
{
    const char *kind = getenv("TERM");
    if (kind && strcmp(kind, "dumb") == 0) return false;
    tell("\x1b[?2004h");
    return true;
}

void cli_paste_leave(void)
{
    tell("\x1b[?2004l");
}

size_t cli_paste_clean(char *text, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (text[i] == 0 || (text[i] == '\r' && i + 1 < n && text[i + 1] == '\n')) continue;
        text[kept++] = text[i] == '\r' ? '\n' : text[i];
    }
    while (kept && text[kept - 1] == '\n') kept--;
    return kept;
}
