/* Weights of sparse feed-forward blocks. */
#ifndef HLMI_ARCH_EXPERTS_H
#define HLMI_ARCH_EXPERTS_H

#include "arch/decoder.h"

enum { HLMI_MAX_EXPERTS = 4096 };

/** Experts of a layer. Files hold them in tensors of their own (HLMI_PART_EXPERT_UP), or one for all
 *  (HLMI_PART_STACK_UP). */
typedef struct hlmi_expert_set {
    bool gated;
    bool gate_in_up; /* in folders the tensor of up holds the rows of gate, then those of up */
    size_t n, used; /* experts of the layer, and of a token */
    size_t width, ff; /* an expert's input, which is its output too; what lies between */
} hlmi_expert_set;

/** Experts 0 to n - 1 of a layer, and one more (or NULL) behind them. A token is computed with used / n of those that
 *  are counted here. NULL after a failure, which stays. */
const hlmi_expert *hlmi_experts_want(const hlmi_decoder *d, const hlmi_expert_set *s, size_t layer,
                                     const hlmi_expert *more);

#endif
