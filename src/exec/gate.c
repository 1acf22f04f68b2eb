/* Waiting at a gate, and opening it. */
#include "exec/gate.h"

#include "base/os.h"

enum { SPINS = 64 /* looks between two looks at the clock: about a microsecond */ };

_Static_assert(sizeof(_Atomic uint32_t) == sizeof(uint32_t), "the kernel sleeps on a plain word");

static bool spin(const hlmi_gate *g, uint32_t seen)
{
    for (int i = 0; i < SPINS; i++) {
        if (hlmi_gate_seen(g) != seen) return true;
        hlmi_os_pause();
    }
    return false;
}

static void sleep_until_moved(hlmi_gate *g, uint32_t seen)
{
    atomic_fetch_add(&g->sleepers, 1);
    while (atomic_load(&g->count) == seen) hlmi_os_wait((volatile uint32_t *)&g->count, seen);
}

bool hlmi_gate_wait(hlmi_gate *g, uint32_t seen, uint64_t spin_ns, uint64_t yield_ns)
{
    if (spin(g, seen)) return true;
    const uint64_t begin = hlmi_os_now();
    for (uint64_t waited = 0; waited < spin_ns; waited = hlmi_os_now() - begin)
        if (spin(g, seen)) return true;
    while (yield_ns && hlmi_os_now() - begin < spin_ns + yield_ns) {
        if (hlmi_gate_seen(g) != seen) return false;
        hlmi_os_yield();
    }
    sleep_until_moved(g, seen);
    return false;
}

/* The count moves before sleepers are looked for, and a sleeper counts itself before it looks at the count (all sequentially
 * consistent): one sees the other. Who wakes the sleepers takes their number away, so that a sleeper that waits for its core is
 * woken once, and not by every opener until it runs. One that counted itself and then did not sleep costs the next opener a call. */
void hlmi_gate_open(hlmi_gate *g)
{
    atomic_fetch_add(&g->count, 1);
    if (atomic_load(&g->sleepers) && atomic_exchange(&g->sleepers, 0)) hlmi_os_wake_all((volatile uint32_t *)&g->count);
}
