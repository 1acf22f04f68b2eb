/* Turns of runs with careful helpers and without. */
#include "exec/worth.h"

enum { GAIN = 32 /* one part in so many is what helpers have to gain: less is chance */ };

static uint64_t go_on(hlmi_worth *w, uint64_t now, hlmi_worth_mode mode, bool trial)
{
    w->mode = mode;
    w->trial = trial;
    w->begin = now;
    w->sum = w->n = 0;
    if (mode == HLMI_WORTH_WITH) return 0;
    return trial ? HLMI_WORTH_TRIAL_NS : w->hold;
}

static uint64_t decide(hlmi_worth *w, uint64_t now)
{
    const uint64_t with = w->mean[HLMI_WORTH_WITH], without = w->mean[HLMI_WORTH_WITHOUT];
    const hlmi_worth_mode better = with + with / GAIN < without ? HLMI_WORTH_WITH : HLMI_WORTH_WITHOUT;
    const bool again = w->hold && better == w->better;
    w->better = better;
    w->hold = !again ? HLMI_WORTH_HOLD_NS : w->hold < HLMI_WORTH_HOLD_MAX_NS / 2 ? 2 * w->hold : HLMI_WORTH_HOLD_MAX_NS;
    return go_on(w, now, better, false);
}

uint64_t hlmi_worth_note(hlmi_worth *w, uint64_t now, uint64_t took, uint64_t kind, uint64_t amount)
{
    if (took >= HLMI_WORTH_TRIAL_NS) return 0; /* a rest would not last as long as the run */
    if (kind != w->kind || amount != w->amount) {
        *w = (hlmi_worth){.kind = kind, .amount = amount};
        return go_on(w, now, HLMI_WORTH_WITH, true);
    }
    w->sum += took;
    w->n++;
    if (now - w->begin < (w->trial ? HLMI_WORTH_TRIAL_NS : w->hold)) return 0;
    const uint64_t mean = w->sum / w->n, was = w->mean[w->mode];
    w->mean[w->mode] = was && w->trial ? (was + mean) / 2 : mean; /* a trial is short, and chance weighs in it */
    const hlmi_worth_mode other = w->mode == HLMI_WORTH_WITH ? HLMI_WORTH_WITHOUT : HLMI_WORTH_WITH;
    if (w->trial && w->mean[other]) return decide(w, now);
    return go_on(w, now, other, true);
}
