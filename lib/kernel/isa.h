/* What select.c calls: one function for each ISA folder, which overlays the
 * entries that the ISA does faster. Matrix products and packing (table.c of a
 * folder) and all other kernels (vec_table.c) fill theirs apart. */
#ifndef HLMI_KERNEL_ISA_H
#define HLMI_KERNEL_ISA_H

#include "kernel/kernel.h"

/** Every product and packing entry. `bf16`: bf16 weights meet bf16 activations, else f32 ones. */
void hlmi_kernels_ref(hlmi_kernels *k, bool bf16);
void hlmi_kernels_avx2(hlmi_kernels *k);
/** `cpu`: whether VNNI and bf16 dot products may be used; the latter only where k->act[HLMI_TILE_BF16] asks for them. */
void hlmi_kernels_avx512(hlmi_kernels *k, unsigned cpu);

/** Every other entry. */
void hlmi_vec_ref(hlmi_kernels *k);
void hlmi_vec_avx2(hlmi_kernels *k);
void hlmi_vec_avx512(hlmi_kernels *k, unsigned cpu);

#endif
