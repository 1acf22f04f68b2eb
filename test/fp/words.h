/* The floating-point words of the calling thread, as hosts have set them: rounding modes, flush to zero, unmasked
 * exceptions, sticky flags. x86 and aarch64; elsewhere nothing can be read or set. */
#ifndef FP_WORDS_H
#define FP_WORDS_H

#include <stdint.h>

typedef struct fp_words {
    uint32_t control, status; /* of x86 both are MXCSR's */
    uint16_t x87_control, x87_status; /* else 0 */
} fp_words;

#if defined(__SSE2__)

#  include <xmmintrin.h>

/* Bits of MXCSR. */
enum {
    FP_SSE_FLAGS = 0x3f,
    FP_SSE_DAZ = 0x40,
    FP_SSE_MASKS = 0x1f80,
    FP_SSE_DOWN = 0x2000,
    FP_SSE_UP = 0x4000,
    FP_SSE_ZERO = 0x6000,
    FP_SSE_FTZ = 0x8000
};

enum { FP_X87_FLAGS = 0x80ff };

/* The library's own, or a fresh program's. */
#  define FP_PLAIN                                  \
    {                                               \
      .control = FP_SSE_MASKS, .x87_control = 0x37f \
    }
/* Upwards, without denormals; two flags are up. */
#  define FP_AUDIO                                                                                         \
    {                                                                                                      \
      .control = FP_SSE_UP | FP_SSE_FTZ | FP_SSE_DAZ | FP_SSE_MASKS, .status = 0x21, .x87_control = 0xb7f, \
      .x87_status = 0x21                                                                                   \
    }
/* Towards zero, and every exception ends the program. */
#  define FP_TRAPS                                 \
    {                                              \
      .control = FP_SSE_ZERO, .x87_control = 0xf40 \
    }
/* Downwards; the x87 with a float's precision and towards zero. */
#  define FP_X87                                                                                      \
    {                                                                                                 \
      .control = FP_SSE_DOWN | FP_SSE_MASKS, .status = 0x10, .x87_control = 0xc7f, .x87_status = 0x3f \
    }
/* As audio libraries, and inexact results raise. */
#  define FP_INEXACT                                                                                  \
    {                                                                                                 \
      .control = FP_SSE_UP | FP_SSE_FTZ | FP_SSE_DAZ | (FP_SSE_MASKS & ~0x1000), .x87_control = 0xb5f \
    }

static inline fp_words fp_get(void)
{
    fp_words w;
    const uint32_t mxcsr = _mm_getcsr();
    w.control = mxcsr & ~(uint32_t)FP_SSE_FLAGS;
    w.status = mxcsr & FP_SSE_FLAGS;
    __asm__ volatile("fnstcw %0" : "=m"(w.x87_control));
    __asm__ volatile("fnstsw %0" : "=m"(w.x87_status));
    w.x87_status &= FP_X87_FLAGS;
    return w;
}

static inline void fp_set(fp_words w)
{
    struct {
        uint16_t control, unused1, status, unused2;
        uint32_t rest[5];
    } env;
    __asm__ volatile("fnstenv %0" : "=m"(env) : : "memory");
    env.control = w.x87_control;
    env.status = (uint16_t)((env.status & ~FP_X87_FLAGS) | w.x87_status);
    __asm__ volatile("fldenv %0" : : "m"(env) : "memory");
    _mm_setcsr(w.control | w.status);
}

#elif defined(__aarch64__)

#  define FP_PLAIN \
    {              \
      .control = 0 \
    }
#  define FP_AUDIO                                   \
    {                                                \
      .control = 1u << 22 | 1u << 24, .status = 0x11 \
    }
#  define FP_TRAPS                 \
    {                              \
      .control = 3u << 22 | 0x9f00 \
    }
#  define FP_X87                          \
    {                                     \
      .control = 2u << 22, .status = 0x9f \
    }
#  define FP_INEXACT                            \
    {                                           \
      .control = 1u << 22 | 1u << 24 | 1u << 12 \
    }

static inline fp_words fp_get(void)
{
    uint64_t control, status;
    __asm__ volatile("mrs %0, fpcr" : "=r"(control));
    __asm__ volatile("mrs %0, fpsr" : "=r"(status));
    return (fp_words){.control = (uint32_t)control, .status = (uint32_t)status};
}

static inline void fp_set(fp_words w)
{
    __asm__ volatile("msr fpsr, %0" : : "r"((uint64_t)w.status) : "memory");
    __asm__ volatile("msr fpcr, %0" : : "r"((uint64_t)w.control) : "memory");
}

#else

#  define FP_PLAIN \
    {              \
      .control = 0 \
    }
#  define FP_AUDIO FP_PLAIN
#  define FP_TRAPS FP_PLAIN
#  define FP_X87 FP_PLAIN
#  define FP_INEXACT FP_PLAIN

static inline fp_words fp_get(void)
{
    return (fp_words){.control = 0};
}

static inline void fp_set(fp_words w)
{
    (void)w;
}

#endif

static inline int fp_equal(fp_words a, fp_words b)
{
    return a.control == b.control && a.status == b.status && a.x87_control == b.x87_control &&
        a.x87_status == b.x87_status;
}

#endif
