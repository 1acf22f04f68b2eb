/* The Transformer decoder that the Llama family shares: pre-norm attention and
 * gated MLP with RMS norms. A member says in a spec what sets it apart. */
#ifndef HLMI_ARCH_DECODER_H
#define HLMI_ARCH_DECODER_H

#include "arch/arch.h"

/** When a projection has a bias. */
typedef enum hlmi_has_bias {
    HLMI_BIAS_NEVER,
    HLMI_BIAS_ALWAYS,
    HLMI_BIAS_ASKED /* HF: the setting is true; GGUF: the tensor is there */
} hlmi_has_bias;

typedef struct hlmi_decoder_spec {
    hlmi_has_bias qkv_bias, o_bias, mlp_bias;
    const char *attn_bias_key, *mlp_bias_key; /* config.json's settings for HLMI_BIAS_ASKED */
    bool qk_norm;                             /* RMS norm of each q and k head */
    bool interleaved_gguf;                    /* GGUF files hold q and k rows as rotation pairs */
    /** Window of a layer in tokens, 0 for none. */
    hlm_status (*window)(const hlmi_config *c, size_t layer, size_t n_layers, size_t *out);
} hlmi_decoder_spec;

hlm_status hlmi_decoder_build(const hlmi_decoder_spec *spec, const hlmi_config *c, hlmi_loader *l, hlmi_plan *plan);

/** "sliding_window" for every layer (Mistral, which takes no notice of layer_types). */
hlm_status hlmi_window_all(const hlmi_config *c, size_t layer, size_t n_layers, size_t *out);
/** The same, when use_sliding_window is true, for the layers that layer_types names or those from max_window_layers on (Qwen). */
hlm_status hlmi_window_upper(const hlmi_config *c, size_t layer, size_t n_layers, size_t *out);

#endif
