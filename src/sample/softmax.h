/* Passes over a whole vocabulary: the largest logit, exponentials and their sums. Everything here has one order of
 * operations and no calls in its loops, so that compilers turn them into vector code with the same results. */
#ifndef HLMI_SAMPLE_SOFTMAX_H
#define HLMI_SAMPLE_SOFTMAX_H

#include <stddef.h>

/** The largest of x [n]; NaN is passed over. -infinity when there is nothing else. */
float hlmi_max(const float *x, size_t n);

/** Index of the first value equal to the largest; n when that is -infinity. */
size_t hlmi_argmax(const float *x, size_t n);

/** Sums are taken in blocks of so many values, one block after another. */
enum { HLMI_SUM_BLOCK = 64 };

/** Sum of at most HLMI_SUM_BLOCK values, in double. */
double hlmi_sum_block(const float *x, size_t n);

/** y[i] = e^((x[i] - max) * scale), relative error at most 2^-21, 0 where that is below e^-86; returns their sum. max
 *  is the largest of x and finite, scale is positive. */
double hlmi_softmax(float *restrict y, const float *restrict x, size_t n, float max, float scale);

/** The same sum at scale 1, without keeping the terms. */
double hlmi_sum_exp(const float *x, size_t n, float max);

#endif
