/* random_replay N [SEED]: runs a fuzz target without a fuzzer, over N inputs of random bytes: for targets to which any
 * bytes are a program. Prints the seed of an input before it, should it end the program, with --verbose. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "random.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST = 600 };

static uint64_t state;

int main(int argc, char **argv)
{
    const long n = argc > 1 ? atol(argv[1]) : 0;
    const uint64_t first = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    const int verbose = argc > 3 && strcmp(argv[3], "--verbose") == 0;
    for (long i = 0; i < n; i++) {
        state = first + (uint64_t)i;
        const size_t size = (size_t)(random_next(&state) % MOST);
        uint8_t *data = malloc(size + 1);
        if (!data) return 1;
        for (size_t k = 0; k < size; k++) data[k] = (uint8_t)random_next(&state);
        if (verbose) fprintf(stderr, "%llu\n", (unsigned long long)(first + (uint64_t)i));
        LLVMFuzzerTestOneInput(data, size);
        free(data);
    }
    printf("%ld passed, 0 failed\n", n);
    return n > 0 ? 0 : 1;
}
