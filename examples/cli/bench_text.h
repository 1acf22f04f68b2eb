/* What the benchmarks run. */
#ifndef CLI_BENCH_TEXT_H
#define CLI_BENCH_TEXT_H

#include <stddef.h>
#include <stdint.h>

/** The same n ids in every run. */
void cli_bench_tokens(int32_t *tokens, size_t n, int32_t vocab_size);

#endif
