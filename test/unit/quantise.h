/* Weights of types that tests make themselves. */
#ifndef TEST_UNIT_QUANTISE_H
#define TEST_UNIT_QUANTISE_H

#include "quant/type.h"

/** n values, a multiple of the type's block, from f32, as the type's reference quantises. */
typedef void quantise_fn(void *y, const float *x, size_t n);

/** NULL where there is none. */
quantise_fn *quantise_to(hlmi_type type);

#endif
