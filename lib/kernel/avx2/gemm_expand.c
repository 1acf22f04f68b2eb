/* Quantised layouts on f32 activations: 64 columns of a group at a time become f32, with the bits that dequantising
 * gives, and meet the f32 micro-tile. */
#include "kernel/avx2/avx2.h"
#include "quant/unit.h"

enum { STEP = 64, LANES = 32 };

/* w[k][r] of the 32 columns from k0, which is a multiple of 32. */
typedef void expand_fn(float *w, const void *group, size_t k0);

/* Byte j of each dword as a float: bits shift..shift+3 of it, or the signed byte. */
HLMI_INLINE __m256 nibble(__m256i v, int shift)
{
    return _mm256_cvtepi32_ps(_mm256_and_si256(_mm256_srli_epi32(v, shift), _mm256_set1_epi32(15)));
}

HLMI_INLINE __m256 signed_byte(__m256i v, int j)
{
    return _mm256_cvtepi32_ps(_mm256_srai_epi32(_mm256_slli_epi32(v, 24 - 8 * j), 24));
}

HLMI_INLINE __m256i load(const void *p)
{
    return _mm256_load_si256((const __m256i *)p);
}

static void expand_q4(float *w, const void *group, size_t k0)
{
    const hlmi_unit_q4 *u = (const hlmi_unit_q4 *)group + k0 / 32;
    for (size_t r = 0; r < 32; r += 8) {
        const __m256 d = hlmi_avx2_half(u->d + r), eight = _mm256_set1_ps(8);
        for (size_t c = 0; c < 4; c++) {
            const __m256i v = load(u->q[c][r]);
            for (int k = 0; k < 8; k++) {
                const __m256 q = nibble(v, k % 4 * 8 + k / 4 * 4);
                _mm256_store_ps(w + (c * 8 + (size_t)k) * 32 + r, _mm256_mul_ps(d, _mm256_sub_ps(q, eight)));
            }
        }
    }
}

HLMI_INLINE void expand_min(float *w, const hlmi_unit_q4m *u, const uint32_t *high)
{
    for (size_t r = 0; r < 32; r += 8) {
        const __m256 d = hlmi_avx2_half(u->d + r), m = hlmi_avx2_half(u->m + r);
        const __m256i top = high ? load(high + r) : _mm256_setzero_si256();
        for (size_t c = 0; c < 4; c++) {
            const __m256i v = load(u->q[c][r]);
            for (int k = 0; k < 8; k++) {
                __m256 q = nibble(v, k % 4 * 8 + k / 4 * 4);
                if (high) {
                    const __m256i bit = _mm256_srli_epi32(top, (int)c * 8 + k);
                    const __m256i set = _mm256_slli_epi32(_mm256_and_si256(bit, _mm256_set1_epi32(1)), 4);
                    q = _mm256_add_ps(q, _mm256_cvtepi32_ps(set));
                }
                _mm256_store_ps(w + (c * 8 + (size_t)k) * 32 + r, _mm256_add_ps(_mm256_mul_ps(d, q), m));
            }
        }
    }
}

static void expand_q4m(float *w, const void *group, size_t k0)
{
    expand_min(w, (const hlmi_unit_q4m *)group + k0 / 32, NULL);
}

static void expand_q5m(float *w, const void *group, size_t k0)
{
    const hlmi_unit_q5m *u = (const hlmi_unit_q5m *)group + k0 / 32;
    expand_min(w, (const hlmi_unit_q4m *)(const void *)u, u->high);
}

static void expand_q8(float *w, const void *group, size_t k0)
{
    const hlmi_unit_q8 *u = (const hlmi_unit_q8 *)group + k0 / 32;
    for (size_t r = 0; r < 32; r += 8) {
        const __m256 d = hlmi_avx2_half(u->d + r);
        for (size_t c = 0; c < 8; c++) {
            const __m256i v = load(u->q[c][r]);
            for (int j = 0; j < 4; j++)
                _mm256_store_ps(w + (c * 4 + (size_t)j) * 32 + r, _mm256_mul_ps(d, signed_byte(v, j)));
        }
    }
}

/* 8 unsigned bytes to f32. */
HLMI_INLINE __m256 unsigned_bytes(const uint8_t *p)
{
    return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)p)));
}

static void expand_k4(float *w, const void *group, size_t k0)
{
    const hlmi_unit_k4 *u = (const hlmi_unit_k4 *)group + k0 / 256;
    const size_t s = k0 % 256 / 32;
    for (size_t r = 0; r < 16; r += 8) {
        const __m256 d = _mm256_mul_ps(hlmi_avx2_half(u->d + r), unsigned_bytes(u->sc[s] + r));
        const __m256 m = _mm256_mul_ps(hlmi_avx2_half(u->dmin + r), unsigned_bytes(u->mn[s] + r));
        for (size_t c = 0; c < 4; c++) {
            const __m256i v = load(u->q[s][c][r]);
            for (int k = 0; k < 8; k++) {
                const __m256 q = nibble(v, k % 4 * 8 + k / 4 * 4);
                _mm256_store_ps(w + (c * 8 + (size_t)k) * 16 + r, _mm256_sub_ps(_mm256_mul_ps(d, q), m));
            }
        }
    }
}

static void expand_k6(float *w, const void *group, size_t k0)
{
    const hlmi_unit_k6 *u = (const hlmi_unit_k6 *)group + k0 / 256;
    for (size_t r = 0; r < 16; r += 8) {
        for (size_t i = 0; i < 8; i++) {
            const size_t s = k0 % 256 / 16 + i / 4;
            const __m128i sc = _mm_loadl_epi64((const __m128i *)(const void *)(u->sc[s] + r));
            const __m256 d = _mm256_mul_ps(hlmi_avx2_half(u->d + r), _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(sc)));
            const __m256i v = load(u->q[s][i % 4][r]);
            for (int j = 0; j < 4; j++)
                _mm256_store_ps(w + (i * 4 + (size_t)j) * 16 + r, _mm256_mul_ps(d, signed_byte(v, j)));
        }
    }
}

static void product(const hlmi_gemm *g, size_t rows, size_t group_bytes, expand_fn *expand)
{
    _Alignas(32) float w[STEP * LANES];
    for (size_t i = 0; i < g->groups; i++) {
        const char *group = (const char *)g->w + i * group_bytes;
        for (size_t k = 0; k < g->cols; k += STEP) {
            const size_t n = g->cols - k < STEP ? g->cols - k : STEP;
            for (size_t at = 0; at < n; at += 32) expand(w + at * rows, group, k + at);
            const hlmi_slab b = {.w = (const char *)w,
                                 .units = n,
                                 .x = (const char *)g->x + k * sizeof(float),
                                 .ldx = g->ldx,
                                 .y = g->y + i * rows,
                                 .ldy = g->ldy,
                                 .tokens = g->tokens,
                                 .first = k == 0};
            hlmi_avx2_slab_f32(&b, rows);
        }
    }
}

#define PRODUCT(constant, name, rows, unit_k, unit_bytes, minimum)      \
  static void gemm_##name(const hlmi_gemm *g)                           \
  {                                                                     \
    product(g, rows, g->cols / (unit_k) * (unit_bytes), expand_##name); \
  }
HLMI_UNIT_LAYOUTS(PRODUCT)

#define ENTRY(constant, name, ...) k->gemm_f32[HLMI_LAYOUT_##constant] = gemm_##name;

void hlmi_avx2_gemm_expand(hlmi_kernels *k)
{
    HLMI_UNIT_LAYOUTS(ENTRY)
}
