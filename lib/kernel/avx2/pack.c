/* Packing of activations (act.h). */
#include "kernel/act.h"
#include "kernel/avx2/avx2.h"
#include "kernel/row_scale.h"

/* Lanes of largest |x| bits of n floats (a multiple of 32). */
static uint32_t largest(const float *x, size_t n)
{
    const __m256i mask = _mm256_set1_epi32(0x7FFFFFFF);
    __m256i m[4];
    for (size_t i = 0; i < 4; i++) m[i] = _mm256_setzero_si256();
    for (size_t k = 0; k < n; k += 32) {
        for (size_t i = 0; i < 4; i++) {
            const __m256i v = _mm256_castps_si256(_mm256_loadu_ps(x + k + i * 8));
            m[i] = _mm256_max_epu32(m[i], _mm256_and_si256(v, mask));
        }
    }
    const __m256i a = _mm256_max_epu32(_mm256_max_epu32(m[0], m[1]), _mm256_max_epu32(m[2], m[3]));
    __m128i s = _mm_max_epu32(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
    s = _mm_max_epu32(s, _mm_shuffle_epi32(s, 0x4E));
    s = _mm_max_epu32(s, _mm_shuffle_epi32(s, 0xB1));
    return (uint32_t)_mm_cvtsi128_si32(s);
}

/* 32 q; returned too. */
static __m256i quantise(int8_t *q, const float *x, float id)
{
    const __m256 s = _mm256_set1_ps(id);
    __m256i v[4];
    for (size_t i = 0; i < 4; i++) v[i] = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(x + i * 8), s));
    __m256i b = _mm256_packs_epi16(_mm256_packs_epi32(v[0], v[1]), _mm256_packs_epi32(v[2], v[3]));
    b = _mm256_permutevar8x32_epi32(b, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
    if (id == 0) b = _mm256_setzero_si256();
    _mm256_storeu_si256((__m256i *)(void *)q, b);
    return b;
}

HLMI_INLINE void block_q8(hlmi_act_q8 *a, const float *x)
{
    float id;
    const float d = hlmi_row_scale_of(&id, largest(x, 32), 127.0f);
    const __m256i q = quantise(a->q, x, id);
    const __m256i parts = _mm256_sad_epu8(_mm256_xor_si256(q, _mm256_set1_epi8(-128)), _mm256_setzero_si256());
    const __m128i half = _mm_add_epi64(_mm256_castsi256_si128(parts), _mm256_extracti128_si256(parts, 1));
    const int32_t sum = _mm_cvtsi128_si32(half) + _mm_extract_epi32(half, 2) - 32 * 128;
    a->d = d;
    a->dsum = d == d ? d * (float)sum : d;
    a->sum8 = -8 * sum;
    a->sum128 = -128 * sum;
}

HLMI_INLINE void block_q8k(hlmi_act_q8k *a, const float *x)
{
    float id;
    a->d = hlmi_row_scale_of(&id, largest(x, 256), 127.0f);
    for (size_t s = 0; s < 8; s++) {
        const __m256i q = quantise(a->q + s * 32, x + s * 32, id);
        __m256i parts = _mm256_madd_epi16(_mm256_maddubs_epi16(_mm256_set1_epi8(1), q), _mm256_set1_epi16(1));
        parts = _mm256_hadd_epi32(parts, parts);
        parts = _mm256_hadd_epi32(parts, parts);
        const int32_t s0 = _mm256_extract_epi32(parts, 0), s1 = _mm256_extract_epi32(parts, 4);
        a->sum16[2 * s] = (int16_t)s0;
        a->sum16[2 * s + 1] = (int16_t)s1;
        a->sum32[s] = (int16_t)(s0 + s1);
    }
    for (size_t i = 0; i < 3; i++) a->zero[i] = 0;
}

/* r = what n values q (a multiple of 8) with scale d leave of x */
HLMI_INLINE void residual(float *r, const float *x, const int8_t *q, float d, size_t n)
{
    for (size_t k = 0; k < n; k += 8) {
        const __m256i wide = _mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)(q + k)));
        const __m256 v = _mm256_fnmadd_ps(_mm256_set1_ps(d), _mm256_cvtepi32_ps(wide), _mm256_loadu_ps(x + k));
        _mm256_storeu_ps(r + k, v);
    }
}

/* 16 q of Q16; of every 4 the middle two exchanged. */
HLMI_INLINE void quantise16(int16_t *q, const float *x, float id)
{
    const __m256 s = _mm256_set1_ps(id);
    const __m256i v0 = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(x), s));
    const __m256i v1 = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(x + 8), s));
    __m256i b = _mm256_permute4x64_epi64(_mm256_packs_epi32(v0, v1), 0xD8);
    b = _mm256_shufflehi_epi16(_mm256_shufflelo_epi16(b, 0xD8), 0xD8);
    if (id == 0) b = _mm256_setzero_si256();
    _mm256_storeu_si256((__m256i *)(void *)q, b);
}

HLMI_INLINE void block_q16(hlmi_act_q16 *a, const float *x)
{
    float id;
    a->d = hlmi_row_scale_of(&id, largest(x, 32), 32767.0f);
    quantise16(a->q, x, id);
    quantise16(a->q + 16, x + 16, id);
}

#include "kernel/tmpl/pack.h"

void hlmi_avx2_pack(hlmi_kernels *k)
{
    fill_pack(k);
}
