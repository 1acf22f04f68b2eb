/* Sizes of packed activations. */
#include "kernel/act.h"

#include "kernel/kernel.h"

size_t hlmi_act_stride(hlmi_act act, size_t cols)
{
    size_t bytes = 0;
    switch (act) {
    case HLMI_ACT_F32: bytes = cols * sizeof(float); break;
    case HLMI_ACT_BF16: bytes = (cols + 1) / 2 * 4; break;
    case HLMI_ACT_Q8: bytes = cols / 32 * sizeof(hlmi_act_q8); break;
    case HLMI_ACT_Q8K: bytes = cols / 256 * sizeof(hlmi_act_q8k); break;
    case HLMI_ACT_Q16: bytes = cols / 32 * sizeof(hlmi_act_q16); break;
    case HLMI_ACT_COUNT: break;
    }
    bytes = (bytes + 63) / 64 * 64;
    /* rows 4096 bytes apart would share the same few cache ways */
    return bytes % 4096 == 0 ? bytes + 64 : bytes;
}
