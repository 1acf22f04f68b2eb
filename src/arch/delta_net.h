/* Decoders whose layers are gated delta nets or attention, as layer_types says (Qwen3-Next, Qwen3.5). */
#ifndef HLMI_ARCH_DELTA_NET_H
#define HLMI_ARCH_DELTA_NET_H

#include "arch/decoder.h"

/** Settings of the delta nets, which are the same in all layers. */
typedef struct hlmi_delta_net {
    size_t key_heads, value_heads, key_dim, value_dim, window;
    bool turns; /* GGUF files of Qwen3.5: the value heads of a key head lie key_heads apart */
    bool turned; /* so do this file's */
    bool fused; /* one tensor for q, k, v and z and one for b and a, both [key head][part] */
} hlmi_delta_net;

hlm_status hlmi_delta_net_read(const hlmi_decoder *d, hlmi_delta_net *out);
/** Adds a layer's delta net or attention: layer_types says which, or else full_attention_interval. */
hlm_status hlmi_delta_net_layer(const hlmi_decoder *d, const hlmi_delta_net *n, size_t layer);
/** What is the same in the tables of names and the specs of these families. */
#define HLMI_NAMES_DELTA(p)                                                                                       \
  HLMI_NAMES_ENDS("model.", "embed_tokens", "norm"),                                                              \
      [HLMI_PART_ATTN_NORM] = {HLMI_LAYER "input_layernorm", "blk.%zu.attn_norm"},                                \
      HLMI_NAMES_ATTENTION(HLMI_LAYER "self_attn."), HLMI_NAMES_QK_NORMS("self_attn.q_norm", "self_attn.k_norm"), \
      [HLMI_PART_MLP_NORM] = {HLMI_LAYER "post_attention_layernorm", "blk.%zu.post_attention_norm"},              \
      HLMI_NAMES_MLP(HLMI_LAYER "mlp."),                                                                          \
      HLMI_NAMES_MIXER(p), [HLMI_PART_SSM_DT_BIAS] = {p "dt_bias", "blk.%zu.ssm_dt.bias"},                        \
      [HLMI_PART_SSM_NORM] = {p "norm", "blk.%zu.ssm_norm"}
#define HLMI_NAMES_DELTA_APART(p)                                                                                      \
  [HLMI_PART_DELTA_Q] = {p "in_proj_qkv", "blk.%zu.attn_qkv"},                                                         \
  [HLMI_PART_DELTA_K] = {p "in_proj_qkv", "blk.%zu.attn_qkv"},                                                         \
  [HLMI_PART_DELTA_V] = {p "in_proj_qkv", "blk.%zu.attn_qkv"},                                                         \
  [HLMI_PART_SSM_Z] = {p "in_proj_z", "blk.%zu.attn_gate"}, [HLMI_PART_DELTA_B] = {p "in_proj_b", "blk.%zu.ssm_beta"}, \
  [HLMI_PART_DELTA_A] = {p "in_proj_a", "blk.%zu.ssm_alpha"}
#define HLMI_DELTA_NET_SPEC                                                                                            \
  .qkv_bias = HLMI_BIAS_ATTENTION, .o_bias = HLMI_BIAS_ATTENTION, .norm_plus_one = true, .eps = 1e-6, .qk_norm = true, \
  .gated_attention = true, .partial_rotary = 0.25

#endif
