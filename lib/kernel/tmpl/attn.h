/* Template: attention over one page, over the vectors of an ISA's simd.h, which the including file has included before.
 * Scores and values are both
 *
 *     C[i][lane] = C[i][lane] + A[i][k] * B[k][lane],  k in order, fused
 *
 * with rows i the queries: for scores A is q, k the head dimension, lanes positions; for values A is the weights, k
 * positions, lanes the value's dimension. B rows of 16 bits serve FEW queries as they are; for more they are converted
 * once, a strip at a time, into a scratch of f32. C goes through memory between strips, which changes no bit. */
#ifndef HLMI_KERNEL_TMPL_ATTN_H
#define HLMI_KERNEL_TMPL_ATTN_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/size.h"
#include "kernel/kernel.h"
#include "kernel/lanes.h"
#include "kernel/row_scale.h"

enum {
    MICRO_ROWS = 6,
    FEW = 2 * MICRO_ROWS, /* queries that do not pay for a conversion apart */
    MICRO_LANES = 64, /* at most */
    SCRATCH_FLOATS = 2048, /* 8 KB */
    STREAM_ROWS = 8, /* rows of B that few queries take at once */
};

typedef struct micro {
    const float *a; /* [rows] of stride lda */
    size_t lda;
    const void *b; /* [depth] of stride ldb elements */
    size_t ldb;
    float *c; /* [rows] of stride ldc */
    size_t ldc;
    size_t depth; /* above 0 */
    float scale; /* C is multiplied by it at the end */
    bool fresh; /* C starts at 0 */
} micro;

typedef void micro_fn(const micro *t);

#define LOAD_f32(b, at) vf_load((const float *)(b) + (at))
#define LOAD_f16(b, at) vf_load_f16((const uint16_t *)(b) + (at))
#define LOAD_bf16(b, at) vf_load_bf16((const uint16_t *)(b) + (at))
#define LOAD_int8(b, at) vf_load_int8((const int8_t *)(b) + (at))

/* What fresh accumulators are loaded from. */
static const float zeros[MICRO_LANES];

/* One micro-tile with all accumulators in registers: `rows` and `vectors` are constants, so every inner loop unrolls.
 * Of a step's A and B the smaller set is held, the other passes through one register. A loop that runs at least once
 * lets gcc keep the array in registers throughout. */
#define MICRO(name, type, rows, vectors)                                                            \
  static void name(const micro *t)                                                                  \
  {                                                                                                 \
    const size_t lda = t->lda, ldb = t->ldb, ldc = t->ldc, depth = t->depth;                        \
    const float *a = t->a, *from = t->fresh ? zeros : t->c;                                         \
    const size_t from_step = t->fresh ? 0 : ldc;                                                    \
    const void *b = t->b;                                                                           \
    float *c = t->c;                                                                                \
    const vf by = vf_set1(t->scale);                                                                \
    vf acc[rows][vectors];                                                                          \
    for (size_t i = 0; i < (rows); i++)                                                             \
      for (size_t j = 0; j < (vectors); j++) acc[i][j] = vf_load(from + i * from_step + j * VF);    \
    size_t k = 0;                                                                                   \
    do {                                                                                            \
      if ((rows) < (vectors)) {                                                                     \
        vf held[rows];                                                                              \
        for (size_t i = 0; i < (rows); i++) held[i] = vf_set1(a[i * lda + k]);                      \
        for (size_t j = 0; j < (vectors); j++) {                                                    \
          const vf one = LOAD_##type(b, k * ldb + j * VF);                                          \
          for (size_t i = 0; i < (rows); i++) acc[i][j] = vf_fma(held[i], one, acc[i][j]);          \
        }                                                                                           \
      } else {                                                                                      \
        vf held[vectors];                                                                           \
        for (size_t j = 0; j < (vectors); j++) held[j] = LOAD_##type(b, k * ldb + j * VF);          \
        for (size_t i = 0; i < (rows); i++) {                                                       \
          const vf one = vf_set1(a[i * lda + k]);                                                   \
          for (size_t j = 0; j < (vectors); j++) acc[i][j] = vf_fma(one, held[j], acc[i][j]);       \
        }                                                                                           \
      }                                                                                             \
    } while (++k < depth);                                                                          \
    for (size_t i = 0; i < (rows); i++)                                                             \
      for (size_t j = 0; j < (vectors); j++) vf_store(c + i * ldc + j * VF, vf_mul(acc[i][j], by)); \
  }

