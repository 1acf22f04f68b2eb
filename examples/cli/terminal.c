/* Width and word wrap (see terminal.h). The width is asked for with every word, so a window may change its size at any
 * time. A word waits until it is complete: what was written is never taken back. */
#define _POSIX_C_SOURCE 200809L
#include "terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <utf8proc.h>

static const char replacement[] = "\xEF\xBF\xBD";

size_t cli_terminal_columns(int fd)
{
    struct winsize size;
    return isatty(fd) && ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

size_t cli_columns_of(const char *text, size_t len, size_t *bytes)
{
    utf8proc_int32_t c = -1;
    const utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)len, &c);
    *bytes = n > 0 ? (size_t)n : 1;
    const int columns = n > 0 ? utf8proc_charwidth(c) : 1;
    return columns > 0 ? (size_t)columns : 0;
}

void cli_wrap_begin(cli_wrap *w, const cli_options *o, FILE *to)
{
    *w = (cli_wrap){.to = to, .on = !o->no_wrap && isatty(fileno(to))};
}

static void line_end(cli_wrap *w)
{
    fputc('\n', w->to);
    w->column = 0;
}

/** The blanks and the word, on a line of its own when this one has no room; the blanks then go. */
static void put_word(cli_wrap *w)
{
    const size_t width = cli_terminal_columns(fileno(w->to));
    if (width && w->column + w->blanks + w->word_columns > width) {
        if (w->column) line_end(w);
        w->blanks = 0;
    }
    for (size_t i = 0; i < w->blanks; i++) fputc(' ', w->to);
    fwrite(w->word.data, 1, w->word.len, w->to);
    w->column += w->blanks + w->word_columns;
    w->blanks = 0;
    w->word.len = 0;
    w->word_columns = 0;
}

/** One more character. Lines may end before and behind a wide one, and where a word is longer than a line. */
static void put_character(cli_wrap *w, const char *text, size_t bytes, size_t columns)
{
    const size_t width = cli_terminal_columns(fileno(w->to));
    const bool wide = columns > 1, full = width && w->word_columns + columns > width;
    if (w->word.len && columns && (wide || full)) put_word(w);
    cli_text_add(&w->word, text, bytes);
    w->word_columns += columns;
    if (wide || (columns == 0 && w->word_columns == 0)) put_word(w);
}

void cli_wrap_write(cli_wrap *w, const char *text, size_t len)
{
    if (!w->on) {
        fwrite(text, 1, len, w->to);
        return;
    }
    for (size_t at = 0, n; at < len; at += n) {
        const size_t columns = cli_columns_of(text + at, len - at, &n);
        const unsigned char c = (unsigned char)text[at];
        if (c == '\n') {
            cli_wrap_flush(w);
            line_end(w);
        } else if (c == ' ' || c == '\t') {
            if (w->word.len) put_word(w);
            w->blanks += c == ' ' ? 1 : 8 - (w->column + w->blanks) % 8;
        } else if (c == '\r') {
            continue; /* of a line end */
        } else if (c < 0x20 || c == 0x7F || (c == 0xC2 && (unsigned char)text[at + n - 1] < 0xA0) ||
                   (n == 1 && c > 0x7F)) {
            put_character(w, replacement, sizeof replacement - 1, 1);
        } else {
            put_character(w, text + at, n, columns);
        }
    }
}

void cli_wrap_flush(cli_wrap *w)
{
    if (w->word.len) put_word(w);
    w->blanks = 0; /* nothing is seen of them at the end of a line */
}

void cli_wrap_end(cli_wrap *w)
{
    if (w->on) cli_wrap_flush(w);
    cli_text_free(&w->word);
}
