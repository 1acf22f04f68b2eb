/* Philox4x32-10, the counter-based generator of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1,
 * 2, 3" (2011). It has no state but the counter, so a sampler is forked by copying one number. */
#ifndef HLMI_SAMPLE_PHILOX_H
#define HLMI_SAMPLE_PHILOX_H

#include <stdint.h>

void hlmi_philox(uint32_t out[4], const uint32_t counter[4], const uint32_t key[2]);

/** Uniform in [0, 1), a multiple of 2^-53: draw number `draw` of `seed`. */
double hlmi_philox_uniform(uint64_t seed, uint64_t draw);

#endif
