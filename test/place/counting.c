/* A model's places in tests: the CPU, and one that is the CPU's host again, but keeps what it hands out under addresses
 * that nobody can look through: only its own copies, and its run, which gives the CPU's ops a step descriptor with true
 * addresses of its own rows and with none of others. Layers are divided between the two. So a test that passes on it
 * shows that rows are reached at their place alone. */
#define _POSIX_C_SOURCE 200809L
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "place/counting.h"

#include "api/places.h"
#include "cpu/place.h"
#include "exec/slice.h"
#include "plan/layers.h"

enum { HERE = 1 /* its number */ };

static atomic_size_t taken, given, runs;

/* Nothing is left, and what was taken was computed on. */
__attribute__((destructor)) static void look_at_counts(void)
{
    if (taken == given && (runs || !taken)) return;
    fprintf(stderr, "the second place: %zu taken, %zu given back, %zu runs\n", (size_t)taken, (size_t)given,
            (size_t)runs);
    _exit(1);
}

/* ---- what it can do ---- */

hlmi_type place_lacks_type = HLMI_TYPE_COUNT;
int place_lacks_block = -1;

static hlmi_layout layout(const hlmi_place *p, hlmi_type type)
{
    (void)p;
    return type == place_lacks_type ? HLMI_LAYOUT_NONE : hlmi_type_get(type)->layout;
}

static bool can(const hlmi_place *p, const hlmi_block *block)
{
    (void)p;
    return (int)block->kind != place_lacks_block;
}

/* ---- memory ---- */

/* No address of a process has this bit. */
static void *turn(const void *p)
{
    return p ? (void *)((uintptr_t)p ^ (uintptr_t)1 << (sizeof p * 8 - 2)) : NULL;
}

static void *take(hlmi_place *p, size_t bytes)
{
    void *rows;
    (void)p;
    if (posix_memalign(&rows, HLMI_ALIGN, bytes) != 0) return NULL;
    taken++;
    return turn(rows);
}

static void give(hlmi_place *p, void *rows)
{
    (void)p;
    given++;
    free(turn(rows));
}

static void put(hlmi_place *p, void *to, const void *from, size_t bytes)
{
    (void)p;
    memcpy(turn(to), from, bytes);
}

static void get(hlmi_place *p, void *to, const void *from, size_t bytes)
{
    (void)p;
    memcpy(to, turn(from), bytes);
}

static void copy(hlmi_place *p, void *to, const void *from, const hlmi_rect *r)
{
    (void)p;
    char *y = turn(to);
    const char *x = turn(from);
    for (size_t i = 0; i < r->n; i++) memcpy(y + i * r->to, x + i * r->from, r->bytes);
}

static void zero(hlmi_place *p, void *to, size_t bytes)
{
    (void)p;
    memset(turn(to), 0, bytes);
}

/* ---- running ---- */

static bool is_here(const void *p)
{
    return ((uintptr_t)p >> (sizeof p * 8 - 2) & 1) != 0;
}

/* Memory of a run, zeros; given out in pieces that are multiples of a pointer. */
typedef struct room {
    char *at;
} room;

static void *get_room(room *r, size_t n, size_t size)
{
    void *p = r->at;
    r->at += n * size;
    return p;
}

/* Addresses by place as the ops here see them: [HLMI_PLACES]. */
static void *const *see(room *r, void *const *rows)
{
    void **seen = rows ? get_room(r, HLMI_PLACES, sizeof *seen) : NULL;
    if (rows) seen[HERE] = turn(rows[HERE]);
    return seen;
}

/* Leaves likewise. */
static const hlmi_leaf_rows *const *see_pages(room *r, const hlmi_leaf_rows *const *leaves, size_t n)
{
    const hlmi_leaf_rows **list = get_room(r, n, sizeof *list);
    for (size_t i = 0; i < n; i++) {
        hlmi_leaf_rows *seen = get_room(r, 1, sizeof *seen);
        list[i] = seen;
        for (size_t k = 0; k < HLMI_LEAF_PAGES && leaves[i]; k++)
            if (is_here(leaves[i]->at[k])) seen->at[k] = turn(leaves[i]->at[k]);
    }
    return list;
}

