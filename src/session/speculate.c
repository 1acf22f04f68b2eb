/* Speculative decoding. A round runs the latest token and drafts of what follows it in one step, each draft on a fork
 * of the sequence (the first on the sequence itself), with the logits of all rows. Then tokens are drawn from these
 * rows in order, as if they had come one by one, and as long as a draft said the same its next row is the right one to
 * draw from. What lies behind is taken back.
 *
 * Words: a *guess* is what a draft says, whether it is run or only compared with what is drawn, to learn how good such
 * guesses are; a *lane* is a guess with the sequence that it runs on. The first lane is always there, be it without a
 * guess. */
#include "session/speculate.h"

#include <string.h>

#include "api/engine.h"
#include "base/os.h"
#include "base/params.h"
#include "base/size.h"
#include "session/draft.h"
#include "session/pace.h"
#include "state/draft.h"

static const hlmi_draft_kind *const kinds[] = {&hlmi_draft_ngram, &hlmi_draft_model};

enum {
    KINDS = sizeof kinds / sizeof *kinds,
    GUESSES = KINDS * HLMI_DRAFT_BRANCHES,
    TOKENS_DEFAULT = 8,
    NGRAM_DEFAULT = 8,
    WAIT_MOST = 64, /* rounds between two trials of drafts that do not pay */
};

_Static_assert(KINDS *HLMI_DRAFT_TRUST * 2 <= HLMI_PACE_CLASSES, "a class for each kind, trust, and place");

typedef struct guess {
    hlmi_proposal draft;
    size_t chance; /* its class */
    bool beside; /* another guess is run before it */
} guess;

typedef struct lane {
    hlm_cache *cache;
    size_t n; /* tokens of a guess that are run */
    float *logits; /* [n + 1, vocab] */
    int32_t tokens[HLMI_DRAFT_TOKENS + 1]; /* the latest token, and those */
} lane;

/* Of a kind of drafts. */
typedef struct source {
    void *draft; /* NULL: not in use */
    double token_ns; /* for one token */
    size_t wait, waited; /* rounds until drafts that do not pay are tried, and since */
} source;

struct hlmi_speculation {
    hlmi_run *run;
    hlm_speculation p;
    float *logits; /* [n_branches * (n_draft + 1), vocab] */
    hlmi_text text;
    hlmi_pace pace;
    source sources[KINDS];
    guess guesses[GUESSES]; /* of the round */
    size_t n_guesses;
    lane lanes[HLMI_DRAFT_BRANCHES];
    size_t n_lanes;
};

/* ---- opening ---------------------------------------------------------------------- */

static hlm_status read_params(hlmi_speculation *s)
{
    hlm_speculation *p = &s->p;
    HLMI_DO(hlmi_params_read(p, sizeof *p, s->run->p.speculation, "hlm_speculation"));
    if (p->n_draft < 0 || p->n_draft > HLMI_DRAFT_TOKENS || p->n_branches < 0 || p->n_branches > HLMI_DRAFT_BRANCHES)
        return hlmi_fail(HLM_E_ARG, "hlm_speculation: n_draft is %d (at most %d), n_branches %d (at most %d)",
                         (int)p->n_draft, HLMI_DRAFT_TOKENS, (int)p->n_branches, HLMI_DRAFT_BRANCHES);
    if (p->fixed < 0 || p->fixed > 1) return hlmi_fail(HLM_E_ARG, "hlm_speculation.fixed is %d", (int)p->fixed);
    if (p->draft_cache && !p->draft) return hlmi_fail(HLM_E_ARG, "hlm_speculation: a draft_cache without a draft");
    if (p->n_draft == 0) p->n_draft = TOKENS_DEFAULT;
    if (p->n_branches == 0) p->n_branches = 1;
    if (p->ngram == 0) p->ngram = NGRAM_DEFAULT;
    for (size_t k = 0; k < KINDS; k++) HLMI_DO(kinds[k]->check(s->run, p));
    return HLM_OK;
}

