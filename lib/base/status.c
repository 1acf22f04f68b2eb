/* Status names and the error sentence of each thread. */
#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static _Thread_local char error_text[HLMI_ERROR_MAX];

hlm_status hlmi_fail(hlm_status st, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(error_text, sizeof error_text, fmt, ap);
    va_end(ap);
    return st;
}

hlm_status hlmi_fail_prefix(hlm_status st, const char *fmt, ...)
{
    char old[HLMI_ERROR_MAX];
    memcpy(old, error_text, sizeof old);
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(error_text, sizeof error_text, fmt, ap);
    va_end(ap);
    strncat(error_text, old, sizeof error_text - 1 - strlen(error_text));
    return st;
}

const char *hlmi_error(void)
{
    return error_text;
}

void hlmi_error_clear(void)
{
    error_text[0] = '\0';
}

void hlmi_error_give(const char *kept)
{
    memcpy(error_text, kept, sizeof error_text);
}

hlm_status hlmi_nomem(size_t bytes, const char *what)
{
    return hlmi_fail(HLM_E_NOMEM, "out of memory (%zu bytes for %s)", bytes, what);
}
