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
/** Is the layer a delta net? layer_types says, or else full_attention_interval. */
hlm_status hlmi_delta_net_is(const hlmi_decoder *d, size_t layer, bool *out);
/** Adds a delta net. */
hlm_status hlmi_delta_net_add(const hlmi_decoder *d, const hlmi_delta_net *n, size_t layer);

#endif
