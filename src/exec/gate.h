/* A gate: a counter that threads wait on until it moves. A waiter spins first (what it waits for is usually
 * microseconds away), may then yield its core, and at last sleeps in the kernel, so that idle threads use no CPU and
 * leave their core to others. */
#ifndef HLMI_EXEC_GATE_H
#define HLMI_EXEC_GATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HLMI_CACHE_LINE = 64 };

typedef struct hlmi_gate {
    _Alignas(HLMI_CACHE_LINE) _Atomic uint32_t count;
    _Atomic uint32_t slept; /* one more than the last count that somebody fell asleep on */
} hlmi_gate;

/** Before looking at what the gate tells of; hlmi_gate_wait then misses nothing. */
static inline uint32_t hlmi_gate_seen(const hlmi_gate *g)
{
    return atomic_load_explicit(&g->count, memory_order_acquire);
}

/** Spins for `ns` at most: whether the count has moved. */
bool hlmi_gate_spin(const hlmi_gate *g, uint32_t seen, uint64_t ns);

/** Returns once the count is no longer `seen`. True when it spun only. */
bool hlmi_gate_wait(hlmi_gate *g, uint32_t seen, uint64_t spin_ns, uint64_t yield_ns);

/** Moves the count and wakes who sleeps. */
void hlmi_gate_open(hlmi_gate *g);

/** Whether somebody has waited for so long that it fell asleep since the count last moved. */
static inline bool hlmi_gate_slept(const hlmi_gate *g)
{
    return atomic_load_explicit(&g->slept, memory_order_relaxed) ==
        atomic_load_explicit(&g->count, memory_order_relaxed) + 1;
}

#endif
