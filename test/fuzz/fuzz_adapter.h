/* The models of the fuzz target for adapters. */
#ifndef FUZZ_ADAPTER_H
#define FUZZ_ADAPTER_H

#include <hybridlm/hybridlm.h>

enum { FUZZ_FOLDER, FUZZ_GGUF, FUZZ_MODELS };

/** How many inputs were adapters until now. */
unsigned long fuzz_accepted(void);

#endif
