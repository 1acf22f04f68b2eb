/* Element types of tensors in files. Quantised types hold blocks of `block` consecutive elements of a row in `bytes`
 * bytes. One row of type.c's table and one file a type; the layouts they are repacked into are in layout.h. */
#ifndef HLMI_QUANT_TYPE_H
#define HLMI_QUANT_TYPE_H

#include <stdbool.h>

#include "base/status.h"

typedef enum hlmi_type {
    HLMI_F32,
    HLMI_F16,
    HLMI_BF16,
    HLMI_Q4_0,
    HLMI_Q4_1,
    HLMI_Q5_0,
    HLMI_Q5_1,
    HLMI_Q8_0,
    HLMI_Q4_K,
    HLMI_Q6_K,
    HLMI_F64, /* read as f32 */
    /* well formed in files but no weights of a matrix product */
    HLMI_I8,
    HLMI_U8,
    HLMI_I16,
    HLMI_U16,
    HLMI_I32,
    HLMI_U32,
    HLMI_I64,
    HLMI_U64,
    HLMI_BOOL,
    HLMI_TYPE_COUNT
} hlmi_type;

#include "quant/layout.h"

/** What is known of a type. Functions are NULL for types that are no weights. */
typedef struct hlmi_type_info {
    const char *name; /* "q4_1" */
    size_t block, bytes; /* elements and bytes of a block; 1 and the size for plain types */
    hlmi_layout layout; /* the layout that its matrices are repacked into, without loss */
    /** n elements (a multiple of block) to f32, the same bits as the gguf Python package's dequantize. */
    void (*dequantise)(float *y, const void *x, size_t n);
    /** The same values from f32; NULL where there is none. n a multiple of block. */
    void (*quantise)(void *y, const float *x, size_t n);
    /** One row group of the layout from its rows: rows[i] is row i's data in the file's form, NULL for padding rows
     *  (zero weights); i < rows per group. cols is a multiple of block. */
    void (*repack)(void *group, const void *const *rows, size_t cols);
} hlmi_type_info;

/** Never NULL for values below HLMI_TYPE_COUNT. */
const hlmi_type_info *hlmi_type_get(hlmi_type type);

/** Bytes of a row of `cols` elements; false when cols is no multiple of the block or it overflows. */
bool hlmi_type_row_bytes(hlmi_type type, uint64_t cols, uint64_t *bytes);

#endif