/* The tile with addresses that the ops here can look through; NULL without memory. */
static hlmi_tile *translate(const hlmi_tile *t)
{
    size_t leaves = 0;
    for (size_t i = 0; i < t->n_spans; i++) leaves += t->spans[i].n_leaves;
    room r = {calloc(1,
                     sizeof(hlmi_tile) + t->n_spans * sizeof *t->spans + t->n_rows * sizeof *t->log +
                         leaves * (sizeof(void *) + sizeof(hlmi_leaf_rows)) +
                         (2 * t->n_spans + t->n_rows) * HLMI_PLACES * sizeof(void *))};
    if (!r.at) return NULL;
    hlmi_tile *y = get_room(&r, 1, sizeof *y);
    *y = *t;
    y->spans = get_room(&r, t->n_spans, sizeof *y->spans);
    y->log = get_room(&r, t->n_rows, sizeof *y->log);
    for (size_t i = 0; i < t->n_spans; i++) {
        hlmi_span *span = &y->spans[i];
        *span = t->spans[i];
        span->pages = see_pages(&r, span->pages, span->n_leaves);
        span->in = see(&r, span->in);
        span->out = see(&r, span->out);
    }
    for (size_t i = 0; i < t->n_rows; i++) y->log[i] = see(&r, t->log[i]);
    return y;
}

static hlm_status run(hlmi_place *p, hlmi_team *team, const hlmi_work *work, hlmi_stop *at, hlmi_slice *slice,
                      bool *done)
{
    (void)p;
    hlmi_tile *tile = translate(work->step);
    hlmi_work here = *work;
    if (!tile) return hlmi_nomem(sizeof *tile, "a step descriptor");
    here.step = tile;
    here.workers = &tile->workers;
    runs++;
    *done = true;
    const hlm_status st = slice ? hlmi_slice_run(team, &here, at, slice, done) : hlmi_team_run(team, &here);
    free(tile);
    return st;
}

/* ---- who computes what ---- */

/* What of the sequences' rows a block computes on: numbers of its KV layer and its recurrence, or NULL. */
typedef struct uses {
    const size_t *kv, *rec;
} uses;

static uses uses_of(const hlmi_block *b)
{
    const void *p = b->params;
    switch (b->kind) {
    case HLMI_BLOCK_ATTN: return (uses){.kv = &((const hlmi_attn_params *)p)->kv};
    case HLMI_BLOCK_PARALLEL: return (uses){.kv = &((const hlmi_parallel_params *)p)->attn.kv};
    case HLMI_BLOCK_DELTA: return (uses){.rec = &((const hlmi_delta_params *)p)->rec};
    case HLMI_BLOCK_SHORT_CONV: return (uses){.rec = &((const hlmi_short_conv_params *)p)->rec};
    case HLMI_BLOCK_MAMBA1: return (uses){.rec = &((const hlmi_mamba1_params *)p)->rec};
    case HLMI_BLOCK_MAMBA2: return (uses){.rec = &((const hlmi_mamba2_params *)p)->rec};
    case HLMI_BLOCK_HYBRID2:
        return (uses){&((const hlmi_hybrid2_params *)p)->attn.kv, &((const hlmi_hybrid2_params *)p)->ssm.rec};
    case HLMI_BLOCK_SHARED:
        return (uses){&((const hlmi_shared_params *)p)->attn.kv, &((const hlmi_shared_params *)p)->ssm.rec};
    case HLMI_BLOCK_HEADS:
        return (uses){&((const hlmi_heads_params *)p)->attn.kv, &((const hlmi_heads_params *)p)->mamba.rec};
    default: return (uses){0};
    }
}

/* The first, the third ... of KV layers, and of recurrences that stand alone, are here; so is every other one of the
 * other blocks, and the head. */
static void divide(hlmi_plan *plan)
{
    for (size_t i = 0; i < plan->n_blocks; i++) {
        hlmi_block *b = &plan->blocks[i];
        const uses u = uses_of(b);
        b->place = b->kind == HLMI_BLOCK_HEAD ? HERE : u.kv ? (*u.kv + 1) % 2 : u.rec ? (*u.rec + 1) % 2 : i % 2;
        if (u.kv) plan->kv[*u.kv].place = b->place;
        if (u.rec) plan->rec[*u.rec].place = b->place;
        if (b->kind == HLMI_BLOCK_HEAD) plan->head_place = b->place;
    }
}

/* In place of src/api/places.c. */
void hlmi_places_choose(hlm_model *m)
{
    static hlmi_place second = {.name = "second",
                                .ops = &hlmi_ops_cpu,
                                .layout = layout,
                                .can = can,
                                .take = take,
                                .give = give,
                                .put = put,
                                .get = get,
                                .copy = copy,
                                .zero = zero,
                                .run = run};
    hlmi_place_cpu(&m->cpu, &m->mem);
    m->places[0] = &m->cpu;
    m->places[HERE] = &second;
    m->n_places = 2;
    divide(&m->plan);
}
