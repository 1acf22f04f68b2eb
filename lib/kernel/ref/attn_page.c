/* Attention over one page of keys and values in plain C, and writing a position into a page, for each type of KV
 * rows. */
#include "base/fma.h"
#include "base/half.h"
#include "kernel/lanes.h"
#include "kernel/row_scale.h"
#include "kernel/ref/vec.h"

typedef float load_one_fn(const void *rows, size_t at);
typedef void store_one_fn(void *rows, size_t at, float v);

static inline float load_f32(const void *rows, size_t at)
{
    return ((const float *)rows)[at];
}

static inline float load_f16(const void *rows, size_t at)
{
    return hlmi_f16_to_f32(((const uint16_t *)rows)[at]);
}

static inline float load_bf16(const void *rows, size_t at)
{
    return hlmi_bf16_to_f32(((const uint16_t *)rows)[at]);
}

static inline float load_int8(const void *rows, size_t at)
{
    return (float)((const int8_t *)rows)[at];
}

static inline void store_f32(void *rows, size_t at, float v)
{
    ((float *)rows)[at] = v;
}

static inline void store_f16(void *rows, size_t at, float v)
{
    ((uint16_t *)rows)[at] = hlmi_f32_to_f16(v);
}

static inline void store_bf16(void *rows, size_t at, float v)
{
    ((uint16_t *)rows)[at] = hlmi_f32_to_bf16(v);
}

/* The loops below are inlined into one function for each type. */

/* Scores of positions p to p + lanes - 1, at most HLMI_LANES of them. */
static inline void qk_lanes(float *s, size_t lds, const float *q, size_t ldq, size_t nq, float scale, const void *k,
                            size_t page, size_t head_dim, size_t p, size_t lanes, load_one_fn *load)
{
    for (size_t i = 0; i < nq; i++) {
        float acc[HLMI_LANES] = {0};
        for (size_t d = 0; d < head_dim; d++)
            for (size_t j = 0; j < lanes; j++) acc[j] = hlmi_fmaf(q[i * ldq + d], load(k, d * page + p + j), acc[j]);
        for (size_t j = 0; j < lanes; j++) s[i * lds + p + j] = acc[j] * scale;
    }
}

/* The last positions apart: what lies behind them in the page nobody has written, and valgrind would tell. */
static inline void qk(float *s, size_t lds, const float *q, size_t ldq, size_t nq, float scale, const void *k,
                      size_t page, size_t head_dim, size_t n, load_one_fn *load)
{
    size_t p = 0;
    for (; p + HLMI_LANES <= n; p += HLMI_LANES)
        qk_lanes(s, lds, q, ldq, nq, scale, k, page, head_dim, p, HLMI_LANES, load);
    if (p < n) qk_lanes(s, lds, q, ldq, nq, scale, k, page, head_dim, p, n - p, load);
}

static inline void pv(float *o, size_t ldo, const float *w, size_t ldw, size_t nq, const uint16_t *lo,
                      const uint16_t *hi, const void *v, size_t v_dim, load_one_fn *load)
{
    for (size_t i = 0; i < nq; i++) {
        float *row = o + i * ldo;
        for (size_t p = lo[i]; p < hi[i]; p++)
            for (size_t d = 0; d < v_dim; d++) row[d] = hlmi_fmaf(w[i * ldw + p], load(v, p * v_dim + d), row[d]);
    }
}

static inline void kv_write(void *k, void *v, const float *k_row, const float *v_row, size_t page, size_t at,
                            size_t head_dim, size_t v_dim, store_one_fn *store)
{
    for (size_t d = 0; d < head_dim; d++) store(k, d * page + at, k_row[d]);
    for (size_t d = 0; d < v_dim; d++) store(v, at * v_dim + d, v_row[d]);
}

/* One row of int8, its elements `step` apart; returns its scale. */
static float quantise(int8_t *q, size_t step, const float *x, size_t n)
{
    float id;
    const float d = hlmi_row_scale(&id, x, n, 127.0f);
    for (size_t i = 0; i < n; i++) q[i * step] = (int8_t)(id == 0.0f ? 0.0f : hlmi_nearest(x[i] * id));
    return d;
}

static void kv_write_int8(void *k, void *v, float *k_scale, float *v_scale, const float *k_row, const float *v_row,
                          size_t page, size_t at, size_t head_dim, size_t v_dim)
{
    k_scale[at] = quantise((int8_t *)k + at, page, k_row, head_dim);
    v_scale[at] = quantise((int8_t *)v + at * v_dim, 1, v_row, v_dim);
}

#define KERNELS_OF(type)                                                                                         \
  static void qk_##type(float *s, size_t lds, const float *q, size_t ldq, size_t nq, float scale, const void *k, \
                        size_t page, size_t head_dim, size_t n)                                                  \
  {                                                                                                              \
    qk(s, lds, q, ldq, nq, scale, k, page, head_dim, n, load_##type);                                            \
  }                                                                                                              \
  static void pv_##type(float *o, size_t ldo, const float *w, size_t ldw, size_t nq, const uint16_t *lo,         \
                        const uint16_t *hi, const void *v, size_t v_dim)                                         \
  {                                                                                                              \
    pv(o, ldo, w, ldw, nq, lo, hi, v, v_dim, load_##type);                                                       \
  }

#define WRITE_OF(type)                                                                                   \
  static void kv_write_##type(void *k, void *v, float *k_scale, float *v_scale, const float *k_row,      \
                              const float *v_row, size_t page, size_t at, size_t head_dim, size_t v_dim) \
  {                                                                                                      \
    (void)k_scale;                                                                                       \
    (void)v_scale;                                                                                       \
    kv_write(k, v, k_row, v_row, page, at, head_dim, v_dim, store_##type);                               \
  }

KERNELS_OF(f32)
KERNELS_OF(f16)
KERNELS_OF(bf16)
KERNELS_OF(int8)
WRITE_OF(f32)
WRITE_OF(f16)
WRITE_OF(bf16)

void hlmi_ref_attn(hlmi_kernels *k)
{
    k->qk[HLMI_KV_ROWS_F32] = qk_f32;
    k->qk[HLMI_KV_ROWS_F16] = qk_f16;
    k->qk[HLMI_KV_ROWS_BF16] = qk_bf16;
    k->qk[HLMI_KV_ROWS_INT8] = qk_int8;
    k->pv[HLMI_KV_ROWS_F32] = pv_f32;
    k->pv[HLMI_KV_ROWS_F16] = pv_f16;
    k->pv[HLMI_KV_ROWS_BF16] = pv_bf16;
    k->pv[HLMI_KV_ROWS_INT8] = pv_int8;
    k->kv_write[HLMI_KV_ROWS_F32] = kv_write_f32;
    k->kv_write[HLMI_KV_ROWS_F16] = kv_write_f16;
    k->kv_write[HLMI_KV_ROWS_BF16] = kv_write_bf16;
    k->kv_write[HLMI_KV_ROWS_INT8] = kv_write_int8;
}
