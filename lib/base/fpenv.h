/* The floating-point environment that the library's numbers are made under:
 * round to nearest, no flush to zero, no denormals-are-zero, no traps, and on x86 the x87's precision in full. Public
 * calls (base/call.h) and tasks on threads that are not the library's enter it first and leave it last, so that neither
 * a host's settings change the results nor ours the host. */
#ifndef HLMI_BASE_FPENV_H
#define HLMI_BASE_FPENV_H

#include <stdint.h>

/** Sets the library's environment and returns the one found: control words and sticky exception flags. Raises nothing,
 *  whatever is unmasked or pending. */
uint64_t hlmi_fpenv_enter(void);

/** Puts back what hlmi_fpenv_enter returned, flags included. */
void hlmi_fpenv_leave(uint64_t found);

#endif
