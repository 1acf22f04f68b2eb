/* Weights as blocks hold them: matrices, which adapters may add to, and norms. */
#ifndef HLMI_PLAN_MATRIX_H
#define HLMI_PLAN_MATRIX_H

#include <stdbool.h>

#include "quant/type.h"

/** A weight matrix [rows, cols], y = W x. Either packed for the kernels, or rows as in the file. */
typedef struct hlmi_matrix {
    size_t rows, cols;
    hlmi_type type; /* of the file */
    hlmi_layout layout; /* of packed; HLMI_LAYOUT_NONE when only raw is there */
    void *packed; /* row groups of the layout, owned by the plan */
    const uint8_t *raw; /* rows as in the file (embeddings that are no head) */
    uint64_t bytes; /* held in memory, or mapped */
    size_t slot; /* 1 + its number among the plan's slots; 0: none */
} hlmi_matrix;

/** Where the rows of a matrix are in the file's tensor. All zero: as they are. */
typedef struct hlmi_row_order {
    size_t head_dim; /* rows of a head, where half, parts or period is not 0 */
    size_t half; /* of each head the first 2*half are pairs (2i, 2i+1) in the file and halves (i, i+half) in the plan */
    size_t parts, part; /* the tensor holds `parts` matrices, head by head in turn; this is number `part` */
    size_t period; /* rows from one head to the next in the file; 0: parts (or 1) times head_dim */
    size_t first, in_file; /* the matrix begins at this row of a tensor of in_file rows (0: parts times its own) */
    size_t stack, layer; /* the tensor is [stack, in_file, cols], the matrix in its number `layer` (0: no stack) */
} hlmi_row_order;

typedef enum hlmi_norm_kind { HLMI_NORM_RMS, HLMI_NORM_LAYER } hlmi_norm_kind;

/** A norm's weights. */
typedef struct hlmi_norm {
    hlmi_norm_kind kind;
    float *weight; /* [size] */
    float *bias; /* [size] or NULL; of layer norms */
    size_t size;
    float eps;
} hlmi_norm;

#endif
