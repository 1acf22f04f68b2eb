/* The kernel table: every hot loop of the CPU, one function each. ref/ fills it with plain C, which is shipped and is
 * the specification; the ISA folders overlay what they do faster, bit for bit the same. No caller tests a CPU flag;
 * select.c does, once. The table lives in the model.
 *
 * Kernels are pure functions of their arguments: no allocation, no state, at most 16 KB of stack, and they run with
 * round-to-nearest and without flush-to-zero (the caller sees to MXCSR).
 *
 * Order of sums (docs/promise.md). In a matrix product a lane is an output row and k runs in order, so an output's bits
 * depend on nothing else in the call. A reduction of n floats to one uses 16 virtual lanes: lane i takes elements i,
 * i+16, ... with one fused multiply-add (or add) each, elements past n count as absent, and the lanes are added as a
 * tree: l[i] += l[i+8] for i < 8, then 4, 2, 1. Fused multiply-adds are always fused (fmaf). */
#ifndef HLMI_KERNEL_KERNEL_H
#define HLMI_KERNEL_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "quant/layout.h"

/** Forms of packed activations, one for each family of layouts. */
typedef enum hlmi_act {
    HLMI_ACT_F32, /* the f32 rows themselves; pack is NULL */
    HLMI_ACT_BF16, /* rounded to nearest even; only where the CPU has bf16 dot products (or the table is told so) */
    HLMI_ACT_Q8, /* blocks of 32: f32 scale d = max|x| / 127, int8 q = round-half-even(x / d) as x * (127 / max), sum of q */
    HLMI_ACT_Q8K, /* the same with blocks of 256 and sums of q per 16 */
    HLMI_ACT_Q16, /* blocks of 32: f32 scale d = max|x| / 32767, int16 q */
    HLMI_ACT_COUNT
} hlmi_act;

/** A matrix product of whole row groups: y[t][g*R + r] = sum over k of w[g][r][k] * x[t][k].
 *  y      [tokens][ldy] floats, all R lanes of every group are written; 64-byte aligned rows
 *  w      first group; groups follow one another (hlmi_layout_group_bytes)
 *  x      packed activations, token t at x + t * ldx bytes; 64-byte aligned
 *  The bits of an output are the same for every tokens, groups and position in the batch. */
typedef struct hlmi_gemm {
    float *y;
    size_t ldy;
    const void *w;
    size_t groups;
    const void *x;
    size_t ldx;
    size_t tokens;
    size_t cols;
} hlmi_gemm;

typedef void hlmi_gemm_fn(const hlmi_gemm *g);
/** n rows of `cols` floats (row stride ldx floats) into packed form, token t at dst + t * stride bytes. Each row
 *  alone. */
typedef void hlmi_pack_fn(void *dst, size_t stride, const float *x, size_t ldx, size_t n, size_t cols);

/** Types of KV rows, X(CONSTANT, name). K lies transposed: [head_dim][page] with page positions side by side (page a
 *  multiple of 16), V as [page][v_dim]; each for one KV head. Rows of int8 have scales, which the callers of qk and pv
 *  apply: scores times those of K, weights times those of V. */
#define HLMI_KV_ROWS(X) X(F32, f32) X(F16, f16) X(BF16, bf16) X(INT8, int8)

typedef enum hlmi_kv_format {
#define HLMI_KV_FORMAT(constant, name) HLMI_KV_ROWS_##constant,
    HLMI_KV_ROWS(HLMI_KV_FORMAT) HLMI_KV_FORMATS
#undef HLMI_KV_FORMAT
} hlmi_kv_format;

/** Scores: s[i][p] = scale * (sum over d of q[i][d] * K[d][p]), d in order with fma from 0, for p in 0..n-1 (up to the
 *  next multiple of 16 may be written). q [nq] rows of stride ldq; s [nq] rows of stride lds. */
typedef void hlmi_qk_fn(float *s, size_t lds, const float *q, size_t ldq, size_t nq, float scale, const void *k,
                        size_t page, size_t head_dim, size_t n);
