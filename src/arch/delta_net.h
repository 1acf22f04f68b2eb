/* Decoders whose layers are gated delta nets or attention, as layer_types says (Qwen3-Next, Qwen3.5). */
#ifndef HLMI_ARCH_DELTA_NET_H
#define HLMI_ARCH_DELTA_NET_H

#include "arch/decoder.h"

/** Settings of the delta nets, which are the same in all layers. */
typedef struct hlmi_delta_net {
    size_t key_heads, value_heads, key_dim, value_dim, window;
    bool fused; /* one tensor for q, k, v and z and one for b and a, both [key head][part] */
} hlmi_delta_net;

hlm_status hlmi_delta_net_read(const hlmi_config *c, hlmi_delta_net *out);
/** Adds a layer's delta net or attention: layer_types says which, or else full_attention_interval. */
hlm_status hlmi_delta_net_layer(const hlmi_decoder *d, const hlmi_delta_net *n, size_t layer);
/** What is the same in the specs of these families. */
extern const hlmi_decoder_spec hlmi_delta_net_spec;

#endif
