/* A model for tests of what stands above the engine: it has a vocabulary and an allocator that counts its blocks and
 * can fail at a given one. */
#ifndef TEST_UNIT_FAKE_MODEL_H
#define TEST_UNIT_FAKE_MODEL_H

#include "base/mem.h"

struct hlm_model {
    hlmi_mem mem; /* user is the model */
    int32_t vocab;
    int refs; /* 1: only the test's own */
    size_t blocks; /* not yet freed */
    size_t allocs; /* tried since the test set it to 0 */
    size_t fail_at; /* the allocation that fails, counted from 1; 0: none */
};

void fake_model_init(hlm_model *m, int32_t vocab);

#endif
