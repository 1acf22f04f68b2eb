/* Template: the kernels other than matrix products and attention, over an ISA's simd.h, which the including file has
 * included before. */
#ifndef HLMI_KERNEL_TMPL_VEC_H
#define HLMI_KERNEL_TMPL_VEC_H

#include "kernel/tmpl/conv.h"
#include "kernel/tmpl/delta.h"
#include "kernel/tmpl/halves.h"
#include "kernel/tmpl/row.h"
#include "kernel/tmpl/scan1.h"
#include "kernel/tmpl/scan2.h"

static inline void fill_vec(hlmi_kernels *k)
{
    fill_rows(k);
    fill_halves(k);
    k->conv = conv;
    k->scan1 = scan1;
    k->scan2 = scan2;
    k->delta = delta;
}

#endif
