/* Quantised layouts on f32 activations: 64 columns of a group at a time become f32, with the bits that dequantising
 * gives, and meet the f32 micro-tile. */
#include "kernel/avx2/avx2.h"
#include "quant/unit.h"

enum { STEP = 64, LANES = 32 };

/* w[k][r] of the 32 columns from k0, which is a multiple of 32. */
typedef void expand_fn(float *w, const void *group, size_t k0);

/* 4 chunks of 8 columns of 8 rows from r on: d * q + m with the fifth bits in `high` or NULL, or without a minimum d *
 * (q - 8). */
HLMI_INLINE void nibbles(float *w, size_t rows, size_t r, const void *chunks, const uint32_t *high, vf d, bool minimum,
                         vf m)
{
    const vi top = high ? V_BITS(V(load_ps)((const float *)high + r)) : V(setzero_si256)();
    for (size_t c = 0; c < 4; c++) {
        const vi v = V_BITS(V(load_ps)((const float *)chunks + c * rows + r));
        for (int k = 0; k < 8; k++) {
            vi q = V_AND(V(srli_epi32)(v, k % 4 * 8 + k / 4 * 4), V(set1_epi32)(15));
            if (high) {
                const vi bit = V_AND(V(srli_epi32)(top, k % 4 * 8 + (int)c * 2 + k / 4), V(set1_epi32)(1));
                q = V_OR(q, V(slli_epi32)(bit, 4));
            }
            const vf f = V(cvtepi32_ps)(q);
            const vf y = minimum ? vf_add(vf_mul(d, f), m) : vf_mul(d, vf_sub(f, vf_set1(8)));
            V(store_ps)(w + (c * 8 + (size_t)k) * rows + r, y);
        }
    }
}

/* `n` chunks of 4 columns of 8 rows from r on: d * q. */
HLMI_INLINE void bytes(float *w, size_t rows, size_t r, const void *chunks, size_t n, vf d)
{
    for (size_t c = 0; c < n; c++) {
        const vi v = V_BITS(V(load_ps)((const float *)chunks + c * rows + r));
        for (int j = 0; j < 4; j++) {
            const vi q = V(srai_epi32)(V(slli_epi32)(v, 24 - 8 * j), 24);
            V(store_ps)(w + (c * 4 + (size_t)j) * rows + r, vf_mul(d, V(cvtepi32_ps)(q)));
        }
    }
}

static void expand_q4(float *w, const void *group, size_t k0)
{
    const hlmi_unit_q4 *u = (const hlmi_unit_q4 *)group + k0 / 32;
    for (size_t r = 0; r < 32; r += VF) nibbles(w, 32, r, u->q, NULL, vf_load_f16(u->d + r), false, vf_set1(0));
}

static void expand_q4m(float *w, const void *group, size_t k0)
{
    const hlmi_unit_q4m *u = (const hlmi_unit_q4m *)group + k0 / 32;
    for (size_t r = 0; r < 32; r += VF)
        nibbles(w, 32, r, u->q, NULL, vf_load_f16(u->d + r), true, vf_load_f16(u->m + r));
}

static void expand_q5m(float *w, const void *group, size_t k0)
{
    const hlmi_unit_q5m *u = (const hlmi_unit_q5m *)group + k0 / 32;
    for (size_t r = 0; r < 32; r += VF)
        nibbles(w, 32, r, u->q, u->high, vf_load_f16(u->d + r), true, vf_load_f16(u->m + r));
}

static void expand_q8(float *w, const void *group, size_t k0)
{
    const hlmi_unit_q8 *u = (const hlmi_unit_q8 *)group + k0 / 32;
    for (size_t r = 0; r < 32; r += VF) bytes(w, 32, r, u->q, 8, vf_load_f16(u->d + r));
}

/* f16 times 8 bytes without a sign */
HLMI_INLINE vf times(const uint16_t *d, const uint8_t *p)
{
    return vf_mul(vf_load_f16(d), V(cvtepi32_ps)(V(cvtepu8_epi32)(V_BYTES(p))));
}

/* Sub-block s with its words of fifth bits or NULL. */
HLMI_INLINE void expand_sub(float *w, const hlmi_unit_k4 *u, size_t s, const uint32_t *high)
{
    for (size_t r = 0; r < 16; r += VF)
        nibbles(w, 16, r, u->q[s], high, times(u->d + r, u->sc[s] + r), true, vf_neg(times(u->dmin + r, u->mn[s] + r)));
}

static void expand_k4(float *w, const void *group, size_t k0)
{
    expand_sub(w, (const hlmi_unit_k4 *)group + k0 / 256, k0 % 256 / 32, NULL);
}

static void expand_k5(float *w, const void *group, size_t k0)
{
    const hlmi_unit_k5 *u = (const hlmi_unit_k5 *)group + k0 / 256;
    expand_sub(w, &u->low, k0 % 256 / 32, u->high[k0 % 256 / 32]);
}

static void expand_k4t(float *w, const void *group, size_t k0)
{
    const hlmi_unit_k4t *u = (const hlmi_unit_k4t *)group + k0 / 256;
    const size_t s = k0 % 256 / 32;
    _Alignas(32) int8_t q[8][16][4]; /* [chunk of 4 columns][row][column] */
    for (size_t r = 0; r < 16; r += VF) {
        for (size_t c = 0; c < 4; c++)
            hlmi_avx2_look_up((vi *)(void *)q[2 * c][r], (vi *)(void *)q[2 * c + 1][r],
                              _mm256_load_si256((const vi *)(const void *)u->q[s][c][r]));
        bytes(w, 16, r, q, 8, vf_mul(vf_load_f16(u->d + r), vf_load_int8(u->sc[s] + r)));
    }
}

static void expand_k6(float *w, const void *group, size_t k0)
{
    const hlmi_unit_k6 *u = (const hlmi_unit_k6 *)group + k0 / 256;
    for (size_t s = k0 % 256 / 16, end = s + 2; s < end; s++, w += 16 * 16) {
        for (size_t r = 0; r < 16; r += VF)
            bytes(w, 16, r, u->q[s], 4, vf_mul(vf_load_f16(u->d + r), vf_load_int8(u->sc[s] + r)));
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
HLMI_INTEGER_LAYOUTS(PRODUCT)

#define ENTRY(constant, name, ...) k->gemm_f32[HLMI_LAYOUT_##constant] = gemm_##name;

void hlmi_avx2_gemm_expand(hlmi_kernels *k)
{
    HLMI_INTEGER_LAYOUTS(ENTRY)
}
