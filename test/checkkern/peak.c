/* What this machine's multiply-add instructions do at most: chains of them on registers, as many as hide the
 * latency. */
#include "peak.h"

#include <string.h>

#if defined(__x86_64__) && !defined(CK_EMULATED)
#  include <immintrin.h>

enum { CHAINS = 12, ROUNDS = 2000 };

/* One call: ROUNDS times CHAINS of `step`, whose results nothing may drop. */
#  define PEAK(name, features, vector, zero, step)                                                    \
    __attribute__((target(features))) static void name(void *arg)                                     \
    {                                                                                                 \
      vector acc[CHAINS], a = zero, b = zero;                                                         \
      for (int i = 0; i < CHAINS; i++) acc[i] = zero;                                                 \
      for (int n = 0; n < ROUNDS; n++) {                                                              \
        __asm__ volatile("" : "+x"(a), "+x"(b));                                                      \
        _Pragma("GCC unroll 12") for (int i = 0; i < CHAINS; i++) acc[i] = step;                      \
      }                                                                                               \
      _Pragma("GCC unroll 12") for (int i = 0; i < CHAINS; i++) __asm__ volatile("" : : "x"(acc[i])); \
      (void)arg;                                                                                      \
    }

PEAK(fma_256, "avx2,fma", __m256, _mm256_setzero_ps(), _mm256_fmadd_ps(a, b, acc[i]))
PEAK(dot_256, "avx2", __m256i, _mm256_setzero_si256(), _mm256_add_epi16(a, _mm256_maddubs_epi16(acc[i], b)))
PEAK(fma_512, "avx512f", __m512, _mm512_setzero_ps(), _mm512_fmadd_ps(a, b, acc[i]))
PEAK(dot_512, "avx512bw", __m512i, _mm512_setzero_si512(), _mm512_add_epi16(a, _mm512_maddubs_epi16(acc[i], b)))
PEAK(vnni_512, "avx512f,avx512vnni", __m512i, _mm512_setzero_si512(), _mm512_dpbusd_epi32(acc[i], a, b))
PEAK(bf16_512, "avx512f,avx512bf16", __m512, _mm512_setzero_ps(), _mm512_dpbf16_ps(acc[i], (__m512bh)a, (__m512bh)b))

static double rate(ck_run *t, void (*call)(void *), double ops)
{
    return ops * (double)(CHAINS * ROUNDS) / ck_time(t, call, NULL);
}

ck_peaks ck_peaks_measure(ck_run *t, const hlmi_kernels *k)
{
    ck_peaks p = {0};
    if (strncmp(k->isa, "avx512", 6) == 0) {
        const bool vnni = strstr(k->isa, "vnni") != NULL;
        p.f32 = rate(t, fma_512, 32);
        p.bf16 = strstr(k->isa, "bf16") ? rate(t, bf16_512, 64) : p.f32;
        p.int8 = rate(t, vnni ? vnni_512 : dot_512, 128);
    } else if (strncmp(k->isa, "avx2", 4) == 0) {
        p.bf16 = p.f32 = rate(t, fma_256, 16);
        p.int8 = rate(t, dot_256, 64);
    }
    return p;
}

#else

ck_peaks ck_peaks_measure(ck_run *t, const hlmi_kernels *k)
{
    (void)t;
    (void)k;
    return (ck_peaks){0};
}

#endif
