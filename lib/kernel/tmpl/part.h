/* Template: the first n lanes of a vector, over an ISA's simd.h, which the including file has included before. Where n
 * is known to be all of them, it costs nothing. */
#ifndef HLMI_KERNEL_TMPL_PART_H
#define HLMI_KERNEL_TMPL_PART_H

#include "kernel/walk.h"

HLMI_INLINE vf vf_load_some(const float *p, size_t n)
{
    return n == VF ? vf_load(p) : vf_load_part(p, n);
}

HLMI_INLINE void vf_store_some(float *p, vf x, size_t n)
{
    if (n == VF) vf_store(p, x);
    else vf_store_part(p, x, n);
}

#endif
