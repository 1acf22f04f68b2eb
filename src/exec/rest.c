/* The times that careful helpers keep. */
#include "exec/rest.h"

enum {
    FORGET = 64, /* bursts until a rest after a loss is nearly a third of what it was */
    AGAIN = 8 /* so many times as long as it was careful, or as the rest, a loss is one more of the same kind */
};

static uint64_t longer(uint64_t ns, uint64_t most)
{
    if (ns < HLMI_REST_MIN_NS) return HLMI_REST_MIN_NS;
    return ns < most / 2 ? 2 * ns : most;
}

static void become_careful(hlmi_rest *r, uint64_t now)
{
    r->on_time = 0;
    if (r->careful) return;
    r->careful = true;
    const uint64_t calming = (uint64_t)r->calm * (2 * HLMI_REST_BURST_NS);
    if (!r->calm || now - r->freed > AGAIN * calming) {
        r->calm = HLMI_REST_CALM;
        r->after_loss = 0;
    } else if (r->calm < HLMI_REST_CALM_MAX) {
        r->calm *= 2;
    }
}

void hlmi_rest_lost(hlmi_rest *r, uint64_t now)
{
    const bool alone = !r->last_loss || now - r->last_loss > HLMI_REST_SOON_NS;
    r->last_loss = now;
    if (alone && !r->careful) return;
    become_careful(r, now);
    r->after_loss = longer(r->after_loss, HLMI_REST_MAX_NS);
    r->next = r->after_loss;
    r->until = now;
}

void hlmi_rest_asked(hlmi_rest *r, uint64_t now, uint64_t ns)
{
    become_careful(r, now);
    r->next = ns;
    r->until = now;
}

void hlmi_rest_slept(hlmi_rest *r, uint64_t begin, uint64_t now)
{
    const bool late = now - begin > r->next + HLMI_REST_LATE_NS;
    r->on_time = late ? 0 : r->on_time + 1;
    r->next = HLMI_REST_BURST_NS;
    r->until = now + HLMI_REST_BURST_NS;
    if (r->after_loss > HLMI_REST_MIN_NS) r->after_loss -= r->after_loss / FORGET;
    if (r->on_time < r->calm) return;
    r->careful = false;
    r->freed = now;
}

uint64_t hlmi_ask_away(hlmi_ask *a, uint64_t now, uint64_t away)
{
    if (now - a->begin > HLMI_ASK_WINDOW_NS) {
        a->begin = now;
        a->away = 0;
    }
    a->away += away;
    if (a->away < HLMI_ASK_WINDOW_NS / 8) return 0;
    const bool again = a->last && now - a->last < HLMI_ASK_WINDOW_NS + AGAIN * a->ns;
    a->ns = longer(again ? a->ns : 0, HLMI_ASK_MAX_NS);
    a->begin = a->last = now;
    a->away = 0;
    return a->ns;
}