/** Values: for each i, o[i][d] = fma(w[i][p], V[p][d], o[i][d]) for p from lo[i] to hi[i] - 1 in order. Positions
 *  outside lo..hi are not touched (their w may be anything). w [nq] rows of stride ldw, o [nq] rows of stride ldo. */
typedef void hlmi_pv_fn(float *o, size_t ldo, const float *w, size_t ldw, size_t nq, const uint16_t *lo,
                        const uint16_t *hi, const void *v, size_t v_dim);
/** Write one position: K row [head_dim] into column `at` of a transposed page, V row [v_dim] into row `at`. Of int8
 *  rows the scales go to k_scale[at] and v_scale[at]; the others have none. A row x becomes q = round-half-even(x *
 *  (127 / max|x|)) with scale max|x| / 127; where 127 / max|x| is beyond f32, scale and q are 0; where x has an
 *  infinity or NaN, the scale is NaN and q 0. */
typedef void hlmi_kv_write_fn(void *k, void *v, float *k_scale, float *v_scale, const float *k_row, const float *v_row,
                              size_t page, size_t at, size_t head_dim, size_t v_dim);

/** Types of recurrent state. Kernels compute in f32 and hold states in f32; one of 16 bits is rounded to its type after
 *  every token, what the token itself gives is computed before that. `in` is then of values that the type has. */
typedef enum hlmi_state_type { HLMI_STATE_F32, HLMI_STATE_F16, HLMI_STATE_BF16, HLMI_STATE_TYPES } hlmi_state_type;
/** n values of a 16-bit type to f32, which is exact, or to the type, to nearest even. */
typedef void hlmi_widen_fn(float *y, const uint16_t *x, size_t n);
typedef void hlmi_narrow_fn(uint16_t *y, const float *x, size_t n);

/** A causal depthwise convolution over the tokens of one sequence: y_t[c] = act(bias[c] + sum over j of weight[j][c] *
 *  x_{t - (window-1) + j}[c]), j in order with fma; act is x / (1 + exp(-x)) or nothing. The inputs before the first
 *  token are the newest ones of `in`; the newest ones after the last go to `out`. */
typedef struct hlmi_conv_run {
    hlmi_state_type type; /* of inputs that are kept: all but the token's own are read rounded to it */
    const float *weight; /* [window], rows of stride ld, oldest tap first */
    const float *bias; /* [channels] or NULL */
    bool silu;
    size_t window, channels, tokens;
    const float *in; /* [window], rows of stride ld, oldest input first */
    float *out; /* likewise; may be in */
    size_t ld;
    const float *x; /* [tokens] rows */
    size_t ldx;
    float *y; /* not x */
    size_t ldy;
} hlmi_conv_run;

typedef void hlmi_conv_fn(const hlmi_conv_run *r);

/** Mamba-1's scan over the tokens of one sequence, per channel c:
 *      dt = softplus(dt_t[c] + dt_bias[c]),  S[n][c] = fma(exp(dt * a[n][c]), S[n][c], (dt * x_t[c]) * b_t[n])
 *      y_t[c] = fma(d[c], x_t[c], sum over n in order with fma of S[n][c] * c_t[n]),  times z / (1 + exp(-z)) where z is given.
 *  `in` is the state before the first token, `out` gets the one after the last. */
typedef struct hlmi_scan1_run {
    hlmi_state_type type; /* S is rounded to it after each token */
    const float *a; /* [rows], rows of stride ld */
    const float *dt_bias, *d; /* [channels]; dt_bias may be NULL */
    size_t rows, channels, tokens;
    const float *in; /* [rows], rows of stride ld */
    float *out; /* likewise; may be in */
    size_t ld;
    const float *x, *dt, *b, *c, *z; /* [tokens] rows; z may be NULL */
    size_t ldx, lddt, ldbc, ldz; /* ldbc: of both b and c */
    float *y; /* none of the inputs */
    size_t ldy;
} hlmi_scan1_run;

typedef void hlmi_scan1_fn(const hlmi_scan1_run *r);

