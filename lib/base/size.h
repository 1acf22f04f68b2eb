/* Sizes that can not wrap. */
#ifndef HLMI_BASE_SIZE_H
#define HLMI_BASE_SIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool hlmi_mul_size(size_t a, size_t b, size_t *out)
{
    if (b != 0 && a > SIZE_MAX / b) return false;
    *out = a * b;
    return true;
}

static inline bool hlmi_add_size(size_t a, size_t b, size_t *out)
{
    if (a > SIZE_MAX - b) return false;
    *out = a + b;
    return true;
}

static inline size_t hlmi_min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

static inline size_t hlmi_max_size(size_t a, size_t b)
{
    return a > b ? a : b;
}

/** n rounded up to a multiple of m (m > 0); the caller knows that it fits. */
static inline size_t hlmi_round_up(size_t n, size_t m)
{
    return (n + m - 1) / m * m;
}

static inline size_t hlmi_div_up(size_t n, size_t m)
{
    return n / m + (n % m != 0);
}

#endif
