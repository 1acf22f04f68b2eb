/* An adapter: what is added to matrices of a model, for the tokens that are run with it (LoRA, Hu et al. 2021, section
 * 4.1: W x + s B A x; DoRA, Liu et al. 2024, section 4: each row of that by m / ||W + s B A||). Immutable once
 * loaded. */
#ifndef HLMI_PLAN_ADAPTER_H
#define HLMI_PLAN_ADAPTER_H

#include <stdatomic.h>

#include "plan/plan.h"

enum { HLMI_LOW_MAX = 256 /* most rows of A */ };

/** One matrix's, in f32, whatever the file has. */
typedef struct hlmi_low {
    hlmi_matrix a; /* [rank, cols]; rows 0: nothing is added */
    hlmi_matrix b; /* [rows, rank], the scale in it */
    float *factor; /* [rows] on the sum, or NULL */
} hlmi_low;

struct hlm_adapter {
    atomic_uint refs;
    hlm_model *model; /* retained */
    hlmi_mem mem;
    uint64_t print[2]; /* the same for adapters that compute the same */
    hlmi_low *low; /* [n_low] for the entries of the plan's table */
    int32_t *invocation; /* [n_invocation] ids from whose last occurrence in a text on it acts; 0: everywhere */
    size_t n_invocation;
    size_t n_low, n_matrices, rank; /* rank: the largest */
    uint64_t bytes;
};

/** Without matrices, one reference; NULL without memory (sentence set). */
hlm_adapter *hlmi_adapter_new(hlm_model *model);
/** Adds a [rank, cols] and b [rows, rank] to a matrix of the plan, and takes factor [rows] over (or NULL). */
hlm_status hlmi_adapter_set(hlm_adapter *ad, const hlmi_matrix *m, size_t rank, const float *a, const float *b,
                            float *factor);
/** The tokens that it waits for. */
hlm_status hlmi_adapter_wait(hlm_adapter *ad, const int32_t *tokens, size_t n);
/** The fingerprint, when all is there. */
void hlmi_adapter_seal(hlm_adapter *ad, uint64_t (*hash)(const void *x, size_t n, uint64_t seed));
/** Row r of a matrix of an adapter, [cols]. */
void hlmi_low_row(float *y, const hlmi_matrix *m, size_t r);

#endif
