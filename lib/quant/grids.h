/* Points of the i-quants' grids: eight or four magnitudes at once, named by an index. */
#ifndef HLMI_QUANT_GRIDS_H
#define HLMI_QUANT_GRIDS_H

#include <stddef.h>
#include <stdint.h>

extern const uint16_t hlmi_grid_iq2_xxs[256], hlmi_grid_iq2_xs[512], hlmi_grid_iq2_s[1024]; /* 8 of 8, 25, 43 */
extern const uint16_t hlmi_grid_iq3_xxs[256], hlmi_grid_iq3_s[512]; /* 4 of 4, 12, ... 52, 62; of 1, 3, ... 15 */
extern const uint16_t hlmi_grid_iq1_s[2048]; /* 8 of -1, 0, 1 */

/** The 8 (4) elements of an entry of digits of 2 (3) bits, each the value of its digit; bit j of `minus` makes element
 *  j negative. */
static inline void hlmi_grid_take(int8_t *q, size_t n, uint32_t entry, const int8_t *values, uint32_t minus)
{
    const uint32_t bits = n == 8 ? 2 : 3;
    for (size_t j = 0; j < n; j++, entry >>= bits) {
        const int8_t v = values[entry & ((1u << bits) - 1)];
        q[j] = minus >> j & 1 ? (int8_t)-v : v;
    }
}

/** Eight signs of seven bits: the eighth makes the number of minuses even. */
static inline uint32_t hlmi_even_signs(uint32_t seven)
{
    const uint32_t s = seven & 127u, f = s ^ s >> 4, g = f ^ f >> 2;
    return s | ((g ^ g >> 1) & 1u) << 7;
}

#endif
