/* What select.c calls: one function for each ISA folder, which overlays the entries that the ISA does faster. */
#ifndef HLMI_KERNEL_ISA_H
#define HLMI_KERNEL_ISA_H

#include "kernel/kernel.h"

/** Every entry of an empty table. `bf16`: bf16 weights meet bf16 activations, else f32 ones. `vnni`: Q8 weights meet
 *  int8 activations, else int16 ones. */
void hlmi_kernels_ref(hlmi_kernels *k, bool bf16, bool vnni);
void hlmi_kernels_avx2(hlmi_kernels *k);
/** `cpu`: whether VNNI and bf16 dot products may be used; with bf16 and Q8 weights only where k->act asks for them. */
void hlmi_kernels_avx512(hlmi_kernels *k, unsigned cpu);

#endif
