/* Layouts: how weight matrices lie in memory for the kernels. A matrix W [rows, cols] is cut into row groups of R rows;
 * a group is contiguous, groups follow one another, and the rows of the last group past the end are zero weights.
 * Inside a group a vector lane is a row, and k (the column) runs in order.
 *
 * All scales stay f16 as in the file (bits, not converted); nibble order below is the layout's own. Groups begin on
 * 64-byte boundaries; every unit is a multiple of 64 B.
 *
 *  F32   R=32  [cols][32] f32
 *  F16   R=32  [cols][32] f16
 *  BF16  R=32  [ceil(cols/2)][32][2] bf16: two consecutive k of a lane side by side, an odd end is 0
 *  Q4    R=32  per 32 k: d f16[32], then 512 B: 4 chunks of 8 k; chunk c, lane r, byte j (0..3) at c*128 + r*4 + j
 *              holds k = 8c + j in its low and k = 8c + 4 + j in its high nibble. w = d * (q - 8).     576 B
 *  Q4M   R=32  as Q4 with m f16[32] behind d. w = d * q + m.                                           640 B
 *  Q5M   R=32  as Q4M, then 128 B of fifth bits: word r (u32, little endian), of lane r, holds bit 4 of k = 4b + j in
 *              bit b of its byte j, so that shifts bring it beside the nibbles.
 *              w = d * q + m; q5_0 is stored with m = -16 d: exact for |d| < 4096 but for the sign of
 *              a zero weight (infinite from there on; such scales make weights of 65536 and more).      768 B
 *  Q8    R=32  per 32 k: d f16[32], then 1024 B: 8 chunks of 4 k; chunk c, lane r, byte j holds
 *              k = 4c + j as int8 (two's complement). w = d * q.                                        1088 B
 *  K4    R=16  per 256 k: d f16[16], dmin f16[16], then sc u8[8][16], mn u8[8][16] (6-bit values, sub-block s of 32 k,
 *              lane r), then 8 sub-blocks of 256 B: 4 chunks of 8 k as in Q4 with 16 lanes
 *              (chunk c, lane r, byte j at c*64 + r*4 + j). w = d*sc*q - dmin*mn.                        2368 B
 *  K5    R=16  as K4, then 512 B of fifth bits: word (sub-block s, lane r) at s*64 + r*4, as of Q5M.   2880 B
 *  K4T   R=16  per 256 k: d f16[16], 32 B of zero, sc i8[8][16], then nibbles as of K4, which are places in
 *              hlmi_k4t_values. w = d*sc*value.                                                         2240 B
 *  K6    R=16  per 256 k: d f16[16], 32 B of zero, sc i8[16][16] (sub-block s of 16 k, lane r), then 256*16 B: 64 chunks of
 *              4 k; chunk c, lane r, byte j holds k = 4c + j as int8 = q - 32. w = d*sc*q.               4416 B
 *  S8    R=32  a carrier: what has no layout of its own and comes apart into integers of 8 bits with a scale for 16.
 *              Per 32 k: d f32[2][32] (of k = 0..15 and of the others), then 1024 B as of Q8. w = d * q.  1280 B
 *  S8M   R=32  as S8 with m f32[2][32] behind d. w = d * q + m.                                          1536 B
 *  F8    R=32  per 32 k: d f32[32], then 1024 B as of Q8, but each the code of a number (hlmi_e4m3_to_f32).
 *              w = d * number.                                                                         1152 B
 */
#ifndef HLMI_QUANT_LAYOUT_H
#define HLMI_QUANT_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Layouts whose groups are columns, and those of units: X(CONSTANT, name, rows of a group, columns of a unit, bytes of
 *  a unit), of units also whether weights have a minimum. Carriers and codes of floats, which have no runs, meet f32
 *  activations only. */
#define HLMI_FLOAT_LAYOUTS(X) X(F32, f32, 32, 1, 128) X(F16, f16, 32, 1, 64) X(BF16, bf16, 32, 2, 128)
#define HLMI_INTEGER_LAYOUTS(X)     \
  X(Q4, q4, 32, 32, 576, false)     \
  X(Q4M, q4m, 32, 32, 640, true)    \
  X(Q5M, q5m, 32, 32, 768, true)    \
  X(Q8, q8, 32, 32, 1088, false)    \
  X(K4, k4, 16, 256, 2368, true)    \
  X(K5, k5, 16, 256, 2880, true)    \
  X(K4T, k4t, 16, 256, 2240, false) \
  X(K6, k6, 16, 256, 4416, false)
#define HLMI_CARRIER_LAYOUTS(X) X(S8, s8, 32, 32, 1280, false) X(S8M, s8m, 32, 32, 1536, true)
#define HLMI_UNIT_LAYOUTS(X) HLMI_INTEGER_LAYOUTS(X) HLMI_CARRIER_LAYOUTS(X)
#define HLMI_CODE_LAYOUTS(X) X(F8, f8, 32, 32, 1152, false)
#define HLMI_LAYOUTS(X) HLMI_FLOAT_LAYOUTS(X) HLMI_UNIT_LAYOUTS(X) HLMI_CODE_LAYOUTS(X)

typedef enum hlmi_layout {
#define HLMI_LAYOUT(constant, ...) HLMI_LAYOUT_##constant,
    HLMI_LAYOUTS(HLMI_LAYOUT) HLMI_LAYOUT_COUNT,
    HLMI_LAYOUT_NONE = HLMI_LAYOUT_COUNT
#undef HLMI_LAYOUT
} hlmi_layout;

enum { HLMI_RUN = 16 };

/** What nibbles of K4T stand for: steps fitted to how weights lie (iq4_nl, iq4_xs). */
extern const int8_t hlmi_k4t_values[16];

/** What HLMI_RUN consecutive columns of a lane are made of: no layout has a finer scale. */
typedef struct hlmi_run {
    int8_t q[HLMI_RUN];
    float d, m;
} hlmi_run;

typedef struct hlmi_layout_info {
    const char *name;
    size_t rows; /* R: rows of a group */
    size_t unit_k; /* columns of a unit; cols is a multiple of it (1 for F32, F16; 2 for BF16, rounded up) */
    size_t unit_bytes; /* bytes of a unit of R rows */
    /** y[0], y[step] .. y[(n-1)*step] = elements k0 .. k0+n-1 of lane `row` of a group, as f32: the same bits as
     *  dequantising the file's row (of q5_0 the same numbers, see Q5M). Any k0 and n. For embedding rows, plain C
     *  products and tests. */
    void (*read_row)(float *y, size_t step, const void *group, size_t row, size_t k0, size_t n);
    /** Of unit layouts the run of 16 that begins at k0, a multiple of 16; `minimum`: w = d * q + m, else d * q. */
    void (*read_run)(hlmi_run *run, const void *group, size_t row, size_t k0);
    bool minimum;
} hlmi_layout_info;

/** Never NULL for values below HLMI_LAYOUT_COUNT. */
const hlmi_layout_info *hlmi_layout_get(hlmi_layout layout);

/** Bytes of one row group. */
size_t hlmi_layout_group_bytes(hlmi_layout layout, size_t cols);
/** Bytes of a matrix; false when they overflow. */
bool hlmi_layout_bytes(hlmi_layout layout, size_t rows, size_t cols, size_t *bytes);

#endif
