/* Lines to the caller's log. */
#ifndef HLMI_BASE_LOG_H
#define HLMI_BASE_LOG_H

#include "base/status.h"

typedef struct hlmi_logger {
    void *user;
    void (*write)(void *user, int32_t level, const char *text); /* NULL: silence */
} hlmi_logger;

hlm_status hlmi_log_from(hlmi_logger *log, const hlm_log *src);
void hlmi_log_line(const hlmi_logger *log, int32_t level, const char *fmt, ...) HLMI_PRINTF(3, 4);

#endif
