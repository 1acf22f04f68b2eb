/* Adapters for tests: made for any model in a Hugging Face folder. */
#ifndef STATE_MAKE_ADAPTER_H
#define STATE_MAKE_ADAPTER_H

#include <stdint.h>

/** Writes an adapter (PEFT's files) of rank 2 with random numbers, for many of the matrices of model.safetensors, into
 *  a new folder. The number of matrices; 0: the model is no such folder, or it can not be written. */
unsigned make_adapter(const char *model, const char *folder, uint32_t seed);
/** Removes it. */
void remove_adapter(const char *folder);

#endif