hlm_status hlmi_speculation_open(hlmi_speculation **out, hlmi_run *run)
{
    hlmi_speculation *s = *out = hlmi_calloc(&run->mem, 1, sizeof *s);
    if (!s) return hlmi_nomem(sizeof *s, "speculation");
    s->run = run;
    hlmi_pace_init(&s->pace);
    HLMI_DO(read_params(s));
    const size_t n = (size_t)s->p.n_branches * (size_t)(s->p.n_draft + 1) * run->vocab;
    s->logits = hlmi_calloc(&run->mem, n, sizeof *s->logits);
    return s->logits ? HLM_OK : hlmi_nomem(n * sizeof *s->logits, "logits of drafts");
}

void hlmi_speculation_close(hlmi_speculation *s)
{
    if (!s) return;
    const hlmi_mem *mem = &s->run->mem;
    for (size_t k = 0; k < KINDS; k++) kinds[k]->close(mem, s->sources[k].draft);
    hlmi_free(mem, s->text.ids);
    hlmi_free(mem, s->logits);
    hlmi_free(mem, s);
}

static hlm_status text_room(hlmi_speculation *s, size_t n)
{
    return HLMI_GROW(&s->run->mem, s->text.ids, s->text.cap, n, "the text to draft from");
}

/* The text is what the cache holds, and the first token; from it drafts are made. */
static hlm_status begin(hlmi_speculation *s, int32_t token)
{
    const size_t held = (size_t)hlm_cache_length(s->run->cache);
    HLMI_DO(text_room(s, held + 1 + hlmi_min_size(s->run->p.max_tokens, 1 << 16)));
    HLMI_DO(hlm_cache_tokens(s->run->cache, 0, held, s->text.ids));
    s->text.ids[held] = token;
    s->text.n = held + 1;
    for (size_t k = 0; k < KINDS; k++) HLMI_DO(kinds[k]->open(&s->sources[k].draft, s->run, &s->p, &s->text));
    return HLM_OK;
}

/* ---- what a round runs ---------------------------------------------------------------- */

/* Guesses learn apart when they are run beside others: they matter only when those are wrong. */
static size_t chance_of(size_t kind, unsigned trust, bool beside)
{
    return (kind * HLMI_DRAFT_TRUST + trust) * 2 + beside;
}

/* How many tokens to ask a kind for that takes time; one for which it does not pay is asked now and then, to learn. */
static size_t worth_asking(hlmi_speculation *s, size_t kind, const hlmi_stake *stake, size_t most)
{
    source *from = &s->sources[kind];
    const size_t n = hlmi_pace_choose(&s->pace, stake, chance_of(kind, 0, stake->rows > 0), from->token_ns, most);
    if (n > 0) {
        from->wait = 0;
        return n;
    }
    if (from->waited++ < from->wait) return 0;
    from->wait = hlmi_min_size(2 * from->wait + 1, WAIT_MOST);
    from->waited = 0;
    return hlmi_min_size(most, 1);
}

/* Tokens of a draft before the first that ends the answer: that one may be drawn, and is never run. Nor is one with
 * which an adapter would begin to act before it, since the rows there would know that it comes. */
static size_t runnable(const hlmi_speculation *s, const hlmi_proposal *p)
{
    const hlm_adapter *ad = s->run->p.adapter;
    size_t n = 0;
    while (n < p->n && !hlmi_run_ends(s->run, p->tokens[n]) &&
           !hlmi_adapter_invoked(ad, s->text.ids, s->text.n, p->tokens, n + 1))
        n++;
    return n;
}

/* Does a lane begin with this token? */
static bool begun(const hlmi_speculation *s, int32_t token)
{
    for (size_t i = 0; i < s->n_lanes; i++)
        if (s->lanes[i].tokens[1] == token) return true;
    return false;
}

/* Of a guess as many tokens as seem worth it become a lane. */
static void add_guess(hlmi_speculation *s, size_t kind, const hlmi_proposal *p, hlmi_stake *stake)
{
    guess *g = &s->guesses[s->n_guesses++];
    const size_t most = runnable(s, p);
    *g = (guess){.draft = *p, .beside = s->n_lanes > 0};
    g->chance = chance_of(kind, p->trust, g->beside);
    if (s->n_lanes == (size_t)s->p.n_branches || begun(s, p->tokens[0])) return;
    const size_t n = s->p.fixed ? most : hlmi_pace_choose(&s->pace, stake, g->chance, 0, most);
    if (n == 0) return;
    hlmi_pace_stake(&s->pace, stake, g->chance, s->sources[kind].token_ns, n);
    lane *l = &s->lanes[s->n_lanes++];
    *l = (lane){.n = n};
    memcpy(l->tokens + 1, p->tokens, n * sizeof *p->tokens);
}

