/* Who else holds a page, asked while another lets it go: hlmi_table_alone beside a fork that parts from a leaf which it
 * shares, as it does when it gets pages of its own. */
#include "state/table.h"

#include "base/os.h"
#include "unit/suite.h"

enum { TIME_NS = 500000000, STOP = ~0 };

/* A sequence that a step has claimed, and a fork: they share a leaf, in which the page is. */
typedef struct sharing {
    hlmi_leaf leaf;
    hlmi_page page;
    atomic_uint begun, ended; /* rounds */
} sharing;

/* The fork parts: its new leaf has the page too, then it drops the one that was shared. */
static void part(void *arg)
{
    sharing *s = arg;
    for (unsigned round = 1;; round++) {
        while (atomic_load(&s->begun) < round) hlmi_os_yield();
        if (atomic_load(&s->begun) == (unsigned)STOP) return;
        for (unsigned i = 0; i < round % 64; i++) hlmi_os_pause();
        atomic_fetch_add(&s->page.item.refs, 1);
        atomic_fetch_sub(&s->leaf.refs, 1);
        atomic_store(&s->ended, round);
    }
}

START_TEST(a_page_is_not_alone_while_another_parts)
{
    static sharing s;
    hlmi_leaf *leaves[] = {&s.leaf};
    const hlmi_table claim = {.leaves = leaves, .n = 1, .cap = 1}, own = claim;
    unsigned alone = 0, between = 0;
    s.leaf.n = 1;
    s.leaf.page[0] = &s.page;
    hlmi_os_thread *t = hlmi_os_thread_start(part, &s);
    ck_assert_ptr_nonnull(t);
    const uint64_t end = hlmi_os_now() + TIME_NS;
    for (unsigned round = 1; hlmi_os_now() < end; round++) {
        atomic_store(&s.page.item.refs, 1);
        atomic_store(&s.leaf.refs, 3); /* the claim's, its sequence's, the fork's */
        atomic_store(&s.begun, round);
        while (atomic_load(&s.ended) < round) {
            alone += hlmi_table_alone(&claim, &own, 0);
            between++;
        }
        alone += hlmi_table_alone(&claim, &own, 0); /* it has the page still */
    }
    atomic_store(&s.begun, (unsigned)STOP);
    hlmi_os_thread_join(t);
    ck_assert_uint_gt(between, 0);
    ck_assert_uint_eq(alone, 0);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {a_page_is_not_alone_while_another_parts};
    return suite_run("table", tests, sizeof tests / sizeof *tests);
}
