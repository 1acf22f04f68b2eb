/* The keys of a line (see keys.h). The terminal gives every key at once meanwhile, as its own editing ends at each line
 * and at 4096 bytes, and shows the marks of pasted text. */
#define _POSIX_C_SOURCE 200809L
#include "keys.h"

#include <errno.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "paste.h"
#include "terminal.h"

enum { CTRL_D = 4, BACKSPACE = 8, CTRL_U = 21, CTRL_W = 23, ESCAPE = 27, DELETE = 127 };

typedef struct keys {
    const char *prompt;
    cli_text *line;
    bool *pasted;
    bool end;
} keys;

static void show(const char *text, size_t len)
{
    while (len) {
        const ssize_t n = write(STDOUT_FILENO, text, len);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return;
        text += n;
        len -= (size_t)n;
    }
}

/** The line as it is now, on a new line of the terminal. */
static void show_again(const keys *k)
{
    show("\n", 1);
    show(k->prompt, strlen(k->prompt));
    show(k->line->data, k->line->len);
}

static bool next_byte(char *c)
{
    return read(STDIN_FILENO, c, 1) == 1;
}

static bool ends_with(const cli_text *t, const char *end)
{
    const size_t n = strlen(end);
    return t->len >= n && memcmp(t->data + t->len - n, end, n) == 0;
}

/** Everything until the end mark, whatever it is. */
static bool take_paste(keys *k)
{
    cli_text text = {0};
    char c;
    while (next_byte(&c)) {
        cli_text_add(&text, &c, 1);
        if (!ends_with(&text, CLI_PASTE_END)) continue;
        const size_t n = cli_paste_clean(text.data, text.len - strlen(CLI_PASTE_END));
        if (k->line->len == 0) *k->pasted = memchr(text.data, '\n', n) != NULL;
        cli_text_add(k->line, text.data, n);
        show(text.data, n);
        cli_text_free(&text);
        return true;
    }
    cli_text_free(&text);
    return false;
}

/** A key that is a sequence: the begin of a paste, or one that does nothing here (arrows). */
static bool take_sequence(keys *k)
{
    char c[16] = {ESCAPE};
    size_t n = 1;
    do {
        if (!next_byte(&c[n])) return false;
        n++;
    } while (n < sizeof c &&
             ((n == 2 && (c[1] == '[' || c[1] == 'O')) || (n > 2 && (c[n - 1] < 0x40 || c[n - 1] > 0x7E))));
    return n != strlen(CLI_PASTE_BEGIN) || memcmp(c, CLI_PASTE_BEGIN, n) != 0 || take_paste(k);
}

/** Bytes of the character at the end of the line. */
static size_t last_character(const cli_text *t)
{
    size_t n = 1;
    while (n < t->len && n < 4 && ((unsigned char)t->data[t->len - n] & 0xC0) == 0x80) n++;
    return n;
}

static void cut(cli_text *t, size_t n)
{
    t->len -= n;
    t->data[t->len] = 0;
}

static void take_back(keys *k)
{
    if (!k->line->len) return;
    const size_t n = last_character(k->line), columns = cli_terminal_columns(STDOUT_FILENO);
    size_t bytes, wide = cli_columns_of(k->line->data + k->line->len - n, n, &bytes), taken = strlen(k->prompt);
    const bool plain = !memchr(k->line->data, '\n', k->line->len);
    for (size_t at = 0; at < k->line->len; at += bytes)
        taken += cli_columns_of(k->line->data + at, k->line->len - at, &bytes);
    cut(k->line, n);
    if (!plain || (columns && taken >= columns)) show_again(k); /* the cursor can not go up a line by itself */
    else
        for (; wide; wide--) show("\b \b", 3);
}

static void take_back_word(keys *k)
{
    cli_text *t = k->line;
    while (t->len && t->data[t->len - 1] == ' ') cut(t, 1);
    while (t->len && t->data[t->len - 1] != ' ' && t->data[t->len - 1] != '\n') cut(t, 1);
    show_again(k);
}

/** One key; false when there are no more. */
static bool take_key(keys *k, char c)
{
    const unsigned char u = (unsigned char)c;
    if (c == '\r' || c == '\n') {
        k->end = true;
    } else if (c == CTRL_D) {
        return k->line->len != 0;
    } else if (c == DELETE || c == BACKSPACE) {
        take_back(k);
    } else if (c == CTRL_U) {
        cut(k->line, k->line->len);
        show_again(k);
    } else if (c == CTRL_W) {
        take_back_word(k);
    } else if (c == ESCAPE) {
        return take_sequence(k);
    } else if (u >= 0x20 || c == '\t') {
        cli_text_add(k->line, &c, 1);
        show(&c, 1);
    }
    if (!k->line->len) *k->pasted = false;
    return true;
}

bool cli_keys_read(const char *prompt, cli_text *line, bool *pasted)
{
    struct termios usual;
    if (tcgetattr(STDIN_FILENO, &usual) != 0) return false;
    struct termios raw = usual;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    raw.c_iflag &= ~(tcflag_t)ICRNL;
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
    keys k = {.prompt = prompt, .line = line, .pasted = pasted};
    *pasted = false;
    line->len = 0;
    cli_text_add(line, "", 0);
    show(prompt, strlen(prompt));
    char c;
    bool more = true;
    while (more && !k.end) more = next_byte(&c) && take_key(&k, c);
    if (k.end) show("\n", 1);
    tcsetattr(STDIN_FILENO, TCSADRAIN, &usual);
    return k.end;
}
