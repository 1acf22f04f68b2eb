/* States of 16 bits to f32 and back in plain C. */
#include "kernel/ref/halves.h"
#include "kernel/ref/ref.h"

#define HALVES_OF(type)                                               \
  static void widen_##type(float *y, const uint16_t *x, size_t n)     \
  {                                                                   \
    for (size_t i = 0; i < n; i++) y[i] = hlmi_##type##_to_f32(x[i]); \
  }                                                                   \
  static void narrow_##type(uint16_t *y, const float *x, size_t n)    \
  {                                                                   \
    for (size_t i = 0; i < n; i++) y[i] = hlmi_f32_to_##type(x[i]);   \
  }

HALVES_OF(f16)
HALVES_OF(bf16)

void hlmi_ref_halves(hlmi_kernels *k)
{
    k->widen[HLMI_STATE_F16] = widen_f16;
    k->widen[HLMI_STATE_BF16] = widen_bf16;
    k->narrow[HLMI_STATE_F16] = narrow_f16;
    k->narrow[HLMI_STATE_BF16] = narrow_bf16;
}
