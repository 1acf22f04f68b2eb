/* Times by rows, chances by class, and the choice between them. */
#include "session/pace.h"

#include "base/size.h"

/* Rows up to here have a measurement of their own, more share one by eights. */
enum { SINGLE = 8 };
/* A step is never this many times larger than the largest so far. */
enum { GROWTH = 4 };
/* Tokens that a chance remembers. */
enum { MEMORY = 24 };

static size_t slot_of(size_t rows)
{
    const size_t i = rows <= SINGLE ? rows : SINGLE + (rows - 1) / 8;
    return hlmi_min_size(i, HLMI_PACE_TIMES - 1);
}

void hlmi_pace_init(hlmi_pace *p)
{
    *p = (hlmi_pace){.most_rows = 0};
    /* doubtful: guesses show what they are worth before they are run */
    for (size_t i = 0; i < HLMI_PACE_CLASSES; i++) p->chances[i] = (hlmi_chance){.right = 0.35, .seen = 2};
}

/* The most rows of a slot. */
static size_t rows_of(size_t slot)
{
    return slot <= SINGLE ? slot : 8 * (slot - SINGLE + 1);
}

/* Between measured numbers of rows on a line; beyond the largest a row is taken to cost half of one so far. */
static double expected_ns(const hlmi_pace *p, size_t rows)
{
    const size_t i = slot_of(rows);
    size_t a = i, b = i;
    while (a > 0 && p->step_ns[a] == 0) a--;
    while (b < HLMI_PACE_TIMES && p->step_ns[b] == 0) b++;
    if (b == HLMI_PACE_TIMES)
        return a == i ? p->step_ns[a] : p->step_ns[a] * (0.5 + 0.5 * (double)rows / (double)rows_of(a > 0 ? a : 1));
    if (a == b || p->step_ns[a] == 0) return p->step_ns[b];
    return p->step_ns[a] + (p->step_ns[b] - p->step_ns[a]) * (double)(i - a) / (double)(b - a);
}

size_t hlmi_pace_choose(const hlmi_pace *p, const hlmi_stake *s, size_t chance, double token_ns, size_t most)
{
    double best = s->tokens / (expected_ns(p, hlmi_max_size(s->rows, 1)) + s->ns);
    double gain = 0, odds = s->open;
    size_t chosen = 0;
    for (size_t n = 1; n <= most; n++) {
        const size_t rows = s->rows + 1 + n; /* the draft's, and the token that it follows */
        if (rows > GROWTH * p->most_rows) break;
        odds *= p->chances[chance].right;
        gain += odds;
        const double rate = (s->tokens + gain) / (expected_ns(p, rows) + s->ns + (double)n * token_ns);
        if (rate <= best) continue;
        best = rate;
        chosen = n;
    }
    return chosen;
}

void hlmi_pace_stake(const hlmi_pace *p, hlmi_stake *s, size_t chance, double token_ns, size_t n)
{
    double odds = s->open;
    for (size_t i = 0; i < n; i++) s->tokens += odds *= p->chances[chance].right;
    s->open *= 1 - p->chances[chance].right;
    s->rows += 1 + n;
    s->ns += (double)n * token_ns;
}

/* Follows what a step takes when nothing disturbs it: quickly down, slowly up. */
void hlmi_pace_step(hlmi_pace *p, size_t rows, double ns)
{
    const double guess = expected_ns(p, rows);
    double *known = &p->step_ns[slot_of(rows)];
    const double most = guess > 0 ? 2 * guess : ns; /* an interruption must not look like a price */
    ns = ns < 1 ? 1 : ns > most ? most : ns;
    for (size_t i = 0; i < HLMI_PACE_TIMES; i++) p->step_ns[i] *= 0.999; /* what looked slow is tried again one day */
    if (*known == 0) *known = ns;
    else if (ns < *known) *known += (ns - *known) / 2;
    else *known += ns - *known < *known / 32 ? ns - *known : *known / 32;
    p->most_rows = hlmi_max_size(p->most_rows, rows);
}

void hlmi_pace_judge(hlmi_pace *p, size_t chance, size_t right, bool wrong)
{
    hlmi_chance *c = &p->chances[chance];
    for (size_t i = 0; i < right + wrong; i++) {
        c->right += ((i < right) - c->right) / (double)hlmi_min_size(c->seen + 2, MEMORY);
        c->seen++;
    }
}
