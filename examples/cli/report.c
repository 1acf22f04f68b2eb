/* Errors with advice, remarks, progress, JSON (see report.h). */
#define _POSIX_C_SOURCE 200809L
#include "report.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "runs.h"
#include "terminal.h"
#include "text.h"

static void print_json_error(const char *message, const char *hint, const char *status)
{
    json_t *error = json_pack("{s:{s:s, s:s*, s:s*}}", "error", "message", message, "status", status, "hint", hint);
    if (error) cli_print_json(error);
}

static int fail(const cli_options *o, int rc, const char *hint, const char *status, const char *message)
{
    char plain[1024];
    cli_plain(plain, sizeof plain, message);
    message = plain;
    fflush(stdout);
    fprintf(stderr, "hybridlm: %s\n", message);
    if (hint) fprintf(stderr, "  %s\n", hint);
    if (o->json) print_json_error(message, hint, status);
    return rc;
}

int cli_fail(const cli_options *o, int rc, const char *hint, const char *format, ...)
{
    char message[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    return fail(o, rc, hint, NULL, message);
}

/** What a user can do about a status; NULL when the message says it all. */
static const char *advice(hlm_status status)
{
    switch (status) {
    case HLM_E_IO: return "Check the path and its permissions. For a small model to start with: ./quickstart.sh";
    case HLM_E_FORMAT:
        return "The file is damaged, incomplete or no model: fetch it again and compare its size or checksum.";
    case HLM_E_UNSUPPORTED:
        return "This version runs weights of type " CLI_RUNS_TYPES ";\n"
               "  architectures in folders: " CLI_RUNS_FOLDERS ";\n"
               "  in GGUF files: " CLI_RUNS_GGUF ". docs/formats.md tells the rest.";
    case HLM_E_NOMEM: return "Use a smaller --ctx, --kv f16 or a smaller model; `hybridlm info` shows what is needed.";
    case HLM_E_FULL: return "Give more room with --ctx, or less text.";
    case HLM_E_TOKEN: return "The ids belong to another tokenizer; `hybridlm tokenize` makes those of this model.";
    case HLM_E_TEMPLATE:
    case HLM_E_LIMIT:
        return "Try without --system (some templates know no system message), or give a template with --chat-template.";
    case HLM_E_INTERNAL: return "This is a bug in libhybridlm: please report it with the command and the model's name.";
    default: return NULL;
    }
}

int cli_fail_advised(const cli_options *o, hlm_status status, const char *doing, const char *hint)
{
    if (status == HLM_E_CANCELLED) {
        cli_remark(o, "interrupted");
        return CLI_INTERRUPTED;
    }
    char message[1024];
    snprintf(message, sizeof message, "%s: %s", doing, hlm_last_error());
    return fail(o, CLI_FAILED, hint, hlm_status_name(status), message);
}

int cli_fail_status(const cli_options *o, hlm_status status, const char *doing)
{
    return cli_fail_advised(o, status, doing, advice(status));
}

void cli_remark(const cli_options *o, const char *format, ...)
{
    if (o->quiet) return;
    va_list args;
    va_start(args, format);
    fflush(stdout);
    fputc('[', stderr);
    vfprintf(stderr, format, args);
    fputs("]\n", stderr);
    va_end(args);
}

int cli_print_json(json_t *result)
{
    const int bad = !result || json_dumpf(result, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9)) != 0;
    json_decref(result);
    if (bad) {
        fputs("hybridlm: the result could not be written as JSON\n", stderr);
        return CLI_FAILED;
    }
    putchar('\n');
    fflush(stdout);
    return CLI_OK;
}

json_t *cli_json_real(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

json_t *cli_json_ids(const int32_t *ids, size_t n)
{
    json_t *array = json_array();
    for (size_t i = 0; array && i < n; i++) json_array_append_new(array, json_integer(ids[i]));
    return array;
}

double cli_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void cli_progress_start(cli_progress *p, const cli_options *o, const char *label)
{
    *p = (cli_progress){.label = label, .enabled = !o->quiet && isatty(STDERR_FILENO), .started = cli_seconds()};
}

void cli_progress_show(cli_progress *p, double done, double total)
{
    enum { WIDTH = 32, AROUND = sizeof " [] 100 %" - 1, LEAST = 4 };
    if (!p->enabled || total <= 0) return;
    const double now = cli_seconds();
    if (now - p->started < 0.2 || now - p->last < 0.1) return;
    p->last = now;
    p->drawn = true;
    const double part = done < total ? done / total : 1;
    /* As wide as the terminal is now, but for its last column: a line that is full would begin the next. */
    const size_t columns = cli_terminal_columns(STDERR_FILENO), around = strlen(p->label) + AROUND;
    const size_t room = columns == 0 || columns > around + WIDTH ? WIDTH : columns > around ? columns - 1 - around : 0;
    char bar[WIDTH + 1];
    memset(bar, '.', room);
    memset(bar, '#', (size_t)(part * (double)room));
    bar[room] = 0;
    if (room >= LEAST) fprintf(stderr, "\r%s [%s] %3.0f %%\x1b[K", p->label, bar, part * 100);
    else if (columns > sizeof "100 %" - 1) fprintf(stderr, "\r%3.0f %%\x1b[K", part * 100);
    fflush(stderr);
}

void cli_progress_end(cli_progress *p)
{
    if (p->drawn) fputs("\r\x1b[K", stderr);
    p->drawn = false;
}
