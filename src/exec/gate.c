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

/* Says that somebody sleeps on the count `seen`; false when the count has moved. Where `slept` stands still while the
 * count is looked at, nobody sleeps on a later one, and nothing is overwritten. */
static bool tell(hlmi_gate *g, uint32_t seen)
{
    uint32_t was = atomic_load(&g->slept);
    do {
        if (atomic_load(&g->count) != seen) return false;
    } while (was != seen + 1 && !atomic_compare_exchange_weak(&g->slept, &was, seen + 1));
    return true;
}

static void sleep_until_moved(hlmi_gate *g, uint32_t seen)
{
    if (!tell(g, seen)) return;
    while (atomic_load(&g->count) == seen) hlmi_os_wait((volatile uint32_t *)&g->count, seen, HLMI_OS_HOUR);
}

bool hlmi_gate_spin(const hlmi_gate *g, uint32_t seen, uint64_t ns)
{
    if (spin(g, seen)) return true;
    const uint64_t begin = hlmi_os_now();
    for (uint64_t waited = 0; waited < ns; waited = hlmi_os_now() - begin)
        if (spin(g, seen)) return true;
    return false;
}

bool hlmi_gate_wait(hlmi_gate *g, uint32_t seen, uint64_t spin_ns, uint64_t yield_ns)
{
    if (hlmi_gate_spin(g, seen, spin_ns)) return true;
    for (const uint64_t begin = yield_ns ? hlmi_os_now() : 0; yield_ns && hlmi_os_now() - begin < yield_ns;) {
        if (hlmi_gate_seen(g) != seen) return false;
        hlmi_os_yield();
    }
    sleep_until_moved(g, seen);
    return false;
}

/* A sleeper tells of itself before it looks at the count, and the count moves before it is looked whether somebody
 * sleeps on the old one (all sequentially consistent): one sees the other. Who sleeps on a count is woken by the one
 * who moves it, and by nobody after that: a thread that is awake and waits for its core costs later openers nothing. */
void hlmi_gate_open(hlmi_gate *g)
{
    const uint32_t seen = atomic_fetch_add(&g->count, 1);
    if (atomic_load(&g->slept) == seen + 1) hlmi_os_wake_all((volatile uint32_t *)&g->count);
}
