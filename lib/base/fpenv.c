/* The floating-point environment: on x86 MXCSR and the x87's words (which printf and strtod of some C libraries round
 * by), on aarch64 FPCR and FPSR. Elsewhere nothing is done: the host's environment is the library's. */
#include "base/fpenv.h"

#if defined(__SSE2__)

#  include <xmmintrin.h>

/* All exceptions masked, round to nearest, FTZ and DAZ off. Sticky flags stay on the way in: taking them down costs 40
 * ns. */
enum { MXCSR_DEFAULT = 0x1f80, MXCSR_FLAGS = 0x3f };

/* The same for the x87, with 64 bits of mantissa; the exceptions of its status word, and their sum. */
enum { X87_DEFAULT = 0x37f, X87_EXCEPTIONS = 0x3f, X87_FLAGS = 0x80ff };

typedef struct x87_env {
    uint16_t control, unused1, status, unused2;
    uint32_t rest[5];
} x87_env;

/* Status word in the upper half, control word in the lower. */
static uint32_t x87_enter(void)
{
    uint16_t control, status;
    __asm__ volatile("fnstcw %0" : "=m"(control));
    __asm__ volatile("fnstsw %0" : "=a"(status));
    if (control != X87_DEFAULT) {
        const uint16_t wanted = X87_DEFAULT;
        x87_env masked;
        /* an exception that waits to be raised would be by fldcw; fnstenv masks it */
        if (status & ~control & X87_EXCEPTIONS) __asm__ volatile("fnstenv %0" : "=m"(masked) : : "memory");
        __asm__ volatile("fldcw %0" : : "m"(wanted) : "memory");
    }
    return (uint32_t)status << 16 | control;
}

static void x87_leave(uint32_t found)
{
    const uint16_t control = (uint16_t)found, old = (uint16_t)(found >> 16);
    uint16_t status;
    __asm__ volatile("fnstsw %0" : "=a"(status));
    if (((status ^ old) & X87_FLAGS) == 0 && (old & ~control & X87_EXCEPTIONS) == 0) {
        if (control != X87_DEFAULT) __asm__ volatile("fldcw %0" : : "m"(control) : "memory");
        return;
    }
    x87_env env;
    __asm__ volatile("fnstenv %0" : "=m"(env) : : "memory");
    env.control = control;
    env.status = (uint16_t)((env.status & ~X87_FLAGS) | (old & X87_FLAGS));
    __asm__ volatile("fldenv %0" : : "m"(env) : "memory");
}

uint64_t hlmi_fpenv_enter(void)
{
    const unsigned found = _mm_getcsr();
    _mm_setcsr(MXCSR_DEFAULT | (found & MXCSR_FLAGS));
    return (uint64_t)x87_enter() << 32 | found;
}

void hlmi_fpenv_leave(uint64_t found)
{
    x87_leave((uint32_t)(found >> 32));
    _mm_setcsr((unsigned)found);
}

#elif defined(__aarch64__)

/* All that is defined of either register is in its lower 32 bits. */
uint64_t hlmi_fpenv_enter(void)
{
    uint64_t control, status;
    __asm__ volatile("mrs %0, fpcr" : "=r"(control));
    __asm__ volatile("mrs %0, fpsr" : "=r"(status));
    __asm__ volatile("msr fpcr, %0" : : "r"((uint64_t)0) : "memory");
    return status << 32 | (control & UINT32_MAX);
}

void hlmi_fpenv_leave(uint64_t found)
{
    __asm__ volatile("msr fpsr, %0" : : "r"(found >> 32) : "memory");
    __asm__ volatile("msr fpcr, %0" : : "r"(found & UINT32_MAX) : "memory");
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
