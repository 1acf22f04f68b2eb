/* Parts of regions, what they are expected to take, and when helpers step aside: decisions by time alone, with times
 * made up. */
#include "exec/cost.h"
#include "exec/rest.h"
#include "exec/worth.h"

#include "unit/suite.h"

static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 31)) * 0x9e3779b97f4a7c15u;
    return x ^ (x >> 29);
}

static uint64_t random_next(uint64_t *state)
{
    *state += 0x9e3779b97f4a7c15u;
    return mix(*state);
}

/* Whatever parts take, they are the whole once: counted in the smallest. */
START_TEST(parts_are_the_whole)
{
    uint64_t state = 1;
    for (int i = 0; i < 2000; i++) {
        const size_t all = (size_t)1 << HLMI_PIECE_SHIFT_MAX;
        const uint64_t predicted = random_next(&state) % 3 ? random_next(&state) % 100000 : 0;
        hlmi_piece p = hlmi_piece_first(predicted, 100);
        size_t sum = 0;
        while (!hlmi_piece_done(&p)) {
            if (p.at * (all >> p.shift) != sum) ck_abort_msg("at %zu of %zu", p.at * (all >> p.shift), sum);
            sum += all >> p.shift;
            hlmi_piece_next(&p, random_next(&state) % 300, 100);
        }
        ck_assert_uint_eq(sum, all);
    }
}
END_TEST

START_TEST(costs)
{
    hlmi_cost c = {{0}};
    ck_assert_uint_eq(hlmi_cost_predict(&c, 64), 0);
    hlmi_cost_note(&c, 8, 1000);
    ck_assert_uint_eq(hlmi_cost_predict(&c, 8), 1000);
    ck_assert_uint_ge(hlmi_cost_predict(&c, 31), 4000); /* in proportion at most */
    ck_assert_uint_eq(hlmi_cost_predict(&c, 1), 1000);
    hlmi_cost_note(&c, 8, 9000);
    ck_assert_uint_eq(hlmi_cost_predict(&c, 8), 2000); /* rises slowly */
    hlmi_cost_note(&c, 8, UINT64_MAX);
    hlmi_cost_note(&c, UINT64_MAX, 0);
    hlmi_cost_note(&c, 8, 10);
    ck_assert_uint_eq(hlmi_cost_predict(&c, 8), 10);
}
END_TEST

enum { MS = 1000 * 1000 };

/* Sleeps as long as it is due, and `late` longer; returns what was due. */
static uint64_t sleep_due(hlmi_rest *r, uint64_t *now, uint64_t late)
{
    const uint64_t due = hlmi_rest_due(r, *now), begin = *now;
    ck_assert_uint_gt(due, 0);
    *now += due + late;
    hlmi_rest_slept(r, begin, *now);
    return due;
}

/* Loses its core until it is careful. */
static void make_careful(hlmi_rest *r, uint64_t *now)
{
    for (int i = 0; i < 2 && !r->careful; i++) {
        hlmi_rest_lost(r, *now);
        *now += 10 * MS;
    }
    ck_assert(r->careful);
}

START_TEST(one_loss_is_nothing)
{
    hlmi_rest r = {0};
    uint64_t now = 1;
    for (int i = 0; i < 100; i++, now += (uint64_t)HLMI_REST_SOON_NS + 1) {
        hlmi_rest_lost(&r, now);
        ck_assert_uint_eq(hlmi_rest_due(&r, now), 0);
    }
    hlmi_rest_lost(&r, now);
    hlmi_rest_lost(&r, now + HLMI_REST_SOON_NS);
    ck_assert_uint_eq(hlmi_rest_due(&r, now + HLMI_REST_SOON_NS), HLMI_REST_MIN_NS);
}
END_TEST

START_TEST(careful_helpers)
{
    hlmi_rest r = {0};
    uint64_t now = 1;
    make_careful(&r, &now);
    ck_assert_uint_eq(sleep_due(&r, &now, 0), HLMI_REST_MIN_NS);
    for (int i = 0; i < 1000; i++) { /* others are there: it is late now and then */
        ck_assert_uint_eq(hlmi_rest_due(&r, now), 0);
        ck_assert_uint_eq(hlmi_rest_due(&r, now + HLMI_REST_BURST_NS - 1), 0);
        now += HLMI_REST_BURST_NS;
        ck_assert_uint_eq(sleep_due(&r, &now, i % (HLMI_REST_CALM - 2) ? 0 : 3 * MS), HLMI_REST_BURST_NS);
        ck_assert(r.careful);
    }
    uint64_t longest = 0;
    for (int i = 0; i < 20; i++) { /* each loss makes it rest longer, up to the limit */
        hlmi_rest_lost(&r, now);
        const uint64_t due = sleep_due(&r, &now, 3 * MS);
        ck_assert_uint_ge(due, longest);
        ck_assert_uint_le(due, HLMI_REST_MAX_NS);
        longest = due;
    }
    ck_assert_uint_eq(longest, HLMI_REST_MAX_NS);
    for (int i = 0; i < 500; i++) { /* which it forgets */
        now += HLMI_REST_BURST_NS;
        sleep_due(&r, &now, 3 * MS);
    }
    hlmi_rest_lost(&r, now);
    ck_assert_uint_lt(hlmi_rest_due(&r, now), longest / 50);
}
END_TEST

