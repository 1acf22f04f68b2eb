/* Mamba-1 mixers, which several families hold alike under names of their own. */
#ifndef HLMI_ARCH_MAMBA1_LAYER_H
#define HLMI_ARCH_MAMBA1_LAYER_H

#include "arch/decoder.h"

/** Names of config.json's settings; NULL: the family has no such setting. */
typedef struct hlmi_mamba1_keys {
    const char *inner; /* channels, where given goes before expand */
    const char *expand, *state, *window, *dt_rank, *conv_bias, *proj_bias;
} hlmi_mamba1_keys;

/** Names of a mixer's tensors behind its prefix, without ".weight" and ".bias" where tensors have these. */
typedef struct hlmi_mamba1_names {
    const char *in, *conv, *select, *dt, *decay, *skip, *out;
    const char *low_norm, *b_norm, *c_norm; /* NULL: those norms have no weights */
} hlmi_mamba1_names;

/** What the settings say. */
typedef struct hlmi_mamba1 {
    const hlmi_mamba1_names *names;
    size_t inner, state, window, dt_rank;
    bool conv_bias, proj_bias;
    double norm_eps; /* of the norms of dt, B and C; 0: there are none */
} hlmi_mamba1;

/** The names of transformers' own families. */
extern const hlmi_mamba1_names hlmi_mamba1_plain_names;

/** All but names and norm_eps. */
hlm_status hlmi_mamba1_read(const hlmi_decoder *d, const hlmi_mamba1_keys *k, hlmi_mamba1 *m);
/** A mixer's weights, all but the norm of its input. Its projection has `before` rows in front of u's and z's. `prefix` of tensor
 *  names ends in '.', with %zu for the layer. Takes a recurrence of the plan. */
hlm_status hlmi_mamba1_load(const hlmi_decoder *d, const hlmi_mamba1 *m, const char *prefix, size_t layer,
                            size_t before, hlmi_mamba1_params *p);
/** The same, the norm of its input (HLMI_PART_ATTN_NORM), and its block. */
hlm_status hlmi_mamba1_add(const hlmi_decoder *d, const hlmi_mamba1 *m, const char *prefix, size_t layer);

#endif
