/* The floating-point control word that the library's numbers are made under:
 * round to nearest, no flush to zero, no denormals-are-zero, no traps. Every
 * task enters it first and leaves it last, so that neither a caller's settings
 * change the results nor ours the caller. */
#ifndef HLMI_EXEC_FPENV_H
#define HLMI_EXEC_FPENV_H

#include <stdint.h>

/** Sets the library's control word and returns the one found. */
uint64_t hlmi_fpenv_enter(void);

/** Puts back what hlmi_fpenv_enter returned. */
void hlmi_fpenv_leave(uint64_t found);

#endif
