/* Drafts from the text itself (prompt lookup): the longest run of last tokens that occurred before, and what followed
 * it there. Runs of `least` tokens are found through a table of hashes; places with the same hash are linked, the
 * latest first, as in a compressor. The index takes the same memory whatever the text's length, and a token costs one
 * insertion. */
#include "base/size.h"
#include "session/draft.h"

enum {
    WINDOW = 1 << 16, /* latest tokens that are looked at; a power of two */
    CHAIN = 64, /* places tried for one lookup at most */
};

typedef struct ngram {
    const hlmi_text *text;
    size_t least, longest; /* tokens of a run */
    size_t done; /* places below are in the index */
    uint32_t latest[WINDOW]; /* by hash: the place behind the latest such run; 0: none */
    uint32_t before[WINDOW]; /* by place: the one before it with the same hash; 0: none */
} ngram;

/* Where a run ends that equals the text's end. */
typedef struct match {
    size_t place, length;
} match;

static hlm_status check(const hlmi_run *run, const hlm_speculation *p)
{
    (void)run;
    if (p->ngram <= HLMI_DRAFT_TOKENS) return HLM_OK;
    return hlmi_fail(HLM_E_ARG, "hlm_speculation.ngram is %d, at most %d", (int)p->ngram, HLMI_DRAFT_TOKENS);
}

static hlm_status ngram_open(void **draft, const hlmi_run *run, const hlm_speculation *p, const hlmi_text *text)
{
    if (p->ngram <= 0) return HLM_OK;
    ngram *g = *draft = hlmi_calloc(&run->mem, 1, sizeof *g);
    if (!g) return hlmi_nomem(sizeof *g, "the index of drafts from the text");
    g->text = text;
    g->longest = (size_t)p->ngram;
    g->least = hlmi_min_size(g->longest, 2);
    g->done = g->least;
    return HLM_OK;
}

/* Of the run before a place. */
static size_t hash_at(const ngram *g, size_t place)
{
    uint64_t h = 0;
    for (size_t i = place - g->least; i < place; i++) h = (h ^ (uint32_t)g->text->ids[i]) * 0x9E3779B97F4A7C15u;
    return (size_t)(h >> 48) % WINDOW;
}

/* Links the places that have a token behind them. */
static void index_text(ngram *g)
{
    if (g->text->n > WINDOW && g->done < g->text->n - WINDOW) g->done = g->text->n - WINDOW;
    for (; g->done < g->text->n; g->done++) {
        uint32_t *latest = &g->latest[hash_at(g, g->done)];
        g->before[g->done % WINDOW] = *latest;
        *latest = (uint32_t)g->done;
    }
}

/* Tokens before a place that are those at the text's end. */
static size_t run_length(const ngram *g, size_t place)
{
    const int32_t *ids = g->text->ids;
    size_t n = 0;
    while (n < g->longest && n < place && ids[place - 1 - n] >= 0 && ids[place - 1 - n] == ids[g->text->n - 1 - n]) n++;
    return n;
}

/* Puts a match into the list of *n, longer ones first, of equals the latest; of those that the same token follows, the
 * first. */
static void add_match(const ngram *g, match *list, size_t *n, size_t cap, match m)
{
    const int32_t *ids = g->text->ids;
    size_t at = *n;
    while (at > 0 && list[at - 1].length < m.length) at--;
    for (size_t i = 0; i < at; i++)
        if (ids[list[i].place] == ids[m.place]) return;
    size_t last = *n;
    for (size_t i = at; i < *n; i++)
        if (ids[list[i].place] == ids[m.place]) last = i;
    if (last == *n && *n < cap) ++*n;
    if (last >= cap) last = cap - 1; /* the worst goes */
    for (; last > at; last--) list[last] = list[last - 1];
    if (last == at) list[at] = m;
}

static size_t find(const ngram *g, match *list, size_t cap)
{
    const size_t end = g->text->n;
    size_t n = 0;
    size_t place = end >= g->least ? g->latest[hash_at(g, end)] : 0;
    for (size_t tries = 0; place != 0 && end - place < WINDOW && tries < CHAIN; tries++) {
        const size_t length = run_length(g, place);
        if (length >= g->least && g->text->ids[place] >= 0) add_match(g, list, &n, cap, (match){place, length});
        if (n == cap && list[n - 1].length == g->longest) break; /* none can be better */
        const size_t next = g->before[place % WINDOW];
        if (next >= place) break; /* overwritten by a later place */
        place = next;
    }
    return n;
}

/* What follows a place; where that reaches the text's end it goes on with itself, as a text in a loop does. */
static size_t follow(const ngram *g, size_t place, size_t most, int32_t *out)
{
    const size_t period = g->text->n - place;
    size_t n = 0;
    for (; n < most; n++) {
        const int32_t id = n < period ? g->text->ids[place + n] : out[n - period];
        if (id < 0) break;
        out[n] = id;
    }
    return n;
}

static hlm_status propose(void *draft, size_t most, hlmi_proposal *out, size_t *n)
{
    ngram *g = draft;
    match list[HLMI_DRAFT_BRANCHES];
    index_text(g);
    if (*n == 0) return HLM_OK; /* no branch is wanted; a list has at least one */
    *n = find(g, list, hlmi_min_size(*n, HLMI_DRAFT_BRANCHES));
    for (size_t i = 0; i < *n; i++) {
        out[i].n = follow(g, list[i].place, most, out[i].tokens);
        out[i].trust = (unsigned)hlmi_min_size(list[i].length, HLMI_DRAFT_TRUST) - 1;
    }
    return HLM_OK;
}

const hlmi_draft_kind hlmi_draft_ngram = {.check = check, .open = ngram_open, .propose = propose, .close = hlmi_free};
