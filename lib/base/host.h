/* The border between the host and the library, as each thread stands to it: a public call comes in (base/call.h), and a
 * callback goes out. Inside, the thread has the library's floating-point environment and error sentence; in a callback
 * it has the host's, so that what the host does there, calls of the library included, is as if nobody had called it. */
#ifndef HLMI_BASE_HOST_H
#define HLMI_BASE_HOST_H

#include <stdbool.h>

#include "base/status.h"

/** A public call on its way. */
typedef struct hlmi_call {
    bool outermost; /* not called by the library itself */
} hlmi_call;

/** On the way in: environment entered, sentence "". Of a call that the library makes itself both stay as they are. */
void hlmi_call_enter(hlmi_call *call);
/** On the way out: the host's environment with its flags, and no sentence unless the call failed. Returns st. */
hlm_status hlmi_call_leave(const hlmi_call *call, hlm_status st);

/** A callback on its way. */
typedef struct hlmi_host {
    bool inside; /* it comes from a public call, and not from a task on another thread */
    char sentence[HLMI_ERROR_MAX];
} hlmi_host;

/** Makes a call of a function of the host's: HLMI_HOST(rc = f(x)). */
#define HLMI_HOST(call)      \
  do {                       \
    hlmi_host host_;         \
    hlmi_host_begin(&host_); \
    call;                    \
    hlmi_host_end(&host_);   \
  } while (0)
void hlmi_host_begin(hlmi_host *host);
void hlmi_host_end(const hlmi_host *host);

#endif
