/* Mamba-1 mixers, which several families hold alike under names of their own. */
#ifndef HLMI_ARCH_MAMBA1_LAYER_H
#define HLMI_ARCH_MAMBA1_LAYER_H

#include "arch/decoder.h"

/** Names of config.json's settings; NULL: the family has no such setting. */
typedef struct hlmi_mamba1_keys {
    const char *inner; /* channels, where given goes before expand */
    const char *expand, *state, *window, *dt_rank, *conv_bias, *proj_bias;
} hlmi_mamba1_keys;

/** Jamba's and Hymba's. */
extern const hlmi_mamba1_keys hlmi_jamba_keys;

/** What the settings say. */
typedef struct hlmi_mamba1 {
    size_t inner, state, window, dt_rank;
    bool conv_bias, proj_bias;
    double
        norm_eps; /* of the norms of dt, B and C, with weights where the family has names for them; 0: there are none */
} hlmi_mamba1;

/** All but norm_eps. */
hlm_status hlmi_mamba1_read(const hlmi_decoder *d, const hlmi_mamba1_keys *k, hlmi_mamba1 *m);
/** A mixer's weights, all but the norm of its input. Its projection has `before` rows in front of u's and z's. Takes a
 *  recurrence of the plan. */
hlm_status hlmi_mamba1_want(const hlmi_decoder *d, const hlmi_mamba1 *m, size_t layer, size_t before,
                            hlmi_mamba1_params *p);
/** The same, the norm of its input (HLMI_PART_ATTN_NORM), and its block. */
hlm_status hlmi_mamba1_add(const hlmi_decoder *d, const hlmi_mamba1 *m, size_t layer);

#endif
