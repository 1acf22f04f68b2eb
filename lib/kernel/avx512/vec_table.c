/* The kernels of this folder other than matrix products. */
#include "kernel/isa.h"
#include "kernel/avx512/vec.h"

void hlmi_vec_avx512(hlmi_kernels *k, unsigned cpu)
{
    (void)cpu;
    hlmi_avx512_rows(k);
    hlmi_avx512_attn(k);
    hlmi_avx512_recur(k);
    hlmi_avx512_delta(k);
}
