/* What the prefix cache gives up. It evicts the end of a leaf or a single state at a time: the one that is cheapest to
 * compute again for its bytes, and of equals the one that was used longest ago. So that nothing stays for ever because
 * it is dear, the worth of what was evicted last counts as the tree's clock (Cao and Irani's GreedyDual-Size): a
 * candidate's rank is the clock when it was used last plus its worth.
 *
 * A state's cost is that of the tokens since the state before it on the way from the root; so among many the one with
 * close neighbours goes. The end of a leaf is its last page, or, where positions without a state behind them are worth
 * nothing, its last state with the pages since the state before. */
#include "state/radix.h"

#include "base/size.h"

typedef struct candidate {
    hlmi_radix_node *node; /* NULL: nothing found */
    bool tail; /* the end of a leaf */
    size_t state; /* else: the index of a state */
    double rank;
} candidate;

/* Multiplications to compute positions a .. b - 1. */
static double cost(const hlmi_plan *plan, int64_t a, int64_t b)
{
    double attention = 0; /* a token's, for each position before it */
    for (size_t i = 0; i < plan->n_kv; i++)
        attention += (double)plan->n_heads * (double)(plan->kv[i].head_dim + plan->kv[i].v_dim);
    const double n = (double)(b - a), middle = ((double)a + (double)b) / 2;
    return n * ((double)plan->n_active + attention * middle);
}

/* The position of the last state before a node's i-th, on the way from the root. */
static int64_t state_before(const hlmi_radix_node *node, size_t i)
{
    if (i > 0) return node->states[i - 1]->pos;
    for (node = node->parent; node->parent; node = node->parent)
        if (node->n_states) return node->states[node->n_states - 1]->pos;
    return node->end; /* of the root: the plan's prefix */
}

/* Where a leaf ends without its tail; its beginning at least. */
static int64_t tail_from(const hlmi_radix *r, const hlmi_radix_node *leaf)
{
    int64_t from = (int64_t)(((size_t)leaf->end - 1) / r->pool->layout.tokens * r->pool->layout.tokens);
    if (leaf->n_states) from = leaf->n_states > 1 ? leaf->states[leaf->n_states - 2]->pos : leaf->from;
    return from > leaf->from ? from : leaf->from;
}

static void consider(candidate *best, hlmi_radix_node *node, candidate c, double worth)
{
    c.node = node;
    c.rank = node->clock + worth;
    if (!best->node || c.rank < best->rank || (!(c.rank > best->rank) && node->used < best->node->used)) *best = c;
}

static void consider_node(const hlmi_radix *r, hlmi_radix_node *node, candidate *best)
{
    const hlm_pool *pool = r->pool;
    const bool leaf = node->n == 0;
    for (size_t i = 0; i + leaf < node->n_states; i++)
        consider(best, node, (candidate){.state = i},
                 cost(pool->plan, state_before(node, i), node->states[i]->pos) /
                     (double)hlmi_state_bytes(&pool->states));
    if (!leaf) return;
    const int64_t from = tail_from(r, node);
    const int64_t again = node->n_states ? state_before(node, node->n_states - 1) : from;
    const size_t pages = hlmi_div_up((size_t)(node->end - from), pool->layout.tokens);
    size_t bytes = node->n_states ? hlmi_state_bytes(&pool->states) : 0;
    const size_t tracks = pool->layout.n_tracks, all = node->n_pages * tracks;
    for (size_t i = 0; i < pages * tracks && i < all; i++) {
        const hlmi_page *page = node->pages[all - 1 - i];
        if (page) bytes += hlmi_page_bytes(&pool->layout, page->track);
    }
    consider(best, node, (candidate){.tail = true}, cost(pool->plan, again, node->end) / (double)bytes);
}

/* A leaf without its end; with its last state, what lies behind the state before, up to the nodes above. */
static void drop_tail(hlmi_radix *r, hlmi_radix_node *leaf)
{
    const bool states = leaf->n_states > 0;
    int64_t end = tail_from(r, leaf);
    if (states) hlmi_radix_drop_state(r, leaf, leaf->n_states - 1);
    while (end == leaf->from) {
        hlmi_radix_node *parent = leaf->parent;
        hlmi_radix_remove(r, leaf);
        leaf = parent;
        if (!states || leaf->n || !leaf->parent) return;
        end = leaf->n_states ? leaf->states[leaf->n_states - 1]->pos : leaf->from;
    }
    if (end < leaf->end) hlmi_radix_shorten(r, leaf, end);
}

static bool evict(hlmi_radix *r)
{
    candidate best = {.node = NULL};
    for (hlmi_radix_node *node = NULL; (node = hlmi_radix_next(r, node));) consider_node(r, node, &best);
    if (!best.node) return false;
    const uint64_t tokens = r->info.tokens, states = r->info.states;
    if (best.rank > r->clock) r->clock = best.rank;
    if (best.tail) drop_tail(r, best.node);
    else hlmi_radix_drop_state(r, best.node, best.state);
    r->info.evicted_tokens += tokens - r->info.tokens;
    r->info.evicted_states += states - r->info.states;
    return true;
}

void hlmi_radix_keep_budget(hlmi_radix *r)
{
    while (r->info.bytes > r->info.max_bytes && evict(r)) {
    }
}

bool hlmi_radix_give_way(hlm_pool *pool)
{
    hlmi_radix *r = pool->radix;
    if (!r) return false;
    hlmi_radix_lock(r);
    const bool some = evict(r);
    hlmi_radix_unlock(r);
    return some;
}
