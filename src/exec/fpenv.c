/* The floating-point control word: MXCSR on x86, FPCR on aarch64. Elsewhere
 * nothing is known to disturb the default, and nothing is done. */
#include "exec/fpenv.h"

#if defined(__SSE2__) || defined(_M_X64)

#  include <xmmintrin.h>

/* All exceptions masked, round to nearest, FTZ and DAZ off, no sticky flags. */
enum { MXCSR_DEFAULT = 0x1f80 };

uint64_t hlmi_fpenv_enter(void)
{
    const unsigned found = _mm_getcsr();
    _mm_setcsr(MXCSR_DEFAULT);
    return found;
}

void hlmi_fpenv_leave(uint64_t found)
{
    _mm_setcsr((unsigned)found);
}

#elif defined(__aarch64__)

uint64_t hlmi_fpenv_enter(void)
{
    uint64_t found;
    __asm__ volatile("mrs %0, fpcr" : "=r"(found));
    __asm__ volatile("msr fpcr, %0" : : "r"((uint64_t)0) : "memory");
    return found;
}

void hlmi_fpenv_leave(uint64_t found)
{
    __asm__ volatile("msr fpcr, %0" : : "r"(found) : "memory");
}

#else

uint64_t hlmi_fpenv_enter(void)
{
    return 0;
}

void hlmi_fpenv_leave(uint64_t found)
{
    (void)found;
}

#endif
