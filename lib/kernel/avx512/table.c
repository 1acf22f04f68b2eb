/* The matrix products and packing of this folder. */
#include "kernel/isa.h"

void hlmi_kernels_avx512(hlmi_kernels *k, unsigned cpu)
{
    (void)k;
    (void)cpu;
}
