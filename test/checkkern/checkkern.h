/* checkkern: compares the kernels of every ISA that this CPU has with the reference, bit for bit, bounds the
 * reference's own error (spec, in double), and times them (--bench). A suite is one file; checkkern.c lists them. */
#ifndef CHECKKERN_H
#define CHECKKERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/kernel.h"

typedef struct ck_run ck_run;

typedef struct ck_suite {
    const char *name;
    /** ref's error against double, within a bound that the suite states. */
    void (*spec)(ck_run *t, const hlmi_kernels *ref);
    /** k against ref, which has the same act[]. */
    void (*check)(ck_run *t, const hlmi_kernels *ref, const hlmi_kernels *k);
    void (*bench)(ck_run *t, const hlmi_kernels *k);
} ck_suite;

extern const ck_suite ck_gemm_suite, ck_vec_suite, ck_attn_suite, ck_recur_suite, ck_scan1_suite, ck_delta_suite,
    ck_hash_suite;

/** Random bits; a run always draws the same ones. */
uint64_t ck_random(ck_run *t);
uint32_t ck_below(ck_run *t, uint32_t n);
/** Uniform in -1..1. */
float ck_uniform(ck_run *t);

/** n zeroed bytes at a multiple of 64 with guard bytes on both sides; lives until the case ends. */
void *ck_bytes(ck_run *t, size_t n);
/** n floats: uniform in -1..1 times `scale`, with a few zeros. */
float *ck_floats(ck_run *t, size_t n, float scale);
/** x [n] as a type of recurrent state has it. */
void ck_round(hlmi_state_type type, float *x, size_t n);
/** n floats filled with a pattern that no kernel should leave standing. */
float *ck_out(ck_run *t, size_t n);

/** A case: counts as passed when nothing failed between begin and end, which frees what it allocated and looks at the
 *  guards. begin is false when the filter leaves the case out. */
bool ck_begin(ck_run *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void ck_end(ck_run *t);
/** Marks the case as failed unless `ok`; prints the first failure. */
void ck_check(ck_run *t, bool ok, const char *format, ...) __attribute__((format(printf, 3, 4)));
/** n bytes of `got` equal `want`. */
void ck_same_bytes(ck_run *t, const char *what, const void *got, const void *want, size_t n);
/** n floats have the same bits; where both are NaN, which NaN does not matter. */
void ck_same_floats(ck_run *t, const char *what, const float *got, const float *want, size_t n);

/** Seconds of one call: the best of several batches. */
double ck_time(ck_run *t, void (*call)(void *arg), void *arg);
/** Bytes a second that one thread reads from memory. */
double ck_read_bandwidth(ck_run *t);
/** One line of the benchmark: name, seconds, work done (in `unit`, "GOP/s"), bytes moved, and the fractions of peaks
 *  (0: none). */
void ck_report(ck_run *t, const char *name, double seconds, double work, const char *unit, double peak, double bytes);
const char *ck_filter(const ck_run *t);

#endif
