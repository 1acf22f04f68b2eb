/* Attention over one page of keys and values in plain C, and writing a position into a page, for each type of KV
 * rows. */
#include "base/fma.h"
#include "base/half.h"
#include "kernel/lanes.h"
#include "kernel/ref/ref.h"
#include "kernel/row_scale.h"
#include "kernel/walk.h"

HLMI_INLINE float load(hlmi_kv_format format, const void *rows, size_t at)
{
    if (format == HLMI_KV_ROWS_F32) return ((const float *)rows)[at];
    if (format == HLMI_KV_ROWS_INT8) return (float)((const int8_t *)rows)[at];
    const uint16_t h = ((const uint16_t *)rows)[at];
    return format == HLMI_KV_ROWS_F16 ? hlmi_f16_to_f32(h) : hlmi_bf16_to_f32(h);
}

HLMI_INLINE void store(hlmi_kv_format format, void *rows, size_t at, float v)
{
    if (format == HLMI_KV_ROWS_F32) ((float *)rows)[at] = v;
    else ((uint16_t *)rows)[at] = format == HLMI_KV_ROWS_F16 ? hlmi_f32_to_f16(v) : hlmi_f32_to_bf16(v);
}

/* The loops below are inlined into one function for each type. */

/* Scores of positions p to p + lanes - 1, at most HLMI_LANES of them. */
HLMI_INLINE void qk_lanes(float *s, size_t lds, const float *q, size_t ldq, size_t nq, float scale, const void *k,
                          size_t page, size_t head_dim, size_t p, size_t lanes, hlmi_kv_format format)
{
    for (size_t i = 0; i < nq; i++) {
        float acc[HLMI_LANES] = {0};
        for (size_t d = 0; d < head_dim; d++)
            for (size_t j = 0; j < lanes; j++)
                acc[j] = hlmi_fmaf(q[i * ldq + d], load(format, k, d * page + p + j), acc[j]);
        for (size_t j = 0; j < lanes; j++) s[i * lds + p + j] = acc[j] * scale;
    }
}

/* The last positions apart: what lies behind them in the page nobody has written, and valgrind would tell. */
HLMI_INLINE void qk(float *s, size_t lds, const float *q, size_t ldq, size_t nq, float scale, const void *k,
                    size_t page, size_t head_dim, size_t n, hlmi_kv_format format)
{
    size_t p = 0;
    for (; p + HLMI_LANES <= n; p += HLMI_LANES)
        qk_lanes(s, lds, q, ldq, nq, scale, k, page, head_dim, p, HLMI_LANES, format);
    if (p < n) qk_lanes(s, lds, q, ldq, nq, scale, k, page, head_dim, p, n - p, format);
}

HLMI_INLINE void pv(float *o, size_t ldo, const float *w, size_t ldw, size_t nq, const uint16_t *lo, const uint16_t *hi,
                    const void *v, size_t v_dim, hlmi_kv_format format)
{
    for (size_t i = 0; i < nq; i++) {
        float *row = o + i * ldo;
        for (size_t p = lo[i]; p < hi[i]; p++)
            for (size_t d = 0; d < v_dim; d++)
                row[d] = hlmi_fmaf(w[i * ldw + p], load(format, v, p * v_dim + d), row[d]);
    }
}

HLMI_INLINE void kv_write(void *k, void *v, const float *k_row, const float *v_row, size_t page, size_t at,
                          size_t head_dim, size_t v_dim, hlmi_kv_format format)
{
    for (size_t d = 0; d < head_dim; d++) store(format, k, d * page + at, k_row[d]);
    for (size_t d = 0; d < v_dim; d++) store(format, v, at * v_dim + d, v_row[d]);
}

static void kv_write_int8(void *k, void *v, float *k_scale, float *v_scale, const float *k_row, const float *v_row,
                          size_t page, size_t at, size_t head_dim, size_t v_dim)
{
    k_scale[at] = hlmi_row_int8((int8_t *)k + at, page, k_row, head_dim);
    v_scale[at] = hlmi_row_int8((int8_t *)v + at * v_dim, 1, v_row, v_dim);
}

#define KERNELS_OF(constant, type)                                                                               \
  static void qk_##type(float *s, size_t lds, const float *q, size_t ldq, size_t nq, float scale, const void *k, \
                        size_t page, size_t head_dim, size_t n)                                                  \
  {                                                                                                              \
    qk(s, lds, q, ldq, nq, scale, k, page, head_dim, n, HLMI_KV_ROWS_##constant);                                \
  }                                                                                                              \
  static void pv_##type(float *o, size_t ldo, const float *w, size_t ldw, size_t nq, const uint16_t *lo,         \
                        const uint16_t *hi, const void *v, size_t v_dim)                                         \
  {                                                                                                              \
    pv(o, ldo, w, ldw, nq, lo, hi, v, v_dim, HLMI_KV_ROWS_##constant);                                           \
  }

#define WRITE_OF(constant, type)                                                                         \
  static void kv_write_##type(void *k, void *v, float *k_scale, float *v_scale, const float *k_row,      \
                              const float *v_row, size_t page, size_t at, size_t head_dim, size_t v_dim) \
  {                                                                                                      \
    (void)k_scale;                                                                                       \
    (void)v_scale;                                                                                       \
    kv_write(k, v, k_row, v_row, page, at, head_dim, v_dim, HLMI_KV_ROWS_##constant);                    \
  }

HLMI_KV_ROWS(KERNELS_OF)
WRITE_OF(F32, f32)
WRITE_OF(F16, f16)
WRITE_OF(BF16, bf16)

#define ENTRIES(constant, type)               \
  k->qk[HLMI_KV_ROWS_##constant] = qk_##type; \
  k->pv[HLMI_KV_ROWS_##constant] = pv_##type; \
  k->kv_write[HLMI_KV_ROWS_##constant] = kv_write_##type;

void hlmi_ref_attn(hlmi_kernels *k)
{
    HLMI_KV_ROWS(ENTRIES)
}