#define MICRO_OF(constant, type)                  \
  MICRO(type##_wide_1, type, 1, MICRO_WIDE_1)     \
  MICRO(type##_wide_2, type, 2, MICRO_WIDE_2)     \
  MICRO(type##_wide_3, type, 3, MICRO_WIDE_3)     \
  MICRO(type##_wide_4, type, 4, MICRO_WIDE_4)     \
  MICRO(type##_wide_5, type, 5, MICRO_WIDE_5)     \
  MICRO(type##_wide_6, type, 6, MICRO_WIDE_6)     \
  MICRO(type##_group_1, type, 1, HLMI_LANES / VF) \
  MICRO(type##_group_2, type, 2, HLMI_LANES / VF) \
  MICRO(type##_group_3, type, 3, HLMI_LANES / VF) \
  MICRO(type##_group_4, type, 4, HLMI_LANES / VF) \
  MICRO(type##_group_5, type, 5, HLMI_LANES / VF) \
  MICRO(type##_group_6, type, 6, HLMI_LANES / VF)

HLMI_KV_ROWS(MICRO_OF)

#define MICROS(constant, type)                                                                       \
  {{type##_group_1, type##_group_2, type##_group_3, type##_group_4, type##_group_5, type##_group_6}, \
   {type##_wide_1, type##_wide_2, type##_wide_3, type##_wide_4, type##_wide_5, type##_wide_6}},

/* of a format, narrow and wide, of so many rows less one */
static micro_fn *const micros[HLMI_KV_FORMATS][2][MICRO_ROWS] = {HLMI_KV_ROWS(MICROS)};

/* Lanes of a wide micro-tile of so many rows. */
static size_t wide_lanes(size_t rows)
{
    static const size_t vectors[MICRO_ROWS] = {MICRO_WIDE_1, MICRO_WIDE_2, MICRO_WIDE_3,
                                               MICRO_WIDE_4, MICRO_WIDE_5, MICRO_WIDE_6};
    return VF * vectors[rows < MICRO_ROWS ? rows - 1 : MICRO_ROWS - 1];
}

/* Rows of the next micro-tile of n left: as equal as possible. */
static size_t next_rows(size_t n)
{
    const size_t parts = (n + MICRO_ROWS - 1) / MICRO_ROWS;
    return (n + parts - 1) / parts;
}

static inline size_t item_of(hlmi_kv_format format)
{
    if (format == HLMI_KV_ROWS_INT8) return sizeof(int8_t);
    return format == HLMI_KV_ROWS_F32 ? sizeof(float) : sizeof(uint16_t);
}

static inline const void *element(hlmi_kv_format format, const void *rows, size_t at)
{
    return (const char *)rows + at * item_of(format);
}

/* A vector of one of the types that are not f32. */
static inline vf load_short(hlmi_kv_format format, const void *b, size_t at)
{
    if (format == HLMI_KV_ROWS_F16) return LOAD_f16(b, at);
    return format == HLMI_KV_ROWS_BF16 ? LOAD_bf16(b, at) : LOAD_int8(b, at);
}

/* `depth` rows of `lanes` elements (stride ldb), a multiple of 16, as f32 of stride `lanes`. */
static inline void convert(float *to, hlmi_kv_format format, const void *b, size_t ldb, size_t depth, size_t lanes)
{
    for (size_t j = 0; j < lanes; j += HLMI_LANES)
        for (size_t k = 0; k < depth; k++)
            for (size_t i = j; i < j + HLMI_LANES; i += VF)
                vf_store(to + k * lanes + i, load_short(format, b, k * ldb + i));
}

/* The same of fewer than 16 lanes of any type; the rest of each 16 is 0. */
static inline void convert_part(float *to, hlmi_kv_format format, const void *b, size_t ldb, size_t depth, size_t lanes)
{
    for (size_t k = 0; k < depth; k++, to += HLMI_LANES) {
        uint16_t h[HLMI_LANES] = {0};
        float f[HLMI_LANES] = {0};
        const bool f32 = format == HLMI_KV_ROWS_F32;
        memcpy(f32 ? (void *)f : (void *)h, element(format, b, k * ldb), lanes * item_of(format));
        if (!f32) convert(f, format, h, 0, 1, HLMI_LANES);
        memcpy(to, f, sizeof f);
    }
}

/* `rows` rows (at most MICRO_ROWS) times `lanes` lanes, a multiple of 16. Changes t->b and t->c. The micro-tile is one
 * object changed in place: copying what was just stored field by field stalls for longer than a row of products
 * takes. */
static inline void run_micro(micro *t, hlmi_kv_format format, size_t rows, size_t lanes)
{
    const size_t width = wide_lanes(rows);
    for (;;) {
        const bool wide = lanes >= width;
        const size_t step = wide ? width : HLMI_LANES;
        micros[format][wide][rows - 1](t);
        if (lanes == step) return;
        lanes -= step;
        t->b = element(format, t->b, step);
        t->c += step;
    }
}

/* All query rows against one strip: t holds the first row's addresses. Changes t's addresses. */
static inline void all_rows(micro *t, size_t nq, hlmi_kv_format format, size_t lanes)
{
    const void *b = t->b;
    const float *a = t->a;
    float *c = t->c;
    for (size_t i = 0, rows; i < nq; i += rows) {
        rows = next_rows(nq - i);
        t->a = a + i * t->lda;
        t->b = b;
        t->c = c + i * t->ldc;
        run_micro(t, format, rows, lanes);
    }
}

/* Rows of B to take before the next strip. Few queries wait for memory: their strips of the same rows follow one
 * another, so that memory is read in order. Many share a conversion that fills the scratch. */
static size_t rows_at_once(size_t nq, size_t lanes, size_t row)
{
    if (nq > MICRO_ROWS) return SCRATCH_FLOATS / lanes;
    return lanes < row ? STREAM_ROWS : SCRATCH_FLOATS / HLMI_LANES;
}

static inline void qk(float *s, size_t lds, const float *q, size_t ldq, size_t nq, float scale, const void *k,
                      size_t page, size_t head_dim, size_t n, hlmi_kv_format format)
{
    float scratch[SCRATCH_FLOATS];
    if (nq == 0) return;
    const size_t width = wide_lanes(nq), most = rows_at_once(nq, width, n);
    const bool shared = nq > FEW && format != HLMI_KV_ROWS_F32;
    micro t = {.lda = ldq, .ldc = lds};
    for (size_t d = 0; d < head_dim; d += t.depth) {
        const size_t left = head_dim - d;
        t.depth = hlmi_min_size(left, most);
        t.scale = left <= most ? scale : 1.0f;
        t.fresh = d == 0;
        for (size_t p = 0, lanes; p < n; p += lanes) {
            lanes = n - p + HLMI_LANES - 1 >= width ? width : HLMI_LANES;
            t.a = q + d;
            t.c = s + p;
            t.b = element(format, k, d * page + p);
            t.ldb = page;
            if (shared) {
                convert(scratch, format, t.b, page, t.depth, lanes);
                t.b = scratch;
                t.ldb = lanes;
            }
            all_rows(&t, nq, shared ? HLMI_KV_ROWS_F32 : format, lanes);
        }
    }
}

/* Where a strip of values lies: positions from..to-1 in rows of B (b is position `from`), lanes of o. */
typedef struct strip {
    hlmi_kv_format format;
    const void *b;
    size_t ldb, from, to;
    size_t lanes; /* a multiple of 16, or below 16: B is padded, o is not */
} strip;

/* o of rows i .. i+rows-1 over positions lo .. hi-1 */
static inline void pv_rows(const strip *v, float *o, size_t ldo, const float *w, size_t ldw, size_t rows, size_t lo,
                           size_t hi)
{
    if (lo >= hi) return;
    float padded[MICRO_ROWS * HLMI_LANES];
    micro t = {.a = w + lo,
               .lda = ldw,
               .b = element(v->format, v->b, (lo - v->from) * v->ldb),
               .ldb = v->ldb,
               .c = o,
               .ldc = ldo,
               .depth = hi - lo,
               .scale = 1.0f,
               .fresh = false};
    if (v->lanes >= HLMI_LANES) {
        run_micro(&t, v->format, rows, v->lanes);
        return;
    }
    memset(padded, 0, sizeof padded);
    for (size_t i = 0; i < rows; i++) memcpy(padded + i * HLMI_LANES, o + i * ldo, v->lanes * sizeof *o);
    t.c = padded;
    t.ldc = HLMI_LANES;
    run_micro(&t, v->format, rows, HLMI_LANES);
    for (size_t i = 0; i < rows; i++) memcpy(o + i * ldo, padded + i * HLMI_LANES, v->lanes * sizeof *o);
}

/* All queries over one strip, all over the same positions. */
static inline void pv_same(const strip *v, float *o, size_t ldo, const float *w, size_t ldw, size_t nq)
{
    for (size_t i = 0, rows; i < nq; i += rows) {
        rows = next_rows(nq - i);
        pv_rows(v, o + i * ldo, ldo, w + i * ldw, ldw, rows, v->from, v->to);
    }
}

/* All queries over one strip, each with its own positions: micro-tiles run over the positions that their rows have in
 * common, each row alone before and after. A row with no position in the strip is left out. */
static void pv_ranges(const strip *v, float *o, size_t ldo, const float *w, size_t ldw, size_t nq, const uint16_t *lo,
                      const uint16_t *hi)
{
    for (size_t i = 0, rows; i < nq; i += rows) {
        const size_t most = next_rows(nq - i);
        size_t from = v->from, to = v->to, least = v->to, largest = v->from;
        for (rows = 0; rows < most; rows++) {
            const size_t a = hlmi_max_size(v->from, lo[i + rows]), b = hlmi_min_size(v->to, hi[i + rows]);
            if (a >= b) break;
            from = hlmi_max_size(from, a);
            to = hlmi_min_size(to, b);
            least = hlmi_min_size(least, a);
            largest = hlmi_max_size(largest, b);
        }
        if (rows == 0) {
            rows = 1;
            continue;
        }
        if (from > to) from = to = v->to; /* nothing in common: all is "before" */
        for (size_t j = i; j < i + rows && least < from; j++)
            pv_rows(v, o + j * ldo, ldo, w + j * ldw, ldw, 1, hlmi_max_size(v->from, lo[j]),
                    hlmi_min_size(from, hi[j]));
        pv_rows(v, o + i * ldo, ldo, w + i * ldw, ldw, rows, from, to);
        for (size_t j = i; j < i + rows && to < largest; j++)
            pv_rows(v, o + j * ldo, ldo, w + j * ldw, ldw, 1, hlmi_max_size(to, lo[j]), hlmi_min_size(v->to, hi[j]));
    }
}

static inline void pv(float *o, size_t ldo, const float *w, size_t ldw, size_t nq, const uint16_t *lo,
                      const uint16_t *hi, const void *v, size_t v_dim, hlmi_kv_format format)
{
    float scratch[SCRATCH_FLOATS];
    if (nq == 0) return;
    size_t first = lo[0], end = hi[0];
    bool same = true;
    for (size_t i = 1; i < nq; i++) {
        same = same && lo[i] == lo[0] && hi[i] == hi[0];
        first = hlmi_min_size(first, lo[i]);
        end = hlmi_max_size(end, hi[i]);
    }
    const size_t width = wide_lanes(nq), most = rows_at_once(nq, width, v_dim);
    const bool shared = nq > FEW && format != HLMI_KV_ROWS_F32;
    strip at = {.from = first};
    for (; at.from < end; at.from = at.to) {
        at.to = hlmi_min_size(end - at.from, most) + at.from;
        for (size_t d = 0; d < v_dim; d += at.lanes) {
            at.lanes = v_dim - d >= width ? width : hlmi_min_size(HLMI_LANES, v_dim - d);
            at.b = element(format, v, at.from * v_dim + d);
            at.ldb = v_dim;
            const bool part = at.lanes < HLMI_LANES;
            if (part) convert_part(scratch, format, at.b, v_dim, at.to - at.from, at.lanes);
            else if (shared) convert(scratch, format, at.b, v_dim, at.to - at.from, at.lanes);
            if (part || shared) {
                at.b = scratch;
                at.ldb = part ? HLMI_LANES : at.lanes;
            }
            at.format = part || shared ? HLMI_KV_ROWS_F32 : format;
            if (same) pv_same(&at, o + d, ldo, w, ldw, nq);
            else pv_ranges(&at, o + d, ldo, w, ldw, nq, lo, hi);
        }
    }
}

/* What one row of int8 is made with: returns its scale. */
static inline float scale_of(float *inverse, const float *x, size_t n)
{
    float lanes[VF];
    uint32_t most = 0;
    vf l = vf_set1(0.0f);
    for (size_t i = 0; i < n; i += VF) l = vf_max_bits(l, vf_load_part(x + i, hlmi_min_size(VF, n - i)));
    vf_store(lanes, l);
    for (size_t i = 0; i < VF; i++) most = hlmi_f32_bits(lanes[i]) > most ? hlmi_f32_bits(lanes[i]) : most;
    return hlmi_row_scale_of(inverse, most, 127.0f);
}

/* The row itself, its elements `step` apart. */
static inline void quantise(int8_t *q, size_t step, const float *x, size_t n, float inverse)
{
    for (size_t i = 0; i < n; i += VF) {
        int8_t h[VF] = {0};
        const size_t part = hlmi_min_size(VF, n - i);
        if (inverse != 0.0f) vf_store_int8(h, vf_mul(vf_load_part(x + i, part), vf_set1(inverse)));
        if (step == 1) memcpy(q + i, h, part);
        for (size_t j = 0; j < part && step != 1; j++) q[(i + j) * step] = h[j];
    }
}

static void kv_write_int8(void *k, void *v, float *k_scale, float *v_scale, const float *k_row, const float *v_row,
                          size_t page, size_t at, size_t head_dim, size_t v_dim)
{
    float inverse;
    k_scale[at] = scale_of(&inverse, k_row, head_dim);
    quantise((int8_t *)k + at, page, k_row, head_dim, inverse);
    v_scale[at] = scale_of(&inverse, v_row, v_dim);
    quantise((int8_t *)v + at * v_dim, 1, v_row, v_dim, inverse);
}

/* x in the 16-bit type */
static inline void to_16_bits(uint16_t *to, vf x, hlmi_kv_format format)
{
    if (format == HLMI_KV_ROWS_F16) vf_store_f16(to, x);
    else vf_store_bf16(to, x);
}

static inline void kv_write(uint16_t *k, uint16_t *v, const float *k_row, const float *v_row, size_t page, size_t at,
                            size_t head_dim, size_t v_dim, hlmi_kv_format format)
{
    uint16_t h[VF];
    for (size_t d = 0; d < head_dim; d += VF) {
        const size_t part = hlmi_min_size(VF, head_dim - d);
        to_16_bits(h, vf_load_part(k_row + d, part), format);
        for (size_t j = 0; j < part; j++) k[(d + j) * page + at] = h[j];
    }
    size_t d = 0;
    for (; v_dim - d >= VF; d += VF) to_16_bits(v + at * v_dim + d, vf_load(v_row + d), format);
    if (d < v_dim) {
        to_16_bits(h, vf_load_part(v_row + d, v_dim - d), format);
        memcpy(v + at * v_dim + d, h, (v_dim - d) * sizeof *h);
    }
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
WRITE_OF(F16, f16)
WRITE_OF(BF16, bf16)

#define ENTRIES(constant, type)               \
  k->qk[HLMI_KV_ROWS_##constant] = qk_##type; \
  k->pv[HLMI_KV_ROWS_##constant] = pv_##type;

/* Writing f32 rows is copying: the plain C does. */
static inline void fill_attn(hlmi_kernels *k)
{
    HLMI_KV_ROWS(ENTRIES)
    k->kv_write[HLMI_KV_ROWS_F16] = kv_write_f16;
    k->kv_write[HLMI_KV_ROWS_BF16] = kv_write_bf16;
    k->kv_write[HLMI_KV_ROWS_INT8] = kv_write_int8;
}

#endif
