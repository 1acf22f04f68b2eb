/* Gates: who waits is woken, whatever the order in which threads open, fall asleep and wake up for no reason. */
#include "exec/gate.h"

#include <pthread.h>
#include <time.h>

#include "base/os.h"
#include "unit/suite.h"

enum { WAITERS = 3, OPENERS = 2, TURNS = 4000 };

typedef struct turns {
    hlmi_gate gate;
    _Atomic uint32_t open; /* turns that have been opened */
    _Atomic uint32_t arrived[WAITERS]; /* turns that each waiter has seen */
    atomic_bool end;
    uint64_t spin_ns;
} turns;

typedef struct waiter {
    turns *t;
    size_t index;
    pthread_t thread;
} waiter;

/* Sees every turn; sleeps at once where it must wait. */
static void *wait_for_turns(void *p)
{
    waiter *w = p;
    turns *t = w->t;
    while (atomic_load(&t->arrived[w->index]) < TURNS) {
        const uint32_t seen = hlmi_gate_seen(&t->gate), open = atomic_load(&t->open);
        if (open > atomic_load(&t->arrived[w->index])) atomic_store(&t->arrived[w->index], open);
        else hlmi_gate_wait(&t->gate, seen, t->spin_ns, 0);
    }
    return NULL;
}

/* Opens without anything new, and wakes sleepers for no reason, beside the one who opens turns. */
static void *disturb(void *p)
{
    turns *t = p;
    while (!atomic_load(&t->end)) {
        hlmi_gate_open(&t->gate);
        hlmi_os_wake_all((volatile uint32_t *)&t->gate.count);
        nanosleep(&(struct timespec){.tv_nsec = 1000}, NULL);
    }
    return NULL;
}

static void run_turns(uint64_t spin_ns, int disturbers)
{
    static turns t;
    waiter w[WAITERS];
    pthread_t d[OPENERS];
    t = (turns){.spin_ns = spin_ns};
    for (size_t i = 0; i < WAITERS; i++) {
        w[i] = (waiter){.t = &t, .index = i};
        ck_assert_int_eq(pthread_create(&w[i].thread, NULL, wait_for_turns, &w[i]), 0);
    }
    for (int i = 0; i < disturbers; i++) ck_assert_int_eq(pthread_create(&d[i], NULL, disturb, &t), 0);
    for (uint32_t turn = 1; turn <= TURNS; turn++) {
        atomic_store(&t.open, turn);
        hlmi_gate_open(&t.gate);
        for (size_t i = 0; i < WAITERS; i++) /* a lost wake-up would leave us here until the test's time is over */
            while (atomic_load(&t.arrived[i]) < turn) nanosleep(&(struct timespec){.tv_nsec = 1000}, NULL);
    }
    atomic_store(&t.end, true);
    for (int i = 0; i < disturbers; i++) pthread_join(d[i], NULL);
    for (size_t i = 0; i < WAITERS; i++) pthread_join(w[i].thread, NULL);
}

START_TEST(nobody_is_lost)
{
    run_turns(0, 0);
    run_turns(2000, 0);
}
END_TEST

START_TEST(nobody_is_lost_among_openers)
{
    run_turns(0, OPENERS);
}
END_TEST

/* The numbers go on from the largest count to 0. */
START_TEST(counts_wrap)
{
    static hlmi_gate g = {.count = UINT32_MAX - 1, .slept = UINT32_MAX - 7};
    for (int i = 0; i < 4; i++) {
        const uint32_t seen = hlmi_gate_seen(&g);
        ck_assert(!hlmi_gate_slept(&g));
        atomic_store(&g.slept, seen + 1); /* as a sleeper would */
        ck_assert(hlmi_gate_slept(&g));
        hlmi_gate_open(&g);
        ck_assert(hlmi_gate_wait(&g, seen, 0, 0));
    }
    ck_assert_uint_eq(hlmi_gate_seen(&g), 2);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {nobody_is_lost, nobody_is_lost_among_openers, counts_wrap};
    return suite_run("gate", tests, sizeof tests / sizeof *tests);
}
