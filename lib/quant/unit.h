/* The units of the quantised layouts (layout.h) as structs. */
#ifndef HLMI_QUANT_UNIT_H
#define HLMI_QUANT_UNIT_H

#include <stdint.h>

#include "quant/layout.h"

/* Nibbles: [chunk of 8 k][row][byte j]: k = 8 * chunk + j in the low half, 8 * chunk + 4 + j in the high half. */
typedef struct hlmi_unit_q4 {
    uint16_t d[32];
    uint8_t q[4][32][4];
} hlmi_unit_q4;

typedef struct hlmi_unit_q4m {
    uint16_t d[32], m[32];
    uint8_t q[4][32][4];
} hlmi_unit_q4m;

typedef struct hlmi_unit_q5m {
    uint16_t d[32], m[32];
    uint8_t q[4][32][4];
    uint32_t high[32]; /* fifth bits: bit b of byte j is of column 4 * b + j */
} hlmi_unit_q5m;

typedef struct hlmi_unit_q8 {
    uint16_t d[32];
    int8_t q[8][32][4];
} hlmi_unit_q8;

typedef struct hlmi_unit_k4 {
    uint16_t d[16], dmin[16];
    uint8_t sc[8][16], mn[8][16];
    uint8_t q[8][4][16][4]; /* [sub-block of 32][chunk of 8 k][row][byte] */
} hlmi_unit_k4;

typedef struct hlmi_unit_k5 {
    hlmi_unit_k4 low; /* without fifth bits */
    uint32_t high[8][16]; /* [sub-block][row] as of q5m */
} hlmi_unit_k5;

typedef struct hlmi_unit_k4t {
    uint16_t d[16], zero[16];
    int8_t sc[8][16];
    uint8_t q[8][4][16][4]; /* as of k4 */
} hlmi_unit_k4t;

typedef struct hlmi_unit_k6 {
    uint16_t d[16], zero[16];
    int8_t sc[16][16];
    int8_t q[16][4][16][4]; /* [sub-block of 16][chunk of 4 k][row][byte] */
} hlmi_unit_k6;

typedef struct hlmi_unit_s8 {
    float d[2][32]; /* [half of 16 columns][row] */
    int8_t q[8][32][4];
} hlmi_unit_s8;

typedef struct hlmi_unit_s8m {
    float d[2][32], m[2][32];
    int8_t q[8][32][4];
} hlmi_unit_s8m;

typedef struct hlmi_unit_f8 {
    float d[32];
    uint8_t q[8][32][4];
} hlmi_unit_f8;

enum {
#define HLMI_UNIT_ROWS(constant, name, rows, ...) HLMI_ROWS_##name = (rows),
    HLMI_UNIT_LAYOUTS(HLMI_UNIT_ROWS) HLMI_CODE_LAYOUTS(HLMI_UNIT_ROWS)
#undef HLMI_UNIT_ROWS
};

#define HLMI_UNIT_SIZE(constant, name, rows, unit_k, unit_bytes, minimum) \
  _Static_assert(sizeof(hlmi_unit_##name) == (unit_bytes), #constant " is as layout.h has it");
HLMI_UNIT_LAYOUTS(HLMI_UNIT_SIZE)
HLMI_CODE_LAYOUTS(HLMI_UNIT_SIZE)
#undef HLMI_UNIT_SIZE

#endif
