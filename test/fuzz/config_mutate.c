/* How libFuzzer changes settings: half of the time as it always does, else in a way that keeps the form. */
#include "fuzz/fuzz_config.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed);

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed)
{
    uint64_t random = seed;
    const size_t made = seed % 4 ? config_change(data, size, max, &random) : 0;
    return made ? made : LLVMFuzzerMutate(data, size, max);
}
