/* What this machine can do, for bench to compare with: bytes read from memory and arithmetic a second. Each peak_*.c
 * holds loops for the instruction sets it knows and offers the best that this CPU has. */
#ifndef CLI_PEAK_H
#define CLI_PEAK_H

#include <stddef.h>

/** A loop of independent chains of one instruction. */
typedef struct cli_peak_loop {
    /** The instruction set: "avx512", "avx2", "neon", ... */
    const char *name;
    /** Multiplications and additions in one round. */
    double ops;
    void (*run)(size_t rounds);
} cli_peak_loop;

/** NULL where this CPU, or this version, has none. */
const cli_peak_loop *cli_peak_f32(void);
const cli_peak_loop *cli_peak_int8(void);
const cli_peak_loop *cli_peak_bf16(void);

/** Operations a second on n_threads threads, over about `seconds`; 0 for a NULL loop or when no thread starts. */
double cli_peak_measure(const cli_peak_loop *loop, int n_threads, double seconds);

/** A buffer much larger than the last cache. */
typedef struct cli_peak_memory {
    unsigned char *data;
    size_t size;
} cli_peak_memory;

void cli_peak_memory_open(cli_peak_memory *m);
void cli_peak_memory_close(cli_peak_memory *m);

/** Bytes a second that n_threads threads read, the best of a few passes. */
double cli_peak_memory_measure(const cli_peak_memory *m, int n_threads);

/** Threads that the library takes by default: one for each CPU the process may use. */
int cli_default_threads(void);

/** Call work(arg, index, n_threads) on n_threads threads at the same time; the seconds from the first start to the last
 *  end, or 0 when a thread could not start. */
double cli_team_run(int n_threads, void (*work)(void *arg, int index, int n_threads), void *arg);

/** Keep the compiler from computing a value ahead of time. */
float cli_opaque_float(float value);
int cli_opaque_int(int value);

#endif
