/* Peak of bf16 products summed in f32: vdpbf16ps. The empty assembly keeps the chains apart, as in peak_f32.c. */
#include "peak.h"

#if defined(__x86_64__)

#  include <immintrin.h>

#  define TWELVE(step) step(0) step(1) step(2) step(3) step(4) step(5) step(6) step(7) step(8) step(9) step(10) step(11)
enum { CHAINS = 12 };

#  define DECLARE(i)                   \
    __m512 c##i = _mm512_setzero_ps(); \
    __asm__("" : "+v"(c##i));
#  define STEP(i) c##i = _mm512_dpbf16_ps(c##i, a, b);
#  define ADD(i) sum = _mm512_add_ps(sum, c##i);
__attribute__((target("avx512f,avx512bf16"))) static void run_bf16(size_t rounds)
{
    const __m512bh a = (__m512bh)_mm512_set1_epi32(cli_opaque_int(0x3F803F80)); /* ones */
    const __m512bh b = (__m512bh)_mm512_set1_epi32(cli_opaque_int(0x3E803E80));
    TWELVE(DECLARE)
    for (size_t r = 0; r < rounds; r++) {
        TWELVE(STEP)
    }
    __m512 sum = _mm512_setzero_ps();
    TWELVE(ADD)
    cli_opaque_float(_mm512_cvtss_f32(sum));
}

const cli_peak_loop *cli_peak_bf16(void)
{
    static const cli_peak_loop bf16 = {"avx512-bf16", 2 * 32 * CHAINS, run_bf16};
    return __builtin_cpu_supports("avx512bf16") ? &bf16 : NULL;
}

#else

const cli_peak_loop *cli_peak_bf16(void)
{
    return NULL;
}

#endif
