/* Buffers, files, text and ids (see text.h). */
#define _POSIX_C_SOURCE 200809L
#include "text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "interrupt.h"
#include "report.h"

/** More than any model reads; keeps a wrong path such as /dev/zero from eating the memory. */
#define MAX_FILE_BYTES ((size_t)1 << 30)

void *cli_alloc(size_t count, size_t size)
{
    void *p = calloc(count ? count : 1, size ? size : 1);
    if (!p) {
        fputs("hybridlm: out of memory\n", stderr);
        exit(CLI_FAILED);
    }
    return p;
}

/** A capacity of at least `need`, at least doubled. */
static void *grow(void *old, size_t *cap, size_t need, size_t size)
{
    size_t wanted = *cap ? *cap : 256;
    while (wanted < need && wanted <= SIZE_MAX / 2) wanted *= 2;
    void *p = wanted < need || wanted > SIZE_MAX / size ? NULL : realloc(old, wanted * size);
    if (!p) {
        fputs("hybridlm: out of memory\n", stderr);
        exit(CLI_FAILED);
    }
    *cap = wanted;
    return p;
}

void cli_text_add(cli_text *t, const char *bytes, size_t len)
{
    if (t->cap - t->len < len + 1) t->data = grow(t->data, &t->cap, t->len + len + 1, 1);
    if (len) memcpy(t->data + t->len, bytes, len);
    t->len += len;
    t->data[t->len] = 0;
}

void cli_text_free(cli_text *t)
{
    free(t->data);
    *t = (cli_text){0};
}

/** Room for n more ids. */
static void ids_reserve(cli_ids *list, size_t n)
{
    if (list->cap - list->n < n) list->data = grow(list->data, &list->cap, list->n + n, sizeof *list->data);
}

void cli_ids_add(cli_ids *list, const int32_t *ids, size_t n)
{
    ids_reserve(list, n);
    if (n) memcpy(list->data + list->n, ids, n * sizeof *ids);
    list->n += n;
}

void cli_ids_free(cli_ids *list)
{
    free(list->data);
    *list = (cli_ids){0};
}

int cli_read_file(const cli_options *o, const char *path, cli_text *t)
{
    const bool standard = strcmp(path, "-") == 0;
    FILE *f = standard ? stdin : fopen(path, "rb");
    if (!f)
        return cli_fail(o, CLI_FAILED, "Check the path; '-' reads standard input.", "%s: %s", path, strerror(errno));
    char block[65536];
    size_t got, total = 0;
    cli_text_add(t, "", 0);
    cli_interrupt_input(true);
    while (total <= MAX_FILE_BYTES && (got = fread(block, 1, sizeof block, f)) > 0) {
        cli_text_add(t, block, got);
        total += got;
    }
    const int error = ferror(f) ? errno : 0;
    cli_interrupt_input(false);
    if (!standard) fclose(f);
    if (cli_interrupted()) return CLI_INTERRUPTED;
    if (error) return cli_fail(o, CLI_FAILED, NULL, "%s: %s", path, strerror(error));
    if (total > MAX_FILE_BYTES)
        return cli_fail(o, CLI_FAILED, "Cut it into parts.", "%s: longer than the %zu bytes that are read at once",
                        path, MAX_FILE_BYTES);
    return CLI_OK;
}

int cli_read_input(const cli_options *o, cli_text *t)
{
    if (o->prompt && o->file) return cli_fail(o, CLI_USAGE, NULL, "give a text or --file, not both");
    if (o->prompt) {
        cli_text_add(t, o->prompt, strlen(o->prompt));
        return CLI_OK;
    }
    if (!o->file && isatty(STDIN_FILENO))
        return cli_fail(o, CLI_USAGE, "Give it with -p TEXT, with -f FILE or through a pipe.", "no text");
    return cli_read_file(o, o->file ? o->file : "-", t);
}

static bool is_separator(char c)
{
    return c == ' ' || c == ',' || c == '\n' || c == '\t' || c == '\r' || c == '[' || c == ']';
}

static int parse_ids(const cli_options *o, const char *source, const char *p, cli_ids *ids)
{
    for (;;) {
        while (is_separator(*p)) p++;
        if (!*p) return CLI_OK;
        char *end = NULL;
        errno = 0;
        const long long v = strtoll(p, &end, 10);
        if (end == p || errno || v < INT32_MIN || v > INT32_MAX || (*end && !is_separator(*end)))
            return cli_fail(o, CLI_FAILED, "Token ids are whole numbers separated by blanks or commas.",
                            "%s: id %zu is no token id: '%.20s'", source, ids->n, p);
        const int32_t id = (int32_t)v;
        cli_ids_add(ids, &id, 1);
        p = end;
    }
}

