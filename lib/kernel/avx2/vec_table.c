/* The kernels of this folder other than matrix products. */
#include "kernel/isa.h"
#include "kernel/avx2/vec.h"

void hlmi_vec_avx2(hlmi_kernels *k)
{
    hlmi_avx2_rows(k);
    hlmi_avx2_attn(k);
    hlmi_avx2_recur(k);
    hlmi_avx2_delta(k);
    hlmi_avx2_hash(k);
}
