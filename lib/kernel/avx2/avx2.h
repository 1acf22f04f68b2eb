/* What this folder fills of the table, and products in AVX2, FMA and F16C: a vector is 8 rows. */
#ifndef HLMI_KERNEL_AVX2_H
#define HLMI_KERNEL_AVX2_H

#include "kernel/avx2/simd.h"

/* of a micro-tile */
enum { MOST_TOKENS = 6, MOST_ROWS = 4 };

#include "kernel/tmpl/gemm.h"

/** gemm and gemm_f32 of layouts of floats. */
void hlmi_avx2_gemm_float(hlmi_kernels *k);
/** gemm_f32 of layouts of units, but for carriers. */
void hlmi_avx2_gemm_expand(hlmi_kernels *k);
/** gemm and gemm_f32 of carriers and F8. */
void hlmi_avx2_gemm_carrier(hlmi_kernels *k);
/** gemm of Q4, Q4M and Q5M; of Q8 on int16 activations; of K4, K5, K4T and K6. */
void hlmi_avx2_gemm_q4(hlmi_kernels *k);
void hlmi_avx2_gemm_q8(hlmi_kernels *k);
void hlmi_avx2_gemm_k(hlmi_kernels *k);
/** pack and pack_wide, but to bf16. */
void hlmi_avx2_pack(hlmi_kernels *k);
/** qk, pv and kv_write. */
void hlmi_avx2_attn(hlmi_kernels *k);
/** rms_norm .. exp_sum and widen .. scan1. */
void hlmi_avx2_vec(hlmi_kernels *k);
/** hash and hash_copy. */
void hlmi_avx2_hash(hlmi_kernels *k);

/** b->units columns of f32 weights [column][lanes]; lanes is 16 or 32. */
void hlmi_avx2_slab_f32(const hlmi_slab *b, size_t lanes);

/** What the nibbles of K4T stand for, of the first and the last 4 columns of a chunk. */
HLMI_INLINE void hlmi_avx2_look_up(__m256i *first, __m256i *last, __m256i nibbles)
{
    const __m256i low = _mm256_set1_epi8(15);
    const __m256i values = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)hlmi_k4t_values));
    *first = _mm256_shuffle_epi8(values, _mm256_and_si256(nibbles, low));
    *last = _mm256_shuffle_epi8(values, _mm256_and_si256(_mm256_srli_epi16(nibbles, 4), low));
}

/** The value exists here, in a register: compilers that would compute for all tokens first and then spill work token by
 *  token. */
HLMI_INLINE void hlmi_avx2_keep(__m256i *v)
{
    __asm__ volatile("" : "+x"(*v));
}

#endif