int cli_read_ids(const cli_options *o, const char *source, cli_ids *ids)
{
    if (*source && strcmp(source, "-") != 0 && source[strspn(source, "0123456789, []")] == 0)
        return parse_ids(o, "--ids", source, ids);
    cli_text text = {0};
    int rc = cli_read_file(o, source, &text);
    if (rc == CLI_OK && text.data && strlen(text.data) != text.len)
        rc = cli_fail(o, CLI_FAILED, "Token ids are expected as text, such as 1, 2, 3.",
                      "%s: holds bytes that are no text", source);
    if (rc == CLI_OK && text.data) rc = parse_ids(o, source, text.data, ids);
    cli_text_free(&text);
    return rc;
}

uint32_t cli_tokenize_flags(const cli_options *o)
{
    return (o->no_special ? 0 : (uint32_t)HLM_TOKENIZE_ADD_SPECIAL) |
        (o->parse_special ? (uint32_t)HLM_TOKENIZE_PARSE_SPECIAL : 0);
}

hlm_status cli_tokenize(const hlm_model *model, const char *text, size_t len, uint32_t flags, cli_ids *ids)
{
    size_t need = len / 3 + 8;
    for (int attempt = 0;; attempt++) {
        ids_reserve(ids, need);
        const hlm_status st = hlm_tokenize(model, text, len, flags, ids->data + ids->n, ids->cap - ids->n, &need);
        if (st == HLM_OK) ids->n += need;
        if (st != HLM_E_SPACE || attempt) return st;
    }
}

hlm_status cli_detokenize(const hlm_model *model, const int32_t *ids, size_t n, uint32_t flags, cli_text *t)
{
    size_t need = 6 * n + 16;
    for (int attempt = 0;; attempt++) {
        if (t->cap - t->len < need + 1) t->data = grow(t->data, &t->cap, t->len + need + 1, 1);
        const hlm_status st = hlm_detokenize(model, ids, n, flags, t->data + t->len, t->cap - t->len - 1, &need);
        if (st == HLM_OK) t->len += need;
        t->data[t->len] = 0;
        if (st != HLM_E_SPACE || attempt) return st;
    }
}

hlm_status cli_piece(const hlm_model *model, const int32_t *ids, size_t i, cli_text *t)
{
    cli_text before = {0}, both = {0};
    hlm_status st = i ? cli_detokenize(model, ids + i - 1, 1, 0, &before) : HLM_OK;
    if (st == HLM_OK && i) st = cli_detokenize(model, ids + i - 1, 2, 0, &both);
    if (st == HLM_OK && both.len > before.len && memcmp(both.data, before.data, before.len) == 0)
        cli_text_add(t, both.data + before.len, both.len - before.len);
    else if (st == HLM_OK) st = cli_detokenize(model, ids + i, 1, 0, t);
    cli_text_free(&before);
    cli_text_free(&both);
    return st;
}

/** Length of the well-formed UTF-8 character at p, or 0. */
static size_t character_length(const unsigned char *p, size_t left)
{
    if (p[0] < 0x80) return p[0] != 0;
    const size_t n = p[0] >= 0xF0 ? 4 : p[0] >= 0xE0 ? 3 : 2;
    if (p[0] < 0xC2 || p[0] > 0xF4 || n > left) return 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xC0) != 0x80) return 0;
    const bool overlong = (p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xF0 && p[1] < 0x90);
    const bool outside = (p[0] == 0xED && p[1] > 0x9F) || (p[0] == 0xF4 && p[1] > 0x8F);
    return overlong || outside ? 0 : n;
}

void cli_plain(char *to, size_t cap, const char *from)
{
    size_t at = 0;
    for (size_t n; *from; from += n ? n : 1) {
        n = character_length((const unsigned char *)from, strlen(from));
        const unsigned char c = (unsigned char)*from;
        const bool plain = n && c >= 0x20 && c != 0x7F && !(n == 2 && c == 0xC2 && (unsigned char)from[1] < 0xA0);
        if (at + (plain ? n : 1) >= cap) break;
        if (plain) memcpy(to + at, from, n);
        else to[at] = c == '\n' ? '\n' : '?';
        at += plain ? n : 1;
    }
    to[at] = '\0';
}

void cli_text_add_clean(cli_text *t, const char *bytes, size_t len)
{
    size_t i = 0;
    cli_text_add(t, "", 0);
    while (i < len) {
        const size_t n = character_length((const unsigned char *)bytes + i, len - i);
        if (n) cli_text_add(t, bytes + i, n);
        else cli_text_add(t, "\xEF\xBF\xBD", 3);
        i += n ? n : 1;
    }
}
