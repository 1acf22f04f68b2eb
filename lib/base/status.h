/* Error values and their sentences. A function that fails calls hlmi_fail once, where the fault is known; callers pass
 * the status on and may put their own words in front with hlmi_fail_prefix ("model.gguf: "). */
#ifndef HLMI_BASE_STATUS_H
#define HLMI_BASE_STATUS_H

#include <hybridlm/hybridlm.h>

#if defined(__MINGW32__)
#  define HLMI_PRINTF(f, a) __attribute__((format(gnu_printf, f, a)))
#else
#  define HLMI_PRINTF(f, a) __attribute__((format(printf, f, a)))
#endif

/** Longest sentence kept, with its 0. */
enum { HLMI_ERROR_MAX = 512 };

/** Return the status of e unless it is HLM_OK. */
#define HLMI_DO(e)                 \
  do {                             \
    const hlm_status st_ = (e);    \
    if (st_ != HLM_OK) return st_; \
  } while (0)

/** Go to `done` with the status of e unless it is HLM_OK; needs `st` and `done:`. */
#define HLMI_TRY(e)              \
  do {                           \
    st = (e);                    \
    if (st != HLM_OK) goto done; \
  } while (0)

/** Sets the calling thread's sentence and returns st. */
hlm_status hlmi_fail(hlm_status st, const char *fmt, ...) HLMI_PRINTF(2, 3);

/** Puts text in front of the calling thread's sentence and returns st. */
hlm_status hlmi_fail_prefix(hlm_status st, const char *fmt, ...) HLMI_PRINTF(2, 3);

/** The calling thread's sentence; hlm_last_error() is this. */
const char *hlmi_error(void);
/** It becomes "". */
void hlmi_error_clear(void);
/** It becomes kept [HLMI_ERROR_MAX]. */
void hlmi_error_give(const char *kept);

/** "out of memory (N bytes for WHAT)". */
hlm_status hlmi_nomem(size_t bytes, const char *what);

#endif
