/* When a helper steps aside. On a busy machine the system takes a thread's core away for milliseconds; when that
 * happens within a share, everybody waits for it. Helpers are there to make a step shorter, so one to whom it happens
 * becomes *careful*: it computes for moments that the system does not interrupt, sleeps in between, so that its core is
 * other programs' meanwhile, and rests for longer each time that it loses its core all the same. Sleeping tells it when
 * the others are gone: it then wakes up on time.
 *
 * Times are in ns of hlmi_os_now, given by the caller, and nothing here looks at a clock. No result depends on it. */
#ifndef HLMI_EXEC_REST_H
#define HLMI_EXEC_REST_H

#include <stdbool.h>
#include <stdint.h>

enum {
    /* What a careful helper computes at once, and how long it then sleeps: less than the shortest time slice of today's
     * schedulers, which a thread has whole after it slept. */
    HLMI_REST_BURST_NS = 1000 * 1000,
    /* The rest after a loss: first, and at most. One that is asked for may be longer. */
    HLMI_REST_MIN_NS = 4 * 1000 * 1000,
    HLMI_REST_MAX_NS = 256 * 1000 * 1000,
    HLMI_ASK_MAX_NS = 1000 * 1000 * 1000,
    /* The caller is short of its core when it is away for more than an eighth of such a time. */
    HLMI_ASK_WINDOW_NS = 100 * 1000 * 1000,
    /* Waking up later than this is not the system's timer, but somebody else on the core. */
    HLMI_REST_LATE_NS = 250 * 1000,
    /* A loss alone is a moment of somebody else's; a second one within this time is a busy machine. */
    HLMI_REST_SOON_NS = 200 * 1000 * 1000,
    /* Sleeps in a row that ended on time, until it is careful no more: the first time, and at most. More when losses
     * come again soon after it. */
    HLMI_REST_CALM = 32,
    HLMI_REST_CALM_MAX = 4096
};

/** All 0: not careful, nothing lost so far. */
typedef struct hlmi_rest {
    bool careful;
    uint64_t until; /* careful: the end of the burst */
    uint64_t next; /* how long it is to sleep then */
    uint64_t after_loss; /* the rest after the next loss; 0: the shortest */
    uint32_t on_time, calm; /* sleeps on time in a row, and how many it takes */
    uint64_t last_loss, freed; /* when it last lost its core, and when it was last careful */
} hlmi_rest;

/** The helper has lost its core within a share, and others have waited for it. `now` is never 0. */
void hlmi_rest_lost(hlmi_rest *r, uint64_t now);

/** The helper is asked to sleep for so long, for somebody else has lost the core. */
void hlmi_rest_asked(hlmi_rest *r, uint64_t now, uint64_t ns);

/** How long the helper is to sleep before it takes a share; 0: not at all. */
static inline uint64_t hlmi_rest_due(const hlmi_rest *r, uint64_t now)
{
    return r->careful && now >= r->until ? r->next : 0;
}

/** It has slept, from `begin` until `now`. */
void hlmi_rest_slept(hlmi_rest *r, uint64_t begin, uint64_t now);

/** It has slept because there was nothing to do: a burst begins. */
static inline void hlmi_rest_begin(hlmi_rest *r, uint64_t now)
{
    r->until = now + HLMI_REST_BURST_NS;
}

typedef struct hlmi_ask {
    uint64_t begin, away; /* of the window, and the time away in it */
    uint64_t last, ns; /* when a rest was last asked for, and how long */
} hlmi_ask;

/** The caller's core was another program's for `away`: the rest that a helper is asked for, so that the caller has more
 *  of the cores; 0: none. It is longer each time that it is asked for soon after. */
uint64_t hlmi_ask_away(hlmi_ask *a, uint64_t now, uint64_t away);

#endif
