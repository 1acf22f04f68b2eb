/* The tokens that benchmarks run: the same in every run, xorshift from a fixed seed. */
#include "bench_text.h"

void cli_bench_tokens(int32_t *tokens, size_t n, int32_t vocab_size)
{
    uint32_t x = 2463534242u;
    for (size_t i = 0; i < n; i++) {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        tokens[i] = (int32_t)(x % (uint32_t)vocab_size);
    }
}