static hlm_status ask(hlmi_speculation *s, size_t kind, size_t most, hlmi_stake *stake)
{
    hlmi_proposal found[HLMI_DRAFT_BRANCHES];
    source *from = &s->sources[kind];
    size_t n = (size_t)s->p.n_branches - s->n_lanes;
    if (!from->draft || n == 0) return HLM_OK;
    if (kinds[kind]->computes && !s->p.fixed) most = worth_asking(s, kind, stake, most);
    if (most == 0) return HLM_OK;
    const uint64_t begin = hlmi_os_now();
    HLMI_DO(kinds[kind]->propose(from->draft, most, found, &n));
    if (kinds[kind]->computes && n) {
        const double ns = (double)(hlmi_os_now() - begin) / (double)found[0].n;
        from->token_ns += (ns - from->token_ns) / (from->token_ns > 0 ? 8 : 1);
    }
    for (size_t i = 0; i < n; i++) add_guess(s, kind, &found[i], stake);
    return HLM_OK;
}

/* The lanes of a round, still without sequences. */
static hlm_status gather(hlmi_speculation *s)
{
    const size_t room = hlmi_cache_room(s->run->cache);
    const size_t most = hlmi_min_size((size_t)s->p.n_draft, room ? room - 1 : 0);
    hlmi_stake stake = {.tokens = 1, .open = 1}; /* a round without drafts */
    hlm_status st = HLM_OK;
    s->n_guesses = s->n_lanes = 0;
    for (size_t k = 0; k < KINDS && st == HLM_OK; k++) st = ask(s, k, most, &stake);
    if (s->n_lanes == 0) s->lanes[s->n_lanes++] = (lane){.n = 0};
    return st;
}

/* ---- running it --------------------------------------------------------------------------- */

static void free_forks(hlmi_speculation *s)
{
    for (size_t i = 1; i < s->n_lanes; i++) {
        hlm_cache_free(s->lanes[i].cache);
        s->lanes[i].cache = NULL;
    }
}

static hlm_status fork_lanes(hlmi_speculation *s)
{
    for (size_t i = 1; i < s->n_lanes; i++) {
        HLMI_DO(hlm_cache_fork(&s->lanes[i].cache, s->run->cache, HLM_NOW));
        hlmi_cache_drafts(s->lanes[i].cache, true);
    }
    return HLM_OK;
}

static hlm_status step(hlmi_speculation *s)
{
    hlm_step list[HLMI_DRAFT_BRANCHES];
    size_t rows = 0;
    for (size_t i = 0; i < s->n_lanes; i++) {
        lane *l = &s->lanes[i];
        l->logits = s->logits + rows * s->run->vocab;
        l->tokens[0] = s->text.ids[s->text.n - 1];
        list[i] = (hlm_step){.cache = l->cache,
                             .tokens = l->tokens,
                             .n_tokens = l->n + 1,
                             .logits = l->logits,
                             .logit_rows = HLM_ROWS_ALL,
                             .adapter = s->run->p.adapter};
        rows += l->n + 1;
    }
    const uint64_t begin = hlmi_os_now();
    HLMI_DO(hlmi_steps_run(s->run->ctx, list, s->n_lanes));
    hlmi_pace_step(&s->pace, rows, (double)(hlmi_os_now() - begin));
    s->run->result.n_steps++;
    s->run->result.n_drafted += rows - s->n_lanes;
    return HLM_OK;
}

