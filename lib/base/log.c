/* Lines to the caller's log. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/host.h"
#include "base/params.h"

hlm_status hlmi_log_from(hlmi_logger *log, const hlm_log *src)
{
    *log = (hlmi_logger){0};
    if (!src) return HLM_OK;
    hlm_log own;
    HLMI_DO(hlmi_params_read(&own, sizeof own, src, "hlm_log"));
    *log = (hlmi_logger){.user = own.user, .write = own.write};
    return HLM_OK;
}

void hlmi_log_line(const hlmi_logger *log, int32_t level, const char *fmt, ...)
{
    if (!log->write) return;
    char line[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    HLMI_HOST(log->write(log->user, level, line));
}
