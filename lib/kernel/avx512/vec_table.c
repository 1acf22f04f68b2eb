/* The kernels of this folder other than matrix products. */
#include "kernel/isa.h"

void hlmi_vec_avx512(hlmi_kernels *k, unsigned cpu)
{
    (void)k;
    (void)cpu;
}
