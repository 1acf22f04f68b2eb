/* The sparse feed-forward of the Qwen family, with a shared expert or without. */
#ifndef HLMI_ARCH_QWEN_EXPERTS_H
#define HLMI_ARCH_QWEN_EXPERTS_H

#include "arch/experts.h"

typedef struct hlmi_qwen_experts {
    hlmi_experts all;
    size_t step; /* every step-th layer has them */
} hlmi_qwen_experts;

/** Experts, those of a token and their width where config.json has none (0: it must). */
typedef struct hlmi_qwen_usual {
    int64_t n, used, ff;
    bool shared, normalise;
} hlmi_qwen_usual;

hlm_status hlmi_qwen_experts_read(const hlmi_decoder *d, const hlmi_qwen_usual *usual, hlmi_qwen_experts *out);
/** A layer's feed-forward, sparse or dense. */
hlm_status hlmi_qwen_experts_add(const hlmi_decoder *d, const hlmi_qwen_experts *e, size_t layer);

#define HLMI_NAMES_QWEN_EXPERTS(p) \
  [HLMI_PART_ROUTER] = {p "gate", "blk.%zu.ffn_gate_inp"}, HLMI_NAMES_EXPERTS(p, "gate_proj", "up_proj", "down_proj")
#define HLMI_NAMES_QWEN_SHARED(p)                                                    \
  [HLMI_PART_SHARED_SCALE] = {p "shared_expert_gate", "blk.%zu.ffn_gate_inp_shexp"}, \
  [HLMI_PART_SHARED_GATE] = {p "shared_expert.gate_proj", "blk.%zu.ffn_gate_shexp"}, \
  [HLMI_PART_SHARED_UP] = {p "shared_expert.up_proj", "blk.%zu.ffn_up_shexp"},       \
  [HLMI_PART_SHARED_DOWN] = {p "shared_expert.down_proj", "blk.%zu.ffn_down_shexp"}

#endif
