/* Line input (see line.h). */
#define _POSIX_C_SOURCE 200809L
#include "line.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef CLI_HAVE_LIBEDIT
#  include <histedit.h>
#endif

#include "interrupt.h"

struct cli_line {
    const char *prompt;
    bool terminal;
    char *plain;
    size_t plain_cap;
#ifdef CLI_HAVE_LIBEDIT
    EditLine *editor;
    History *history;
#endif
};

#ifdef CLI_HAVE_LIBEDIT
static char *show_prompt(EditLine *editor)
{
    static char none[] = "";
    void *line = NULL;
    if (el_get(editor, EL_CLIENTDATA, &line) != 0 || !line) return none;
    /* libedit takes a char * that it only reads. */
    union {
        const char *in;
        char *out;
    } prompt = {.in = ((cli_line *)line)->prompt};
    return prompt.out;
}

static void open_editor(cli_line *line)
{
    HistEvent event;
    line->editor = el_init("hybridlm", stdin, stdout, stderr);
    line->history = history_init();
    if (!line->editor || !line->history) return;
    history(line->history, &event, H_SETSIZE, 500);
    history(line->history, &event, H_SETUNIQUE, 1);
    el_set(line->editor, EL_CLIENTDATA, line);
    el_set(line->editor, EL_PROMPT, show_prompt);
    el_set(line->editor, EL_EDITOR, "emacs");
    el_set(line->editor, EL_HIST, history, line->history);
    el_source(line->editor, NULL);
}

static void close_editor(cli_line *line)
{
    if (line->editor) el_end(line->editor);
    if (line->history) history_end(line->history);
}

/** A line with its end, or NULL with errno set (0 at the end of input). */
static const char *edit(cli_line *line, size_t *len)
{
    int count = 0;
    /* Before the prompt is shown, or a key that is pressed at once would still meet the line discipline. */
    el_set(line->editor, EL_PREP_TERM, 1);
    errno = 0;
    const char *text = el_gets(line->editor, &count);
    if (!text || count <= 0) {
        if (count == 0) errno = 0;
        return NULL;
    }
    *len = (size_t)count;
    HistEvent event;
    if (count > 1) history(line->history, &event, H_ENTER, text);
    return text;
}
#endif

static const char *read_plain(cli_line *line, size_t *len)
{
    if (line->terminal) {
        fputs(line->prompt, stdout);
        fflush(stdout);
    }
    errno = 0;
    const ssize_t got = getline(&line->plain, &line->plain_cap, stdin);
    if (got < 0) {
        if (feof(stdin)) errno = 0;
        clearerr(stdin);
        return NULL;
    }
    *len = (size_t)got;
    return line->plain;
}

static const char *read_any(cli_line *line, size_t *len)
{
#ifdef CLI_HAVE_LIBEDIT
    if (line->editor) return edit(line, len);
#endif
    return read_plain(line, len);
}

cli_line *cli_line_open(const char *prompt)
{
    cli_line *line = cli_alloc(1, sizeof *line);
    line->prompt = prompt;
    line->terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
#ifdef CLI_HAVE_LIBEDIT
    if (line->terminal) open_editor(line);
#endif
    return line;
}

void cli_line_close(cli_line *line)
{
    if (!line) return;
#ifdef CLI_HAVE_LIBEDIT
    close_editor(line);
#endif
    free(line->plain);
    free(line);
}

bool cli_line_is_terminal(const cli_line *line)
{
    return line->terminal;
}

cli_line_event cli_line_read(cli_line *line, cli_text *text)
{
    text->len = 0;
    cli_text_add(text, "", 0);
    for (;;) {
        size_t len = 0;
        cli_interrupt_input(true);
        const char *part = read_any(line, &len);
        cli_interrupt_input(false);
        if (!part) {
            if (cli_interrupted()) return CLI_LINE_INTERRUPTED;
            return text->len ? CLI_LINE_TEXT : CLI_LINE_END;
        }
        if (len && part[len - 1] == '\n') len--;
        const bool more = len && part[len - 1] == '\\';
        cli_text_add(text, part, more ? len - 1 : len);
        if (!more) return CLI_LINE_TEXT;
        cli_text_add(text, "\n", 1);
    }
}
