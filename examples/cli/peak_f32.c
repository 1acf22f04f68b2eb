/* Peak of f32 fused multiply-add. Twelve chains hide the latency of two units; the empty assembly makes their
 * beginnings look different, or a compiler would see that all twelve are one. */
#include "peak.h"

#if defined(__x86_64__)
#  include <immintrin.h>
#elif defined(__aarch64__)
#  include <arm_neon.h>
#endif

#define TWELVE(step) step(0) step(1) step(2) step(3) step(4) step(5) step(6) step(7) step(8) step(9) step(10) step(11)
enum { CHAINS = 12 };

#if defined(__x86_64__)

#  define DECLARE(i) \
    __m512 c##i = a; \
    __asm__("" : "+v"(c##i));
#  define STEP(i) c##i = _mm512_fmadd_ps(a, b, c##i);
#  define ADD(i) sum = _mm512_add_ps(sum, c##i);
__attribute__((target("avx512f"))) static void run_avx512(size_t rounds)
{
    const __m512 a = _mm512_set1_ps(cli_opaque_float(1e-3f)), b = _mm512_set1_ps(cli_opaque_float(2e-3f));
    TWELVE(DECLARE)
    for (size_t r = 0; r < rounds; r++) {
        TWELVE(STEP)
    }
    __m512 sum = a;
    TWELVE(ADD)
    cli_opaque_float(_mm512_cvtss_f32(sum));
}
#  undef DECLARE
#  undef STEP
#  undef ADD

#  define DECLARE(i) \
    __m256 c##i = a; \
    __asm__("" : "+x"(c##i));
#  define STEP(i) c##i = _mm256_fmadd_ps(a, b, c##i);
#  define ADD(i) sum = _mm256_add_ps(sum, c##i);
__attribute__((target("avx2,fma"))) static void run_avx2(size_t rounds)
{
    const __m256 a = _mm256_set1_ps(cli_opaque_float(1e-3f)), b = _mm256_set1_ps(cli_opaque_float(2e-3f));
    TWELVE(DECLARE)
    for (size_t r = 0; r < rounds; r++) {
        TWELVE(STEP)
    }
    __m256 sum = a;
    TWELVE(ADD)
    cli_opaque_float(_mm256_cvtss_f32(sum));
}

const cli_peak_loop *cli_peak_f32(void)
{
    static const cli_peak_loop avx512 = {"avx512", 2 * 16 * CHAINS, run_avx512};
    static const cli_peak_loop avx2 = {"avx2", 2 * 8 * CHAINS, run_avx2};
    if (__builtin_cpu_supports("avx512f")) return &avx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return &avx2;
    return NULL;
}

#elif defined(__aarch64__)

#  define DECLARE(i)      \
    float32x4_t c##i = a; \
    __asm__("" : "+w"(c##i));
#  define STEP(i) c##i = vfmaq_f32(c##i, a, b);
#  define ADD(i) sum = vaddq_f32(sum, c##i);
static void run_neon(size_t rounds)
{
    const float32x4_t a = vdupq_n_f32(cli_opaque_float(1e-3f)), b = vdupq_n_f32(cli_opaque_float(2e-3f));
    TWELVE(DECLARE)
    for (size_t r = 0; r < rounds; r++) {
        TWELVE(STEP)
    }
    float32x4_t sum = a;
    TWELVE(ADD)
    cli_opaque_float(vaddvq_f32(sum));
}

const cli_peak_loop *cli_peak_f32(void)
{
    static const cli_peak_loop neon = {"neon", 2 * 4 * CHAINS, run_neon};
    return &neon;
}

#else

const cli_peak_loop *cli_peak_f32(void)
{
    return NULL;
}

#endif
