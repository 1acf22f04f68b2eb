/* Peak of int8 products summed in int32: vpdpbusd, or without it the three AVX2 instructions that do the same work. The
 * empty assembly keeps the chains apart, as in peak_f32.c. */
#include "peak.h"

#if defined(__x86_64__)

#  include <immintrin.h>

#  define TWELVE(step) step(0) step(1) step(2) step(3) step(4) step(5) step(6) step(7) step(8) step(9) step(10) step(11)
enum { CHAINS = 12 };

#  define DECLARE(i)  \
    __m512i c##i = a; \
    __asm__("" : "+v"(c##i));
#  define STEP(i) c##i = _mm512_dpbusd_epi32(c##i, a, b);
#  define ADD(i) sum = _mm512_add_epi32(sum, c##i);
__attribute__((target("avx512f,avx512vnni"))) static void run_vnni(size_t rounds)
{
    const __m512i a = _mm512_set1_epi32(cli_opaque_int(0x01020301)), b = _mm512_set1_epi32(cli_opaque_int(0x02010102));
    TWELVE(DECLARE)
    for (size_t r = 0; r < rounds; r++) {
        TWELVE(STEP)
    }
    __m512i sum = a;
    TWELVE(ADD)
    cli_opaque_int(_mm512_cvtsi512_si32(sum));
}
#  undef DECLARE
#  undef STEP
#  undef ADD

/* The empty assembly makes the factor look new in every step, so that the products are not taken out of the loop. */
#  define DECLARE(i)  \
    __m256i c##i = a; \
    __asm__("" : "+x"(c##i));
#  define STEP(i)                   \
    __asm__ volatile("" : "+x"(a)); \
    c##i = _mm256_add_epi32(c##i, _mm256_madd_epi16(_mm256_maddubs_epi16(a, b), ones));
#  define ADD(i) sum = _mm256_add_epi32(sum, c##i);
__attribute__((target("avx2"))) static void run_avx2(size_t rounds)
{
    const __m256i b = _mm256_set1_epi32(cli_opaque_int(0x02010102)), ones = _mm256_set1_epi16(1);
    __m256i a = _mm256_set1_epi32(cli_opaque_int(0x01020301));
    TWELVE(DECLARE)
    for (size_t r = 0; r < rounds; r++) {
        TWELVE(STEP)
    }
    __m256i sum = a;
    TWELVE(ADD)
    cli_opaque_int(_mm256_cvtsi256_si32(sum));
}

const cli_peak_loop *cli_peak_int8(void)
{
    static const cli_peak_loop vnni = {"avx512-vnni", 2 * 64 * CHAINS, run_vnni};
    static const cli_peak_loop avx2 = {"avx2", 2 * 32 * CHAINS, run_avx2};
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vnni")) return &vnni;
    if (__builtin_cpu_supports("avx2")) return &avx2;
    return NULL;
}

#else

const cli_peak_loop *cli_peak_int8(void)
{
    return NULL;
}

#endif
