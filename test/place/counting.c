/* A model's places in tests: the CPU, and one that is the CPU's host again, but keeps what it hands out under addresses that nobody can
 * look through: only its own copies, and its run, which gives the CPU's ops a step descriptor with true addresses of its own rows
 * and with none of others. Layers are divided between the two. So a test that passes on it shows that rows are reached at their place
 * alone. */
#define _POSIX_C_SOURCE 200809L
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/places.h"
#include "exec/slice.h"
#include "ops/ops.h"
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

/* Addresses by place as the ops here see them: [HLMI_PLACES]. */
static void *const *see(void *const *rows, void **at)
{
    if (!rows) return NULL;
    for (size_t i = 0; i < HLMI_PLACES; i++) at[i] = i == HERE ? turn(rows[i]) : NULL;
    return at;
}

/* The tile with addresses that the ops here can look through; NULL without memory. */
static hlmi_tile *translate(const hlmi_tile *t)
{
    const size_t lists = 2 * t->n_spans + t->n_rows;
    char *block = calloc(1,
                         sizeof(hlmi_tile) + t->n_spans * sizeof *t->spans + t->n_rows * sizeof *t->log +
                             lists * HLMI_PLACES * sizeof(void *));
    if (!block) return NULL;
    hlmi_tile *y = (hlmi_tile *)(void *)block;
    *y = *t;
    y->spans = (hlmi_span *)(void *)(y + 1);
    y->log = (void *const **)(void *)(y->spans + t->n_spans);
    void **at = (void **)(void *)(y->log + t->n_rows);
    for (size_t i = 0; i < t->n_spans; i++, at += (size_t)2 * HLMI_PLACES) {
        y->spans[i] = t->spans[i];
        y->spans[i].pages = NULL;
        y->spans[i].in = see(t->spans[i].in, at);
        y->spans[i].out = see(t->spans[i].out, at + HLMI_PLACES);
    }
    for (size_t i = 0; i < t->n_rows; i++, at += HLMI_PLACES) y->log[i] = see(t->log[i], at);
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

/* The recurrence of a block, or NULL. */
static const size_t *rec_of(const hlmi_block *b)
{
    switch (b->kind) {
    case HLMI_BLOCK_DELTA: return &((const hlmi_delta_params *)b->params)->rec;
    case HLMI_BLOCK_SHORT_CONV: return &((const hlmi_short_conv_params *)b->params)->rec;
    case HLMI_BLOCK_MAMBA1: return &((const hlmi_mamba1_params *)b->params)->rec;
    case HLMI_BLOCK_MAMBA2: return &((const hlmi_mamba2_params *)b->params)->rec;
    default: return NULL;
    }
}

/* Has the block KV rows? They are the CPU's, and so is all of the block. */
static bool has_pages(const hlmi_block *b)
{
    return b->kind == HLMI_BLOCK_ATTN || b->kind == HLMI_BLOCK_PARALLEL || b->kind == HLMI_BLOCK_HYBRID2 ||
        b->kind == HLMI_BLOCK_SHARED || b->kind == HLMI_BLOCK_HEADS;
}

/* Of recurrences the first, the third ...; of the other blocks every other one; and the head. */
static void divide(hlmi_plan *plan)
{
    for (size_t i = 0; i < plan->n_blocks; i++) {
        hlmi_block *b = &plan->blocks[i];
        const size_t *rec = rec_of(b);
        b->place = has_pages(b) ? 0 : rec ? (*rec + 1) % 2 : i % 2;
        if (rec) plan->rec[*rec].place = b->place;
        if (b->kind == HLMI_BLOCK_HEAD) plan->head_place = b->place = HERE;
    }
}

/* In place of src/api/places.c. */
void hlmi_places_choose(hlm_model *m)
{
    static hlmi_place second = {.name = "second",
                                .ops = &hlmi_ops_cpu,
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