/* A step that finds no room for drafts is made without them. */
static hlm_status run_lanes(hlmi_speculation *s)
{
    s->lanes[0].cache = s->run->cache;
    hlm_status st = fork_lanes(s);
    if (st == HLM_OK) st = step(s);
    if (st == HLM_E_NOMEM && (s->n_lanes > 1 || s->lanes[0].n > 0)) {
        free_forks(s);
        s->n_lanes = 1;
        s->lanes[0].n = 0;
        st = step(s);
    }
    return st;
}

/* ---- what it brought ------------------------------------------------------------------------ */

/* Draws on as long as there is a row to draw from; *kept tokens of lane *winner have become text before the last
 * drawn. */
static hlm_status draw(hlmi_speculation *s, size_t *winner, size_t *kept)
{
    hlmi_run *r = s->run;
    bool alive[HLMI_DRAFT_BRANCHES];
    memset(alive, true, sizeof alive);
    *winner = 0;
    for (*kept = 0;; ++*kept) {
        int32_t token;
        const size_t i = *kept;
        HLMI_DO(text_room(s, s->text.n + 1));
        HLMI_DO(hlmi_run_token(r, s->lanes[*winner].logits + i * r->vocab, &token, &r->result.finish));
        s->text.ids[s->text.n++] = token;
        if (r->result.finish != HLMI_GO_ON || hlmi_ctx_cancelled(r->ctx)) return HLM_OK;
        size_t next = s->n_lanes;
        for (size_t l = s->n_lanes; l-- > 0;) {
            alive[l] = alive[l] && i < s->lanes[l].n && s->lanes[l].tokens[i + 1] == token;
            if (alive[l]) next = l;
        }
        if (next == s->n_lanes) return HLM_OK;
        *winner = next;
    }
}

/* What the guesses said against what was drawn: the text from `from` on. */
static void judge(hlmi_speculation *s, size_t from)
{
    const size_t drawn = s->text.n - from;
    bool hit = false; /* one that was run begins right */
    for (size_t i = 0; i < s->n_guesses; i++) {
        const guess *g = &s->guesses[i];
        const size_t n = hlmi_min_size(g->draft.n, drawn);
        size_t right = 0;
        while (right < n && g->draft.tokens[right] == s->text.ids[from + right]) right++;
        if (!g->beside || right > 0 || !hit) hlmi_pace_judge(&s->pace, g->chance, right, right < n);
        hit |= right > 0;
    }
}

/* The caller's cache gets what the winner kept, whatever its handle. */
static hlm_status take(hlmi_speculation *s, size_t winner, size_t kept, int64_t before, size_t pages)
{
    lane *l = &s->lanes[winner];
    hlm_status st = HLM_OK;
    if (kept < l->n) st = hlmi_cache_take_back(l->cache, before + 1 + (int64_t)kept, pages);
    if (st == HLM_OK && winner > 0) st = hlmi_cache_change_places(s->run->cache, l->cache);
    s->run->result.n_accepted += kept;
    return st;
}

static hlm_status play_round(hlmi_speculation *s)
{
    const int64_t before = hlm_cache_length(s->run->cache);
    const size_t pages = hlmi_cache_held(s->run->cache), from = s->text.n;
    size_t winner, kept;
    hlm_status st = gather(s);
    if (st == HLM_OK) st = run_lanes(s);
    if (st == HLM_OK) {
        st = draw(s, &winner, &kept);
        const hlm_status taken = take(s, winner, kept, before, pages);
        if (st == HLM_OK) st = taken;
        judge(s, from);
    }
    free_forks(s);
    return st;
}

hlm_status hlmi_speculate(hlmi_speculation *s)
{
    hlmi_run *r = s->run;
    int32_t token;
    hlm_status st = hlmi_run_token(r, r->logits, &token, &r->result.finish);
    if (st != HLM_OK || r->result.finish != HLMI_GO_ON) return st;
    st = begin(s, token);
    hlmi_cache_drafts(r->cache, true);
    while (st == HLM_OK && r->result.finish == HLMI_GO_ON) {
        st = play_round(s);
        if (st != HLM_E_FULL) continue;
        r->result.finish = HLM_FINISH_FULL;
        st = HLM_OK;
    }
    hlmi_cache_drafts(r->cache, false);
    hlmi_ctx_settle(r->ctx, r->cache); /* where that fails, the next step does it */
    return st;
}
