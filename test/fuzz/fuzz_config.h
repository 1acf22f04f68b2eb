/* The fuzz target for settings, and inputs for it. */
#ifndef FUZZ_CONFIG_H
#define FUZZ_CONFIG_H

#include <hybridlm/hybridlm.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** How many models have loaded so far, and how many of these without a head. */
unsigned long fuzz_accepted(void);
unsigned long fuzz_accepted_headless(void);

/** config.json, a zero byte and the table of tensors of a folder of test/data/models. */
typedef struct config_seed {
    char name[256];
    uint8_t *data;
    size_t size;
} config_seed;

/** All of them, read once. */
const config_seed *config_seeds(size_t *n);

/** Changes an input in one or a few places, in at most max bytes, by *random; the new size. 0: no input of this
 *  kind. */
size_t config_change(uint8_t *data, size_t size, size_t max, uint64_t *random);

#endif
