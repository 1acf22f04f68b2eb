/* Sparse feed-forward blocks. */
#ifndef HLMI_ARCH_EXPERTS_H
#define HLMI_ARCH_EXPERTS_H

#include "arch/decoder.h"

enum { HLMI_MAX_EXPERTS = 4096 };

/** A model's experts, the same number in each layer that has some. Files hold them in tensors of their own
 *  (HLMI_PART_EXPERT_UP), or one for all (HLMI_PART_STACK_UP). Their form is the feed-forward's. */
typedef struct hlmi_experts {
    hlmi_router router; /* without its bias, which the family's names say is there; n_experts 0: no layer has experts */
    size_t ff; /* what lies between an expert's input and output */
    size_t shared_ff; /* of the shared one; 0: it is the feed-forward of the layer, or there is none */
    size_t latent; /* width of what experts read and give; 0: the hidden size */
} hlmi_experts;

/** Adds a layer's block. shared: the feed-forward that is its shared expert, or NULL. */
hlm_status hlmi_experts_add(const hlmi_decoder *d, const hlmi_experts *e, size_t layer, const hlmi_mlp_params *shared);

#endif