/** Mamba-2's scan of one head over the tokens of one sequence, per state row n and lane p:
 *      dt = softplus(dt[t] + dt_bias) within [dt_min, dt_max],  S[n][p] = fma(exp(dt * a), S[n][p], (dt * b[n]) * x[p])
 *      y[p] = d * x[p], then fma(S[n][p], c[n], y[p]) for n in order
 *  softplus is hlmi_softplusf of base/softplusf.h, in vector form. */
typedef struct hlmi_scan2_run {
    hlmi_state_type type; /* S is rounded to it after each token */
    float a, d, dt_bias, dt_min, dt_max;
    size_t rows, cols, tokens;
    const float *in; /* [rows][cols] before the first token */
    float *out; /* after the last one; may be in */
    const float *dt; /* [tokens], each lddt floats from the one before */
    size_t lddt;
    const float *x; /* [tokens] rows of cols */
    size_t ldx;
    const float *b, *c; /* [tokens] rows of `rows` */
    size_t ldbc;
    float *y; /* [tokens] rows of cols; not x */
    size_t ldy;
} hlmi_scan2_run;

typedef void hlmi_scan2_fn(const hlmi_scan2_run *r);

/** The gated delta rule over the tokens of one sequence, for `lanes` value columns of one head's state S [rows][lanes]:
 *      m[p] = sum over n of k[n] * S[n][p],  d[p] = beta * (v[p] - g * m[p])
 *      S[n][p] = k[n] * d[p] + g * S[n][p],  y[p] = sum over n of q[n] * S[n][p]
 *  n in order from 0; d, S and both sums with fma. */
typedef struct hlmi_delta_run {
    hlmi_state_type type; /* S is rounded to it after each token */
    size_t tokens, rows, lanes; /* all above 0 */
    const float *in; /* S before the first token and, in out, after the last; rows of stride ld; out may be in */
    float *out;
    size_t ld;
    float *work; /* [rows][HLMI_DELTA_LANES] for the kernel's own use */
    const float *q, *k; /* [tokens][rows] of stride ldqk */
    size_t ldqk;
    const float *g, *beta; /* [tokens] */
    const float *v; /* [tokens][lanes] */
    size_t ldv;
    float *y; /* [tokens][lanes] */
    size_t ldy;
} hlmi_delta_run;

enum { HLMI_DELTA_LANES = 32 };

typedef void hlmi_delta_fn(const hlmi_delta_run *r);

/** The class of all kernels that are chosen to be portable, whatever they are. */
#define HLMI_CLASS_PORTABLE "portable"

