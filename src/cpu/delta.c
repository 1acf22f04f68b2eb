/* The gated delta rule: a value head of a span is one worker's, for all of the span's rows. Rows go in chunks, for
 * which the head's q and k are normed and its gates computed in the worker's scratch. */
#include "base/math.h"
#include "base/size.h"
#include "base/softplusf.h"
#include "cpu/held.h"

enum { CHUNK = 16 /* rows: what a visit to the state in the second cache is spread over */ };

typedef struct delta_arg {
    hlmi_delta a;
    hlmi_recurrence rec;
    const hlmi_kernels *k;
    const hlmi_state_layout *states;
    size_t ldn; /* of normed rows */
} delta_arg;

/* A worker's scratch. */
typedef struct room {
    hlmi_rows q, k; /* [CHUNK] rows */
    float *g, *beta; /* [CHUNK] */
    float *work; /* of the kernel */
    float *state; /* [rows][cols], 16-bit states only */
} room;

static room room_of(const delta_arg *a, float *scratch)
{
    float *gates = scratch + 2 * CHUNK * a->ldn;
    float *work = gates + 2 * CHUNK;
    return (room){.q = {scratch, a->ldn},
                  .k = {scratch + CHUNK * a->ldn, a->ldn},
                  .g = gates,
                  .beta = gates + CHUNK,
                  .work = work,
                  .state = work + a->rec.rows * HLMI_DELTA_LANES};
}

/* What head h needs of rows [row, row + n). */
static void prepare(const delta_arg *a, size_t h, size_t row, size_t n, const room *r)
{
    const hlmi_delta *o = &a->a;
    const size_t share = a->rec.heads / o->key_heads;
    const size_t key = (o->turned ? h % o->key_heads : h / share) * a->rec.rows;
    for (size_t i = 0; i < n; i++) {
        hlmi_cpu_norm(a->k, o->q_norm, hlmi_rows_at(r->q, i), hlmi_rows_at(o->q, row + i) + key);
        hlmi_cpu_norm(a->k, o->k_norm, hlmi_rows_at(r->k, i), hlmi_rows_at(o->k, row + i) + key);
        r->g[i] = hlmi_expf(o->a[h] * hlmi_softplusf(hlmi_rows_at(o->xa, row + i)[h] + o->dt_bias[h]));
        r->beta[i] = 1.0f / (1.0f + hlmi_expf(-hlmi_rows_at(o->xb, row + i)[h]));
    }
}

static void head_run(const delta_arg *a, const hlmi_span *s, size_t h, const room *r)
{
    const hlmi_delta *o = &a->a;
    const size_t at = h * a->rec.rows * a->rec.cols;
    hlmi_held held = {.k = a->k, .states = a->states, .rows = 1, .n = a->rec.rows * a->rec.cols, .room = r->state};
    hlmi_held_open(&held, hlmi_state_scan(s->in, a->states, o->rec), hlmi_state_scan(s->out, a->states, o->rec), at);
    const float *in = held.in;
    for (size_t i = 0; i < s->n; i += CHUNK) {
        const size_t n = hlmi_min_size(CHUNK, s->n - i), row = s->row + i;
        prepare(a, h, row, n, r);
        const hlmi_delta_run run = {.type = a->states->type,
                                    .tokens = n,
                                    .rows = a->rec.rows,
                                    .lanes = a->rec.cols,
                                    .in = in,
                                    .out = held.out,
                                    .ld = a->rec.cols,
                                    .work = r->work,
                                    .q = r->q.at,
                                    .k = r->k.at,
                                    .ldqk = r->q.ld,
                                    .g = r->g,
                                    .beta = r->beta,
                                    .v = hlmi_rows_at(o->v, row) + h * a->rec.cols,
                                    .ldv = o->v.ld,
                                    .y = hlmi_rows_at(o->y, row) + h * a->rec.cols,
                                    .ldy = o->y.ld};
        a->k->delta(&run);
        in = held.out;
    }
    hlmi_held_close(&held);
}

static void delta_run(const void *arg, const void *step, size_t worker, size_t workers)
{
    const delta_arg *a = arg;
    const hlmi_tile *t = step;
    const room r = room_of(a, hlmi_worker_scratch(t, worker, workers));
    const hlmi_range share = hlmi_share(t->n_spans * a->rec.heads, worker, workers);
    for (size_t i = share.begin; i < share.end; i++) head_run(a, &t->spans[i / a->rec.heads], i % a->rec.heads, &r);
}

void hlmi_cpu_delta(hlmi_builder *b, const hlmi_delta *o)
{
    const delta_arg a = {.a = *o,
                         .rec = b->plan->rec[o->rec],
                         .k = b->kernels,
                         .states = b->states,
                         .ldn = hlmi_ld(b->plan->rec[o->rec].rows)};
    hlmi_scratch_worker(b,
                        (2 * CHUNK * (a.ldn + 1) + a.rec.rows * HLMI_DELTA_LANES) * sizeof(float) +
                            hlmi_held_bytes(b->states, a.rec.rows * a.rec.cols));
    hlmi_emit(b, delta_run, &a, sizeof a, 0, 0);
}
