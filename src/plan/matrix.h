/* Weights as blocks hold them: matrices, which adapters may add to, and norms. */
#ifndef HLMI_PLAN_MATRIX_H
#define HLMI_PLAN_MATRIX_H

#include <stdbool.h>

#include "quant/type.h"

/** A weight matrix [rows, cols], y = W x. Either packed for the kernels, or rows as in the file. */
typedef struct hlmi_matrix {
    size_t rows, cols;
    hlmi_type type; /* of the file, or that it was quantised to at load */
    hlmi_layout layout; /* of packed; HLMI_LAYOUT_NONE when only raw is there */
    void *packed; /* row groups of the layout, owned by the plan */
    const uint8_t *raw; /* rows as in the file (embeddings that are no head) */
    uint64_t bytes; /* held in memory, or mapped */
    size_t number; /* 1 + its number in the plan's table; 0: it is in none */
} hlmi_matrix;

/** A matrix and what becomes of its product: scale * (W x + bias). */
typedef struct hlmi_dense {
    const hlmi_matrix *w; /* NULL: there is none */
    const float *bias, *scale; /* [rows] or NULL */
} hlmi_dense;

typedef enum hlmi_norm_kind { HLMI_NORM_RMS, HLMI_NORM_LAYER } hlmi_norm_kind;

/** A norm's weights. */
typedef struct hlmi_norm {
    hlmi_norm_kind kind;
    const float *weight; /* [size] */
    const float *bias; /* [size] or NULL; of layer norms */
    size_t size;
    float eps;
} hlmi_norm;

#endif
