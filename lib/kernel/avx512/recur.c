/* Kernels of recurrent layers in AVX-512. */
#include "kernel/avx512/vec.h"

#include "kernel/avx512/simd.h"
#include "kernel/tmpl/conv.h"
#include "kernel/tmpl/halves.h"
#include "kernel/tmpl/scan1.h"
#include "kernel/tmpl/scan2.h"

void hlmi_avx512_recur(hlmi_kernels *k)
{
    k->conv = conv;
    k->scan1 = scan1;
    k->scan2 = scan2;
    fill_halves(k);
}
