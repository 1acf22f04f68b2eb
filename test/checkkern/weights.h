/* Random weights, made directly in the layouts of quant/layout.h, and their values in double. */
#ifndef CHECKKERN_WEIGHTS_H
#define CHECKKERN_WEIGHTS_H

#include "checkkern.h"

typedef enum weights_kind {
    WEIGHTS_RANDOM, /* every bit of the integers random, scales of a sane size */
    WEIGHTS_LARGEST, /* the largest and the smallest integers only */
    WEIGHTS_SCALES, /* zero, subnormal, negative and large scales */
    WEIGHTS_FAULTY, /* infinite and NaN scales too */
    WEIGHTS_KINDS
} weights_kind;

/** Properties of a layout that the tests use. */
typedef struct layout_form {
    const char *name;
    hlmi_layout layout;
    size_t rows, unit_k, unit_bytes;
} layout_form;

extern const layout_form layout_forms[HLMI_LAYOUT_COUNT];

size_t weights_group_bytes(const layout_form *f, size_t cols);
/** `groups` groups, freed with the case. */
void *weights_random(ck_run *t, const layout_form *f, size_t cols, size_t groups, weights_kind kind);
/** Value of row r (of all groups) and column k; *size is the same with absolute values of scale and minimum parts
 *  added. */
double weights_value(const layout_form *f, const void *w, size_t cols, size_t r, size_t k, double *size);

#endif
