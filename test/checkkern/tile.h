/* Random weight tiles, made directly in the layouts of quant/tile.h, and their
 * values in double. */
#ifndef CHECKKERN_TILE_H
#define CHECKKERN_TILE_H

#include "checkkern.h"

typedef enum tile_kind {
    TILE_RANDOM, /* every bit of the integers random, scales of a sane size */
    TILE_LARGEST, /* the largest and the smallest integers only */
    TILE_SCALES, /* zero, subnormal, negative and large scales */
    TILE_FAULTY, /* infinite and NaN scales too */
    TILE_KINDS
} tile_kind;

/** Properties of a layout that the tests use. */
typedef struct tile_form {
    const char *name;
    hlmi_layout layout;
    size_t rows, unit_k, unit_bytes;
} tile_form;

extern const tile_form tile_forms[HLMI_TILE_COUNT];

size_t tile_group_bytes(const tile_form *f, size_t cols);
/** `groups` groups, freed with the case. */
void *tile_random(ck_run *t, const tile_form *f, size_t cols, size_t groups, tile_kind kind);
/** Value of row r (of all groups) and column k; *size is the same with absolute values of scale and minimum parts added. */
double tile_value(const tile_form *f, const void *w, size_t cols, size_t r, size_t k, double *size);

#endif
