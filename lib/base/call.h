/* What every public call does on its way in and out. All functions of the API that return a status are defined by
 * HLMI_CALL (test/lint.py holds to it); the others compute nothing in floating point and leave the error sentence
 * alone. */
#ifndef HLMI_BASE_CALL_H
#define HLMI_BASE_CALL_H

#include "base/host.h"

/** Begins the definition of a public function; its body follows. The body is a function of its own, so that no compiler
 *  moves arithmetic out of it, in front of the library's environment.
 *  params  with types, in parentheses; args: their names. */
#define HLMI_CALL(name, params, args)                             \
  __attribute__((noinline)) static hlm_status body_##name params; \
  hlm_status name params                                          \
  {                                                               \
    hlmi_call call_;                                              \
    hlmi_call_enter(&call_);                                      \
    const hlm_status st_ = body_##name args;                      \
    return hlmi_call_leave(&call_, st_);                          \
  }                                                               \
  static hlm_status body_##name params

#endif
