/* Mamba-2 layers, which several families hold alike under names of their own. */
#ifndef HLMI_ARCH_MAMBA2_LAYER_H
#define HLMI_ARCH_MAMBA2_LAYER_H

#include "arch/decoder.h"

/** Names of config.json's settings; NULL: the family has no such setting. */
typedef struct hlmi_mamba2_keys {
    const char *heads, *head_dim, *state, *groups, *window, *conv_bias, *proj_bias;
    const char *expand; /* times the hidden size must be all heads' lanes */
    const char *dt_limit; /* [smallest, largest] step */
    const char *dt_min; /* the smallest alone */
} hlmi_mamba2_keys;

/** What they say. */
typedef struct hlmi_mamba2 {
    size_t heads, head_dim, state, groups, window;
    bool conv_bias, proj_bias, out_bias; /* proj_bias: of the input's projection; out_bias: of the output's */
    float dt_min, dt_max;
    double in_scale, part_scale[HLMI_SSM_PARTS]; /* of the projection's input, and of its parts; 0: 1 */
    hlmi_gate_kind gate; /* of the gated norm; NONE: there is none */
    size_t norm_groups;
} hlmi_mamba2;

/** Absent settings of `m` are those it comes with (0: required). The gate is before a norm of as many groups as B and C
 *  have. */
hlm_status hlmi_mamba2_read(const hlmi_decoder *d, const hlmi_mamba2_keys *k, hlmi_mamba2 *m);
/** A layer's weights, all but the norm of its input. Takes a recurrence of the plan. */
hlm_status hlmi_mamba2_want(const hlmi_decoder *d, const hlmi_mamba2 *m, size_t layer, hlmi_mamba2_params *p);
/** The same, the norm of its input (HLMI_PART_ATTN_NORM), and its block. */
hlm_status hlmi_mamba2_add(const hlmi_decoder *d, const hlmi_mamba2 *m, size_t layer);

/** Bamba's names of settings, and what its class has where they are absent, which Granite and Falcon-H1 share. */
extern const hlmi_mamba2_keys hlmi_bamba_keys;
#define HLMI_BAMBA_USUAL .heads = 128, .state = 256, .groups = 1, .window = 4, .conv_bias = true
/** Its names of tensors, which Falcon-H1 shares. */
extern const hlmi_key hlmi_bamba_names[HLMI_PARTS];

#endif
