/* Dates as text, in UTC and English whatever the locale. */
#ifndef HLMI_JINJA_STRFTIME_H
#define HLMI_JINJA_STRFTIME_H

#include "jinja/run.h"

/** `now` is in seconds since 1970 UTC. Directives of C's strftime, "%-d" forms included. */
jv hlmi_jstrftime(jx *x, jv fmt, int64_t now);

#endif
