/* Element types of tensors in files. Quantised types hold blocks of `block` consecutive elements of a row in `bytes`
 * bytes. One line here, one file and its numbers in files (weights/) a type; the layouts they are repacked into are in
 * layout.h. */
#ifndef HLMI_QUANT_TYPE_H
#define HLMI_QUANT_TYPE_H

#include <stdbool.h>

#include "base/status.h"
#include "quant/layout.h"

/** Those that no file has: matrices of several tensors lie so (weights/coded.h), and what is quantised at load. */
#define HLMI_MADE_TYPES(X) X(RUNS, runs) X(RUNS_M, runs_m) X(INT4, int4) X(F8_SCALED, f8_scaled)

/** Types of weights: X(CONSTANT, name), where a file defines the descriptor hlmi_type_NAME. */
#define HLMI_WEIGHT_TYPES(X) \
  X(F32, f32)                \
  X(F16, f16)                \
  X(BF16, bf16)              \
  X(Q4_0, q4_0)              \
  X(Q4_1, q4_1)              \
  X(Q5_0, q5_0)              \
  X(Q5_1, q5_1)              \
  X(Q8_0, q8_0)              \
  X(Q4_K, q4_k)              \
  X(Q6_K, q6_k)              \
  X(Q8_1, q8_1)              \
  X(Q2_K, q2_k)              \
  X(Q3_K, q3_k)              \
  X(Q5_K, q5_k)              \
  X(Q8_K, q8_k)              \
  X(IQ1_S, iq1_s)            \
  X(IQ1_M, iq1_m)            \
  X(IQ2_XXS, iq2_xxs)        \
  X(IQ2_XS, iq2_xs)          \
  X(IQ2_S, iq2_s)            \
  X(IQ3_XXS, iq3_xxs)        \
  X(IQ3_S, iq3_s)            \
  X(IQ4_NL, iq4_nl)          \
  X(IQ4_XS, iq4_xs)          \
  X(TQ1_0, tq1_0)            \
  X(TQ2_0, tq2_0)            \
  X(MXFP4, mxfp4)            \
  X(NVFP4, nvfp4)            \
  X(Q1_0, q1_0)              \
  X(Q2_0, q2_0)              \
  HLMI_MADE_TYPES(X)         \
  X(F8_E4M3, f8_e4m3)        \
  X(F8_E5M2, f8_e5m2)        \
  X(F64, f64) /* this and the two before: read as f32 */

/** Types that are well formed in files but no weights of a matrix product: X(CONSTANT, name, bytes). */
#define HLMI_PLAIN_TYPES(X) \
  X(I8, i8, 1)              \
  X(U8, u8, 1)              \
  X(I16, i16, 2)            \
  X(U16, u16, 2)            \
  X(I32, i32, 4)            \
  X(U32, u32, 4)            \
  X(I64, i64, 8)            \
  X(U64, u64, 8)            \
  X(BOOL, bool, 1)

typedef enum hlmi_type {
#define HLMI_TYPE(constant, ...) HLMI_##constant,
    HLMI_WEIGHT_TYPES(HLMI_TYPE) HLMI_PLAIN_TYPES(HLMI_TYPE) HLMI_TYPE_COUNT
#undef HLMI_TYPE
} hlmi_type;

/** What is known of a type. Functions are NULL for types that are no weights. */
typedef struct hlmi_type_info {
    const char *name; /* "q4_1" */
    size_t block, bytes; /* elements and bytes of a block; 1 and the size for plain types */
    hlmi_layout layout; /* the layout that its matrices are repacked into, without loss */
    /** n elements (a multiple of block) to f32, the same bits as the gguf Python package's dequantize. */
    void (*dequantise)(float *y, const void *x, size_t n);
    /** One row group of the layout from its rows: rows[i] is row i's data in the file's form, NULL for padding rows
     *  (zero weights); i < rows per group. cols is a multiple of block. */
    void (*repack)(void *group, const void *const *rows, size_t cols);
    /** n finite elements (a multiple of block) from f32, as whoever has the type first quantises; NULL: the library
     *  makes none. Others than finite become something. */
    void (*quantise)(void *y, const float *x, size_t n);
} hlmi_type_info;

/** Never NULL for values below HLMI_TYPE_COUNT. */
const hlmi_type_info *hlmi_type_get(hlmi_type type);

/** The type of that name that the library makes from others (quantise); HLMI_TYPE_COUNT: there is none. */
hlmi_type hlmi_type_made(const char *name);

/** Bytes of a row of `cols` elements; false when cols is no multiple of the block or it overflows. */
bool hlmi_type_row_bytes(hlmi_type type, uint64_t cols, uint64_t *bytes);

#endif
