/* Weights of sparse feed-forward blocks, which files hold expert by expert or as
 * one tensor for all experts of a layer. */
#ifndef HLMI_ARCH_EXPERTS_H
#define HLMI_ARCH_EXPERTS_H

#include "arch/decoder.h"

enum { HLMI_MAX_EXPERTS = 4096 };

/** How a family holds its experts. Names are without ".weight"; %zu is the layer, %e the expert. */
typedef struct hlmi_expert_set {
    hlmi_key gate, up, down; /* tensors of one expert; gate is empty where the form is not gated */
    hlmi_key all_gate, all_up, all_down; /* tensors [experts, rows, cols], used where the file has them */
    bool gate_in_up; /* the tensor of up holds the rows of gate, then those of up */
    size_t n, used; /* experts of the layer, and of a token */
    size_t width, ff; /* an expert's input, which is its output too; what lies between */
} hlmi_expert_set;

/** Experts 0 to n - 1 of a layer. A token is computed with used / n of them. */
hlm_status hlmi_experts_load(const hlmi_decoder *d, const hlmi_expert_set *s, size_t layer, hlmi_expert *out);

#endif
