/* What adapters add to products (plan/adapter.h): low = A x for a row, in a region that steps without adapters skip,
 * then y = factor * (y + B low) beside the products of the matrix itself. One row at a time, so that a batch never
 * shows. */
#ifndef HLMI_CPU_LOW_H
#define HLMI_CPU_LOW_H

#include "cpu/product.h"
#include "plan/adapter.h"

/** What an adapter has for a matrix (either NULL: nothing), or NULL. */
static inline const hlmi_low *hlmi_low_of(const hlm_adapter *ad, const hlmi_matrix *m)
{
    return ad && m && m->number && ad->low[m->number - 1].a.rows ? &ad->low[m->number - 1] : NULL;
}

/** y [n][HLMI_LOW_MAX] = A x for each of n matrices (NULL: none), x through the norm (or NULL), for which `normed` is
 *  room. */
static inline void hlmi_low_in(const hlmi_kernels *k, const hlm_adapter *ad, const hlmi_dense *m, size_t n,
                               const hlmi_norm *norm, const float *x, float *normed, float *y)
{
    for (size_t i = 0; i < n; i++) {
        const hlmi_low *low = hlmi_low_of(ad, m[i].w);
        if (!low) continue;
        if (x != normed) x = hlmi_cpu_normed(k, norm, normed, x);
        const hlmi_product p = hlmi_product_of(k, &low->a, true, false);
        hlmi_product_run(k, &p, 0, p.bands, (const uint8_t *)x, 0, 1, y + i * HLMI_LOW_MAX);
    }
}

/** Adds to one row's products y of `bands` bands from band `u` on what x [HLMI_LOW_MAX], its A x, has for them; tmp: as
 *  many floats as y has. */
static inline void hlmi_low_out(const hlmi_kernels *k, const hlmi_low *low, size_t u, size_t bands, const float *x,
                                float *y, float *tmp)
{
    const size_t row = u * HLMI_BAND, n = hlmi_min_size(bands * HLMI_BAND, low->b.rows - row);
    const hlmi_product p = hlmi_product_of(k, &low->b, true, false);
    hlmi_product_run(k, &p, u, bands, (const uint8_t *)x, 0, 1, tmp);
    k->add(y, y, tmp, n);
    if (low->factor) k->mul(y, y, low->factor + row, n);
}

#endif
