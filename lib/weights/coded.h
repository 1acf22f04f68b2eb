/* Coded matrices: a quantised folder has several tensors in the place of one matrix [rows, cols], the codes of its
 * weights and what makes numbers of them. A weight is
 *
 *     (code - zero) * scale            integers
 *     number(code) * scale             E4M3, E2M1, a table's
 *
 * with one scale (and zero) for the weights of a group: consecutive columns of one row or of several, or the columns
 * that a list names. In the store such a matrix is one tensor, of type runs, f8_scaled or f32, whose rows are made when
 * they are read. */
#ifndef HLMI_WEIGHTS_CODED_H
#define HLMI_WEIGHTS_CODED_H

#include "weights/store.h"

/** Where the code of row r, column k is. `bits` divide 32 but where words are read down the columns. */
typedef enum hlmi_code_order {
    HLMI_CODES_ROWS, /* [rows][cols], lowest bits first (bytes: 8 bits) */
    HLMI_CODES_HIGH_FIRST, /* the same of nibbles, but the first of two is the high one */
    HLMI_CODES_COLUMNS, /* words [cols * bits / 32][rows]: bits of a row run down a column of words (GPTQ) */
    HLMI_CODES_NVFP4, /* blocks of that type, with scales of their own: `scales` are [rows / tall] */
    HLMI_CODES_AWQ /* words [cols][rows / 8] of nibbles in the order 0 2 4 6 1 3 5 7 of rows */
} hlmi_code_order;

/** What number a code is. */
typedef enum hlmi_code_kind {
    HLMI_CODE_UNSIGNED, /* an integer from 0 on */
    HLMI_CODE_SIGNED, /* of two's complement, 8 bits */
    HLMI_CODE_E4M3,
    HLMI_CODE_INTEGERS, /* a table of integers of 8 bits (E2M1: of twice the values) */
    HLMI_CODE_TABLE /* a table of f32 */
} hlmi_code_kind;

/** Where the zero of row r, group g is. */
typedef enum hlmi_zero_kind {
    HLMI_ZERO_ALL, /* `zero` for all */
    HLMI_ZERO_ROWS, /* words [rows * bits / 32][groups], lowest bits first */
    HLMI_ZERO_GROUPS, /* words [groups][rows * bits / 32] */
    HLMI_ZERO_AWQ, /* words [groups][rows / 8], nibbles in AWQ's order */
    HLMI_ZERO_BYTES, /* int8 [rows][groups] */
    HLMI_ZERO_ADDED /* `zero` for all, and numbers [groups][rows] that are added */
} hlmi_zero_kind;

typedef struct hlmi_coded {
    size_t rows, cols;
    unsigned bits;
    hlmi_code_order order;
    hlmi_code_kind kind;
    hlmi_zero_kind zeros;
    int zero; /* for all, or added to those of the file */
    size_t group, tall; /* columns of a group; rows of one */
    size_t groups; /* of a row */
    bool scales_turned; /* [groups][rows / tall], else [rows / tall][groups] */
    float factor, divisor; /* of all scales */
    hlmi_tensor code, scale, zero_words; /* name NULL: none */
    uint32_t *of; /* [cols] group of each column, where groups are not consecutive; NULL: they are */
    const float *table; /* the numbers of codes [2^bits], of INTEGERS and TABLE */
    float *own_table; /* the same, where it was read */
    float *scales; /* [rows][groups] that were read at once, instead of `scale` */
} hlmi_coded;

/** The type that the matrix has in the store, by what it is made of. */
hlmi_type hlmi_coded_type(const hlmi_coded *c);
/** n bytes of it in that type, from `offset` on, which are whole rows. */
hlm_status hlmi_coded_read(const hlmi_store *s, const hlmi_coded *c, uint64_t offset, size_t n, void *out);

#endif
