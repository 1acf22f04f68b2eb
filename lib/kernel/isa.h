/* What select.c calls: one function for each ISA folder, which overlays the entries that the ISA does faster. Matrix
 * products and packing (table.c of a folder) and all other kernels (vec_table.c) fill theirs apart. */
#ifndef HLMI_KERNEL_ISA_H
#define HLMI_KERNEL_ISA_H

#include "kernel/kernel.h"

/** Every product and packing entry. `bf16`: bf16 weights meet bf16 activations, else f32 ones. `vnni`: Q8 weights meet
 *  int8 activations, else int16 ones. */
void hlmi_kernels_ref(hlmi_kernels *k, bool bf16, bool vnni);
void hlmi_kernels_avx2(hlmi_kernels *k);
/** `cpu`: whether VNNI and bf16 dot products may be used; with bf16 and Q8 weights only where k->act asks for them. */
void hlmi_kernels_avx512(hlmi_kernels *k, unsigned cpu);

/** Every other entry. */
void hlmi_vec_ref(hlmi_kernels *k);
void hlmi_vec_avx2(hlmi_kernels *k);
void hlmi_vec_avx512(hlmi_kernels *k, unsigned cpu);

#endif
