/* The kernels of this folder other than matrix products. */
#include "kernel/isa.h"
#include "kernel/ref/vec.h"

void hlmi_vec_ref(hlmi_kernels *k)
{
    k->rms_norm = hlmi_ref_rms_norm;
    k->layer_norm = hlmi_ref_layer_norm;
    k->gelu = hlmi_ref_gelu;
    k->relu2 = hlmi_ref_relu2;
    k->add = hlmi_ref_add;
    k->mul = hlmi_ref_mul;
    k->scale = hlmi_ref_scale;
    k->silu_mul = hlmi_ref_silu_mul;
    k->sigmoid_mul = hlmi_ref_sigmoid_mul;
    k->gelu_erf_mul = hlmi_ref_gelu_erf_mul;
    k->rope = hlmi_ref_rope;
    k->max = hlmi_ref_max;
    k->exp_sum = hlmi_ref_exp_sum;
    k->scan1 = hlmi_ref_scan1;
    hlmi_ref_attn(k);
    hlmi_ref_halves(k);
    k->conv = hlmi_ref_conv;
    k->scan2 = hlmi_ref_scan2;
    k->delta = hlmi_ref_delta;
    hlmi_ref_hash(k);
}