/* The sleeps that it takes until a helper is careful no more. */
static int until_calm(hlmi_rest *r, uint64_t *now)
{
    int n = 0;
    for (; r->careful; n++) {
        if (!hlmi_rest_due(r, *now)) *now += HLMI_REST_BURST_NS;
        sleep_due(r, now, HLMI_REST_LATE_NS);
    }
    return n;
}

START_TEST(calm_again)
{
    hlmi_rest r = {0};
    uint64_t now = 1;
    int wanted = HLMI_REST_CALM;
    for (int i = 0; i < 12; i++) { /* losses soon after: longer each time */
        make_careful(&r, &now);
        ck_assert_int_eq(until_calm(&r, &now), wanted);
        ck_assert_uint_eq(hlmi_rest_due(&r, now + 1000 * (uint64_t)MS), 0);
        if (wanted < HLMI_REST_CALM_MAX) wanted *= 2;
    }
    now += 9 * (uint64_t)HLMI_REST_CALM_MAX * (2 * HLMI_REST_BURST_NS);
    make_careful(&r, &now);
    ck_assert_int_eq(until_calm(&r, &now), HLMI_REST_CALM);
}
END_TEST

START_TEST(asked_to_rest)
{
    hlmi_rest r = {0};
    hlmi_ask a = {0};
    uint64_t now = 1, longest = 0;
    for (int i = 0; i < 100; i++, now += 50 * MS)
        ck_assert_uint_eq(hlmi_ask_away(&a, now, 4 * MS), 0); /* a twelfth of the time */
    for (int i = 0; i < 20; i++) {
        uint64_t ns = 0;
        for (int moments = 0; !ns; moments++, now += 20 * MS) {
            ck_assert_int_lt(moments, 8);
            ns = hlmi_ask_away(&a, now, 4 * MS); /* a fifth */
        }
        ck_assert_uint_ge(ns, longest ? longest : HLMI_REST_MIN_NS);
        hlmi_rest_asked(&r, now, ns);
        ck_assert_uint_eq(sleep_due(&r, &now, 0), ns);
        longest = ns;
    }
    ck_assert_uint_eq(longest, HLMI_ASK_MAX_NS);
    now += 10 * longest;
    ck_assert_uint_eq(hlmi_ask_away(&a, now, 50 * MS), HLMI_REST_MIN_NS);
}
END_TEST

/* Runs on a machine where they take `with` beside careful helpers and `without` while these rest: what share of the
 * time they rest. */
static double time_at_rest(hlmi_worth *w, uint64_t *now, uint64_t with, uint64_t without)
{
    const uint64_t begin = *now;
    uint64_t until = 0, rested = 0;
    while (*now - begin < 100000 * (uint64_t)MS) {
        const bool rests = *now < until;
        const uint64_t took = rests ? without : with;
        *now += took;
        rested += rests ? took : 0;
        const uint64_t ns = hlmi_worth_note(w, *now, took, 1, 1);
        if (ns) until = *now + ns;
    }
    return (double)rested / (double)(*now - begin);
}

START_TEST(worth_having)
{
    hlmi_worth w = {0};
    uint64_t now = 1;
    ck_assert_double_gt(time_at_rest(&w, &now, 5 * MS, 4 * MS), 0.97);
    ck_assert_double_lt(time_at_rest(&w, &now, 3 * MS, 4 * MS),
                        0.06); /* the machine has changed: found out within a hold */
    ck_assert_double_gt(time_at_rest(&w, &now, 4 * MS, 4 * MS), 0.90); /* nothing gained is not worth a core */
    /* other runs begin anew, and long ones ask for nothing */
    ck_assert_uint_eq(hlmi_worth_note(&w, now, 4 * MS, 2, 1), 0);
    ck_assert_int_eq(w.mode, HLMI_WORTH_WITH);
    ck_assert_uint_eq(hlmi_worth_note(&w, now + 900 * (uint64_t)MS, 900 * (uint64_t)MS, 2, 1), 0);
    ck_assert_int_eq(w.mode, HLMI_WORTH_WITH);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {parts_are_the_whole, costs,         one_loss_is_nothing, careful_helpers,
                                  calm_again,          asked_to_rest, worth_having};
    return suite_run("pace", tests, sizeof tests / sizeof *tests);
}
