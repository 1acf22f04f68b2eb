/* The matrix products and packing of this folder. */
#include "kernel/isa.h"

void hlmi_kernels_avx2(hlmi_kernels *k)
{
    (void)k;
}
