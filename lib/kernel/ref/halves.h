/* Rounding to the types of recurrent state in plain C. */
#ifndef HLMI_KERNEL_REF_HALVES_H
#define HLMI_KERNEL_REF_HALVES_H

#include "base/half.h"
#include "kernel/kernel.h"

/** x as the type has it. */
static inline float hlmi_ref_round(hlmi_state_type type, float x)
{
    if (type == HLMI_STATE_F16) return hlmi_f16_to_f32(hlmi_f32_to_f16(x));
    return type == HLMI_STATE_BF16 ? hlmi_bf16_to_f32(hlmi_f32_to_bf16(x)) : x;
}

#endif