typedef struct hlmi_kernels {
    const char *name; /* kernel class, equal where all results are the same bits: HLMI_CLASS_PORTABLE, else isa */
    const char *isa; /* "ref", "avx2", "avx512", "avx512-vnni", "avx512-vnni-bf16", ... */

    /* matrix products: by layout, on the packed form act[layout] */
    hlmi_gemm_fn *gemm[HLMI_LAYOUT_COUNT];
    hlmi_act act[HLMI_LAYOUT_COUNT];
    /** The same on f32 activations and dequantised weights (activations = f32): acc = fma(w, x, acc), k in order. */
    hlmi_gemm_fn *gemm_f32[HLMI_LAYOUT_COUNT];
    hlmi_pack_fn *pack[HLMI_ACT_COUNT]; /* [HLMI_ACT_F32] is NULL */
    /** Wide activations: row t becomes rows 2t, as pack makes it, and 2t + 1, which holds what the first leaves of x
     *  (act.h). The product is the sum of the two rows' products. NULL for forms that are not int8. */
    hlmi_pack_fn *pack_wide[HLMI_ACT_COUNT];

    /* rows of n floats; y may equal x */
    /** y = (x * (1 / sqrt(mean(x^2) + eps))) * w */
    void (*rms_norm)(float *y, const float *x, const float *w, size_t n, float eps);
    /** m = mean(x), d = x - m, v = mean(d^2): y = d * (1 / sqrt(v + eps)) * w + b, without + b where b is NULL */
    void (*layer_norm)(float *y, const float *x, const float *w, const float *b, size_t n, float eps);
    void (*add)(float *y, const float *a, const float *b, size_t n); /* y = a + b */
    void (*mul)(float *y, const float *a, const float *b, size_t n); /* y = a * b */
    void (*scale)(float *y, const float *x, float s, size_t n); /* y = x * s */
    void (*silu_mul)(float *y, const float *gate, const float *up, size_t n); /* y = gate / (1 + exp(-gate)) * up */
    void (*sigmoid_mul)(float *y, const float *gate, const float *x, size_t n); /* y = x / (1 + exp(-gate)) */
    /** y = gate * P(gate) * up, P as hlmi_normalf of base/normalf.h: GELU in its exact form, gating */
    void (*gelu_erf_mul)(float *y, const float *gate, const float *up, size_t n);
    /** y = x / (1 + exp(-2 sqrt(2/pi) (x + 0.044715 x^3))): GELU in its tanh form (Hendrycks and Gimpel 2016) */
    void (*gelu)(float *y, const float *x, size_t n);
    void (*relu2)(float *y, const float *x, size_t n); /* y = max(x, 0)^2 */
    /** Rotates the first 2*half of x in place: (x[i], x[i+half]) by cos[i], sin[i]: x0' = fma(x0, cos, -(x1 * sin)),
     *  x1' = fma(x1, cos, x0 * sin). */
    void (*rope)(float *x, const float *cos, const float *sin, size_t half);
    /** max of n floats (n > 0); NaN are ignored unless all are NaN. 16 lanes start at -inf, and a later element or lane
     *  is taken only where it is greater (which decides between zeros of two signs). */
    float (*max)(const float *x, size_t n);
    /** y[i] = exp(x[i] - m); returns the sum in 16 lanes. exp is hlmi_expf of base/math.h, in vector form. y may be
     *  x. */
    float (*exp_sum)(float *y, const float *x, float m, size_t n);

    hlmi_qk_fn *qk[HLMI_KV_FORMATS];
    hlmi_pv_fn *pv[HLMI_KV_FORMATS];
    hlmi_kv_write_fn *kv_write[HLMI_KV_FORMATS];

    hlmi_widen_fn *widen[HLMI_STATE_TYPES]; /* [HLMI_STATE_F32] is NULL, as of narrow */
    hlmi_narrow_fn *narrow[HLMI_STATE_TYPES];
    hlmi_conv_fn *conv;
    hlmi_scan2_fn *scan2;
    hlmi_delta_fn *delta;
    hlmi_scan1_fn *scan1;

    /** A checksum of n bytes: XXH3-64 of pieces of HLMI_HASH_PIECE bytes, each seeded with the sum of the one before,
     *  the first with `seed`; of no bytes it is the seed. */
    uint64_t (*hash)(const void *x, size_t n, uint64_t seed);
    /** The same, and the bytes are copied to dst, which a CPU that can do so writes past its caches. */
    uint64_t (*hash_copy)(void *dst, const void *src, size_t n, uint64_t seed);
} hlmi_kernels;

enum { HLMI_HASH_PIECE = 2048 };

/** Bytes of a packed row of `cols` floats: a multiple of 64, and never a multiple of 4096 (cache ways). */
size_t hlmi_act_stride(hlmi_act act, size_t cols);

/** Bits of what the CPU offers. */
enum { HLMI_CPU_AVX2 = 1, HLMI_CPU_AVX512 = 2, HLMI_CPU_VNNI = 4, HLMI_CPU_BF16 = 8 };

/** What this CPU and operating system offer (AVX2 means AVX2, FMA and F16C; AVX512 means F, BW, VL, DQ). */
unsigned hlmi_cpu_detect(void);

/** Those of them that a limit allows: "ref", "avx2", "avx512", or NULL: all. False: there is no such set. */
bool hlmi_cpu_limit(const char *limit, unsigned *bits);

/** Fills every entry for the given CPU bits. `portable`: bf16 weights with f32 activations and q8 weights with int16
 *  ones, so that all CPUs agree. */
void hlmi_kernels_init(hlmi_kernels *k, unsigned cpu, bool portable);

#endif
