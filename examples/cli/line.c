/* Line input (see line.h). */
#define _POSIX_C_SOURCE 200809L
#include "line.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#ifdef CLI_HAVE_LIBEDIT
#  include <histedit.h>
#endif

#include "interrupt.h"
#include "keys.h"
#include "paste.h"

struct cli_line {
    const char *prompt;
    bool terminal;
    /** The terminal marks what is pasted. */
    bool marked;
    /** The line that is being read begins with a pasted text of several lines. */
    bool pasted;
    cli_text keys;
    char *plain;
    size_t plain_cap;
#ifdef CLI_HAVE_LIBEDIT
    EditLine *editor;
    History *history;
#endif
};

#ifdef CLI_HAVE_LIBEDIT
static cli_line *line_of(EditLine *editor)
{
    void *line = NULL;
    return el_get(editor, EL_CLIENTDATA, &line) == 0 ? line : NULL;
}

static char *show_prompt(EditLine *editor)
{
    static char none[] = "";
    const cli_line *line = line_of(editor);
    if (!line) return none;
    /* libedit takes a char * that it only reads. */
    union {
        const char *in;
        char *out;
    } prompt = {.in = line->prompt};
    return prompt.out;
}

/** Pasted characters up to the end mark, as bytes; false: the input ended. */
static bool read_paste(EditLine *editor, cli_text *text)
{
    const size_t n_end = strlen(CLI_PASTE_END);
    char bytes[MB_LEN_MAX];
    wchar_t c;
    for (;;) {
        if (el_wgetc(editor, &c) != 1) return false;
        const int n = wctomb(bytes, c);
        if (n > 0) cli_text_add(text, bytes, (size_t)n);
        if (text->len < n_end || memcmp(text->data + text->len - n_end, CLI_PASTE_END, n_end) != 0) continue;
        text->len = cli_paste_clean(text->data, text->len - n_end);
        text->data[text->len] = 0;
        return true;
    }
}

/** What the begin mark is bound to: the text goes into the line, its line ends too, and can be edited there. */
static unsigned char on_paste(EditLine *editor, int key)
{
    (void)key;
    cli_text text = {0};
    const LineInfoW *info = el_wline(editor);
    const bool first = info->cursor == info->buffer;
    cli_line *line = line_of(editor);
    if (!read_paste(editor, &text)) {
        cli_text_free(&text);
        return CC_EOF;
    }
    if (first && line) line->pasted = text.len && strchr(text.data, '\n') != NULL;
    if (text.len) el_insertstr(editor, text.data);
    cli_text_free(&text);
    return CC_REFRESH;
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
    el_set(line->editor, EL_ADDFN, "hybridlm-paste", "take pasted text as it is", on_paste);
    el_source(line->editor, NULL);
    el_set(line->editor, EL_SETTY, "-d", "-icrnl", "-inlcr", NULL); /* line ends of two bytes arrive as they are */
    el_set(line->editor, EL_BIND, CLI_PASTE_BEGIN, "hybridlm-paste", NULL);
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
    el_resize(line->editor);
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
    if (!line->terminal) return read_plain(line, len);
    fflush(stdout);
    if (!cli_keys_read(line->prompt, &line->keys, &line->pasted)) return NULL;
    *len = line->keys.len;
    return line->keys.data;
}

cli_line *cli_line_open(const char *prompt)
{
    cli_line *line = cli_alloc(1, sizeof *line);
    line->prompt = prompt;
    line->terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
#ifdef CLI_HAVE_LIBEDIT
    if (line->terminal) open_editor(line);
#endif
    line->marked = line->terminal && cli_paste_ask();
    cli_interrupt_paste(line->marked);
    return line;
}

void cli_line_close(cli_line *line)
{
    if (!line) return;
    if (line->marked) cli_paste_leave();
    cli_interrupt_paste(false);
#ifdef CLI_HAVE_LIBEDIT
    close_editor(line);
#endif
    cli_text_free(&line->keys);
    free(line->plain);
    free(line);
}

bool cli_line_is_terminal(const cli_line *line)
{
    return line->terminal;
}

cli_line_event cli_line_read(cli_line *line, cli_text *text, bool *pasted)
{
    text->len = 0;
    *pasted = false;
    cli_text_add(text, "", 0);
    for (;;) {
        size_t len = 0;
        line->pasted = false;
        cli_interrupt_input(true);
        const char *part = read_any(line, &len);
        cli_interrupt_input(false);
        if (!part) {
            if (cli_interrupted()) return CLI_LINE_INTERRUPTED;
            return text->len ? CLI_LINE_TEXT : CLI_LINE_END;
        }
        if (text->len == 0) *pasted = line->pasted;
        if (len && part[len - 1] == '\n') len--;
        const bool more = len && part[len - 1] == '\\';
        cli_text_add(text, part, more ? len - 1 : len);
        if (!more) return CLI_LINE_TEXT;
        cli_text_add(text, "\n", 1);
    }
}
