/* The models of the fuzz target for snapshots. */
#ifndef FUZZ_SNAPSHOT_H
#define FUZZ_SNAPSHOT_H

#include <hybridlm/hybridlm.h>

enum { FUZZ_MODELS = 4 /* the last gives rows behind windows back */ };

typedef struct fuzz_model {
    hlm_model *model;
    hlm_pool *pool[2];
    hlm_context *ctx[2];
} fuzz_model;

/** One of them, opened once. */
fuzz_model *fuzz_model_open(size_t i);

#endif
